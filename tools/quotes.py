"""Comparing what models write with what a text says: quotations, short answers, numbers.

All comparisons fold case, white space and typographic variants (curly quotes, dashes), nothing more: a
quotation with another word in it is not one.
"""

import re
import unicodedata
from collections import Counter

_FOLD = str.maketrans({"‘": "'", "’": "'", "“": '"', "”": '"', "–": "-", "—": "-", "…": "...", " ": " "})
_ARTICLES = re.compile(r"\b(?:a|an|the)\b")
_NUMBER = re.compile(r"[-−]?\d+(?:[,\u00a0\u2009\u202f]\d{3}\b)*(?:\.\d+)?|[-−]?\.\d+")
_WORDS = [
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
    "twenty",
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


def fold(text: str) -> str:
    """The text as comparisons see it: one case, one kind of quote and dash, single spaces."""
    return " ".join(unicodedata.normalize("NFKC", text).translate(_FOLD).casefold().split())


def contains(text: str, quote: str) -> bool:
    """Whether the quotation stands in the text word for word (outer quotes and final points ignored)."""
    wanted = fold(quote).strip(" \"'.;,…")
    return bool(wanted) and wanted in fold(text)


def bare(text: str) -> str:
    """A short answer reduced to its words: no articles, no punctuation."""
    return " ".join(re.sub(r"[^\w\s.%$€£-]|\.(?!\d)", " ", _ARTICLES.sub(" ", fold(text))).split())


def overlap(first: str, second: str) -> float:
    """Token F1 of two short answers, between 0 and 1 (as in SQuAD's evaluation)."""
    a, b = Counter(bare(first).split()), Counter(bare(second).split())
    shared = sum((a & b).values())
    return 2 * shared / (a.total() + b.total()) if shared else 0.0


def numbers(text: str) -> list[float]:
    """Every number the text states, in digits or in simple words, in order."""
    found = [(match.start(), _value(match[0])) for match in _NUMBER.finditer(text)]
    for match in re.finditer(r"[a-z]+", text.casefold()):
        if match[0] in NUMBER_WORDS:
            found.append((match.start(), NUMBER_WORDS[match[0]]))
    return [value for _, value in sorted(found)]


def same_number(first: float, second: float) -> bool:
    """Equal up to rounding in the fourth significant digit."""
    return abs(first - second) <= 5e-4 * max(abs(first), abs(second), 1e-9)


def _value(text: str) -> float:
    return float(re.sub(r"[,\u00a0\u2009\u202f]", "", text).replace("−", "-"))
