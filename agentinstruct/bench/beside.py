"""Models side by side: what one examiner found on one bench, on the items that all of them have answered.

scores/MODEL/   one folder a model: its journal, scores, plot and answers
scores/         scores.json · scores.svg of all that are there
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import orjson

from agentinstruct.agents.errors import RunError
from agentinstruct.bench.results import Score, as_json, gain, scores_of
from agentinstruct.bench.score import EXAMINED, PLOT, SCORES
from agentinstruct.bench.shown import plot
from agentinstruct.dataset.measure_figures import Figure
from agentinstruct.dataset.writing import replacing

Rows = list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Beside:
    """All models of a folder that can be compared."""

    models: Mapping[str, list[Score]]
    gains: Mapping[str, Figure]
    """By how much the first of them is surpassed by each of the others, item by item."""
    alone: tuple[str, ...]
    """Those that are not beside the others: another bench or examiner, or no item that all have answered."""
    shared: int
    """Items that all have answered."""
    most: int
    """Items that any of them has."""


def beside(folder: Path, first: Sequence[str]) -> Beside:
    """Compare all models that were scored into a folder with the first of those named, and write what came of it.

    Raises:
        RunError: what a model's scoring has left cannot be read.
    """
    told = {one["model"]: (one, path) for path in sorted(folder.glob(f"*/{SCORES}")) for one in [_read(path)]}
    same = told[first[0]][0]
    alike = {name for name, (one, _) in told.items() if all(one[key] == same[key] for key in ("bench", "judge"))}
    order = [*(name for name in first if name in alike), *sorted(alike - set(first))]
    rows = {name: _rows(told[name][1].with_name(EXAMINED)) for name in order}
    rows = {name: found for name, found in rows.items() if found}
    shared = set.intersection(*({row["id"] for row in found} for found in rows.values())) if rows else set()
    if not shared:
        rows = dict(islice(rows.items(), 1))
    most = max((len(found) for found in rows.values()), default=0)
    common = {name: [row for row in found if not shared or row["id"] in shared] for name, found in rows.items()}
    base = next(iter(common.values()), [])
    gains = {name: gain(found, base) for name, found in islice(common.items(), 1, None)}
    scores = {name: scores_of(found) for name, found in common.items()}
    found = Beside(scores, gains, tuple(sorted(set(told) - set(common))), len(shared), most)
    _write(folder, same, found, {name: one["first_place"] for name, (one, _) in told.items()})
    return found


def _read(path: Path) -> dict[str, Any]:
    try:
        return dict(orjson.loads(path.read_bytes()))
    except (OSError, orjson.JSONDecodeError, TypeError, ValueError) as problem:
        raise RunError(
            f"{path}: not the scores of a model ({problem}). Delete its folder, and score it again."
        ) from problem


def _rows(path: Path) -> Rows:
    try:
        with path.open("rb") as lines:
            return [dict(orjson.loads(line)) for line in lines]
    except (OSError, orjson.JSONDecodeError, TypeError, ValueError) as problem:
        raise RunError(f"{path}: not what a model has answered ({problem}). Score it again.") from problem


def _write(folder: Path, same: Mapping[str, Any], found: Beside, places: Mapping[str, float]) -> None:
    base = next(iter(found.models), "")
    told = {
        "bench": same["bench"],
        "judge": same["judge"],
        "items": found.shared,
        "models": {name: as_json(scores) | {"first_place": places[name]} for name, scores in found.models.items()},
        "gains": [{"model": name, "over": base, **asdict(one)} for name, one in found.gains.items()],
        "alone": found.alone,
    }
    title = f"Examined by {same['judge']}" if len(found.models) > 1 else f"{base}, examined by {same['judge']}"
    contents = {SCORES: orjson.dumps(told, option=orjson.OPT_INDENT_2), PLOT: plot(found.models, title).encode()}
    for name, content in contents.items():
        with replacing(folder / name) as temporary:
            temporary.write_bytes(content)
