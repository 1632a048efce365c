"""The jobs at a provider: each is seen through to its end; what it did not answer is sent again or given up.

A job is dropped only when its answers are in the journal; until then a call of it is never sent a second time.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from logging import INFO
from pathlib import Path

from agentinstruct.agents.batch_answers import Answers, Books, Call
from agentinstruct.agents.batch_api import Seen
from agentinstruct.agents.batch_job import Job, JobStore
from agentinstruct.agents.batch_way import Way
from agentinstruct.agents.endpoint import Endpoint
from agentinstruct.agents.errors import ProviderDown
from agentinstruct.agents.events import tell

HOPELESS = ("model", "billing", "quota", "permission")
"""Words in why a job failed, after which it would fail again."""


@dataclass
class Track:
    """The jobs of one model."""

    endpoint: Endpoint
    way: Way
    most_calls: int
    tried: bool = False
    """Whether one call was made live, to learn how this server is asked."""


@dataclass
class Underway:
    """All jobs of a run that are not over."""

    jobs: JobStore
    books: Books
    calls: dict[str, Call]
    """The calls that are waited for, of whichever job or of none."""
    wait: Callable[[Call], None]
    """Has a call sent in the next wave."""
    by_call: dict[str, Job] = field(default_factory=dict)
    committed: dict[str, float] = field(default_factory=dict)
    """What the budget holds for calls that an earlier sitting has sent and nobody has asked for yet."""
    sending: set[asyncio.Task[None]] = field(default_factory=set)
    _held_up: set[str] = field(default_factory=set)
    """Jobs for which the account had no room."""
    _ended: asyncio.Event = field(default_factory=asyncio.Event)

    def take_up(self, job: Job) -> None:
        """Enter a job of an earlier sitting: what it may cost is still to be paid."""
        for key in job.calls:
            self.committed[key] = job.worst / len(job.calls)
            self.books.budget.commit(self.committed[key])
        self.enter(job)

    def enter(self, job: Job) -> None:
        """From now on the job's calls are its own."""
        self.by_call.update(dict.fromkeys(job.calls, job))
        self.books.statistics.jobs += 1

    async def see_through(self, track: Track, job: Job, lines: Path | None) -> None:
        """See a job to its end; one without `lines` was sent, or nearly, in an earlier sitting.

        Raises:
            ProviderDown: it makes no sense to go on.
        """
        if lines:
            await self._send(track, job, lines)
            tell(INFO, "batch_sent", model=job.model, batch=job.batch, calls=len(job.calls))
        elif not job.batch and not (job.file and await track.way.find(job)):
            self._drop(job)
            return self._resend(job)
        seen = await track.way.end(job)
        answers = Answers(job, track.endpoint, self.books, self.calls)
        await answers.read(track.way, seen)
        tell(INFO, "batch_over", model=job.model, batch=job.batch, status=seen.status, answered=answers.answered)
        if full := self._full(job, seen):
            await self._room(track, job)
        self._drop(job)
        if full:
            return self._resend(job)
        if lines and self._left(job):  # what an earlier sitting met may have passed: it is sent again
            if answers.down:
                raise answers.down
            if reason := self._given_up(job, seen):
                raise ProviderDown(f"batch job {seen.id} {reason}")
        return answers.settle(self.wait)

    async def _send(self, track: Track, job: Job, lines: Path) -> None:
        sending = asyncio.ensure_future(track.way.send(job, lines))
        self.sending.add(sending)
        sending.add_done_callback(self.sending.discard)
        await sending

    def _drop(self, job: Job) -> None:
        for key in job.calls:
            del self.by_call[key]
            if (hold := self.committed.pop(key, None)) is not None:
                self.books.budget.settle(hold, 0.0, 0)
        self.jobs.forget(job)
        self.books.statistics.jobs -= 1
        self._ended.set()

    def _left(self, job: Job) -> list[Call]:
        """The calls of a job that somebody waits for."""
        calls = (self.calls.get(key) for key in job.calls)
        return [call for call in calls if call and not call.answer.done()]

    def _resend(self, job: Job) -> None:
        for call in self._left(job):
            self.wait(call)

    def _full(self, job: Job, seen: Seen) -> bool:
        """Whether the account had no room for a job, and may have some when another one ends or it is made smaller."""
        told = seen.status == "failed" and ("token_limit" in seen.code or "nqueued" in seen.problem)
        return told and (len(job.calls) > 1 or self._others(job))

    def _others(self, job: Job) -> bool:
        return any(other is not job and other.id not in self._held_up for other in self.by_call.values())

    async def _room(self, track: Track, job: Job) -> None:
        """Wait for another job's end, where one is at work; make smaller jobs from now on, where none is."""
        self._held_up.add(job.id)
        if self._others(job):
            self._ended.clear()
            await self._ended.wait()
        else:
            track.most_calls = max(1, min(track.most_calls, len(job.calls)) // 2)
            await asyncio.sleep(track.way.first_look_s)
        self._held_up.discard(job.id)

    def _given_up(self, job: Job, seen: Seen) -> str:
        """Why it makes no sense to send the rest of a job again by itself, if it makes none."""
        if seen.status == "cancelled":
            left = len(self._left(job))
            return f"was cancelled at the provider. Its answers so far are kept; a resume sends the {left} other calls."
        words = f"{seen.code} {seen.problem}".casefold()
        if seen.status == "failed" and (max(job.calls.values()) > 1 or any(word in words for word in HOPELESS)):
            return f"failed: {seen.problem or seen.code}"
        return ""
