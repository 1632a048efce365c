"""The scripted model's agents for tool use: a library, tasks for it, and the dialogues that solve them."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain, islice, zip_longest
from typing import Any

from agentinstruct.agents.gateway import Request
from agentinstruct.agents.scripted.assistant import act, judged
from agentinstruct.agents.scripted.assistant import user as reply
from agentinstruct.agents.scripted.errands import Shop, extended, follow_ups, longer, shop, tasks
from agentinstruct.agents.scripted.library import hypothesised, simulated
from agentinstruct.agents.scripted.patterns import PATTERNS, failing, patterned
from agentinstruct.agents.scripted.signatures import documented
from agentinstruct.agents.scripted.source import listed
from agentinstruct.tools.simulator import Api

Said = dict[str, Any] | None


def describe(request: Request) -> Said:
    """What can be called in the code; declined when nothing can."""
    seed = request.inputs["seed"]
    return _library(listed(seed.text, seed.language), seed.title, "The code offers nothing that could be called.")


def adopt(request: Request) -> Said:
    """The functions whose signatures stand in the document; declined when there are none."""
    seed = request.inputs["seed"]
    return _library(documented(seed.text), seed.title, "The document names no function with its parameters.")


def hypothesise(request: Request) -> Said:
    """A store of jobs around the functions that are known."""
    apis: Sequence[Api] = request.inputs["apis"]
    library = f"{request.inputs['library'].rstrip('.')}, with a record of the jobs that use them."
    return {"library": library, "apis": hypothesised(apis, int(request.inputs["wanted"]))}


def simulate(request: Request) -> Said:
    """Data and behaviours for the functions whose effect is known."""
    return simulated(request.inputs["apis"])


def instruct(request: Request) -> Said:
    """As many tasks as asked for, of the type asked for."""
    category, count = request.inputs["category"]["name"], int(request.inputs["count"])
    written = patterned if category in PATTERNS else tasks
    found = list(islice(written(category, _shop(request, category)), count))
    return {"items": [_written(task) for task in found]} if found else None


def suggest(request: Request) -> Said:
    """Orders that could follow, one that needs an earlier result first."""
    category, task = request.inputs["category"]["name"], _read(request.inputs["task"])
    of = _shop(request, task["task"])
    pairs = zip_longest(follow_ups(task, category, of), longer(task, category, of))
    ways = failing(task, of) if request.subject.endswith("/failing_step") else chain.from_iterable(pairs)
    phrases = dict.fromkeys(filter(None, ways))
    found = [
        f"Let the user go on and say: after that, {phrase}." for phrase in islice(phrases, int(request.inputs["count"]))
    ]
    return {"suggestions": found or ["Let the user ask for the same again."]}


def edit(request: Request) -> Said:
    """The task with what the suggestion names at its end; as it was, where that names nothing."""
    task = _read(request.inputs["task"])
    of = _shop(request, task["task"])
    return {"item": _written(extended(task, request.inputs["suggestion"], of) or task)}


def answer(request: Request) -> Said:
    """The assistant's next step."""
    return act(request.inputs["apis"], request.inputs["dialogue"])


def user(request: Request) -> Said:
    """The simulated user's reply."""
    withheld = {one.name: one.value for one in request.inputs["withheld"]}
    return {"text": reply(withheld, request.inputs["dialogue"])}


def judge(request: Request) -> Said:
    """A judgement on every criterion of the rubric."""
    found = judged(request.inputs["task"].model_dump(), request.inputs["dialogue"])
    rubric: Mapping[str, str] = request.inputs["rubric"]
    opinions = ((name, *found.get(name, (True, "nothing speaks against it"))) for name in rubric)
    return {"criteria": [{"criterion": n, "evidence": why[:300], "met": met} for n, met, why in opinions]}


def _library(apis: list[dict[str, Any]], title: str, reason: str) -> dict[str, Any]:
    about = re.sub(r"[^\w .-]", "", title).strip()
    library = f"Functions of {about}." if about else "Functions of a small library."
    return {"suitable": bool(apis), "reason": "" if apis else reason, "library": library if apis else "", "apis": apis}


def _shop(request: Request, about: str) -> Shop:
    return shop(request.inputs["apis"], request.inputs["state"], about)


def _read(task: Any) -> dict[str, Any]:
    """A task with its arguments by name, as the scripts handle it."""
    calls = [{"name": call.name, "arguments": call.values} for call in task.calls]
    return {**task.model_dump(), "calls": calls}


def _written(task: Mapping[str, Any]) -> dict[str, Any]:
    return {"withheld": [], "extra": [], "absent": [], **task, "calls": list(_calls(task["calls"]))}


def _calls(calls: Sequence[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    for call in calls:
        yield {"name": call["name"], "arguments": [{"name": n, "value": v} for n, v in call["arguments"].items()]}


SCRIPTS: Mapping[str, Callable[[Request], Said]] = {
    "describe": describe,
    "adopt": adopt,
    "hypothesise": hypothesise,
    "simulate": simulate,
    "instruct": instruct,
    "suggest": suggest,
    "edit": edit,
    "answer": answer,
    "user": user,
    "judge": judge,
}
