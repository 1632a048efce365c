"""The rows of a worker's journal on their way to the process that keeps the run's ledger.

    worker: segment, synced ─ rows ─→ owner: ledger ─ acknowledged ─→ worker: forgets them

Till then the worker finds them in its own memory, afterwards in the ledger, which it reads as everybody may.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from socket import socket

from agentinstruct.run.ledger import Batch, CallRow, Failure, ItemRow, Segment
from agentinstruct.run.pipe import Message, exchange


@dataclass(frozen=True, slots=True)
class Upstream:
    """The ledger as a worker's flusher writes to it: a socket to its keeper."""

    end: socket
    numbers: Mapping[str, int]
    """Of the worker's segments, by name."""

    def segment(self, name: str) -> Segment:
        """One of the worker's own segments."""
        return Segment(name, self.numbers[name], 0)

    def commit(self, batch: Batch) -> None:
        """Sends the rows; returns once they are in the ledger. Raises `OSError` when its keeper is gone."""
        exchange(self.end, rows_of(batch))

    def close(self) -> None:
        """Nothing more will come."""
        self.end.close()


def rows_of(batch: Batch) -> Message:
    """The rows of a batch as a message."""
    return {
        "calls": [[row.key.hex(), *row[1:]] for row in batch.calls.values()],
        "items": list(batch.items.values()),
        "failures": list(batch.failures.values()),
        "ends": list(batch.ends.items()),
    }


def batch_of(rows: Message) -> Batch:
    """The batch that such a message was made of."""
    calls = (CallRow(bytes.fromhex(key), *place) for key, *place in rows["calls"])
    items = (ItemRow(*row) for row in rows["items"])
    failures = (Failure(*row) for row in rows["failures"])
    return Batch(
        {row.key: row for row in calls},
        {row.id: row for row in items},
        {row.item: row for row in failures},
        ends=dict(rows["ends"]),
        size=sum(map(len, rows.values())),
    )
