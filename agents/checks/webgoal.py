"""The exact checks on what a refinement of a web task did: each goal has its own, on plans that were carried out."""

from collections.abc import Callable, Iterator, Mapping

from agentinstruct.agents.checks.check import Bench, exact
from agentinstruct.agents.checks.site import STEP, WHOLE
from agentinstruct.agents.forms.form import Fault
from agentinstruct.agents.grounding import mentions
from agentinstruct.agents.records import Draft
from agentinstruct.agents.visits import Visit, key_text
from agentinstruct.tools.site import Condition, holds


def _refined(draft: Draft, bench: Bench) -> Iterator[Fault] | None:
    if bench.parent is None or draft.goal not in _GOALS:
        return None
    visit: Visit = bench.world
    return (("refined", fault) for fault in _GOALS[draft.goal](visit, Visit(bench.parent)))


def _more_steps(visit: Visit, parent: Visit) -> Iterator[str]:
    before, now = len(parent.plan.actions), len(visit.plan.actions)
    if now <= before:
        yield f"{before} steps, now {now}"


def _unmoved(visit: Visit, parent: Visit) -> Iterator[str]:
    """The site is another, the task and its answer are not."""
    if key_text(visit.draft) != key_text(parent.draft):
        yield f"the answer was {key_text(parent.draft)[:60]!r}, now {key_text(visit.draft)[:60]!r}"


def _crowded(visit: Visit, parent: Visit) -> Iterator[str]:
    """There is more on the site that can be seen than before."""
    before, now = _things(parent), _things(visit)
    if now <= before:
        yield f"nothing was added that a visitor would see: {before} things, now {now}"
    yield from _unmoved(visit, parent)


def _things(visit: Visit) -> int:
    loaded = visit.plan.browser.loaded
    return len(loaded.pages) + len(loaded.site.popups) + sum(len(table.rows) for table in loaded.tables.values())


def _withheld(visit: Visit, parent: Visit) -> Iterator[str]:
    if not visit.task.withheld or parent.task.withheld:
        yield "nothing has been left out that was given before"


def _forbids(visit: Visit, parent: Visit) -> Iterator[str]:
    if not visit.task.never:
        yield "the task forbids nothing"
    for condition in visit.task.never:
        if broken := _breaks(condition, visit):
            yield broken
        elif not mentions(visit.task.task, condition.field or condition.page):
            yield f"the message does not speak of {condition.field or condition.page!r}"


def _breaks(condition: Condition, visit: Visit) -> str:
    browser = visit.begun()
    for action in visit.plan.actions:
        browser.act(action)
        if holds(condition, browser):
            return f"the plan itself does what is forbidden: {condition.kind} {condition.field}"
    return ""


_GOALS: Mapping[str, Callable[[Visit, Visit], Iterator[str]]] = {
    "more_steps": _more_steps,
    "distractors": _crowded,
    "layout": _unmoved,
    "missing_information": _withheld,
    "policy": _forbids,
}

CHECKS = (exact("refined", "A refined task or site does what its goal says.", "item", _refined, forms=WHOLE + STEP),)
