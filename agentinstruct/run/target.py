"""Exactly N: how many accepted records a run is to leave behind, and which of those it has are given out.

    --target ─→ target.json in the run folder     journal ─→ the N that are exported: even over categories, by id

What is wanted shapes no record, so it may change when a run is resumed; the last one given holds. Records that passed
beyond it stay in the journal. An item that two passes over the seeds made alike counts once.
"""

import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import orjson

from agentinstruct.agents.errors import RunError
from agentinstruct.dataset.alike import Evenly
from agentinstruct.dataset.options import Rows, Sifted
from agentinstruct.run.folder import open_file, storage_error, sync_folder

TARGET = "target.json"
Per = Literal["all", "skill", "category"]
Cell = tuple[str, str]
"""A skill and one of its categories."""
Group = tuple[str, ...]
"""What a number is wanted of: everything (), a skill, or a cell."""


@dataclass(frozen=True, slots=True)
class Target:
    """So many accepted records in all, of each skill, or of each category of each skill."""

    count: int
    per: Per = "all"

    def group(self, cell: Cell) -> Group:
        """What a cell counts towards."""
        return cell[: get_args(Per).index(self.per)]

    @property
    def words(self) -> str:
        """As a person would say it."""
        return f"{self.count:,} accepted records{'' if self.per == 'all' else f' of each {self.per}'}"


def keep_target(folder: Path, target: Target | None) -> None:
    """Note what is wanted of the run in this folder, for exports to come; None: everything."""
    path, temporary = folder / TARGET, folder / f"{TARGET}.tmp"
    if read_target(folder) == target:
        return
    try:
        if target is None:
            path.unlink(missing_ok=True)
        else:
            with os.fdopen(open_file(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), "wb") as file:
                file.write(orjson.dumps(asdict(target)))
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
        sync_folder(folder)
    except OSError as problem:
        raise storage_error(path, problem) from problem


def read_target(folder: Path) -> Target | None:
    """What is wanted of the run in a folder. Raises `RunError` when the note cannot be read."""
    path = folder / TARGET
    try:
        target = Target(**orjson.loads(path.read_bytes()))
        if target.per not in get_args(Per) or not isinstance(target.count, int):
            raise ValueError(f"per {target.per}, count {target.count}")
    except FileNotFoundError:
        return None
    except (OSError, orjson.JSONDecodeError, TypeError, ValueError) as problem:
        raise RunError(f"{path}: not a target ({problem}). Delete it, and give --target again.") from problem
    return target


@dataclass(slots=True)
class Chosen(Sifted):
    """A run's rows, with as many accepted records as are wanted; what failed a check stays where it was asked for."""

    ids: frozenset[str]
    accepted: int

    @property
    def surplus(self) -> int:
        """Accepted records that are not given out."""
        return self.accepted - len(self.ids)

    def records(self) -> Iterator[dict[str, Any]]:
        """The records that are given out."""
        return (row for row in self.journal.records() if not row["accepted"] or row["id"] in self.ids)


def chosen(journal: Rows, target: Target | None) -> Rows:
    """The rows to give out: of each group as many as are wanted, as even over its categories as they allow."""
    if target is None:
        return journal
    offered, accepted = Evenly[Group](), 0
    for row in journal.records():
        if row["accepted"]:
            accepted += 1
            cell = row["skill"], row["category"]
            offered.offer(target.group(cell), cell, row)
    out = frozenset(one for ids in offered.taken(target.count).values() for one in ids)
    return Chosen(journal, out, accepted)
