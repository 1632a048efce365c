"""The run journal: everything a run has bought and made, safe the moment a method returns.

    put_call, finish, fail ─ one frame, one write ─→ segment ─ flusher: sync, then index ─→ ledger

A work item and its records are one frame, so "done" and "written" cannot come apart. A killed process loses nothing
it has put, finished or failed; a power cut loses about half a second.

Where several processes work on a run, each writes segments of its own, and the one that opened the folder keeps the
ledger for all: the others `join` it, and their flushers send it the rows of what they have synced.
"""

import os
import sqlite3
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from functools import partial
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote

from agentinstruct.run.flusher import Flusher, Keeper
from agentinstruct.run.folder import ledger_error, prepare, storage_error, sync_folder, take_lock
from agentinstruct.run.index import Counts, Index
from agentinstruct.run.ledger import LEDGER, Batch, CallRow, Failure, PieceRow, connect
from agentinstruct.run.load import Load, store
from agentinstruct.run.manifest import read_manifest, settle_manifest
from agentinstruct.run.reader import JournalReader, heard
from agentinstruct.run.recovery import Recovery, adopt_rest, in_step, item_row
from agentinstruct.run.seen import Seen
from agentinstruct.run.segment import NAME, SegmentWriter, call_value, item_value

_LONGEST_MESSAGE = 4000


class Journal(JournalReader):
    """The writer of a run folder, or of a worker's segments in it; one thread at a time.

    Once the disk has failed every method raises `RunError`; what was acknowledged before stays. `records`, `dropped`,
    `failures`, `counts`, `flush` and `close` first wait until all is on the disk, some milliseconds; the rest never do.
    """

    lock: int = -1
    """The handle that keeps the folder ours: so long as any process has it open."""
    _seen: Seen | None = None
    """The keys of all replies, where the folder held none when it was opened."""
    _files: ExitStack
    _flusher: Flusher
    _calls: tuple[SegmentWriter, int]
    _items: tuple[SegmentWriter, int]

    @classmethod
    def open(
        cls, folder: Path, manifest: Mapping[str, Any], *, writer: str = "0", joining: Sequence[str] = ()
    ) -> "Journal":
        """Starts a run in an empty folder, or goes on with the run of the same settings in this one.

        `writer` names the segment files; `joining` are the writers that other processes may join as.
        Raises `RunError` if the folder is in use, is not ours, holds other settings or cannot be written.
        """
        folder = folder.absolute()
        if not NAME.fullmatch(f"calls-{writer}.seg"):
            raise ValueError(f"writer {writer!r}: use letters, digits and _")
        prepare(folder)
        with ExitStack() as files:
            lock = take_lock(folder)
            files.callback(os.close, lock)
            stored, recovered = settle_manifest(folder, manifest, partial(heard, folder)), Recovery()
            try:
                ledger = files.enter_context(closing(in_step(folder, stored.run, recovered)))
                journal = cls(folder, stored, Index(connect(str(folder / LEDGER)), folder), recovered)
                for name in (name for each in joining for name in _names(each)):
                    ledger.segment(name)
                journal._seen = None if journal._index.counts().calls else Seen()
                journal._start(ledger, writer, files)
            except OSError as problem:
                raise storage_error(folder, problem) from problem
            except sqlite3.Error as problem:
                raise ledger_error(folder / LEDGER, problem) from problem
            journal.lock, journal._files = lock, files.pop_all()
        return journal

    @classmethod
    def join(cls, folder: Path, keeper: Keeper, writer: str) -> "Journal":
        """Writes segments of its own into a run that another process has opened and keeps the ledger of.

        What all of them have stored is found here too, as soon as it is in the ledger. Raises `RunError`.
        """
        address = f"file:{quote(os.fsencode(folder / LEDGER))}?mode=ro"
        with ExitStack() as files:
            files.callback(keeper.close)
            try:
                journal = cls(folder, read_manifest(folder), Index(connect(address), folder), Recovery())
                journal._start(keeper, writer, files)
            except OSError as problem:
                raise storage_error(folder, problem) from problem
            journal._files = files.pop_all()
        return journal

    def _start(self, ledger: Keeper, writer: str, files: ExitStack) -> None:
        calls, items = _names(writer)
        self._calls = self._segment(ledger, calls, files)
        self._items = self._segment(ledger, items, files)
        sync_folder(self.folder)
        self._flusher = Flusher(ledger, self.folder, (self._calls[0], self._items[0]))
        files.callback(self._flusher.close)
        files.callback(super().close)

    def _segment(self, ledger: Keeper, name: str, files: ExitStack) -> tuple[SegmentWriter, int]:
        segment = SegmentWriter(self.folder / name)
        files.callback(segment.close)
        return segment, ledger.segment(name).number

    def put_call(self, key: str, value: Mapping[str, Any]) -> None:
        """Stores a model's reply (JSON) under its key (hex). Of two under one key the later is kept."""
        self._flusher.check()
        segment, number = self._calls
        place, name = segment.append(call_value(key, value)), bytes.fromhex(key)
        if self._seen is not None:
            self._seen.add(name)
        self._flusher.add_call(CallRow(name, number, *place, value.get("cost")))

    def finish(
        self,
        item_id: str,
        skill: str,
        seed_id: str,
        records: Sequence[Mapping[str, Any]],
        dropped: Sequence[Mapping[str, Any]],
    ) -> None:
        """Stores the outcome of a work item, which is done from now on. A second outcome is ignored."""
        if self.is_done(item_id):
            return
        segment, number = self._items
        outcome = item_value(item_id, skill, seed_id, records, dropped)
        self._flusher.add_item(item_row(outcome, (number, *segment.append(outcome))))

    def fail(self, item_id: str, skill: str, seed_id: str, stage: str, error: str, message: str) -> int:
        """Stores that an attempt at a work item failed: at which stage, with which error class. Gives the attempts."""
        attempts = self.attempts(item_id) + 1
        message = message[:_LONGEST_MESSAGE].encode("utf-8", "backslashreplace").decode()
        failure = Failure(item_id, skill, seed_id, stage, error, message, attempts, time.time())
        segment, number = self._items
        offset, length = segment.append({"failed": failure._asdict()})
        self._flusher.add_failure(failure, number, offset + length)
        return attempts

    def take(self, load: Load) -> None:
        """Stores frames that were made elsewhere, as `put_call` and `finish` do: safe from a kill on return."""
        self._flusher.check()
        items = [item for item in load.items if not self.is_done(item.id)]
        batch = Batch()
        store(load.calls, *self._calls, batch)
        store(items, *self._items, batch)
        self.enter(batch)

    def numbers(self, writer: str) -> dict[str, int]:
        """The numbers of the segments of one that may join, by name."""
        return {name: self._index.find_segment(name).number for name in _names(writer)}

    def enter(self, batch: Batch) -> None:
        """Takes in the rows of frames that another writer has synced."""
        self.check()
        if self._seen is not None:
            for key in batch.calls:
                self._seen.add(key)
        self._flusher.add(batch)

    def check(self) -> None:
        """Raises `RunError` if the disk has failed."""
        self._flusher.check()

    def adopt(self, writer: str) -> None:
        """Enters what a writer whose process died had written and not sent; its torn end is set aside."""
        self.flush()
        for name in _names(writer):
            segment = self._index.find_segment(name)
            try:
                adopt_rest(self.folder, segment, self.enter, self._segments, self.recovered, repair=True)
            except OSError as problem:
                raise storage_error(self.folder / name, problem) from problem
        self.flush()

    def index(self) -> Index:
        """The ledger on a connection of its own, for one other thread to ask."""
        return Index(connect(str(self.folder / LEDGER)), self.folder)

    def put_pieces(self, rows: Sequence[PieceRow]) -> None:
        """Keeps what was found of pieces of the seeds; any thread may."""
        self._flusher.check()
        self._flusher.add(Batch(pieces=list(rows), size=len(rows)))

    def is_done(self, item_id: str) -> bool:
        """Whether the work item is finished: some microseconds, for skipping on resume."""
        self._flusher.check()
        known = self._flusher.find_item(item_id)
        return super().is_done(item_id) if known is None else known

    def attempts(self, item_id: str) -> int:
        """How often the work item has failed so far."""
        self._flusher.check()
        failure = self._flusher.find_failure(item_id)
        return failure.attempts if failure else super().attempts(item_id)

    def failures(self) -> Iterator[Failure]:
        """The last failure of every item that is not finished, by item id."""
        self.flush()
        return super().failures()

    def counts(self) -> Counts:
        """How far the run is; the cost does not grow with the run."""
        self.flush()
        return super().counts()

    def flush(self) -> None:
        """Waits until everything is on the disk and in the ledger."""
        self._flusher.flush()

    def close(self) -> None:
        """Flushes, closes all files and gives up the folder; a second call does nothing."""
        with self._files:
            self._files = ExitStack()

    def _call_place(self, key: bytes) -> tuple[int, int, int] | None:
        self._flusher.check()
        if self._seen is not None and key not in self._seen:
            return None
        row = self._flusher.find_call(key)
        return (row.segment, row.offset, row.length) if row else super()._call_place(key)

    def _lost(self, item_id: str) -> None:
        self._flusher.forget_item(item_id)

    def outcomes(self) -> Iterator[dict[str, Any]]:
        """Every finished item with its records and dropped drafts, by item id."""
        self.flush()
        return super().outcomes()

    def _results(self, kind: Literal["records", "dropped"]) -> Iterator[dict[str, Any]]:
        self.flush()
        return super()._results(kind)


def _names(writer: str) -> tuple[str, str]:
    return f"calls-{writer}.seg", f"items-{writer}.seg"
