"""What is looked for among a run's rows: filters by kind, words, an order; and how many there are of everything."""

import re
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from agentinstruct.view.index import KINDS, Row, ViewIndex

PAGE = 50
MOST_COUNTED = 10_000
"""Found rows are counted up to here."""
ORDERS = {"": "r.n", "new": "r.n DESC", "cost": "r.cost DESC, r.n", "depth": "r.depth DESC, r.n"}
_WORD = re.compile(r"[^\W_]+")


@dataclass(frozen=True, slots=True)
class Query:
    """One search."""

    words: str = ""
    kinds: Mapping[str, str] = field(default_factory=dict)
    label: str = ""
    """accept, reject, note: only rows labelled so; any, none."""
    order: str = ""
    page: int = 0

    @classmethod
    def of(cls, given: Mapping[str, str]) -> "Query":
        """The search in an address; what it does not know it leaves out."""
        kinds = {kind: given[kind] for kind in KINDS if given.get(kind)}
        order = given.get("order", "")
        page = given.get("page", "")
        return cls(
            given.get("q", "")[:500],
            kinds,
            given.get("label", ""),
            order if order in ORDERS else "",
            min(int(page), 10**6) if page.isascii() and page.isdigit() and len(page) < 8 else 0,
        )

    def address(self, **changes: Any) -> str:
        """The address of this search with changes; a filter set to nothing is taken out."""
        kinds = {**self.kinds, **{key: value for key, value in changes.items() if key in KINDS}}
        own = {"q": self.words, "label": self.label, "order": self.order, "page": 0}
        own |= {key: value for key, value in changes.items() if key not in KINDS}
        return "?" + urlencode({key: value for key, value in {**kinds, **own}.items() if value})


@dataclass(frozen=True, slots=True)
class Found:
    """A page of rows."""

    rows: list[Row]
    count: int
    """How many there are in all; `MOST_COUNTED` + 1 for more than that."""
    more: bool


def find(index: ViewIndex, query: Query) -> Found:
    """A page of what is looked for; nothing where the words are none that a full-text index can hold."""
    try:
        return _found(index, query)
    except sqlite3.OperationalError:
        return Found([], 0, more=False)


def _found(index: ViewIndex, query: Query) -> Found:
    tables, where, values = _parts(query)
    order, connection = ORDERS[query.order], index.connection
    rows = connection.execute(
        f"SELECT r.* FROM {tables} WHERE {where} ORDER BY {order} LIMIT ? OFFSET ?",  # noqa: S608 - of fixed parts
        (*values, PAGE + 1, query.page * PAGE),
    )
    found = [Row(*row) for row in rows]
    return Found(found[:PAGE], _count(index, query, tables, where, values), len(found) > PAGE)


def around(index: ViewIndex, query: Query, n: int) -> tuple[int, int]:
    """The numbers of the rows before and after a row, among those looked for in their own order; 0 for none."""
    tables, where, values = _parts(query)
    ask = f"SELECT r.n FROM {tables} WHERE {where} AND r.n "  # noqa: S608 - of fixed parts
    before = index.connection.execute(f"{ask} < ? ORDER BY r.n DESC LIMIT 1", (*values, n)).fetchone()
    after = index.connection.execute(f"{ask} > ? ORDER BY r.n LIMIT 1", (*values, n)).fetchone()
    return (before[0] if before else 0, after[0] if after else 0)


def _parts(query: Query) -> tuple[str, str, list[Any]]:
    """Tables, condition and values. Names come from our own lists; what is looked for is only ever a value."""
    tables, where, values = "rows AS r", ["1"], list[Any]()
    if words := _WORD.findall(query.words):
        tables = "words CROSS JOIN rows AS r ON r.n = words.rowid"
        quoted = " ".join(f'"{word}"' for word in words)  # the last one may still be being typed
        where, values = ["words MATCH ?"], [f"{quoted}*"]
    for kind, value in query.kinds.items():
        where.append(f"r.{kind} = ?")
        values.append(value)
    if query.label == "none":
        where.append("NOT EXISTS (SELECT 1 FROM labels.labels AS l WHERE l.id = r.id)")
    elif query.label:
        where.append("EXISTS (SELECT 1 FROM labels.labels AS l WHERE l.id = r.id AND (? = 'any' OR l.label = ?))")
        values += [query.label, query.label]
    return tables, " AND ".join(where), values


def _count(index: ViewIndex, query: Query, tables: str, where: str, values: list[Any]) -> int:
    if not _WORD.search(query.words) and not query.label:
        return sum(_sums(index, query.kinds, "state").values())
    if not query.kinds and not query.label:
        tables = "words"
    counted = f"SELECT count(*) FROM (SELECT 1 FROM {tables} WHERE {where} LIMIT ?)"  # noqa: S608 - of fixed parts
    return int(index.connection.execute(counted, (*values, MOST_COUNTED + 1)).fetchone()[0])


def facet(index: ViewIndex, kinds: Mapping[str, str], kind: str) -> dict[str, int]:
    """How many rows there are of each value of one kind, under the filters of all other kinds; most first."""
    return _sums(index, {name: value for name, value in kinds.items() if name != kind}, kind)


def _sums(index: ViewIndex, kinds: Mapping[str, str], kind: str) -> dict[str, int]:
    where = " AND ".join(["1", *(f"{name} = ?" for name in kinds)])
    ask = f"SELECT {kind}, sum(count) FROM cube WHERE {where} GROUP BY 1 ORDER BY 2 DESC, 1"  # noqa: S608 - fixed names
    return {str(value): count for value, count in index.connection.execute(ask, [*kinds.values()])}
