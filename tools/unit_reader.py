"""Units of measure as people write them → a scale, a pint unit, and the nouns that are counted."""

import re
from collections import Counter
from fractions import Fraction
from functools import lru_cache
from typing import Any

from agentinstruct.tools.unit_names import COMPOUND, DEFINITIONS, SCALES, UNITLESS, singular, unit_named

MAX_UNIT = 120
MAX_POWER = 6
MAX_VALUE = 1e60
_SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-")
_TOKEN = re.compile(
    r"(?P<number>\d+(?:\.\d+)?(?:e[+-]?\d{1,2})?)(?![\w])|(?P<word>[^\W\d_][\w'’]*|[%$€£¥₹°][CF]?)"
    r"|(?P<power>(?:\^|\*\*)\s*\(?(?P<exponent>-?\d{1,2})\)?)|(?P<sign>[/*()~])"
)
_FILLERS = frozenset(("a", "an", "the", "each", "single", "average", "one", "total"))
Nouns = frozenset[tuple[str, Fraction]]
"""What is counted, each with its power."""


class UnitError(ValueError):
    """A unit that cannot be read, units that do not go together, or a size beyond the limits."""


@lru_cache(maxsize=1)
def registry() -> Any:
    """pint's units and our own, made once."""
    try:
        import pint
    except ImportError as error:
        raise RuntimeError("Units need pint: pip install 'agentinstruct[solve]'") from error
    made: Any = pint.UnitRegistry(cache_folder=None)
    for definition in DEFINITIONS:
        made.define(definition)
    return made


@lru_cache(maxsize=2048)
def read_unit(text: str) -> tuple[float, Any, Nouns]:
    """A unit as scale, pint unit and nouns."""
    if len(text) > MAX_UNIT:
        raise UnitError(f"The unit has {len(text)} characters; {MAX_UNIT} are allowed.")
    said = re.sub(r"\bper\b", " / ", re.sub(r"[·⋅×]", "*", text.strip().translate(_SUPERSCRIPTS)))
    said = re.sub(r"(?<=[a-zA-Z])(?=-\d)", "^", re.sub(r"(?<=[a-z]{2})-(?=[a-zA-Z])", "~", said))
    said = re.sub(r"\b(square|sq|cubic)\.? ([a-z]+)", lambda m: f"{m[2]}^{3 if m[1] == 'cubic' else 2}", said)
    if said.casefold() in UNITLESS or not said:
        return 1.0, registry().dimensionless, frozenset()
    return _Reader(re.sub(r"\bof\b[^/*()~]*", " ", said), text).read()


class _Reader:
    """Takes a unit apart: words in a run multiply, a slash divides by the run or the bracket after it."""

    def __init__(self, said: str, text: str) -> None:
        self.scale, self.measure, self.nouns = 1.0, registry().dimensionless, Counter[str]()
        self.text, self.run = text, list[str]()
        self.tokens = list(_TOKEN.finditer(said))
        if re.sub(r"[\s.,]", "", _TOKEN.sub("", said)):
            raise UnitError(f"{text!r} is not a unit.")

    def read(self) -> tuple[float, Any, Nouns]:
        """The parts, multiplied."""
        below, inside = False, False
        for at, token in enumerate(self.tokens):
            if token["word"]:
                self._word(token["word"], self._exponent(at), -1 if below else 1)
            elif token["number"]:
                self._number(float(token["number"]), below)
            elif token["sign"]:
                self._flush(-1 if below else 1)
                inside = token["sign"] == "(" or (inside and token["sign"] != ")")
                below = token["sign"] == "/" or (below and (inside or token["sign"] in "(~"))
        self._flush(-1 if below else 1)
        return self.scale, self.measure, frozenset((n, Fraction(p)) for n, p in self.nouns.items() if p)

    def _number(self, number: float, below: bool) -> None:
        if not 1e-12 < number < 1e12:
            raise UnitError(f"{number:g} is no factor of a unit.")
        self.scale *= 1 / number if below else number

    def _exponent(self, at: int) -> int:
        after = self.tokens[at + 1] if at + 1 < len(self.tokens) else None
        power = int(after["exponent"]) if after and after["power"] else 1
        if abs(power) > MAX_POWER:
            raise UnitError(f"The power {power} in {self.text!r} is too large.")
        return power

    def _word(self, word: str, power: int, way: int) -> None:
        if word in COMPOUND:
            scale, measure, nouns = read_unit(COMPOUND[word])
            self.scale, self.measure = self.scale * scale ** (way * power), self.measure * measure ** (way * power)
            self.nouns.update({name: int(p) * way * power for name, p in nouns})
        elif word.casefold() in SCALES:
            self.scale *= SCALES[word.casefold()] ** way
        elif unit := unit_named(word):
            self.run.clear()  # words before a unit of measure describe it: `working hours`
            self.measure = self.measure * registry().Unit(unit) ** (way * power)
        elif word.casefold() not in _FILLERS | UNITLESS:
            self.run.append(word)
            if power != 1:
                self._flush(way * power)

    def _flush(self, power: int) -> None:
        """A run of other words is one noun, known by its last: `piano tuners` are tuners."""
        if self.run:
            self.nouns[singular(self.run[-1])] += power
            self.run.clear()
