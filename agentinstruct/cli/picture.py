"""A skill's graph as a PNG, drawn here: no network, no browser, no Graphviz."""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from math import dist, hypot
from pathlib import Path
from typing import TYPE_CHECKING

from agentinstruct.agents.errors import SetupError
from agentinstruct.cli.layout import Box, Layout, Point, layout

if TYPE_CHECKING:
    from langchain_core.runnables.graph import Graph
    from PIL.ImageDraw import ImageDraw
    from PIL.ImageFont import FreeTypeFont, ImageFont

DENSITY = 2
"""Pixels of the file per pixel of the layout: sharp where a page shows it at half its size."""
SUPERSAMPLE = 2
SCALE = DENSITY * SUPERSAMPLE
MARGIN, HEADER = 28.0, 76.0
NAME, TITLE, SMALL = 15.0, 24.0, 12.5
LINE, DASH, HEAD = 1.5, (5.0, 4.0), 8.5
PAPER, INK, QUIET = "#fbfcfe", "#0f172a", "#475569"

# stage: (fill, line). Ink on each fill has a contrast of at least 12:1, each line on the paper one of at least 4.5:1.
STAGES = {
    "flow": ("#eef2f7", "#64748b"),
    "transform": ("#d7f3ee", "#0f766e"),
    "instruct": ("#dbe9ff", "#1d5fd1"),
    "refine": ("#ffedd0", "#b45309"),
    "answer": ("#dcf5df", "#15803d"),
    "verify": ("#efe3ff", "#7e3fd0"),
}
STAGE_OF = {
    "__start__": "flow",
    "__end__": "flow",
    "plan": "flow",
    "instruct": "instruct",
    "suggest": "refine",
    "edit": "refine",
    "sample": "instruct",
    "answer": "answer",
    "tools": "answer",
    "verify": "verify",
    "review": "verify",
    "read": "flow",
    "route": "flow",
    "hand_out": "flow",
    "summarise": "flow",
}


def save_png(graph: "Graph", path: Path, title: str = "") -> None:
    """Draw a graph of LangGraph's (`compiled.get_graph(xray=True)`), under the file's name if it has no title.

    Raises:
        SetupError: Pillow is not installed; says how to get it.
    """
    try:
        from PIL import Image, ImageDraw
    except ImportError as error:
        raise SetupError("a picture needs Pillow: pip install 'agentinstruct[draw]'") from error

    names = {node: readable(node) for node in graph.nodes}
    title = title or readable(path.stem).title()
    widths = {node: max(58.0, _width(name, NAME) + 28) for node, name in names.items()}
    plan = layout(widths, [(edge.source, edge.target) for edge in graph.edges])
    left, top, right, bottom = plan.bounds
    stages = [stage for stage in STAGES if stage in {stage_of(node) for node in names} - {"flow"}]
    content = max(right - left, _width(title, TITLE), _legend_width(stages))
    size = (content + 2 * MARGIN, bottom - top + HEADER + 2 * MARGIN)
    image = Image.new("RGB", (round(size[0] * SCALE), round(size[1] * SCALE)), PAPER)
    pen = Pen(ImageDraw.Draw(image), (0.0, 0.0))
    _header(pen, title, stages)
    pen.origin = ((size[0] - left - right) / 2, MARGIN + HEADER - top)
    for edge, curve in zip(graph.edges, plan.curves, strict=True):
        pen.arrow(curve, STAGES[stage_of(edge.source)][1], dashed=edge.conditional)
    _boxes(pen, plan, names)
    small = (round(size[0] * DENSITY), round(size[1] * DENSITY))
    image.resize(small, Image.Resampling.LANCZOS).save(path, optimize=True)


def readable(node: str) -> str:
    """A node's name for people: `long_text` is "long text", `__start__` is "start"."""
    return node.replace("_", " ").replace(":", " · ").strip() or node


def stage_of(node: str) -> str:
    """The stage that gives a node its colour; a node of no other stage shapes the passage or the library."""
    return STAGE_OF.get(node.rpartition(":")[2], "transform")


class Pen:
    """Draws in the layout's pixels, moved by `origin`."""

    def __init__(self, draw: "ImageDraw", origin: Point) -> None:
        self.draw, self.origin = draw, origin

    def at(self, point: Point) -> Point:
        """The point on the enlarged canvas."""
        x, y = (round((here + start) * SCALE, 2) for here, start in zip(point, self.origin, strict=True))
        return x, y  # rounded, or an upright line wavers between two pixels

    def arrow(self, curve: Sequence[Point], colour: str, *, dashed: bool) -> None:
        """A curve with a head at its end."""
        points = list(sampled(curve))
        tip = points[-1]
        while len(points) > 2 and dist(points[-1], tip) < HEAD * 0.8:
            points.pop()
        base = points[-1]
        # Counted from the tip, the dashes of edges that share a trunk fall on one another.
        stub = [point for point in points if dist(point, points[0]) <= DASH[0]]
        for stroke in (stub, *dashes(points[::-1])) if dashed else (points,):
            self.draw.line([self.at(point) for point in stroke], colour, round(LINE * SCALE), joint="curve")
        length = hypot(tip[0] - base[0], tip[1] - base[1]) or 1.0
        along = ((tip[0] - base[0]) / length, (tip[1] - base[1]) / length)
        back = (tip[0] - along[0] * HEAD, tip[1] - along[1] * HEAD)
        wing = (-along[1] * HEAD * 0.45, along[0] * HEAD * 0.45)
        corners = [tip, (back[0] + wing[0], back[1] + wing[1]), (back[0] - wing[0], back[1] - wing[1])]
        self.draw.polygon([self.at(corner) for corner in corners], colour)

    def box(self, box: Box, fill: str, line: str, radius: float) -> None:
        """A rounded box."""
        corners = (*self.at((box.left, box.top)), *self.at((box.right, box.bottom)))
        self.draw.rounded_rectangle(corners, radius * SCALE, fill, line, round(LINE * SCALE))

    def text(self, point: Point, words: str, size: float, colour: str, *, anchor: str, bold: bool = False) -> None:
        """One line of text; the font has one weight, so bold is drawn with a thin stroke."""
        stroke = SCALE * size / 48 if bold else 0
        self.draw.text(self.at(point), words, colour, _font(size * SCALE), anchor=anchor, stroke_width=stroke)


def sampled(curve: Sequence[Point], steps: int = 160) -> Iterator[Point]:
    """Points along a chain of cubic Béziers."""
    yield curve[0]
    for at in range(0, len(curve) - 1, 3):
        a, b, c, d = curve[at : at + 4]
        for step in range(1, steps + 1):
            t = step / steps
            k = ((1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t**2 * (1 - t), t**3)
            x, y = (sum(f * p[i] for f, p in zip(k, (a, b, c, d), strict=True)) for i in (0, 1))
            yield x, y


def dashes(points: Sequence[Point]) -> Iterator[list[Point]]:
    """A line cut into dashes of equal length."""
    stroke, left, on = [points[0]], DASH[0], True
    for start, end in pairwise(points):
        here = start
        while (rest := dist(here, end)) >= left:
            here = (here[0] + (end[0] - here[0]) * left / rest, here[1] + (end[1] - here[1]) * left / rest)
            if on:
                yield [*stroke, here]
            on, stroke = not on, [here]
            left = DASH[0] if on else DASH[1]
        left -= rest
        stroke.append(end)
    if on and len(stroke) > 1:
        yield stroke


def _boxes(pen: Pen, plan: Layout, names: dict[str, str]) -> None:
    for node, box in plan.boxes.items():
        fill, line = STAGES[stage_of(node)]
        if node in ("__start__", "__end__"):
            pen.box(box, line, line, box.height / 2)
            pen.text((box.x, box.y), names[node], NAME, "white", anchor="mm")
        else:
            pen.box(box, fill, line, 8.0)
            pen.text((box.x, box.y), names[node], NAME, INK, anchor="mm")


def _header(pen: Pen, title: str, stages: Sequence[str]) -> None:
    pen.text((MARGIN, MARGIN + 20), title, TITLE, INK, anchor="ls", bold=True)
    x, y = MARGIN, MARGIN + 44
    for stage in stages:
        fill, line = STAGES[stage]
        pen.box(Box(x + 6, y, 12, 12), fill, line, 3.5)
        pen.text((x + 18, y), stage, SMALL, QUIET, anchor="lm")
        x += _entry(stage)
    pen.arrow(((x, y), (x + 10, y), (x + 20, y), (x + 30, y)), QUIET, dashed=True)
    pen.text((x + 37, y), "conditional", SMALL, QUIET, anchor="lm")


def _entry(stage: str) -> float:
    return _width(stage, SMALL) + 36


def _legend_width(stages: Sequence[str]) -> float:
    return sum(map(_entry, stages)) + 37 + _width("conditional", SMALL)


def _width(words: str, size: float) -> float:
    return float(_font(size * SCALE).getlength(words)) / SCALE


def _font(size: float) -> "FreeTypeFont | ImageFont":
    from PIL import ImageFont

    return ImageFont.load_default(size)
