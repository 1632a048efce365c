"""Scores as people read them: a table of text, and one drawing with a bar a set and model, in light and dark."""

from collections.abc import Iterator, Mapping, Sequence
from html import escape

from agentinstruct.bench.results import OVERALL, Score

Models = Mapping[str, Sequence[Score]]
"""The scores of each model, by its name; the same sets in all."""
_ROW, _LEFT, _RIGHT, _WIDE = 22, 210, 96, 780
_STYLE = """
svg { --ink: #1f2328; --faint: #6e7781; --paper: #ffffff;
      --m0: #2f6fb5; --m1: #c7621b; --m2: #2e8b57; --m3: #8a5fb0; --m4: #b03a5b; --m5: #6b7280; }
@media (prefers-color-scheme: dark) {
  svg { --ink: #e6edf3; --faint: #8b949e; --paper: #0d1117;
        --m0: #5b9bd8; --m1: #e8935a; --m2: #5fbf8a; --m3: #b48fd6; --m4: #e07a97; --m5: #9aa3af; }
}
text { font: 13px system-ui, sans-serif; fill: var(--ink); }
text { paint-order: stroke; stroke: var(--paper); stroke-width: 3px; }
.ends { stroke: var(--ink); stroke-width: 1.4px; fill: none; }
.faint { fill: var(--faint); }
.title { font-weight: 600; font-size: 15px; }
.all { font-weight: 600; }
"""
_COLOURS = 6


def table(models: Models) -> str:
    """One model's scores with what they are made of; several models' beside each other."""
    if len(models) == 1:
        return _alone(next(iter(models.values())))
    wide = max(len(score.set) for scores in models.values() for score in scores)
    columns = [max(len(name), 19) for name in models]
    heads = "  ".join(f"{name:{size}}" for name, size in zip(models, columns, strict=True))
    lines = [f"{'set':{wide}}  items  {heads}".rstrip()]
    for place in _by_set(models):
        cells = "  ".join(f"{_told(one):{size}}" for one, size in zip(place, columns, strict=True))
        lines.append(f"{place[0].set:{wide}}  {place[0].items:5}  {cells}".rstrip())
    return "\n".join(lines)


def _alone(scores: Sequence[Score]) -> str:
    wide = max(len(score.set) for score in scores)
    lines = [f"{'set':{wide}}  items  {'score   95%':19}   model  teacher"]
    for score in scores:
        unrated = f"   {score.unrated} turns unrated" if score.unrated else ""
        means = f"{score.model:5.2f}    {score.teacher:5.2f}" if score.turns else "    –        –"
        lines.append(f"{score.set:{wide}}  {score.items:5}  {_told(score):19}   {means}{unrated}")
    return "\n".join(lines)


def _told(score: Score) -> str:
    """A score with its interval."""
    if score.score is None:
        return "    –   not rated"
    around = "too few seeds" if score.low is None or score.high is None else f"{score.low:.2f} – {score.high:.2f}"
    return f"{score.score:5.2f}   {around}"


def _by_set(models: Models) -> Iterator[tuple[Score, ...]]:
    return zip(*models.values(), strict=True)


def plot(models: Models, title: str) -> str:
    """A bar for each set and model with its interval, and a line where the teacher stands: one SVG."""
    several = len(models) > 1
    top, gap = (70 + 18 * len(models), 10) if several else (62, 4)
    groups = list(_by_set(models))
    height = top + len(groups) * (len(models) * _ROW + gap) + 34
    highest = [edge for group in groups for one in group for edge in (one.score, one.high) if edge is not None]
    scale = (_WIDE - _LEFT - _RIGHT) / min(max([10.0, *highest]), 20.0)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDE} {height}" role="img" '
        f'aria-label="{escape(title, quote=True)}"><style>{_STYLE}</style>',
        f'<rect width="{_WIDE}" height="{height}" fill="var(--paper)"/>',
        f'<text class="title" x="16" y="26">{escape(title)}</text>',
        *(_legend(list(models)) if several else []),
        *_axis(scale, top, height - 30),
    ]
    at = float(top)
    for group in groups:
        parts += _group(group, at, scale)
        at += len(models) * _ROW + gap
    return "\n".join([*parts, "</svg>\n"])


def _legend(names: Sequence[str]) -> Iterator[str]:
    for place, name in enumerate(names):
        y = 38 + 18 * place
        yield f'<rect x="16" y="{y}" width="12" height="12" rx="2" fill="{_colour(place)}"/>'
        yield f'<text x="34" y="{y + 11}">{escape(name)}</text>'


def _axis(scale: float, top: float, bottom: float) -> Iterator[str]:
    for tick in range(0, 11, 2):
        x = _LEFT + tick * scale
        dash = "" if tick == 10 else ' stroke-dasharray="2 4"'
        yield f'<line x1="{x:.1f}" y1="{top - 6}" x2="{x:.1f}" y2="{bottom}" stroke="var(--faint)"{dash}/>'
        yield f'<text class="faint" x="{x:.1f}" y="{bottom + 18}" text-anchor="middle">{tick}</text>'
    yield f'<text class="faint" x="{_LEFT + 10 * scale:.1f}" y="{top - 12}" text-anchor="middle">teacher</text>'


def _group(group: Sequence[Score], top: float, scale: float) -> Iterator[str]:
    """One set: its name, and a bar a model."""
    name = escape(group[0].set)
    bold = ' class="all"' if group[0].set == OVERALL else ""
    middle = top + len(group) * _ROW / 2 + 4
    yield f'<text{bold} x="{_LEFT - 10}" y="{middle:.1f}" text-anchor="end">{name}</text>'
    for place, score in enumerate(group):
        yield from _bar(score, top + place * _ROW, scale, _colour(place))


def _bar(score: Score, top: float, scale: float, colour: str) -> Iterator[str]:
    if score.score is None:
        yield f'<text class="faint" x="{_LEFT + 6}" y="{top + 15}">not rated</text>'
        return
    right, middle = _WIDE - 8, top + 11
    end = min(_LEFT + score.score * scale, right)
    yield f'<rect x="{_LEFT}" y="{top + 3}" width="{end - _LEFT:.1f}" height="16" rx="2" fill="{colour}"/>'
    last = end
    if score.low is not None and score.high is not None:
        low, high = (min(_LEFT + edge * scale, right) for edge in (score.low, score.high))
        last = max(end, high)
        ends = " ".join(f"M{x:.1f} {middle - 4}v8" for x in (low, high))
        yield f'<path class="ends" d="M{low:.1f} {middle}H{high:.1f} {ends}"/>'
    anchor, x = ("start", last + 8) if last < right - 90 else ("end", right)
    yield (
        f'<text x="{x:.1f}" y="{top + 15}" text-anchor="{anchor}">{score.score:.2f}'
        f'<tspan class="faint"> n={score.items}</tspan></text>'
    )


def _colour(place: int) -> str:
    return f"var(--m{place % _COLOURS})"
