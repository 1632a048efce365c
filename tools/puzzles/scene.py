"""A scene: what there is in a puzzle, which worlds that allows, and everything that can be said in it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from agentinstruct.tools.puzzles.statements import Statement
from agentinstruct.tools.solver import Problem, Variable

Recipe = Mapping[str, Any]
"""How a scene was made, as JSON: a core is made harder by changing one entry."""


@dataclass(frozen=True)
class Scene:
    """A setting with its unknowns and its vocabulary."""

    recipe: Recipe
    names: tuple[str, ...]
    setting: tuple[str, ...]
    base: Problem
    statements: tuple[Statement, ...]
    """What can be said: rules and options are taken from these."""
    candidates: tuple[tuple[str, tuple[Statement, ...]], ...] = ()
    """Questions with an open answer, and all the answers there could be."""
    decided: tuple[tuple[str, str, tuple[Statement, ...]], ...] = ()
    """What could be asked for: in words, as an expression, and the answers there could be."""


def whole(name: str, low: int, high: int) -> Variable:
    """A number."""
    return Variable(name=name, kind="int", low=low, high=high)


def one_of(name: str, values: Sequence[str]) -> Variable:
    """A name among several."""
    return Variable(name=name, kind="name", values=tuple(values))


def flag(name: str) -> Variable:
    """True or false."""
    return Variable(name=name, kind="bool")


def different(variables: Sequence[Variable]) -> str:
    """No two have one value."""
    return f"all_different({', '.join(variable.name for variable in variables)})"


def named(answers: Sequence[tuple[str, Statement]]) -> tuple[Statement, ...]:
    """Candidate answers: the text is the answer in words, the formal side what it claims."""
    return tuple(Statement(text=text, formal=claim.formal, about=claim.about) for text, claim in answers)
