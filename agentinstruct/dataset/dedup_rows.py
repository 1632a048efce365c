"""What the index holds of a row: hashes of its text, id and key, its rank, and sketches of what is compared."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import compress
from typing import Any, Literal

import numpy

from agentinstruct.agents.records import content_number
from agentinstruct.dataset.dedup_index import Block, DedupIndex, Sketches
from agentinstruct.dataset.rows import Parts, called, parts
from agentinstruct.dataset.shingles import (
    BANDS,
    U64,
    Array,
    Tokens,
    alike,
    bands,
    hashed,
    roles,
    second,
    shingle,
    sketches,
)
from agentinstruct.tools.quotes import fold

On = Literal["record", "prompt", "response"]

NOTHING: Array = numpy.empty(0, U64)
UNSKETCHED = Sketches(b"", b"", b"")
"""Of a record that the index has already; no other is without a number."""
_CONTEXT, _SAID = 64, 128
"""Smallest hashes that are kept of a context and of a response."""
_RESPONSE = 0.5
_LONGEST_KEY = 64
_HEX = re.compile(r"[0-9a-fA-F]{,14}")


class Known:
    """The records that the index has from earlier sittings over the same dataset: none is a duplicate of itself."""

    def __init__(self, index: DedupIndex, source: int) -> None:
        own = index.of_source(source)
        both = _both({name: index.column(name)[own] for name in ("exact", "name")}) if len(own) else own.astype(U64)
        order = numpy.argsort(both, kind="stable")
        self._index, self._numbers = index, own[order]
        self.both = both[order]
        """What each is known by, in order."""
        self._used = bytearray(len(both))

    def numbers(self, columns: dict[str, Array]) -> Array:
        """The number of each record that is known, -1 for the others; each number is given once."""
        both = _both(columns)
        at = numpy.searchsorted(self.both, both)
        out = numpy.full(len(both), -1)
        for one in numpy.flatnonzero(_among(both, self.both)).tolist():
            place = int(at[one])
            while place < len(self._used) and self._used[place] and self.both[place] == both[one]:
                place += 1
            if place < len(self._used) and self.both[place] == both[one]:
                self._used[place] = 1
                out[one] = self._numbers[place]
        return out

    def filled(self, held: Block) -> Block:
        """With the sketches of those that were known, but come once more than the index has them."""
        missing = [at for at, one in enumerate(held.sketches) if one == UNSKETCHED]
        if not missing:
            return held
        bands, sketched = held.bands.copy(), list(held.sketches)  # what came from elsewhere may be read-only
        for at, both in zip(missing, _both(held.columns)[missing], strict=True):
            number = int(self._numbers[numpy.searchsorted(self.both, both)])
            sketched[at], bands[:, at] = self._index.sketches(number), self._index.bands(number)
        return replace(held, bands=bands, sketches=sketched)


def _both(columns: dict[str, Array]) -> Array:
    """What a record is known again by."""
    return columns["exact"] ^ columns["name"]


def _among(numbers: Array, ordered: Array) -> Array:
    """Which of the numbers are among others, which are in order; `numpy.isin` would sort these again."""
    at = numpy.searchsorted(ordered, numbers)
    inside = at < len(ordered)
    inside[inside] = ordered[at[inside]] == numbers[inside]
    return inside


def similarity(one: Sketches, other: Sketches, on: On) -> float:
    """Of two texts, 0 where their responses are too far apart."""
    if on == "record" and alike(one.response, other.response, _SAID) < _RESPONSE:
        return 0.0
    return alike(one.text, other.text)


def same_context(one: Sketches, other: Sketches, least: float) -> bool:
    """Whether the contexts of two records overlap by so much."""
    return one.context == other.context or alike(one.context, other.context, _CONTEXT) >= least


def block(rows: Sequence[Mapping[str, Any]], on: On, known: Array = NOTHING) -> Block:
    """The rows as the index takes them, but without sketches where it knows them, by `Known.both`."""
    told = [_parts(row, on) for row in rows]
    ids = [str(row.get("id", "")) for row in rows]
    columns = _columns(rows, told, ids)
    new = ~_among(_both(columns), known)
    keys, kept = numpy.zeros((BANDS, len(rows)), U64), [UNSKETCHED] * len(rows)
    if new.any():
        fresh = list(compress(told, new))
        keys[:, new], made = sketched(
            hashed([text for one in fresh for text in (one.prompt, one.response)]),
            hashed([one.context for one in fresh]),
        )
        for at, one in zip(numpy.flatnonzero(new).tolist(), made, strict=True):
            kept[at] = one
    return Block([str(called(row)) for row in rows], columns, keys, kept)


def sketched(said: Tokens, shown: Tokens) -> tuple[Array, list[Sketches]]:
    """Bands and sketches of rows by their words: of each a prompt and a response, and its context."""
    sets, contexts = roles(shingle(said), 2), roles(shingle(shown), 1)
    kept = zip(sketches(sets), sketches(contexts, _CONTEXT), sketches(second(sets), _SAID), strict=True)
    return bands(sets), [Sketches(*one) for one in kept]


def _parts(row: Mapping[str, Any], on: On) -> Parts:
    """What of a row is compared."""
    whole = parts(row)
    chosen = {"record": whole, "prompt": whole._replace(response=""), "response": Parts("", "", whole.response)}
    return chosen[on]


def _columns(rows: Sequence[Mapping[str, Any]], told: Sequence[Parts], ids: Sequence[str]) -> dict[str, Array]:
    """Hashes and rank of each."""
    columns: dict[str, Iterable[int]] = {
        "exact": (_hash(*one) for one in told),
        "name": map(_hash, ids),
        "key": map(_key, rows),
        "rank": map(_rank, rows, ids),
    }
    return {name: numpy.fromiter(column, U64, len(ids)) for name, column in columns.items()}


def _hash(*texts: str) -> int:
    return content_number("\0".join(map(fold, texts)))


def _key(row: Mapping[str, Any]) -> int:
    key = fold(str(row.get("key") or ""))
    return _hash(key) if key and len(key) <= _LONGEST_KEY else 0


def _rank(row: Mapping[str, Any], name: str) -> int:
    """What orders the records of one dataset: lower is kept."""
    begin = name[:14]
    first = int(begin.ljust(14, "0"), 16) if _HEX.fullmatch(begin) else _hash(name) >> 8
    return (not row.get("accepted", True)) << 63 | _depth(row.get("depth")) << 56 | first


def _depth(value: Any) -> int:
    """As our records have it; other datasets may mean anything by the word."""
    try:
        return min(max(int(value or 0), 0), 0x7F)
    except (TypeError, ValueError, OverflowError):
        return 0
