"""The scripted model's agents for the web: sites, tasks for them, edits of both, and the visits that solve them."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from agentinstruct.agents.forms.web import WebTask
from agentinstruct.agents.gateway import Request
from agentinstruct.agents.scripted.errands_web import tasks
from agentinstruct.agents.scripted.harder_web import changed_site, changed_task, longer
from agentinstruct.agents.scripted.orders_web import errand
from agentinstruct.agents.scripted.signatures import words
from agentinstruct.agents.scripted.sites import bare, declared
from agentinstruct.agents.scripted.tools import user
from agentinstruct.agents.scripted.wishes import Wishes
from agentinstruct.agents.shapes_web import site_of
from agentinstruct.agents.webacts import Step
from agentinstruct.tools.quotes import fold
from agentinstruct.tools.site import Action, Condition, Errand, View, Walker, read_view

Said = dict[str, Any] | None


def transform(request: Request) -> Said:
    """A site of the transform's kind; declined where the text is too short for one."""
    site = declared(request.agent, request.inputs["seed"].text)
    reason = "" if site else "The source has too few statements to fill a site with."
    return {"suitable": bool(site), "reason": reason, **(site or bare(request.agent))}


def instruct(request: Request) -> Said:
    """As many tasks as asked for, of the type asked for."""
    category, count = request.inputs["category"]["name"], int(request.inputs["count"])
    found = list(islice(tasks(category, _wishes(request, category)), count))
    return {"items": [task.model_dump(mode="json") for task in found]}


def suggest(request: Request) -> Said:
    """What could be changed, in a sentence or two."""
    goal, task = request.inputs["goal"], request.inputs["task"]
    if goal.name == "more_steps" and (more := _longer(request)):
        return {"suggestions": [f"Let the user ask for this instead: {more.task}"]}
    return {"suggestions": [f"{goal.title}: change what lies around “{task.task[:60]}”."]}


def edit(request: Request) -> Said:
    """The changed task, or what is changed on its site."""
    goal, task = request.inputs["goal"], request.inputs["task"]
    of = _wishes(request, task.task)
    if goal.name in ("distractors", "layout"):
        return changed_site(goal.name, of, task)
    made = _longer(request) if goal.name == "more_steps" else changed_task(goal.name, of, task)
    return {"item": (made or task).model_dump(mode="json")}


def answer(request: Request) -> Said:
    """The next step of somebody who does what the message says."""
    steps: Sequence[Step] = request.inputs["steps"]
    walker = Walker(_left(errand(request.inputs["task"]), str(request.inputs["before"]).splitlines()))
    for step in steps:
        walker.next(read_view(step.seen))
        if step.heard:
            walker.tell(_heard(step))
    view = read_view(request.inputs["seen"])
    action = walker.next(view)
    return {"thought": _thought(action, view), "action": action.do, "element": action.element, "text": action.text}


def judge(request: Request) -> Said:
    """Every criterion met by a visit whose steps have reasons."""
    rubric: Mapping[str, str] = request.inputs["rubric"]
    last = str(request.inputs["visit"]).strip().rpartition("\n")[2]
    sound = "→" in last or "User:" in last
    return {"criteria": [{"criterion": name, "evidence": last[:200], "met": sound} for name in rubric]}


def _wishes(request: Request, about: str) -> Wishes:
    return Wishes(site_of(request.inputs["site"]), about)


def _longer(request: Request) -> WebTask | None:
    task, category = request.inputs["task"], request.inputs["category"]["name"]
    return longer(_wishes(request, task.task), category, task)


def _left(whole: Errand, before: Sequence[str]) -> Errand:
    """The errand without what the history shows to have been done."""
    done = [re.sub(r".*button “(.*)”$", r"\1", line) for line in before if " button “" in line]
    added = sum(name.casefold().startswith("add ") for name in done)
    saved = "Save" in done
    conditions = list(_undone(whole.conditions, added, saved))
    return Errand(conditions, whole.query, whole.page, whole.fact, whole.label, whole.known, whole.avoid)


def _undone(conditions: Sequence[Condition], added: int, saved: bool) -> Iterator[Condition]:
    carts = [one for one in conditions if one.kind == "cart"]
    for one in conditions:
        if one in carts[:added] or (one.kind == "setting" and saved):
            continue
        yield one


def _heard(step: Step) -> dict[str, str]:
    """What a reply tells of the fields that were in sight."""
    told: dict[str, str] = {}
    for one in read_view(step.seen).elements():
        if found := re.search(
            rf"\bthe {re.escape(words(one.name))} is (.+?)(?:, the |\.?$)", step.heard, re.IGNORECASE
        ):
            told[one.name] = found[1]
    return told


def _thought(action: Action, view: View) -> str:
    one = next((e for e in view.elements() if e.number == action.element), None)
    name = f"“{one.name}”" if one else ""
    page = view.title.rpartition(" · ")[0] or view.title
    return {
        "click": f"On “{page}” the {one.role if one else 'element'} {name} is the way on.",
        "type": f"The field {name} on “{page}” has to hold “{action.text}”.",
        "select": f"Of what {name} offers, “{action.text}” is wanted.",
        "scroll": f"What I need on “{page}” may stand further {action.text}.",
        "back": "I have read this entry; the list has what comes next.",
        "ask_user": f"“{page}” asks for something that I have not been told.",
        "answer": "This cannot be done, as the page shows."
        if _denies(action)
        else "Everything asked for is done or known.",
    }[action.do]


def _denies(action: Action) -> bool:
    return fold(action.text).startswith("this cannot be done")


SCRIPTS: Mapping[str, Callable[[Request], Said]] = {
    **dict.fromkeys(("page", "site_map", "form", "results", "catalogue", "dashboard", "error_page"), transform),
    "instruct": instruct,
    "suggest": suggest,
    "edit": edit,
    "answer": answer,
    "user": user,
    "judge": judge,
}
