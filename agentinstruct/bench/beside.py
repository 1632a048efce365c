"""Models side by side: what one examiner found on one bench, on the items that all of them have rated answers to.

scores/MODEL/   one folder a model: its journal, scores, plot and answers
scores/         scores.json · scores.svg of all that are there
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import orjson

from agentinstruct.bench.results import Score, as_json, gain, scores_of
from agentinstruct.bench.score import EXAMINED, PLOT, SCORES
from agentinstruct.bench.shown import plot
from agentinstruct.dataset.measure_figures import Figure
from agentinstruct.dataset.writing import replacing

Rows = list[dict[str, Any]]
_TOLD = ("model", "judge", "bench", "first_place")
_RATED = ("id", "set", "seed", "model", "teacher", "unrated", "turns")


@dataclass(frozen=True, slots=True)
class Beside:
    """All models of a folder that can be compared."""

    models: Mapping[str, list[Score]]
    gains: Mapping[str, Figure]
    """By how much the first of them is surpassed by each of the others, item by item."""
    alone: tuple[str, ...]
    """Those that are not beside the others: another bench or examiner, or no item that all have a rated answer to."""
    shared: int
    """Items that all have a rated answer to."""
    most: int
    """Items that any of them has."""
    rest: tuple[Path, ...] = ()
    """Files named as scores that are not: of an earlier version, damaged, or something else."""


def beside(folder: Path, first: Sequence[str]) -> Beside:
    """Compare all models that were scored into a folder with the first of those named, and write what came of it."""
    told, rest = _all_in(folder)
    same = told[first[0]][0]
    alike = {name for name, (one, _) in told.items() if all(one[key] == same[key] for key in ("bench", "judge"))}
    order = [*(name for name in first if name in alike), *sorted(alike - set(first))]
    common = {name: told[name][1] for name in order if told[name][1]}
    most = max(map(len, common.values()), default=0)
    rated = {name: ids for name, rows in common.items() if (ids := _rated(rows))}
    shared = set.intersection(*rated.values()) if rated else set()
    if len(rated) > 1 and shared:
        common = {name: [row for row in common[name] if row["id"] in shared] for name in rated}
    else:
        common = dict(islice(common.items(), 1))
    base: Rows = next(iter(common.values()), [])
    gains = {name: gain(found, base) for name, found in islice(common.items(), 1, None)}
    scores = {name: scores_of(found) for name, found in common.items()}
    found = Beside(scores, gains, tuple(sorted(set(told) - set(common))), len(base), most, rest)
    _write(folder, same, found, {name: one["first_place"] for name, (one, _) in told.items()})
    return found


def _all_in(folder: Path) -> tuple[dict[str, tuple[dict[str, Any], Rows]], tuple[Path, ...]]:
    """What was told of each model with its rows; and the files that hold no such thing."""
    told, rest = {}, list[Path]()
    for path in sorted(folder.glob(f"*/{SCORES}")):
        try:
            one = _having(_TOLD, orjson.loads(path.read_bytes()))
            with path.with_name(EXAMINED).open("rb") as lines:
                told[str(one["model"])] = one, [_having(_RATED, orjson.loads(line)) for line in lines]
        except (OSError, ValueError, TypeError, KeyError):
            rest.append(path)
    return told, tuple(rest)


def _rated(rows: Rows) -> set[str]:
    """The items that the examiner gave a usable rating of: the others count for nothing, so also not beside others."""
    return {row["id"] for row in rows if row["unrated"] < len(row["turns"])}


def _having(keys: Sequence[str], found: Any) -> dict[str, Any]:
    """These keys of a mapping. Raises `KeyError` or `TypeError`."""
    return {key: found[key] for key in keys}


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
