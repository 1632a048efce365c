"""Calculations that writers write: what an expression comes to, and where its figures are from."""

from collections.abc import Sequence

from agentinstruct.tools.calculate import CalculateError, evaluate
from agentinstruct.tools.quotes import numbers, same_number

CONSTANTS = (1, 2, 7, 10, 12, 24, 30, 52, 60, 100, 365, 1000, 3600)
"""Numbers that a calculation may use though no passage states them: those that convert units, and 1 and 2."""


def worked_out(expression: str) -> float:
    """The number that an expression comes to.

    Raises:
        CalculateError: it has no value, or one that is no number.
    """
    value = evaluate(expression)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise CalculateError(f"{expression!r} gives {value!r}, which is no number.")
    return value


def unstated(expression: str, stated: Sequence[float]) -> list[float]:
    """The numbers of an expression that are neither stated nor convert units."""
    return _without([abs(n) for n in numbers(expression)], [*map(abs, stated), *CONSTANTS])


def unused(expression: str, stated: Sequence[float]) -> list[float]:
    """The stated numbers that an expression does without."""
    return _without([abs(n) for n in stated], [abs(n) for n in numbers(expression)])


def _without(wanted: Sequence[float], known: Sequence[float]) -> list[float]:
    return [value for value in wanted if not any(same_number(value, float(other)) for other in known)]
