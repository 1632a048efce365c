"""Puts ledger and segments in step when a run folder is opened.

ledger missing, damaged or of another run ─→ made again from all segments
frames past what the ledger covers        ─→ adopted (their process died before it could enter them)
a torn end                                ─→ moved to quarantine/, cut off
a segment shorter than the ledger says    ─→ its rows out, what is left of it adopted anew
"""

import logging
import os
import sqlite3
import time
from collections.abc import Callable
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agentinstruct.run.folder import open_file, subfolder, sync_folder
from agentinstruct.run.ledger import LEDGER, Batch, CallRow, Failure, ItemRow, Ledger, Segment, counts_of
from agentinstruct.run.segment import NAME, Frame, SegmentReader

QUARANTINE = "quarantine"
_BATCH = 4096
_BLOCK = 1 << 20
_log = logging.getLogger(__name__)


@dataclass(slots=True)
class Recovery:
    """What opening a run found: frames adopted, damaged stretches skipped, bytes set aside, ledger made again."""

    adopted: int = 0
    damaged: int = 0
    quarantined: int = 0
    rebuilt: bool = False


def in_step(folder: Path, run: str, report: Recovery) -> Ledger:
    """The run's ledger, with all that its segments hold. Raises as `open_ledger`."""
    ledger = open_ledger(folder, run, report)
    with ExitStack() as opened, closing(SegmentReader(folder)) as segments:
        opened.callback(ledger.close)
        adopt(folder, ledger, segments, report, repair=True)
        opened.pop_all()
    return ledger


def open_ledger(folder: Path, run: str, report: Recovery) -> Ledger:
    """The run's ledger, made anew if it cannot be used. Raises `RunError`, `OSError`, `sqlite3.Error`."""
    path = folder / LEDGER
    companions = [folder / f"{LEDGER}{ending}" for ending in ("-wal", "-shm", "-journal")]
    for file in [path, *companions]:
        if os.path.lexists(file):
            os.close(open_file(file, os.O_RDWR))  # SQLite would follow a symlink
    if path.exists():
        try:
            return Ledger.open(path, run)
        except sqlite3.OperationalError:  # locked, or the disk's doing: no reason to throw it away
            raise
        except sqlite3.DatabaseError as problem:
            _log.warning("%s: %s; making it again from the segments", path, problem)
    report.rebuilt = bool(_segments(folder))
    for file in [path, *companions]:
        file.unlink(missing_ok=True)
    os.close(open_file(path, os.O_RDWR | os.O_CREAT | os.O_EXCL))
    ledger = Ledger.create(path, run)
    sync_folder(folder)
    return ledger


def adopt(folder: Path, ledger: Ledger, segments: SegmentReader, report: Recovery, *, repair: bool) -> None:
    """Enters every frame the ledger does not cover. Files are touched only with `repair`. Raises as `open_ledger`."""
    present = _segments(folder)
    for name in sorted(present | ledger.segments().keys()):
        segment = ledger.segment(name)
        size = (folder / name).stat().st_size if name in present else 0
        if segment.committed > size:
            gone = segment.committed - size
            _log.warning("%s: %d bytes are gone; what they held is made again", folder / name, gone)
            ledger.forget_segment(segment.number)
            report.damaged += 1
            segment = segment._replace(committed=0)
        adopt_rest(folder, segment, ledger.commit, segments, report, repair=repair)


def adopt_rest(
    folder: Path,
    segment: Segment,
    commit: Callable[[Batch], None],
    segments: SegmentReader,
    report: Recovery,
    *,
    repair: bool,
) -> None:
    """Enters the frames of one segment that lie past what is committed of it. Raises `OSError`, `sqlite3.Error`."""
    path = folder / segment.name
    size = path.stat().st_size if path.exists() else 0
    if segment.committed < size:
        if repair:
            _sync(path)  # first: the ledger never says more than the disk holds
        end = _adopt_frames(commit, segments, segment, report)
        if repair and end < size:
            _cut(path, end, report)


def _segments(folder: Path) -> set[str]:
    return {entry.name for entry in folder.iterdir() if NAME.fullmatch(entry.name)}


def _adopt_frames(commit: Callable[[Batch], None], segments: SegmentReader, segment: Segment, report: Recovery) -> int:
    batch, end = Batch(), segment.committed
    for frame in segments.scan(segment.name, segment.committed):
        if frame.offset != end:
            _log.warning(
                "%s: bytes %d to %d are damaged; what they held is made again", segment.name, end, frame.offset
            )
            report.damaged += 1
        end = frame.offset + frame.length
        enter(batch, frame, segment.number)
        if batch.size >= _BATCH:
            commit(batch)
            batch = Batch()
        report.adopted += 1
    if batch.size:
        commit(batch)
    return end


def enter(batch: Batch, frame: Frame, segment: int) -> None:
    """Adds the row of one frame, whose kind its keys tell."""
    value, place = frame.value, (segment, frame.offset, frame.length)
    if "key" in value:
        key = bytes.fromhex(value["key"])
        batch.enter(CallRow(key, *place, value["value"].get("cost")))
    elif "failed" in value:
        batch.failures[value["failed"]["item"]] = Failure(**value["failed"])
    else:
        batch.items.setdefault(value["item"], item_row(value, place))
    batch.ends[segment] = frame.offset + frame.length
    batch.size += 1


def item_row(value: dict[str, Any], place: tuple[int, int, int]) -> ItemRow:
    """The row of a finished work item's frame."""
    return ItemRow(value["item"], value["skill"], value["seed"], *counts_of(value["records"], value["dropped"]), *place)


def _sync(path: Path) -> None:
    handle = open_file(path, os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _cut(path: Path, end: int, report: Recovery) -> None:
    handle = open_file(path, os.O_RDWR)
    try:
        size = os.fstat(handle).st_size
        _quarantine(handle, end, subfolder(path.parent / QUARANTINE) / f"{path.name}.{end}.{time.time_ns()}")
        os.ftruncate(handle, end)
        os.fsync(handle)
    finally:
        os.close(handle)
    report.quarantined += size - end
    _log.warning("%s: its torn end of %d bytes is now in %s/", path, size - end, QUARANTINE)


def _quarantine(source: int, start: int, target: Path) -> None:
    with os.fdopen(open_file(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL), "wb") as file:
        while block := os.pread(source, _BLOCK, start):
            file.write(block)
            start += len(block)
        file.flush()
        os.fsync(file.fileno())
    sync_folder(target.parent)
