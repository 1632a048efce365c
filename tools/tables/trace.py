"""Holds a text against its data: every number must stand there or follow from it.


findings = traceable(text, data)      one per number: what it is, or that nothing in the data gives it
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from agentinstruct.tools.quotes import fold
from agentinstruct.tools.tables.derive import candidates
from agentinstruct.tools.tables.known import date_cells, digit_names, given_numbers, numbers_of, texts_of
from agentinstruct.tools.tables.mentions import Mention, Sentence, sentences
from agentinstruct.tools.tables.read import Data
from agentinstruct.tools.tables.scope import Index, Scope, aliases, counted, scope
from agentinstruct.tools.tables.view import CUES, Candidate, View

_ACCEPTS: dict[str, frozenset[str]] = {
    "number": frozenset(
        ("cell", "sum", "mean", "median", "difference", "count", "time", "rate", "converted", "hourly")
    ),
    "year": frozenset(("cell", "sum", "difference", "mean")),
    "percent": frozenset(("cell", "share", "change", "difference", "mean", "sum", "median")),
    "multiple": frozenset(("ratio", "cell")),
    "share": frozenset(("ratio", "share")),
}
_PERIOD = re.compile(
    r"\s*(?:quarter|half|month|year|week|day|time|row|column|line|entry|reading|season)", re.IGNORECASE
)
_MAX_TRIED = 60_000


@dataclass(frozen=True, slots=True)
class Finding:
    """A number of a text, and how the data gives it; an empty `how` where it does not."""

    said: str
    how: str
    sentence: str

    @property
    def traced(self) -> bool:
        """Whether it follows from the data."""
        return bool(self.how)


def traceable(text: str, data: Data, given: str = "") -> list[Finding]:
    """One finding per number, date and code in a text; numbers that the request gives (`given`) count as known."""
    return list(_Trace(data, given).findings(text))


class _Trace:
    """The work of one text."""

    def __init__(self, data: Data, given: str) -> None:
        self.indexes = [Index(table) for table in data.sources]
        self.known = fold(f"{data.text} {given}")
        self.given = list(given_numbers(given))
        self.names = sorted(digit_names(data.sources), key=len, reverse=True)
        self.loose = [m for part in texts_of(data) for m in numbers_of(part, self.names)]
        self.tried = 0

    def findings(self, text: str) -> Iterator[Finding]:
        """One per number, in order."""
        for paragraph in sentences(text, self.names):
            before = [Scope(frozenset(), (), frozenset())] * len(self.indexes)
            stated: list[float] = []
            for sentence in paragraph:
                here = [scope(index, sentence.text) for index in self.indexes]
                yield from self._dates(sentence)
                numbers = [m.value for m in sentence.mentions if m.sort == "number"]
                limits = [m.value for m in sentence.mentions if m.hedge in ("over", "under")]
                views = [
                    View(i, h, b, sentence.text, (*limits, *self.given))
                    for i, h, b in zip(self.indexes, here, before, strict=True)
                ]
                yield from (self._found(m, sentence, views, [*stated, *numbers]) for m in sentence.mentions)
                before = [h if h.rows or h.groups else b for h, b in zip(here, before, strict=True)]
                stated = numbers

    def _found(self, mention: Mention, sentence: Sentence, views: Sequence[View], stated: Sequence[float]) -> Finding:
        how = self._ranked(mention, sentence, views) if mention.sort == "rank" else self._how(mention, views, stated)
        return Finding(mention.said, how, sentence.text)

    def _how(self, mention: Mention, views: Sequence[View], stated: Sequence[float]) -> str:
        if mention.sort == "year" and re.search(rf"(?<!\d){mention.said}(?!\d)", self.known):
            return "a year of the data or the request"
        if any(mention.states(value) for value in self.given):
            return "given in the request"
        if any(mention.sort in ("number", m.sort) and mention.states(m.value) for m in self.loose):
            return "stands in a text of the data"
        after = [counted(view.index, mention.after) for view in views]
        for view, columns in zip(views, after, strict=True):
            if any(after) and not columns:
                continue
            for candidate in candidates(view):
                self.tried += 1
                if self.tried > _MAX_TRIED:
                    return ""
                of_it = (
                    not columns or candidate.column in columns or (candidate.column < 0 and candidate.kind != "count")
                )
                if of_it and fits(mention, candidate):
                    return candidate.how
        return self._from_stated(mention, views, stated)

    def _from_stated(self, mention: Mention, views: Sequence[View], stated: Sequence[float]) -> str:
        """A difference, share or change of two numbers that the same or the last sentence states."""
        others = [value for value in dict.fromkeys(stated) if value != mention.value][-6:]
        text = views[0].text if views else ""
        for a in others:
            for b in others:
                if a != b and b and (how := _between(mention, a, b, text)):
                    return how
        return ""

    def _ranked(self, mention: Mention, sentence: Sentence, views: Sequence[View]) -> str:
        """A rank must be that of a row the sentence names, in some column; without a name it must be possible."""
        place = int(mention.value)
        if _PERIOD.match(sentence.text[mention.start + len(mention.said) :]):
            return "counts periods" if any(place <= len(view.table.rows) for view in views) else ""
        named = [view for view in views if view.here.rows]
        for view in named:
            if found := next((how for row in sorted(view.here.rows) if (how := _rank(view, row, place))), ""):
                return found
        possible = any(place <= len(view.table.rows) for view in views)
        return "a place among the rows" if possible and not named else ""

    def _dates(self, sentence: Sentence) -> Iterator[Finding]:
        for said in sentence.dates:
            yield Finding(said, "a date of the data" if self._dated(said) else "", sentence.text)
        for code in sentence.codes:
            yield Finding(code, "stands in the data" if fold(code) in self.known else "", sentence.text)

    def _dated(self, said: str) -> bool:
        """Whether its day, month and year stand together in the data, however written."""
        folded = fold(said).strip(" .,")
        if folded in self.known:
            return True
        named = {
            alias
            for index in self.indexes
            for table in [index.table]
            for cell in date_cells(table)
            for alias in aliases(cell)
        }
        return re.sub(r"(?<=\d)(?:st|nd|rd|th)\b|,", "", folded) in named or folded.rstrip(" .") in {
            n[:3] for n in named
        }


def fits(mention: Mention, candidate: Candidate) -> bool:
    """Whether a number states what a candidate is: kind, unit and value."""
    if candidate.kind not in _ACCEPTS.get(mention.sort, frozenset()):
        return False
    percent = "%" in candidate.unit or "percent" in candidate.unit
    points = "point" in mention.said
    if mention.sort == "percent" and (not percent or points != (candidate.kind == "difference")):
        return False
    if mention.sort == "number" and candidate.kind in ("share", "change"):
        return False
    if mention.money and candidate.unit and not _money(candidate.unit, mention.money):
        return False
    value = candidate.value / 100 if mention.sort == "share" and candidate.kind == "share" else candidate.value
    if candidate.kind == "count":
        return (
            mention.states(value)
            and not (mention.money or mention.value % 1)
            and candidate.unit in ("", "spelt"[: 5 * mention.spelt])
        )
    if candidate.kind == "converted" and not re.match(rf"[\s-]?(?:{candidate.unit})", mention.after):
        return False
    if candidate.kind == "time" and not re.match(rf"[\s-]?(?:\w+ )?{candidate.unit}", mention.after):
        return False
    return mention.exactly(value) if candidate.kind == "cell" else mention.states(value)


def _money(unit: str, sign: str) -> bool:
    names = {"$": "$ usd dollar", "€": "€ eur euro", "£": "£ gbp pound", "¥": "¥ jpy yen"}[sign].split()
    return any(name in unit.casefold() for name in names) or not re.search(r"[a-z%]{2,}|%", unit.casefold())


def _between(mention: Mention, a: float, b: float, text: str) -> str:
    made = {
        "difference": (abs(a - b), f"{a:g} − {b:g}", ("number", "percent")),
        "ratio": (a / b, f"{a:g} ÷ {b:g}", ("multiple", "share")),
    }
    for cue, (value, how, sorts) in made.items():
        if mention.sort in sorts and CUES[cue].search(text) and mention.states(value):
            return how
    if mention.sort == "percent" and CUES["difference"].search(text) and mention.states((a - b) / b * 100):
        return f"change from {b:g} to {a:g}"
    if mention.sort == "percent" and re.search(r"\bof\b|share", text) and mention.states(a / b * 100):
        return f"{a:g} as a percentage of {b:g}"
    return ""


def _rank(view: View, row: int, place: int) -> str:
    table = view.table
    if not view.says("extreme") and row in (place - 1, len(table.rows) - place):
        return f"place {place} in the order of the rows"
    for column in view.here.columns or table.measured:
        value, values = table.rows[row][column], table.numbers(column)
        if isinstance(value, float) and place in (
            1 + sum(v > value for v in values),
            1 + sum(v < value for v in values),
        ):
            return f"place {place} by {table.columns[column].name}"
    return ""
