"""Scenes of games: turns, groups, both at once, and a choice among several."""

from collections.abc import Iterator, Sequence
from itertools import combinations, permutations

from agentinstruct.tools.puzzles.cast import listed
from agentinstruct.tools.puzzles.scene import Recipe, Scene, different, flag, named, one_of, whole
from agentinstruct.tools.puzzles.statements import Statement, said
from agentinstruct.tools.solver import Problem, identifier


def turns(recipe: Recipe) -> Scene:
    """Everyone has a turn of his own."""
    names, slots = tuple(recipe["names"]), recipe["slots"]
    count = len(slots)
    variables = [whole(f"{identifier(name)}_at", 1, count) for name in names]
    setting = (
        f"Each of these has one turn, and no two have the same: {listed(names)}.",
        f"The turns are, in this order: {listed(slots)}.",
    )
    questions = [
        (f"Who or what has {slots[i]}?", [(n, said("at", slots, a=n, n=i + 1)) for n in names]) for i in range(count)
    ]
    return Scene(
        recipe,
        names,
        setting,
        Problem(variables=tuple(variables), constraints=(different(variables),)),
        tuple(_about_turns(names, slots)),
        tuple((question, named(answers)) for question, answers in questions),
        tuple(_turn_asked(name, slots) for name in names),
    )


def _turn_asked(name: str, slots: Sequence[str]) -> tuple[str, str, tuple[Statement, ...]]:
    answers = tuple(said("at", slots, a=name, n=i) for i in range(1, len(slots) + 1))
    return f"which turn {name} has", f"{identifier(name)}_at", answers


def _about_turns(names: Sequence[str], slots: Sequence[str]) -> Iterator[Statement]:
    for a, b in permutations(names, 2):
        yield said("before", a=a, b=b)
        yield said("just_before", a=a, b=b)
    for a, b in combinations(names, 2):
        yield said("beside", a=a, b=b)
        yield said("apart", a=a, b=b)
        yield said("gap", a=a, b=b)
    for a in names:
        for n in range(1, len(slots) + 1):
            yield said("not_at", slots, a=a, n=n)
            yield said("at", slots, a=a, n=n)
        for n, m in combinations(range(1, len(slots) + 1), 2):
            yield said("at_either", slots, a=a, n=n, m=m)


def groups(recipe: Recipe) -> Scene:
    """Everyone is in one of several groups."""
    names, known = tuple(recipe["names"]), tuple(recipe["groups"])
    variables = tuple(one_of(f"{identifier(name)}_in", known) for name in names)
    setting = (
        f"Each of these is in exactly one group: {listed(names)}.",
        f"The groups are: {listed(known)}.",
        "Every group has at least one member.",
    )
    filled = tuple(_filled(names, group) for group in known)
    statements = tuple(_about_groups(names, known))
    asked = tuple(
        (f"which group {name} is in", f"{identifier(name)}_in", tuple(said("in", a=name, g=g) for g in known))
        for name in names
    )
    return Scene(
        recipe, (*names, *known), setting, Problem(variables=variables, constraints=filled), statements, (), asked
    )


def _filled(names: Sequence[str], group: str) -> str:
    return " or ".join(f"{identifier(name)}_in == {group!r}" for name in names)


def _about_groups(names: Sequence[str], groups: Sequence[str]) -> Iterator[Statement]:
    for a, b in combinations(names, 2):
        yield said("together", a=a, b=b)
        yield said("separate", a=a, b=b)
    for a in names:
        for g in groups:
            yield said("in", a=a, g=g)
            yield said("not_in", a=a, g=g)


def both(recipe: Recipe) -> Scene:
    """Everyone has a turn and a group."""
    ordered, grouped = turns(recipe), groups(recipe)
    return Scene(
        recipe,
        grouped.names,
        (*ordered.setting, *grouped.setting),
        Problem(
            variables=(*ordered.base.variables, *grouped.base.variables),
            constraints=(*ordered.base.constraints, *grouped.base.constraints),
        ),
        (*ordered.statements, *grouped.statements),
        (),
        (*ordered.decided, *grouped.decided),
    )


def choice(recipe: Recipe) -> Scene:
    """Some are chosen and some are not."""
    names = tuple(recipe["names"])
    variables = tuple(flag(identifier(name)) for name in names)
    setting = (f"Each of these is either chosen or not chosen: {listed(names)}.",)
    statements = [said(phrase, a=name) for name in names for phrase in ("chosen", "not_chosen")]
    statements += [said(phrase, a=a, b=b) for a, b in combinations(names, 2) for phrase in ("one_chosen", "not_both")]
    asked = tuple(
        (f"whether {name} is chosen", identifier(name), tuple(said(p, a=name) for p in ("chosen", "not_chosen")))
        for name in names
    )
    return Scene(recipe, names, setting, Problem(variables=variables, constraints=()), tuple(statements), (), asked)
