"""Questions to the ledger. Tables are asked for by bare name, so that a reader's views can stand before them."""

import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple

from agentinstruct.agents.errors import RunError
from agentinstruct.run.ledger import LEDGER, Failure, Segment

POISON = 3
"""A work item that failed this often is set aside until --retry-failed."""
_PAGE = 500
_PLACES = {
    "outcomes": "SELECT id, segment, offset, length FROM items WHERE id > ? ORDER BY id LIMIT ?",
    "records": "SELECT id, segment, offset, length FROM items WHERE id > ? AND records > 0 ORDER BY id LIMIT ?",
    "dropped": "SELECT id, segment, offset, length FROM items WHERE id > ? AND dropped > 0 ORDER BY id LIMIT ?",
}
_FAILURES = """
SELECT item, skill, seed, stage, error, message, attempts, at FROM failures
WHERE item > ? AND NOT EXISTS (SELECT 1 FROM items WHERE id = item) ORDER BY item LIMIT ?
"""
_FAILED = "SELECT skill, count(*) FROM failures WHERE NOT EXISTS (SELECT 1 FROM items WHERE id = item) GROUP BY skill"
_FAULTS = """
SELECT error, count(*), message, max(at) FROM failures WHERE NOT EXISTS (SELECT 1 FROM items WHERE id = item)
GROUP BY error ORDER BY count(*) DESC, error
"""
_ASIDE = "SELECT count(*) FROM failures WHERE attempts >= ? AND NOT EXISTS (SELECT 1 FROM items WHERE id = item)"
_TOTALS = "SELECT skill, sum(items), sum(records), sum(accepted), sum(dropped) FROM totals GROUP BY skill"


@dataclass(frozen=True, slots=True)
class SkillCounts:
    """Of one skill: work items done and failed (so far), records, accepted ones and dropped drafts of the done ones."""

    done: int = 0
    failed: int = 0
    records: int = 0
    accepted: int = 0
    dropped: int = 0


@dataclass(frozen=True, slots=True)
class Counts:
    """How far a run is: model replies stored and their cost, and the counts of each skill, in all as attributes."""

    calls: int
    bought: int
    """Calls that this run sent: not those that it found in a cache."""
    cost: float
    """USD, at list prices."""
    skills: Mapping[str, SkillCounts]

    @property
    def done(self) -> int:
        """Work items finished."""
        return sum(skill.done for skill in self.skills.values())

    @property
    def failed(self) -> int:
        """Work items that failed and are not finished."""
        return sum(skill.failed for skill in self.skills.values())

    @property
    def records(self) -> int:
        """Records made."""
        return sum(skill.records for skill in self.skills.values())

    @property
    def accepted(self) -> int:
        """Of them, those that passed every check."""
        return sum(skill.accepted for skill in self.skills.values())

    @property
    def dropped(self) -> int:
        """Drafts dropped."""
        return sum(skill.dropped for skill in self.skills.values())


class Fault(NamedTuple):
    """Work items that wait because of one class of error, with what the last of them met."""

    error: str
    items: int
    message: str


class Place(NamedTuple):
    """Where the frame of a work item lies."""

    item: str
    segment: int
    offset: int
    length: int


class Index:
    """The reading connection. Every method raises `RunError` if the ledger turns out to be damaged."""

    def __init__(self, connection: sqlite3.Connection, folder: Path) -> None:
        self._connection = connection
        self._path = folder / LEDGER
        self._names: dict[int, str] = {}

    def segment(self, number: int) -> str:
        """Name of a segment; empty if there is none of that number."""
        if number not in self._names:
            self._names = {found: name for name, found in self._ask("SELECT name, number FROM segments")}
        return self._names.get(number, "")

    def find_segment(self, name: str) -> Segment:
        """The segment of that name, which must be known."""
        return Segment(*self._ask("SELECT name, number, committed FROM segments WHERE name = ?", name)[0])

    def item(self, item: str) -> tuple[int, int, int] | None:
        """Segment number, offset and length of a finished item's frame."""
        rows = self._ask("SELECT segment, offset, length FROM items WHERE id = ?", item)
        return rows[0] if rows else None

    def call(self, key: bytes) -> tuple[int, int, int] | None:
        """Segment number, offset and length of a reply's frame."""
        rows = self._ask("SELECT segment, offset, length FROM calls WHERE key = ?", key)
        return rows[0] if rows else None

    def piece(self, key: bytes) -> bytes | None:
        """What was found of a piece of a seed document."""
        rows = self._ask("SELECT found FROM pieces WHERE key = ?", key)
        return rows[0][0] if rows else None

    def piece_bytes(self) -> int:
        """About what the findings of pieces take on disk; a row of theirs has some 12 bytes beside what it holds."""
        total: int = self._ask("SELECT coalesce(sum(length(key) + length(found) + 12), 0) FROM pieces")[0][0]
        return total

    def has_item(self, item: str) -> bool:
        """Whether the work item is finished."""
        return bool(self._ask("SELECT 1 FROM items WHERE id = ?", item))

    def attempts(self, item: str) -> int:
        """How often the work item has failed."""
        rows = self._ask("SELECT max(attempts) FROM failures WHERE item = ?", item)
        return rows[0][0] or 0

    def places(self, kind: Literal["records", "dropped", "outcomes"]) -> Iterator[Place]:
        """Finished items that hold any of that kind, or all, by id. In pages: a long export never holds the ledger."""
        last = ""
        while page := self._ask(_PLACES[kind], last, _PAGE):
            for row in page:
                yield Place(*row)
            last = page[-1][0]

    def failures(self) -> Iterator[Failure]:
        """The last failure of every item that is not finished, by id."""
        last = ""
        while page := self._ask(_FAILURES, last, _PAGE):
            for row in page:
                yield Failure(*row)
            last = page[-1][0]

    def counts(self) -> Counts:
        """Read from running totals: the cost does not grow with the run."""
        failed = dict(self._ask(_FAILED))
        totals = {skill: numbers for skill, *numbers in self._ask(_TOTALS)}
        skills = {}
        for skill in sorted(failed.keys() | totals.keys()):
            done, *made = totals.get(skill, (0, 0, 0, 0))
            skills[skill] = SkillCounts(done, failed.get(skill, 0), *made)
        calls, bought, cost = self._ask("SELECT sum(calls), sum(bought), sum(cost) FROM call_total")[0]
        return Counts(calls, bought, cost, skills)

    def faults(self) -> list[Fault]:
        """Why work items wait, most frequent first."""
        return [Fault(*row) for *row, _ in self._ask(_FAULTS)]

    def set_aside(self) -> int:
        """Work items that failed so often that they are not tried again."""
        return int(self._ask(_ASIDE, POISON)[0][0])

    def _ask(self, question: str, *values: Any) -> list[Any]:
        try:
            return self._connection.execute(question, values).fetchall()
        except sqlite3.Error as problem:
            raise RunError(
                f"{self._path}: cannot be read ({problem}). If it is damaged, delete it: it is only an index, "
                "and the next run in this folder makes it again from the *.seg files."
            ) from problem

    def close(self) -> None:
        """Closes the connection."""
        self._connection.close()
