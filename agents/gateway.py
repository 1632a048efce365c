"""The gateway: the one door to every model.

    journal look-up → limiter of that model → call → retries → journal write → reply

It is set for the current run by a context variable, so caching, resume, limits, retries and statistics
exist once, below all graphs. Where none is set (Studio, a server, a script) a default one serves, with the
limiter and without a journal.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from contextvars import ContextVar
from dataclasses import asdict, dataclass, field
from functools import cached_property
from hashlib import blake2b
from random import Random
from typing import Any, Protocol
from weakref import WeakKeyDictionary

import orjson

from agentinstruct.agents.errors import ProviderDown, ProviderError
from agentinstruct.agents.records import Role


@dataclass(frozen=True)
class Request:
    """One call: what is asked of which model. Its key is its content, so equal requests share one answer."""

    agent: str
    role: Role
    model: str
    messages: list[dict[str, str]]
    temperature: float = 0.7
    max_tokens: int = 1024
    schema: dict[str, Any] | None = None
    schema_name: str = "Reply"
    sample: int = 0
    subject: str = ""
    inputs: Mapping[str, Any] = field(default_factory=dict)
    """What the prompt was rendered from: for the scripted model only, not part of the key."""

    @cached_property
    def key(self) -> str:
        """The content address: 128 bits of hash over everything that shapes the answer."""
        parts = (self.model, self.messages, self.temperature, self.max_tokens, self.schema, self.sample)
        return blake2b(orjson.dumps(parts), digest_size=16).hexdigest()


@dataclass(frozen=True, slots=True)
class Completion:
    """What a model answered, and what it cost in tokens."""

    text: str
    finish_reason: str = "stop"
    refusal: str = ""
    input_tokens: int = 0
    cached_tokens: int = 0
    output_tokens: int = 0


class RetryableError(Exception):
    """A fault that may pass: the call is tried again after `after` seconds at the earliest."""

    def __init__(self, message: str, after: float = 0.0) -> None:
        super().__init__(message)
        self.after = after


class Model(Protocol):
    """Something that answers requests: an endpoint, the embedded model, a script."""

    @property
    def width(self) -> int:
        """How many requests it can usefully have at once; 0 when only the run's own limit counts."""

    async def complete(self, request: Request) -> Completion:
        """Answer, or raise RetryableError, ProviderError, ProviderDown or ReplyError."""

    async def aclose(self) -> None:
        """Let go of connections and memory."""


class CallStore(Protocol):
    """Where finished calls are kept: the run's journal."""

    def get_call(self, key: str) -> dict[str, Any] | None:
        """The stored reply of this key, if there is one."""

    def put_call(self, key: str, value: Mapping[str, Any]) -> None:
        """Keep a reply; it survives a kill as soon as this returns."""


@dataclass(slots=True)
class Statistics:
    """What went through a gateway since it was made."""

    calls: int = 0
    from_journal: int = 0
    retries: int = 0
    failed: int = 0
    in_flight: int = 0
    input_tokens: int = 0
    cached_tokens: int = 0
    output_tokens: int = 0


@dataclass(slots=True)
class Patience:
    """How long a gateway keeps trying."""

    attempts: int = 6
    base_s: float = 0.5
    longest_s: float = 30.0
    outage_s: float = 20.0
    """A model from which nothing has come for this long, after 8 faults in a row, is down."""


class Health:
    """Whether a model answers at all: faults in a row, and since when."""

    def __init__(self, patience: Patience) -> None:
        self._patience = patience
        self._faults = 0
        self._since = 0.0

    def answered(self) -> None:
        """An answer came: the count starts again."""
        self._faults = 0

    def failed(self, error: Exception) -> None:
        """Count a fault; raise ProviderDown when there were too many for too long."""
        self._since = self._since if self._faults else time.monotonic()
        self._faults += 1
        silent = time.monotonic() - self._since
        if self._faults >= 8 and silent >= self._patience.outage_s:
            raise ProviderDown(
                f"{self._faults} calls in a row failed for {silent:.0f} s; the last one: {error}"
            ) from error


class Gateway:
    """Answers requests from the journal or the model they name, within that model's limit."""

    def __init__(
        self,
        models: Callable[[str], Model],
        *,
        store: CallStore | None = None,
        max_concurrency: int = 64,
        patience: Patience | None = None,
    ) -> None:
        self._make = models
        self._store = store
        self._limit = max_concurrency
        self._patience = patience or Patience()
        self._models: dict[str, Model] = {}
        self._limits: dict[str, asyncio.Semaphore] = {}
        self._health: dict[str, Health] = {}
        self._pending: dict[str, asyncio.Task[Completion]] = {}
        self._closing = False
        self.statistics = Statistics()

    async def complete(self, request: Request) -> Completion:
        """The reply to a request, bought at most once.

        Raises:
            ProviderError: the call failed after all its retries. ProviderDown: no call can succeed now.
        """
        if self._store and (known := self._store.get_call(request.key)):
            self.statistics.from_journal += 1
            return Completion(**known)
        task = self._pending.get(request.key)
        if task is None:
            task = asyncio.ensure_future(self._buy(request))
            self._pending[request.key] = task
            task.add_done_callback(self._settled(request.key))
        return await asyncio.shield(task)

    def _settled(self, key: str) -> Callable[[asyncio.Task[Completion]], None]:
        def settle(task: asyncio.Task[Completion]) -> None:
            self._pending.pop(key, None)
            if not task.cancelled():
                task.exception()  # whoever waited has seen it; nobody may be left when a run is stopped

        return settle

    async def _buy(self, request: Request) -> Completion:
        completion = await self._attempts(request)
        self._count(completion)
        if self._store:
            self._store.put_call(request.key, asdict(completion))
        return completion

    async def _attempts(self, request: Request) -> Completion:
        model, draw = self.model(request.model), Random(request.key)
        for attempt in range(self._patience.attempts):
            try:
                completion = await self._once(model, request)
            except RetryableError as fault:
                self._health[request.model].failed(fault)
                last = fault
            else:
                self._health[request.model].answered()
                return completion
            self.statistics.retries += 1
            if attempt + 1 == self._patience.attempts or self._closing:
                break
            await asyncio.sleep(self._pause(attempt, last, draw))
        self.statistics.failed += 1
        raise ProviderError(f"{request.model}: {last} ({attempt + 1} attempts)")

    async def _once(self, model: Model, request: Request) -> Completion:
        async with self._limits[request.model]:
            self.statistics.in_flight += 1
            try:
                return await model.complete(request)
            finally:
                self.statistics.in_flight -= 1

    def _pause(self, attempt: int, fault: RetryableError, draw: Random) -> float:
        ceiling = min(self._patience.longest_s, self._patience.base_s * 2**attempt)
        return max(min(fault.after, 120.0), draw.uniform(0, ceiling))

    def model(self, spec: str) -> Model:
        """The model of a spec such as `local` or `openai:gpt-4.1-mini`, made on first use.

        Raises:
            ModelError: no such model, or what it needs is missing.
        """
        if spec not in self._models:
            model = self._models[spec] = self._make(spec)
            self._limits[spec] = asyncio.Semaphore(min(self._limit, model.width or self._limit))
            self._health[spec] = Health(self._patience)
        return self._models[spec]

    def width(self, spec: str) -> int:
        """How many requests of a model can be in flight at once."""
        return min(self._limit, self.model(spec).width or self._limit)

    def _count(self, completion: Completion) -> None:
        done = self.statistics
        done.calls += 1
        done.input_tokens += completion.input_tokens
        done.cached_tokens += completion.cached_tokens
        done.output_tokens += completion.output_tokens

    async def aclose(self, grace_s: float = 10.0) -> None:
        """Let calls in flight finish for a while, so that what was bought is kept; then close every model."""
        self._closing = True
        pending = list(self._pending.values())
        if pending:
            _, late = await asyncio.wait(pending, timeout=grace_s)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        for model in self._models.values():
            await model.aclose()
        self._models.clear()


_CURRENT: ContextVar[Gateway | None] = ContextVar("gateway", default=None)
_DEFAULT: WeakKeyDictionary[asyncio.AbstractEventLoop, Gateway] = WeakKeyDictionary()


def current_gateway() -> Gateway:
    """The gateway of the current run, or this event loop's default one."""
    gateway = _CURRENT.get()
    if gateway is not None:
        return gateway
    loop = asyncio.get_running_loop()
    if loop not in _DEFAULT:
        from agentinstruct.agents.models import open_model

        _DEFAULT[loop] = Gateway(open_model)
    return _DEFAULT[loop]


@asynccontextmanager
async def using(gateway: Gateway) -> AsyncIterator[Gateway]:
    """Serve every agent called inside this block by the given gateway, and close it at the end."""
    token = _CURRENT.set(gateway)
    try:
        yield gateway
    finally:
        _CURRENT.reset(token)
        await gateway.aclose()
