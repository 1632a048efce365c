"""Scenes that are filled in: a grid of things that belong together, liars, kinds of things, a table with gaps."""

from collections.abc import Iterator, Sequence
from itertools import combinations, permutations

from agentinstruct.tools.puzzles.cast import listed
from agentinstruct.tools.puzzles.scene import Recipe, Scene, different, flag, named, whole
from agentinstruct.tools.puzzles.statements import Statement, said
from agentinstruct.tools.solver import Problem, Variable, identifier


def grid(recipe: Recipe) -> Scene:
    """People, and columns of things of which each goes with one person."""
    columns = [tuple(column) for column in recipe["columns"]]
    people, size = columns[0], len(columns[0])
    fixed = [whole(identifier(name), i + 1, i + 1) for i, name in enumerate(people)]
    free = [[whole(identifier(name), 1, size) for name in column] for column in columns[1:]]
    setting = (
        f"There are these people: {listed(people)}.",
        *(f"Each goes with exactly one of these, no two with the same: {listed(column)}." for column in columns[1:]),
    )
    problem = Problem(
        variables=(*fixed, *(v for column in free for v in column)),
        constraints=tuple(different(column) for column in free),
    )
    asked = [(f"Who goes with {value}?", value) for column in columns[1:] for value in column]
    answers = [(question, named([(p, said("goes", a=p, b=v)) for p in people])) for question, v in asked]
    names = tuple(name for column in columns for name in column)
    return Scene(recipe, names, setting, problem, tuple(_about_grid(columns)), tuple(answers))


def _about_grid(columns: Sequence[Sequence[str]]) -> Iterator[Statement]:
    for first, second in combinations(columns, 2):
        for a in first:
            for b in second:
                yield said("goes", a=a, b=b)
                yield said("goes_not", a=a, b=b)
            for b, c in combinations(second, 2):
                yield said("goes_either", a=a, b=b, c=c)
    people, others = columns[0], [value for column in columns[1:] for value in column]
    for a, b in combinations(people, 2):
        for c, d in combinations(others, 2):
            yield said("one_each", a=a, b=b, c=c, d=d)


def liars(recipe: Recipe) -> Scene:
    """Truth-tellers and liars: what somebody says holds exactly if that person tells the truth."""
    names = tuple(recipe["names"])
    variables = tuple(flag(identifier(name)) for name in names)
    setting = (f"Each of these either always tells the truth or always lies: {listed(names)}.",)
    statements = tuple(_spoken(a, s) for a in names for s in _about_sorts(names) if a not in s.about[:1])
    sets = [(" and ".join(some) or "nobody", some) for k in range(len(names) + 1) for some in combinations(names, k)]
    answers = tuple(Statement(text=text, formal=_exactly(some, names), about=some) for text, some in sets)
    question = 'Who always tells the truth? Name all of them, or say "nobody".'
    return Scene(
        recipe, names, setting, Problem(variables=variables, constraints=()), statements, ((question, answers),)
    )


MOST = 40
"""The most that a cell of a table holds."""


def _exactly(some: Sequence[str], names: Sequence[str]) -> str:
    return " and ".join(identifier(n) if n in some else f"not {identifier(n)}" for n in names)


def _spoken(speaker: str, what: Statement) -> Statement:
    return Statement(
        text=f'{speaker} says: "{what.sentence}"',
        formal=f"iff({identifier(speaker)}, {what.formal})",
        about=(speaker, *what.about),
    )


def _about_sorts(names: Sequence[str]) -> Iterator[Statement]:
    for a in names:
        yield said("truthful", a=a)
        yield said("liar", a=a)
    for a, b in combinations(names, 2):
        for phrase in ("alike", "unlike", "some_liar"):
            yield said(phrase, a=a, b=b)


def kinds(recipe: Recipe) -> Scene:
    """Kinds of things, for syllogisms."""
    names = tuple(recipe["names"])
    variables = tuple(Variable(name=identifier(name), kind="class") for name in names)
    setting = (
        f"These kinds are spoken of: {listed(names)}.",
        'A kind may have no members at all; "some" means at least one.',
    )
    ordered = [said(phrase, a=a, b=b) for a, b in permutations(names, 2) for phrase in ("all_are", "some_are_not")]
    either = [said(phrase, a=a, b=b) for a, b in combinations(names, 2) for phrase in ("none_are", "some_are")]
    problem = Problem(variables=variables, constraints=())
    return Scene(recipe, names, setting, problem, (*ordered, *either))


def table(recipe: Recipe) -> Scene:
    """A table with totals in which some cells cannot be read."""
    names, goods = tuple(recipe["names"]), tuple(recipe["goods"])
    cells: dict[tuple[str, str], int] = {
        (name, good): value
        for name, row in zip(names, recipe["cells"], strict=True)
        for good, value in zip(goods, row, strict=True)
    }
    variables = [whole(_cell(*place), max(value, 0), MOST if value < 0 else value) for place, value in cells.items()]
    sums = [
        f"{' + '.join(_cell(name, good) for name in names)} == {total}"
        for good, total in zip(goods, recipe["totals"], strict=True)
    ]
    setting = (
        f"A table shows who has how many of what: whole numbers up to {MOST}. Those marked ? cannot be read.",
        "\n".join(_rows(recipe)),
    )
    statements = tuple(_about_cells(names, goods, [place for place, value in cells.items() if value < 0]))
    problem = Problem(variables=tuple(variables), constraints=tuple(sums))
    return Scene(recipe, (*names, *goods), setting, problem, statements)


def _about_cells(names: Sequence[str], goods: Sequence[str], hidden: Sequence[tuple[str, str]]) -> Iterator[Statement]:
    for a, b in permutations(names, 2):
        for c in goods:
            yield said("more", a=a, b=b, c=c)
    for a in names:
        for b, c in permutations(goods, 2):
            yield said("more_within", a=a, b=b, c=c)
    for a, b in hidden:
        for k in range(2, MOST, 3):
            yield said("least", a=a, b=b, k=k)
            yield said("most", a=a, b=b, k=k)


def _rows(recipe: Recipe) -> Iterator[str]:
    rows = [*zip(recipe["names"], recipe["cells"], strict=True), ("total", recipe["totals"])]
    yield f"| | {' | '.join(recipe['goods'])} |"
    yield "|" + " --- |" * (len(recipe["goods"]) + 1)
    for name, row in rows:
        yield f"| {name} | {' | '.join('?' if value < 0 else str(value) for value in row)} |"


def _cell(name: str, good: str) -> str:
    return f"{identifier(name)}_{identifier(good)}"
