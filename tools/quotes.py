"""Comparing what models write with what a text says: quotations, short answers, numbers.

All comparisons fold case, white space and typographic variants (curly quotes, dashes), nothing more: a
quotation with another word in it is not one.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Callable
from functools import lru_cache, wraps
from math import isfinite
from operator import itemgetter

_FOLD = {
    **dict.fromkeys("‘’‚‛", "'"),
    **dict.fromkeys("“”„‟", '"'),
    **dict.fromkeys("‐‑‒–—―−", "-"),
    **dict.fromkeys("\u00ad\u200b\u2060\ufeff", ""),
}
_ARTICLES = re.compile(r"\b(?:a|an|the)\b")
_NUMBER = re.compile(r"(?:(?<![\w.)])[-−])?(?:\d+(?:[,\u00a0\u2009\u202f]\d{3}\b)*(?:\.\d+)?|\.\d+)")
_SCALE = re.compile(r"\s*(hundred|thousand|million|billion)\b", re.IGNORECASE)
_SPACED = re.compile(r"[0-9a-z\u00c0-\u058f]")
"""Letters of scripts that put spaces between words."""
_WORDS = [
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"),
    *("eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen", "twenty"),
]
NUMBER_WORDS = {word: float(value) for value, word in enumerate(_WORDS)} | {
    "thirty": 30.0,
    "forty": 40.0,
    "fifty": 50.0,
    "sixty": 60.0,
    "seventy": 70.0,
    "eighty": 80.0,
    "ninety": 90.0,
    "dozen": 12.0,
    "hundred": 100.0,
    "thousand": 1000.0,
    "million": 1e6,
    "billion": 1e9,
    "half": 0.5,
    "twice": 2.0,
    "once": 1.0,
}

_WORD = rf"\b(?:{'|'.join(NUMBER_WORDS)})\b"
_SPELT = re.compile(rf"{_WORD}(?:(?:\s+and\s+|\s+|-){_WORD})*", re.IGNORECASE)


_MOST = 0.5
_NOT = re.compile(r"\b(?:not|never|no|without|cannot)\b|n't\b")
_NEGATIVE = re.compile(rf"{_NOT.pattern}|\b(?:nobody|none|nothing|neither|nor|nowhere|un\w{{3,}})\b")
"""Whatever may deny something: where one of two answers has it and the other says "not", only a reader can tell."""
_LEAD = re.compile(
    rf"[^\w.−-]*(?:(?:about|around|roughly|approximately|exactly|nearly|almost)\b\W*)?"
    rf"(?>{_NUMBER.pattern}|{_SPELT.pattern})(?>(?:{_SCALE.pattern})?)"
    r"(?!\s*(?:[-+/×÷^−–]|\*+\s*[\d(]|(?:and|to|or)\b)"
    r"|[^\n]*\b(?:plus|minus|times|divided|less|so|thus|hence|therefore|gives|makes)\b)",
    re.IGNORECASE,
)
"""A number at the start that stands for itself: no sum, range or choice of numbers begins with it."""
_UNITS = {
    name: names.split()[0]
    for names in (
        "second seconds sec secs",
        "minute minutes min mins",
        "hour hours hr hrs",
        "day days",
        "week weeks",
        "month months",
        "year years yr yrs",
        "decade decades",
        "century centuries",
        "mm millimetre millimetres millimeter millimeters",
        "cm centimetre centimetres centimeter centimeters",
        "metre metres meter meters",
        "km kilometre kilometres kilometer kilometers",
        "inch inches",
        "foot feet ft",
        "yard yards",
        "mile miles",
        "acre acres",
        "hectare hectares",
        "gram grams gramme grammes",
        "kg kilogram kilograms kilo kilos",
        "ton tons tonne tonnes",
        "ounce ounces",
        "litre litres liter liters",
        "gallon gallons",
        "dollar dollars $",
        "euro euros €",
        "percent %",
    )
    for name in names.split()
}


LONG = 400
"""Characters beyond which a text is a passage, of which fewer are remembered: they are of the drafts in flight."""
Reduced = Callable[[str], str]


def remembered(passages: int) -> Callable[[Reduced], Reduced]:
    """Remembers what becomes of 4,096 short texts, and of so many passages."""

    def kept(reduce: Reduced) -> Reduced:
        short, long = lru_cache(maxsize=4096)(reduce), lru_cache(maxsize=passages)(reduce)
        return wraps(reduce)(lambda text: long(text) if len(text) > LONG else short(text))

    return kept


@remembered(512)
def fold(text: str) -> str:
    """The text as comparisons see it: one case, one kind of quote and dash, single spaces."""
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)
        for mark, plain in _FOLD.items():  # a dozen quick searches: `translate` looks every letter up
            if mark in text:
                text = text.replace(mark, plain)
    return " ".join(text.casefold().split())


@lru_cache(maxsize=256)
def _one_mark(text: str) -> str:
    """The text folded, with one quotation mark: inside the strings of a reply, models write the other one."""
    return fold(text).replace('"', "'")


def contains(text: str, quote: str) -> bool:
    """Whether the quotation stands in the text word for word (outer and final marks and the kind of quotes aside)."""
    wanted = _one_mark(quote).strip(" '.;,…")
    if not wanted:
        return False
    whole = _one_mark(text)
    before, after = (_SPACED.match(wanted[end]) is not None for end in (0, -1))
    at = whole.find(wanted)
    while at >= 0:
        end = at + len(wanted)
        if not (before and at and _in_word(whole[at - 1])) and not (
            after and end < len(whole) and _in_word(whole[end])
        ):
            return True
        at = whole.find(wanted, at + 1)
    return False


def _in_word(letter: str) -> bool:
    return letter.isalnum() or letter == "_"


@remembered(256)
def bare(text: str) -> str:
    """A short answer reduced to its words: no articles, no punctuation."""
    return " ".join(re.sub(r"[^\w\s.%$€£-]|\.(?!\d)", " ", _ARTICLES.sub(" ", fold(text))).split())


def overlap(first: str, second: str) -> float:
    """Token F1 of two short answers, between 0 and 1 (as in SQuAD's evaluation)."""
    a, b = Counter(bare(first).split()), Counter(bare(second).split())
    shared = sum((a & b).values())
    return 2 * shared / (a.total() + b.total()) if shared else 0.0


def numbers(text: str) -> list[float]:
    """Every number the text states, in digits or in words, in order; `3.5 million` is 3.5 and 3,500,000."""
    found: list[tuple[int, float]] = []
    for match in _NUMBER.finditer(text):
        found.append((match.start(), _value(match[0])))
        if scale := _SCALE.match(text, match.end()):
            found.append((scale.start(1), _value(match[0]) * NUMBER_WORDS[scale[1].casefold()]))
    scaled = {start for start, _ in found}
    for match in _SPELT.finditer(text):
        if match.start() not in scaled:
            found += [(match.start(), value) for value in _spelt(re.findall("[a-z]+", match[0].casefold()))]
    return [value for _, value in sorted(found, key=itemgetter(0)) if isfinite(value)]


def _spelt(words: list[str]) -> list[float]:
    """The numbers that a run of number words makes: tens and units are one, and so is what a scale multiplies."""
    values: list[float] = []
    for value in (NUMBER_WORDS[word] for word in words if word != "and"):
        last = values[-1] if values else 0.0
        room = 100 if 100 <= last < 1000 else 10
        if 20 <= last < 1000 and last % room == 0 and 1 <= value < room:
            values[-1] += value
        elif 0 < last < value and value in (12, 100):
            values[-1] *= value
        elif 0 < last < value and value >= 1000:
            values.append(last * value)
        else:
            values.append(value)
    return values


def same_number(first: float, second: float) -> bool:
    """Whole numbers must be equal; others up to rounding, a thousandth of the greater and never more than a half."""
    if first % 1 == 0 == second % 1:
        return first == second
    return abs(first - second) <= min(1e-3 * max(abs(first), abs(second)), 0.5)


def stated_number(answer: str) -> float | None:
    """What a final answer comes to: the number after its last `=`, one it begins with, or else its last."""
    said = answer.rpartition("=")[2]
    lead = _LEAD.match(said)
    found = (numbers(lead[0]) if lead else []) or numbers(said)
    return found[-1] if found else None


def units(text: str) -> set[str]:
    """The units of measure a text names, each by one name; what is no well-known unit is left out."""
    words = re.findall(r"[a-z]+|[$€%]", fold(text).replace("per cent", "percent"))
    return {_UNITS[word] for word in words if word in _UNITS}


def within(quote: str, answer: str) -> bool:
    """Whether an answer holds a whole quotation word for word, or is itself most of its words."""
    most = len(bare(answer).split()) > _MOST * len(bare(quote).split())
    return contains(answer, quote) or (most and contains(quote, answer))


def contradicts(first: str, second: str) -> bool:
    """Whether two answers cannot mean the same: each states a number the other does not, or only one has a "not"."""
    a, b = set(numbers(first)), set(numbers(second))
    if a - b and b - a:
        return True
    one, other = fold(first), fold(second)
    return any(_NOT.search(x) and not _NEGATIVE.search(y) for x, y in ((one, other), (other, one)))


def _value(text: str) -> float:
    return float(re.sub(r"[,\u00a0\u2009\u202f]", "", text).replace("−", "-"))
