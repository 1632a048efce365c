"""Quantities with units: read, computed with, converted, and their dimensions compared.

Physical units are pint's, by a closed list of names. Anything else in a unit (`tunings/piano/year`) is a noun that
is counted: nouns multiply and cancel like units do, so an estimate's labels can be checked as well as its metres.
No text is evaluated: units are taken apart here, formulas are walked over a whitelisted syntax, sizes are limited.
"""

import ast
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from statistics import fmean
from typing import TYPE_CHECKING, Any

from agentinstruct.tools.calculate import CalculateError, check_expression
from agentinstruct.tools.unit_reader import MAX_POWER, MAX_VALUE, Nouns, UnitError, read_unit, registry

if TYPE_CHECKING:
    from langchain_core.tools import BaseTool


__all__ = ["Quantity", "UnitError", "compute", "convert", "quantity", "units_tool"]

_OFFSETS = {"celsius": "degC", "degc": "degC", "°c": "degC", "fahrenheit": "degF", "degf": "degF", "°f": "degF"}
_OFFSETS |= {"kelvin": "kelvin", "k": "kelvin"}
_SAME_KIND = frozenset(("min", "max", "sum", "abs", "round", "floor", "ceil", "mean"))


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
        scale = registry().Quantity(self.magnitude, self.measure).to(other.measure).magnitude
        return float(scale / other.magnitude)


def quantity(value: float, unit: str = "") -> Quantity:
    """A value with its unit, such as (2.5, "tunings per piano per year"); raises UnitError."""
    scale, measure, nouns = read_unit(unit)
    return _made(float(value) * scale, measure, nouns)


def convert(value: float, unit: str, to: str) -> float:
    """The value in another unit of the same dimension; bare temperatures are converted with their zero points."""
    first, second = (_OFFSETS.get(name.strip().casefold()) for name in (unit, to))
    if first and second and abs(value) < MAX_VALUE:
        return float(registry().Quantity(value, first).to(second).magnitude)
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
            return _made(
                -value.magnitude if isinstance(sign, ast.USub) else value.magnitude, value.measure, value.nouns
            )
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
                left.magnitude + sign * _in(right, left),
                left.measure,
                left.nouns if left.nouns == right.nouns else None,
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
    return float(registry().Quantity(value.magnitude, value.measure).to(like.measure).magnitude)


def _called(function: str, arguments: list[Quantity]) -> Quantity:
    first = arguments[0]
    if function == "sqrt":
        return _power(first, quantity(0.5))
    if function not in _SAME_KIND:
        raise UnitError(f"{function} cannot be used with units.")
    values = [_in(argument, first) for argument in arguments]
    one: dict[str, Callable[[float], float]] = {"abs": abs, "round": round, "floor": math.floor, "ceil": math.ceil}
    several: dict[str, Callable[[list[float]], float]] = {"min": min, "max": max, "sum": sum, "mean": fmean}
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
