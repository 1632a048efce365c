"""The work of a run with a target: passes over the seeds until there is enough, each with other draws.

    seeds ─ suitable skills that are still wanted ─ the seed's next draw ─ [room?] ─ work ─ … ─ the next pass

A work item's id tells its pass, so nothing is made twice. An item is begun only while what is in flight may not be
enough; categories that have enough are left out of it.
"""

from collections import Counter
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field

from agentinstruct.agents.records import Seed, content_id
from agentinstruct.agents.skill import Skill
from agentinstruct.graphs.plan import make_plan, work_id
from agentinstruct.run.plan import Work
from agentinstruct.run.pursuit import Pursuit
from agentinstruct.run.source import Source


@dataclass(frozen=True, slots=True)
class Aimed(Source):
    """The work that a target still needs."""

    pursuit: Pursuit
    taken: Counter[str] = field(default_factory=Counter)
    """By skill, the work items that the current pass came by."""

    async def todo(self) -> AsyncIterator[Work | None]:
        """Work for the target; None to wait until some that was begun has ended."""
        pursuit, number = self.pursuit, 0
        while not pursuit.over:
            self.progress.sweep, begun = number + 1, False
            async for work in self._pass(number):
                begun = begun or work is not None
                yield work
            if pursuit.over:
                break
            pursuit.swept(self.taken)
            self.taken.clear()
            if not begun and pursuit.flying:
                yield None
            number += 1
        self.progress.reading = False

    async def _pass(self, number: int) -> AsyncIterator[Work | None]:
        """One pass over the seeds."""
        pursuit, mix = self.pursuit, self.mix()
        async for seed, suitable in self.routed(mix):
            pursuit.seen.update(skill.name for skill in suitable)
            for skill in mix.take(seed, [skill for skill in suitable if pursuit.wants(skill.name)]):
                while pursuit.full and not pursuit.over:
                    yield None
                if pursuit.over:
                    return
                if work := self._next(skill, seed, number):
                    self.progress.items += 1
                    yield work

    def _next(self, skill: Skill, seed: Seed, number: int) -> Work | None:
        """The first work of a skill on a seed that no pass so far has done, if there is room for it."""
        self.taken[skill.name] += 1
        for draw, last in self._draws(number):
            item = work_id(skill.name, seed.id, draw)
            if item in self.pursuit.ended or self.journal.is_done(item):
                if last:  # of an earlier sitting
                    self.progress.items += 1
                    self.progress.resumed += 1
                    self.pursuit.passed(item, skill.name)
            elif self.set_aside(item):
                self.progress.set_aside += last
            elif item not in self.pursuit.flying:
                return self._begun(item, skill, seed, draw)
        return None

    def _draws(self, number: int) -> Iterator[tuple[int, bool]]:
        """The random seed of each pass up to this one, and whether it is this one's."""
        run = self.config.context.seed
        for earlier in range(number + 1):
            yield (run if not earlier else int(content_id(run, "pass", earlier)[:12], 16)), earlier == number

    def _begun(self, item: str, skill: Skill, seed: Seed, draw: int) -> Work | None:
        if not self.pursuit.room(skill.name):
            return None
        enough = self.pursuit.enough(skill.name)
        work = Work(item, skill.name, seed, draw, ",".join(enough))
        drawn = make_plan(skill, seed, work.settings(self.config.context_for(skill))).categories
        if self.pursuit.target.per == "category" and set(drawn) <= set(enough):
            self.pursuit.passed(item, skill.name)  # nothing that is missing can be made of it
            return None
        self.pursuit.begin(item, skill.name, drawn)
        return work
