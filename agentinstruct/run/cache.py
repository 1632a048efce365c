"""The call cache: replies that many runs share, in one SQLite file that several processes may use at once.

    look-up:  journal ─ else cache ─→ copied into the journal      bought:  journal, and cache (a thread, in batches)

The journal stays the truth of a run: with the cache gone, nothing of it is lost. A kill costs the cache at most what
was bought in the last quarter of a second, a damaged entry is bought again, and a disk that is full stops only the
adding. What a model's name stands for is up to the user: where a server is reached is not part of a call's key.
"""

import logging
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import zstandard

from agentinstruct.agents.calls import LOST
from agentinstruct.agents.gateway import Budget, CallStore, Completion
from agentinstruct.agents.limits import Statistics
from agentinstruct.run.cachefile import CACHE, open_cache
from agentinstruct.run.folder import failed_by
from agentinstruct.run.ledger import connect
from agentinstruct.run.segment import DamagedFrame, call_value, decode, encode

_INTERVAL = 0.25  # seconds; what a kill can cost
_FULL = 512
_PUT = "INSERT INTO calls VALUES (?, ?, ?) ON CONFLICT (key) DO UPDATE SET made = excluded.made, frame = excluded.frame"
_KNOWN = frozenset(part.name for part in fields(Completion))
_STUCK = "takes no more replies (free some space, or mend the disk): the run goes on without"
_log = logging.getLogger(__name__)


class Cache:
    """Looked up by one thread; what is put is added by a thread of its own, so that nobody waits for the disk."""

    def __init__(self, folder: Path, told: Callable[[str], None] = lambda trouble: None) -> None:
        """Opens the cache, made if there is none. Raises `RunError` if the folder cannot hold one.

        Args:
            folder: Where it is.
            told: Called with a sentence when something in it turns out to be damaged or no longer to be written.
        """
        self.folder = folder.absolute()
        self._told = told
        self._troubles: set[str] = set()
        self._reader = open_cache(self.folder)
        self._decompressor = zstandard.ZstdDecompressor()
        self._pending: dict[bytes, tuple[str, Mapping[str, Any]]] = {}
        self._turn = threading.Condition()
        self._closing = False
        self._thread = threading.Thread(target=self._add, name="cache", daemon=True)
        self._thread.start()

    def get(self, key: str) -> dict[str, Any] | None:
        """The reply kept under this key, or None: not there, or no longer readable. Some ten microseconds."""
        try:
            row = self._reader.execute("SELECT frame FROM calls WHERE key = ?", (bytes.fromhex(key),)).fetchone()
            if row is None:
                return None
            frame = decode(row[0], self._decompressor)
            if frame.get("key") != key:
                raise DamagedFrame("another reply is in its place")
            return dict(frame["value"])
        except (sqlite3.Error, DamagedFrame, TypeError, KeyError) as problem:
            self._trouble("is damaged in places: what they held is bought again", problem)
            return None

    def put(self, key: str, value: Mapping[str, Any]) -> None:
        """Keep a reply; it is on the disk a moment later."""
        if not self._thread.is_alive():  # it has told why
            return
        with self._turn:
            self._pending[bytes.fromhex(key)] = key, value
            if len(self._pending) in (1, _FULL):
                self._turn.notify_all()

    def close(self) -> None:
        """Add what is left, and close."""
        with self._turn:
            self._closing = True
            self._turn.notify_all()
        self._thread.join()
        self._reader.close()

    def _add(self) -> None:
        try:
            with closing(connect(str(self.folder / CACHE))) as writer:
                writer.execute("PRAGMA synchronous = NORMAL")
                compressor = zstandard.ZstdCompressor(level=3)
                while batch := self._batch():
                    made = int(time.time())
                    frames = [
                        (name, made, encode(call_value(key, value), compressor)) for name, (key, value) in batch.items()
                    ]
                    self._write(writer, frames)
        except sqlite3.Error as problem:
            busy = failed_by(problem, sqlite3.SQLITE_BUSY)
            advice = "another process holds it: its last replies are not added" if busy else _STUCK
            self._trouble(advice, problem)

    def _write(self, writer: sqlite3.Connection, frames: list[tuple[bytes, int, bytes]]) -> None:
        """Add some replies, however long somebody else is at it."""
        while True:
            try:
                with writer:
                    writer.execute("BEGIN IMMEDIATE")
                    writer.executemany(_PUT, frames)
                return
            except sqlite3.OperationalError as problem:
                if not failed_by(problem, sqlite3.SQLITE_BUSY) or self._closing:
                    raise

    def _batch(self) -> dict[bytes, tuple[str, Mapping[str, Any]]]:
        """Wait for replies worth a commit; none when there will be none."""
        with self._turn:
            self._turn.wait_for(lambda: self._pending or self._closing)
            self._turn.wait_for(lambda: len(self._pending) >= _FULL or self._closing, _INTERVAL)
            batch, self._pending = self._pending, {}
            return batch

    def _trouble(self, what: str, problem: Exception) -> None:
        if what not in self._troubles:
            self._troubles.add(what)
            _log.warning("%s: %s (%s)", self.folder / CACHE, what, problem)
            self._told(f"the cache {self.folder} {what} ({problem})")


@dataclass(slots=True)
class CachedCalls:
    """A store of calls that looks in a run's own journal first, then in the cache."""

    journal: CallStore
    cache: Cache
    statistics: Statistics
    budget: Budget | None = None
    """Which replies that are found count against as if they had been bought; None: they are free."""

    def get_call(self, key: str) -> dict[str, Any] | None:
        """The reply that this run, or any run before, has had."""
        known = self.journal.get_call(key)
        if known is not None or (found := self.cache.get(key)) is None:
            return known
        if self.budget and not self.budget.take():
            return None  # whoever is to buy it says that the budget is reached
        # Another run paid for it, maybe with another version of this program.
        reply = {name: part for name, part in found.items() if name in _KNOWN and name != "cost"}
        self.journal.put_call(key, reply)
        self.statistics.from_cache += 1
        return reply

    def put_call(self, key: str, value: Mapping[str, Any]) -> None:
        """Keep a reply in both."""
        self.journal.put_call(key, value)
        if value.get("finish_reason") != LOST:
            self.cache.put(key, value)


@contextmanager
def call_store(
    journal: CallStore,
    folder: Path | None,
    statistics: Statistics,
    told: Callable[[str], None],
    budget: Budget | None = None,
) -> Iterator[CallStore]:
    """The journal, with the cache in this folder behind it if one is given. Raises `RunError` as `Cache` does."""
    if folder is None:
        yield journal
        return
    with closing(Cache(folder, told)) as cache:
        yield CachedCalls(journal, cache, statistics, budget)
