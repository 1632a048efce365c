"""Whether an argument's value was really given: by the user, by an earlier result, or as a documented default.

What counts as given, beyond the very words (case, quotes and spacing never matter):
    text        all its words in one source, inflection aside (`window seats` ← "a seat by the window")
    numbers     in words; signs (`-5` ← "reduce by 5"); units and multiples (`90` ← "1.5 hours", `5000` ← "5k",
                `0.2` ← "20 %"); a sum, difference, product or quotient of two given numbers, unless small
    dates       `2025-03-05` ← "March 5th", with 2025 given somewhere; times: `15:00` ← "3 pm"
    booleans    what the parameter is named after is mentioned, or a yes or no was said
"""

import calendar
import re
from collections.abc import Sequence
from typing import Any

from agentinstruct.tools.quotes import fold, numbers
from agentinstruct.tools.simulator import ApiParameter

_DATE = re.compile(r"(\d{4})-(\d{2})-(\d{2})(?:[t ](\d{2}:\d{2}).*)?")
_TIME = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)(?::[0-5]\d)?")
_MEASURE = re.compile(r"(\d[\d,]*(?:\.\d+)?|\b[a-z]+\b)(?=\s*-?(?:an? )?([a-z]+|%))")
_FACTORS = {
    **dict.fromkeys(("k", "thousand", "km", "kilometers", "kilometres", "kg", "kilograms"), (1e3,)),
    **dict.fromkeys(("m", "million"), (1e6,)),
    **dict.fromkeys(("%", "percent"), (0.01,)),
    **dict.fromkeys(("hour", "hours", "h"), (60, 3600)),
    **dict.fromkeys(("minute", "minutes", "min"), (60,)),
    **dict.fromkeys(("day", "days"), (24,)),
    **dict.fromkeys(("week", "weeks"), (7,)),
    **dict.fromkeys(("year", "years", "dozen"), (12,)),
}
_SMALL: dict[float, tuple[str, ...]] = {
    1: ("a", "an", "one", "single", "another"),
    2: ("both", "couple", "pair", "twice"),
}
_ASKED_BY = {
    r"when": ("date", "day", "time", "deadline"),
    r"where": ("address", "city", "destination", "location", "origin", "place"),
    r"who|whom|whose": ("customer", "name", "owner", "person", "recipient", "user"),
    r"how (?:many|much)": ("amount", "count", "number", "price", "quantity"),
}
_FILLERS = frozenset(
    ("a", "an", "the", "of", "in", "on", "at", "to", "for", "and", "or", "by", "with", "my", "me", "i", "is", "it")
)
_MOST_NUMBERS = 40


def grounded(value: Any, parameter: ApiParameter | None, sources: Sequence[str]) -> bool:
    """Whether the value can be traced to a source or is the parameter's default, by the rules above."""
    if parameter and parameter.default is not None and str(value).casefold() == str(parameter.default).casefold():
        return True
    if isinstance(value, list | dict):
        parts = value.values() if isinstance(value, dict) else value
        return all(grounded(part, None, sources) for part in parts)
    texts = [fold(source) for source in sources]
    if isinstance(value, bool):
        return _boolean_given(parameter, texts)
    if isinstance(value, int | float):
        return _number_given(value, texts)
    return isinstance(value, str) and _text_given(fold(value).strip(" .,;!?\"'"), texts)


def mentions(text: str, name: str) -> bool:
    """Whether a text names a parameter: by a word of its name, or by a question word that asks for such a thing."""
    asked = (words for ask, words in _ASKED_BY.items() if re.search(rf"\b(?:{ask})\b", fold(text)))
    wanted = stems(name)
    if not wanted:  # a name such as `a`: only quoted, or called a value, can it be told from the word
        quoted = rf"[`'\"]{re.escape(name)}[`'\"]|\b(?:value|parameter|argument)(?: (?:of|for))? {re.escape(name)}\b"
        return bool(re.search(quoted, text, re.IGNORECASE))
    return bool(wanted & stems(text)) or any(wanted & stems(" ".join(words)) for words in asked)


def stems(text: str) -> set[str]:
    """The words of a text or an identifier, without inflection and without filler words."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|_", " ", text)
    return {_stem(word) for word in re.findall(r"[^\W_]+", fold(spaced)) if word not in _FILLERS}


def _stem(word: str) -> str:
    for ending in ("ings", "ing", "ies", "ed", "es", "s", "e", "y"):
        if word.endswith(ending) and len(word) >= len(ending) + 3:
            return word.removesuffix(ending)
    return word


def _boolean_given(parameter: ApiParameter | None, texts: Sequence[str]) -> bool:
    answered = any(re.search(r"\b(?:yes|no|not|yeah|sure|true|false)\b", text) for text in texts)
    return answered or bool(parameter and any(mentions(text, parameter.name) for text in texts))


def _text_given(wanted: str, texts: Sequence[str]) -> bool:
    if not wanted:
        return False
    if any(re.search(rf"(?<!\w){re.escape(wanted)}(?!\w)", text) for text in texts):
        return True
    if date := _DATE.fullmatch(wanted):
        timed = date[4] is None or _time_given(date[4], texts)
        return timed and _date_given(int(date[1]), int(date[2]), int(date[3]), texts)
    if _TIME.fullmatch(wanted):
        return _time_given(wanted, texts)
    words = stems(wanted)
    return bool(words) and any(words <= stems(text) for text in texts)


def _date_given(year: int, month: int, day: int, texts: Sequence[str]) -> bool:
    if not 1 <= month <= 12 or not any(re.search(rf"\b{year}\b", text) for text in texts):
        return False
    name = calendar.month_name[month].casefold()
    word, number = rf"(?:{name}|{name[:3]}\.?)", rf"0?{day}(?:st|nd|rd|th)?"
    figures = rf"(?<!\d)(?:0?{day}[./-]0?{month}|0?{month}[./-]0?{day})(?!\d)"
    pattern = rf"\b{number}(?: of)? {word}|\b{word} (?:the )?{number}\b|{figures}"
    return any(re.search(pattern, text) for text in texts)


def _time_given(time: str, texts: Sequence[str]) -> bool:
    hour, minute = int(time.split(":")[0]), time.split(":")[1]
    minutes = "(?::00)?" if minute == "00" else f":{minute}"
    forms = [rf"\b0?{hour}:{minute}\b", rf"\b{(hour - 1) % 12 + 1}{minutes} ?{'p' if hour >= 12 else 'a'}\.?m\b"]
    if minute == "00" and hour in (0, 12):
        forms.append("noon" if hour else "midnight")
    return any(re.search(form, text) for form in forms for text in texts)


def _number_given(value: float, texts: Sequence[str]) -> bool:
    given = [number for text in texts for number in numbers(text)]
    if any(_same(value, number) for number in given):
        return True
    if any(re.search(rf"\b{word}\b", text) for word in _SMALL.get(value, ()) for text in texts):
        return True
    if any(_same(value, measure) for text in texts for measure in _measures(text)):
        return True
    exotic = abs(value) > 12 or value != int(value)
    return exotic and any(_same(value, result) for result in _combined(given[-_MOST_NUMBERS:]))


def _measures(text: str) -> list[float]:
    """Numbers with a unit or a multiple, in the smaller units they could be meant in."""
    found = [(numbers(match[1]), match[2]) for match in _MEASURE.finditer(text)]
    return [amount * factor for amounts, unit in found for amount in amounts for factor in _FACTORS.get(unit, ())]


def _combined(given: Sequence[float]) -> set[float]:
    pairs = [(a, b) for i, a in enumerate(given) for b in given[i + 1 :]]
    plain = {result for a, b in pairs for result in (a + b, a - b, a * b)}
    return plain | {a / b for first in pairs for a, b in (first, first[::-1]) if b}


def _same(value: float, number: float) -> bool:
    return abs(abs(value) - abs(number)) <= 1e-6 * max(1.0, abs(number))
