"""A segment: an append-only file of checksummed frames, each one finished thing. The run's truth.

    frame = magic (4) · length (u32) · crc32 (u32) · payload (zstd of JSON)

A frame is written by one `write` the moment its thing is finished, so a killed process loses nothing it finished;
`sync` makes it survive a power cut. A reader trusts no byte outside a whole frame with the right checksum.
"""

import json
import os
import re
import struct
import zlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import orjson
import zstandard

from agentinstruct.agents.errors import RunError
from agentinstruct.run.folder import open_file, storage_error

NAME = re.compile(r"(calls|items)-[A-Za-z0-9_]+\.seg")
_MAGIC = b"\xabAI\x01"
_HEADER = struct.Struct("<4sII")
_LONGEST = 1 << 28
_BLOCK = 1 << 20


class DamagedFrame(ValueError):
    """The bytes at this place are not the frame that was written there."""


class Frame(NamedTuple):
    """A whole frame found in a segment: where it lies and what it says."""

    offset: int
    length: int
    value: dict[str, Any]


def to_json(value: Any) -> bytes:
    """JSON that `from_json` reads; raises `TypeError` for what is not JSON."""
    try:
        return orjson.dumps(value)
    except TypeError:
        # orjson has no lone surrogates and no integers past 64 bits, models do; the space tells the reader which.
        return b" " + json.dumps(value).encode()


def from_json(text: bytes) -> Any:
    """What `to_json` wrote; raises `ValueError`."""
    return json.loads(text) if text.startswith(b" ") else orjson.loads(text)


def call_value(key: str, reply: Mapping[str, Any]) -> dict[str, Any]:
    """What the frame of a model's reply says."""
    return {"key": key, "value": reply}


def item_value(
    item: str, skill: str, seed: str, records: Sequence[Mapping[str, Any]], dropped: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    """What the frame of a finished work item says."""
    return {"item": item, "skill": skill, "seed": seed, "records": records, "dropped": dropped}


def encode(value: Mapping[str, Any], compressor: zstandard.ZstdCompressor) -> bytes:
    """A frame; raises `TypeError` for what is not JSON, `RunError` for more than 256 MiB."""
    payload = compressor.compress(to_json(value))
    if len(payload) > _LONGEST:
        raise RunError(f"a result of {len(payload) >> 20} MiB is more than a run can store (256): use shorter seeds.")
    return _HEADER.pack(_MAGIC, len(payload), zlib.crc32(payload)) + payload


def decode(frame: bytes, decompressor: zstandard.ZstdDecompressor) -> dict[str, Any]:
    """The value of one whole frame. Raises `DamagedFrame`."""
    payload = memoryview(frame)[_HEADER.size :]
    if len(frame) < _HEADER.size or _HEADER.unpack_from(frame) != (_MAGIC, len(payload), zlib.crc32(payload)):
        raise DamagedFrame("the checksum does not match")
    try:
        value = from_json(decompressor.decompress(payload))
    except (zstandard.ZstdError, ValueError) as problem:
        raise DamagedFrame(str(problem)) from problem
    if not isinstance(value, dict):
        raise DamagedFrame("not an object")
    return value


class SegmentWriter:
    """The one writer of a segment. `append` belongs to one thread; `sync` may be called from another."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._compressor = zstandard.ZstdCompressor(level=-1)  # a third longer than 1 makes it, in half the time
        self._handle = open_file(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        self._end = os.fstat(self._handle).st_size
        self._synced = self._end
        self._broken: RunError | None = None

    def append(self, value: Mapping[str, Any]) -> tuple[int, int]:
        """Writes one frame, safe from a kill on return; gives its offset and length. Raises `RunError`."""
        return self.put(encode(value, self._compressor))

    def put(self, frame: bytes) -> tuple[int, int]:
        """The same for whole frames that were made elsewhere."""
        if self._broken:
            raise self._broken
        try:
            written = os.write(self._handle, frame)
            while written < len(frame):  # a disk that fills up takes a part first and says why at the next write
                written += os.write(self._handle, frame[written:])
        except OSError as problem:
            self._undo()
            raise storage_error(self.path, problem) from problem
        offset, self._end = self._end, self._end + written
        return offset, written

    def _undo(self) -> None:
        try:
            os.ftruncate(self._handle, self._end)
        except OSError as problem:
            # The half frame stays: no more may follow it here; the next start sets it aside.
            self._broken = storage_error(self.path, problem)

    def sync(self) -> None:
        """Puts everything appended so far on the disk. Raises `OSError`; the file must then not be used again."""
        end = self._end
        if end > self._synced:
            _to_disk(self._handle)
            self._synced = end

    def close(self) -> None:
        """Closes the file; what is not synced stays with the operating system."""
        os.close(self._handle)


class SegmentReader:
    """Reads frames back, by segment name; files are opened when first asked for. One thread at a time."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._decompressor = zstandard.ZstdDecompressor()
        self._handles: dict[str, int] = {}

    def load(self, name: str, offset: int, length: int) -> dict[str, Any]:
        """The value of the frame that lies there. Raises `DamagedFrame`."""
        try:
            return decode(os.pread(self._handle(name), length, offset), self._decompressor)
        except (OSError, RunError) as problem:
            raise DamagedFrame(str(problem)) from problem

    def scan(self, name: str, start: int) -> Iterator[Frame]:
        """Every whole frame from `start` on; gaps between them are damage, what follows the last is a torn end."""
        handle, offset = self._handle(name), start
        size = os.fstat(handle).st_size
        while offset < size:
            frame = self._frame(handle, offset, size)
            if frame:
                yield frame
                offset += frame.length
            else:
                offset = _next_magic(handle, offset + 1, size)

    def _frame(self, handle: int, offset: int, size: int) -> Frame | None:
        header = os.pread(handle, _HEADER.size, offset)
        if len(header) < _HEADER.size:
            return None
        magic, payload, _ = _HEADER.unpack(header)
        length = _HEADER.size + payload
        if magic != _MAGIC or payload > _LONGEST or offset + length > size:
            return None
        try:
            return Frame(offset, length, decode(os.pread(handle, length, offset), self._decompressor))
        except DamagedFrame:
            return None

    def _handle(self, name: str) -> int:
        if name not in self._handles:
            self._handles[name] = open_file(self._folder / name, os.O_RDONLY)
        return self._handles[name]

    def close(self) -> None:
        """Closes the files opened so far."""
        while self._handles:
            os.close(self._handles.popitem()[1])


def _next_magic(handle: int, offset: int, size: int) -> int:
    while offset < size:
        block = os.pread(handle, _BLOCK, offset)
        found = block.find(_MAGIC)
        if found >= 0:
            return offset + found
        offset += max(1, len(block) - len(_MAGIC) + 1)
    return size


def _to_disk(handle: int) -> None:
    # macOS has no fdatasync; its fsync leaves the drive's cache to itself, as everywhere else there.
    getattr(os, "fdatasync", os.fsync)(handle)
