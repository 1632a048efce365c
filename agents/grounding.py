"""Whether an argument's value was really given: by the user, by an earlier result, or as a documented default.

What counts as given, beyond the very words (case, quotes and spacing never matter):
    text        all its words in one source, inflection aside (`window seats` ← "a seat by the window")
    numbers     in words; signs (`-5` ← "reduce by 5"); units and multiples (`90` ← "1.5 hours", `5000` ← "5k",
                `0.2` ← "20 %"); unless small, what two numbers of one user turn make, or all of them together, where
                that turn speaks of a calculation; numbers of one result likewise, where a user turn does
    dates       `2025-03-05` ← "March 5th", with 2025 given somewhere; times: `15:00` ← "3 pm"
    booleans    the user mentions what the parameter is named after, or said yes or no when asked about it; or a
                result has that very value under that name
"""

import calendar
import re
from collections.abc import Iterator, Sequence
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
_CALCULATION = re.compile(
    r"\b(?:total|sum|plus|minus|add|subtract|difference|each|apiece|per|times|multipl|divide|double|triple|twice|half|"
    r"halve|percent|average|mean|split|altogether|combined|increase|decrease|reduce|raise|discount)|[%+*×÷]"
)
_YES_OR_NO = re.compile(r"\b(?:yes|yep|yeah|no|nope|not|don't|sure|please|ok|okay|of course|true|false)\b")
_MULTIPLES = {"double": 2.0, "triple": 3.0, "halve": 0.5}


def grounded(
    value: Any,
    parameter: ApiParameter | None,
    turns: Sequence[str],
    results: Sequence[str] = (),
    answers: Sequence[tuple[str, str]] = (),
) -> bool:
    """Whether the value can be traced to a source or is the parameter's default, by the rules above.

    Args:
        value: What a call is given.
        parameter: What it is given for, if that is known.
        turns: What the user said before the call.
        results: What earlier calls gave, each as its JSON.
        answers: The assistant's questions, each with the user's reply.
    """
    if parameter and parameter.default is not None and str(value).casefold() == str(parameter.default).casefold():
        return True
    if isinstance(value, list | dict):
        parts = value.values() if isinstance(value, dict) else value
        return all(grounded(part, None, turns, results, answers) for part in parts)
    if isinstance(value, bool):
        return parameter is not None and _boolean_given(value, parameter.name, turns, results, answers)
    said, found = [fold(turn) for turn in turns], [fold(result) for result in results]
    texts = [*said, *found]
    if isinstance(value, int | float):
        return _number_given(value, texts) or _computed(value, said, found)
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


def _boolean_given(
    value: bool, name: str, turns: Sequence[str], results: Sequence[str], answers: Sequence[tuple[str, str]]
) -> bool:
    if any(mentions(turn, name) for turn in turns):
        return True
    if any(mentions(question, name) and _YES_OR_NO.search(fold(reply)) for question, reply in answers):
        return True
    return any(re.search(rf'"{re.escape(name)}": ?{str(value).lower()}\b', result) for result in results)


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
    return any(_same(value, measure) for text in texts for measure in _measures(text))


def _computed(value: float, turns: Sequence[str], results: Sequence[str]) -> bool:
    """Whether one turn's or one result's numbers make the value; a small one could come of any two."""
    if abs(value) <= 12 and value == int(value):
        return False
    asked = [turn for turn in turns if _CALCULATION.search(turn)]
    sources = [*asked, *results] if asked else []
    return any(_same(value, made) for text in sources for made in _combined(_operands(text)))


def _operands(text: str) -> list[float]:
    """The numbers a source could calculate with, the last of very many."""
    multiples = [number for word, number in _MULTIPLES.items() if re.search(rf"\b{word}", text)]
    return [*numbers(text), *_shares(text), *multiples][-_MOST_NUMBERS:]


def _shares(text: str) -> Iterator[float]:
    """Percentages as factors, and what they leave and come to."""
    for match in re.finditer(r"(\d+(?:\.\d+)?)\s*(?:%|percent\b|per cent\b)", text):
        share = float(match[1]) / 100
        yield from (share, 1 - share, 1 + share)


def _measures(text: str) -> list[float]:
    """Numbers with a unit or a multiple, in the smaller units they could be meant in."""
    found = [(numbers(match[1]), match[2]) for match in _MEASURE.finditer(text)]
    return [amount * factor for amounts, unit in found for amount in amounts for factor in _FACTORS.get(unit, ())]


def _combined(given: Sequence[float]) -> set[float]:
    pairs = [(a, b) for i, a in enumerate(given) for b in given[i + 1 :]]
    plain = {result for a, b in pairs for result in (a + b, a - b, a * b, (a + b) / 2)}
    plain |= {sum(given), sum(given) / len(given)} if given else set()
    return plain | {a / b for first in pairs for a, b in (first, first[::-1]) if b}


def _same(value: float, number: float) -> bool:
    return abs(abs(value) - abs(number)) <= 1e-6 * max(1.0, abs(number))
