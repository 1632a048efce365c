"""Policies: clauses of which the first that applies decides, and one case to which they are applied."""

from collections.abc import Sequence
from functools import reduce
from random import Random
from typing import Any

from agentinstruct.tools.puzzles.cast import Cast, listed
from agentinstruct.tools.puzzles.core import Core, NoCore
from agentinstruct.tools.puzzles.statements import OUTCOMES, Statement, joined, said
from agentinstruct.tools.solver import Problem, Variable, worlds

TRIES = 80


def policy(cast: Cast, draw: Random, size: int) -> Core:
    """So many clauses and a case that a later one decides."""
    places = list(cast.some("places", 2, draw))
    for _ in range(TRIES):
        case = _case(places, draw)
        clauses = _clauses(places, draw, size)
        decided = decides(places, clauses, case)
        if decided >= size // 2:
            return applied({"kind": "policy", "places": places}, clauses, case, draw)
    raise NoCore("no case is decided by a later clause")


def applied(recipe: dict[str, Any], clauses: Sequence[Statement], case: Sequence[Statement], draw: Random) -> Core:
    """The core of clauses and a case."""
    places = recipe["places"]
    rules = tuple(ordered(clauses))
    found = worlds(_base(places).plus(*(s.formal for s in (*rules, *case))))
    outcomes = draw.sample(OUTCOMES, len(OUTCOMES))
    right = next(i for i, outcome in enumerate(outcomes) if found.where(f"outcome == {outcome!r}"))
    return Core(
        family="policy",
        language="constraints",
        names=tuple(places),
        setting=(
            f"A request is for one of these: {listed(places)}.",
            "The rules are applied in this order: the first whose condition holds decides, the rest are ignored.",
        ),
        rules=(*rules, *case),
        question="How is the request decided?",
        choices=tuple(said("outcome", o=outcome) for outcome in outcomes),
        right=right,
        key=f"the request is {outcomes[right]}",
        base=_base(places),
        recipe={**recipe, "clauses": _plain(clauses), "case": _plain(case)},
    )


def _plain(statements: Sequence[Statement]) -> list[dict[str, Any]]:
    return [statement.model_dump(mode="json") for statement in statements]


def ordered(clauses: Sequence[Statement]) -> list[Statement]:
    """The clauses, each of which counts only where none before it applies."""
    made, before = [], list[str]()
    for clause in clauses:
        condition, outcome = split(clause.formal)
        if condition:
            without = " and ".join([f"({condition})", *(f"not ({other})" for other in before)])
            made.append(clause.model_copy(update={"formal": f"implies({without}, {outcome})"}))
            before.append(condition)
        else:
            none = " or ".join(f"({other})" for other in before)
            made.append(clause.model_copy(update={"formal": f"({none}) or {outcome}"}))
    return made


def split(formal: str) -> tuple[str, str]:
    """Condition and outcome of a clause; a clause without a condition is the last."""
    if not formal.startswith("implies("):
        return "", formal
    condition, _, outcome = formal.removeprefix("implies(").removesuffix(")").rpartition(", outcome == ")
    return condition, f"outcome == {outcome}"


def decides(places: Sequence[str], clauses: Sequence[Statement], case: Sequence[Statement]) -> int:
    """Which clause decides the case."""
    found = worlds(_base(places).plus(*(fact.formal for fact in case)))
    for position, clause in enumerate(clauses):
        condition, _ = split(clause.formal)
        if not condition or found.where(condition):
            return position
    return len(clauses)


def _base(places: Sequence[str]) -> Problem:
    whole = [Variable(name=name, kind="int", low=0, high=40) for name in ("days", "ahead")]
    flags = [Variable(name=name, kind="bool") for name in ("member", "owing")]
    named = [
        Variable(name="place", kind="name", values=tuple(places)),
        Variable(name="outcome", kind="name", values=OUTCOMES),
    ]
    return Problem(variables=(*whole, *flags, *named), constraints=())


def _case(places: Sequence[str], draw: Random) -> list[Statement]:
    return [
        said("place", g=draw.choice(places)),
        said("days", k=draw.randint(2, 20)),
        said("ahead", k=draw.randint(1, 30)),
        said(draw.choice(("member", "no_member"))),
        said(draw.choice(("owing", "not_owing"))),
    ]


def _clauses(places: Sequence[str], draw: Random, size: int) -> list[Statement]:
    """Conditions of one or two parts, none of which an earlier one covers, and a last clause without any."""
    outcomes = [draw.choice(OUTCOMES)]
    while len(outcomes) < size:
        outcomes.append(draw.choice([outcome for outcome in OUTCOMES if outcome != outcomes[-1]]))
    conditions: list[Statement] = []
    while len(conditions) < size - 1:
        made = condition(places, draw)
        if not any(_covers(before, made) for before in conditions):
            conditions.append(made)
    made_of = zip(conditions, outcomes, strict=False)
    return [*(joined("if", c, said("outcome", o=outcome)) for c, outcome in made_of), said("outcome", o=outcomes[-1])]


def clause(places: Sequence[str], draw: Random, before: Sequence[Statement]) -> Statement:
    """A further clause that does not make one of the others idle."""
    made = condition(places, draw)
    conditions = [split(other.formal)[0] for other in before]
    if any(_covers(made, Statement(text="", formal=other)) for other in conditions if other):
        raise NoCore("it would leave another clause idle")
    return joined("if", made, said("outcome", o=draw.choice(OUTCOMES)))


def narrowed(before: Statement, places: Sequence[str], draw: Random) -> Statement:
    """A clause with one more condition."""
    text, _, outcome = before.text.removeprefix("if ").rpartition(", then ")
    formal, decided = split(before.formal)
    old = Statement(text=text, formal=formal)
    more = condition(places, draw, 1)
    if more.text.split()[1] in text:
        raise NoCore("the clause speaks of that already")
    return joined("if", joined("and", old, more), Statement(text=outcome, formal=decided))


def _covers(wider: Statement, narrower: Statement) -> bool:
    parts = narrower.formal.split(" and ")
    return all(part in parts or f"({part})" in parts for part in wider.formal.split(" and "))


def condition(places: Sequence[str], draw: Random, parts_of: int = 0) -> Statement:
    """One or two things that can be true of a request."""
    parts = [
        said("long", k=draw.randint(3, 15)),
        said("short_notice", k=draw.randint(5, 25)),
        said(draw.choice(("member", "no_member"))),
        said(draw.choice(("owing", "not_owing"))),
        said("place", g=draw.choice(places)),
    ]
    return reduce(lambda a, b: joined("and", a, b), draw.sample(parts, parts_of or draw.choice((1, 2, 2))))
