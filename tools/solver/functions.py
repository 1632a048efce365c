"""The functions of the problem language, built from what an algebra can do."""

from collections.abc import Callable, Sequence
from functools import reduce
from typing import Any, Protocol

from agentinstruct.tools.solver.algebra import Algebra, Term
from agentinstruct.tools.solver.problem import ProblemError


class Reads(Protocol):
    """What a function knows of the problem: its engine, and for classes whether anything is in each combination."""

    algebra: Algebra
    regions: list[Any]


def compared(reader: Reads, left: Term, sign: str, right: Term) -> Any:
    """A comparison of two terms of one sort."""
    if left.sort != right.sort or "class" in (left.sort, right.sort):
        raise ProblemError(f"a {left.sort} is compared with a {right.sort}")
    if sign not in ("==", "!=") and left.sort != "int":
        raise ProblemError(f"{sign} compares numbers, not {left.sort}s")
    return reader.algebra.compare(sign, left.value, right.value)


def truth_of(term: Term, source: str = "") -> Any:
    """A truth value, or an error."""
    if term.sort != "bool":
        raise ProblemError(f"{source or 'an expression'}: a {term.sort} stands where a truth value is needed")
    return term.value


def number_of(term: Term) -> Any:
    """A number, or an error."""
    if term.sort != "int":
        raise ProblemError(f"a {term.sort} stands where a number is needed")
    return term.value


def all_different(reader: Reads, terms: Sequence[Term]) -> Term:
    """No two are equal."""
    pairs = [(a, b) for i, a in enumerate(terms) for b in terms[i + 1 :]]
    return Term("bool", reader.algebra.every([compared(reader, a, "!=", b) for a, b in pairs]))


def counted(reader: Reads, terms: Sequence[Term]) -> Term:
    """How many hold."""
    total, one, none = reader.algebra.number(0), reader.algebra.number(1), reader.algebra.number(0)
    for term in terms:
        total = reader.algebra.arithmetic("+", total, reader.algebra.choose(truth_of(term), one, none))
    return Term("int", total)


def limit(reader: Reads, terms: Sequence[Term], sign: str) -> Term:
    """The first is a number: so many of the others hold."""
    return Term("bool", reader.algebra.compare(sign, counted(reader, terms[1:]).value, number_of(terms[0])))


def implied(reader: Reads, terms: Sequence[Term], both: bool = False) -> Term:
    """If the first holds, so does the second; with `both`, and the other way round."""
    first, second = (truth_of(term) for term in terms)
    if both:
        return Term("bool", reader.algebra.compare("==", first, second))
    return Term("bool", reader.algebra.either([reader.algebra.deny(first), second]))


def distance(reader: Reads, terms: Sequence[Term]) -> Term:
    """How far apart two numbers are, or a number from nought."""
    first = number_of(terms[0])
    gap = reader.algebra.arithmetic("-", first, number_of(terms[1])) if len(terms) > 1 else first
    back = reader.algebra.arithmetic("-", reader.algebra.number(0), gap)
    return Term("int", reader.algebra.choose(reader.algebra.compare("<", gap, reader.algebra.number(0)), back, gap))


def adjacent(reader: Reads, terms: Sequence[Term]) -> Term:
    """Two numbers are neighbours."""
    return Term("bool", reader.algebra.compare("==", distance(reader, terms).value, reader.algebra.number(1)))


def extreme(reader: Reads, terms: Sequence[Term], sign: str) -> Term:
    """The least or the greatest."""
    best = number_of(terms[0])
    for term in terms[1:]:
        best = reader.algebra.choose(reader.algebra.compare(sign, number_of(term), best), term.value, best)
    return Term("int", best)


def inhabited(reader: Reads, terms: Sequence[Term], reverse: bool = False, deny: bool = False) -> Term:
    """Something is in all these classes (`reverse`: in the first and not in the second); `deny`: nothing is."""
    if any(term.sort != "class" for term in terms):
        raise ProblemError("every, some and no speak of classes")
    sets = [term.value for term in terms]
    where = sets[0] - sets[1] if reverse else reduce(lambda a, b: a & b, sets)
    found = reader.algebra.either([reader.regions[i] for i in sorted(where)])
    return Term("bool", reader.algebra.deny(found) if deny else found)


FUNCTIONS: dict[str, tuple[int, Callable[[Reads, Sequence[Term]], Term]]] = {
    "all_different": (2, all_different),
    "count": (1, counted),
    "exactly": (2, lambda reader, terms: limit(reader, terms, "==")),
    "at_least": (2, lambda reader, terms: limit(reader, terms, ">=")),
    "at_most": (2, lambda reader, terms: limit(reader, terms, "<=")),
    "implies": (2, lambda reader, terms: implied(reader, terms[:2])),
    "iff": (2, lambda reader, terms: implied(reader, terms[:2], both=True)),
    "abs": (1, lambda reader, terms: distance(reader, terms[:1])),
    "distance": (2, lambda reader, terms: distance(reader, terms[:2])),
    "next_to": (2, lambda reader, terms: adjacent(reader, terms[:2])),
    "min": (1, lambda reader, terms: extreme(reader, terms, "<")),
    "max": (1, lambda reader, terms: extreme(reader, terms, ">")),
    "some": (1, lambda reader, terms: inhabited(reader, terms)),
    "no": (1, lambda reader, terms: inhabited(reader, terms, deny=True)),
    "every": (2, lambda reader, terms: inhabited(reader, terms[:2], reverse=True, deny=True)),
}
