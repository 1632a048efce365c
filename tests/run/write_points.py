"""Kill this very process at its n-th write point: whatever asks something of the disk, seen from outside the program.

A point is the moment before a file is opened to be written, written, cut, synced, named or removed, before a statement
of the ledger, and before and after each of its transactions ends; and the moment when half of the bytes are written.
"""

import builtins
import io
import os
import signal
import sqlite3
import threading
from typing import Any

_ASKED = ("fsync", "fdatasync", "ftruncate", "truncate", "rename", "replace", "unlink", "mkdir", "rmdir", "pwrite")


class Points:
    """Counts the points of this process; at the last one it is killed, with all that it has started."""

    def __init__(self, last: int) -> None:
        self.number, self.last = 0, last
        self._turn = threading.Lock()

    def reach(self, half: Any = None) -> None:
        """One more; `half`: what is done first where it is the last."""
        with self._turn:
            self.number += 1
            if self.number == self.last:
                if half:
                    half()
                os.killpg(0, signal.SIGKILL)
                signal.pause()


def arm(last: int) -> Points:
    """From now on every point is counted; 0: and none is the last."""
    points = Points(last)
    for name in _ASKED:
        setattr(os, name, _before(points, getattr(os, name)))
    os.write = _torn(points, os.write)
    io.open = builtins.open = _opening(points, io.open)
    sqlite3.connect = _connecting(points, sqlite3.connect)
    return points


def _before(points: Points, done: Any) -> Any:
    def asked(*given: Any, **named: Any) -> Any:
        points.reach()
        return done(*given, **named)

    return asked


def _torn(points: Points, write: Any) -> Any:
    def asked(handle: int, data: bytes) -> int:
        points.reach()
        points.reach(lambda: write(handle, memoryview(data)[: len(data) // 2]))
        return write(handle, data)

    return asked


def _opening(points: Points, opened: Any) -> Any:
    """Files whose bytes pass through here on their way."""

    class File(io.FileIO):
        write = _torn(points, io.FileIO.write)

    def asked(file: Any, mode: str = "r", buffering: int = -1, *given: Any, **named: Any) -> Any:
        if not set("wax+") & set(mode):
            return opened(file, mode, buffering, *given, **named)
        points.reach()
        plain = File(file, mode.replace("b", "").replace("t", ""), named.get("closefd", True))
        kept = io.BufferedRandom(plain) if "+" in mode else io.BufferedWriter(plain)
        texts = {key: value for key, value in named.items() if key in ("encoding", "errors", "newline")}
        return kept if "b" in mode else io.TextIOWrapper(kept, *given, **texts)

    return asked


def _connecting(points: Points, connect: Any) -> Any:
    class Connection(sqlite3.Connection):
        execute = _before(points, sqlite3.Connection.execute)
        executescript = _before(points, sqlite3.Connection.executescript)

        def __exit__(self, *how: Any) -> Any:
            points.reach()
            done = super().__exit__(*how)
            points.reach()
            return done

    def asked(*given: Any, **named: Any) -> Any:
        return connect(*given, **named, factory=Connection)

    return asked
