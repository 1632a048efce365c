"""An estimate as a typed value: assumptions with units and reasons, a formula over their names, what it comes to.

The teacher replies with one, and so does every independent estimator. The program computes with it and renders it as
text, so what the user reads is what was checked.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from keyword import iskeyword
from typing import Self

from pydantic import Field, field_validator, model_validator

from agentinstruct.agents.records import Frozen
from agentinstruct.agents.replies import Solution
from agentinstruct.agents.spoken import Spoken
from agentinstruct.tools.calculate import CalculateError, check_expression
from agentinstruct.tools.units import Quantity, UnitError, compute, quantity

_FORMULA = "Arithmetic over the names of the assumptions: + - * / ** sqrt and numbers."
_UNIT = "Such as people, people/household, km/h, kWh/person/year; empty for a plain number."


class Quantified(Frozen):
    """A named value with its unit."""

    name: str = Field(description="A short name for the formula: small letters, digits, underscores.")
    value: float
    unit: str = Field(max_length=80, description=_UNIT)

    @field_validator("name")
    @classmethod
    def _identifier(cls, name: str) -> str:
        if not name.isidentifier() or iskeyword(name) or not name.isascii():
            raise ValueError(f"{name!r} cannot stand in a formula: use small letters, digits and underscores")
        return name

    @property
    def quantity(self) -> Quantity:
        """What the formula computes with."""
        return quantity(self.value, self.unit)


class Assumption(Quantified):
    """A value that is assumed, how far it may be off, and why it is a fair guess."""

    meaning: str = Field(min_length=3, description="What it is, as a noun phrase that a reader understands.")
    low: float = Field(description="The smallest value that would not surprise you, in the same unit.")
    high: float = Field(description="The largest.")
    reason: str = Field(min_length=8, description="Why this value, in a sentence. For a given: that it is given.")


@dataclass(frozen=True, slots=True)
class Claim:
    """What an estimate says a formula comes to."""

    what: str
    formula: str
    value: float
    unit: str


class Reckoned(Spoken):
    """What every estimate has: assumptions, a range, which assumption matters most, a second look."""

    approach: str = Field(min_length=20, description="How the question is taken apart, in one to three sentences.")
    assumptions: tuple[Assumption, ...] = Field(min_length=2, max_length=10)

    def claims(self) -> Iterator[Claim]:
        """What it says it comes to; the last one is the answer."""
        raise NotImplementedError

    @property
    def main(self) -> Claim:
        """The answer."""
        return list(self.claims())[-1]

    @model_validator(mode="after")
    def _computable(self) -> Self:
        names = [assumption.name for assumption in self.assumptions]
        if len(set(names)) < len(names):
            raise ValueError("two assumptions have the same name")
        for assumption in self.assumptions:
            readable(assumption.unit)
        formulas = [claim.formula for claim in self.claims()]
        for formula in formulas:
            checked_formula(formula, names)
        if unused := [name for name in names if not any(name in formula for formula in formulas)]:
            raise ValueError(f"no formula uses {unused[0]}")
        for claim in self.claims():
            readable(claim.unit)
        return self

    def with_values(self, changed: dict[str, float] | None = None) -> dict[str, Quantity]:
        """The assumptions as the formula computes with them, some at another value."""
        values = changed or {}
        return {a.name: quantity(values.get(a.name, a.value), a.unit) for a in self.assumptions}

    def outcome(self, claim: Claim, changed: dict[str, float] | None = None) -> float:
        """What a formula really comes to, in the unit of its claim; raises UnitError."""
        return compute(claim.formula, self.with_values(changed)).to(claim.unit)

    def swings(self) -> dict[str, float]:
        """For each assumption, the factor by which the answer moves over its range, all others kept."""
        found = {}
        for a in self.assumptions:
            ends = [abs(self.outcome(self.main, {a.name: value})) for value in (a.low, a.high)]
            found[a.name] = max(ends) / min(ends) if min(ends) > 0 else math.inf
        return found

    def corners(self) -> tuple[float, float]:
        """The smallest and the largest answer with every assumption at one of its ends."""
        ends = [(a.low, a.high) if a.low != a.high else (a.value,) for a in self.assumptions]
        found = [self.outcome(self.main)]
        for corner in range(math.prod(map(len, ends))):
            chosen = {}
            for a, options in zip(self.assumptions, ends, strict=True):
                corner, at = divmod(corner, len(options))
                chosen[a.name] = options[at]
            found.append(self.outcome(self.main, chosen))
        return min(found), max(found)


class Estimated(Reckoned):
    """An estimate of one quantity."""

    formula: str = Field(max_length=300, description=_FORMULA)
    result: float = Field(description="What the formula comes to, rounded to two or three significant digits.")
    unit: str = Field(max_length=80, description="The unit of the result.")
    order_of_magnitude: int = Field(
        ge=-60, le=60, description="n, where the result is about 10 to the n, in this unit."
    )
    low: float = Field(description="The smallest result that the assumptions allow with fair confidence.")
    high: float = Field(description="The largest.")
    dominant: str = Field(description="The name of the assumption whose range moves the result most.")
    sanity: str = Field(
        min_length=20, description="A check by another way or against something known, with its numbers."
    )
    conclusion: str = Field(min_length=10, description="The answer to the question in a sentence or two.")

    def claims(self) -> Iterator[Claim]:
        """The result."""
        yield Claim("the result", self.formula, self.result, self.unit)

    @property
    def text(self) -> str:
        """The estimate as a user reads it."""
        from agentinstruct.agents.estimate_text import estimate_text

        return estimate_text(self)


class Compared(Reckoned):
    """Two magnitudes estimated and set against each other."""

    first_formula: str = Field(max_length=300, description=_FORMULA)
    first_result: float
    second_formula: str = Field(max_length=300, description=_FORMULA)
    second_result: float
    unit: str = Field(max_length=80, description="The unit of both results.")
    factor: float = Field(gt=0, description="The first result divided by the second.")
    low: float = Field(gt=0, description="The smallest factor that the assumptions allow with fair confidence.")
    high: float = Field(gt=0, description="The largest.")
    dominant: str = Field(description="The name of the assumption whose range moves the factor most.")
    sanity: str = Field(
        min_length=20, description="A check by another way or against something known, with its numbers."
    )
    conclusion: str = Field(min_length=10, description="Which is greater and by how much, in a sentence or two.")

    @property
    def result(self) -> float:
        """The factor."""
        return self.factor

    def claims(self) -> Iterator[Claim]:
        """Both results and their ratio."""
        yield Claim("the first result", self.first_formula, self.first_result, self.unit)
        yield Claim("the second result", self.second_formula, self.second_result, self.unit)
        yield Claim("the factor", f"({self.first_formula}) / ({self.second_formula})", self.factor, "")

    @property
    def text(self) -> str:
        """The comparison as a user reads it."""
        from agentinstruct.agents.estimate_text import comparison_text

        return comparison_text(self)


class Estimator(Solution):
    """An independent estimator's reply: what its formula comes to is computed, not taken from its words."""

    assumptions: tuple[Quantified, ...] = Field(min_length=1, max_length=12)
    formula: str = Field(max_length=300, description=_FORMULA)
    unit: str = Field(max_length=80, description="The unit of what the formula comes to.")

    def estimate(self) -> Quantity:
        """What its formula comes to; raises UnitError."""
        return compute(self.formula, {a.name: a.quantity for a in self.assumptions})


class Comparer(Solution):
    """An independent estimator's reply on two magnitudes."""

    assumptions: tuple[Quantified, ...] = Field(min_length=1, max_length=12)
    first_formula: str = Field(max_length=300, description=_FORMULA)
    second_formula: str = Field(max_length=300, description=_FORMULA)

    def estimate(self) -> Quantity:
        """The first over the second; raises UnitError."""
        names = {a.name: a.quantity for a in self.assumptions}
        return compute(f"({self.first_formula}) / ({self.second_formula})", names)


def readable(unit: str) -> None:
    """Raise ValueError where a unit cannot be read."""
    try:
        quantity(1, unit)
    except UnitError as error:
        raise ValueError(str(error)) from error


def checked_formula(formula: str, names: list[str]) -> None:
    """Raise ValueError where a formula is none, or uses other names."""
    try:
        check_expression(formula, names)
    except CalculateError as error:
        raise ValueError(str(error)) from error
