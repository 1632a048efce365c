"""One job's way through its provider: sent once, whatever happens meanwhile, and then looked at until it is over.

upload ─ remember the file ─ start ─ remember the job's id ─ look … look ─ over
                               ├ no answer: look in the provider's listing before starting it again
                               └ refused: there is no job to remember
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import TypeVar

from agentinstruct.agents.batch_api import BatchServer, Seen
from agentinstruct.agents.batch_job import Job, JobStore
from agentinstruct.agents.errors import ProviderDown
from agentinstruct.agents.gateway import Patience, RetryableError
from agentinstruct.agents.limits import LONGEST_WAIT_S

FIRST_LOOK_S = 5.0
FIRST_ANSWER_S = 5.0
"""A provider that was never heard of is given up after this long: more likely misnamed than out for a moment."""
SKEW_S = 86_400.0
"""How much earlier than ours the provider's clock may say that a job was made."""
T = TypeVar("T")


@dataclass
class Way:
    """The jobs' way through one provider."""

    server: BatchServer
    jobs: JobStore
    poll_s: float
    heard: bool = False
    """Whether the provider ever answered."""

    async def send(self, job: Job, lines: Path) -> None:
        """Upload a job's file and start the job, each once; a file alone costs nothing, so until then it is no job."""
        job.file = await self.insist(lambda: self.server.upload(lines))
        self.jobs.remember(job)
        asked = False

        async def start() -> Seen:
            nonlocal asked
            found = await self._listed(job) if asked else None  # it may have been started all the same
            if asked and found is None:  # one just started may take a moment to be listed
                await asyncio.sleep(self.first_look_s)
                found = await self._listed(job)
            asked = True
            return found or await self._create(job)

        job.batch = (await self.insist(start)).id
        self.jobs.remember(job)

    async def _create(self, job: Job) -> Seen:
        try:
            return await self.server.create(job.file, self.jobs.run, job.id)
        except ProviderDown:  # refused, in so many words
            self.jobs.forget(job)
            raise

    async def find(self, job: Job) -> bool:
        """Whether a job that was on its way when the run was killed did reach the provider."""
        found = await self.insist(lambda: self._listed(job))
        if found is None:  # a job just started may take a moment to be listed
            await asyncio.sleep(self.first_look_s)
            found = await self.insist(lambda: self._listed(job))
        if found is not None:
            job.batch = found.id
            self.jobs.remember(job)
        return found is not None

    async def end(self, job: Job) -> Seen:
        """Wait until a job is over, however long that takes."""
        pause = self.first_look_s
        while not (seen := await self.insist(lambda: self.server.look(job.batch))).over:
            await asyncio.sleep(pause)
            pause = min(self.poll_s, pause * 1.5)
        return seen

    @property
    def first_look_s(self) -> float:
        """The shortest pause between two looks."""
        return min(FIRST_LOOK_S, self.poll_s)

    async def insist(self, step: Callable[[], Awaitable[T]]) -> T:
        """The step's result, tried again with growing pauses: a while at first, for an hour once the provider is known.

        Raises:
            ProviderDown: it failed for too long, or can never work.
        """
        patience, draw, attempt, since = Patience(), Random(), 0, time.monotonic()
        while True:
            try:
                result = await step()
            except RetryableError as fault:
                silent = time.monotonic() - since
                if silent >= (60 * self.poll_s if self.heard else FIRST_ANSWER_S):
                    raise ProviderDown(f"{fault} ({attempt + 1} tries in {silent:.0f} s)") from fault
                await asyncio.sleep(max(min(fault.after, LONGEST_WAIT_S), patience.pause(min(attempt, 6), fault, draw)))
                attempt += 1
            else:
                self.heard = True
                return result

    async def _listed(self, job: Job) -> Seen | None:
        return await self.server.find(job.id, job.file, job.created - SKEW_S)
