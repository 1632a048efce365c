"""Checks of items about data: the data holds what an item needs, and a refinement did what its goal says."""

from collections.abc import Iterator
from statistics import median

from agentinstruct.agents.checks.check import Bench, exact
from agentinstruct.agents.forms import read_form
from agentinstruct.agents.forms.data import Verbal, data_in
from agentinstruct.agents.forms.form import Fault
from agentinstruct.agents.forms.lookup import Lookup
from agentinstruct.agents.records import Draft
from agentinstruct.tools.quotes import fold
from agentinstruct.tools.tables import Data, Table

_OUTLYING = 3.5


def _data_fit(draft: Draft, bench: Bench) -> Iterator[Fault]:
    """What a category needs of its data and its item."""
    data, settings = data_in(draft.passage), bench.category.settings
    if data is None:
        yield "data_fit", "the passage holds no data that can be read"
        return
    form = read_form(draft.item)
    if settings.get("gaps") and not any(True for table in data.tables for _ in table.gaps):
        yield "data_fit", "the data has no missing value to speak of"
    if settings.get("cover") == "outlier" and not outliers(data):
        yield "data_fit", "no value of the data stands out"
    if isinstance(form, Verbal):
        if len(form.names) < int(str(settings.get("least_names", 0))):
            yield "data_fit", f"the instruction names {len(form.names)} things of the data to mention"
        least = int(str(settings.get("least_demands", 0)))
        if len(form.demands) < least:
            yield "data_fit", f"{len(form.demands)} exact demands where the type asks for {least}"


def outliers(data: Data) -> list[str]:
    """The names of rows with a value far from its column's others, by the median absolute deviation."""
    found: dict[str, None] = {}
    for table in data.tables:
        for column in table.measured:
            values = table.numbers(column)
            if len(values) < 5:
                continue
            centre = median(values)
            spread = median(abs(value - centre) for value in values) * 1.4826 or abs(centre) * 0.02 or 1e-9
            for r, row in enumerate(table.rows):
                if isinstance(value := row[column], float) and abs(value - centre) > _OUTLYING * spread:
                    found[table.name(r)] = None
    return list(found)


def extremes(table: Table) -> Iterator[str]:
    """The names of the rows with the largest and the smallest value of some column."""
    for column in table.measured:
        values = [(value, r) for r, row in enumerate(table.rows) if isinstance(value := row[column], float)]
        if values:
            yield from (table.name(min(values)[1]), table.name(max(values)[1]))


def _goal_met(draft: Draft, bench: Bench) -> Iterator[Fault] | None:
    """Whether a refinement did to data or item what its goal says, as far as it can be computed."""
    if bench.parent is None or draft.goal not in _GOALS:
        return None
    return (("data_refined", fault) for fault in _GOALS[draft.goal](draft, bench.parent) if fault)


def _grew(draft: Draft, parent: Draft) -> Iterator[str]:
    now, before = data_in(draft.passage), data_in(parent.passage)
    if now is None or before is None:
        yield "the edited passage holds no data that can be read"
        return
    if _cells(now) <= _cells(before):
        yield f"the data has {_cells(now)} cells and had {_cells(before)}"
    lost = [name for name in _labels(before) if name not in _labels(now)]
    yield from (f"{name!r} is gone" for name in lost[:1])


def _dirtied(draft: Draft, parent: Draft) -> Iterator[str]:
    now, before = data_in(draft.passage), data_in(parent.passage)
    if now is None or before is None:
        yield "the edited passage holds no data that can be read"
    elif _gaps(now) <= _gaps(before):
        yield f"{_gaps(now)} values are missing, as {_gaps(before)} were before"


def _derived(draft: Draft, parent: Draft) -> Iterator[str]:
    form, old = read_form(draft.item), read_form(parent.item)
    if isinstance(form, Lookup) and isinstance(old, Lookup) and (form.steps < old.steps or form.query == old.query):
        yield "the question needs no more steps than before"
    if isinstance(form, Verbal) and isinstance(old, Verbal) and len(form.figures) <= len(old.figures):
        yield "no further figure has to be derived"


def _forbidden(draft: Draft, parent: Draft) -> Iterator[str]:
    form, old = read_form(draft.item), read_form(parent.item)
    if isinstance(form, Verbal) and isinstance(old, Verbal) and (old.no_causes or not form.no_causes):
        yield "the instruction does not newly forbid causes"


_GOALS = {"more_data": _grew, "dirty": _dirtied, "derived": _derived, "no_causes": _forbidden}


def _cells(data: Data) -> int:
    return sum(len(table.rows) * len(table.columns) for table in data.tables)


def _gaps(data: Data) -> int:
    return sum(1 for table in data.tables for _ in table.gaps)


def _labels(data: Data) -> set[str]:
    return {fold(name) for table in data.tables for name in table.names}


CHECKS = (
    exact("data_fit", "The data holds what an item of this type needs, and the item asks for it.", "item", _data_fit),
    exact("data_refined", "A refinement did to data and item what its goal says.", "item", _goal_met),
)
