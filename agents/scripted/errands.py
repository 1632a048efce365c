"""The scripted model's users: tasks of each type with the calls that solve them, and ways to make them longer."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Any

from agentinstruct.agents.grounding import grounded
from agentinstruct.agents.scripted.library import FIELDS, NAMES, OWNERS, kind_of, noun_of, sample
from agentinstruct.agents.scripted.orders import ABSENT, ELSE, Order, read, said
from agentinstruct.agents.scripted.signatures import words
from agentinstruct.tools.simulator import Api

Row = Mapping[str, Any]
Task = dict[str, Any]

_OPENINGS = ("Please {}.", "Hello! Could you {}?", "Hi, I need you to {}.", "Good morning. Would you {}, please?")
_TRY = ("After that, please", ELSE)
_DETAILS = (
    ("folder_colour", "teal", "My folder for this is teal, by the way."),
    ("meeting_time", "4 pm", "I have a meeting about it at 4 pm."),
    ("reason", "budget review", "The reason is our budget review."),
    ("office_floor", "third", "I sit on the third floor now."),
)


@dataclass(frozen=True, slots=True)
class Shop:
    """What a task can be about: the functions that run, and the jobs on record."""

    apis: Sequence[Api]
    jobs: Sequence[Row]
    draw: Random

    @property
    def noun(self) -> str:
        """What the store calls its jobs."""
        return noun_of(self.apis)

    def kind(self, order: Order) -> str:
        """What an order does to the store."""
        return kind_of(order.api, self.noun)


def shop(apis: Sequence[Api], state: Mapping[str, Sequence[Row]], about: str) -> Shop:
    """A library and its data, with a draw of its own for what it is asked about."""
    noun = noun_of(apis)
    draw = Random(f"{about}/{','.join(api.name for api in apis)}")
    jobs = [row for row in state.get(f"{noun}s", ()) if set(FIELDS) <= set(row)]
    return Shop(apis, jobs, draw)


def tasks(category: str, of: Shop) -> Iterator[Task]:
    """Tasks of a type, each another one."""
    single, absent = category.startswith("single_api"), category.endswith("absent")
    errands = [[order] for order in singles(of)] if single or absent else list(pairs(of))
    of.draw.shuffle(errands)
    if category == "single_api_absent":
        errands = [[] for _ in ABSENT]
    lacking = of.draw.sample(list(ABSENT), len(ABSENT)) if absent else []
    for place, errand in enumerate(errands):
        if category.endswith("missing_parameters"):
            yield from _withholding(errand, of)
            continue
        name = lacking[place % len(lacking)] if lacking else ""
        wanted = ABSENT.get(name, "").format("the details" if errand else _something(of))
        task = _task(errand, errand, of, wanted)
        if name:
            task["absent"] = [{"name": name, "description": f"Would {ABSENT[name].format('something')}."}]
        yield _with_detail(task, of) if "superfluous" in category else task


def longer(task: Task, category: str, of: Shop) -> Iterator[str]:
    """Orders, in words, that could follow on a task's own."""
    planned = [str(value) for call in task["calls"] for value in call["arguments"].values()]
    secret = [one["value"] for one in task.get("withheld", ())]
    names = {call["name"] for call in task["calls"]}
    for order in singles(of):
        same = order.api.name in names
        fresh = not any(str(value) in planned or str(value) in task["task"] for value in _telling(order))
        fresh = fresh and not any(value in secret for value in order.values.values())
        if category == "parallel_calls":
            fresh = fresh and of.kind(order) in ("find", "count", "get")
        if fresh and (same or not category.startswith("single")):
            yield said(order, of.noun)


def follow_ups(task: Task, category: str, of: Shop) -> Iterator[str]:
    """Orders that need what the task's calls returned."""
    kinds = {api.name: kind_of(api, of.noun) for api in of.apis}
    done = [kinds.get(call["name"]) for call in task["calls"]]
    if category.startswith("single") or category == "parallel_calls" or not {"find", "add", "reassign"} & set(done):
        return
    for api in of.apis:
        if kinds[api.name] == "get" and "get" not in done:
            yield said(Order(api, {"job_id": "$"}), of.noun)
        elif kinds[api.name] == "reassign" and "reassign" not in done:
            free = [owner for owner in OWNERS if owner not in f"{task['task']} {task['withheld']}"]
            yield said(Order(api, {"job_id": "$", "owner": of.draw.choice(free)}), of.noun)


def extended(task: Task, suggestion: str, of: Shop) -> Task | None:
    """The task with the orders that a suggestion names at its end; None where it names none."""
    orders = read(suggestion, of.apis)
    if not orders or not task["calls"]:
        return None
    if ELSE in suggestion:
        text = " ".join(f"{start} {said(one, of.noun)}." for start, one in zip(_TRY, orders, strict=False))
        calls = [{"name": one.api.name, "arguments": dict(one.values)} for one in orders]
        return {**task, "task": f"{task['task']} {text}", "calls": [*task["calls"], *calls]}
    kinds = {api.name: kind_of(api, of.noun) for api in of.apis}
    held = [n for n, call in enumerate(task["calls"], 1) if kinds.get(call["name"]) not in ("plain", "count")]
    last = held[-1] if held else 0
    source = f"${last}.0.job_id" if last and kinds[task["calls"][last - 1]["name"]] == "find" else f"${last}.job_id"
    values = {name: source if value == "$" else value for name, value in orders[-1].values.items()}
    text = f"{task['task']} After that, please {said(orders[-1], of.noun)}."
    return {**task, "task": text, "calls": [*task["calls"], {"name": orders[-1].api.name, "arguments": values}]}


def _something(of: Shop) -> str:
    """What a request that no function fulfils is about."""
    return f"{words(of.noun)} {of.draw.choice(of.jobs)['job_id']}" if of.jobs else "the list of all entries"


def singles(of: Shop) -> list[Order]:
    """Orders that one call fulfils, in a drawn order."""
    found = [Order(api, values) for api in of.apis for values in _values(api, of)]
    of.draw.shuffle(found)
    return found


def _telling(order: Order) -> list[Any]:
    """The values by which one order is told from another."""
    own = [order.values[name] for name in ("job_id", "name") if name in order.values]
    return own or list(order.values.values())


def _values(api: Api, of: Shop) -> Iterator[dict[str, Any]]:
    kind, owners = kind_of(api, of.noun), sorted({job["owner"] for job in of.jobs})
    if kind == "plain":
        yield from _plain_values(api, of.draw)
    elif kind == "find":
        yield from ({"owner": job["owner"], "status": job["status"]} for job in of.jobs)
    elif kind == "count":
        yield from ({"owner": owner} for owner in owners)
    elif kind == "add":
        held = {job["name"] for job in of.jobs}
        free = [name for name in NAMES if name not in held]
        yield from ({"name": n, "owner": of.draw.choice(OWNERS), "priority": of.draw.randint(3, 9)} for n in free)
    elif kind == "reassign":
        for job in of.jobs:
            others = [owner for owner in OWNERS if owner != job["owner"]]
            yield {"job_id": job["job_id"], "owner": of.draw.choice(others)}
    else:
        yield from (
            {"job_id": job["job_id"]} for job in of.jobs if kind == "get" or job["status"] in ("open", "running")
        )


def _plain_values(api: Api, draw: Random) -> Iterator[dict[str, Any]]:
    needed = [one for one in api.parameters if one.required]
    if any(one.type == "object" for one in needed):
        return
    for _ in range(6 if needed else 1):
        yield {one.name: sample(one, draw) for one in needed}


def pairs(of: Shop) -> Iterator[list[Order]]:
    """Errands of two functions; the second needs the first's result where the library has a store."""
    by_kind = {kind_of(api, of.noun): api for api in of.apis}
    first = [order for order in singles(of) if of.kind(order) in ("find", "add", "reassign")]
    for order in first:
        yield from ([order, then] for then in _seconds(order, by_kind, of))
    plain = [order for order in singles(of) if of.kind(order) == "plain"]
    if not first:
        yield from ([a, b] for a in plain for b in plain if a.api.name < b.api.name)


def _seconds(order: Order, by_kind: Mapping[str, Api], of: Shop) -> Iterator[Order]:
    kind, values = of.kind(order), order.values
    if kind == "find" and _found(values, of) == 1:
        other = next(owner for owner in of.draw.sample(OWNERS, len(OWNERS)) if owner != values["owner"])
        if "reassign" in by_kind:
            yield Order(by_kind["reassign"], {"job_id": "$1.0.job_id", "owner": other})
        if "cancel" in by_kind and values["status"] in ("open", "running"):
            yield Order(by_kind["cancel"], {"job_id": "$1.0.job_id"})
    elif kind == "add" and "get" in by_kind:
        yield Order(by_kind["get"], {"job_id": "$1.job_id"})
    elif kind == "reassign" and "count" in by_kind:
        yield Order(by_kind["count"], {"owner": values["owner"]})


def _found(values: Mapping[str, Any], of: Shop) -> int:
    return sum(all(job[name] == value for name, value in values.items()) for job in of.jobs)


def _task(told: Sequence[Order], meant: Sequence[Order], of: Shop, absent: str = "") -> Task:
    phrases = [*(said(order, of.noun) for order in told), *([absent] if absent else [])]
    if "$1.0.job_id" in (value for order in meant for value in order.values.values()):
        phrases[0] = phrases[0].replace("jobs of", "job of")
    calls = [{"name": order.api.name, "arguments": dict(order.values)} for order in meant]
    return {"task": opened(of, ", and then ".join(phrases)), "calls": calls}


def opened(of: Shop, wanted: str) -> str:
    """What is wanted, as a sentence of a user."""
    return of.draw.choice(_OPENINGS).format(wanted)


def _with_detail(task: Task, of: Shop) -> Task:
    name, value, sentence = of.draw.choice(_DETAILS)
    return {**task, "task": f"{task['task']} {sentence}", "extra": [{"name": name, "value": value}]}


def _withholding(errand: Sequence[Order], of: Shop) -> Iterator[Task]:
    """The errand without one value that its user would forget to give."""
    for place, order in enumerate(errand):
        name = _forgotten(order, of)
        if not name:
            continue
        less = {one: value for one, value in order.values.items() if one != name}
        task = _task([*errand[:place], replace(order, values=less), *errand[place + 1 :]], errand, of)
        if not grounded(order.values[name], None, [task["task"]]):
            yield {**task, "withheld": [{"name": name, "value": order.values[name]}]}
        return


def _forgotten(order: Order, of: Shop) -> str:
    kind, values = of.kind(order), order.values
    needed = [one.name for one in order.api.parameters if one.required and one.name in values]
    wanted = {"add": ["priority"], "plain": needed[::-1], "reassign": ["job_id", "owner"]}.get(kind, ["job_id"])
    return next((name for name in wanted if name in needed and not str(values[name]).startswith("$")), "")
