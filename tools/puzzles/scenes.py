"""Which scenes there are, and how one is drawn for a cast and a size."""

from collections.abc import Callable, Mapping, Sequence
from random import Random
from typing import Any

from agentinstruct.tools.puzzles import games, grids
from agentinstruct.tools.puzzles.cast import Cast, TooFew
from agentinstruct.tools.puzzles.scene import Recipe, Scene

DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
GROUPS = ("the red group", "the blue group", "the green group")


def drawn(kind: str, cast: Cast, size: int, draw: Random) -> dict[str, Any]:
    """The recipe of a scene of this kind and size."""
    recipe: dict[str, Any] = {"kind": kind}
    if kind in ("turns", "both"):
        recipe["slots"] = list(DAYS[:size]) if draw.random() < 0.5 else [f"number {i}" for i in range(1, size + 1)]
    if kind in ("groups", "both"):
        recipe["groups"] = list(_groups(cast, 2 if size < 6 else 3, draw))
    if kind == "grid":
        columns = ["people", *draw.sample(["things", "places"], 2)]
        return recipe | {"columns": [list(cast.some(column, size, draw)) for column in columns]}
    if kind == "kinds":
        return recipe | {"names": list(cast.some("kinds", size, draw))}
    if kind == "table":
        names, goods = cast.some("people", size, draw), cast.some("things", 3, draw)
        return recipe | {"names": list(names), "goods": list(goods)} | cells(size, 3, draw)
    sort = "people" if kind == "liars" or draw.random() < 0.7 else "things"
    return recipe | {"names": list(_any(cast, sort, size, draw))}


def cells(rows: int, columns: int, draw: Random) -> dict[str, Any]:
    """The numbers of a table and their totals, with three gaps (-1)."""
    numbers = [[draw.randint(5, grids.MOST - 5) for _ in range(columns)] for _ in range(rows)]
    totals = [sum(row[column] for row in numbers) for column in range(columns)]
    hidden, (shared, alone) = draw.sample(range(rows), 3), draw.sample(range(columns), 2)
    # Two gaps in one column share what its total leaves; the third can be worked out.
    for row, column in zip(hidden, (shared, shared, alone), strict=True):
        numbers[row][column] = -1
    return {"cells": numbers, "totals": totals}


def _any(cast: Cast, kind: str, size: int, draw: Random) -> Sequence[str]:
    try:
        return cast.some(kind, size, draw)
    except TooFew:
        return cast.some("people", size, draw)


def _groups(cast: Cast, count: int, draw: Random) -> Sequence[str]:
    places = [place for place in cast.places if place.startswith("the ")]
    return draw.sample(places, count) if len(places) >= count else GROUPS[:count]


def scene(recipe: Recipe) -> Scene:
    """The scene of a recipe."""
    return _SCENES[recipe["kind"]](recipe)


_SCENES: Mapping[str, Callable[[Recipe], Scene]] = {
    "turns": games.turns,
    "groups": games.groups,
    "both": games.both,
    "choice": games.choice,
    "grid": grids.grid,
    "liars": grids.liars,
    "kinds": grids.kinds,
    "table": grids.table,
}
