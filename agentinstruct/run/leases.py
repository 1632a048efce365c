"""What one process of a run may use of the limits they share: calls at once, money, a number of calls.

    owner:  {"number": 7, "slots": {model: 3}, "usd": 500, "calls": null, "spent": false, "pauses": {model: 2.5}}
    worker: {"number": 7, "slots": {model: [in flight, wanted]}, "usd": [used, wanted, least], …, "pauses": {…}}

Money is told in whole billionths of a dollar, so that its shares add up to the total. A lease is changed only when
somebody is short of something or has just been put off by a server: nothing is asked for a call, and a run that keeps
within its limits has next to nothing to say.
"""

from dataclasses import dataclass, field
from math import ceil, inf
from typing import Any

from agentinstruct.agents.budget import Budget
from agentinstruct.agents.gateway import Gateway
from agentinstruct.agents.limiter import Limiter
from agentinstruct.run.pipe import Message
from agentinstruct.run.shares import Need, Shares, Slots, Spending, serve

NANO = 10**9

REPORT_S = 0.25
"""How often a process says what it needs, where that is new."""
FADES = 0.9
"""How much of what was wanted a quarter of a second ago counts now."""
TELL_S = 0.5
"""A pause is told to the others when it is this much longer than what they know of."""


@dataclass
class Lease(Budget):
    """A part of a run's budget: what does not fit waits until more is granted, or none is left."""

    gone: bool = False
    """Whether nothing more will be granted."""

    @property
    def reached(self) -> bool:
        """Whether what does not fit now never will."""
        return self.gone and super().reached

    @property
    def under_way(self) -> int:
        """Calls that money is held for."""
        return self._under_way

    def grant(self, usd: int | None, calls: int | None, gone: bool) -> None:
        """What may be spent from now on, in all."""
        self.usd = inf if usd is None else usd / NANO
        self.most_calls, self.gone = inf if calls is None else calls, gone
        self._look_again()

    def needs(self) -> dict[str, list[int]]:
        """What is used, wanted in all, and needed in all to go on, of money and of calls."""
        usd, calls, waiting = self.spent + self._held, self.calls + self._under_way, self._waiting.values()
        return {
            "usd": [_nano(usd), _nano(usd + sum(waiting)), _nano(usd + min(waiting)) if waiting else 0],
            "calls": [calls, calls + len(waiting), calls + 1 if waiting else 0],
        }


def _nano(usd: float) -> int:
    """Billionths of a dollar that are enough, and one more, for binary fractions are rounded."""
    return ceil(usd * NANO) + 1 if usd else 0


@dataclass
class Tenant:
    """One process's side: sets what it was told, says what it needs."""

    gateway: Gateway
    budget: Lease
    _number: int = 0
    _peaks: dict[str, float] = field(default_factory=dict)

    def take(self, lease: Message) -> None:
        """Go by a new lease from now on."""
        self._number = lease["number"]
        for spec, seconds in lease["pauses"].items():  # first: a greater ceiling sends what waits
            if limiter := self.gateway.lane(spec).limiter:
                limiter.pause(seconds)
        for spec, slots in lease["slots"].items():
            if limiter := self.gateway.lane(spec).limiter:
                limiter.ceiling = int(slots)
        self.budget.grant(lease["usd"], lease["calls"], lease["spent"])

    def report(self) -> Message:
        """What this process uses and wants."""
        slots, pauses = {}, {}
        for lane in self.gateway.lanes():
            if not (limiter := lane.limiter):
                continue
            slots[lane.spec] = [limiter.in_flight, self._wanted(lane.spec, limiter)]
            if limiter.paused > TELL_S:
                pauses[lane.spec] = limiter.paused
        return {
            "number": self._number,
            "slots": slots,
            "under_way": self.budget.under_way,
            "pauses": pauses,
            **self.budget.needs(),
        }

    def _wanted(self, spec: str, limiter: Limiter) -> int:
        """The most that was wanted lately: calls come in waves, and between two of them a slot is not free for long."""
        now = min(limiter.in_flight + limiter.waiting, 2 * limiter.limit)
        self._peaks[spec] = max(now, self._peaks.get(spec, 0) * FADES)
        return ceil(self._peaks[spec])


@dataclass
class Landlord:
    """The owner's side: divides the limits among the processes that share them."""

    slots: dict[str, Slots]
    usd: Spending | None
    calls: Spending | None
    _numbers: dict[int, int] = field(default_factory=dict)
    """Of the last lease of each."""
    _current: dict[int, bool] = field(default_factory=dict)
    """Whether each has taken its last lease in, by its last report."""
    _under_way: dict[int, int] = field(default_factory=dict)
    _paused: dict[str, float] = field(default_factory=dict)
    """Until when each model is paused."""
    _spent: bool = False

    def join(self, who: int) -> None:
        """One more process; or another one in the place of one that died."""
        for shares in (*self.slots.values(), *self._spending):
            shares.join(who)
        self._numbers[who], self._current[who], self._under_way[who] = 0, False, 0

    def leave(self, who: int) -> None:
        """A process has ended, and none is in its place for the time being."""
        if self._numbers.pop(who, None) is not None:
            del self._current[who], self._under_way[who]
            for shares in (*self.slots.values(), *self._spending):
                shares.leave(who)

    @property
    def _spending(self) -> list[Spending]:
        return [one for one in (self.usd, self.calls) if one]

    def report(self, who: int, report: Message, now: float) -> dict[int, dict[str, float]]:
        """What a process says of itself; gives the pauses that others must hear of."""
        self._current[who] = current = report["number"] == self._numbers[who]
        self._under_way[who] = report["under_way"]
        for spec, need in report["slots"].items():
            self.slots[spec].report(who, Need(*need), current=current)
        for shares, need in ((self.usd, report["usd"]), (self.calls, report["calls"])):
            if shares:
                shares.report(who, Need(*need), current=current)
        news = {}
        for spec, seconds in report["pauses"].items():
            if now + seconds > self._paused.get(spec, 0.0) + TELL_S:
                self._paused[spec] = now + seconds
                news[spec] = seconds
        return {other: news for other in self._numbers if news and other != who}

    def leases(self, pauses: dict[int, dict[str, float]]) -> dict[int, Message]:
        """The new leases of all for whom something changes."""
        changed = set(pauses) | self._settle() | {who for who, number in self._numbers.items() if not number}
        for shares in (*self.slots.values(), *self._spending):
            changed |= shares.offers().keys()
        return {who: self._lease(who, pauses.get(who, {})) for who in changed}

    def _settle(self) -> set[int]:
        """All, when the budget has just been found to be spent: one waits, none can go on, and nothing is under way."""
        goes_on = serve(self._spending)
        if self._spent or goes_on or not all(self._current.values()) or any(self._under_way.values()):
            return set()
        self._spent = True
        return set(self._numbers)

    def _lease(self, who: int, pauses: dict[str, float]) -> Message:
        self._numbers[who] += 1
        self._current[who] = False
        return {
            "number": self._numbers[who],
            "slots": {spec: shares.holders[who].told for spec, shares in self.slots.items()},
            "usd": _told(self.usd, who),
            "calls": _told(self.calls, who),
            "spent": self._spent,
            "pauses": pauses,
        }


def _told(shares: Shares | None, who: int) -> Any:
    return shares.holders[who].told if shares else None
