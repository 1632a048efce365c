"""The queue in front of one model: who is sent next, and when.

    async with limiter.slot(role):       waits for its turn; what the block raises tells how the call went
        answer = await model.complete(…)

Later stages go first, so that items finish and first records come early; every fourth slot goes to whoever has
waited longest, so that nobody starves. A slot entered again (a retry) goes before its like. A server that asks for a
pause gets one from all calls of that model, and from no others.
"""

import asyncio
from collections import deque
from contextlib import suppress
from types import TracebackType
from typing import get_args

from agentinstruct.agents.limits import RetryableError
from agentinstruct.agents.pace import Pace
from agentinstruct.agents.records import Role
from agentinstruct.agents.rounds import Sent

STAGES: dict[str, int] = {role: stage for stage, role in enumerate(get_args(Role))}
LONGEST_PAUSE_S = 120.0
"""A server that asks for a longer pause is asked again after this one."""
_OLDEST_EVERY = 4


class Limiter:
    """The slots of one model. For one event loop."""

    def __init__(self, ceiling: int, *, fixed: bool = False) -> None:
        self._pace = Pace(ceiling, fixed)
        self._queues: list[deque[Slot]] = [deque() for _ in STAGES]
        self._paused = 0.0
        self._spaced = 0.0
        """When the next call may go, by this process's own pace."""
        self._timer: asyncio.TimerHandle | None = None
        self._turn = 0
        self._arrived = 0
        self.waiting = 0
        self.in_flight = 0
        self.probing = False
        """One call at a time, until one is answered."""

    @property
    def ceiling(self) -> int:
        """The most calls there may be at once; may be changed at any time."""
        return self._pace.ceiling

    @ceiling.setter
    def ceiling(self, most: int) -> None:
        self._pace.ceiling = most
        if self._pace.fixed:
            self._pace.size = most
        self._grant()

    @property
    def limit(self) -> int:
        """Calls that there may be at once now."""
        return 1 if self.probing else self._pace.limit

    @property
    def gap(self) -> float:
        """Seconds between calls, where the server counts them by the minute; 0 where it does not."""
        return self._pace.gap

    def slot(self, role: str) -> "Slot":
        """A place for one call; it may be entered again for another try."""
        return Slot(self, STAGES.get(role, 0))

    def pause(self, seconds: float) -> None:
        """Send nothing for so long."""
        now = asyncio.get_running_loop().time()
        self._paused = max(self._paused, now + min(seconds, LONGEST_PAUSE_S))

    @property
    def paused(self) -> float:
        """Seconds for which nothing is sent yet."""
        return max(0.0, self._paused - asyncio.get_running_loop().time())

    def resume(self) -> None:
        """End a pause, and the time of single calls."""
        self._paused, self._spaced, self.probing = 0.0, 0.0, False
        if self._timer:  # it would sleep till the pause's end
            self._timer.cancel()
            self._timer = None
        self._grant()

    def _open(self, now: float) -> bool:
        return self.in_flight < self.limit and now >= max(self._paused, self._spaced)

    def _take(self, slot: "Slot", now: float) -> None:
        if not slot.number:
            self._arrived += 1
            slot.number = self._arrived
        self.in_flight += 1
        slot.sent = self._pace.sent(now, self.in_flight)
        if self._pace.gap:
            self._spaced = now + self._pace.gap

    def _join(self, slot: "Slot") -> None:
        queue = self._queues[slot.stage]
        self.waiting += 1
        if slot.number and not self.probing:
            queue.appendleft(slot)
            return
        self._arrived += 1
        slot.number = self._arrived
        queue.append(slot)

    def _grant(self) -> None:
        """Give out what slots there are."""
        loop = asyncio.get_running_loop()
        now = loop.time()
        while self.waiting and self._open(now):
            slot = self._next()
            self.waiting -= 1
            if not slot.turn.done():  # else it gave up a moment ago
                self._take(slot, now)
                slot.turn.set_result(None)
        until = max(self._paused, self._spaced)
        if self.waiting and now < until and self._timer is None:
            self._timer = loop.call_at(until, self._wake)

    def _wake(self) -> None:
        self._timer = None
        self._grant()

    def _next(self) -> "Slot":
        self._turn += 1
        waiting = [queue for queue in reversed(self._queues) if queue]
        if self._turn % _OLDEST_EVERY:
            return waiting[0].popleft()
        return min(waiting, key=lambda queue: queue[0].number).popleft()

    def _leave(self, slot: "Slot") -> None:
        """Take a slot that gave up out of its queue."""
        with suppress(ValueError):  # it may have had its turn just when it gave up
            self._queues[slot.stage].remove(slot)
            self.waiting -= 1

    def _give_back(self, slot: "Slot", error: BaseException | None) -> None:
        self.in_flight -= 1
        now = asyncio.get_running_loop().time()
        if error is None:
            self._pace.answered(slot.sent, now, slot.tokens, full=self.waiting > 0)
        elif isinstance(error, RetryableError):
            if error.after:
                self.pause(error.after)
            if error.kind in ("busy", "late"):
                self._pace.refused(slot.sent, now, min(error.after, LONGEST_PAUSE_S), self.in_flight)
        if self.waiting:
            self._grant()


class Slot:
    """One call's place in its model's queue, from its first try to its last."""

    __slots__ = ("limiter", "number", "sent", "stage", "tokens", "turn")

    sent: Sent
    turn: asyncio.Future[None]

    def __init__(self, limiter: Limiter, stage: int) -> None:
        self.limiter = limiter
        self.stage = stage
        self.number = 0
        self.tokens = 0
        """Written by the model, to be told before the slot is left."""

    async def __aenter__(self) -> "Slot":
        limiter, loop = self.limiter, asyncio.get_running_loop()
        if not limiter.waiting and limiter._open(now := loop.time()):
            limiter._take(self, now)
            return self
        self.turn = loop.create_future()
        limiter._join(self)
        limiter._grant()
        try:
            await self.turn
        except asyncio.CancelledError:
            if self.turn.cancelled():
                limiter._leave(self)
            else:  # granted and cancelled at the same moment
                limiter._give_back(self, asyncio.CancelledError())
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.limiter._give_back(self, error)
