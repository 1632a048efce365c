"""The exact checks on a web task before anybody tries it: it is of its type, and a plan for it was carried out.

reachable   the plan reaches the goal; where the task is to be impossible, the site itself rules it out
of_type     the task wants what its category is about
told        the message gives every value that is needed, and none that is withheld
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from agentinstruct.agents.checks.check import Bench, exact
from agentinstruct.agents.checks.site import STEP, WHOLE, hindrances, impossible, obstacles
from agentinstruct.agents.forms.form import Fault
from agentinstruct.agents.forms.web import WebTask
from agentinstruct.agents.grounding import grounded, mentions
from agentinstruct.agents.records import Draft
from agentinstruct.agents.visits import MOST, Visit, key_text, task_of
from agentinstruct.tools.quotes import fold
from agentinstruct.tools.site import Condition, Wanted
from agentinstruct.tools.site.answers import matches
from agentinstruct.tools.site.reading import title_of
from agentinstruct.tools.site.values import same

FORMS = WHOLE + STEP


def kinds(wanted: Wanted) -> set[str]:
    """What a goal is made of: kinds of conditions, and what is asked."""
    found: set[str] = {condition.kind for condition in wanted.conditions}
    if wanted.fact:
        found.add("fact")
    if wanted.query:
        found |= {
            wanted.query.give,
            *(["best"] if wanted.query.best else []),
            *(["where"] if wanted.query.where else []),
        }
    return found


def _reachable(draft: Draft, bench: Bench) -> Iterator[Fault]:
    visit: Visit = bench.world
    run, why = visit.plan, hindrances(visit)
    if not kinds(visit.task.wanted):
        yield "reachable", "the task wants nothing"
    elif impossible(bench):
        if not why:
            yield "reachable", "the task is to be impossible, and nothing on the site rules it out"
        elif run.reached:
            yield "reachable", "the task is to be impossible, and a plan reaches its goal"
    elif why:
        yield "reachable", f"the site rules it out: {why[0]}"
    elif not run.reached:
        last = run.taken[-1].said() if run.taken else "nothing"
        yield "reachable", f"no plan reaches the goal: {run.missing[0]} (the last step was {last})"
    elif len(run.actions) > MOST - 2:
        yield "reachable", f"the plan takes {len(run.actions)} steps"


def _of_type(draft: Draft, bench: Bench) -> Iterator[Fault]:
    visit: Visit = bench.world
    settings = bench.category.settings
    for setting, rule in _RULES.items():
        if setting in settings:
            yield from (("of_type", fault) for fault in rule(visit, settings[setting]))
    asks = bool(settings.get("asks")) or draft.goal == "missing_information"
    inherited = bench.parent is not None and bool(task_of(bench.parent).withheld)
    if bool(visit.task.withheld) is not asks and not inherited:
        yield "of_type", f"the task must {'leave something out' if asks else 'leave nothing out'}"


def _wants(visit: Visit, wanted: Any) -> Iterator[str]:
    if not kinds(visit.task.wanted) & set(wanted):
        yield f"the task wants {sorted(kinds(visit.task.wanted))}, and none of {wanted}"


def _all_of(visit: Visit, wanted: Any) -> Iterator[str]:
    if lacking := set(wanted) - kinds(visit.task.wanted):
        yield f"the task does not want {sorted(lacking)}"


def _rows(visit: Visit, least: Any) -> Iterator[str]:
    query = visit.task.wanted.query
    table = visit.plan.browser.loaded.tables.get(query.collection) if query else None
    about = [row for row in table.rows if all(matches(w, row) for w in query.where)] if query and table else []
    if len(about) < int(least):
        yield f"the question is about {len(about)} rows, not {least} or more"


def _pages(visit: Visit, least: Any) -> Iterator[str]:
    seen = {fold(title_of(taken.view)) for taken in visit.plan.taken}
    if len(seen) < int(least):
        yield f"the plan sees {len(seen)} pages, not {least} or more"


def _steps(visit: Visit, least: Any) -> Iterator[str]:
    if len(visit.plan.actions) < int(least):
        yield f"the plan takes {len(visit.plan.actions)} steps, not {least} or more"


def _meets(visit: Visit, wanted: Any) -> Iterator[str]:
    if not obstacles(visit) & set(wanted):
        yield f"the plan meets {sorted(obstacles(visit))}, and none of {wanted}"


def _narrows(visit: Visit, wanted: Any) -> Iterator[str]:
    for taken in visit.plan.taken:
        one = next((e for e in taken.view.elements() if e.number == taken.action.element), None)
        if one and (one.name == "Search" or one.key.startswith("filter:")):
            return
    yield "the plan neither searches nor filters"


def _fields(visit: Visit, least: Any) -> Iterator[str]:
    given = [one for one in visit.task.wanted.conditions if one.kind in ("entry", "setting") and one.field]
    if len(given) < int(least):
        yield f"the task gives {len(given)} fields, not {least} or more"


_RULES: Mapping[str, Callable[[Visit, Any], Iterator[str]]] = {
    "wants": _wants,
    "all_of": _all_of,
    "rows": _rows,
    "pages": _pages,
    "steps": _steps,
    "meets": _meets,
    "narrows": _narrows,
    "fields": _fields,
}


def _told(draft: Draft, bench: Bench) -> Iterator[Fault]:
    visit: Visit = bench.world
    task = visit.task
    for label, value in _needed(visit):
        if not _says(task, label, value):
            yield "told", f"the message does not give {label} = {value!r}"
    secret = {fold(label) for label in task.secrets}
    fields = {fold(one.field) for one in task.wanted.conditions} | {"user name", "password"}
    for label, value in task.secrets.items():
        if fold(label) not in fields:
            yield "told", f"withheld {label!r} is no field that the task needs"
        if grounded(value, None, [task.task]):
            yield "told", f"withheld {label} = {value!r} stands in the message"
    if secret & {fold(label) for label in task.facts}:
        yield "told", "something is both given and withheld"


def _says(task: WebTask, label: str, value: str) -> bool:
    if same(value, "yes") or same(value, "no"):
        return mentions(task.task, label)
    return grounded(value, None, [task.task])


def _needed(visit: Visit) -> Iterator[tuple[str, str]]:
    """What the message has to give, by label: all that no page shows and that is not withheld."""
    task, loaded = visit.task, visit.plan.browser.loaded
    secret, answer = {fold(label) for label in task.secrets}, key_text(visit.draft)
    for one in task.wanted.conditions:
        if one.kind in ("entry", "setting") and one.field and fold(one.field) not in secret:
            yield one.field, one.value
        if one.kind in ("cart", "at") and one.field and not same(one.field, answer) and not _keyed(one, loaded.tables):
            yield "the entry", one.field
    yield from task.facts.items()
    for where in task.wanted.query.where if task.wanted.query else ():
        yield where.field, str(where.value)


def _keyed(condition: Condition, tables: Mapping[str, Any]) -> bool:
    """Whether a row is named by its key, which the message may put as its title."""
    return any(
        (row := table.find(condition.field)) is not None and fold(str(row[table.key])) == fold(condition.field)
        for table in tables.values()
    )


CHECKS = (
    exact(
        "reachable",
        "A plan reaches the goal; or the site rules an impossible task out.",
        "item",
        _reachable,
        forms=FORMS,
    ),
    exact("of_type", "The task is of its type.", "item", _of_type, forms=FORMS),
    exact("told", "The message gives each value needed and none withheld.", "item", _told, forms=FORMS),
)
