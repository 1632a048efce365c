"""A directed graph in rows, as Sugiyama draws it: every edge goes one row down, through virtual points if it is long.

back edges (DFS from the first node) ─ rows (longest path) ─ virtual points ─ order (barycentres) ─ lanes

A lane carries a back edge up, beside the boxes: it has a point in each row from its source's to its target's, and
stands right beside both of them, so that it meets no other box. Everything is a function of the order of its input.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from graphlib import TopologicalSorter
from itertools import combinations, pairwise

SWEEPS = 12


@dataclass(slots=True)
class Grid:
    """Points in rows. A point is a number; `nodes` names those that are boxes, the others only carry an edge."""

    rows: list[list[int]]
    row_of: list[int] = field(default_factory=list)
    nodes: dict[str, int] = field(default_factory=dict)
    links: list[tuple[int, int]] = field(default_factory=list)
    """Upper and lower point, always one row apart."""
    routes: list[list[int]] = field(default_factory=list)
    """For each edge, the points it passes, from its source to its target."""
    back: set[int] = field(default_factory=set)
    """The edges, by index, that go up or loop."""

    def add(self, row: int, at: int | None = None) -> int:
        """A new point, at the end of its row if no place is given."""
        self.row_of.append(row)
        point = len(self.row_of) - 1
        self.rows[row].insert(len(self.rows[row]) if at is None else at, point)
        return point

    def places(self) -> dict[int, int]:
        """Where each point stands in its row."""
        return {point: at for row in self.rows for at, point in enumerate(row)}

    def crossings(self) -> int:
        """How many pairs of links cross."""
        places = self.places()
        gaps: dict[int, list[tuple[int, int]]] = defaultdict(list)
        for upper, lower in self.links:
            gaps[self.row_of[upper]].append((places[upper], places[lower]))
        return sum((a[0] - b[0]) * (a[1] - b[1]) < 0 for gap in gaps.values() for a, b in combinations(gap, 2))


def layered(nodes: Sequence[str], edges: Sequence[tuple[str, str]], last: str = "__end__") -> Grid:
    """The nodes in ordered rows, with a route for each edge; `last` goes to the bottom row if nothing follows it."""
    back = back_edges(nodes, edges)
    rows = row_numbers(nodes, [edge for at, edge in enumerate(edges) if at not in back], last)
    grid = Grid(rows=[[] for _ in range(max(rows.values(), default=-1) + 1)], back=back)
    grid.nodes = {node: grid.add(rows[node]) for node in nodes}
    trunks: dict[tuple[int, str], int] = {}
    grid.routes = [[] if at in back else _long(grid, trunks, *edge) for at, edge in enumerate(edges)]
    _order(grid)
    # Short loops first: they get the place beside their boxes, longer ones go around them.
    for at in sorted(back, key=lambda at: (rows[edges[at][0]] - rows[edges[at][1]], at)):
        grid.routes[at] = _lane(grid, *edges[at])
    return grid


def back_edges(nodes: Sequence[str], edges: Sequence[tuple[str, str]]) -> set[int]:
    """Indices of the edges that close a cycle when walking from the first node, then from each one not yet seen."""
    leaving: dict[str, list[tuple[int, str]]] = {node: [] for node in nodes}
    for at, (source, target) in enumerate(edges):
        leaving[source].append((at, target))
    back, seen, open_nodes = set(), set(), set()

    def walk(node: str) -> None:
        seen.add(node)
        open_nodes.add(node)
        for at, target in leaving[node]:
            if target in open_nodes:
                back.add(at)
            elif target not in seen:
                walk(target)
        open_nodes.remove(node)

    for node in nodes:
        if node not in seen:
            walk(node)
    return back


def row_numbers(nodes: Sequence[str], edges: Sequence[tuple[str, str]], last: str) -> dict[str, int]:
    """The row of each node: the length of the longest path to it. `edges` have no cycle."""
    before: Mapping[str, list[str]] = {node: [] for node in nodes}
    for source, target in edges:
        before[target].append(source)
    rows: dict[str, int] = {}
    for node in TopologicalSorter(before).static_order():
        rows[node] = max((rows[other] + 1 for other in before[node]), default=0)
    if last in rows and all(source != last for source, _ in edges):
        rows[last] = max(rows.values())
    return rows


def _long(grid: Grid, trunks: dict[tuple[int, str], int], source: str, target: str) -> list[int]:
    """The route of an edge; long edges to the same target share their points, so that they are drawn as one trunk."""
    route, end = [grid.nodes[source]], grid.nodes[target]
    for row in range(grid.row_of[route[0]] + 1, grid.row_of[end]):
        if (row, target) not in trunks:
            trunks[row, target] = grid.add(row)
        route.append(trunks[row, target])
    links = pairwise([*route, end])
    grid.links += links if len(route) == 1 else [link for link in links if link not in grid.links]
    return [*route, end]


def _order(grid: Grid) -> None:
    above: dict[int, list[int]] = defaultdict(list)
    below: dict[int, list[int]] = defaultdict(list)
    for upper, lower in grid.links:
        above[lower].append(upper)
        below[upper].append(lower)
    best, fewest = [list(row) for row in grid.rows], grid.crossings()
    for sweep in range(SWEEPS):
        down = sweep % 2 == 0
        for row in grid.rows if down else grid.rows[::-1]:
            _by_barycentre(grid, row, above if down else below)
        if (now := grid.crossings()) < fewest:
            best, fewest = [list(row) for row in grid.rows], now
    grid.rows = best
    _swap(grid, fewest)


def _by_barycentre(grid: Grid, row: list[int], near: Mapping[int, list[int]]) -> None:
    places = grid.places()

    def centre(point: int) -> float:
        others = near.get(point) or [point]
        return sum(places[other] for other in others) / len(others)

    row.sort(key=centre)


def _swap(grid: Grid, fewest: int) -> None:
    """Swap neighbours as long as that removes crossings, which barycentres alone can miss."""
    better = fewest > 0
    while better:
        better = False
        for row in grid.rows:
            for at in range(len(row) - 1):
                row[at], row[at + 1] = row[at + 1], row[at]
                now = grid.crossings()
                if now < fewest:
                    fewest, better = now, True
                else:
                    row[at], row[at + 1] = row[at + 1], row[at]


def _lane(grid: Grid, source: str, target: str) -> list[int]:
    """The route of a back edge, through the places that cross the fewest links."""
    first, end = grid.nodes[source], grid.nodes[target]
    top, bottom = grid.row_of[end], grid.row_of[first]
    places = grid.places()
    paths: dict[int, tuple[float, tuple[int, ...]]] = {
        at: (_inside(grid, top, at), (at,)) for at in _beside(places[end])
    }
    for row in range(top + 1, bottom + 1):
        gap = [(places[a], places[b]) for a, b in grid.links if grid.row_of[b] == row]
        options = _beside(places[first]) if row == bottom else range(len(grid.rows[row]) + 1)
        paths = {
            at: min(
                (cost + _crossed(gap, path[-1], at) + _inside(grid, row, at), (*path, at))
                for cost, path in paths.values()
            )
            for at in options
        }
    _, path = min(paths.values())
    points = [grid.add(top + offset, at) for offset, at in enumerate(path)]
    grid.links += pairwise(points)
    return [first, *reversed(points), end]


def _beside(place: int) -> tuple[int, int]:
    return place, place + 1


def _crossed(gap: Sequence[tuple[int, int]], upper: int, lower: int) -> int:
    return sum((a < upper) != (b < lower) for a, b in gap)


def _inside(grid: Grid, row: int, at: int) -> float:
    """Among equals, the lane nearer to the rim."""
    return 0.01 * min(at, len(grid.rows[row]) - at)
