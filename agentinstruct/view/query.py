"""What is looked for among a run's rows: filters by kind, words, an order; and how many there are of everything."""

import re
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from unicodedata import normalize
from urllib.parse import urlencode

import numpy

from agentinstruct.view.columns import Array, number_of
from agentinstruct.view.index import ViewIndex
from agentinstruct.view.rows import KINDS, Row

PAGE = 50

ORDERS = ("", "new", "cost", "depth")
NUMBERS = numpy.uint32
"""What rows are numbered by in memory."""
_WORD = re.compile(r"((?:[^\W_][\u0300-\u036f]*)+)(\*?)")
"""A word, with the accents that no letter has in itself: the index leaves them out."""


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


class Search:
    """Answers queries over an index; what was found last is remembered, so that its other pages come at once."""

    def __init__(self, index: ViewIndex) -> None:
        self._index = index
        self._said: dict[Any, Array] = {}
        self._found: dict[Any, tuple[Array, Array]] = {}

    def find(self, query: Query) -> "Found":
        """What is looked for, as far as the index is; nothing where no full-text index can hold the words."""
        key = query.words, tuple(query.kinds.items()), query.order, self._index.columns.rows
        if query.label:  # which may change meanwhile
            return Found(self._index, query, *self._look(query))
        if key not in self._found:
            self._found = {key: self._look(query)}
        return Found(self._index, query, *self._found[key])

    def _look(self, query: Query) -> tuple[Array, Array]:
        columns = self._index.columns
        said = self._with_words(query.words)
        if query.label:
            said = _among(said, self._labelled(query.label))
        rows = _among(said, columns.where(query.kinds)[columns["cell"]]) if query.kinds else said
        if rows is None:
            rows = numpy.arange(columns.rows, dtype=NUMBERS)
        return self._ordered(rows, query.order), columns.counted(said)

    def _with_words(self, text: str) -> Array | None:
        """The rows that hold the words; None for all. Where none does, the last word may be the beginning of one."""
        words = [f'"{word}"{star}' for word, star in _WORD.findall(normalize("NFC", text))]
        if not words:
            return None
        key = " ".join(words), self._index.columns.rows
        if key not in self._said:
            found = self._matching(*key)
            self._said = {key: found if len(found) else self._matching(f"{key[0].removesuffix('*')}*", key[1])}
        return self._said[key]

    def _matching(self, words: str, most: int) -> Array:
        # As one text, which numpy reads: a Python object for each of a million rows takes longer than the search.
        ask = "SELECT group_concat(rowid) FROM words WHERE words MATCH ? AND rowid <= ?"
        try:
            found = self._index.connection.execute(ask, (words, most)).fetchone()[0] or ""
        except sqlite3.OperationalError:
            found = ""
        return numpy.asarray(numpy.fromstring(found, NUMBERS, sep=",") - 1 if found else [], NUMBERS)

    def _labelled(self, label: str) -> Array:
        """For each row whether it is labelled so."""
        chosen = "label = ?" if label not in ("any", "none") else "? != ''"
        ids = self._index.connection.execute(f"SELECT id FROM labels.labels WHERE {chosen}", (label,))  # noqa: S608
        wanted = numpy.array([number_of(known) for (known,) in ids], numpy.uint64)
        own, low = self._index.columns["id"], numpy.uint64(0xFFFF)
        perhaps = numpy.zeros(1 << 16, bool)
        perhaps[wanted & low] = True  # so that hardly any row is looked for among the labels
        labelled: Array = perhaps[own & low]
        labelled[labelled] = numpy.isin(own[labelled], wanted)
        return labelled if label != "none" else ~labelled

    def _ordered(self, rows: Array, order: str) -> Array:
        columns = self._index.columns
        if order == "new":
            return rows[::-1]
        if order == "cost":
            return rows[numpy.argsort(-columns["cost"][rows], kind="stable")]
        if order == "depth":
            depths = numpy.array([kinds.depth for kinds in columns.cells], numpy.int16)
            return rows[numpy.argsort(-depths[columns["cell"][rows]], kind="stable")]
        return rows


def _among(rows: Array | None, wanted: Array) -> Array:
    """Those of the rows, or of all, that are wanted."""
    return numpy.flatnonzero(wanted).astype(NUMBERS) if rows is None else rows[wanted[rows]]


@dataclass(frozen=True, slots=True)
class Found:
    """What was found."""

    index: ViewIndex
    query: Query
    _rows: Array
    """In the order asked for."""
    _counts: Array
    """How many rows of each cell hold the words and have the label, whatever their kinds."""

    @property
    def count(self) -> int:
        """How many rows there are in all."""
        return len(self._rows)

    @property
    def more(self) -> bool:
        """Whether there is a page after this one."""
        return len(self._rows) > (self.query.page + 1) * PAGE

    @property
    def last(self) -> int:
        """The number of the last page."""
        return max(0, len(self._rows) - 1) // PAGE

    def page(self) -> list[Row]:
        """The rows of the page asked for."""
        begun = self.query.page * PAGE
        return self.index.rows((self._rows[begun : begun + PAGE] + 1).tolist())

    def facet(self, kind: str) -> dict[str, int]:
        """How many rows there are of each value of one kind, under all filters but its own; most first."""
        others = {name: value for name, value in self.query.kinds.items() if name != kind}
        return self.index.columns.by(kind, self._counts * self.index.columns.where(others))

    def around(self, n: int) -> tuple[int, int, int]:
        """The numbers of the rows before and after a row that was found, 0 for none; and the page that it is on."""
        at = numpy.flatnonzero(self._rows == n - 1)
        if not len(at):
            return 0, 0, 0
        near = self._rows[max(0, at[0] - 1) : at[0] + 2] + 1
        before = int(near[0]) if at[0] else 0
        return before, int(near[-1]) if at[0] + 1 < len(self._rows) else 0, int(at[0]) // PAGE
