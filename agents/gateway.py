"""The gateway: the one door to every model.

    journal look-up → twin in flight → budget → limiter of that model → call → retries → journal write → reply

It is set for the current run by a context variable, so caching, resume, limits, retries and statistics
exist once, below all graphs. Where none is set (Studio, a server, a script) a default one serves, with the
limiter and without a journal.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from logging import INFO, WARNING
from random import Random
from typing import Any
from weakref import WeakKeyDictionary

from agentinstruct.agents.budget import Budget, cost_of, worst_case
from agentinstruct.agents.calls import CallStore, Completion, Deferred, Model, Request, keep_lost, moment
from agentinstruct.agents.errors import ProviderDown, ProviderError, ReplyError
from agentinstruct.agents.lane import Lane, tell_fault
from agentinstruct.agents.limiter import Limiter, Slot
from agentinstruct.agents.limits import Health, Patience, RetryableError, Statistics
from agentinstruct.tools.prices import Price, price_of, price_table

__all__ = [
    "Budget",
    "CallStore",
    "Completion",
    "Gateway",
    "Model",
    "Patience",
    "Request",
    "RetryableError",
    "Statistics",
    "current_gateway",
    "shared",
    "using",
]


@dataclass(slots=True, eq=False)
class Purchase:
    """A request that is being bought, and all who wait for the answer."""

    request: Request
    waiters: list[asyncio.Future[Completion]] = field(default_factory=list)
    sent: bool = False
    """Whether the model is at it, so that stopping now would lose what is paid."""
    task: asyncio.Task[None] | None = None
    lost: float = 0.0
    """USD that tries without an answer may have cost."""
    begun: float = 0.0
    """When it was first sent, in seconds of the monotonic clock."""

    def open_waiters(self) -> list[asyncio.Future[Completion]]:
        """Those who have not given up."""
        return [waiter for waiter in self.waiters if not waiter.done()]


class Gateway:
    """Answers requests from the journal or the model they name, within that model's limit and the run's budget."""

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
        budget: Budget | None = None,
        elsewhere: Callable[[str], Awaitable[dict[str, Any] | None]] | None = None,
    ) -> None:
        self._make = models
        self._store = store
        self._most = max_concurrency
        self._patience = patience or Patience()
        self._prices = price_table() if prices is None else prices
        self.budget = budget or Budget()
        self._lanes: dict[str, Lane] = {}
        self._pending: dict[str, Purchase] = {}
        self._closing = False
        self._elsewhere = elsewhere
        self._batch = batch
        self.statistics = statistics or Statistics()

    async def complete(self, request: Request) -> Completion:
        """The reply to a request, bought at most once.

        Raises:
            ProviderError: the call failed after all its retries. ProviderDown: no call can succeed now.
            BudgetReached: it could cost more than is left.
        """
        key = request.key
        if self._store is not None and (known := self._store.get_call(key)):
            self.statistics.from_journal += 1
            return Completion(**known)
        loop = asyncio.get_running_loop()
        purchase = self._pending.get(key)
        if purchase is None:
            purchase = self._pending[key] = Purchase(request)
            purchase.task = loop.create_task(self._serve(purchase))
        waiter: asyncio.Future[Completion] = loop.create_future()
        purchase.waiters.append(waiter)
        return await waiter

    async def _serve(self, purchase: Purchase) -> None:
        """Buy, and hand it to all who wait. A task of its own, so that whoever gives up spoils nothing that is paid."""
        try:
            completion = await self._buy(purchase)
        except asyncio.CancelledError:
            for waiter in purchase.waiters:
                waiter.cancel()
        except Exception as error:  # noqa: BLE001 - it is theirs
            for waiter in purchase.open_waiters():
                waiter.set_exception(error)
        else:
            for waiter in purchase.open_waiters():
                waiter.set_result(completion)
        finally:
            self._pending.pop(purchase.request.key, None)

    async def _buy(self, purchase: Purchase) -> Completion:
        request = purchase.request
        if self._batch is not None and self._batch.takes(request):
            return await self._batch.complete(request)
        if self._elsewhere is not None and (known := await self._elsewhere(request.key)):
            self.statistics.from_journal += 1
            return Completion(**known)
        lane = self.lane(request.model)
        try:
            completion = await self._attempts(lane, purchase)
        except BaseException:
            self._lose(purchase)
            raise
        self.statistics.bought(lane.spec, completion, lane.price)
        if self._store is not None:
            self._store.put_call(request.key, completion.row())
        return completion

    async def _attempts(self, lane: Lane, purchase: Purchase) -> Completion:
        """Try until it succeeds, or fails for good; what was lost on the way is added to the cost."""
        request, patience = purchase.request, self._patience
        slot = lane.limiter.slot(request.role)
        used, tries = 0.0, 0
        while True:
            tries += 1
            try:
                completion = await self._once(lane, purchase, slot)
                return replace(completion, cost=completion.cost + purchase.lost) if purchase.lost else completion
            except RetryableError as fault:
                used += patience.weight(fault, lane.health.open)
                if used >= patience.attempts or self._closing or time.monotonic() - purchase.begun > patience.call_s:
                    self.statistics.failed += 1
                    tell_fault(WARNING, "call failed", request, fault, attempt=tries)
                    raise ProviderError(f"{lane.spec}: {fault} ({tries} attempts)") from fault
                pause = patience.pause(used, fault, Random(f"{request.key}{tries}"))
                tell_fault(INFO, "retry", request, fault, attempt=tries, wait_s=round(pause, 3))
                lane.tell_limit()
            self.statistics.retries += 1
            await asyncio.sleep(pause)

    async def _once(self, lane: Lane, purchase: Purchase, slot: Slot) -> Completion:
        """One try, paid for from what is held for it."""
        request = purchase.request
        hold, cost, bought, sent = await self.budget.reserve(lane.price, request), 0.0, 0, False
        try:
            async with slot:
                purchase.sent = sent = True
                purchase.begun = purchase.begun or time.monotonic()
                try:
                    completion = await lane.send(request)
                finally:
                    purchase.sent = False
                slot.tokens = completion.output_tokens
            cost, bought = cost_of(lane.price, request, completion), 1
            return replace(completion, cost=cost) if cost else completion
        except (RetryableError, ReplyError, ProviderDown, asyncio.CancelledError) as error:
            fault = error.__cause__ if isinstance(error, ProviderDown) else error
            if isinstance(fault, RetryableError | ReplyError):
                paid = fault.paid
            else:
                paid = isinstance(fault, asyncio.CancelledError)
            cost = (hold or worst_case(lane.price, request)) if sent and paid else 0.0
            purchase.lost += cost
            raise
        finally:
            self.budget.settle(hold, cost, bought)

    def _lose(self, purchase: Purchase) -> None:
        """Count what a call without an answer may have cost, and keep it, so that a later sitting counts it too."""
        self.statistics.cost += purchase.lost
        if purchase.lost and self._store is not None:
            keep_lost(self._store, purchase.request.key, moment(), purchase.lost)

    def model(self, spec: str) -> Model:
        """The model of a spec such as `local` or `openai:gpt-4.1-mini`, made on first use.

        Raises:
            ModelError: no such model, or what it needs is missing.
        """
        return self.lane(spec).model

    def lane(self, spec: str) -> Lane:
        """The model of a spec with its limiter, made on first use. Raises as `model` does."""
        lane = self._lanes.get(spec)
        if lane is None:
            model = self._make(spec)
            most = min(self._most, model.width or self._most)
            limiter, price = Limiter(most, fixed=bool(model.width)), price_of(spec, self._prices)
            lane = self._lanes[spec] = Lane(spec, model, limiter, Health(self._patience), price, self.statistics)
        return lane

    def lanes(self) -> list[Lane]:
        """Every model that was opened."""
        return list(self._lanes.values())

    def width(self, spec: str) -> int:
        """How many requests of a model can be in flight at once."""
        return min(self.lane(spec).limiter.ceiling, self._most)

    async def drain(self) -> None:
        """Wait until every call under way has ended."""
        while self._pending:
            await asyncio.wait([one.task for one in self._pending.values() if one.task])

    async def aclose(self, grace_s: float = 6.0) -> None:
        """Let calls in flight finish for a while, so that what was bought is kept; then close every model."""
        self._closing = True
        pending = {one.task: one for one in self._pending.values() if one.task}
        for task, purchase in pending.items():
            if not purchase.sent:  # waits for its turn or its next try
                task.cancel()
        if pending:
            _, late = await asyncio.wait(pending, timeout=grace_s)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        for waiter in [waiter for purchase in pending.values() for waiter in purchase.open_waiters()]:
            waiter.cancel()  # of a purchase that had not even begun
        self._pending.clear()
        if self._batch is not None:
            await self._batch.aclose()
        for lane in self._lanes.values():
            await lane.model.aclose()
        self._lanes.clear()


_CURRENT: ContextVar[Gateway | None] = ContextVar("gateway", default=None)
_DEFAULT: WeakKeyDictionary[asyncio.AbstractEventLoop, Gateway] = WeakKeyDictionary()


_SHARED: list["Elsewhere"] = []


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """A gateway at work in another event loop."""

    gateway: Gateway
    home: asyncio.AbstractEventLoop

    async def complete(self, request: Request) -> Completion:
        """The reply to a request, as the gateway gives it."""
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(self.gateway.complete(request), self.home))


def current_gateway() -> Gateway | Elsewhere:
    """The gateway of the current run, the one that this process shares, or this event loop's default one."""
    gateway = _CURRENT.get()
    if gateway is not None:
        return gateway
    loop = asyncio.get_running_loop()
    if _SHARED:
        return _SHARED[-1].gateway if _SHARED[-1].home is loop else _SHARED[-1]
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
        try:
            _CURRENT.reset(token)  # fails where a generator that was left half way is closed elsewhere
        finally:
            await gateway.aclose()


@asynccontextmanager
async def shared(gateway: Gateway) -> AsyncIterator[Gateway]:
    """Serve all runs of this process that have no gateway of their own, in every event loop; close it at the end.

    A run that is still at work then keeps to it: no other takes its place, or it would go on without limits.
    """
    _SHARED[:] = [Elsewhere(gateway, asyncio.get_running_loop())]
    try:
        yield gateway
    finally:
        await gateway.aclose()
