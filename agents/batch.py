"""Calls by provider batch jobs, at half the price: graphs wait for hours, and go on in waves.

    call ─ waits ─ wave ─┬─ job: file ─ remembered ─ begun ─ looked at … over ─ answers: journal ─ graphs go on ─ wave
                         └─ job: …

A wave is sent when nothing else can run: no call has come for a moment and none is under way live. The run folder
remembers a job before it is begun, so that a killed run finds it again and buys nothing twice.
"""

import asyncio
import time
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass
from math import inf
from typing import Any
from uuid import uuid4

from agentinstruct.agents.batch_answers import Books, Call
from agentinstruct.agents.batch_api import BatchServer
from agentinstruct.agents.batch_job import Job, JobStore
from agentinstruct.agents.batch_lines import line_of
from agentinstruct.agents.batch_underway import Track, Underway
from agentinstruct.agents.batch_way import Way
from agentinstruct.agents.budget import worst_case
from agentinstruct.agents.calls import moment
from agentinstruct.agents.endpoint import Endpoint
from agentinstruct.agents.errors import AgentInstructError, ModelError, ProviderError, ReplyError
from agentinstruct.agents.gateway import Completion, Model, Request, RetryableError
from agentinstruct.agents.records import Role
from agentinstruct.agents.transport import nameless

MOST_CALLS, MOST_BYTES = 50_000, 200_000_000
"""What OpenAI takes in one file."""
SLICES = 4
PROVIDER = "openai:"


@dataclass(frozen=True, slots=True)
class BatchOptions:
    """Which calls go by batch, and how."""

    roles: frozenset[Role] = frozenset()
    poll_s: float = 60.0
    """The longest pause between two looks at a job."""
    most_calls: int = MOST_CALLS
    most_bytes: int = MOST_BYTES

    def take(self, role: str, model: str) -> bool:
        """Whether what a role asks of a model goes by batch."""
        return role in self.roles and model.startswith(PROVIDER)


class Batches:
    """Answers calls by batch jobs, and takes up those that an earlier sitting of the run has sent."""

    def __init__(
        self, models: Callable[[str], Model], jobs: JobStore, books: Books, live: Books, options: BatchOptions
    ) -> None:
        self._make, self._jobs, self._books, self._live, self._options = models, jobs, books, live, options
        self._tracks: dict[str, Track] = {}
        self._calls: dict[str, Call] = {}
        self._waiting: dict[str, Call] = {}
        self._underway = Underway(jobs, books, self._calls, self._wait)
        self._tasks: set[asyncio.Task[None]] = set()
        self._came = asyncio.Event()
        self._broken: BaseException | None = None

    def takes(self, request: Request) -> bool:
        """Whether this call goes by batch, or already has; routing is asked live, since all else waits for it."""
        asked = self._options.take(request.role, request.model) and request.agent != "route"
        return asked or request.key in self._underway.by_call

    async def complete(self, request: Request) -> Completion:
        """The answer, which is in the journal by then; it may take days.

        Raises:
            ProviderError: no job brought it. ProviderDown: none can. ReplyError: the request was refused.
            BudgetReached: it could cost more than is left.
        """
        budget, price = self._books.budget, self._books.price(request.model)
        call = Call(request, asyncio.get_running_loop().create_future())
        while True:
            hold = self._underway.committed.pop(request.key, None)
            if hold is None:
                hold = await budget.reserve(price, request)
            try:
                return await self._answer(call)
            except RetryableError:
                call.answer = asyncio.get_running_loop().create_future()
            finally:
                budget.settle(hold, 0.0, 0)

    async def _answer(self, call: Call) -> Completion:
        """The answer; raises RetryableError for one that was paid and cannot be read."""
        request = call.request
        if self._broken:
            raise _again(self._broken)
        if known := self._books.store.get_call(request.key):  # its job ended since the gateway looked
            self._books.statistics.from_journal += 1
            return Completion(**known)
        self._calls[request.key] = call
        if request.key not in self._underway.by_call:
            self._wait(call)
        self._count()
        try:
            return await call.answer
        finally:
            self._calls.pop(request.key, None)
            self._waiting.pop(request.key, None)
            self._count()

    def start(self) -> None:
        """Take up the jobs of earlier sittings, and gather calls for new ones.

        Raises:
            ModelError: a job was sent to another server than the one named now.
        """
        for job in self._jobs.jobs():
            if all(map(self._books.bought, job.calls)):  # killed when all was kept but not yet told
                self._jobs.forget(job)
                continue
            track = self._track(job.model)
            if nameless(track.endpoint.base_url) != job.base_url:
                raise ModelError(
                    f"batch job {job.batch or job.id} ({len(job.calls)} calls) was sent to {job.base_url}. Give "
                    f"--base-url {job.base_url} to have its answers, or remove batches/{job.id}.json to give them up."
                )
            track.way.heard = True
            self._underway.take_up(job)
            self._spawn(self._underway.see_through(track, job, None))
        self._spawn(self._gather())

    def _track(self, spec: str) -> Track:
        if spec not in self._tracks:
            endpoint = self._make(spec)
            if not isinstance(endpoint, Endpoint):
                raise ModelError(f"{spec}: only openai: models have batch jobs.")
            server = BatchServer(endpoint.base_url, endpoint.api_key, endpoint.timeout_s)
            way = Way(server, self._jobs, self._options.poll_s)
            self._tracks[spec] = Track(endpoint, way, self._options.most_calls)
        return self._tracks[spec]

    # --- Waves ----------------------------------------------------------------------------------------------------

    def _wait(self, call: Call) -> None:
        self._waiting[call.request.key] = call
        self._came.set()

    async def _gather(self) -> None:
        while True:
            await self._came.wait()
            await self._quiet()
            while await self._learnt():  # what follows from a call made live goes with the others' calls
                await self._quiet()
            for spec in self._models():
                while self._packed(self._track(spec), spec):
                    pass

    def _models(self) -> list[str]:
        return list(dict.fromkeys(call.request.model for call in self._waiting.values()))

    async def _learnt(self) -> bool:
        """Whether a model was just tried: each is, once, where money is not limited."""
        new = [spec for spec in self._models() if not self._track(spec).tried and self._books.budget.usd == inf]
        for spec in new:
            await self._try(self._track(spec), spec)
        return bool(new)

    async def _quiet(self) -> None:
        """Wait until no call has come for a moment and none is under way live, or a job is full, or it took long."""
        quiet, pause, until = 0, self._linger_s / SLICES, time.monotonic() + 100 * self._linger_s
        while quiet < SLICES and len(self._waiting) < self._options.most_calls and time.monotonic() < until:
            self._came.clear()
            await asyncio.sleep(pause)
            busy = self._came.is_set() or self._live.statistics.in_flight
            quiet = 0 if busy else quiet + 1
        self._came.clear()

    @property
    def _linger_s(self) -> float:
        return min(5.0, self._options.poll_s)

    async def _try(self, track: Track, spec: str) -> None:
        """Make one call live: it shows how this server is asked for typed replies before thousands are sent.

        A fault is no matter: what is wrong will show again where the job is sent. Where money is limited no call is
        made so: it would cost more than is held for it.
        """
        calls = [call for call in self._waiting.values() if call.request.model == spec]
        call = next((call for call in calls if call.request.schema), calls[0])
        track.tried = True
        del self._waiting[call.request.key]
        try:
            completion = await track.endpoint.complete(call.request)
        except (RetryableError, ProviderError) as fault:
            if isinstance(fault, RetryableError) and fault.paid:
                worst = worst_case(self._live.price(spec), call.request)
                self._live.lose(call.request.key, moment(), worst)
            self._wait(call)
        except ReplyError as refusal:
            call.fail(refusal)
        else:
            completion = self._live.keep(spec, call.request.key, completion, call.request)
            if not call.answer.done():
                call.answer.set_result(completion)

    def _packed(self, track: Track, spec: str) -> bool:
        """Whether calls of a model wait: as many as fit become a job, which is sent."""
        if all(call.request.model != spec for call in self._waiting.values()):
            return False
        job = Job(uuid4().hex, spec, nameless(track.endpoint.base_url), time.time())
        path = self._jobs.write(job, self._lines(job, track))
        for key in job.calls:
            del self._waiting[key]
        self._underway.enter(job)
        self._spawn(self._underway.see_through(track, job, path))
        return True

    def _lines(self, job: Job, track: Track) -> Iterator[bytes]:
        size, price = 0, self._books.price(job.model)
        for key, call in self._waiting.items():
            if call.request.model != job.model:
                continue
            call.mode, call.names = max(call.mode, track.endpoint.mode), dict(track.endpoint.names)
            line = line_of(key, track.endpoint.body(call.request, call.mode))
            size += len(line)
            if job.calls and (size > self._options.most_bytes or len(job.calls) >= track.most_calls):
                return
            job.calls[key] = call.tries + 1
            job.worst += worst_case(price, call.request)
            yield line

    # --- Tasks ----------------------------------------------------------------------------------------------------

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if task.cancelled() or not (error := task.exception()):
            return
        self._broken = self._broken or error
        for call in list(self._calls.values()):
            call.fail(_again(error))

    def _count(self) -> None:
        self._books.statistics.batched = len(self._calls)

    async def aclose(self, grace_s: float = 6.0) -> None:
        """Let a job that is just being sent get there; those that are at the provider go on without us."""
        if self._underway.sending:
            await asyncio.wait(self._underway.sending, timeout=grace_s)
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for track in self._tracks.values():
            await track.way.server.aclose()
            await track.endpoint.aclose()


def _again(error: BaseException) -> Exception:
    """The error for one more of those who wait: one object raised by thousands would gather their tracebacks."""
    if isinstance(error, AgentInstructError):
        return type(error)(str(error))
    bug = RuntimeError(f"in the batch jobs: {type(error).__name__}: {error}")
    bug.__cause__ = error
    return bug
