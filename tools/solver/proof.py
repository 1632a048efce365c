"""The proving engine: z3 says what must, could or cannot be, within limits of work that are the same everywhere."""

import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from agentinstruct.tools.solver.algebra import Sort
from agentinstruct.tools.solver.problem import Problem, ProblemError, Undecided
from agentinstruct.tools.solver.terms import Reader

WORK = 2_000_000
"""z3's own measure of work for one question: the same everywhere. Only products of unknowns escape it, to the clock."""
MILLISECONDS = 4_000

Value = int | bool | str
_COMPARED: Mapping[str, Callable[[Any, Any], Any]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


class Missing(ImportError):
    """The solver's package is not installed."""


class _Z3:
    """An algebra whose values are z3's expressions, in a context of its own: engines can work side by side."""

    def __init__(self) -> None:
        self.z3 = _z3()
        self.context = self.z3.Context()
        self.spans: list[Any] = []

    def variable(self, name: str, low: int, high: int) -> Any:
        made = self.z3.Int(name, self.context)
        self.spans += [made >= low, made <= high]
        return made

    def flag(self, name: str) -> Any:
        return self.z3.Bool(name, self.context)

    def number(self, value: int) -> Any:
        return self.z3.IntVal(value, self.context)

    def truth(self, value: bool) -> Any:
        return self.z3.BoolVal(value, self.context)

    def arithmetic(self, sign: str, left: Any, right: Any) -> Any:
        match sign:
            case "+":
                return left + right
            case "-":
                return left - right
            case "*":
                return left * right
        return left / right if sign == "//" else left % right

    def compare(self, sign: str, left: Any, right: Any) -> Any:
        return _COMPARED[sign](left, right)

    def every(self, parts: Sequence[Any]) -> Any:
        return self.z3.And(*parts, self.truth(True))

    def either(self, parts: Sequence[Any]) -> Any:
        return self.z3.Or(*parts, self.truth(False))

    def deny(self, part: Any) -> Any:
        return self.z3.Not(part, self.context)

    def choose(self, test: Any, yes: Any, no: Any) -> Any:
        return self.z3.If(test, yes, no, self.context)


class Proof:
    """What follows from a problem."""

    def __init__(self, problem: Problem) -> None:
        self._engine = _Z3()
        self.reader = Reader(problem, self._engine)
        self._solver = self._engine.z3.Solver(ctx=self._engine.context)
        self._solver.set("rlimit", WORK)
        self._solver.set("timeout", MILLISECONDS)
        self._solver.set("random_seed", 0)
        self._solver.add(*self._engine.spans, *self.reader.domains())
        self._solver.add(*(self.reader.truth(source) for source in problem.constraints))

    def consistent(self, *claims: str) -> bool:
        """Whether there is a solution in which all these hold."""
        with self._assumed(*(self.reader.truth(claim) for claim in claims)):
            return self._satisfied()

    def possible(self, claim: str) -> bool:
        """Whether it could be true."""
        return self.consistent(claim)

    def entails(self, claim: str) -> bool:
        """Whether it must be true."""
        with self._assumed(self._engine.deny(self.reader.truth(claim))):
            return not self._satisfied()

    def value(self, expression: str) -> Value:
        """What an expression comes to, the same in every solution.

        Raises:
            Undecided: there is no solution, or several values.
        """
        term = self.reader.term(expression)
        if term.sort == "class":
            raise ProblemError(f"{expression!r} is a class of things, which has no one value")
        if not self._satisfied():
            raise Undecided("nothing satisfies all the constraints")
        found = self._solver.model().eval(term.value, model_completion=True)
        with self._assumed(term.value != found):
            if self._satisfied():
                raise Undecided(f"{expression!r} has more than one value")
        return self._spoken(term.sort, found)

    def solutions(self, most: int = 2) -> list[dict[str, Value]]:
        """At most so many solutions; one fewer than asked for means that there are no others."""
        shown = {v.name: self.reader.names[v.name] for v in self.reader.problem.variables if v.kind != "class"}
        free = [*(term.value for term in shown.values()), *self.reader.regions]
        found: list[dict[str, Value]] = []
        with self._assumed():
            while len(found) < most and self._satisfied():
                model = self._solver.model()
                here = [model.eval(value, model_completion=True) for value in free]
                found.append({name: self._spoken(t.sort, v) for (name, t), v in zip(shown.items(), here, strict=False)})
                self._solver.add(self._engine.either([a != b for a, b in zip(free, here, strict=True)]))
        return found

    @contextmanager
    def _assumed(self, *claims: Any) -> Iterator[None]:
        self._solver.push()
        self._solver.add(*claims)
        try:
            yield
        finally:
            self._solver.pop()

    def _satisfied(self) -> bool:
        found = self._solver.check()
        if found == self._engine.z3.unknown:
            raise Undecided(f"not decided within the solver's limits: {self._solver.reason_unknown()}")
        return bool(found == self._engine.z3.sat)

    def _spoken(self, sort: Sort, value: Any) -> Value:
        if sort == "bool":
            return bool(self._engine.z3.is_true(value))
        number = int(value.as_long())
        return self.reader.symbols[number] if sort == "name" else number


def _z3() -> Any:
    try:
        import z3
    except ImportError as error:
        raise Missing("The constraint solver is not installed: pip install 'agentinstruct[solve]'") from error
    return z3
