"""The held-out set: so many items of each skill, from the test part of an exported dataset.

    dataset/data/test/*.jsonl ─ accepted, one of each item ─→ items.jsonl      bench.json: what is in it, and its seal

The parts of a dataset are drawn by seed, so no training record comes from a seed of the bench; that is checked here
once more. Open-domain question answering has two sets: plain questions, and those refined into complex ones.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
from pydantic import Field, ValidationError

from agentinstruct.agents.errors import RunError
from agentinstruct.agents.records import Frozen, Message
from agentinstruct.dataset.alike import Evenly
from agentinstruct.dataset.writing import digest, replacing

ITEMS, BENCH, PART = "items.jsonl", "bench.json", "test"
_TWO_SETS = "open_domain_qa"
_KEPT = ("id", "skill", "category", "depth", "messages", "tools", "key", "seed_id", "source", "licence")


class BenchItem(Frozen):
    """One dialogue whose assistant turns a model is to write again."""

    id: str
    set: str
    skill: str
    category: str
    depth: int
    messages: tuple[Message, ...]
    tools: tuple[dict[str, Any], ...] = ()
    key: str = Field("", description="The verified answer, where there is one.")
    seed_id: str
    source: str
    licence: str

    @property
    def single(self) -> bool:
        """Whether it has one answer, which its key is then of."""
        return sum(message.role == "assistant" for message in self.messages) == 1


@dataclass(frozen=True, slots=True)
class Built:
    """What a bench holds."""

    folder: Path
    items: Counter[str]
    """Items by set."""
    wanted: int


def set_of(row: dict[str, Any]) -> str:
    """The set that a record belongs to: its skill's, or the complex one of two."""
    skill = str(row["skill"])
    return f"complex_{skill}" if skill == _TWO_SETS and row["depth"] else skill


def build(dataset: Path, folder: Path, wanted: int = 100) -> Built:
    """Make a bench of a dataset's test part.

    Args:
        dataset: Where `export --split …,test=…` wrote; its `messages` format is read.
        folder: Where to: a new folder, or an earlier bench.
        wanted: Items of each set, at most.

    Raises:
        RunError: the dataset has no test part, a seed of it was trained on, or the folder holds something else.
    """
    _claim(folder)
    chosen = _chosen(dataset, wanted)
    _check_unseen(dataset, {row["seed_id"] for rows in chosen.values() for row in rows})
    counts = Counter({name: len(rows) for name, rows in sorted(chosen.items())})
    with replacing(folder / ITEMS) as temporary, temporary.open("wb") as file:
        for name in counts:
            for row in chosen[name]:
                item = {key: row[key] for key in _KEPT if key in row} | {"set": name}
                file.write(orjson.dumps(item, option=orjson.OPT_APPEND_NEWLINE))
    teachers = Counter(
        call["model"] for rows in chosen.values() for row in rows for call in row["calls"] if call["role"] == "answer"
    )
    told = {"sets": dict(counts), "teachers": dict(teachers), "items_sha256": digest(folder / ITEMS)}
    with replacing(folder / BENCH) as temporary:
        temporary.write_bytes(orjson.dumps(told, option=orjson.OPT_INDENT_2))
    return Built(folder, counts, wanted)


def read_bench(folder: Path) -> tuple[list[BenchItem], str]:
    """The items of a bench, and their seal.

    Raises:
        RunError: there is none, or it was changed.
    """
    try:
        seal = str(orjson.loads((folder / BENCH).read_bytes())["items_sha256"])
        items = [BenchItem.model_validate(row) for row in _rows(folder / ITEMS)]
        if digest(folder / ITEMS) != seal:
            raise RunError(f"{folder / ITEMS}: not as it was built. Build it again: agentinstruct bench build")
    except (OSError, orjson.JSONDecodeError, KeyError, TypeError, ValidationError) as problem:
        raise RunError(f"{folder}: no bench ({problem}). First: agentinstruct bench build DATASET") from problem
    return items, seal


def _chosen(dataset: Path, wanted: int) -> dict[str, list[dict[str, Any]]]:
    """The records of each set, as even over its categories as they allow; one of those that ask the same."""
    folder = dataset / "data" / PART
    if not folder.is_dir():
        raise RunError(
            f"{dataset}: has no test part. First: agentinstruct export RUN --out {dataset} --split train=0.9,test=0.1"
        )
    offered = Evenly[str]()
    for row in _records(folder):
        offered.offer(set_of(row), row["category"], row)
    chosen = offered.taken(wanted)
    order = {one: place for ids in chosen.values() for place, one in enumerate(ids)}
    rows: dict[str, list[dict[str, Any]]] = {name: [] for name in chosen}
    for row in _records(folder):
        if row["id"] in order:
            rows[set_of(row)].append(row)
    return {name: sorted(some, key=lambda row: order[row["id"]]) for name, some in rows.items()}


def _records(folder: Path) -> Iterator[dict[str, Any]]:
    """The accepted records of a part."""
    for path in sorted(folder.glob("*.jsonl")):
        yield from (row for row in _rows(path) if row["accepted"])


def _check_unseen(dataset: Path, seeds: set[str]) -> None:
    for path in sorted((dataset / "data").glob("*/*.jsonl")):
        if path.parent.name != PART and any(row["seed_id"] in seeds for row in _rows(path)):
            raise RunError(f"{path}: holds a seed of the test part. Export the dataset again with --split.")


def _claim(folder: Path) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if foreign := sorted({entry.name for entry in folder.iterdir() if not entry.name.startswith(".")} - {ITEMS, BENCH}):
        raise RunError(f"{folder}: holds {foreign[0]!r}, which is no bench. Choose another folder.")


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    with path.open("rb") as file:
        yield from map(orjson.loads, file)
