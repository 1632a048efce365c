"""What a model's ratings come to: 10 · Σ model / Σ teacher of each set and in all, with how sure that is.

The intervals are over seeds: the turns of one dialogue, and the items of one seed, are not independent of each other.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from agentinstruct.dataset.measure_figures import BySeed, Figure

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
    """The 95% interval; None where items are of fewer than three seeds."""
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
    return [
        *(_score(name, group) for name, group in named),
        _score(OVERALL, [row for _, group in named for row in group]),
    ]


def _score(name: str, rows: Sequence[Mapping[str, Any]]) -> Score:
    sums = BySeed()
    for row in rows:
        sums.add(row["seed"], row["model"], row["teacher"])
    unrated = sum(row["unrated"] for row in rows)
    turns = sum(len(row["turns"]) for row in rows) - unrated
    model, teacher = (sum(row[side] for row in rows) / max(turns, 1) for side in ("model", "teacher"))
    ratio = sums.ratio()
    value, low, high = (None if edge is None else 10 * edge for edge in (ratio.value, ratio.low, ratio.high))
    return Score(name, len(rows), turns, value, low, high, model, teacher, unrated)


def gain(rows: Iterable[Mapping[str, Any]], others: Iterable[Mapping[str, Any]]) -> Figure:
    """By how much the first model's score is above the second's, on the items that both have.

    Item by item and seed by seed, so its interval is that of the difference: what is hard for both is no difference.
    """
    first = {row["id"]: row for row in rows}
    pairs = [(first[row["id"]], row) for row in others if row["id"] in first]
    sums = [[sum(pair[at][side] for pair in pairs) for side in ("model", "teacher")] for at in (0, 1)]
    if not all(teacher for _, teacher in sums):
        return Figure(None)
    found = BySeed()
    for pair in pairs:
        # What a seed adds to each ratio, beside what it would add if it were as all are.
        apart = [
            (row["model"] - row["teacher"] * model / teacher) / teacher
            for row, (model, teacher) in zip(pair, sums, strict=True)
        ]
        found.add(pair[0]["seed"], apart[0] - apart[1], 1 / len(pairs))
    value = 10 * (sums[0][0] / sums[0][1] - sums[1][0] / sums[1][1])
    around = found.ratio()
    if around.low is None or around.high is None:
        return Figure(value, of=len(pairs))
    return Figure(value, value + 10 * around.low, value + 10 * around.high, len(pairs))


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
