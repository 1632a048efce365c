"""Puzzles worked out by a procedure, in words: sentences with typed slots, which render numbers and read them back."""

import re
from collections.abc import Callable, Mapping
from inspect import signature
from typing import Any

from agentinstruct.tools.puzzles.procedures import PROCEDURES

Slots = dict[str, Any]

WORDINGS: Mapping[str, tuple[str, ...]] = {
    "pouring": (
        "{who:name} has jugs that hold {sizes:numbers} litres, without any marks.",
        "At the start they hold {full:numbers} litres, in the same order.",
        "There is no other water, and every pouring goes on until one jug is empty or the other full.",
        "In how few pourings can one of the jugs be brought to hold exactly {target:number} litres?",
    ),
    "weighing": (
        "{who:name} has {count:number} pieces that look alike; exactly one of them is heavier than the rest.",
        "The balance has two pans, and each of them bears at most {pan:number} pieces.",
        "How many weighings are enough to find the heavy piece, whatever happens, and no fewer?",
    ),
    "ferry": (
        "{who:name} has to take all of these across the water: {things:names}.",
        "Besides {who:name}, the boat carries at most {room:number} of them at a time.",
        "On no bank may these be left alone: {clashes:pairs}.",
        "In how few crossings, there and back all counted, can everything be brought over?",
    ),
    "torch": (
        "{names:names} have to cross a narrow bridge at night, two at most at a time, with one torch between them.",
        "Whoever crosses needs the torch, and two together go as slowly as the slower.",
        "Alone they need {times:numbers} minutes, in the same order.",
        "In how few minutes can they all be across?",
    ),
    "sequence": (
        "{who:name} found this row of numbers on a door: {terms:numbers}.",
        "Each number follows from those before it, or from its place, by one simple rule.",
        "Which number comes next?",
    ),
    "cipher": (
        "{who:name} and a friend write in a cipher of their own, by one rule for all words.",
        "In it, the first of these words is written as the second: {shown:words}.",
        "What does {hidden:word} say?",
    ),
    "anagram": (
        "{who:name} cut a word into letters and laid them out as {letters:word}.",
        "It was one of these words, and every letter was used once: {words:words}.",
        "Which word was it?",
    ),
    "snail": (
        "A snail climbs a wall of {height:number} feet, watched by {who:name}.",
        "Every day it climbs {up:number} feet, and every night it slips back {down:number} feet.",
        "On which day does it reach the top?",
    ),
    "cuts": (
        "{who:name} saws a long beam into {pieces:number} pieces, always one cut through one piece.",
        "Each cut takes {minutes:number} minutes.",
        "How many minutes does all the sawing take?",
    ),
    "posts": (
        "{who:name} puts up a fence {closed:shape} of {length:number} metres.",
        "There is a post every {gap:number} metres.",
        "How many posts are needed?",
    ),
    "strokes": (
        "To strike {hour:number}, {who:name}'s clock needs {seconds:number} seconds from the first stroke to the last.",
        "The gaps between strokes are all alike, and a stroke itself takes no time.",
        "How many seconds does it need to strike {later:number}?",
    ),
    "heads": (
        "{who:name} keeps creatures with {few:number} legs and creatures with {many:number} legs, and no others.",
        "Together they have {animals:number} heads and {legs:number} legs.",
        "How many have {many:number} legs?",
    ),
    "remain": (
        "{who:name} had {start:number} geese, and all but {but:number} ran away.",
        "Then {added:number} came back.",
        "How many has {who:name} now?",
    ),
    "walk": (
        "{who:name} sets out, facing {facing:word}.",
        "The walk goes like this: {steps:steps}.",
        "How many paces to the north, south, east or west of the start is {who:name} now?",
    ),
    "doors": (
        "Behind one of {count:number} doors stands a prize, each being as likely.",
        "{who:name} picks a door. The host, who knows where the prize is, opens {opened:number} others, always empty.",
        "{who:name} then changes to one of the doors that are still closed and not picked, at random.",
        "What is the chance to win the prize, as a fraction?",
    ),
    "boxes": (
        "{who:name} has closed boxes with these coins, gold as 1 and silver as 0: {contents:lists}.",
        "A box is taken at random, each being as likely, and from it a coin at random. The coin is gold.",
        "What is the chance that all the other coins of that box are gold, as a fraction?",
    ),
    "at_least": (
        "{who:name} throws {coins:number} fair coins where nobody can see them.",
        "A truthful friend looks at all of them and says that at least {known:number} of them show heads.",
        "What is the chance that at least {wanted:number} of them show heads, as a fraction?",
    ),
    "pairs": (
        "In a dark drawer {who:name} has {red:number} red socks and {blue:number} blue socks.",
        "Two are taken out without looking.",
        "What is the chance that they have the same colour, as a fraction?",
    ),
    "tested": (
        "Of the {total:number} lamps that {who:name} tests, {sick:number} are faulty.",
        "The test flags {caught:number} of 100 faulty lamps, and {alarm:number} of 100 sound ones.",
        "A lamp is taken at random and is flagged. What is the chance that it is faulty, as a fraction?",
    ),
}
"""The last sentence, or what follows the last full stop in it, is the question."""

_SHAPES = {"in a closed ring": True, "in a straight line": False}


def _list(text: str) -> list[str]:
    return text.split(", ")


def _steps(text: str) -> list[list[str]]:
    return [[turn, paces] for turn, paces in re.findall(r"(on|right|left|back) (\d+)", text)]


LONGEST = 2500
"""Characters of the longest text that can be the wording of a puzzle."""
_SORTS: Mapping[str, tuple[str, Callable[[Any], str], Callable[[str], Any]]] = {
    "number": (r"\d+", str, int),
    "numbers": (r"-?\d+(?:, -?\d+)*", lambda v: ", ".join(map(str, v)), lambda text: [int(n) for n in _list(text)]),
    "name": (r"[^.;:]+?", str, str),
    "word": (r"[^\s.,;:?]+", str, str),
    "names": (r"[^.;:]+?", ", ".join, _list),
    "words": (r"[^.;:]+?", ", ".join, _list),
    "pairs": (r"[^.:]+?", lambda v: "; ".join(" with ".join(pair) for pair in v), lambda text: _pairs(text)),
    "steps": (r"[^.:]+?", lambda v: ", ".join(f"{turn} {paces}" for turn, paces in v), _steps),
    "lists": (r"[\d, ;]+", lambda v: "; ".join(", ".join(map(str, one)) for one in v), lambda text: _lists(text)),
    "shape": ("|".join(_SHAPES), lambda v: {closed: way for way, closed in _SHAPES.items()}[v], _SHAPES.__getitem__),
}


def _pairs(text: str) -> list[list[str]]:
    return [pair.split(" with ") for pair in text.split("; ")]


def _lists(text: str) -> list[list[int]]:
    return [[int(n) for n in one.split(", ")] for one in text.split("; ")]


def worded(name: str, slots: Slots) -> tuple[str, ...]:
    """The sentences of a puzzle, with its numbers and words."""
    return tuple(
        re.sub(r"\{(\w+):(\w+)\}", lambda m: _SORTS[m[2]][1](slots[m[1]]), sentence) for sentence in WORDINGS[name]
    )


def used(name: str) -> list[str]:
    """The slots that the sentences of a puzzle have."""
    return list(dict.fromkeys(re.findall(r"\{(\w+):", " ".join(WORDINGS[name]))))


def read(text: str) -> tuple[str, Slots] | None:
    """Which puzzle a text words, and its numbers and words; None for a text that is none of these."""
    flat = " ".join(text.split())
    if len(flat) > LONGEST:  # no wording is so long, and matching takes more than linear time
        return None
    for name, sentences in WORDINGS.items():
        if found := re.search(_pattern(" ".join(sentences)), flat):
            return name, {key: _SORTS[_sort(name, key)][2](value) for key, value in found.groupdict().items()}
    return None


def arguments(name: str, slots: Slots) -> Slots:
    """The slots that the procedure takes; the others are ornament."""
    return {key: slots[key] for key in signature(PROCEDURES[name]).parameters}


def solved(name: str, slots: Slots) -> str:
    """The one answer."""
    return PROCEDURES[name](**arguments(name, slots))


def _sort(name: str, key: str) -> str:
    found = re.search(rf"\{{{key}:(\w+)\}}", " ".join(WORDINGS[name]))
    assert found
    return found[1]


def _pattern(wording: str) -> str:
    seen: set[str] = set()

    def slot(key: str, sort: str) -> str:
        if key in seen:
            return f"(?P={key})"
        seen.add(key)
        return f"(?P<{key}>{_SORTS[sort][0]})"

    pieces = re.split(r"\{(\w+):(\w+)\}", wording)
    return "".join(
        re.escape(pieces[i]) + (slot(pieces[i + 1], pieces[i + 2]) if i + 2 < len(pieces) else "")
        for i in range(0, len(pieces), 3)
    )
