"""The rows of a list: which of them a search and filters leave, which screen is shown, and how their cells read."""

from collections.abc import Sequence
from typing import Any

from agentinstruct.tools.quotes import fold
from agentinstruct.tools.site.load import Row, Table
from agentinstruct.tools.site.spec import SitePage
from agentinstruct.tools.site.state import Place, address


def matching(table: Table, page: SitePage, at: Place) -> Sequence[Row]:
    """The rows that a list's search and filters leave."""
    words, narrowed = fold(at.asked("search")).split(), [(c, at.asked(c)) for c in page.filters if at.asked(c)]
    return [
        row
        for row in table.rows
        if all(word in fold(" ".join(map(str, row.values()))) for word in words)
        and all(str(row[column]) == value for column, value in narrowed)
    ]


def screen(at: Place) -> int:
    """Which part of a long list is shown, from 1."""
    asked = at.asked("screen")
    return int(asked) if asked.isascii() and asked.isdigit() and 0 < int(asked[:4]) < 1000 else 1


def turned(page: SitePage, at: Place, number: int, **changed: str) -> str:
    """The address of another part of a list, or of the list searched or filtered otherwise."""
    query = {**dict(at.query), "screen": str(number) if number > 1 else "", **changed}
    return address(page, **query)


def cells(table: Table, page: SitePage, row: Row) -> str:
    """What stands beside a row's link."""
    beside = [(column, row[column]) for column in page.columns if column != table.label]
    return "".join(f" | {spaced(column)}: {shown(value)}" for column, value in beside)


def spaced(name: str) -> str:
    """A column's name as pages show it."""
    return name.replace("_", " ")


def shown(value: Any) -> str:
    """A cell as pages show it."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return "–" if value is None else str(value)
