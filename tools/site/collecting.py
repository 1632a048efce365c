"""Reading the rows of a list as a visitor does: narrow it down, turn its pages, open what is not shown."""

import json
import re
from collections.abc import Iterator
from typing import Any

from agentinstruct.tools.quotes import fold
from agentinstruct.tools.site.answers import QueryError, matches, result
from agentinstruct.tools.site.browser import Action
from agentinstruct.tools.site.reading import click, element, heading, row_lines, row_page
from agentinstruct.tools.site.spec import Query
from agentinstruct.tools.site.view import Element, View


class Collecting:
    """Answers a question about the rows of a list, seeing only what is shown."""

    def __init__(self, query: Query, label: str) -> None:
        self._query = query
        self._label = label
        self._rows: dict[str, dict[str, Any]] = {}
        self._searched = False

    def next(self, view: View) -> Action | None:
        """The next action on a list or one of its rows; None when what was found answers nothing."""
        if row := heading(view):
            self._rows[row] = {**self._rows.get(row, {}), **self._named(row_page(view))}
            return Action(do="back")
        for link, cells in row_lines(view):
            held = self._rows.setdefault(fold(link.name), {self._label: link.name})
            held |= self._named(cells)
        if narrowing := self._narrowed(view):
            return narrowing
        if view.below:
            return Action(do="scroll", text="down")
        opening = self._unread(view)
        if opening:
            return click(opening)
        more = element(view, "Next", "link")
        return click(more) if more else self._said()

    def _named(self, cells: dict[str, str]) -> dict[str, Any]:
        """Cells under their columns' own names."""
        return {name.replace(" ", "_"): _read(value) for name, value in cells.items()}

    def _narrowed(self, view: View) -> Action | None:
        for where in [one for one in self._query.where if one.match == "equals"]:
            box = element(view, where.field.replace("_", " "), "combobox")
            option = next((o for o in box.options if fold(o) == fold(str(where.value))), None) if box else None
            if box and option and box.value != option:
                self._rows.clear()
                return Action(do="select", element=box.number, text=option)
        return None if self._searched else self._search(view)

    def _search(self, view: View) -> Action | None:
        wheres = [one for one in self._query.where if one.match == "contains"]
        box, button = element(view, "Search", "textbox"), element(view, "Search", "button")
        if not wheres or not box or not button:
            return None
        if box.value != str(wheres[0].value):
            return Action(do="type", element=box.number, text=str(wheres[0].value))
        self._searched = True
        self._rows.clear()
        return click(button)

    def _unread(self, view: View) -> Element | None:
        """A row in sight that may count and whose needed columns have not been seen."""
        for link, _ in row_lines(view):
            row = self._rows[fold(link.name)]
            if set(self._needed()) - set(row) and self._may_count(row):
                return link
        return None

    def _needed(self) -> Iterator[str]:
        if self._query.give != "count":
            yield from self._query.fields
        if self._query.best:
            yield self._query.by
        yield from (where.field for where in self._query.where)

    def _may_count(self, row: dict[str, Any]) -> bool:
        return all(where.field not in row or matches(where, row) for where in self._query.where)

    def _said(self) -> Action | None:
        try:
            found = result(self._query, self._rows.values())
        except QueryError:
            return None
        return Action(do="answer", text=as_answer(found))


def _read(value: str) -> Any:
    """A cell as JSON would hold it."""
    if value == "–":
        return None
    if re.fullmatch(r"-?(?:0|[1-9]\d{0,14})", value, re.ASCII):
        return int(value)
    return float(value) if re.fullmatch(r"-?\d{1,12}\.\d{1,6}", value, re.ASCII) else value


def as_answer(found: Any) -> str:
    """A result as an answer says it."""
    if isinstance(found, list) and found and isinstance(found[0], dict):
        return json.dumps(found, ensure_ascii=False)
    return ", ".join(map(str, found)) if isinstance(found, list) else str(found)
