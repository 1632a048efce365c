"""The scripted model's users who want several things at once, in a chain, or what does not work at the first try."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

from agentinstruct.agents.scripted.errands import Shop, Task, opened, pairs, singles
from agentinstruct.agents.scripted.library import OWNERS
from agentinstruct.agents.scripted.orders import ELSE, Order, said

_LOOKS = ("find", "count", "get")


def patterned(category: str, of: Shop) -> Iterator[Task]:
    """Tasks of a type that is about how calls hang together."""
    yield from PATTERNS[category](of)


def failing(task: Task, of: Shop) -> Iterator[str]:
    """First choices that fail, each with a second choice that works, as words to go on with."""
    taken = f"{task['task']} {task['calls']} {task['withheld']}"
    for first, second in _refusals(of):
        if second.values["job_id"] not in taken and second.values["owner"] not in taken:
            yield f"{said(first, of.noun)}. {ELSE} {said(second, of.noun)}"


def _looks(of: Shop) -> list[Order]:
    return [order for order in singles(of) if of.kind(order) in _LOOKS]


def _calls(orders: Sequence[Order]) -> list[dict[str, Any]]:
    return [{"name": order.api.name, "arguments": dict(order.values)} for order in orders]


def _parallel(of: Shop) -> Iterator[Task]:
    found = _looks(of)
    for first, second in pairwise(found):
        text = opened(of, f"{said(first, of.noun)}, and also {said(second, of.noun)}")
        yield {"task": text, "calls": _calls([first, second])}


def _chains(of: Shop) -> Iterator[Sequence[Order]]:
    """Pairs of orders of which the second needs what the first returns."""
    return (pair for pair in pairs(of) if any(str(value).startswith("$") for value in pair[1].values.values()))


def _dependent(of: Shop) -> Iterator[Task]:
    for first, second in _chains(of):
        one = said(first, of.noun).replace("jobs of", "job of")
        yield {"task": opened(of, f"{one}, and then {said(second, of.noun)}"), "calls": _calls([first, second])}


def _mixed(of: Shop) -> Iterator[Task]:
    for first, second in _chains(of):
        other = next((o for o in _looks(of) if o.values != first.values and _apart(o, second)), None)
        if of.kind(first) != "find" or other is None:
            continue
        moved = Order(second.api, {name: _second(value) for name, value in second.values.items()})
        one = said(first, of.noun).replace("jobs of", "job of")
        text = f"{said(other, of.noun)}, and also {one}, and then {said(moved, of.noun)}"
        yield {"task": opened(of, text), "calls": _calls([other, first, moved])}


def _apart(look: Order, change: Order) -> bool:
    """Whether a lookup tells the same after a change as before it, as far as its words show."""
    return not set(map(str, look.values.values())) & set(map(str, change.values.values()))


def _second(value: Any) -> Any:
    return f"$2{value[2:]}" if str(value).startswith("$1") else value


def _refusals(of: Shop) -> Iterator[tuple[Order, Order]]:
    """Orders on a job that does not exist, each with one on a job that does."""
    api = next((api for api in of.apis if of.kind(Order(api, {})) == "reassign"), None)
    for place, job in enumerate(of.jobs if api else ()):
        stem, owners = job["job_id"].rpartition("-")[0], [owner for owner in OWNERS if owner != job["owner"]]
        values = {"owner": of.draw.choice(owners)}
        assert api is not None
        yield Order(api, {"job_id": f"{stem}-{940 + place}", **values}), Order(api, {"job_id": job["job_id"], **values})


def _recover(of: Shop) -> Iterator[Task]:
    for first, second in _refusals(of):
        text = f"{opened(of, said(first, of.noun))} {ELSE} {said(second, of.noun)}."
        yield {"task": text, "calls": _calls([first, second])}


def _report(of: Shop) -> Iterator[Task]:
    for first, _ in _refusals(of):
        yield {"task": opened(of, said(first, of.noun)), "calls": _calls([first])}


def _goal(of: Shop) -> Iterator[Task]:
    kinds = {of.kind(Order(api, {})): api for api in of.apis}
    owners = [job["owner"] for job in of.jobs]
    if not {"find", "reassign"} <= set(kinds):
        return
    for owner in dict.fromkeys(owner for owner in owners if owners.count(owner) > 1):
        for other in of.draw.sample([name for name in OWNERS if name != owner], 3):
            find, hand = (
                Order(kinds["find"], {"owner": owner}),
                Order(kinds["reassign"], {"job_id": "$*", "owner": other}),
            )
            text = opened(of, f"{said(find, of.noun)}, and then {said(hand, of.noun)}")
            each = [
                Order(hand.api, {"job_id": f"$1.{row}.job_id", "owner": other}) for row in range(owners.count(owner))
            ]
            yield {"task": text, "calls": _calls([find, *each])}


PATTERNS: Mapping[str, Callable[[Shop], Iterator[Task]]] = {
    "parallel_calls": _parallel,
    "dependent_calls": _dependent,
    "parallel_then_dependent": _mixed,
    "recover_from_error": _recover,
    "report_error": _report,
    "goal_state": _goal,
}
