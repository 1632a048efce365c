"""What a model's ratings come to: 10 · Σ model / Σ teacher of each set and in all, with how sure that is.

The interval is a bootstrap over items: the turns of one dialogue are not independent of each other.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from html import escape
from typing import Any

ROUNDS = 2000
"""Samples of the bootstrap."""
OVERALL = "overall"


@dataclass(frozen=True, slots=True)
class Score:
    """One set's score; the teacher's own is 10."""

    set: str
    items: int
    turns: int
    score: float | None
    """None where nothing was rated, or the teacher's answers were worth nothing."""
    low: float | None
    high: float | None
    """The 95% interval."""
    model: float
    teacher: float
    """The mean ratings themselves."""
    unrated: int
    """Turns that the examiner gave no usable rating of; they count for neither."""


def scores_of(rows: Iterable[Mapping[str, Any]]) -> list[Score]:
    """The scores of every set, by name, and of all together, last."""
    sets: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for row in rows:
        sets[row["set"]].append(row)
    named = sorted(sets.items())
    return [*(_score(name, [group]) for name, group in named), _score(OVERALL, [group for _, group in named])]


def _score(name: str, groups: Sequence[Sequence[Mapping[str, Any]]]) -> Score:
    """The score of some sets together; each keeps its number of items in every sample."""
    import numpy as np

    draw = np.random.default_rng(0)
    sums, samples = np.zeros(2), np.zeros((2, ROUNDS))
    rows = [row for group in groups for row in group]
    for group in groups:
        both = np.array([[row["model"], row["teacher"]] for row in group], dtype=float)
        sums += both.sum(axis=0)
        picked = draw.integers(0, len(both), (ROUNDS, len(both)))
        samples += both[picked].sum(axis=1).T
    unrated = sum(row["unrated"] for row in rows)
    turns = sum(len(row["turns"]) for row in rows) - unrated
    known = {"set": name, "items": len(rows), "turns": turns, "unrated": unrated}
    means = {"model": float(sums[0]) / max(turns, 1), "teacher": float(sums[1]) / max(turns, 1)}
    if not sums[1]:
        return Score(**known, **means, score=None, low=None, high=None)
    ratios = 10 * samples[0][samples[1] > 0] / samples[1][samples[1] > 0]
    low, high = (float(edge) for edge in np.percentile(ratios, [2.5, 97.5]))
    return Score(**known, **means, score=float(10 * sums[0] / sums[1]), low=low, high=high)


def first_place(rows: Iterable[Mapping[str, Any]]) -> float:
    """By how much the examiner rates one answer higher when it comes first: what both orders even out."""
    gains = [
        (one["first"]["rating"] - two["second"]["rating"] + two["first"]["rating"] - one["second"]["rating"]) / 2
        for row in rows
        for turn in row["turns"]
        if len(turn["examinations"]) > 1
        for one, two in [turn["examinations"]]
    ]
    return sum(gains) / len(gains) if gains else 0.0


def as_json(scores: Sequence[Score]) -> dict[str, Any]:
    """The scores as `scores.json` holds them."""
    *sets, overall = [asdict(score) for score in scores]
    return {"overall": overall, "sets": sets}


def table(scores: Sequence[Score]) -> str:
    """The scores as lines of text."""
    wide = max(len(score.set) for score in scores)
    lines = [f"{'set':{wide}}  items  score   95%            model  teacher"]
    for score in scores:
        known = score.score is not None
        told = f"{score.score:5.2f}   {score.low:5.2f} – {score.high:5.2f}" if known else "    –               –"
        unrated = f"   {score.unrated} turns unrated" if score.unrated else ""
        lines.append(
            f"{score.set:{wide}}  {score.items:5}  {told}  {score.model:5.2f}    {score.teacher:5.2f}{unrated}"
        )
    return "\n".join(lines)


_STYLE = """
svg { --ink: #1f2328; --faint: #8b949e; --bar: #2f6fb5; --all: #245a94; --paper: #ffffff; }
@media (prefers-color-scheme: dark) {
  svg { --ink: #e6edf3; --faint: #7d8590; --bar: #5b9bd8; --all: #a5cdf5; --paper: #0d1117; }
}
text { font: 13px system-ui, sans-serif; fill: var(--ink); }
text { paint-order: stroke; stroke: var(--paper); stroke-width: 3px; }
.faint { fill: var(--faint); }
.title { font-weight: 600; font-size: 15px; }
"""


def plot(scores: Sequence[Score], title: str) -> str:
    """A bar a set with its interval, and a line where the teacher stands: one SVG, in light and dark."""
    row, left, right, top = 26, 210, 90, 62
    most = max([10.0, *(score.high for score in scores if score.high is not None)])
    width, height = 760, top + row * len(scores) + 34
    scale = (width - left - right) / most
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" '
        f'aria-label="{escape(title, quote=True)}"><style>{_STYLE}</style>',
        f'<rect width="{width}" height="{height}" fill="var(--paper)"/>',
        f'<text class="title" x="16" y="26">{escape(title)}</text>',
        *_axis(left, scale, top, height - 30),
    ]
    for place, score in enumerate(scores):
        parts += _bar(score, left, top + row * place, scale)
    return "\n".join([*parts, "</svg>\n"])


def _axis(left: float, scale: float, top: float, bottom: float) -> list[str]:
    lines = []
    for tick in range(0, 11, 2):
        x = left + tick * scale
        dash = "" if tick == 10 else ' stroke-dasharray="2 4"'
        lines.append(f'<line x1="{x:.1f}" y1="{top - 6}" x2="{x:.1f}" y2="{bottom}" stroke="var(--faint)"{dash}/>')
        lines.append(f'<text class="faint" x="{x:.1f}" y="{bottom + 18}" text-anchor="middle">{tick}</text>')
    lines.append(f'<text class="faint" x="{left + 10 * scale:.1f}" y="{top - 12}" text-anchor="middle">teacher</text>')
    return lines


def _bar(score: Score, left: float, top: float, scale: float) -> list[str]:
    colour = "var(--all)" if score.set == OVERALL else "var(--bar)"
    middle = top + 11
    parts = [f'<text x="{left - 10}" y="{top + 15}" text-anchor="end">{escape(score.set)}</text>']
    if score.score is None or score.low is None or score.high is None:
        return [*parts, f'<text class="faint" x="{left + 6}" y="{top + 15}">not rated</text>']
    low, high, end = (left + edge * scale for edge in (score.low, score.high, score.score))
    return [
        *parts,
        f'<rect x="{left}" y="{top + 3}" width="{end - left:.1f}" height="16" rx="2" fill="{colour}"/>',
        f'<line x1="{low:.1f}" y1="{middle}" x2="{high:.1f}" y2="{middle}" stroke="var(--ink)" stroke-width="1.5"/>',
        *(
            f'<line x1="{x:.1f}" y1="{middle - 4}" x2="{x:.1f}" y2="{middle + 4}" stroke="var(--ink)"/>'
            for x in (low, high)
        ),
        f'<text x="{max(high, end) + 8:.1f}" y="{top + 15}">{score.score:.2f}'
        f'<tspan class="faint"> n={score.items}</tspan></text>',
    ]
