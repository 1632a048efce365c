"""Rules about dates, times, figures, spelling and personal data.

Only full dates (day, month, year) and clock times with minutes or am/pm count. A date such as 03/04/2021
in the original may be read either way. `one` is no number word, and `10 million` is written in digits.
"""

import re
from collections import Counter
from collections.abc import Iterator

from agentinstruct.tools.constraints.edits import FIGURE, email_places, keep_numbers
from agentinstruct.tools.constraints.numerals import runs, smooth, spellings
from agentinstruct.tools.constraints.rules import Constraint
from agentinstruct.tools.constraints.text import Text, excerpt, listed, lists

_MONTH = r"(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]{0,6}\.?"
_DATE = re.compile(
    r"(?<![\w-])(?:([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})"
    r"|([0-9]{1,2})([/.])([0-9]{1,2})[/.]([0-9]{4})"
    rf"|{_MONTH} ([0-9]{{1,2}})(?:st|nd|rd|th)?,? ([0-9]{{4}})"
    rf"|([0-9]{{1,2}})(?:st|nd|rd|th)?(?: of)? {_MONTH},? ([0-9]{{4}}))(?![\w-])",
    re.IGNORECASE,
)
_MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
_NOON = re.compile(r"(?<![\w:.])([0-9]{1,2})(?:[:.]([0-9]{2}))?\s?([ap])\.?\s?m\b", re.IGNORECASE)
_CLOCK = re.compile(r"(?<![\w:.])([01]?[0-9]|2[0-4]):([0-5][0-9])(?![\w:]|\s?[ap]\.?\s?m\b)", re.IGNORECASE)
_PHONE = re.compile(r"(?<![\w.,+-])(?:\+|\(|[0-9])[0-9][0-9 ().-]{4,16}[0-9](?![\w-])")

_DAY = 24 * 60

Date = tuple[int, int, int]


def _dates(text: str) -> Iterator[tuple[int, str, set[Date]]]:
    """Full dates: where, in which style (`numeric` is us or eu), and what they can mean."""
    for m in _DATE.finditer(text):
        iso, numeric, named = m.group(1, 2, 3), m.group(4, 6, 7), m.group(10, 8, 9)
        if iso[0]:
            yield m.start(), "iso", _valid([(int(iso[0]), int(iso[1]), int(iso[2]))])
        elif numeric[0]:
            a, b, y = map(int, numeric)
            yield m.start(), "numeric", _valid([(y, a, b), (y, b, a)])
        else:
            year, name, day = named if named[0] else m.group(13, 12, 11)
            yield m.start(), "long", _valid([(int(year), _MONTHS.index(name.lower()) + 1, int(day))])


def full_dates(text: str) -> list[set[Date]]:
    """What each full date of a text can mean: 03/04/2021 is a day in March or in April."""
    return [days for _, _, days in _dates(" ".join(text.split())) if days]


def _valid(readings: list[Date]) -> set[Date]:
    return {(y, m, d) for y, m, d in readings if 1 <= m <= 12 and 1 <= d <= 31}


def _written(day: Date, style: str) -> str:
    y, m, d = day
    return {"iso": f"{y}-{m:02}-{d:02}", "us": f"{m:02}/{d:02}/{y}", "eu": f"{d:02}/{m:02}/{y}"}[style]


def dates(c: Constraint, source: Text, output: Text) -> str:
    """All full dates stand in one style: iso 2024-03-05, us 03/05/2024, eu 05/03/2024, long 5 March 2024."""
    style = "numeric" if c.style in ("us", "eu") else c.style
    found = list(_dates(output.flat))
    other = next((at for at, kind, days in found if days and kind != style), None)
    if other is not None:
        return f"a date in another form: “{excerpt(output.flat, other)}”"
    have = {day for _, _, days in found for day in days}
    wanted = Counter(frozenset(days) for _, _, days in _dates(source.flat) if days)
    slashed = output.flat.replace(".", "/")
    for at, _, days in _dates(source.flat):
        named = any(_stands(day, c.style, slashed) for day in days) if c.style != "long" else bool(days & have)
        if days and not named:
            return f"this date is not in the asked form: “{excerpt(source.flat, at)}”"
        if sum(bool(days & other) for _, _, other in found) < wanted[frozenset(days)]:
            return f"this date stands more often in the original: “{excerpt(source.flat, at)}”"
    return ""


def _stands(day: Date, style: str, text: str) -> bool:
    full = _written(day, style)
    short = re.sub(r"(?<![0-9])0", "", full)
    return full in text or (style != "iso" and bool(re.search(rf"(?<![0-9]){short}(?![0-9])", text)))


def _minutes(m: re.Match[str], half: bool) -> int:
    hour = int(m[1]) % 12 + (12 if m[3].lower() == "p" else 0) if half else int(m[1])
    return (hour * 60 + int(m[2] or 0)) % _DAY


def _readings(source: Text) -> Iterator[tuple[int, frozenset[int]]]:
    """The clock times of a text: where, and what they can mean; 3:30 may be of the morning or the afternoon."""
    for half in (True, False):
        for m in (_NOON if half else _CLOCK).finditer(source.plain):
            minutes = _minutes(m, half)
            either = not half and m[1][0] != "0" and int(m[1]) <= 12
            yield m.start(), frozenset({minutes, (minutes + _DAY // 2) % _DAY} if either else {minutes})


def clock_times(text: str) -> list[str]:
    """The clock times a text can mean, as HH:MM of a day of 24 hours."""
    minutes = {one for _, readings in _readings(Text(text)) for one in readings}
    return [f"{one // 60:02}:{one % 60:02}" for one in sorted(minutes)]


def times(c: Constraint, source: Text, output: Text) -> str:
    """All clock times stand in the 24-hour form (14:30) or the 12-hour form (2:30 pm)."""
    wanted, other = (_CLOCK, _NOON) if c.style == "24h" else (_NOON, _CLOCK)
    wrong = other.search(output.plain)
    if wrong:
        return f"a time in another form: “{excerpt(output.plain, wrong.start())}”"
    have = Counter(_minutes(m, wanted is _NOON) for m in wanted.finditer(output.plain))
    asked = list(_readings(source))
    often = Counter(readings for _, readings in asked)
    lost = next((at for at, readings in asked if sum(have[one] for one in readings) < often[readings]), None)
    return f"this time is not in the asked form: “{excerpt(source.plain, lost)}”" if lost is not None else ""


def numbers(c: Constraint, source: Text, output: Text) -> str:
    """Figures in digits, in words, with thousands separators (from 10,000 on), or plain without them; none is lost.

    Full dates and clock times may be put into words in any way.
    """
    text = output.plain
    if c.style == "digits":
        pattern = rf"(?<![0-9] )\b(?:{'|'.join(lists()['number_words'])})\b"
    else:
        pattern = {
            "words": r"\d",
            "thousands": r"(?<![\d.,/:-])[0-9]{5,}+(?![-/:])",
            "plain": r"(?<![\d,])[0-9]{1,3}(?:,[0-9]{3})++(?!\d)",
        }[c.style]
    wrong = re.search(pattern, text, re.IGNORECASE)
    if wrong:
        return f"not written as {c.style}: “{excerpt(text, wrong.start())}”"
    if c.style == "words":
        return _unspelt(source, output)
    return keep_numbers(c, source, output) or (_unfigured(source, output) if c.style == "digits" else "")


def _unspelt(source: Text, output: Text) -> str:
    """A figure of the original that the new text does not have in words, or an empty string."""
    text, have = source.plain, smooth(output.plain)
    for pattern in (_DATE, _NOON, _CLOCK):
        text = pattern.sub(lambda m: " " * len(m[0]), text)
    for m in {m[0]: m for m in FIGURE.finditer(text)}.values():
        if not any(f" {spelt} " in have for spelt in spellings(m[0])):
            return f"“{m[0]}” is not there in words: “{excerpt(source.plain, m.start())}”"
    return ""


def _unfigured(source: Text, output: Text) -> str:
    """A numeral of the original that the new text does not have in digits, or an empty string."""
    have = {spelt for figure in set(FIGURE.findall(output.plain)) for spelt in spellings(figure)}
    for at, run in runs(source.plain):
        unscaled = re.sub(r" (?:thousand|[mbtr]+illion)$", "", run)  # ten million may become 10 million
        if not {run, unscaled} & have and not all(word in have for word in run.split()):
            return f"“{run}” is not there in digits: “{excerpt(source.plain, at)}”"
    return ""


def _spellings(style: str) -> dict[str, str]:
    """The other variety's words and what they become; -ize is British too (Oxford), -ise is not American."""
    both = lists()["spelling"]
    if style == "american":
        return {**both, **lists()["spelling_to_american"]}
    return {american: british for british, american in both.items()}


def spelling(c: Constraint, source: Text, output: Text) -> str:
    """No word of the list is spelt the other way, and those that were now stand respelt."""
    turn = _spellings(c.style)
    wrong = next((word for word in output.tokens if word in turn), "")
    if wrong:
        return f"“{wrong}” is not {c.style}: “{excerpt(output.flat, next(output.places(wrong), 0))}”"
    have = set(output.tokens)
    lost = next((word for word in source.tokens if word in turn and turn[word] not in have), "")
    return f"“{lost}” should have become “{turn[lost]}”" if lost else ""


def personal(text: Text) -> Iterator[tuple[int, str]]:
    """E-mail addresses, phone numbers and common given names in a text: where, and what."""
    for a, b in email_places(text.flat):
        yield a, text.flat[a:b]
    for m in _PHONE.finditer(text.flat):
        digits = sum(map(str.isdigit, m[0]))
        local = re.fullmatch(r"[0-9]{3}[-. ][0-9]{4}", m[0])
        if not _DATE.match(m[0]) and (local or (9 <= digits <= 15 and not m[0].isdigit())):
            yield m.start(), m[0]
    for m in re.finditer(r"\b[A-Z][a-z]{1,20}\b", text.flat):
        if m[0] in listed("given_names"):
            yield m.start(), m[0]


def no_pii(c: Constraint, source: Text, output: Text) -> str:
    """None of the original's e-mail addresses, phone numbers and common given names, and none of `words`, stands."""
    for phrase in dict.fromkeys([*c.words, *(what for _, what in personal(source))]):
        at = next(output.places(phrase), None)
        if at is not None:
            return f"“{phrase}” still stands in “{excerpt(output.flat, at)}”"
    return ""
