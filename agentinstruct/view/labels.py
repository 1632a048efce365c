"""What a person says of rows: accept or reject, and a note. Kept in the run folder, and exported as JSON lines."""

import os
import sqlite3
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from agentinstruct.run.folder import open_file

NAME = "labels.sqlite"
LABELS = ("accept", "reject")
LONGEST_NOTE = 10_000
_SCHEMA = """
CREATE TABLE IF NOT EXISTS labels(
    id TEXT PRIMARY KEY, skill TEXT, state TEXT, label TEXT, note TEXT, at TEXT
) WITHOUT ROWID;
"""


@dataclass(frozen=True, slots=True)
class Label:
    """What was said of a record or draft."""

    label: str = ""
    note: str = ""


class Labels:
    """The labels of a run. One thread at a time."""

    def __init__(self, path: Path) -> None:
        os.close(open_file(path, os.O_RDWR | os.O_CREAT))
        self.path = path
        self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=30)
        self._connection.executescript(_SCHEMA)

    def of(self, known: str) -> Label:
        """The label of a record or draft; an empty one where there is none."""
        found = self._connection.execute("SELECT label, note FROM labels WHERE id = ?", (known,)).fetchone()
        return Label(*found) if found else Label()

    def put(self, known: str, skill: str, state: str, label: Label) -> None:
        """Say something of a record or draft; nothing takes it back. Raises `ValueError`."""
        if label.label not in ("", *LABELS):
            raise ValueError(f"label: one of {', '.join(LABELS)}, or nothing")
        if len(label.note) > LONGEST_NOTE:
            raise ValueError(f"note: {LONGEST_NOTE:,} characters at most")
        if not label.label and not label.note.strip():
            self._connection.execute("DELETE FROM labels WHERE id = ?", (known,))
            return
        row = (known, skill, state, label.label, label.note, time.strftime("%Y-%m-%dT%H:%M:%S%z"))
        self._connection.execute("INSERT OR REPLACE INTO labels VALUES (?, ?, ?, ?, ?, ?)", row)

    def counts(self) -> dict[str, int]:
        """How many rows have each label; those with a note alone under an empty one."""
        return dict(self._connection.execute("SELECT label, count(*) FROM labels GROUP BY label"))

    def lines(self) -> Iterator[bytes]:
        """All of them as JSON lines, by id."""
        names = ("id", "skill", "state", "label", "note", "at")
        for row in self._connection.execute("SELECT * FROM labels ORDER BY id"):
            said: dict[str, Any] = dict(zip(names, row, strict=True))
            yield orjson.dumps(said, option=orjson.OPT_APPEND_NEWLINE)

    def close(self) -> None:
        """Close the file."""
        self._connection.close()
