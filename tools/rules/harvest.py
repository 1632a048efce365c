"""Small things of a text that rules can work on: words, names, numbers, phrases."""

import re
from collections.abc import Sequence
from random import Random

_FENCE = re.compile(r"```\w*")
_SPARE_NAMES = ("Ada", "Bruno", "Clara", "Dario", "Edda", "Felix", "Greta", "Hugo", "Irma", "Jonas")
_SPARE_PLACES = ("Lund", "Porto", "Graz", "Turku", "Split", "Bergen", "Leuven", "Trento")
_NOT_NAMES = frozenset(
    ["the", "this", "that", "these", "those", "when", "where", "what", "which", "while", "there", "they", "then"]
)


def words(text: str, least: int = 4, most: int = 9) -> list[str]:
    """Different plain words of a text in lower case, in order."""
    found = re.findall(rf"\b[a-z]{{{least},{most}}}\b", _FENCE.sub(" ", text.lower()))
    return list(dict.fromkeys(found))


def names(text: str) -> list[str]:
    """Words that a text writes with a capital within its sentences, then some that any text could have."""
    found = re.findall(r"(?<=[a-z,;] )[A-Z][a-z]{2,9}\b", text)
    kept = [name for name in dict.fromkeys(found) if name.lower() not in _NOT_NAMES]
    return [*kept[:10], *(name for name in _SPARE_NAMES if name not in kept)]


def places(text: str) -> list[str]:
    """Names from the end of those of a text, then some towns."""
    found = re.findall(r"\b(?:in|at|from|near|to) ([A-Z][a-z]{2,11})\b", text)
    kept = [name for name in dict.fromkeys(found) if name.lower() not in _NOT_NAMES]
    return [*kept[:6], *(name for name in _SPARE_PLACES if name not in kept)]


def amounts(text: str, draw: Random, count: int, least: int = 2, most: int = 99) -> list[int]:
    """Whole numbers within bounds: those of a text first, then by chance; all different."""
    found = [int(n) for n in re.findall(r"\b\d{1,4}\b", text) if least <= int(n) <= most]
    rest = draw.sample(range(least, most + 1), min(count, most - least + 1))
    return list(dict.fromkeys([*found[: count // 2], *rest]))[:count]


def phrases(text: str, least: int = 2, most: int = 9) -> list[str]:
    """Different short runs of words, cut at punctuation, in order."""
    parts = re.split(r"[.!?;:,()\[\]{}\"“”\n]+", _FENCE.sub(" ", text))
    cleaned = (" ".join(re.findall(r"[\w'’-]+", part)) for part in parts)
    return list(dict.fromkeys(part for part in cleaned if least <= len(part.split()) <= most))


def some(found: Sequence[str], draw: Random, count: int) -> list[str]:
    """Up to so many of them, in an order by chance."""
    return draw.sample(list(found), min(count, len(found)))
