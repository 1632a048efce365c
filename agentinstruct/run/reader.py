"""Reads a run's records, failures and counts, from a live, finished or killed run, and writes nothing."""

import logging
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, Literal, Self
from urllib.parse import quote

from agentinstruct.agents.errors import RunError
from agentinstruct.run.folder import storage_error
from agentinstruct.run.index import Counts, Fault, Index
from agentinstruct.run.ledger import LEDGER, Failure, Ledger, connect, owner
from agentinstruct.run.manifest import Manifest, read_manifest
from agentinstruct.run.recovery import Recovery, adopt
from agentinstruct.run.segment import DamagedFrame, SegmentReader

_log = logging.getLogger(__name__)
# The run's own ledger (disk), with what only its segments hold (main) laid over it.
_VIEWS = """
INSERT INTO main.segments SELECT * FROM disk.segments;
CREATE TEMP VIEW segments AS SELECT * FROM disk.segments UNION SELECT * FROM main.segments;
CREATE TEMP VIEW items AS SELECT * FROM disk.items UNION ALL
    SELECT * FROM main.items AS own WHERE NOT EXISTS (SELECT 1 FROM disk.items WHERE id = own.id);
CREATE TEMP VIEW calls AS SELECT * FROM disk.calls UNION ALL
    SELECT * FROM main.calls AS own WHERE NOT EXISTS (SELECT 1 FROM disk.calls WHERE key = own.key);
CREATE TEMP VIEW failures AS SELECT * FROM main.failures UNION ALL
    SELECT * FROM disk.failures AS own WHERE NOT EXISTS (SELECT 1 FROM main.failures WHERE item = own.item);
CREATE TEMP VIEW totals AS SELECT * FROM disk.totals UNION ALL
    SELECT skill, count(*), sum(records), sum(accepted), sum(dropped) FROM main.items AS own
    WHERE NOT EXISTS (SELECT 1 FROM disk.items WHERE id = own.id) GROUP BY skill;
CREATE TEMP VIEW call_total AS SELECT calls, bought, cost FROM disk.call_total UNION ALL
    SELECT ifnull(sum(length(key) <= 16), 0), ifnull(sum(length(key) <= 16 AND cost IS NOT NULL), 0),
    ifnull(sum(cost), 0) FROM main.calls AS own
    WHERE NOT EXISTS (SELECT 1 FROM disk.calls WHERE key = own.key);
CREATE TEMP VIEW pieces AS SELECT * FROM disk.pieces;
"""


class JournalReader:
    """What can be asked of any run. One thread at a time.

    `manifest` is what the run was started with, `recovered` what opening it found, `damaged` how many frames turned
    out unreadable since: they are left out, logged, and made again when the run goes on.
    """

    def __init__(self, folder: Path, manifest: Manifest, index: Index, recovered: Recovery) -> None:
        self.folder = folder
        self.manifest = manifest
        self.recovered = recovered
        self.damaged = 0
        self._index = index
        self._segments = SegmentReader(folder)

    @classmethod
    def read(cls, folder: Path) -> "JournalReader":
        """Opens a run without its lock and without writing to its folder. Raises `RunError`."""
        folder = folder.absolute()
        manifest, recovered = read_manifest(folder), Recovery()
        segments = SegmentReader(folder)
        try:
            ledger = _overlay(folder, manifest.run, recovered)
            adopt(folder, ledger, segments, recovered, repair=False)
        except OSError as problem:
            raise storage_error(folder, problem) from problem
        except sqlite3.Error as problem:
            raise RunError(
                f"{folder}: the run cannot be read ({problem}). Try again when no run is using it."
            ) from problem
        finally:
            segments.close()
        return JournalReader(folder, manifest, Index(ledger.connection, folder), recovered)

    def get_call(self, key: str) -> dict[str, Any] | None:
        """The reply stored under a key (hex), or None: not there, or no longer readable."""
        place = self._call_place(bytes.fromhex(key))
        frame = self._frame("key", key, *place) if place else None
        return frame["value"] if frame else None

    def is_done(self, item_id: str) -> bool:
        """Whether the work item is finished."""
        return self._index.has_item(item_id)

    def result(self, item_id: str) -> dict[str, Any] | None:
        """The `records` and `dropped` of a finished work item that is in the ledger."""
        place = self._index.item(item_id)
        return self._frame("item", item_id, *place) if place else None

    def piece_bytes(self) -> int:
        """About what the findings of the seeds' pieces take on disk."""
        return self._index.piece_bytes()

    def attempts(self, item_id: str) -> int:
        """How often the work item has failed so far."""
        return self._index.attempts(item_id)

    def failures(self) -> Iterator[Failure]:
        """The last failure of every item that is not finished, by item id."""
        return self._index.failures()

    def records(self) -> Iterator[dict[str, Any]]:
        """Every record of every finished item, by item id: the same order whatever order they were finished in."""
        return self._results("records")

    def dropped(self) -> Iterator[dict[str, Any]]:
        """Every dropped draft of every finished item, ordered as records are."""
        return self._results("dropped")

    def outcomes(self) -> Iterator[dict[str, Any]]:
        """Every finished item (`item`, `skill`, `seed`) with its `records` and `dropped`, by item id."""
        for item, *place in self._index.places("outcomes"):
            if frame := self._frame("item", item, *place):
                yield frame
            else:
                self._lost(item)

    def counts(self) -> Counts:
        """How far the run is; the cost does not grow with the run."""
        return self._index.counts()

    def faults(self) -> list[Fault]:
        """Why work items wait, most frequent first; the cost grows with those that wait only."""
        return self._index.faults()

    def set_aside(self) -> int:
        """Work items that failed so often that they are not tried again."""
        return self._index.set_aside()

    def close(self) -> None:
        """Closes all files."""
        self._index.close()
        self._segments.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _call_place(self, key: bytes) -> tuple[int, int, int] | None:
        return self._index.call(key)

    def _results(self, kind: Literal["records", "dropped"]) -> Iterator[dict[str, Any]]:
        for item, *place in self._index.places(kind):
            frame = self._frame("item", item, *place)
            if frame:
                yield from frame[kind]
            else:
                self._lost(item)

    def _frame(self, kind: str, name: str, segment: int, offset: int, length: int) -> dict[str, Any] | None:
        file = self._index.segment(segment)
        try:
            frame = self._segments.load(file, offset, length)
            if frame.get(kind) != name:
                raise DamagedFrame("another frame is in its place")
        except DamagedFrame as problem:
            self.damaged += 1
            _log.warning("%s/%s: byte %d, %s %s: %s; it is made again", self.folder, file, offset, kind, name, problem)
            return None
        return frame

    def _lost(self, item_id: str) -> None:
        """For the writer, which can have the item made again."""


def heard(folder: Path, models: set[str]) -> set[str]:
    """Which of these models had a part in finished work, or in what it dropped. Raises `RunError`."""
    found = set[str]()
    with JournalReader.read(folder) as run:
        for outcome in run.outcomes():
            rows = (*outcome["records"], *outcome["dropped"])
            found |= {call["model"] for row in rows for call in row.get("calls", ())} & models
            if found == models:
                break
    return found


def _overlay(folder: Path, run: str, report: Recovery) -> Ledger:
    path = folder / LEDGER
    address = f"file:{quote(os.fsencode(path))}?mode=ro"
    ledger = Ledger.create(None, run)
    try:
        if path.is_symlink():
            raise sqlite3.DatabaseError("a symbolic link")
        with closing(connect(address)) as stored:
            if owner(stored) != run:
                raise sqlite3.DatabaseError("a ledger of another run")
        ledger.connection.execute("ATTACH ? AS disk", (address,))
        ledger.connection.executescript(_VIEWS)
    except sqlite3.Error as problem:
        _log.warning("%s: %s; reading all segments instead", path, problem)
        ledger.connection.close()
        report.rebuilt = True
        return Ledger.create(None, run)
    return ledger
