"""The scripted model's frames and free puzzles: names gathered from a seed's text, and small puzzles of words."""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

from agentinstruct.agents.scripted.world import world
from agentinstruct.tools.puzzles import Cast

_STOCK: Mapping[str, Sequence[str]] = {
    "people": ("Ada", "Bram", "Cleo", "Dov", "Ewa", "Finn", "Gitte", "Hugo", "Ines"),
    "things": ("lantern", "kettle", "violin", "ladder", "basket", "compass", "whistle", "saddle"),
    "places": ("harbour", "orchard", "station", "workshop", "bakery", "tower"),
    "kinds": ("bakers", "sailors", "early risers", "singers", "gardeners"),
}
_WANTED = {"people": 9, "things": 8, "places": 6, "kinds": 5}
_PLACES = re.compile(r"\b(?:in|at|near|beside|on|from|into|to) the ([a-z]{4,10})\b")
_THINGS = re.compile(r"\b(?:a|an|the|his|her|its|their) ([a-z]{4,10})\b")
_PEOPLE = re.compile(r"(?<=[a-z,;] )([A-Z][a-z]{2,9})\b")
_KINDS = re.compile(r"\b(?:all|many|most|some|these|those|the|few) ([a-z]{4,10}s)\b")
_DULL = frozenset(
    re.findall(
        r"\w+",
        "that this same first second other most more such which what when where there then they them their "
        "these those with from into only very last next case fact whole less many number amount part kind "
        "sort thing things one two ",
    )
)


def frame(text: str) -> dict[str, Any] | None:
    """The frame that a text gives; None for a text without a sentence."""
    telling = world(text).telling
    if not telling:
        return None
    found: dict[str, Any] = {"suitable": True, "reason": "", "setting": " ".join(telling[:2])[:400]}
    patterns = {"people": _PEOPLE, "places": _PLACES, "things": _THINGS, "kinds": _KINDS}
    taken: set[str] = set()
    for kind, pattern in patterns.items():
        words = [word for word, _ in Counter(pattern.findall(text)).most_common(12)]
        own = [word for word in words if word.casefold() not in _DULL and word.casefold() not in taken]
        found[kind] = _first(kind, chain(own[: _WANTED[kind] // 2], _STOCK[kind]))
        taken |= {name.casefold().removeprefix("the ") for name in found[kind]}
    return found


def _first(kind: str, names: Iterator[str]) -> list[str]:
    return list(getattr(Cast.of(**{kind: names}), kind))[: _WANTED[kind]]


@dataclass(frozen=True)
class Given:
    """What a free puzzle can be made of: the lists of a frame, as its passage shows them."""

    people: list[str]
    things: list[str]
    places: list[str]

    @classmethod
    def of(cls, passage: str) -> "Given":
        """The lists in a passage; stock names where it has none."""
        found = {kind: re.search(rf"^{kind.capitalize()}: (.+)$", passage, re.MULTILINE) for kind in _STOCK}
        lists = {kind: match[1].split(", ") if match else list(_STOCK[kind]) for kind, match in found.items()}
        return cls(lists["people"], [word.removeprefix("the ") for word in lists["things"]], lists["places"])

    @property
    def words(self) -> list[str]:
        """Single words of the frame, in capitals."""
        names = [*self.things, *self.people]
        return list(dict.fromkeys(n.upper() for n in names if n.isalpha() and n.isascii() and len(n) > 3))


def riddles(given: Given) -> Iterator[dict[str, Any]]:
    """Words whose letters are told as numbers."""
    for word in given.words:
        told = ", ".join(str(ord(letter) - 64) for letter in word)
        clue = "count every letter by its place in the alphabet, A as 1"
        yield {
            "trick": "The numbers are letters.",
            "answer": word.capitalize(),
            "clues": [clue],
            "question": f"I am a word of {len(word)} letters; {clue}. I am {told}. What am I?",
        }


def word_plays(given: Given) -> Iterator[dict[str, Any]]:
    """Words read backwards."""
    for word in given.words:
        if word != word[::-1]:
            yield {
                "trick": "It is read from its end.",
                "answer": word[::-1],
                "clues": ["from its last letter to its first"],
                "question": f"Somebody reads the word {word} from its last letter to its first. What does it say then?",
            }


LATERAL: tuple[tuple[str, str, str, str], ...] = (
    (
        "{who} bolts every door of {place} from inside, and soon stands outside. No door was opened again. How?",
        "{place} had no roof, so that {who} climbed out over the wall",
        "bolts every door",
        "Nobody has said that there is a roof.",
    ),
    (
        "{who} painted a {thing} blue, nobody touched it again, and next morning it was white. How?",
        "Snow had fallen on the {thing} overnight",
        "next morning it was white",
        "Nobody has said that it stood indoors.",
    ),
    (
        "{who} went to {place} forty times and never once came back. How?",
        "{who} had moved to {place} and went there from elsewhere each time only in dreams",
        "never once came back",
        "To come back needs a place to come back to.",
    ),
)


def laterals(given: Given) -> Iterator[dict[str, Any]]:
    """Strange stories with a plain explanation."""
    for i, who in enumerate(given.people):
        story, answer, clue, trick = LATERAL[i % len(LATERAL)]
        names = {"who": who, "place": given.places[i % len(given.places)], "thing": given.things[i % len(given.things)]}
        yield {
            "trick": trick,
            "answer": answer.format(**names),
            "clues": [clue.format(**names)],
            "question": story.format(**names),
        }


def assumptions(given: Given) -> Iterator[dict[str, Any]]:
    """Arguments from one place to another."""
    for i, who in enumerate(given.people):
        one, other = given.places[i % len(given.places)], given.places[(i + 1) % len(given.places)]
        thing = given.things[i % len(given.things)]
        yield {
            "question": (
                f"{who} argues: at {one} a second {thing} halved the waiting, so at {other} a second {thing} will "
                "halve it too. Which of these does the argument take for granted?"
            ),
            "right": f"What makes people wait at {other} is like what made them wait at {one}",
            "wrong": [
                f"A second {thing} costs less at {other} than at {one}",
                f"Nobody at {one} minds waiting for a {thing}",
                f"{who} has waited at {other} more often than at {one}",
                f"A third {thing} would do still more at {one}",
            ],
            "why": "The step from one place to the other holds only if they are alike in this.",
        }


FREE: Mapping[str, Callable[[Given], Iterator[dict[str, Any]]]] = {
    "riddle": riddles,
    "word_play": word_plays,
    "lateral_thinking": laterals,
    "hidden_assumption": assumptions,
}
"""The writers of categories without a core."""


def freely_solved(text: str) -> str:
    """The answer to one of these puzzles, from its words; empty where it is none of them."""
    if found := re.search(r"A as 1\. I am ([\d, ]+)\.", text):
        return "".join(chr(64 + int(number)) for number in found[1].split(", ")).capitalize()
    if found := re.search(r"reads the word (\w+) from its last letter to its first", text):
        return found[1][::-1]
    if "take for granted" in text:
        return next(
            (label for label, said in re.findall(r"^([A-J])\. (.+)$", text, re.MULTILINE) if " is like " in said), ""
        )
    for story, answer, _, _ in LATERAL:
        pattern = re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>[\\w' -]+?)", re.escape(story))
        if told := re.search(pattern, text):
            names = {"who": "", "place": "", "thing": "", **told.groupdict()}
            return answer.format(**names)
    return ""
