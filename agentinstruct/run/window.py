"""The work in flight in one process: each item one graph run, each finished by one commit to the journal."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from agentinstruct.agents.errors import BudgetReached, ProviderDown, ProviderError
from agentinstruct.graphs.state import Context
from agentinstruct.run.journal import Journal
from agentinstruct.run.plan import Work


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a work item: its rows are in the journal, or the endpoint failed it and it waits."""

    work: Work
    records: list[dict[str, Any]] = field(default_factory=list)
    dropped: list[dict[str, Any]] = field(default_factory=list)
    trouble: str = ""
    """What the endpoint's failure was; empty when the item is finished."""


@dataclass(slots=True)
class Window:
    """Takes work while there is room, and tells each outcome once it is safe in the journal."""

    width: int
    journal: Journal
    graphs: Mapping[str, Any]
    contexts: Mapping[str, Context]
    tell: Callable[[Outcome], None]
    fatal: BaseException | None = None
    """What ended the work early: a model that is down, or a bug."""
    stopped: bool = False
    """Whether nothing more is taken."""
    spent: str = ""
    """What was spent, once the budget was reached: what is under way goes as far as it gets without another call."""
    _running: set[asyncio.Task[None]] = field(default_factory=set)
    _changed: asyncio.Event = field(default_factory=asyncio.Event)

    def stop(self, error: BaseException | None = None) -> None:
        """Take nothing more, and wake whoever waits."""
        self.fatal = self.fatal or error
        self.stopped = True
        self._changed.set()

    async def put(self, work: Work) -> None:
        """Begin a work item as soon as there is room; nothing happens once the window is stopped."""
        await self._until(self.width)
        if not self.stopped and not self.spent:
            task = asyncio.ensure_future(self._one(work))
            self._running.add(task)
            task.add_done_callback(self._finished)

    async def drain(self) -> None:
        """Wait until all that was begun is done, or the window is stopped."""
        await self._until(1)

    async def close(self) -> None:
        """Cancel what is still running; its finished calls are in the journal."""
        running = list(self._running)
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    async def _until(self, room: int) -> None:
        while len(self._running) >= room and not self.stopped:
            self._changed.clear()
            await self._changed.wait()

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        self._changed.set()

    async def _one(self, work: Work) -> None:
        try:
            self.tell(await self._worked(work))
        except BudgetReached as error:
            self.spent = str(error)
        except Exception as error:  # noqa: BLE001 - a model that is down, a full disk, a bug: it ends the run, in its words
            self.stop(error)

    async def _worked(self, work: Work) -> Outcome:
        """Run one work item to its commit; an endpoint's fault leaves it for a later try."""
        try:
            state = await self.graphs[work.skill].ainvoke(
                {"seed": work.seed}, context=self.contexts[work.skill], config={"recursion_limit": 60}
            )
        except ProviderDown:
            raise
        except ProviderError as error:
            self.journal.fail(work.id, work.skill, work.seed.id, "call", type(error).__name__, str(error))
            return Outcome(work, trouble=str(error))
        records = [record.row() for record in state.get("records", [])]
        dropped = [one.model_dump(mode="json") for one in state.get("dropped", [])]
        self.journal.finish(work.id, work.skill, work.seed.id, records, dropped)
        return Outcome(work, records, dropped)
