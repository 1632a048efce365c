"""A run: what its source finds to do goes into a window of work in flight; what becomes of it is counted.

    seeds ─ source: work items ─ window: one graph run each ─ journal ─ outcome
                                              └── every model call: gateway ─ journal

Memory is bounded by the window, not by the seeds: they stream from disk while work is done. Progress is
what the journal says, so a resumed run goes on where the last one stopped, whatever stopped it.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from agentinstruct.agents.batch import Batches
from agentinstruct.agents.calls import Deferred
from agentinstruct.agents.errors import BudgetReached, SetupError
from agentinstruct.agents.gateway import Budget, CallStore, Gateway, Patience, Statistics, using
from agentinstruct.agents.skill import Skill
from agentinstruct.run.aim import Aimed
from agentinstruct.run.batching import batches_of
from agentinstruct.run.cache import call_store
from agentinstruct.run.crew import Crew
from agentinstruct.run.engine import Engine, started
from agentinstruct.run.journal import Journal
from agentinstruct.run.plan import RunConfig, Work
from agentinstruct.run.pool import Pool
from agentinstruct.run.progress import Progress
from agentinstruct.run.pursuit import Pursuit
from agentinstruct.run.report import model_states
from agentinstruct.run.source import Given, Source
from agentinstruct.run.telemetry import Telemetry, telemetry
from agentinstruct.run.window import Outcome, Window


@dataclass
class Runner:
    """One run: all of it in this process, or what is costly in workers."""

    config: RunConfig
    journal: Journal
    progress: Progress = field(default_factory=Progress)
    only: Sequence[Work] | None = None
    """The work to do, where it is not all that the seeds give."""
    hear: Callable[[Outcome], None] = lambda outcome: None
    """Told each finished work item, once it is safe in the journal."""
    _window: Window | Pool | None = None
    _stopped: bool = False

    def stop(self) -> None:
        """Begin nothing more and leave what is in flight to a later run, but for calls that are about to end."""
        self._stopped = True
        if self._window:
            self._window.stop()

    async def run(self) -> None:
        """Work through all seeds; returns early when it is stopped.

        Raises:
            ProviderDown: a model cannot be reached or refuses to serve; what is done is kept.
        """
        async with telemetry(self.journal.manifest.run, self.progress) as traced:
            await self._run(traced)

    async def _run(self, traced: Telemetry) -> None:
        skills, self.progress.left_out = self.config.able_skills()
        self.progress.expected = self.config.limit
        before, statistics = self.journal.counts(), self.progress.statistics
        counted = self.config.count_found
        budget = self.config.make_budget(before.calls if counted else before.bought, before.cost)
        told, taking = self.progress.troubles.append, budget if counted else None
        with call_store(self.journal, self.config.cache, statistics, told, taking) as store:
            batches = batches_of(self.config, self.journal, store, statistics, budget)
            gateway = make_gateway(self.config, store, budget, statistics, traced, batches, answered=before.calls > 0)
            await self._with(gateway, skills, traced, batches)

    async def _with(self, gateway: Gateway, skills: list[Skill], traced: Telemetry, batches: Batches | None) -> None:
        budget = gateway.budget
        self.progress.models = lambda: model_states(gateway)
        async with using(gateway), self._corpus(skills), started(self.config, self.journal) as engine:
            self._window = window = self._hands(skills, gateway, traced, batches, engine)
            if budget.limited:
                before, usual = self.journal.counts().done, self.config.usual_calls(skills)
                window.room = lambda begun: budget.room(before + self.progress.done, begun, usual)
                budget.look = window.look
            if batches:
                batches.start()
            await self._work(await asyncio.to_thread(self._source, skills), window)
            if window.spent:
                self.progress.spent = window.spent
                await self._drained(gateway)
        if window.fatal is not None:
            raise window.fatal

    def _hands(
        self, skills: list[Skill], gateway: Gateway, traced: Telemetry, batches: Batches | None, engine: Engine
    ) -> Window | Pool:
        """What does the work: as many processes as there can be calls at once, at most."""
        if batches and (self.config.workers > 1 or self.config.engine == "ray"):
            raise SetupError(
                "This run has batch jobs open, and one process collects them. Leave --workers, --engine out."
            )
        width = min(gateway.width(spec) for spec in set(self.config.models().values()))
        size = min(engine.size, width - (self.config.route == "agent"))
        if size > 1 or self.config.engine == "ray":
            crew = Crew(self.config, self.journal, self.progress, skills, gateway, size, engine.launch)
            return crew.pool(width, self._count)
        width = self.config.batch_window if batches else width
        contexts = {skill.name: self.config.context_for(skill) for skill in skills}
        return Window(width, self.journal, load_graphs(skills), contexts, self._count, traced)

    async def _work(self, source: Source, window: Window | Pool) -> None:
        pursuit = self.progress.pursuit
        try:
            if not self._stopped:
                await self._feed(source, window)
                if not pursuit or pursuit.missing():
                    await window.drain()
        finally:
            await window.close()
        if pursuit and not pursuit.missing():  # what was under way is no longer needed
            self.progress.items -= len(pursuit.flying)

    async def _feed(self, source: Source, window: Window | Pool) -> None:
        try:
            async for work in source.todo():
                await (window.put(work) if work else window.moved())
                if window.stopped or window.spent:
                    return
        except BudgetReached as error:  # while seeds were routed
            window.spent = str(error)

    async def _drained(self, gateway: Gateway) -> None:
        """Wait for the calls under way, unless the run is stopped meanwhile."""
        draining = asyncio.ensure_future(gateway.drain())
        while not self._stopped and not draining.done():
            await asyncio.wait([draining], timeout=0.2)
        draining.cancel()

    def _source(self, skills: list[Skill]) -> Source:
        if self.only is not None:
            return Given(self.config, self.journal, self.progress, skills, self.only)
        if self.config.target is None:
            return Source(self.config, self.journal, self.progress, skills)
        drawn = {skill.name: self.config.categories_of(skill) for skill in skills}
        pursuit = self.progress.pursuit = Pursuit.of(
            self.config.target, drawn, {skill.name: self.config.drafts_of(skill) for skill in skills}
        )
        pursuit.load(self.journal)
        return Aimed(self.config, self.journal, self.progress, skills, pursuit)

    def _corpus(self, skills: list[Skill]) -> Any:
        from agentinstruct.run.corpus import corpus

        return corpus(self.config, skills, self._notice)

    def _notice(self, text: str) -> None:
        self.progress.notice = text

    def _count(self, outcome: Outcome) -> None:
        progress, work = self.progress, outcome.work
        if outcome.spent:
            return
        if progress.pursuit:
            progress.pursuit.end(work.id, work.skill, outcome.records, outcome.dropped)
        if outcome.aside:
            progress.set_aside += 1
            progress.deadly = [*progress.deadly, f"{work.skill} of {work.seed.source}"][:20]
            return
        if outcome.trouble:
            progress.failed += 1
            progress.trouble = outcome.trouble
            return
        if progress.pursuit:
            progress.pursuit.ended.add(work.id)
        progress.done += 1
        progress.records[work.skill] += len(outcome.records)
        progress.accepted[work.skill] += sum(record["accepted"] for record in outcome.records)
        progress.dropped.update((one["stage"].partition("/")[0], one["reason"]) for one in outcome.dropped)
        self.hear(outcome)


def make_gateway(
    config: RunConfig,
    store: CallStore,
    budget: Budget,
    statistics: Statistics,
    traced: Telemetry,
    batch: Deferred | None = None,
    *,
    answered: bool,
    elsewhere: Callable[[str], Awaitable[dict[str, Any] | None]] | None = None,
) -> Gateway:
    """The gateway of one process of a run; `answered`: its models have served this run before."""
    patience = Patience(base_s=config.retry_pause)
    if answered:  # what fails first now may be a few poisoned items
        patience.first_s = 20.0
    return Gateway(
        traced.opener(config.endpoints.open),
        store=store,
        statistics=statistics,
        max_concurrency=config.max_concurrency,
        patience=patience,
        prices=config.price_table(),
        budget=budget,
        batch=batch,
        elsewhere=elsewhere,
    )


def load_graphs(skills: list[Skill]) -> dict[str, Any]:
    """The compiled graph of each skill."""
    from agentinstruct.graphs.wiring import graph_of

    return {skill.name: graph_of(skill.name) for skill in skills}
