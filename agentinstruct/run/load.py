"""Replies and finished items as a worker without a disk of the run's sends them: frames, and what is said of each.

    worker: frame made, sent ─→ owner: written to its own segments, entered into its ledger

The owner writes the frames as they are, so the costly part, JSON and compression, is done where the work is.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from agentinstruct.run.ledger import Batch, CallRow, ItemRow
from agentinstruct.run.pipe import Message
from agentinstruct.run.segment import SegmentWriter


@dataclass(frozen=True, slots=True)
class CallFrame:
    """A reply."""

    key: str
    cost: float | None
    frame: bytes

    def enter(self, batch: Batch, segment: int, offset: int) -> None:
        """Add its row, as it lies in a segment."""
        key = bytes.fromhex(self.key)
        batch.calls[key] = CallRow(key, segment, offset, len(self.frame), self.cost)


@dataclass(frozen=True, slots=True)
class ItemFrame:
    """A finished work item."""

    id: str
    skill: str
    seed: str
    records: int
    accepted: int
    dropped: int
    frame: bytes

    def enter(self, batch: Batch, segment: int, offset: int) -> None:
        """Add its row, as it lies in a segment."""
        batch.items[self.id] = ItemRow(
            *(self.id, self.skill, self.seed, self.records, self.accepted, self.dropped),
            *(segment, offset, len(self.frame)),
        )


def store(rows: Sequence[CallFrame | ItemFrame], segment: SegmentWriter, number: int, batch: Batch) -> None:
    """Write frames to a segment in one piece, and add their rows. Raises `RunError`."""
    if rows:
        place = segment.put(b"".join([row.frame for row in rows]))[0]
        for row in rows:
            row.enter(batch, number, place)
            place += len(row.frame)
        batch.ends[number] = place
        batch.size += len(rows)


@dataclass(slots=True)
class Load:
    """Some of both."""

    calls: list[CallFrame] = field(default_factory=list)
    items: list[ItemFrame] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.calls or self.items)

    def told(self) -> tuple[Message, bytes]:
        """What is said of the frames, and all of them in one piece."""
        calls = [[one.key, one.cost, len(one.frame)] for one in self.calls]
        items = [
            [one.id, one.skill, one.seed, one.records, one.accepted, one.dropped, len(one.frame)] for one in self.items
        ]
        frames = [*(call.frame for call in self.calls), *(item.frame for item in self.items)]
        return {"calls": calls, "items": items}, b"".join(frames)

    @classmethod
    def of(cls, told: Message, frames: bytes) -> "Load":
        """What `told` told of. Raises `ValueError` where the frames are not those."""
        load, start = cls(), 0
        for key, cost, length in told["calls"]:
            load.calls.append(CallFrame(key, cost, frames[start : start + length]))
            start += length
        for item, skill, seed, records, accepted, dropped, length in told["items"]:
            frame = frames[start : start + length]
            load.items.append(ItemFrame(item, skill, seed, records, accepted, dropped, frame))
            start += length
        if start != len(frames):
            raise ValueError(f"{len(frames)} bytes of frames where {start} were told of")
        return load
