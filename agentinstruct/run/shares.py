"""How a limit that several processes share is divided, so that all of them together never exceed it.

A holder is told what it may use. Less takes effect at once, but is given to others only when the holder has reported
that it uses no more; until then it counts as `granted`. So the sum of what is granted is never more than the total.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import floor


@dataclass(frozen=True, slots=True)
class Need:
    """What a holder reports."""

    uses: float = 0.0
    """What it cannot give back now."""
    wants: float = 0.0
    """What it would use in all."""
    least: float = 0.0
    """What it must have beyond `uses` to go on at all; 0 where it goes on."""


@dataclass(slots=True)
class Holder:
    """One who shares."""

    told: float
    """What it was told last that it may use."""
    granted: float
    """What it may be using still."""
    need: Need = field(default_factory=Need)


class Shares(ABC):
    """A total and those who share it."""

    def __init__(self, total: float) -> None:
        self.total = total
        self.holders: dict[int, Holder] = {}

    @abstractmethod
    def join(self, who: int) -> None:
        """One more shares; or another process in the place of one that died."""

    @abstractmethod
    def targets(self) -> Mapping[int, float]:
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

    def offers(self) -> dict[int, float]:
        """What to tell whom."""
        told, free, targets = {}, self.free, self.targets()
        for who, target in targets.items():
            holder = self.holders[who]
            new = min(target, holder.granted + free)
            if new != holder.told:
                free -= max(0.0, new - holder.granted)
                holder.granted = max(holder.granted, new)
                told[who] = holder.told = new
        return told

    def worth_it(self, targets: dict[int, float], short: set[int]) -> dict[int, float]:
        """Of the targets, those of the holders that are short; all, where what is free does not do for these."""
        targets = targets if short else {}
        lacking = sum(max(0.0, targets[who] - self.holders[who].granted) for who in short)
        return targets if lacking > self.free else {who: targets[who] for who in short}

    @property
    def free(self) -> float:
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
    def free(self) -> float:
        """What nobody may be using, or is to have."""
        return super().free - self.reserved

    def targets(self) -> Mapping[int, float]:
        """Equal shares, but to nobody more than it wants while another wants more."""
        holders, left = self.holders, self.total - self.reserved
        fair = -(-left // len(holders))
        order = sorted(holders, key=lambda who: (min(holders[who].need.wants, fair), who))
        shares: dict[int, float] = {}
        for place, who in enumerate(order):
            shares[who] = max(1, min(holders[who].need.wants, left // (len(order) - place)))
            left -= shares[who]
        return self.worth_it(shares, {who for who in order if holders[who].need.wants > holders[who].told})


class Spending(Shares):
    """Money, or a number of calls: handed out in portions that grow smaller as the rest does."""

    def __init__(self, total: float, size: int, *, whole: bool = False) -> None:
        super().__init__(total)
        self._size = size
        self._whole = whole

    def join(self, who: int) -> None:
        """One more shares. What a process that died in this place may have spent counts as spent."""
        if who in self.holders:
            self.leave(who)
        self.holders[who] = Holder(0.0, 0.0)

    def leave(self, who: int) -> None:
        """One has ended: what it may have spent counts as spent."""
        self.total -= self.holders.pop(who).granted

    def targets(self) -> Mapping[int, float]:
        """First what each needs to go on, as far as it lasts; then what they want, and a portion in advance."""
        needs = {who: holder.need for who, holder in self.holders.items()}
        left = self.total - sum(need.uses for need in needs.values())
        portion = self._round(max(0.0, left) / (8 * self._size))
        short = {
            who
            for who, holder in self.holders.items()
            if holder.need.wants > holder.told or holder.told - holder.need.uses < portion / 2
        }
        shares = {who: need.uses for who, need in needs.items()}
        for who in sorted(needs, key=lambda who: needs[who].least):
            if needs[who].least <= left:
                shares[who] += needs[who].least
                left -= needs[who].least
        for place, who in enumerate(sorted(needs, key=lambda who: needs[who].wants - needs[who].uses)):
            wanted = max(0.0, needs[who].wants + portion - shares[who])
            more = self._round(max(0.0, min(wanted, left / (len(needs) - place))))
            shares[who] += more
            left -= more
        return self.worth_it(shares, short)

    def spent(self, idle: bool) -> bool:
        """Whether somebody cannot go on and never will; `idle`: nobody has anything under way."""
        stuck = [holder.need.least for holder in self.holders.values() if holder.need.least]
        left = self.total - sum(holder.need.uses for holder in self.holders.values())
        return bool(stuck) and idle and left < min(stuck)

    def _round(self, amount: float) -> float:
        return floor(amount) if self._whole else amount
