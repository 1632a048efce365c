"""A thread that syncs segments and then enters their rows into the ledger: the event loop never waits for a disk.

    add ─→ pending ─ every half second, or 1,024 rows ─→ flushing ─ sync segments ─ commit rows ─→ ledger

A row is always to be found in `pending`, in `flushing` or in the ledger, looked for in that order.
"""

import sqlite3
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from agentinstruct.agents.errors import RunError
from agentinstruct.run.folder import storage_error
from agentinstruct.run.ledger import Batch, CallRow, Failure, ItemRow, Segment
from agentinstruct.run.segment import SegmentWriter

_INTERVAL = 0.5  # seconds; what a power cut can cost
_FULL = 1024
_BACKLOG = 65_536  # rows; beyond it the adder waits for the disk, so that memory stays bounded


class Keeper(Protocol):
    """Whoever keeps the rows: the ledger, or the process that has it."""

    def segment(self, name: str) -> Segment:
        """The segment of that name."""

    def commit(self, batch: Batch) -> None:
        """Enters all rows of a batch, or none; returns once they are in."""

    def close(self) -> None:
        """Nothing more will come."""


class Flusher:
    """Rows may be added and looked up by one thread; the ledger belongs to the flusher's own until `close`."""

    def __init__(self, ledger: Keeper, path: Path, segments: Sequence[SegmentWriter]) -> None:
        self._ledger = ledger
        self._path = path
        self._segments = segments
        self._pending = Batch()
        self._flushing = Batch()
        self._turn = threading.Condition()
        self._hurry = False
        self._closing = False
        self._stopped = False
        self._error: RunError | None = None
        self._thread = threading.Thread(target=self._run, name="journal", daemon=True)
        self._thread.start()

    def check(self) -> None:
        """Raises `RunError` if a sync or commit has failed; nothing may be written after that."""
        if self._stopped:
            raise self._error or RunError(f"{self._path}: the journal is closed.")

    def add_call(self, row: CallRow) -> None:
        """Queues the row of a reply."""
        with self._turn:
            self._pending.calls[row.key] = row
            self._added(row.segment, row.offset + row.length)
        self._hold_back()

    def add_item(self, row: ItemRow) -> None:
        """Queues the row of a finished item."""
        with self._turn:
            self._pending.items[row.id] = row
            self._added(row.segment, row.offset + row.length)
        self._hold_back()

    def add_failure(self, row: Failure, segment: int, end: int) -> None:
        """Queues a failure, whose frame ends there."""
        with self._turn:
            self._pending.failures[row.item] = row
            self._added(segment, end)
        self._hold_back()

    def forget_item(self, item: str) -> None:
        """Queues the removal of an item whose frame turned out to be damaged."""
        with self._turn:
            self._pending.forgotten.add(item)
            self._added(0, 0)

    def add(self, batch: Batch) -> None:
        """Queues rows of frames that are written: to our segments, or to those of others, who have synced them."""
        with self._turn:
            before = self._pending.size
            self._pending.merge(batch)
            if before == 0 or before < _FULL <= self._pending.size:
                self._turn.notify_all()
        self._hold_back()

    def find_call(self, key: bytes) -> CallRow | None:
        """The row of a reply not yet in the ledger."""
        return self._pending.calls.get(key) or self._flushing.calls.get(key)

    def find_item(self, item: str) -> bool | None:
        """Whether an item is finished, or None if only the ledger can tell."""
        for batch in (self._pending, self._flushing):
            if item in batch.items:
                return True
            if item in batch.forgotten:
                return False
        return None

    def find_failure(self, item: str) -> Failure | None:
        """The last failure of an item not yet in the ledger."""
        return self._pending.failures.get(item) or self._flushing.failures.get(item)

    def flush(self) -> None:
        """Waits until everything added is on the disk and in the ledger. Raises `RunError`."""
        with self._turn:
            self._hurry = True
            self._turn.notify_all()
            self._turn.wait_for(lambda: self._stopped or not (self._pending.size or self._flushing.size))
            self._hurry = False
        self.check()

    def close(self) -> None:
        """Enters what is left and ends the thread. Raises `RunError` if it could not."""
        with self._turn:
            self._closing = True
            self._turn.notify_all()
        self._thread.join()
        if self._error:
            raise self._error

    def _added(self, segment: int, end: int) -> None:
        batch = self._pending
        batch.ends[segment] = end
        batch.size += 1
        if batch.size in (1, _FULL):
            self._turn.notify_all()

    def _hold_back(self) -> None:
        if self._pending.size >= _BACKLOG:
            self.flush()

    def _run(self) -> None:
        try:
            while self._take():
                for segment in self._segments:
                    segment.sync()
                self._ledger.commit(self._flushing)
                for tell in self._flushing.told:
                    tell()
                with self._turn:
                    self._flushing = Batch()
                    self._turn.notify_all()
        except OSError as problem:
            # The system forgets what it could not write: a second sync of that file would succeed and mean nothing.
            self._error = storage_error(self._path, problem)
        except sqlite3.Error as problem:
            self._error = RunError(
                f"{self._path}: the ledger cannot be written ({problem}). Free some space or mend the disk, then give "
                "the same command again: nothing finished is lost."
            )
        finally:
            with self._turn:
                self._stopped = True
                self._turn.notify_all()

    def _take(self) -> bool:
        """Waits for rows worth a flush; false when there will be none."""
        with self._turn:
            self._turn.wait_for(lambda: self._pending.size or self._closing)
            self._turn.wait_for(lambda: self._pending.size >= _FULL or self._hurry or self._closing, _INTERVAL)
            self._flushing, self._pending = self._pending, Batch()
            return self._flushing.size > 0
