"""A run: a window of work items in flight, each one graph run, each finished by one commit.

    seeds ─ work items ─ window ─ graph ─ journal
                                    └── every model call: gateway ─ journal

Memory is bounded by the window, not by the seeds: they stream from disk while work is done. Progress is
what the journal says, so a resumed run goes on where the last one stopped, whatever stopped it.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from agentinstruct.agents.batch import Batches
from agentinstruct.agents.batch_answers import Books
from agentinstruct.agents.errors import ProviderDown, ProviderError, ReplyError
from agentinstruct.agents.gateway import Gateway, Patience, Statistics, using
from agentinstruct.agents.records import Seed
from agentinstruct.agents.routing import routed
from agentinstruct.agents.skill import Skill
from agentinstruct.graphs.state import Context
from agentinstruct.run.jobs import Jobs
from agentinstruct.run.journal import Journal
from agentinstruct.run.mix import Mix
from agentinstruct.run.plan import UNSEARCHED, RunConfig, Work, work_for
from agentinstruct.seeds import Skipped, read_seeds

POISON = 3
"""A work item that failed this often is set aside until --retry-failed."""
NOT_SEARCHED = "seeds are not searched: `agentinstruct fetch minilm`, and a new run retrieves among all of them"


@dataclass
class Progress:
    """What a run has done so far; read by whoever shows it."""

    seeds: int = 0
    skipped: Counter[str] = field(default_factory=Counter)
    examples: dict[str, str] = field(default_factory=dict)
    """For each reason a seed was skipped, the first one it happened to."""
    items: int = 0
    done: int = 0
    resumed: int = 0
    failed: int = 0
    trouble: str = ""
    """What the last of the failed met."""
    set_aside: int = 0
    unrouted: int = 0
    """Seeds on which the routing agent gave no usable opinion: their features decided."""
    left_out: dict[str, str] = field(default_factory=dict)
    """The skills that cannot run on this machine, and what each lacks."""
    notice: str = ""
    """What the run does without, and how to have it."""
    reading: bool = True
    records: Counter[str] = field(default_factory=Counter)
    dropped: Counter[str] = field(default_factory=Counter)
    statistics: Statistics = field(default_factory=Statistics)

    @property
    def notices(self) -> list[str]:
        """All that this run did without, each with what to do about it."""
        told = [f"{name} was left out: it {why}" for name, why in self.left_out.items()]
        if self.unrouted:
            told.append(f"{self.unrouted} seeds were routed by their features: the agent gave no usable opinion")
        return [*told, *([self.notice] if self.notice else [])]


@dataclass
class Runner:
    """One run in one process."""

    config: RunConfig
    journal: Journal
    progress: Progress = field(default_factory=Progress)
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    _fatal: BaseException | None = None
    _contexts: dict[str, Context] = field(default_factory=dict)
    _unsearched: bool = False

    async def run(self) -> None:
        """Work through all seeds; returns early when `stopping` is set.

        Raises:
            ProviderDown: a model cannot be reached or refuses to serve; what is done is kept.
        """
        config = self.config
        skills, lacking = config.able_skills()
        self.progress.left_out = lacking
        patience = Patience()
        if self.journal.counts().calls:  # its models did answer: what fails first now may be a few poisoned items
            patience.first_s = patience.outage_s
        gateway = Gateway(
            config.endpoints.open,
            store=self.journal,
            max_concurrency=config.max_concurrency,
            patience=patience,
            prices=config.price_table(),
            statistics=self.progress.statistics,
            batch=(batches := self._batches()),
        )
        width = min(gateway.width(spec) for spec in set(config.models().values()))
        width = config.batch_window if batches else width
        graphs = load_graphs(skills)
        self._contexts = {skill.name: config.context_for(skill) for skill in skills}
        self._unsearched = config.embeddings_spec() == UNSEARCHED and any(skill.file.retrieves for skill in skills)
        async with using(gateway), self._corpus(skills):
            if batches:
                batches.start()
            await self._work(skills, graphs, width)
        if self._fatal is not None:
            raise self._fatal

    def _batches(self) -> Batches | None:
        """What sends calls by batch job, where they are to go or went before."""
        config, statistics, jobs = self.config, self.progress.statistics, Jobs(self.journal)
        if not config.batch.roles and not jobs.jobs():
            return None
        books, live = (
            Books(self.journal, statistics, prices) for prices in (config.batch_prices(), config.price_table())
        )
        return Batches(config.endpoints.open, jobs, books, live, config.batch)

    def _corpus(self, skills: list[Skill]) -> Any:
        from agentinstruct.run.corpus import corpus

        return corpus(self.config, skills, self._notice)

    def _notice(self, text: str) -> None:
        self.progress.notice = text

    async def _work(self, skills: list[Skill], graphs: dict[str, Any], width: int) -> None:
        running: set[asyncio.Task[None]] = set()
        stop = asyncio.ensure_future(self.stopping.wait())
        try:
            async for work in self._todo(skills):
                running.add(asyncio.ensure_future(self._one(work, graphs[work.skill])))
                while len(running) >= width and not self.stopping.is_set():
                    done, _ = await asyncio.wait({*running, stop}, return_when=asyncio.FIRST_COMPLETED)
                    running -= done
                if self.stopping.is_set():
                    break
            self.progress.reading = False
            while running and not self.stopping.is_set():
                done, _ = await asyncio.wait({*running, stop}, return_when=asyncio.FIRST_COMPLETED)
                running -= done
        finally:
            stop.cancel()
            await _cancel(running)

    async def _one(self, work: Work, graph: Any) -> None:
        """Run one work item to its commit; an endpoint's fault leaves it for a later try."""
        try:
            state = await graph.ainvoke(
                {"seed": work.seed}, context=self._contexts[work.skill], config={"recursion_limit": 60}
            )
        except ProviderDown as error:
            self._stop(error)
        except ProviderError as error:
            self.journal.fail(work.id, work.skill, work.seed.id, "call", type(error).__name__, str(error))
            self.progress.failed += 1
            self.progress.trouble = str(error)
        except Exception as error:  # noqa: BLE001 - a bug ends the run, with its traceback, once work in flight is safe
            self._stop(error)
        else:
            self._commit(work, state)

    def _commit(self, work: Work, state: dict[str, Any]) -> None:
        records = [record.row() for record in state.get("records", [])]
        dropped = [one.model_dump(mode="json") for one in state.get("dropped", [])]
        self.journal.finish(work.id, work.skill, work.seed.id, records, dropped)
        self.progress.done += 1
        self.progress.records[work.skill] += len(records)
        self.progress.dropped.update(one["reason"] for one in dropped)

    def _stop(self, error: BaseException) -> None:
        self._fatal = self._fatal or error
        self.stopping.set()

    async def _todo(self, skills: list[Skill]) -> AsyncIterator[Work]:
        """Work that is not done yet, as the seeds are read."""
        mix = self.config.make_mix(skills)
        async for seed, suitable in self._routed(mix):
            for work in work_for(seed, mix.take(seed, suitable), self.config.context.seed):
                self.progress.items += 1
                if self.journal.is_done(work.id):
                    self.progress.resumed += 1
                elif not self.config.retry_failed and self.journal.attempts(work.id) >= POISON:
                    self.progress.set_aside += 1
                else:
                    yield work

    async def _routed(self, mix: Mix) -> AsyncIterator[tuple[Seed, list[Skill]]]:
        """Each seed with the skills that suit it; an agent's opinions are asked for a batch at a time."""
        async for seeds in in_thread(self._read):
            suitable = [mix.suitable(seed) for seed in seeds]
            if self.config.route == "agent":
                suitable = await asyncio.gather(*map(self._opinion, seeds, suitable))
            for pair in zip(seeds, suitable, strict=True):
                yield pair

    async def _opinion(self, seed: Seed, skills: list[Skill]) -> list[Skill]:
        """What an agent leaves of the skills that suit a seed; all where it cannot say."""
        try:
            return await routed(seed, skills, self.config.context.model_of("transform"))
        except ProviderDown as error:
            self._stop(error)
            return skills
        except (ReplyError, ProviderError):
            self.progress.unrouted += 1
            return skills

    def _read(self) -> Iterator[Seed]:
        for found in read_seeds(self.config.paths, self.config.seeds):
            if isinstance(found, Skipped):
                self.progress.skipped[found.reason] += 1
                self.progress.examples.setdefault(found.reason, f"{found.source}: {found.detail}".rstrip(": "))
                continue
            self.progress.seeds += 1
            if self._unsearched:
                self.progress.notice = NOT_SEARCHED
            yield found
            if self.config.limit and self.progress.seeds >= self.config.limit:
                return


async def in_thread(make: Callable[[], Iterator[Seed]], batch: int = 32) -> AsyncIterator[list[Seed]]:
    """Iterate in a thread, a batch at a time, so that reading files never holds up calls in flight."""
    source = make()
    while seeds := await asyncio.to_thread(lambda: list(islice(source, batch))):
        yield seeds


def load_graphs(skills: list[Skill]) -> dict[str, Any]:
    """The compiled graph of each skill."""
    from agentinstruct.graphs.wiring import graph_of

    return {skill.name: graph_of(skill.name) for skill in skills}


async def _cancel(tasks: set[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
