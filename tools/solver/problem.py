"""The problem language: variables with finite domains, and constraints written as small expressions.

    variables:   ruth: int 1..4 · tool: name of saw, axe · late: bool · bakers: class
    constraints: "ruth < anna", "implies(late, tool == 'saw')", "all_different(ruth, anna)", "every(bakers, tall)"

Everything is JSON-able and bounded, so that a model may write it; nothing in it is ever run.
"""

import re
import unicodedata
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

Kind = Literal["int", "name", "bool", "class"]
Wanted = Literal["must", "could", "cannot", "same", "determines", "sufficient", "conflict", "value"]

MAX_VARIABLES = 64
MAX_CONSTRAINTS = 120
MAX_SPAN = 100_000
MAX_CLASSES = 4
SUFFICIENCY = ("A", "B", "C", "D", "E")
"""Statement 1 alone; statement 2 alone; only both together; each alone; not even both."""


class ProblemError(ValueError):
    """A problem that cannot be read; the message names the part and what is wrong with it."""


class Undecided(Exception):
    """A problem that was read and has no single reply: none, several, or not found within the limits."""


class Part(BaseModel):
    """A piece of a problem as it is written down."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Variable(Part):
    """One unknown and what it can be."""

    name: str = Field(description="An identifier, such as ruth or red_house.", pattern=r"^[A-Za-z][A-Za-z0-9_]{0,47}$")
    kind: Kind = Field(description="int: low to high. name: one of values. bool. class: for every, some, no.")
    low: int = Field(0, description="Least value of an int.")
    high: int = Field(0, description="Greatest value of an int.")
    values: tuple[str, ...] = Field((), max_length=40, description="The possible values of a name.")


class Problem(Part):
    """Unknowns, and what must hold of them."""

    variables: tuple[Variable, ...] = Field(min_length=1, max_length=MAX_VARIABLES)
    constraints: tuple[str, ...] = Field(max_length=MAX_CONSTRAINTS, description="Expressions, all of which hold.")

    def plus(self, *constraints: str) -> "Problem":
        """The same with further constraints."""
        return Problem(variables=self.variables, constraints=(*self.constraints, *constraints))

    def less(self, constraint: str) -> "Problem":
        """The same without one constraint."""
        kept = tuple(one for one in self.constraints if one != constraint)
        return Problem(variables=self.variables, constraints=kept)


class Choice(Part):
    """One candidate reply and the expression that it stands for."""

    label: str = Field(min_length=1, max_length=200, description="The option's letter, or the answer in words.")
    claim: str = Field(description="The expression that the option asserts.")


class Query(Part):
    """A problem and what is asked about it, so that the reply can be computed.

    must / could / cannot   the one choice that holds in every solution, in some, in none
    value                   what `asked` comes to, the same in every solution
    same                    the choice that can stand in for the constraint `asked`: the same solutions
    determines              the choice that, added, leaves one value for `asked` (or, without it, one solution)
    sufficient              two choices are statements; which of them decide the value of `asked`: A to E
    conflict                the one choice without which all the others can hold together
    """

    problem: Problem
    wanted: Wanted = "must"
    asked: str = ""
    choices: tuple[Choice, ...] = Field((), max_length=130)


def identifier(words: str) -> str:
    """A variable's name made of a thing's name: `The Red House` is `the_red_house`."""
    plain = unicodedata.normalize("NFKD", words).encode("ascii", "ignore").decode()
    name = re.sub(r"\W+", "_", plain.strip(), flags=re.ASCII).strip("_").lower()[:40]
    return name if name[:1].isalpha() else f"x_{name}"
