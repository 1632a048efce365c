"""The gateway: the one door to every model.

    journal look-up → limiter of that model → call → retries → journal write → reply

It is set for the current run by a context variable, so caching, resume, limits, retries and statistics
exist once, below all graphs. Where none is set (Studio, a server, a script) a default one serves, with the
limiter and without a journal.
"""

import asyncio
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

from agentinstruct.agents.errors import ProviderDown, ProviderError, ReplyError
from agentinstruct.agents.limits import Health, Patience, RetryableError, Statistics
from agentinstruct.agents.records import Role
from agentinstruct.tools.prices import Price, price_table

__all__ = [
    "CallStore",
    "Completion",
    "Gateway",
    "Model",
    "Patience",
    "Request",
    "RetryableError",
    "Statistics",
    "current_gateway",
    "using",
]


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


class Model(Protocol):
    """Something that answers requests: an endpoint, the embedded model, a script."""

    @property
    def width(self) -> int:
        """How many requests it can usefully have at once; 0 when only the run's own limit counts."""

    async def complete(self, request: Request) -> Completion:
        """Answer, or raise RetryableError, ProviderError, ProviderDown or ReplyError."""

    async def aclose(self) -> None:
        """Let go of connections and memory."""


class Deferred(Protocol):
    """What answers some calls hours later, keeps and counts its answers itself: the provider's batch jobs."""

    def takes(self, request: Request) -> bool:
        """Whether this call is one of them."""

    async def complete(self, request: Request) -> Completion:
        """Answer, or raise ProviderError, ProviderDown or ReplyError; takes no slot and has no deadline."""

    async def aclose(self) -> None:
        """Stop waiting."""


class CallStore(Protocol):
    """Where finished calls are kept: the run's journal."""

    def get_call(self, key: str) -> dict[str, Any] | None:
        """The stored reply of this key, if there is one."""

    def put_call(self, key: str, value: Mapping[str, Any]) -> None:
        """Keep a reply; it survives a kill as soon as this returns."""


class Gateway:
    """Answers requests from the journal or the model they name, within that model's limit."""

    def __init__(
        self,
        models: Callable[[str], Model],
        *,
        store: CallStore | None = None,
        max_concurrency: int = 64,
        patience: Patience | None = None,
        prices: dict[str, Price] | None = None,
        statistics: Statistics | None = None,
        batch: Deferred | None = None,
    ) -> None:
        self._make = models
        self._store = store
        self._limit = max_concurrency
        self._patience = patience or Patience()
        self._prices = price_table() if prices is None else prices
        self._models: dict[str, Model] = {}
        self._limits: dict[str, asyncio.Semaphore] = {}
        self._health: dict[str, Health] = {}
        self._pending: dict[str, asyncio.Task[Completion]] = {}
        self._sent: set[asyncio.Task[Any] | None] = set()
        self._closing = False
        self._batch = batch
        self.statistics = statistics or Statistics()

    async def complete(self, request: Request) -> Completion:
        """The reply to a request, bought at most once.

        Raises:
            ProviderError: the call failed after all its retries. ProviderDown: no call can succeed now.
        """
        if self._store is not None and (known := self._store.get_call(request.key)):
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
        if self._batch is not None and self._batch.takes(request):
            return await self._batch.complete(request)
        completion = await self._attempts(request)
        self.statistics.bought(request.model, completion, self._prices)
        if self._store is not None:
            self._store.put_call(request.key, asdict(completion))
        return completion

    async def _attempts(self, request: Request) -> Completion:
        model, draw = self.model(request.model), Random(request.key)
        for attempt in range(1, self._patience.attempts + 1):
            try:
                return await self._once(model, request)
            except RetryableError as fault:
                if attempt == self._patience.attempts or self._closing:
                    self.statistics.failed += 1
                    raise ProviderError(f"{request.model}: {fault} ({attempt} attempts)") from fault
                pause = self._patience.pause(attempt - 1, fault, draw)
            self.statistics.retries += 1
            await asyncio.sleep(pause)
        raise AssertionError("unreachable: the last attempt returns or raises")

    async def _once(self, model: Model, request: Request) -> Completion:
        health = self._health[request.model]
        async with self._limits[request.model]:
            health.check()
            self.statistics.in_flight += 1
            self._sent.add(asyncio.current_task())
            try:
                completion = await model.complete(request)
                health.answered()
                return completion
            except ReplyError as refusal:
                health.refused(refusal)
                raise
            except RetryableError as fault:
                health.failed(fault)
                raise
            except ProviderDown as down:
                health.down(down)
                raise
            finally:
                self._sent.discard(asyncio.current_task())
                self.statistics.in_flight -= 1

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

    async def aclose(self, grace_s: float = 6.0) -> None:
        """Let calls in flight finish for a while, so that what was bought is kept; then close every model."""
        self._closing = True
        pending = list(self._pending.values())
        for task in pending:
            if task not in self._sent:  # waits for its turn or its next try
                task.cancel()
        if pending:
            _, late = await asyncio.wait(pending, timeout=grace_s)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        if self._batch is not None:
            await self._batch.aclose()
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
