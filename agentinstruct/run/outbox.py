"""A worker's journal where the run folder is on another machine: all it keeps goes to the owner, in order.

    reply, finished item: a frame ─┐
    outcome, report, fault ────────┴─ waiting ─ asked for: a parcel ─→ owner: frames to disk, then the rest is heard

A parcel is one piece of bytes: the length of its messages, these as JSON, then the frames they tell of. What a worker
has said and its owner has not yet asked for dies with it: some hundredths of a second.
"""

import asyncio
import struct
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from itertools import count
from typing import Any

import zstandard

from agentinstruct.run.ledger import counts_of
from agentinstruct.run.load import CallFrame, ItemFrame, Load
from agentinstruct.run.pipe import Message
from agentinstruct.run.seen import Seen
from agentinstruct.run.segment import call_value, encode, from_json, item_value, to_json

PAUSE_S = 0.03
"""Between two parcels at least: each costs both sides about a millisecond."""
OF_EACH_S = 0.01
"""Between any two parcels of all workers: the owner takes them all, and had no time for anything else."""
LONGEST_S = 0.5
"""Of any pause: what a worker has not sent dies with it, and silence means that the owner is gone."""
IDLE_S = 1.0
"""After which an empty one is sent: it lives."""
_LENGTH = struct.Struct(">Q")


def packed(messages: Sequence[Message], frames: bytes = b"") -> bytes:
    """A parcel."""
    text = to_json(messages)
    return _LENGTH.pack(len(text)) + text + frames


def unpacked(parcel: bytes) -> tuple[list[Message], bytes]:
    """What is in a parcel."""
    end = _LENGTH.size + _LENGTH.unpack_from(parcel)[0]
    messages: list[Message] = from_json(parcel[_LENGTH.size : end])
    return messages, parcel[end:]


def pause_of(workers: int) -> float:
    """Seconds between two parcels to or from one of so many."""
    return min(max(PAUSE_S, workers * OF_EACH_S), LONGEST_S)


class Turn:
    """When the next parcel goes: once there is something, but not at once after the last; in time, an empty one."""

    def __init__(self, idle_s: float, pause_s: float = PAUSE_S) -> None:
        self.pause_s = pause_s
        self._idle_s = idle_s
        self._last = 0.0
        self._filled = asyncio.Event()

    def fill(self) -> None:
        """There is something."""
        self._filled.set()

    async def come(self) -> None:
        """Wait for it."""
        # Not `wait_for`: that of Python 3.11 forgets that it was cancelled where something comes at the same moment.
        with suppress(TimeoutError):
            async with asyncio.timeout(self._idle_s):
                await self._filled.wait()
        if self._filled.is_set():
            await asyncio.sleep(self._last + self.pause_s - time.monotonic())
        self._last = time.monotonic()
        self._filled.clear()


class Outbox:
    """Keeps replies and outcomes as a journal does, and says what a worker says. One event loop."""

    asks = False
    """Whether the run has replies from before, so that one not known here may be known to the owner."""

    def __init__(self) -> None:
        self._load = Load()
        self._said: list[Message] = []
        self._own: dict[str, Mapping[str, Any]] = {}
        """Replies that the owner may not have yet."""
        self._sent: list[str] = []
        """Of these, the keys of those in the last parcel."""
        self._seen = Seen()
        self._asked: dict[str, asyncio.Future[dict[str, Any] | None]] = {}
        self._compressor = zstandard.ZstdCompressor(level=-1)
        self.turn = Turn(IDLE_S)
        self._failed = count(1)

    def send(self, message: Message) -> None:
        """Say something, after all that was kept before."""
        self._said.append(message)
        self.turn.fill()

    def get_call(self, key: str) -> dict[str, Any] | None:
        """A reply that is not yet the owner's."""
        known = self._own.get(key)
        return dict(known) if known is not None else None

    async def elsewhere(self, key: str) -> dict[str, Any] | None:
        """A reply that the owner has."""
        if not self.asks and bytes.fromhex(key) not in self._seen:
            return None
        if key not in self._asked:
            self._asked[key] = asyncio.get_running_loop().create_future()
            self.send({"ask": key})
        return await self._asked[key]

    def told(self, replies: Mapping[str, dict[str, Any] | None]) -> None:
        """What the owner has of what it was asked for."""
        for key, reply in replies.items():
            if (asked := self._asked.pop(key, None)) and not asked.done():
                asked.set_result(reply)

    def put_call(self, key: str, value: Mapping[str, Any]) -> None:
        """Keep a reply."""
        frame = encode(call_value(key, value), self._compressor)
        self._own[key] = value
        self._seen.add(bytes.fromhex(key))
        self._load.calls.append(CallFrame(key, value.get("cost"), frame))
        self.turn.fill()

    def finish(
        self,
        item_id: str,
        skill: str,
        seed_id: str,
        records: Sequence[Mapping[str, Any]],
        dropped: Sequence[Mapping[str, Any]],
    ) -> None:
        """Keep the outcome of a work item."""
        frame = encode(item_value(item_id, skill, seed_id, records, dropped), self._compressor)
        self._load.items.append(ItemFrame(item_id, skill, seed_id, *counts_of(records, dropped), frame))
        self.turn.fill()

    def fail(self, item_id: str, skill: str, seed_id: str, stage: str, error: str, message: str) -> int:
        """Tell that an attempt at a work item failed; how many there were, the owner knows."""
        text = message.encode("utf-8", "backslashreplace").decode()
        self.send({"failed": [item_id, skill, seed_id, stage, error, text]})
        return next(self._failed)

    async def take(self) -> bytes:
        """All that was kept and said since the last parcel, which the owner has by now; waits a while for something."""
        for key in self._sent:
            self._own.pop(key, None)
        self._sent = []
        await self.turn.come()
        load, said, self._load, self._said = self._load, self._said, Load(), []
        if not load:
            return packed(said)
        self._sent = [one.key for one in load.calls]
        told, frames = load.told()
        return packed([{"load": told}, *said], frames)

    def close(self) -> None:
        """Nothing more will come."""
