"""The work in flight in one process: each item one graph run, each finished by one commit to the journal."""

import asyncio
import gc
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from logging import WARNING
from math import inf
from typing import Any, Protocol

from agentinstruct.agents.errors import BudgetReached, ProviderDown, ProviderError, RunError
from agentinstruct.agents.events import concerning, tell
from agentinstruct.graphs.state import Context
from agentinstruct.graphs.walk import Course, course
from agentinstruct.run.plan import Work
from agentinstruct.run.report import tell_outcome
from agentinstruct.run.telemetry import Telemetry
from agentinstruct.tools.sandbox import SandboxGone


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a work item: its rows are in the journal, or the endpoint failed it and it waits."""

    work: Work
    records: list[dict[str, Any]] = field(default_factory=list)
    dropped: list[dict[str, Any]] = field(default_factory=list)
    trouble: str = ""
    """What the endpoint's failure was; empty when the item is finished."""
    spent: str = ""
    """What was spent, when the budget was reached before the item was finished."""
    aside: bool = False
    """Whether the item is set aside, since worker processes died of it."""


class Rows(Protocol):
    """Where what became of work items is kept: a run's journal, or the way to it."""

    def finish(
        self,
        item_id: str,
        skill: str,
        seed_id: str,
        records: Sequence[Mapping[str, Any]],
        dropped: Sequence[Mapping[str, Any]],
    ) -> None:
        """Keep the outcome of a work item."""

    def fail(self, item_id: str, skill: str, seed_id: str, stage: str, error: str, message: str) -> int:
        """Keep that an attempt at one failed; gives the attempts."""


@dataclass(slots=True)
class Window:
    """Takes work while there is room, and tells each outcome once it is safe in the journal."""

    width: int
    journal: Rows
    graphs: Mapping[str, Any]
    contexts: Mapping[str, Context]
    tell: Callable[[Outcome], None]
    telemetry: Telemetry = field(default_factory=Telemetry)
    room: Callable[[int], float] = lambda begun: inf
    """How many the budget lasts for, with so many begun."""
    fatal: BaseException | None = None
    """What ended the work early: a model that is down, or a bug."""
    stopped: bool = False
    """Whether nothing more is taken."""
    spent: str = ""
    """What was spent, once the budget was reached: what is under way goes as far as it gets without another call."""
    _courses: dict[str, Course] = field(init=False)
    _running: set[asyncio.Task[None]] = field(default_factory=set)
    _changed: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self._courses = {name: course(graph) for name, graph in self.graphs.items()}
        settle_memory()

    def stop(self, error: BaseException | None = None) -> None:
        """Take nothing more, and wake whoever waits."""
        self.fatal = self.fatal or error
        self.stopped = True
        self._changed.set()

    def look(self) -> None:
        """See again whether there is room."""
        self._changed.set()

    async def put(self, work: Work) -> None:
        """Begin a work item as soon as there is room; nothing happens once the window is stopped."""
        await self._until(lambda: min(self.width, self.room(len(self._running))))
        if self.spent:
            self.tell(Outcome(work, spent=self.spent))
        elif not self.stopped:
            task = asyncio.ensure_future(self._one(work))
            self._running.add(task)
            task.add_done_callback(self._finished)

    async def moved(self) -> None:
        """Wait until something that was begun has ended, or the window is stopped."""
        now = max(1, len(self._running))
        await self._until(lambda: now)

    async def drain(self) -> None:
        """Wait until all that was begun is done, or the window is stopped."""
        await self._until(lambda: 1)

    async def halted(self) -> None:
        """Wait until the window is stopped."""
        await self._until(lambda: 0)

    async def close(self) -> None:
        """Cancel what is still running; its finished calls are in the journal."""
        running = list(self._running)
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    async def _until(self, room: Callable[[], float]) -> None:
        while len(self._running) >= room() and not self.stopped:
            self._changed.clear()
            await self._changed.wait()

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        self._changed.set()

    async def _one(self, work: Work) -> None:
        try:
            with concerning(skill=work.skill, item=work.id), self.telemetry.item(work):
                self.tell(await self._worked(work))
        except BudgetReached as error:
            self.spent = str(error)
            self.tell(Outcome(work, spent=self.spent))
        except Exception as error:  # noqa: BLE001 - a model that is down, a full disk, a bug: it ends the run, in its words
            self.stop(error)

    async def _worked(self, work: Work) -> Outcome:
        """Run one work item to its commit; an endpoint's fault leaves it for a later try."""
        try:
            state = await self._courses[work.skill](work.seed, work.settings(self.contexts[work.skill]))
        except ProviderDown:
            raise
        except SandboxGone as error:  # what is judged without it would be lost for good
            raise RunError(f"{error} What is done is kept. To resume, give the same command again.") from error
        except ProviderError as error:
            return self._failed(work, error)
        records = [record.row() for record in state.get("records", [])]
        dropped = [one.model_dump(mode="json") for one in state.get("dropped", [])]
        self.journal.finish(work.id, work.skill, work.seed.id, records, dropped)
        tell_outcome(records, dropped)
        self.telemetry.outcome(records=len(records), dropped=len(dropped))
        return Outcome(work, records, dropped)

    def _failed(self, work: Work, error: ProviderError) -> Outcome:
        name = type(error).__name__
        attempts = self.journal.fail(work.id, work.skill, work.seed.id, "call", name, str(error))
        tell(WARNING, "item failed", {"text": str(error)}, seed=work.seed.id, error=name, attempt=attempts)
        self.telemetry.outcome(name)
        return Outcome(work, trouble=str(error))


def settle_memory() -> None:
    """Take what lives as long as the process out of the garbage collector's rounds, and have it make fewer of them.

    Modules, graphs and templates are a million objects that each round would walk; a run makes hardly any cycles.
    """
    gc.freeze()
    gc.set_threshold(150_000, 20, 20)
