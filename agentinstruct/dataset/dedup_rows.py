"""What the index holds of a row: hashes of its text, id and key, its rank, and sketches of what is compared."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

import numpy

from agentinstruct.agents.records import content_number
from agentinstruct.dataset.dedup_index import Block, DedupIndex, Sketches
from agentinstruct.dataset.rows import Parts, parts
from agentinstruct.dataset.shingles import U64, Array, Tokens, alike, bands, hashed, roles, second, shingle, sketches
from agentinstruct.tools.quotes import fold

On = Literal["record", "prompt", "response"]

_CONTEXT, _SAID = 64, 128
"""Smallest hashes that are kept of a context and of a response."""
_RESPONSE = 0.5
_LONGEST_KEY = 64
_HEX = re.compile(r"[0-9a-fA-F]{,14}")


class Known:
    """The records that the index has from earlier sittings over the same dataset: none is a duplicate of itself."""

    def __init__(self, index: DedupIndex, source: int) -> None:
        own = index.of_source(source)
        both = (index.column("exact") ^ index.column("name"))[own] if len(own) else own.astype(U64)
        order = numpy.argsort(both, kind="stable")
        self._numbers, self._both = own[order], both[order]
        self._used = bytearray(len(both))

    def numbers(self, exact: Array, name: Array) -> Array:
        """The number of each record that is known, -1 for the others; each number is given once."""
        both = exact ^ name
        at = numpy.searchsorted(self._both, both)
        out = numpy.full(len(both), -1)
        for one in numpy.flatnonzero(numpy.isin(both, self._both)).tolist():
            place = int(at[one])
            while place < len(self._used) and self._used[place] and self._both[place] == both[one]:
                place += 1
            if place < len(self._used) and self._both[place] == both[one]:
                self._used[place] = 1
                out[one] = self._numbers[place]
        return out


def similarity(one: Sketches, other: Sketches, on: On) -> float:
    """Of two texts, 0 where their responses are too far apart."""
    if on == "record" and alike(one.response, other.response, _SAID) < _RESPONSE:
        return 0.0
    return alike(one.text, other.text)


def same_context(one: Sketches, other: Sketches, least: float) -> bool:
    """Whether the contexts of two records overlap by so much."""
    return one.context == other.context or alike(one.context, other.context, _CONTEXT) >= least


def block(rows: Sequence[Mapping[str, Any]], on: On) -> Block:
    """The rows as the index takes them."""
    told = [_parts(row, on) for row in rows]
    keys, kept = sketched(
        hashed([text for one in told for text in (one.prompt, one.response)]), hashed([one.context for one in told])
    )
    ids = [str(row.get("id", "")) for row in rows]
    return Block(ids, _columns(rows, told, ids), keys, kept)


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
