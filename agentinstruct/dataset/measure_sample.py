"""Samples of a stream: of each group the members with the smallest ids, which are hashes, so a fair draw.

The same records give the same sample in whatever order they come, and memory holds the sample alone. What is costly
to make of a member is made only when it is taken in.
"""

import heapq
from collections import Counter
from collections.abc import Callable, Hashable, Iterator
from typing import Generic, TypeVar

Value = TypeVar("Value")


class Sample(Generic[Value]):
    """At most `most` members of each group; `seen` counts all that were offered."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.seen = 0
        self._groups: dict[Hashable, list[tuple[int, int, Value]]] = {}
        self._offered: Counter[Hashable] = Counter()

    def offer(self, group: Hashable, name: str, make: Callable[[], Value]) -> None:
        """Take a member in if its id (hex) is among the smallest of its group."""
        self.seen += 1
        self._offered[group] += 1
        heap = self._groups.setdefault(group, [])
        rank = -int(name[:16], 16)
        if len(heap) < self.most:
            heapq.heappush(heap, (rank, self.seen, make()))
        elif rank > heap[0][0]:
            heapq.heapreplace(heap, (rank, self.seen, make()))

    def members(self) -> Iterator[tuple[Hashable, Value]]:
        """All members with their groups, by id within each group."""
        for group, heap in self._groups.items():
            yield from ((group, value) for _, _, value in sorted(heap, key=lambda one: (-one[0], one[1])))

    def weighted(self) -> Iterator[tuple[float, Value]]:
        """All members, each with how many of its group it stands for: large groups are drawn from more thinly."""
        for group, value in self.members():
            yield self._offered[group] / len(self._groups[group]), value

    def __len__(self) -> int:
        return sum(map(len, self._groups.values()))
