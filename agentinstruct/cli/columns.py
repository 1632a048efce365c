"""The x of each point of a grid: long edges and plain chains stand upright, the rest is centred on its neighbours.

links ─ upright blocks (after Brandes and Köpf) ─ rounds of (wish for the middle of the neighbours ─ make room)

Making room pushes everything aside to the right, and everything to the left, and takes the middle of the two: both
keep every distance, so their middle does too, and a row that wants to be in one place ends up centred on it. What
such a row has pushed aside elsewhere then slides back, one block at a time, as far as its neighbours let it.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from graphlib import TopologicalSorter
from itertools import pairwise
from math import inf

from agentinstruct.cli.layers import Grid

CLEAR = 20.0
"""Pixels between neighbours in a row."""
LANE = 26.0
"""Pixels between a box and the lane of its back edge."""
ROUNDS, SLIDES = 100, 20

Pull = tuple[int, float, float]
"""The point that draws, how far from it to stand, and the weight."""


def columns(grid: Grid, size: Sequence[float]) -> list[float]:
    """The x of each point, given the points' widths (0 for one that only carries an edge), in pixels."""
    blocks = _blocks(grid, size)
    members: dict[int, list[int]] = defaultdict(list)
    for point, block in enumerate(blocks):
        members[block].append(point)
    room = Room.between(grid, size, blocks)
    near = _pulls(grid, size)

    def wish(block: int) -> float:
        found = ((blocks[other], aside, weight) for point in members[block] for other, aside, weight in near[point])
        pulls = [(xs[other] + aside, weight) for other, aside, weight in found if other != block]
        total = sum(weight for _, weight in pulls)
        return sum(x * weight for x, weight in pulls) / total if total else xs[block]

    xs = room.make(dict.fromkeys(members, 0.0))
    for _ in range(ROUNDS):
        xs = room.make({block: (xs[block] + wish(block)) / 2 for block in members})
    for _ in range(SLIDES):
        for block in (*room.order, *reversed(room.order)):
            xs[block] = room.clamp(block, wish(block), xs)
    return [xs[block] for block in blocks]


@dataclass(frozen=True, slots=True)
class Room:
    """Which blocks stand left of which, and how far apart at least."""

    order: list[int]
    left_of: Mapping[int, Mapping[int, float]]
    right_of: Mapping[int, Mapping[int, float]]

    @classmethod
    def between(cls, grid: Grid, size: Sequence[float], blocks: Sequence[int]) -> "Room":
        """The distances that the rows ask for."""
        left_of: dict[int, dict[int, float]] = {block: {} for block in blocks}
        right_of: dict[int, dict[int, float]] = {block: {} for block in blocks}
        for a, b in (pair for row in grid.rows for pair in pairwise(row)):
            apart = (size[a] + size[b]) / 2 + CLEAR
            apart = max(apart, left_of[blocks[b]].get(blocks[a], 0.0))
            left_of[blocks[b]][blocks[a]] = right_of[blocks[a]][blocks[b]] = apart
        return cls(list(TopologicalSorter(left_of).static_order()), left_of, right_of)

    def make(self, wanted: Mapping[int, float]) -> dict[int, float]:
        """Positions near those wanted that keep all distances."""
        pushed_right: dict[int, float] = {}
        for block in self.order:
            least = (pushed_right[other] + apart for other, apart in self.left_of[block].items())
            pushed_right[block] = max([wanted[block], *least])
        pushed_left: dict[int, float] = {}
        for block in reversed(self.order):
            most = (pushed_left[other] - apart for other, apart in self.right_of[block].items())
            pushed_left[block] = min([wanted[block], *most])
        return {block: (pushed_right[block] + pushed_left[block]) / 2 for block in self.order}

    def clamp(self, block: int, wanted: float, xs: Mapping[int, float]) -> float:
        """The place nearest to `wanted` that this block can take while the others stand still."""
        least = max((xs[other] + apart for other, apart in self.left_of[block].items()), default=-inf)
        most = min((xs[other] - apart for other, apart in self.right_of[block].items()), default=inf)
        return max(least, min(most, wanted))


def _blocks(grid: Grid, size: Sequence[float]) -> list[int]:
    """For each point, the topmost point of the upright block it belongs to."""
    places = grid.places()
    taken: dict[int, list[tuple[int, int]]] = defaultdict(list)
    head = list(range(len(size)))
    upright = []
    for upper, lower in _candidates(grid, size):
        gap, link = taken[grid.row_of[upper]], (places[upper], places[lower])
        if all((link[0] - a) * (link[1] - b) > 0 for a, b in gap):
            gap.append(link)
            upright.append((upper, lower))
    for upper, lower in sorted(upright, key=lambda link: grid.row_of[link[0]]):
        head[lower] = head[upper]
    return head


def _candidates(grid: Grid, size: Sequence[float]) -> Iterator[tuple[int, int]]:
    """Links worth standing upright: within long edges, then those between boxes in the middle of their siblings."""
    yield from (link for link in grid.links if not size[link[0]] and not size[link[1]])
    places = grid.places()
    above, below = defaultdict(set), defaultdict(set)
    for upper, lower in grid.links:
        if size[upper] and size[lower]:
            above[lower].add(upper)
            below[upper].add(lower)

    def middle(points: set[int]) -> int | None:
        ordered = sorted(points, key=lambda point: places[point])
        return ordered[len(ordered) // 2] if len(ordered) % 2 else None

    for upper, lower in dict.fromkeys(grid.links):
        if upper in above[lower] and middle(below[upper]) == lower and middle(above[lower]) == upper:
            yield upper, lower


def _pulls(grid: Grid, size: Sequence[float]) -> dict[int, list[Pull]]:
    """What draws each point: its neighbours above and below, boxes more than lines; a lane, the side of its boxes."""
    near: dict[int, list[Pull]] = defaultdict(list)
    for a, b in grid.links:
        near[a].append((b, 0.0, 2.0 if size[b] else 0.1))
        near[b].append((a, 0.0, 2.0 if size[a] else 0.1))
    places = grid.places()
    for at in grid.back:
        route = grid.routes[at]
        for box, lane in ((route[0], route[1]), (route[-1], route[-2])):
            side = 1 if places[lane] > places[box] else -1
            near[lane].append((box, side * (size[box] / 2 + LANE), 4.0))
    return near
