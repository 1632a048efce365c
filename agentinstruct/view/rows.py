"""A record or a drop as lists show it, and what is read for that from the outcome of a work item."""

from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import Any, NamedTuple
from unicodedata import normalize

from agentinstruct.tools.prices import Price, price_of

SHOWN = 240
"""Characters of a row's first user turn that lists show."""
KINDS = ("state", "skill", "category", "transform", "goal", "depth", "reason")
"""What rows are counted by."""
PriceOf = Callable[[str], Price | None]


class Kinds(NamedTuple):
    """What a row is filtered and counted by; a run has few different ones."""

    state: str
    """accepted; failed, a record kept with a check that failed; or dropped."""
    skill: str
    category: str
    transform: str
    goal: str
    depth: int
    reason: str
    """What it failed by: a check, or `stage: reason`."""


class Row(NamedTuple):
    """A record or a drop as lists show it."""

    n: int
    cell: int
    """The number of its kinds."""
    segment: int
    offset: int
    length: int
    place: int
    """Which of its item's records it is; below zero, which of the drops: -1 is the first."""
    id: str
    parent: str
    source: str
    cost: float
    tokens: int
    head: str
    state: str
    skill: str
    category: str
    transform: str
    goal: str
    depth: int
    reason: str


class Read(NamedTuple):
    """A row as it is put into the index: its kinds, its own, and the words that are looked for in it."""

    kinds: Kinds
    place: int
    id: str
    parent: str
    source: str
    cost: float
    tokens: int
    head: str
    words: str


def rows_of(value: Mapping[str, Any], price: PriceOf) -> Iterator[Read]:
    """The rows of a work item's outcome: its records, then its drops."""
    for place, one in enumerate(value["records"]):
        yield _read(one, value["item"], place, price)
    for place, one in enumerate(value["dropped"]):
        yield _read(one, value["item"], -1 - place, price)


def prices_in(table: Mapping[str, Price]) -> PriceOf:
    """The price of a model, looked up once."""
    return lru_cache(maxsize=1000)(lambda model: price_of(model, table))


def _read(one: Mapping[str, Any], item: str, place: int, price: PriceOf) -> Read:
    tokens, cost = _spent(one, price)
    # A drop that never became a draft gets its id from its place.
    name = one.get("id") or one.get("draft_id") or f"{item}{place}"
    said = [turn["content"] for turn in one.get("messages", ())]
    words = normalize(
        "NFC", "\n".join([*said, one.get("key", ""), one.get("detail", ""), one["source"], one["category"]])
    )
    head = " ".join(_head(one)[: 4 * SHOWN].split())[:SHOWN]
    return Read(_kinds(one), place, name, one["parent"], one["source"], cost, tokens, head, words)


def _spent(one: Mapping[str, Any], price: PriceOf) -> tuple[int, float]:
    """Tokens and USD of a row's calls, each call once."""
    tokens, cost = 0, 0.0
    for call in {call["key"]: call for call in one.get("calls", ())}.values():
        read, written = call["input_tokens"], call["output_tokens"]
        tokens += read + written
        if known := price(call["model"]):
            cost += known.of(read, call["cached_tokens"], written)
    return tokens, cost


def _kinds(one: Mapping[str, Any]) -> Kinds:
    at = one["skill"], one["category"], one["transform"]
    if "messages" not in one:
        stage, _, goal = one["stage"].partition("/")
        return Kinds("dropped", *at, goal, int(bool(one["parent"])), f"{stage}: {one['reason']}")
    failed = next((verdict["check"] for verdict in one["verdicts"] if not verdict["passed"]), "")
    return Kinds("accepted" if one["accepted"] else "failed", *at, one["goal"], one["depth"], failed)


def _head(one: Mapping[str, Any]) -> str:
    spoken = (turn["content"] for turn in one.get("messages", ()) if turn["role"] == "user")
    return next(spoken, "") or one.get("detail", "")
