"""Records that ask the same count once: how many only repeat another, and which are taken where there are too many."""

from array import array
from collections import defaultdict
from collections.abc import Hashable, Mapping
from typing import Any, Generic, TypeVar

Group = TypeVar("Group", bound=Hashable)


def identity(row: Mapping[str, Any]) -> bytes:
    """What makes two records the same item."""
    return bytes.fromhex(row.get("item") or row["id"])


class Repeats:
    """Counts records; eight bytes of memory for each."""

    __slots__ = ("_items",)

    def __init__(self) -> None:
        self._items = array("Q")

    def add(self, row: Mapping[str, Any]) -> None:
        """One record."""
        self._items.append(int.from_bytes(identity(row)[:8], "big"))

    @property
    def count(self) -> int:
        """Records that ask what another one asks, word for word."""
        import numpy  # a set of them would take ten times the memory

        return len(self._items) - len(numpy.unique(self._items))


class Evenly(Generic[Group]):
    """Takes so many records of each group, as even over the group's categories as they allow."""

    __slots__ = ("_found",)

    def __init__(self) -> None:
        self._found: dict[Group, dict[Hashable, dict[bytes, str]]] = defaultdict(lambda: defaultdict(dict))

    def offer(self, group: Group, category: Hashable, row: Mapping[str, Any]) -> None:
        """A record that may be taken; of those of a category that ask the same, the one with the smallest id."""
        alike = self._found[group][category]
        item = identity(row)
        alike[item] = min(row["id"], alike.get(item, row["id"]))

    def taken(self, wanted: int) -> dict[Group, list[str]]:
        """The ids of at most so many of each group, round by round over its categories."""
        chosen = {}
        for group, categories in self._found.items():
            ranked = [one for ids in categories.values() for one in enumerate(sorted(ids.values()))]
            chosen[group] = [name for _, name in sorted(ranked)[:wanted]]
        return chosen
