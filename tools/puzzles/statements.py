"""What a clue can say: each phrase has a plain wording and a formal one, and goes both ways.

    said("before", a="Ruth", b="Anna")      Statement("Ruth comes before Anna", "ruth_at < anna_at")
    Grammar(entities=…, slots=…).read("If Ruth comes before Anna, then Ben has Monday")      the formal side again

A variable's name is its thing's, with what is asked of it: `ruth_at` (a turn), `ruth_in` (a group), `ruth` (chosen,
truthful, or the number of a grid's column).
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from agentinstruct.tools.solver import identifier
from agentinstruct.tools.solver.problem import Part

PHRASES: Mapping[str, tuple[str, str]] = {
    "before": ("{a} comes before {b}", "{a}_at < {b}_at"),
    "just_before": ("{a} comes immediately before {b}", "{a}_at + 1 == {b}_at"),
    "beside": ("{a} is next to {b}", "next_to({a}_at, {b}_at)"),
    "apart": ("{a} is not next to {b}", "not next_to({a}_at, {b}_at)"),
    "gap": ("exactly one other comes between {a} and {b}", "distance({a}_at, {b}_at) == 2"),
    "between": ("{b} comes between {a} and {c}", "({a}_at < {b}_at < {c}_at or {c}_at < {b}_at < {a}_at)"),
    "at": ("{a} has {n}", "{a}_at == {n}"),
    "not_at": ("{a} does not have {n}", "{a}_at != {n}"),
    "at_either": ("{a} has {n} or {m}", "({a}_at == {n} or {a}_at == {m})"),
    "in": ("{a} is in {g}", "{a}_in == {g}"),
    "not_in": ("{a} is not in {g}", "{a}_in != {g}"),
    "together": ("{a} and {b} are in the same group", "{a}_in == {b}_in"),
    "separate": ("{a} and {b} are in different groups", "{a}_in != {b}_in"),
    "goes": ("{a} goes with {b}", "{a} == {b}"),
    "goes_not": ("{a} does not go with {b}", "{a} != {b}"),
    "goes_either": ("{a} goes with {b} or {c}", "({a} == {b} or {a} == {c})"),
    "one_each": (
        "of {a} and {b}, one goes with {c} and the other with {d}",
        "(({a} == {c} and {b} == {d}) or ({a} == {d} and {b} == {c}))",
    ),
    "truthful": ("{a} always tells the truth", "{a}"),
    "liar": ("{a} always lies", "not {a}"),
    "alike": ("{a} and {b} are of the same sort", "{a} == {b}"),
    "unlike": ("{a} and {b} are of different sorts", "{a} != {b}"),
    "some_liar": ("at least one of {a} and {b} always lies", "not ({a} and {b})"),
    "chosen": ("{a} is chosen", "{a}"),
    "not_chosen": ("{a} is not chosen", "not {a}"),
    "one_chosen": ("at least one of {a} and {b} is chosen", "({a} or {b})"),
    "not_both": ("{a} and {b} are not both chosen", "not ({a} and {b})"),
    "all_are": ("all {a} are {b}", "every({a}, {b})"),
    "none_are": ("no {a} are {b}", "no({a}, {b})"),
    "some_are": ("some {a} are {b}", "some({a}, {b})"),
    "some_are_not": ("some {a} are not {b}", "some({a}, not {b})"),
    "cell": ("{a} has {k} of {b}", "{a}_{b} == {k}"),
    "more": ("{a} has more of {c} than {b}", "{a}_{c} > {b}_{c}"),
    "more_within": ("{a} has more of {b} than of {c}", "{a}_{b} > {a}_{c}"),
    "long": ("the stay is longer than {k} days", "days > {k}"),
    "days": ("the stay is {k} days long", "days == {k}"),
    "short_notice": ("the request comes less than {k} days ahead", "ahead < {k}"),
    "ahead": ("the request comes {k} days ahead", "ahead == {k}"),
    "member": ("the applicant is a member", "member"),
    "no_member": ("the applicant is not a member", "not member"),
    "owing": ("the applicant owes money", "owing"),
    "not_owing": ("the applicant owes nothing", "not owing"),
    "place": ("the request is for {g}", "place == {g}"),
    "outcome": ("the request is {o}", "outcome == {o}"),
    "least": ("{a} has at least {k} of {b}", "{a}_{b} >= {k}"),
    "most": ("{a} has at most {k} of {b}", "{a}_{b} <= {k}"),
}
"""Wording and formal side; a longer wording is tried first when sentences are read."""
OUTCOMES = ("granted", "granted with a deposit", "put on the waiting list", "sent to the board", "refused")
"""What a policy can decide."""
JOINS: tuple[tuple[str, str], ...] = (
    (r"if (.+), then (.+)", "implies({0}, {1})"),
    (r"(.+) if and only if (.+)", "iff({0}, {1})"),
    (r"either (.+), or (.+), but not both", "({0}) != ({1})"),
    (r"(.+), and (.+)", "({0}) and ({1})"),
)


class Statement(Part):
    """Something said in plain words, and the same as an expression."""

    text: str
    formal: str
    about: tuple[str, ...] = ()
    """The names that it uses."""
    phrase: str = ""
    """Which of `PHRASES` it is; empty for one made of several."""

    @property
    def sentence(self) -> str:
        """As a sentence of its own."""
        return self.capital if self.text.endswith('"') else f"{self.capital}."

    @property
    def capital(self) -> str:
        """With a capital letter, as an option stands."""
        return f"{self.text[0].upper()}{self.text[1:]}"


def said(phrase: str, slots: Sequence[str] = (), **names: str | int) -> Statement:
    """A phrase about these names; `slots` are the turns in their order, `n` and `m` one of them."""
    wording, formal = PHRASES[phrase]
    shown = {key: slots[int(value) - 1] if key in "nm" else value for key, value in names.items()}
    meant = {key: _formal(key, value) for key, value in names.items()}
    about = tuple(str(value) for key, value in names.items() if key in "abcdg")
    return Statement(text=wording.format(**shown), formal=formal.format(**meant), about=about, phrase=phrase)


def _formal(slot: str, value: str | int) -> str:
    if slot in "go":
        return repr(value)
    return str(value) if slot in "nmk" else identifier(str(value))


def joined(how: str, first: Statement, second: Statement) -> Statement:
    """Two statements in one: `if`, `iff`, `either`, `and`."""
    pattern, formal = JOINS[("if", "iff", "either", "and").index(how)]
    parts = iter((first.text, second.text))
    text = re.sub(r"\(\.\+\)", lambda _: next(parts), pattern)
    about = tuple(dict.fromkeys((*first.about, *second.about)))
    return Statement(text=text, formal=formal.format(first.formal, second.formal), about=about)


@dataclass(frozen=True)
class Grammar:
    """Reads the phrases back, given the names that may stand in their slots."""

    entities: tuple[str, ...]
    slots: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()

    def read(self, sentence: str) -> str | None:
        """The formal side of a sentence; None for what is none of these phrases."""
        text = " ".join(sentence.split()).rstrip(".")
        for pattern, formal in JOINS:
            if found := re.fullmatch(pattern, text, re.IGNORECASE):
                sides = [self.read(part) for part in found.groups()]
                if all(sides):
                    return formal.format(*sides)
        return next(self._phrases(text), None)

    def _phrases(self, text: str) -> Iterator[str]:
        for pattern, formal in self._patterns:
            if found := pattern.fullmatch(text):
                slots = {key[0]: self._meant(key[0], value) for key, value in found.groupdict().items()}
                yield formal.format(**slots)

    def _meant(self, slot: str, shown: str) -> str:
        if slot in "nm":
            return str(1 + [turn.casefold() for turn in self.slots].index(shown.casefold()))
        if slot in "go":
            known = OUTCOMES if slot == "o" else self.groups
            return repr(next(name for name in known if name.casefold() == shown.casefold()))
        return shown if slot == "k" else identifier(shown)

    @cached_property
    def _patterns(self) -> list[tuple[re.Pattern[str], str]]:
        longest = sorted(PHRASES.values(), key=lambda phrase: -len(phrase[0]))
        return [(re.compile(self._pattern(wording), re.IGNORECASE), formal) for wording, formal in longest]

    def _pattern(self, wording: str) -> str:
        pieces = re.split(r"\{(\w)\}", wording)
        return "".join(self._slot(part) if i % 2 else re.escape(part) for i, part in enumerate(pieces))

    def _slot(self, name: str) -> str:
        kinds = {"n": self.slots, "m": self.slots, "g": self.groups, "o": OUTCOMES}
        if name == "k":
            return r"(?P<k>\d+)"
        known = sorted(kinds.get(name, self.entities), key=len, reverse=True) or [r"(?!)"]
        return f"(?P<{name}>{'|'.join(known if known == ['(?!)'] else map(re.escape, known))})"
