"""Which work there is: seeds are read and routed to skills, and what is done already is passed over.

seeds ─ read in a thread ─ routed to the skills that suit ─ work items ─ [done? set aside?] ─ work to do
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice

from agentinstruct.agents.errors import ProviderDown, ProviderError, ReplyError
from agentinstruct.agents.mix import Mix
from agentinstruct.agents.records import Seed
from agentinstruct.agents.routing import routed
from agentinstruct.agents.skill import Skill
from agentinstruct.run.index import POISON
from agentinstruct.run.journal import Journal
from agentinstruct.run.pieces import Pieces
from agentinstruct.run.plan import UNSEARCHED, RunConfig, Work, work_for
from agentinstruct.run.progress import Progress
from agentinstruct.seeds import Skipped

NOT_SEARCHED = "seeds are not searched: `agentinstruct fetch minilm`, and a new run retrieves among all of them"
UNSUITED = "suits no skill of this run"


@dataclass(frozen=True, slots=True)
class Source:
    """The work of a run, as its seeds are read."""

    config: RunConfig
    journal: Journal
    progress: Progress
    skills: list[Skill]
    pieces: Pieces = field(init=False)

    def __post_init__(self) -> None:
        featured = any(skill.file.holds or skill.file.prefers for skill in self.skills)
        object.__setattr__(self, "pieces", Pieces(self.journal, featured))

    async def todo(self) -> AsyncIterator[Work | None]:
        """Work that is not done yet; None to wait until some that was begun has ended.

        Raises:
            ProviderDown: the agent that routes cannot be reached. BudgetReached: there is no money left for it.
        """
        mix = self.mix()
        async for seed, suitable in self.routed(mix):
            self.progress.taken += 1
            for work in self.undone(work_for(seed, mix.take(seed, suitable), self.config.context.seed)):
                yield work
        self.progress.reading = False

    def mix(self) -> Mix:
        """What decides which skills each seed gets."""
        return self.config.make_mix(self.skills, self.pieces.features)

    def undone(self, works: Iterable[Work]) -> Iterator[Work]:
        """Those that are not done and not set aside; all are counted."""
        for work in works:
            self.progress.items += 1
            if self.journal.is_done(work.id):
                self.progress.resumed += 1
            elif self.set_aside(work.id):
                self.progress.set_aside += 1
            else:
                yield work

    def set_aside(self, item: str) -> bool:
        """Whether a work item has failed too often to be tried again unasked."""
        return not self.config.retry_failed and self.journal.attempts(item) >= POISON

    async def routed(self, mix: Mix) -> AsyncIterator[tuple[Seed, list[Skill]]]:
        """Each seed with the skills that suit it; an agent's opinions are asked for a batch at a time."""
        async for seeds in in_thread(self.read):
            suitable = [mix.suitable(seed) for seed in seeds]
            for seed, fit in zip(seeds, suitable, strict=True):
                if not fit:
                    self._unsuited(seed, mix)
            if self.config.route == "agent":
                suitable = await asyncio.gather(*map(self._opinion, seeds, suitable))
            for pair in zip(seeds, suitable, strict=True):
                yield pair

    async def _opinion(self, seed: Seed, skills: list[Skill]) -> list[Skill]:
        """What an agent leaves of the skills that suit a seed; all where it cannot say."""
        try:
            return await routed(seed, skills, self.config.context.model_of("transform"))
        except ProviderDown:
            raise
        except (ReplyError, ProviderError):
            self.progress.unrouted += 1
            return skills

    def read(self) -> Iterator[Seed]:
        """The seeds; what is left out is counted."""
        unsearched = self.config.embeddings_spec() == UNSEARCHED and any(skill.file.retrieves for skill in self.skills)
        count, first = 0, self.progress.sweep <= 1
        with self.pieces.judging() as judge:
            for found in self.config.read_seeds(judge):
                if isinstance(found, Skipped):
                    if first:
                        self._skipped(found)
                    continue
                count += 1
                self.progress.seeds += first
                if unsearched:
                    self.progress.notice = NOT_SEARCHED
                yield found
                if count == self.config.limit:
                    break
        self.progress.expected = self.progress.seeds

    def _unsuited(self, seed: Seed, mix: Mix) -> None:
        """A seed that none of the skills takes is told with those that were left out."""
        if self.progress.sweep <= 1:
            first = UNSUITED not in self.progress.examples  # the others are only counted
            self._left_out(
                UNSUITED, f"{seed.source}: characters {seed.start}–{seed.end}: {mix.lacking(seed)}" if first else ""
            )

    def _skipped(self, found: Skipped) -> None:
        self._left_out(found.reason, f"{found.source}: {found.detail}".rstrip(": "))

    def _left_out(self, reason: str, example: str) -> None:
        self.progress.skipped[reason] += 1
        self.progress.examples.setdefault(reason, example)


@dataclass(frozen=True, slots=True)
class Given(Source):
    """Work that somebody else has chosen."""

    works: Sequence[Work]

    async def todo(self) -> AsyncIterator[Work | None]:
        """What of it is not done yet."""
        for work in self.undone(self.works):
            yield work
        self.progress.reading = False


async def in_thread(make: Callable[[], Iterator[Seed]], batch: int = 32) -> AsyncIterator[list[Seed]]:
    """Iterate in a thread, a batch at a time, so that reading files never holds up calls in flight."""
    source = make()
    while seeds := await asyncio.to_thread(lambda: list(islice(source, batch))):
        yield seeds
