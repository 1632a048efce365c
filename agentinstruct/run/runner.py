"""A run: what its source finds to do goes into a window of work in flight; what becomes of it is counted.

    seeds ─ source: work items ─ window: one graph run each ─ journal ─ outcome
                                              └── every model call: gateway ─ journal

Memory is bounded by the window, not by the seeds: they stream from disk while work is done. Progress is
what the journal says, so a resumed run goes on where the last one stopped, whatever stopped it.
"""

from dataclasses import dataclass, field
from typing import Any

from agentinstruct.agents.batch import Batches
from agentinstruct.agents.errors import BudgetReached
from agentinstruct.agents.gateway import Budget, Gateway, Patience, using
from agentinstruct.agents.skill import Skill
from agentinstruct.run.batching import batches_of
from agentinstruct.run.journal import Journal
from agentinstruct.run.plan import RunConfig
from agentinstruct.run.progress import Progress
from agentinstruct.run.source import Source
from agentinstruct.run.telemetry import Telemetry, telemetry
from agentinstruct.run.window import Outcome, Window


@dataclass
class Runner:
    """One run in one process."""

    config: RunConfig
    journal: Journal
    progress: Progress = field(default_factory=Progress)
    _window: Window | None = None
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
        before = self.journal.counts()
        budget = self.config.make_budget(before.calls, before.cost)
        batches = batches_of(self.config, self.journal, self.progress.statistics, budget)
        self.progress.gateway = gateway = self._gateway(traced, batches, budget)
        width = min(gateway.width(spec) for spec in set(self.config.models().values()))
        width = self.config.batch_window if batches else width
        contexts = {skill.name: self.config.context_for(skill) for skill in skills}
        self._window = window = Window(width, self.journal, load_graphs(skills), contexts, self._count, traced)
        async with using(gateway), self._corpus(skills):
            if batches:
                batches.start()
            await self._work(Source(self.config, self.journal, self.progress, skills), window)
            if window.spent:
                self.progress.spent = window.spent
                await gateway.drain()
        if window.fatal is not None:
            raise window.fatal

    async def _work(self, source: Source, window: Window) -> None:
        if self._stopped:
            return
        try:
            async for work in source.todo():
                await window.put(work)
                if window.stopped or window.spent:
                    break
        except BudgetReached as error:  # while seeds were routed
            window.spent = str(error)
        try:
            await window.drain()
        finally:
            await window.close()

    def _gateway(self, traced: Telemetry, batches: Batches | None, budget: Budget) -> Gateway:
        patience = Patience()
        if self.journal.counts().calls:  # its models did answer: what fails first now may be a few poisoned items
            patience.first_s = 20.0
        return Gateway(
            traced.opener(self.config.endpoints.open),
            store=self.journal,
            max_concurrency=self.config.max_concurrency,
            patience=patience,
            prices=self.config.price_table(),
            budget=budget,
            statistics=self.progress.statistics,
            batch=batches,
        )

    def _corpus(self, skills: list[Skill]) -> Any:
        from agentinstruct.run.corpus import corpus

        return corpus(self.config, skills, self._notice)

    def _notice(self, text: str) -> None:
        self.progress.notice = text

    def _count(self, outcome: Outcome) -> None:
        progress = self.progress
        if outcome.trouble:
            progress.failed += 1
            progress.trouble = outcome.trouble
            return
        progress.done += 1
        progress.records[outcome.work.skill] += len(outcome.records)
        progress.accepted[outcome.work.skill] += sum(record["accepted"] for record in outcome.records)
        progress.dropped.update((one["stage"].partition("/")[0], one["reason"]) for one in outcome.dropped)


def load_graphs(skills: list[Skill]) -> dict[str, Any]:
    """The compiled graph of each skill."""
    from agentinstruct.graphs.wiring import graph_of

    return {skill.name: graph_of(skill.name) for skill in skills}
