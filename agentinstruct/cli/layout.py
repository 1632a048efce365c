"""Where a graph's boxes and curves go: the rows of `layers`, with coordinates.

A row is a band as high as a box; curves pass it straight down, between the boxes, and bend only in the gaps between
rows, where no box is. So no curve crosses a box, whatever the graph.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from math import inf

from agentinstruct.cli.columns import columns
from agentinstruct.cli.layers import Grid, layered

BOX_HEIGHT = 34.0
PORT = 13.0
"""Pixels between the ends of curves on one side of a box, where there is room."""
GAP, STEEPNESS, MAX_GAP = 36.0, 0.1, 84.0

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Box:
    """A node; x and y are its centre, in pixels."""

    x: float
    y: float
    width: float
    height: float = BOX_HEIGHT

    @property
    def left(self) -> float:
        """Its left side."""
        return self.x - self.width / 2

    @property
    def right(self) -> float:
        """Its right side."""
        return self.x + self.width / 2

    @property
    def top(self) -> float:
        """Its upper side."""
        return self.y - self.height / 2

    @property
    def bottom(self) -> float:
        """Its lower side."""
        return self.y + self.height / 2


@dataclass(frozen=True, slots=True)
class Layout:
    """Boxes by node, and for each edge the 3n + 1 control points of its cubic Béziers, from source to target."""

    boxes: dict[str, Box]
    curves: tuple[tuple[Point, ...], ...]

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """Left, top, right and bottom of all that is drawn."""
        xs = [x for curve in self.curves for x, _ in curve]
        boxes = self.boxes.values()
        return (
            min([*xs, *(box.left for box in boxes)]),
            min(box.top for box in boxes),
            max([*xs, *(box.right for box in boxes)]),
            max(box.bottom for box in boxes),
        )


def layout(widths: Mapping[str, float], edges: Sequence[tuple[str, str]]) -> Layout:
    """Lay out the nodes (at least one; the first is the start), given with their widths in pixels, and their edges."""
    grid = layered(list(widths), edges)
    size = [0.0] * len(grid.row_of)
    for node, point in grid.nodes.items():
        size[point] = widths[node]
    xs = columns(grid, size)
    ys = _heights(grid, xs)
    boxes = {node: Box(xs[point], ys[grid.row_of[point]], widths[node]) for node, point in grid.nodes.items()}
    spots = [(x, ys[row]) for x, row in zip(xs, grid.row_of, strict=True)]
    ends = _ports(grid, spots, edges, boxes)
    return Layout(
        boxes,
        tuple(
            _up(ends[at], [spots[point] for point in route[1:-1]])
            if at in grid.back
            else _down(ends[at], [spots[point] for point in route[1:-1]])
            for at, route in enumerate(grid.routes)
        ),
    )


def settle(
    wanted: Sequence[float],
    weights: Sequence[float],
    gaps: Sequence[float],
    low: float = -inf,
    high: float = inf,
) -> list[float]:
    """The positions nearest to those wanted (weighted least squares), in order and at least `gaps` apart."""
    offsets = list(accumulate(gaps, initial=0.0))[: len(wanted)]
    blocks: list[tuple[float, float, int]] = []
    for value, weight, offset in zip(wanted, weights, offsets, strict=True):
        mean, total, count = value - offset, weight, 1
        while blocks and blocks[-1][0] >= mean:
            other, mass, members = blocks.pop()
            mean, total, count = (mean * total + other * mass) / (total + mass), total + mass, count + members
        blocks.append((mean, total, count))
    fitted = [mean for mean, _, count in blocks for _ in range(count)]
    high = high - offsets[-1] if offsets else high
    return [max(low, min(high, value)) + offset for value, offset in zip(fitted, offsets, strict=True)]


def _heights(grid: Grid, xs: Sequence[float]) -> list[float]:
    """The y of each row's centre: further apart where edges go far aside."""
    spans = [0.0] * len(grid.rows)
    for upper, lower in grid.links:
        row = grid.row_of[upper]
        spans[row] = max(spans[row], abs(xs[upper] - xs[lower]))
    steps = [BOX_HEIGHT + min(MAX_GAP, GAP + STEEPNESS * span) for span in spans]
    return list(accumulate(steps, initial=0.0))[: len(steps)]


def _ports(
    grid: Grid, spots: Sequence[Point], edges: Sequence[tuple[str, str]], boxes: Mapping[str, Box]
) -> list[tuple[Point, Point]]:
    """Where each edge leaves its source and meets its target; edges of one trunk meet it in one place."""
    sides: dict[tuple[str, str], dict[tuple[int, int], float]] = defaultdict(dict)
    keys: dict[tuple[int, int], tuple[str, str, tuple[int, int]]] = {}
    for at, (edge, route) in enumerate(zip(edges, grid.routes, strict=True)):
        for end, (node, neighbour) in enumerate(zip(edge, (route[1], route[-2]), strict=True)):
            x, box, port = spots[neighbour][0], boxes[node], (at, end)
            if at in grid.back:
                # A lane leaves upwards and arrives from below: in this order they do not cross.
                side, wanted = "left" if x < box.x else "right", box.y + 6 * end - 3
            else:
                side, wanted = "top" if end else "bottom", x
                port = (at, end) if len(route) == 2 or not end else (-1, neighbour)
            sides[node, side][port] = wanted
            keys[at, end] = (node, side, port)
    found = {(node, side): _on_side(boxes[node], side, ports) for (node, side), ports in sides.items()}

    def place(at: int, end: int) -> Point:
        node, side, port = keys[at, end]
        return found[node, side][port]

    return [(place(at, 0), place(at, 1)) for at in range(len(edges))]


def _on_side(box: Box, side: str, ports: Mapping[tuple[int, int], float]) -> dict[tuple[int, int], Point]:
    across, fixed = side in ("top", "bottom"), float(getattr(box, side))
    middle, room = (box.x, box.width - 24) if across else (box.y, box.height - 16)
    if len(ports) == 1:
        return dict.fromkeys(ports, (middle, fixed) if across else (fixed, middle))
    names = sorted(ports, key=lambda port: (ports[port], port))
    low, high = middle - room / 2, middle + room / 2
    aimed = [max(low, min(high, ports[name])) for name in names]
    apart = min(PORT, room / max(1, len(names) - 1))
    # A line that can go straight down the middle keeps it, the others make room.
    weights = [1e4 if abs(value - middle) < 0.5 else 1.0 for value in aimed]
    places = settle(aimed, weights, [apart] * (len(names) - 1), low, high)
    return {name: (value, fixed) if across else (fixed, value) for name, value in zip(names, places, strict=True)}


def _down(ends: tuple[Point, Point], between: Sequence[Point]) -> tuple[Point, ...]:
    curve = [ends[0]]
    for x, y in between:
        _bend(curve, (x, y - BOX_HEIGHT / 2))
        _bend(curve, (x, y + BOX_HEIGHT / 2))
    _bend(curve, ends[1])
    return tuple(curve)


def _up(ends: tuple[Point, Point], lane: Sequence[Point]) -> tuple[Point, ...]:
    """A quarter turn into the lane, up through its points, and a quarter turn into the target's side."""
    (start_x, start_y), (end_x, end_y) = ends
    curve = [ends[0]]
    if len(lane) == 1:
        x, y = lane[0]
        return (*curve, (x, start_y), (x, start_y), (x, y), (x, end_y), (x, end_y), ends[1])
    (first, low), (last, high) = lane[0], lane[-1]
    curve += [(first + (start_x - first) * 0.4, start_y), (first, start_y), (first, low - BOX_HEIGHT / 2)]
    for x, y in lane[1:-1]:
        _bend(curve, (x, y + BOX_HEIGHT / 2))
        _bend(curve, (x, y - BOX_HEIGHT / 2))
    _bend(curve, (last, high + BOX_HEIGHT / 2))
    return (*curve, (last, end_y), (last + (end_x - last) * 0.4, end_y), ends[1])


def _bend(curve: list[Point], end: Point) -> None:
    """One S-curve, vertical at both ends."""
    x, middle = curve[-1][0], (curve[-1][1] + end[1]) / 2
    curve += [(x, middle), (end[0], middle), end]
