"""A constraint solver with a closed, typed, JSON-able problem language.

    seats = Problem(variables=…, constraints=("all_different(ruth, anna, ben)", "ruth < anna"))
    solve(seats, 2)                        at most two solutions; one of two asked for is the only one
    entails(seats, "ben != 2"), possible(seats, "ben == 2")
    reply(Query(problem=seats, wanted="must", choices=…))      the label of the one right choice
    worlds(seats).where("ruth == 1")       for small problems: every solution, and statements as sets of them

Two engines read the same expressions: plain enumeration (`worlds`) and z3 (`Proof`). Limits are of work, not of time.
"""

from agentinstruct.tools.solver.problem import (
    SUFFICIENCY,
    Choice,
    Problem,
    ProblemError,
    Query,
    Undecided,
    Variable,
    Wanted,
    identifier,
)
from agentinstruct.tools.solver.proof import Missing, Proof, Value
from agentinstruct.tools.solver.reply import reply
from agentinstruct.tools.solver.worlds import Worlds, worlds

__all__ = [
    "SUFFICIENCY",
    "Choice",
    "Missing",
    "Problem",
    "ProblemError",
    "Proof",
    "Query",
    "Undecided",
    "Value",
    "Variable",
    "Wanted",
    "Worlds",
    "entails",
    "identifier",
    "possible",
    "reply",
    "solve",
    "worlds",
]


def solve(problem: Problem, limit: int = 2) -> list[dict[str, Value]]:
    """At most so many solutions of a problem."""
    return Proof(problem).solutions(limit)


def entails(problem: Problem, claim: str) -> bool:
    """Whether a claim must be true."""
    return Proof(problem).entails(claim)


def possible(problem: Problem, claim: str) -> bool:
    """Whether a claim could be true."""
    return Proof(problem).possible(claim)
