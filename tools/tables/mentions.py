"""The numbers a text states, each with how it is stated: precision, hedge, percent, multiple, rank, scale.

`about 1,200` may be 1,187; `1,187` may not be 1,200; `12.4 %` may be 12.37. A number's own digits say how exact it is.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from agentinstruct.tools.constraints.text import Text, plain
from agentinstruct.tools.quotes import NUMBER_WORDS, numbers
from agentinstruct.tools.tables.cells import SCALES

Sort = Literal["number", "percent", "multiple", "share", "rank", "year"]
"""`multiple`: twice, 3 times, tripled; `share`: half, a quarter of; `rank`: second, 3rd."""

MAX_MENTIONS = 400
_ORDINALS = [
    *("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth"),
    *("eleventh", "twelfth"),
]
_ABOUT = re.compile(
    r"(?:about|around|roughly|approximately|approx\.?|some|nearly|almost|close to|just under"
    r"|just over|just|well|or so|circa|~|≈"
    r"|over|more than|above|at least|under|less than|below|fewer than|up to)\s+(?:a |an |the )?[$€£¥~≈]?$",
    re.IGNORECASE,
)
_UP = ("over", "more than", "above", "at least", "just over")
_DOWN = ("nearly", "almost", "under", "less than", "below", "fewer than", "up to", "just under")
_DIGITS = re.compile(
    r"(?<![\w.,])(?P<money>[$€£¥])?(?P<digits>\d{1,3}(?:[,\u202f]\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?)"
    r"(?:[\s-]?(?P<scale>thousand|million|billion|trillion|bn|mn)\b|(?P<short>(?<=\d)(?:k|m(?=\b)))\b)?"
    r"(?P<percent>\s?(?:%|percent\b|per cent\b|percentage points?\b|pp\b|-?point\b))?(?P<ordinal>(?:st|nd|rd|th)\b)?"
    r"(?P<times>\s?(?:times\b|-?fold\b|[x×](?!\w)))?",
)
_NUMERALS = "|".join(word for word in NUMBER_WORDS if word not in ("half", "once", "twice"))
_WORDS = re.compile(
    rf"\b(?P<in>(?P<some>{_NUMERALS}) (?:in|out of(?: every)?) (?P<all>{_NUMERALS}))\b"
    rf"|\b(?P<words>(?:{_NUMERALS})(?:(?:\s+and\s+|\s+|-)(?:{_NUMERALS}))*)\b(?P<part>[\s-](?:halves"
    rf"|thirds|quarters|fifths|tenths)\b)?"
    r"(?P<percent>\s(?:percent|per cent|percentage points?)\b)?(?P<times>\s?(?:times\b|-?fold\b))?"
    rf"|\b(?P<ordinal>{'|'.join(_ORDINALS)})\b|\b(?P<share>half|(?:a |one[ -])(?:third|quarter|fifth|tenth))\b"
    r"|\b(?P<multiple>twice|doubl(?:e|ed|es|ing)|tripl(?:e|ed|es|ing)|threefold|twofold|quadrupl(?:e"
    r"|ed|es|ing)|halv(?:e|ed|es|ing))\b",
    re.IGNORECASE,
)
_MULTIPLES = {"tw": 2.0, "do": 2.0, "tr": 3.0, "th": 3.0, "qu": 4.0, "ha": 0.5}
_PARTS = {"hal": 2.0, "thi": 3.0, "qua": 4.0, "fif": 5.0, "ten": 10.0}
_LIST_MARK = re.compile(r"(?m)^[ \t>]*(?:\d{1,3}[.)](?=\s)|#+ )")
_DATES = re.compile(
    r"\b\d{4}-\d{2}(?:-\d{2})?(?:[T ]\d{2}:\d{2}(?::\d{2})?Z?)?\b|\b\d{1"
    r",2}:\d{2}(?::\d{2})?(?:\s?[ap]\.?m\b\.?)?|\b\d{1,2}[./]\d{1,2}[./]\d{2,4}\b"
    r"|\b(?:\d{1,2}(?:st|nd|rd|th)? (?:of )?)?(?:January|February|March|April|May|June|July|August"
    r"|September|October|November"
    r"|December|Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec)\b\.?(?: \d{1,2}(?:st|nd|rd"
    r"|th)?\b(?!\s?[%\d]))?,?(?: \d{4}\b)?"
)
_CODE = re.compile(r"\b(?=\w*[A-Za-z])(?=\w*\d)[A-Za-z\d]+(?:[-_.]\w+)*\b")
_MEASURED = re.compile(
    r"\d+(?:\.\d+)?(?:k|m|bn|mn|st|nd|rd|th|x|km|kg|cm|mm|ml|h|s|ms|kWh|GB|MB|TB|MW|kW|GW|fold)", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Mention:
    """A number as stated."""

    said: str
    start: int
    value: float
    step: float
    """The place value of its last digit that counts."""
    sort: Sort = "number"
    hedge: Literal["", "about", "over", "under"] = ""
    money: str = ""
    spelt: bool = False
    scaled: bool = False
    after: str = ""
    """The words behind it, which may say what it counts."""

    def states(self, value: float) -> bool:
        """Whether this is a fair way to state a value; its sign is left to the words around it."""
        stated, value = abs(self.value), abs(value)
        if self.hedge == "over":
            return stated - 1e-9 <= value < stated + max(self._coarse, 0.1 * stated)
        if self.hedge == "under":
            return stated - max(self._coarse, 0.1 * stated) < value <= stated + 0.5 * self.step
        if self.sort in ("multiple", "share"):
            return abs(stated - value) <= max(0.5 * self._coarse, 0.05 * stated)
        if self.hedge == "about":
            return abs(stated - value) <= 0.5 * self._coarse
        return abs(stated - value) <= 0.5 * self.step + 1e-9 * max(1.0, stated)

    def exactly(self, value: float) -> bool:
        """Whether it states a value of the data without rounding it, or to three digits at least."""
        if self.hedge or self.sort != "number" or self.step < 1 or value % 1 == 0:
            return self.states(value) and not (not self.hedge and value % 1 == 0 and self.step > 1 and not self.scaled)
        return self.states(value) and abs(self.value) >= 100

    @property
    def _coarse(self) -> float:
        """The place value of its last digit that is not nought."""
        digits = f"{abs(self.value):.10g}"
        zeros = len(digits) - len(digits.rstrip("0")) if "." not in digits and "e" not in digits else 0
        return max(self.step, 10.0**zeros if self.value else self.step)


@dataclass(frozen=True, slots=True)
class Sentence:
    """A stretch of text with what stands in it."""

    text: str
    mentions: tuple[Mention, ...]
    dates: tuple[str, ...]
    codes: tuple[str, ...]
    """Words with digits in them, such as Q3 or A4."""


def sentences(text: str, names: Sequence[str] = ()) -> list[list[Sentence]]:
    """Paragraphs of sentences; numbers within one of `names` belong to that name and are not mentions."""
    found: list[list[Sentence]] = [[]]
    count = 0
    for line in plain(text).splitlines():
        if not line.strip():
            found.append([])
        for piece in _pieces(line):
            sentence = _read(piece, names)
            count += len(sentence.mentions)
            found[-1].append(sentence)
        if count > MAX_MENTIONS:
            break
    return [paragraph for paragraph in found if paragraph]


def _pieces(line: str) -> list[str]:
    spans = Text(line).spans
    return [line[a:b] for a, b in spans] if spans else [line] if line.strip() else []


def _read(piece: str, names: Sequence[str]) -> Sentence:
    masked = _LIST_MARK.sub(_blank, piece)
    for name in names:
        masked = re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", _blank, masked, flags=re.IGNORECASE)
    dates = tuple(m[0] for m in _DATES.finditer(masked) if m[0].strip() != "May")
    masked = _DATES.sub(lambda m: m[0] if m[0].strip() == "May" else _blank(m), masked)
    codes = tuple(m[0] for m in _CODE.finditer(masked) if not _MEASURED.fullmatch(m[0]))
    masked = _CODE.sub(lambda m: m[0] if _MEASURED.fullmatch(m[0]) else _blank(m), masked)
    masked = re.sub(r"(?<=\d)(?=(?:km|kg|cm|mm|ml|h|s|ms|kWh|GB|MB|TB|MW|kW|GW)\b)", " ", masked)
    figures = list(_in_digits(masked))
    for one in figures:
        masked = f"{masked[: one.start]}{'·' * len(one.said)}{masked[one.start + len(one.said) :]}"
    mentions = sorted([*figures, *_in_words(masked)], key=lambda mention: mention.start)
    mentions = [replace(one, after=piece[one.start + len(one.said) :][:40]) for one in mentions]
    return Sentence(piece, tuple(mentions), dates, codes)


def _blank(match: re.Match[str]) -> str:
    """Digits and letters out of the way, their place kept."""
    return "·" * len(match[0])


def _hedge(before: str) -> Literal["", "about", "over", "under"]:
    match = _ABOUT.search(before[-24:])
    if not match:
        return ""
    words = re.sub(r"[$€£¥~≈]| (?:a|an|the) *$", "", match[0].casefold()).strip()
    words = re.sub(r" (?:a|an|the)$", "", words)
    if words in _UP:
        return "over"
    return "under" if words in _DOWN else "about"


def _in_digits(text: str) -> Iterator[Mention]:
    for m in _DIGITS.finditer(text):
        digits = re.sub(r"[,\u202f]", "", m["digits"])
        short = m["short"] if m["money"] or m["short"] == "k" else ""  # `45m` are metres, `$45m` are millions
        scale = SCALES.get((m["scale"] or short or "").casefold(), 1.0)
        step = 10.0 ** -len(digits.partition(".")[2]) * scale
        plain_year = re.fullmatch(r"1[5-9]\d\d|20\d\d|21\d\d", m["digits"]) and m[0].strip() == m["digits"]
        sort: Sort = "percent" if m["percent"] else "rank" if m["ordinal"] else "multiple" if m["times"] else "number"
        yield Mention(
            m[0].strip(),
            m.start(),
            float(digits) * scale,
            step,
            "year" if plain_year else sort,
            _hedge(text[: m.start()]),
            m["money"] or "",
            scaled=scale > 1,
        )


def _in_words(text: str) -> Iterator[Mention]:
    for m in _WORDS.finditer(text):
        said, start = m[0], m.start()
        if m["ordinal"]:
            if re.match(r"(?:half|quarters?|thirds?)\b", text[m.end() :].strip()) or _introduces(text, m):
                continue
            yield Mention(said, start, float(_ORDINALS.index(m["ordinal"].casefold()) + 1), 1.0, "rank", spelt=True)
        elif m["in"]:
            some, all_of = numbers(m["some"])[-1], numbers(m["all"])[-1]
            yield Mention(said, start, some / all_of, 0.01, "share", _hedge(text[:start]) or "about", spelt=True)
        elif m["share"]:
            part = 1 / next(size for name, size in _PARTS.items() if name in m["share"].casefold())
            yield Mention(said, start, part, 0.01, "share", _hedge(text[:start]) or "about", spelt=True)
        elif m["multiple"]:
            yield Mention(
                said, start, _MULTIPLES[said[:2].casefold()], 0.1, "multiple", _hedge(text[:start]), spelt=True
            )
        else:
            yield from _spelt(m, _hedge(text[:start]))


def _spelt(m: re.Match[str], hedge: Literal["", "about", "over", "under"]) -> Iterator[Mention]:
    values = numbers(m["words"])
    if len(values) != 1 and len(values) > 2:
        return
    value = values[-1]
    if m["part"]:
        size = _PARTS[m["part"].strip(" -")[:3].casefold()]
        yield Mention(m[0], m.start(), value / size, 0.01, "share", hedge or "about", spelt=True)
    elif value == 1 and not (m["percent"] or m["times"]):
        return  # `one of them` counts nothing
    else:
        sort: Sort = "percent" if m["percent"] else "multiple" if m["times"] else "number"
        yield Mention(m[0], m.start(), value, 1.0, sort, hedge, spelt=True)


def _introduces(text: str, m: re.Match[str]) -> bool:
    """Whether an ordinal orders the text and not the data: `First, …`, `at first`."""
    return text[m.end() : m.end() + 1] in (",", ":") or text[: m.start()].rstrip().casefold().endswith(
        (" at", "the very")
    )
