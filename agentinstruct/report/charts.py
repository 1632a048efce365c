"""Plots as inline SVG, in the page's own colours, sharp at any size.

What is compared line by line is a table whose cells hold the bars: it reads as well without seeing them. Their SVG is
measured in per cent of the cell, so text keeps its size on a phone. Plots in the plane carry a title and a description.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from agentinstruct.dataset.measure_figures import Figure
from agentinstruct.report.html import Child, Html, joined, tag
from agentinstruct.report.words import number, percent

HIGH = 16
"""Pixels of a bar's row."""


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a bar: its size, its colour class, what it is."""

    size: float
    colour: str
    title: str = ""


def bar(parts: Sequence[Part], most: float) -> Html:
    """Pieces one after another; `most` takes the whole width."""
    found, at = list[Html](), 0.0
    for part in parts:
        if part.size > 0 and most:
            wide = 100 * part.size / most
            title = tag("title", part.title) if part.title else None
            found.append(
                tag("rect", title, x=f"{at:.2f}%", y=1, width=f"{wide:.2f}%", height=HIGH - 2, cls=part.colour)
            )
            at += wide
    return _row(found)


def dots(points: Sequence[tuple[Figure, str, str]], low: float = 0.0, high: float = 1.0) -> Html:
    """Figures on one line between `low` and `high`, each a dot with its interval: (figure, class, title)."""
    span = (high - low) or 1.0
    found = [tag("line", x1=f"{q}%", x2=f"{q}%", y1=0, y2=HIGH, cls="grid") for q in (0, 25, 50, 75, 100)]
    apart = HIGH / (len(points) + 1)
    for at, (figure, colour, title) in enumerate(points, 1):
        if figure.value is None:
            continue
        y = apart * at
        if figure.low is not None and figure.high is not None:
            ends = [f"{100 * _within((end - low) / span):.2f}%" for end in (figure.low, figure.high)]
            found.append(tag("line", x1=ends[0], x2=ends[1], y1=y, y2=y, cls=f"range {colour}"))
        where = f"{100 * _within((figure.value - low) / span):.2f}%"
        found.append(tag("circle", tag("title", title), cx=where, cy=y, r=4, cls=f"dot {colour}"))
    return _row(found)


def box(values: Sequence[float], low: float, high: float, colour: str) -> Html:
    """Where values lie on a logarithmic axis: middle half, from 5 to 95 %, and the median."""
    ranked = sorted(values)
    at = [_log(quantile(ranked, q), low, high) for q in (0.05, 0.25, 0.5, 0.75, 0.95)]
    middle = HIGH / 2
    return _row(
        [
            tag("line", x1=f"{at[0]:.2f}%", x2=f"{at[4]:.2f}%", y1=middle, y2=middle, cls=f"range {colour}"),
            tag("rect", x=f"{at[1]:.2f}%", width=f"{max(0.6, at[3] - at[1]):.2f}%", y=4, height=HIGH - 8, cls=colour),
            tag("rect", x=f"{at[2]:.2f}%", width=3, y=1, height=HIGH - 2, cls="median"),
        ]
    )


def quantile(ranked: Sequence[float], q: float) -> float:
    """The value below which a share of sorted values lies; 0 of none."""
    return ranked[min(len(ranked) - 1, int(q * len(ranked)))] if ranked else 0.0


def histogram(counts: Sequence[int], title: str, described: str, marked: int = -1) -> Html:
    """Bars side by side, over the whole width; those from `marked` on in the colour of a loss."""
    most, wide = max(counts, default=0) or 1, 100 / max(1, len(counts))
    bars = [
        tag(
            "rect",
            tag("title", f"{count:,}"),
            x=f"{at * wide:.2f}%",
            width=f"{wide * 0.9:.2f}%",
            y=f"{100 - 100 * count / most:.2f}%",
            height=f"{100 * count / most:.2f}%",
            cls="loss" if 0 <= marked <= at else "good",
        )
        for at, count in enumerate(counts)
    ]
    return _figure(bars, title, described, cls="histogram", width="100%", height=90)


def ribbon(heights: Sequence[float]) -> Html:
    """A stream that narrows from step to step; what is lost on the way falls out of it."""
    most, wide = (heights[0] if heights else 0) or 1.0, 100.0 / max(1, len(heights))
    tops = [100 - 100 * height / most for height in heights]
    stream, fallen = [f"M 0 {tops[0] if tops else 100:.2f}"], list[Html]()
    for at, (top, before) in enumerate(zip(tops, [*tops[:1], *tops], strict=False)):
        left, turn, flat = at * wide, at * wide + wide * 0.25, at * wide + wide * 0.5
        bend = f"C {turn:.2f} {before:.2f} {turn:.2f} {top:.2f} {flat:.2f} {top:.2f}"
        stream.append(f"{bend} L {left + wide:.2f} {top:.2f}")
        if top > before:
            fallen.append(tag("path", d=f"M {left:.2f} {before:.2f} {bend} L {flat:.2f} {before:.2f} Z", cls="fallen"))
    shape = tag("path", d=" ".join([*stream, "L 100 100 L 0 100 Z"]), cls="good")
    return tag(
        "svg",
        [*fallen, shape],
        cls="ribbon",
        viewBox="0 0 100 100",
        preserveAspectRatio="none",
        aria_hidden="true",
        height=110,
    )


def trend(points: Sequence[tuple[int, Figure]], title: str, *, shares: bool = False) -> Html:
    """Figures by depth, with their intervals, from 0 up."""
    write = percent if shares else number
    known = [(depth, figure) for depth, figure in points if figure.value is not None]
    tops = [figure.high or figure.value or 0.0 for _, figure in known]
    lows = [figure.low if figure.low is not None else figure.value or 0.0 for _, figure in known]
    high, low = (1.0 if shares else max(tops, default=1.0) * 1.1 or 1.0), min(0.0, *lows, 0.0)
    step = 200 / max(1, len(known))
    spots = [(20 + step * (at + 0.5), figure) for at, (_, figure) in enumerate(known)]

    def y(value: float) -> float:
        return 96 - 80 * (value - low) / ((high - low) or 1.0)

    parts = [tag("line", x1=8, x2=232, y1=y(level), y2=y(level), cls="grid") for level in (low, (low + high) / 2, high)]
    path = " L ".join(f"{x:.1f} {y(figure.value or 0.0):.1f}" for x, figure in spots)
    parts += [tag("path", d=f"M {path}", cls="trend")] if len(spots) > 1 else []
    for (x, figure), (depth, _) in zip(spots, known, strict=True):
        if figure.low is not None and figure.high is not None:
            parts.append(tag("line", x1=x, x2=x, y1=y(figure.low), y2=y(figure.high), cls="range good"))
        parts.append(tag("circle", cx=x, cy=y(figure.value or 0.0), r=4, cls="dot good"))
        parts.append(tag("text", write(figure.value), x=x + 8, y=y(figure.value or 0.0) - 6, cls="value"))
        parts.append(tag("text", "original" if not depth else f"depth {depth}", x=x, y=114, cls="tick"))
    described = "; ".join(f"depth {depth}: {write(figure.value)}" for depth, figure in known)
    return _figure(parts, title, described, cls="trendbox", viewBox="0 0 240 120")


def scatter(points: Iterable[tuple[float, float, str]], background: Html, title: str, described: str) -> Html:
    """Points in the plane, 0 … 1 both ways, over a background drawn once."""
    marks = [
        tag("circle", tag("title", name), cx=2 + 96 * x, cy=98 - 96 * y, r=1.6, cls="good") for x, y, name in points
    ]
    return _figure([background, *marks], title, described, cls="map", viewBox="0 0 100 100")


def cloud(points: Iterable[tuple[float, float]], name: str) -> Html:
    """Points as one shape that other plots can use by name."""
    path = "".join(f"M{2 + 96 * x:.1f} {98 - 96 * y:.1f}h0" for x, y in points)
    shape = tag("path", d=path or "M0 0", id=name, cls="cloud")
    return tag("svg", tag("defs", shape), width=0, height=0, aria_hidden="true", cls="defs")


def lines_table(
    caption: str, heads: Sequence[Child], rows: Iterable[Sequence[Child]], *, cls: str = "", numbers: bool = True
) -> Html:
    """A table of lines: the first cell names the line, cells that hold a plot are wide, others are numbers."""
    head = tag("tr", [tag("th", cell, scope="col") for cell in heads])
    body = [
        tag("tr", tag("th", row[0], scope="row"), [_cell(cell, numbers=numbers) for cell in row[1:]]) for row in rows
    ]
    table = tag("table", tag("caption", caption), tag("thead", head), tag("tbody", body), cls=f"lines {cls}".strip())
    return tag("div", table, cls="scroll", tabindex=0, role="region", aria_label=caption)


def _cell(cell: Child, *, numbers: bool) -> Html:
    plot = isinstance(cell, Html) and cell.startswith("<svg")
    return tag("td", cell, cls="plot" if plot else "number" if numbers else None)


def _row(shapes: Sequence[Html]) -> Html:
    return tag("svg", shapes, width="100%", height=HIGH, cls="bar", aria_hidden="true")


def _figure(shapes: Sequence[Html], title: str, described: str, **attributes: str | float) -> Html:
    return tag("svg", tag("title", title), tag("desc", described), joined(shapes), role="img", **attributes)


def _within(value: float) -> float:
    return max(0.0, min(1.0, value))


def _log(value: float, low: float, high: float) -> float:
    span = math.log((high + 1) / (low + 1)) or 1.0
    return 100 * _within(math.log((value + 1) / (low + 1)) / span)
