"""Quantities with units: read, computed with, converted, and their dimensions compared.

Physical units are pint's, by a closed list of names. Anything else in a unit (`tunings/piano/year`) is a noun that
is counted: nouns multiply and cancel like units do, so an estimate's labels can be checked as well as its metres.
No text is evaluated: units are taken apart here, formulas are walked over a whitelisted syntax, sizes are limited.
"""

import ast
import math
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from agentinstruct.tools.calculate import CalculateError, check_expression
from agentinstruct.tools.unit_names import COMPOUND, DEFINITIONS, SCALES, UNITLESS, singular, unit_named

if TYPE_CHECKING:
    from langchain_core.tools import BaseTool

__all__ = ["Quantity", "UnitError", "compute", "convert", "quantity", "units_tool"]

MAX_UNIT = 120
MAX_POWER = 6
MAX_VALUE = 1e60
_SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-")
_TOKEN = re.compile(
    r"(?P<number>\d+(?:\.\d+)?(?:e[+-]?\d{1,2})?)(?![\w])|(?P<word>[^\W\d_][\w'’]*|[%$€£¥₹°][CF]?)"
    r"|(?P<power>(?:\^|\*\*)\s*\(?(?P<exponent>-?\d{1,2})\)?)|(?P<sign>[/*()~])"
)
_OFFSETS = {"celsius": "degC", "degc": "degC", "°c": "degC", "fahrenheit": "degF", "degf": "degF", "°f": "degF"}
_OFFSETS |= {"kelvin": "kelvin", "k": "kelvin"}
_FILLERS = frozenset(("a", "an", "the", "each", "single", "average", "one", "total"))
_SAME_KIND = frozenset(("min", "max", "sum", "abs", "round", "floor", "ceil", "mean"))

Nouns = frozenset[tuple[str, Fraction]]
"""What is counted, each with its power."""


class UnitError(ValueError):
    """A unit that cannot be read, units that do not go together, or a size beyond the limits."""


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number with its unit of measure and with what it counts."""

    magnitude: float
    measure: Any
    """A pint unit."""
    nouns: Nouns | None = frozenset()
    """None where things of several kinds were added up."""

    @property
    def dimension(self) -> str:
        """Its physical dimension in pint's words, such as `[length] / [time]`; `dimensionless` for a plain number."""
        return str(self.measure.dimensionality)

    def to(self, unit: str) -> float:
        """Its magnitude in another unit of the same dimension; what is counted is not compared."""
        other = quantity(1, unit)
        if self.measure.dimensionality != other.measure.dimensionality:
            raise UnitError(f"{self.dimension} is not {other.dimension} ({unit})")
        scale = _registry().Quantity(self.magnitude, self.measure).to(other.measure).magnitude
        return float(scale / other.magnitude)


def quantity(value: float, unit: str = "") -> Quantity:
    """A value with its unit, such as (2.5, "tunings per piano per year"); raises UnitError."""
    scale, measure, nouns = _read(unit)
    return _made(float(value) * scale, measure, nouns)


def convert(value: float, unit: str, to: str) -> float:
    """The value in another unit of the same dimension; bare temperatures are converted with their zero points."""
    first, second = (_OFFSETS.get(name.strip().casefold()) for name in (unit, to))
    if first and second and abs(value) < MAX_VALUE:
        return float(_registry().Quantity(value, first).to(second).magnitude)
    return quantity(value, unit).to(to)


def compute(formula: str, names: Mapping[str, Quantity]) -> Quantity:
    """A formula over named quantities, worked out with their units; raises UnitError and nothing else."""
    try:
        check_expression(formula, names)
        return _value(ast.parse(formula.strip(), mode="eval").body, names)
    except CalculateError as error:
        raise UnitError(str(error)) from error
    except (ArithmeticError, ValueError, TypeError) as error:
        raise error if isinstance(error, UnitError) else UnitError(f"{formula!r} has no value: {error}") from error


@lru_cache(maxsize=1)
def _registry() -> Any:
    try:
        import pint
    except ImportError as error:
        raise RuntimeError("Units need pint: pip install 'agentinstruct[solve]'") from error
    registry = pint.UnitRegistry(cache_folder=None)
    for definition in DEFINITIONS:
        registry.define(definition)
    return registry


@lru_cache(maxsize=2048)
def _read(text: str) -> tuple[float, Any, Nouns]:
    """A unit as scale, pint unit and nouns."""
    if len(text) > MAX_UNIT:
        raise UnitError(f"The unit has {len(text)} characters; {MAX_UNIT} are allowed.")
    said = re.sub(r"\bper\b", " / ", re.sub(r"[·⋅×]", "*", text.strip().translate(_SUPERSCRIPTS)))
    said = re.sub(r"(?<=[a-zA-Z])(?=-\d)", "^", re.sub(r"(?<=[a-z]{2})-(?=[a-zA-Z])", "~", said))
    said = re.sub(r"\b(square|sq|cubic)\.? ([a-z]+)", lambda m: f"{m[2]}^{3 if m[1] == 'cubic' else 2}", said)
    if said.casefold() in UNITLESS or not said:
        return 1.0, _registry().dimensionless, frozenset()
    return _Reader(re.sub(r"\bof\b[^/*()~]*", " ", said), text).read()


class _Reader:
    """Takes a unit apart: words in a run multiply, a slash divides by the run or the bracket after it."""

    def __init__(self, said: str, text: str) -> None:
        self.scale, self.measure, self.nouns = 1.0, _registry().dimensionless, Counter[str]()
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
            scale, measure, nouns = _read(COMPOUND[word])
            self.scale, self.measure = self.scale * scale ** (way * power), self.measure * measure ** (way * power)
            self.nouns.update({name: int(p) * way * power for name, p in nouns})
        elif word.casefold() in SCALES:
            self.scale *= SCALES[word.casefold()] ** way
        elif unit := unit_named(word):
            self.run.clear()  # words before a unit of measure describe it: `working hours`
            self.measure = self.measure * _registry().Unit(unit) ** (way * power)
        elif word.casefold() not in _FILLERS | UNITLESS:
            self.run.append(word)
            if power != 1:
                self._flush(way * power)

    def _flush(self, power: int) -> None:
        """A run of other words is one noun, known by its last: `piano tuners` are tuners."""
        if self.run:
            self.nouns[singular(self.run[-1])] += power
            self.run.clear()


def _made(magnitude: float, measure: Any, nouns: Nouns | None) -> Quantity:
    if not math.isfinite(magnitude) or abs(magnitude) > MAX_VALUE:
        raise UnitError("A number grows too large.")
    return Quantity(magnitude, measure, nouns)


def _value(node: ast.AST, names: Mapping[str, Quantity]) -> Quantity:
    match node:
        case ast.Constant(value=bool()):
            raise UnitError("A formula holds numbers and names only.")
        case ast.Constant(value=int() | float() as number):
            return quantity(number)
        case ast.Name(id=name) if name in names:
            return names[name]
        case ast.UnaryOp(op=ast.USub() | ast.UAdd() as sign, operand=operand):
            value = _value(operand, names)
            return _made(-value.magnitude if isinstance(sign, ast.USub) else value.magnitude, value.measure, value.nouns)
        case ast.BinOp(left=left, op=op, right=right):
            return _binary(op, _value(left, names), _value(right, names))
        case ast.Call(func=ast.Name(id=function), args=arguments) if arguments:
            return _called(function, [_value(argument, names) for argument in arguments])
    raise UnitError("A formula holds numbers, names, + - * / **, sqrt, min, max, sum, abs and round only.")


def _binary(op: ast.operator, left: Quantity, right: Quantity) -> Quantity:
    match op:
        case ast.Mult():
            return _made(
                left.magnitude * right.magnitude, left.measure * right.measure, _joined(left.nouns, right.nouns, 1)
            )
        case ast.Div():
            return _made(
                left.magnitude / right.magnitude, left.measure / right.measure, _joined(left.nouns, right.nouns, -1)
            )
        case ast.Pow():
            return _power(left, right)
        case ast.Add() | ast.Sub():
            sign = 1 if isinstance(op, ast.Add) else -1
            return _made(
                left.magnitude + sign * _in(right, left), left.measure, left.nouns if left.nouns == right.nouns else None
            )
    raise UnitError("Of the operators, only + - * / and ** may be used.")


def _joined(left: Nouns | None, right: Nouns | None, way: int) -> Nouns | None:
    if left is None or right is None:
        return None
    powers = dict(left)
    for name, power in right:
        powers[name] = powers.get(name, Fraction(0)) + way * power
    return frozenset((name, power) for name, power in powers.items() if power)


def _power(base: Quantity, exponent: Quantity) -> Quantity:
    power = exponent.magnitude
    plain = exponent.measure.dimensionless and not exponent.nouns
    if not plain or abs(power) > 64 or (abs(power) > MAX_POWER and not base.measure.dimensionless):
        raise UnitError("A power must be a small plain number.")
    share = Fraction(power).limit_denominator(12)
    nouns = None if base.nouns is None else frozenset((name, p * share) for name, p in base.nouns if share)
    result = base.magnitude**power
    if isinstance(result, complex):
        raise UnitError("A root of a negative number has no real value.")
    return _made(result, base.measure**power, nouns)


def _in(value: Quantity, like: Quantity) -> float:
    """The magnitude in the unit of another quantity, with which it is added or compared."""
    if value.measure.dimensionality != like.measure.dimensionality:
        raise UnitError(f"{value.dimension} and {like.dimension} cannot be added or compared.")
    return float(_registry().Quantity(value.magnitude, value.measure).to(like.measure).magnitude)


def _called(function: str, arguments: list[Quantity]) -> Quantity:
    first = arguments[0]
    if function == "sqrt":
        return _power(first, quantity(0.5))
    if function not in _SAME_KIND:
        raise UnitError(f"{function} cannot be used with units.")
    values = [_in(argument, first) for argument in arguments]
    one = {"abs": abs, "round": round, "floor": math.floor, "ceil": math.ceil}
    several = {"min": min, "max": max, "sum": sum, "mean": lambda found: sum(found) / len(found)}
    result = one[function](values[0]) if function in one else several[function](values)
    nouns = first.nouns if len({argument.nouns for argument in arguments}) == 1 else None
    return _made(float(result), first.measure, nouns)


def units_tool() -> "BaseTool":
    """The LangChain tool `convert_units`, for agents that may convert while they answer."""
    from langchain_core.tools import tool

    @tool
    def convert_units(value: float, unit: str, to: str) -> str:
        """Convert a value from one unit to another of the same dimension, such as 3 acre → m^2 or 1 year → hour."""
        try:
            return f"{value:g} {unit} = {convert(value, unit, to):.6g} {to}"
        except UnitError as error:
            return f"error: {error}"

    return convert_units
