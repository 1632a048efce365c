"""English numerals: the ways a figure can be put into words, and the numerals that stand in a text.

    figure ─ spellings ─ "two thousand twenty-four", "twenty twenty-four", "fifth", … (without "and" and hyphens)

Figures of more than fifteen digits are only read digit by digit.
"""

import re
from collections.abc import Iterator

_UNITS = (
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"),
    *("eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"),
)
_TENS = ("", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_SCALES = ((10**12, "trillion"), (10**9, "billion"), (10**6, "million"), (1000, "thousand"), (100, "hundred"))
_ORDINALS = {"one": "first", "two": "second", "three": "third", "five": "fifth", "eight": "eighth", "nine": "ninth"}
_ORDINALS |= {"twelve": "twelfth"}
_OTHERWISE = {
    "0": ("no", "none", "nil"),
    "1": ("a", "an", "once", "single"),
    "2": ("twice", "both", "half", "pair"),
    "0.5": ("half",),
    "12": ("dozen",),
}
_SCALE = "hundred|thousand|million|billion|trillion"
_WORD = rf"(?:{'|'.join((*_UNITS, *filter(None, _TENS)))}|{_SCALE})"
_RUN = re.compile(rf"\b{_WORD}(?:(?:(?<=hundred)|(?<=thousand)|(?<=illion))\s+and\s+{_WORD}|[\s-]+{_WORD})*\b", re.I)
_MOST_DIGITS = 15


def runs(text: str) -> Iterator[tuple[int, str]]:
    """Where numerals stand in a text, and how they read without hyphens and `and`; `one` alone is none."""
    for found in _RUN.finditer(text):
        words = [word for word in re.split(r"[\s-]+", found[0].lower()) if word != "and"]
        if words != ["one"]:
            yield found.start(), " ".join(words)


def smooth(text: str) -> str:
    """A text's words with single blanks around each, without `and`: what a spelling is looked for in."""
    words = [word for word in re.findall(r"[^\W_]+", text.lower()) if word != "and"]
    return f" {' '.join(words)} "


def spellings(figure: str) -> frozenset[str]:
    """All ways to put a figure such as `1,250` or `3.5` into words: cardinal, ordinal, as a year, by digits."""
    whole, _, decimals = figure.replace(",", "").partition(".")
    cardinals = {" ".join(_UNITS[int(digit)] for digit in whole)}
    if len(whole) <= _MOST_DIGITS:
        cardinals |= {_cardinal(int(whole)), *_by_hundreds(int(whole))}
    cardinals |= {spelt.removeprefix("one ") for spelt in cardinals}
    idioms = set(_OTHERWISE.get(figure, ()))
    if not decimals:
        return frozenset(cardinals | idioms | {*map(_ordinal, cardinals)} | {*map(_plural, cardinals)})
    rest = " ".join(_UNITS[int(digit)] if digit.isdigit() else "point" for digit in decimals)
    return frozenset(idioms | {f"{spelt} point {rest}" for spelt in cardinals} | {f"point {rest}"})


def _cardinal(number: int) -> str:
    if number < 20:
        return _UNITS[number]
    if number < 100:
        return f"{_TENS[number // 10]} {_UNITS[number % 10] if number % 10 else ''}".strip()
    scale, name = next(pair for pair in _SCALES if number >= pair[0])
    rest = _cardinal(number % scale) if number % scale else ""
    return f"{_cardinal(number // scale)} {name} {rest}".strip()


def _by_hundreds(number: int) -> Iterator[str]:
    """1999 as `nineteen ninety-nine` and `nineteen hundred ninety-nine`, 1905 as `nineteen oh five`."""
    if not 1000 < number < 10_000 or (number // 100 % 10 == 0 and number // 1000 != 2):
        return
    century, rest = _cardinal(number // 100), number % 100
    yield f"{century} hundred {_cardinal(rest) if rest else ''}".strip()
    if rest:
        yield f"{century} {'' if rest > 9 else 'oh '}{_cardinal(rest)}"


def _ordinal(spelt: str) -> str:
    head, _, last = spelt.rpartition(" ")
    regular = f"{last[:-1]}ieth" if last.endswith("y") else f"{last.removesuffix('t')}th"
    return f"{head} {_ORDINALS.get(last, regular)}".strip()


def _plural(spelt: str) -> str:
    return f"{spelt[:-1]}ies" if spelt.endswith("y") else f"{spelt}{'es' if spelt.endswith('x') else 's'}"
