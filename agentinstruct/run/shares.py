"""How a limit that several processes share is divided, so that all of them together never exceed it.

A holder is told what it may use. Less takes effect at once, but is given to others only when the holder has reported
that it uses no more; until then it counts as `granted`. So the sum of what is granted is never more than the total.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Need:
    """What a holder reports: of itself alone, whatever it was told."""

    uses: int = 0
    """What it cannot give back now."""
    wants: int = 0
    """What it would use in all."""
    least: int = 0
    """Without which in all it will not go on, where it waits; else 0."""


@dataclass(slots=True)
class Holder:
    """One who shares."""

    told: int
    """What it was told last that it may use."""
    granted: int
    """What it may be using still."""
    need: Need = field(default_factory=Need)


class Shares(ABC):
    """A total and those who share it."""

    def __init__(self, total: int) -> None:
        self.total = total
        self.holders: dict[int, Holder] = {}

    @abstractmethod
    def join(self, who: int) -> None:
        """One more shares; or another process in the place of one that died."""

    @abstractmethod
    def targets(self) -> Mapping[int, int]:
        """What each holder should have; nothing where all can go on as they are."""

    def leave(self, who: int) -> None:
        """One has ended, and no other is in its place."""
        del self.holders[who]

    def report(self, who: int, need: Need, *, current: bool) -> None:
        """A holder says what it needs; `current`: it has taken in all that it was told."""
        holder = self.holders[who]
        holder.need = need
        if current:
            holder.granted = max(holder.told, need.uses)

    def offers(self) -> dict[int, int]:
        """What to tell whom."""
        told, free, targets = {}, self.free, self.targets()
        for who, target in targets.items():
            holder = self.holders[who]
            new = min(target, holder.granted + free)
            if new != holder.told:
                free -= max(0, new - holder.granted)
                holder.granted = max(holder.granted, new)
                told[who] = holder.told = new
        return told

    def worth_it(self, targets: dict[int, int], short: set[int]) -> dict[int, int]:
        """Of the targets, those of the holders that are short; all, where what is free does not do for these."""
        targets = targets if short else {}
        lacking = sum(max(0, targets[who] - self.holders[who].granted) for who in short)
        return targets if lacking > self.free else {who: targets[who] for who in short}

    @property
    def free(self) -> int:
        """What nobody may be using."""
        return self.total - sum(holder.granted for holder in self.holders.values())


class Slots(Shares):
    """Calls at once: what one does not want goes to those who do, and everyone has at least one."""

    def __init__(self, total: int, size: int) -> None:
        super().__init__(total)
        self._size = size

    def join(self, who: int) -> None:
        """One more shares; or another process in the place of one that died, with the same slots."""
        self.holders.setdefault(who, Holder(1, 1)).need = Need(0, self.total // self._size)

    @property
    def reserved(self) -> int:
        """One for each that has not joined yet."""
        return self._size - len(self.holders)

    @property
    def free(self) -> int:
        """What nobody may be using, or is to have."""
        return super().free - self.reserved

    def targets(self) -> Mapping[int, int]:
        """Equal shares, but to nobody more than it wants while another wants more."""
        holders, left = self.holders, self.total - self.reserved
        fair = -(-left // len(holders))
        order = sorted(holders, key=lambda who: (min(holders[who].need.wants, fair), who))
        shares: dict[int, int] = {}
        for place, who in enumerate(order):
            shares[who] = max(1, min(holders[who].need.wants, left // (len(order) - place)))
            left -= shares[who]
        return self.worth_it(shares, {who for who in order if holders[who].need.wants > holders[who].told})


class Spending(Shares):
    """Money, or a number of calls: handed out in portions that grow smaller as the rest does."""

    def __init__(self, total: int, size: int) -> None:
        super().__init__(total)
        self._size = size
        self.first: Sequence[int] = ()
        """Who gets what it needs to go on, before anybody gets what it wants."""

    def join(self, who: int) -> None:
        """One more shares. What a process that died in this place may have spent counts as spent."""
        if who in self.holders:
            self.leave(who)
        self.holders[who] = Holder(0, 0)

    def leave(self, who: int) -> None:
        """One has ended: what it may have spent counts as spent."""
        self.total -= self.holders.pop(who).granted

    @property
    def left(self) -> int:
        """What nobody uses."""
        return self.total - sum(holder.need.uses for holder in self.holders.values())

    def targets(self) -> Mapping[int, int]:
        """What the first need to go on; then what each wants, and a portion in advance."""
        needs = {who: holder.need for who, holder in self.holders.items()}
        portion = max(0, self.left) // (8 * self._size)
        short = {
            who
            for who, holder in self.holders.items()
            if holder.need.wants > holder.told or 2 * (holder.told - holder.need.uses) < portion
        }
        shares = {who: max(need.uses, need.least * (who in self.first)) for who, need in needs.items()}
        left = max(0, self.total - sum(shares.values()))
        for place, who in enumerate(sorted(needs, key=lambda who: needs[who].wants - needs[who].uses)):
            wanted = max(0, needs[who].wants + portion - shares[who])
            more = min(wanted, left // (len(needs) - place))
            shares[who] += more
            left -= more
        return self.worth_it(shares, short)


def serve(limits: Sequence[Spending]) -> bool:
    """Choose who is to go on, having enough of all that is limited, the cheapest call first; False where none can.

    What one cannot use for lack of the other is so never kept from a third.
    """
    left, first = [shares.left for shares in limits], []
    needs = {who: [shares.holders[who].need for shares in limits] for who in (limits[0].holders if limits else ())}
    lacks = {who: [max(0, need.least - need.uses) for need in told] for who, told in needs.items()}
    waiting = [who for who, told in needs.items() if any(need.least for need in told)]
    for who in sorted(waiting, key=lambda who: (lacks[who], who)):
        if all(lack <= rest for lack, rest in zip(lacks[who], left, strict=True)):
            first.append(who)
            left = [rest - lack for lack, rest in zip(lacks[who], left, strict=True)]
    for shares in limits:
        shares.first = first
    return bool(first or not waiting)
