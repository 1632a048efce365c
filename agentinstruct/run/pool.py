"""The work in flight in several worker processes: the same to a run as a window in its own process.

    source ─ put ─→ the worker with most room ─ outcome ─→ counted
                    └── died: what it had finished is taken over, the rest is given to the one in its place

What was in the hands of a process that died is tried again: all of it together first, then one by one, so that an
item that kills processes is found, set aside and named, and nothing else is blamed for it.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from logging import WARNING
from math import inf

from agentinstruct.agents.errors import RunError
from agentinstruct.agents.events import tell
from agentinstruct.run.index import POISON
from agentinstruct.run.journal import Journal
from agentinstruct.run.orders import fault_of, told_work
from agentinstruct.run.pipe import Message
from agentinstruct.run.plan import Work
from agentinstruct.run.slot import Link, Slot, writer
from agentinstruct.run.window import Outcome

GRACE_S = 15.0
"""How long workers may take to finish the calls in flight once they are told to stop."""


@dataclass(slots=True)
class Pool:
    """Takes work while a worker has room, and tells each outcome once it is safe in a worker's segments."""

    size: int
    width: int
    """Work items in the hands of one worker."""
    journal: Journal
    start: Callable[[int], Awaitable[Link]]
    """Starts the worker of a slot and tells it what kind of work to do."""
    tell: Callable[[Outcome], None]
    hear: Callable[[int, Message], None]
    """Called with what the worker of a slot reports, and with nothing when it has died."""
    end: Callable[[], Awaitable[None]]
    """Called when all of them have ended."""
    room: Callable[[int], float] = lambda begun: inf
    """How many work items the budget lasts for, with so many begun."""
    fatal: BaseException | None = None
    """What ended the work early."""
    stopped: bool = False
    """Whether nothing more is taken."""
    spent: str = ""
    """What was spent, once the budget was reached."""
    deaths: int = 0
    """How many processes have died."""
    _again: deque[Work] = field(default_factory=deque)
    """Taken back from slots that have no process for the time being."""
    _in_a_row: int = 0
    """Deaths with no work finished between."""
    _slots: list[Slot] = field(default_factory=list)
    _serving: set[asyncio.Task[None]] = field(default_factory=set)
    _changed: asyncio.Event = field(default_factory=asyncio.Event)
    _hurry: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when it is stopped a second time: nobody has patience any more."""

    def stop(self, error: BaseException | None = None) -> None:
        """Take nothing more, and wake whoever waits."""
        self.fatal = self.fatal or error
        if self.stopped:
            self._hurry.set()
        self.stopped = True
        self._changed.set()

    async def put(self, work: Work) -> None:
        """Give a work item to a worker as soon as one has room; nothing happens once the pool is stopped."""
        if work in self._again or any(slot.has(work) for slot in self._slots):
            self.tell(Outcome(work))  # the same text twice: its twin in hand makes the rows
            return
        while not self.stopped:
            if slot := self._room(work):
                slot.give(work)
                return
            await self._change()

    async def moved(self) -> None:
        """Wait until something that was given is done, or the pool is stopped."""
        if not self.stopped:
            await self._change()

    async def drain(self) -> None:
        """Wait until all that was given is done, or the pool is stopped."""
        while not self.stopped and (self._again or any(slot.held or slot.suspects for slot in self._slots)):
            await self._change()

    async def close(self) -> None:
        """Have the workers finish the calls in flight, keep them, and end: all calls where money stopped the work."""
        patient = bool(self.spent) and not self.stopped
        self.stop()
        for slot in self._slots:
            if slot.link and slot.ready:
                slot.link.send({"stop": {"patient": patient}})
            elif slot.link:  # it has begun nothing yet
                slot.link.kill()
            elif slot.starting:
                slot.starting.cancel()
        if self._serving:
            if patient:
                await self._ended_or_hurried()
            _, late = await asyncio.wait(self._serving, timeout=GRACE_S)
            for slot in self._slots if late else []:
                if slot.link:
                    slot.link.kill()
            await asyncio.gather(*self._serving)
        await self.end()

    async def _ended_or_hurried(self) -> None:
        either = [asyncio.ensure_future(self._hurry.wait()), asyncio.ensure_future(asyncio.wait(self._serving))]
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        for one in either:
            one.cancel()
        await asyncio.gather(*either, return_exceptions=True)

    async def _change(self) -> None:
        self._changed.clear()
        await self._changed.wait()

    def _room(self, work: Work) -> Slot | None:
        """The slot that has work of the same seed, since it may ask for the same calls; else the one with most room."""
        if (held := sum(len(slot.held) for slot in self._slots)) >= self.room(held):
            return None
        slots = [slot for slot in self._slots if slot.open]
        for slot in slots:
            if any(one.seed.id == work.seed.id for one in slot.held.values()):
                return slot
        best = min(slots, key=lambda slot: len(slot.held), default=None)
        if best and not best.held:
            return best
        if len(self._slots) < self.size:
            return self._another()
        return best if best and len(best.held) < self._width else None

    @property
    def _width(self) -> int:
        """Work items in the hands of one worker: those of others too, while there is no room for these."""
        return -(-self.width * self.size // max(1, self.size - sum(slot.waits for slot in self._slots)))

    def wait(self, number: int) -> None:
        """There is no room for a slot's process for the time being: others do what it has in hand."""
        slot = self._slots[number - 1]
        slot.waits = True
        if not slot.alone:
            self._again.extend(slot.held.values())
            slot.held.clear()
        self.look()

    def look(self) -> None:
        """Something has changed: what was taken back goes first, then whoever waits looks again."""
        while self._again and not self.stopped and (slot := self._room(self._again[0])):
            slot.give(self._again.popleft())
        self._changed.set()

    def _another(self) -> Slot:
        slot = Slot(len(self._slots) + 1)
        self._slots.append(slot)
        self._serving.add(asyncio.ensure_future(self._serve(slot)))
        return slot

    async def _serve(self, slot: Slot) -> None:
        try:
            while not self.stopped:
                await self._lifetime(slot)
        except Exception as error:  # noqa: BLE001 - a full disk, no more processes, a bug: it ends the run, in its words
            self.stop(error)

    async def _lifetime(self, slot: Slot) -> None:
        """One process in a slot, from its start to its end."""
        slot.ready, slot.starting = False, asyncio.ensure_future(self.start(slot.number))
        try:
            slot.link = link = await slot.starting
        except asyncio.CancelledError:  # the pool is closed
            return
        slot.waits = False
        for work in slot.held.values():
            link.send(told_work(work))
        slot.go_on()
        self.look()
        if self.stopped:
            link.kill()
        try:
            async for message in link.messages():
                self._heard(slot, message)
        finally:
            slot.link = None
            how = await link.ended()
        self._left(slot, how, link.lost)

    def _heard(self, slot: Slot, message: Message) -> None:
        for kind, value in message.items():
            match kind:
                case "ready":
                    slot.ready = True
                case "outcome":
                    self._finished(slot, value)
                case "report":
                    self.hear(slot.number, value)
                case "fatal":
                    self.stop(fault_of(value))

    def _finished(self, slot: Slot, told: Message) -> None:
        work = slot.held.pop(told["id"])
        self.spent = self.spent or told["spent"]
        self._in_a_row = 0
        self.tell(Outcome(work, told["records"], told["dropped"], told["trouble"], told["spent"]))
        if slot.link:  # else the next process is given what waits, once it is there
            slot.go_on()
        self.look()

    def _left(self, slot: Slot, how: str, lost: bool) -> None:
        """A process has ended: what it had in hand and did not finish is tried again."""
        self.hear(slot.number, {})
        for work in list(slot.held.values()):
            if rows := self.journal.result(work.id):
                self._finished(slot, {"id": work.id, "trouble": "", "spent": "", **rows})
        if self.stopped:
            return
        self.deaths += 1
        self._in_a_row += 1
        tell(WARNING, "worker died", worker=writer(slot.number), how=how, items=len(slot.held))
        if self._in_a_row > 8 + 2 * self.size:
            raise RunError(
                f"worker processes keep dying ({how}) before they finish anything. If memory is short, give fewer "
                "--workers or a smaller --max-concurrency; what is done is kept."
            )
        if slot.ready and not lost:
            self._suspect(slot, how)

    def _suspect(self, slot: Slot, how: str) -> None:
        lost = list(slot.held.values())
        for work in lost:
            message = f"the worker process {how} while it did this"
            attempts = self.journal.fail(work.id, work.skill, work.seed.id, "worker", "WorkerDied", message)
            if attempts >= POISON - 1:
                del slot.held[work.id]
                if len(lost) > 1 or attempts < POISON:
                    slot.suspects.append(work)
                else:
                    tell(WARNING, "item set aside", item=work.id, skill=work.skill, seed=work.seed.id, why=how)
                    self.tell(Outcome(work, trouble=message, aside=True))
        self._changed.set()
