"""Where a graph's boxes and curves go: the rows of `layers`, with coordinates.

A row is a band as high as a box; curves pass it straight down, between the boxes, and bend only in the gaps between
rows, where no box is. So no curve crosses a box, whatever the graph.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from math import inf

from agentinstruct.cli.layers import Grid, layered

BOX_HEIGHT = 34.0
CLEAR = 16.0
"""Pixels between neighbours in a row."""
LANE = 24.0
"""Pixels between a box and the lane of its back edge."""
PORT = 13.0
"""Pixels between the ends of curves on one side of a box, where there is room."""
GAP, STEEPNESS, MAX_GAP = 36.0, 0.1, 84.0
ROUNDS = 60

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
    """Lay out the nodes, given with their widths in pixels, and the edges between them; the first node is the start."""
    grid = layered(list(widths), edges)
    size = [0.0] * len(grid.row_of)
    for node, point in grid.nodes.items():
        size[point] = widths[node]
    xs = _columns(grid, size)
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


def _columns(grid: Grid, size: Sequence[float]) -> list[float]:
    """The x of each point: near its neighbours above and below; long edges straight, boxes before lines."""
    near = _pulls(grid, size)
    weights = [8.0 if width else 1.0 for width in size]
    gaps = [[_clear(size, a, b) for a, b in pairwise(row)] for row in grid.rows]
    xs = [0.0] * len(size)
    for row, apart in zip(grid.rows, gaps, strict=True):
        for point, x in zip(row, settle([0.0] * len(row), [1.0] * len(row), apart), strict=True):
            xs[point] = x
    for turn in range(ROUNDS):
        for at in range(len(grid.rows)) if turn % 2 else reversed(range(len(grid.rows))):
            row = grid.rows[at]
            wanted = [_mean([(xs[other] + shift, pull) for other, shift, pull in near[p]], xs[p]) for p in row]
            for point, x in zip(row, settle(wanted, [weights[p] for p in row], gaps[at]), strict=True):
                xs[point] = x
    return xs


def _pulls(grid: Grid, size: Sequence[float]) -> dict[int, list[tuple[int, float, float]]]:
    """For each point, the points that draw it: (point, how far from it to stand, weight)."""
    near: dict[int, list[tuple[int, float, float]]] = defaultdict(list)
    for a, b in grid.links:
        pull = (8.0, 0.5, 2.0)[bool(size[a]) + bool(size[b])]
        near[a].append((b, 0.0, pull))
        near[b].append((a, 0.0, pull))
    places = grid.places()
    for at in grid.back:
        route = grid.routes[at]
        for box, lane in ((route[0], route[1]), (route[-1], route[-2])):
            side = 1 if places[lane] > places[box] else -1
            near[lane].append((box, side * (size[box] / 2 + LANE), 4.0))
    return near


def _mean(pulls: Sequence[tuple[float, float]], otherwise: float) -> float:
    total = sum(pull for _, pull in pulls)
    return sum(x * pull for x, pull in pulls) / total if total else otherwise


def _clear(size: Sequence[float], a: int, b: int) -> float:
    return (size[a] + size[b]) / 2 + CLEAR


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
    """Where each edge leaves its source and meets its target."""
    sides: dict[tuple[str, str], list[tuple[float, int, int]]] = defaultdict(list)
    for at, (edge, route) in enumerate(zip(edges, grid.routes, strict=True)):
        for end, (node, neighbour) in enumerate(zip(edge, (route[1], route[-2]), strict=True)):
            x = spots[neighbour][0]
            if at in grid.back:
                # A lane leaves upwards and arrives from below: in this order they do not cross.
                sides[node, "left" if x < boxes[node].x else "right"].append((boxes[node].y + 6 * end - 3, at, end))
            else:
                sides[node, "top" if end else "bottom"].append((x, at, end))
    ends: dict[tuple[int, int], Point] = {}
    for (node, side), ports in sides.items():
        ports.sort()
        found = _on_side(boxes[node], side, [wanted for wanted, _, _ in ports])
        ends |= {(at, end): point for (_, at, end), point in zip(ports, found, strict=True)}
    return [(ends[at, 0], ends[at, 1]) for at in range(len(edges))]


def _on_side(box: Box, side: str, wanted: Sequence[float]) -> list[Point]:
    across = side in ("top", "bottom")
    middle, room = (box.x, box.width - 24) if across else (box.y, box.height - 16)
    low, high = middle - room / 2, middle + room / 2
    apart = min(PORT, room / max(1, len(wanted) - 1))
    if len(wanted) == 1 and not across:
        return [(getattr(box, side), middle)]
    aimed = [max(low, min(high, value)) for value in wanted]
    fixed = getattr(box, side)
    found = settle(aimed, [1.0] * len(aimed), [apart] * (len(aimed) - 1), low, high)
    return [(value, fixed) if across else (fixed, value) for value in found]


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
    (x, y), middle = curve[-1], (curve[-1][1] + end[1]) / 2
    curve += [(x, middle), (end[0], middle), end]
