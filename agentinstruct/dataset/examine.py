"""What is found of rows one by one, by the block: flags, items of benchmarks, and what duplicates are found by.

A pure function of the rows, and what a cleaning spends most of its time on: any process may do it, for any block.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from agentinstruct.dataset.dedup_index import Block
from agentinstruct.dataset.dedup_rows import NOTHING, On, block
from agentinstruct.dataset.flags import Flag, flag
from agentinstruct.dataset.overlap import Met, Search
from agentinstruct.dataset.rows import Row
from agentinstruct.dataset.shingles import Array

BLOCK = 512
"""Rows that are examined at once."""


@dataclass(frozen=True, slots=True)
class Examined:
    """What was found of each row of a block, in order."""

    flags: list[list[Flag]]
    met: list[list[Met]]
    compared: Block | None


@dataclass(frozen=True, slots=True)
class Examiner:
    """What is looked for."""

    flags: bool = False
    search: Search | None = None
    on: On | None = None
    """What duplicates are found by; None: they are not looked for."""
    known: Array = field(default_factory=lambda: NOTHING)
    """What the index has already."""

    def __call__(self, rows: Sequence[Row]) -> Examined:
        """Look at the rows."""
        return Examined(
            [flag(row) for row in rows] if self.flags else [[] for _ in rows],
            self.search.of(rows) if self.search else [[] for _ in rows],
            block(rows, self.on, self.known) if self.on else None,
        )
