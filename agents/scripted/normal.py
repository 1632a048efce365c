"""The scripted model's normal forms: dates, times of day, numbers and spellings written in one way."""

import re
from collections.abc import Sequence

from agentinstruct.agents.scripted.words import mapped
from agentinstruct.tools.constraints.text import lists

_MONTHS = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]
_NAMES = "|".join(_MONTHS)
_LONG_DATE = re.compile(
    rf"(?<![\w-])(?:(\d{{1,2}}) ({_NAMES}),? (\d{{4}})|({_NAMES}) (\d{{1,2}}),? (\d{{4}}))(?![\w-])"
)
_ISO_DATE = re.compile(r"(?<![\w-])(\d{4})-(\d{2})-(\d{2})(?![\w-])")
_NOON = re.compile(r"(?<![\w:.])(\d{1,2})(?::(\d{2}))?\s?([ap])\.?\s?m\b\.?", re.IGNORECASE)
_CLOCK = re.compile(r"(?<![\w:.])([01]?\d|2[0-3]):([0-5]\d)(?![\w:])")
_ONES = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
]
_TENS = ["zero", "ten", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]


def dates(text: str, quoted: Sequence[str]) -> str:
    """Full dates as 2024-03-05 or as 5 March 2024."""
    if quoted[0] == "iso":
        return _LONG_DATE.sub(_iso, text)
    return _ISO_DATE.sub(lambda m: f"{int(m[3])} {_MONTHS[(int(m[2]) - 1) % 12]} {m[1]}", text)


def _iso(found: re.Match[str]) -> str:
    day, month, year = (found[1], found[2], found[3]) if found[1] else (found[5], found[4], found[6])
    return f"{year}-{_MONTHS.index(month) + 1:02}-{int(day):02}"


def times(text: str, quoted: Sequence[str]) -> str:
    """Times of day as 14:30 or as 2:30 pm."""
    if quoted[0] == "24h":
        return _NOON.sub(lambda m: f"{int(m[1]) % 12 + 12 * (m[3].lower() == 'p'):02}:{m[2] or '00'}", text)
    return _CLOCK.sub(lambda m: f"{(int(m[1]) + 11) % 12 + 1}:{m[2]} {'pm' if int(m[1]) > 11 else 'am'}", text)


def figures(text: str, quoted: Sequence[str]) -> str:
    """Whole numbers in digits, in words or with separators; what is part of something larger stays."""
    if quoted[0] == "digits":
        known = {word: str(value) for value, word in enumerate(_ONES) if value > 1}
        known |= {word: f"{value}0" for value, word in enumerate(_TENS) if value > 1}
        pattern = rf"(?<![\w-])(?:{'|'.join(known)})(?![\w-])"
        return re.sub(pattern, lambda m: known[m[0].casefold()], text, flags=re.IGNORECASE)
    if quoted[0] == "thousands":
        return re.sub(r"(?<![\d.,/:-])\d{5,}(?![-/:.,]?\d)", lambda m: f"{int(m[0]):,}", text)
    return re.sub(r"(?<![\w.,-])\d{1,6}(?![\w-]|[.,]\d)", lambda m: _in_words(int(m[0])), text)


def _in_words(value: int) -> str:
    if value < 20:
        return _ONES[value]
    if value < 100:
        return _TENS[value // 10] + (f"-{_ONES[value % 10]}" if value % 10 else "")
    size, name = (100, "hundred") if value < 1000 else (1000, "thousand")
    rest = f" {'and ' if value % size < 100 else ''}{_in_words(value % size)}" if value % size else ""
    return f"{_in_words(value // size)} {name}{rest}"


def spelling(text: str, quoted: Sequence[str]) -> str:
    """British words in their American spelling, or the other way round."""
    known: dict[str, str] = lists()["spelling"]
    turn: dict[str, str] = {american: british for british, american in known.items()}
    if quoted[0] == "american":
        turn = {**known, **lists()["spelling_to_american"]}

    def respelt(word: str) -> str:
        other = turn.get(word.casefold(), word)
        return other.capitalize() if word[:1].isupper() else other

    return mapped(text, respelt)
