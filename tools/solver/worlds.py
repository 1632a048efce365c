"""The enumerating engine: every solution of a small problem, by plain evaluation, as bits.

A problem's solutions are its *worlds*; a statement is then the set of worlds in which it holds, one integer. Adding
a rule is `&`, comparing two rules is `==`: this is how puzzles are composed. The other engine (`proof.py`) shares only
the reading of expressions with it, so that each proves the other's work.
"""

import ast
import operator
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations
from typing import Any

from agentinstruct.tools.solver.algebra import Term
from agentinstruct.tools.solver.problem import Problem, ProblemError
from agentinstruct.tools.solver.terms import Reader, parsed

MOST_WORLDS = 60_000
MOST_STEPS = 2_000_000

World = tuple[int, ...]
Worked = Callable[[Sequence[int]], Any]
"""A value in a world: the world's numbers stand in the order in which the variables were declared."""


class Closures:
    """An algebra whose values are functions of a world; it keeps the domain of each variable."""

    def __init__(self) -> None:
        self.spans: list[range] = []

    def variable(self, name: str, low: int, high: int) -> Worked:
        """A number of the world."""
        self.spans.append(range(low, high + 1))
        return operator.itemgetter(len(self.spans) - 1)

    def flag(self, name: str) -> Worked:
        """A truth value of the world."""
        place = self.variable(name, 0, 1)
        return lambda world: bool(place(world))

    def number(self, value: int) -> Worked:
        """The same in every world."""
        return lambda world: value

    def truth(self, value: bool) -> Worked:
        """The same in every world."""
        return lambda world: value

    def arithmetic(self, sign: str, left: Worked, right: Worked) -> Worked:
        """Whole-number arithmetic."""
        work = _ARITHMETIC[sign]
        return lambda world: work(left(world), right(world))

    def compare(self, sign: str, left: Worked, right: Worked) -> Worked:
        """A comparison."""
        work = _COMPARISONS[sign]
        return lambda world: work(left(world), right(world))

    def every(self, parts: Sequence[Worked]) -> Worked:
        """All hold."""
        return lambda world: all(part(world) for part in parts)

    def either(self, parts: Sequence[Worked]) -> Worked:
        """One holds."""
        return lambda world: any(part(world) for part in parts)

    def deny(self, part: Worked) -> Worked:
        """It does not hold."""
        return lambda world: not part(world)

    def choose(self, test: Worked, yes: Worked, no: Worked) -> Worked:
        """One of two values."""
        return lambda world: yes(world) if test(world) else no(world)


@dataclass(frozen=True)
class Worlds:
    """All solutions of a problem, and what statements mean over them."""

    reader: Reader
    found: tuple[World, ...]

    @property
    def all(self) -> int:
        """The set of all worlds."""
        return (1 << len(self.found)) - 1

    def where(self, claim: str) -> int:
        """The worlds in which a claim holds, as bits."""
        holds = self.reader.truth(claim)
        return sum(1 << i for i, world in enumerate(self.found) if holds(world))

    def settles(self, claim: str) -> bool:
        """Whether a claim holds in all worlds or in none."""
        holds = self.reader.truth(claim)
        first = next((bool(holds(world)) for world in self.found), True)
        return all(bool(holds(world)) is first for world in self.found)

    def only(self, *claims: str) -> "Worlds":
        """The worlds in which all these hold."""
        tests = [self.reader.truth(claim) for claim in claims]
        return Worlds(self.reader, tuple(world for world in self.found if all(test(world) for test in tests)))

    def value(self, expression: str, world: int) -> int | bool | str:
        """What an expression comes to in one world."""
        return spoken(self.reader, self.reader.term(expression), self.found[world])


def spoken(reader: Reader, term: Term, world: Sequence[int]) -> int | bool | str:
    """A term's value in a world, with names as they are written."""
    value: int | bool = term.value(world)
    return reader.symbols[value] if term.sort == "name" else value


@lru_cache(maxsize=64)
def worlds(problem: Problem) -> Worlds:
    """Every solution of a problem; one that was listed lately is not listed again.

    Raises:
        ProblemError: it cannot be read, or has more than MOST_WORLDS solutions.
    """
    algebra = Closures()
    reader = Reader(problem, algebra)
    due: list[list[Worked]] = [[] for _ in algebra.spans]
    places = _places(problem, len(algebra.spans))
    named = [v.name for v in problem.variables if v.kind == "name"]
    for name, test in zip(named, reader.domains(), strict=True):
        due[places[name]].append(test)
    for tree in (part for source in problem.constraints for part in _parts(parsed(source))):
        used = [places[n.id] for n in ast.walk(tree) if isinstance(n, ast.Name) and n.id in places]
        due[max(used, default=0)].append(reader.truth(ast.unparse(tree)))
    return Worlds(reader, tuple(_search(algebra.spans, due)))


def _places(problem: Problem, count: int) -> dict[str, int]:
    """Where each variable stands in a world; a class is known when all its combinations are, and these come first."""
    plain = [v.name for v in problem.variables if v.kind != "class"]
    first = count - len(plain)
    places = {name: first + i for i, name in enumerate(plain)}
    return places | {v.name: first - 1 for v in problem.variables if v.kind == "class"}


def _parts(tree: ast.expr) -> Iterator[ast.expr]:
    """A constraint in the smallest pieces that all must hold, so that each can be tested early."""
    if isinstance(tree, ast.BoolOp) and isinstance(tree.op, ast.And):
        for part in tree.values:
            yield from _parts(part)
    elif (
        isinstance(tree, ast.Call)
        and isinstance(tree.func, ast.Name)
        and tree.func.id == "all_different"
        and tree.args[1:]
    ):
        for one, other in combinations(tree.args, 2):
            yield ast.Compare(one, [ast.NotEq()], [other])
    else:
        yield tree


def _search(spans: Sequence[range], due: Sequence[Sequence[Worked]]) -> Iterator[World]:
    """Depth first; a test is made as soon as all the numbers it looks at are known."""
    world: list[int] = []
    waiting = [iter(spans[0])]
    steps = found = 0
    while waiting:
        steps += 1
        if steps > MOST_STEPS or found > MOST_WORLDS:
            raise ProblemError(f"more than {MOST_WORLDS} solutions, or too long a search")
        del world[len(waiting) - 1 :]
        value = next(waiting[-1], None)
        if value is None:
            waiting.pop()
            continue
        world.append(value)
        if not all(test(world) for test in due[len(world) - 1]):
            continue
        if len(world) == len(spans):
            found += 1
            yield tuple(world)
        else:
            waiting.append(iter(spans[len(world)]))


_ARITHMETIC: dict[str, Callable[[int, int], int]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "//": operator.floordiv,
    "%": operator.mod,
}
_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
