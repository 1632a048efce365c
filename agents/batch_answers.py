"""What came of a batch job: answers are kept as they are read, the rest is asked for again, or given up.

An answer is in the journal before anybody is told, and whether or not somebody waits: a resumed run finds there what
it has not asked for yet.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from tempfile import TemporaryFile
from typing import Any

from agentinstruct.agents.batch_api import Seen
from agentinstruct.agents.batch_job import Job
from agentinstruct.agents.batch_lines import completion_in, lines_in
from agentinstruct.agents.batch_way import Way
from agentinstruct.agents.budget import Budget, cost_of
from agentinstruct.agents.calls import keep_lost
from agentinstruct.agents.endpoint import BadRequestError, Endpoint
from agentinstruct.agents.errors import ProviderDown, ProviderError, ReplyError
from agentinstruct.agents.gateway import CallStore, Completion, Request, RetryableError, Statistics
from agentinstruct.agents.wire import MODES, tokens_of
from agentinstruct.tools.prices import Price, price_of

TRIES = 3
"""How many jobs a call is sent in before it is given up."""
ENOUGH = 8
"""Calls refused in a job without one answer, after which the endpoint is to blame and not the calls."""


@dataclass(slots=True)
class Call:
    """A call that somebody waits for."""

    request: Request
    answer: asyncio.Future[Completion]
    tries: int = 0
    mode: int = 0
    names: dict[str, str] = field(default_factory=dict)
    """How it was asked for last: see `Endpoint`."""

    def fail(self, error: Exception) -> None:
        """Tell who waits that no answer will come."""
        if not self.answer.done():
            self.answer.set_exception(error)


@dataclass(slots=True)
class Books:
    """Where answers are kept, counted and paid."""

    journal: CallStore
    """What this run has had itself: only that tells whether an answer was paid."""
    store: CallStore
    """The journal, or what stands before it: a cache that other runs fill too."""
    statistics: Statistics
    prices: dict[str, Price]
    budget: Budget

    def price(self, model: str) -> Price | None:
        """What a model's tokens cost."""
        return price_of(model, self.prices)

    def bought(self, key: str) -> bool:
        """Whether this run has bought an answer: one that another run did has no cost."""
        return "cost" in (self.journal.get_call(key) or {})

    def keep(self, model: str, key: str, made: Completion, request: Request | None) -> Completion:
        """Keep an answer, once; gives it with its cost. `request` is not known where nobody waits."""
        if self.bought(key):
            return made
        price = self.price(model)
        if request:
            cost = cost_of(price, request, made)
        else:
            cost = price.of(made.input_tokens, made.cached_tokens, made.output_tokens) if price else 0.0
        made = replace(made, cost=cost)
        row = made.row() | (self.journal.get_call(key) or {})  # another run's reply, which may be handed out already
        self.store.put_call(key, row)
        self.statistics.bought(model, made, price)
        self.budget.pay(cost)
        return Completion(**row)

    def lose(self, key: str, mark: str, cost: float) -> None:
        """Pay for what was no answer, once for each mark."""
        if cost and self.journal.get_call(key + mark) is None:
            keep_lost(self.store, key, mark, cost)
            self.statistics.cost += cost
            self.budget.pay(cost, 0)


@dataclass
class Answers:
    """The results of one job, as they are read."""

    job: Job
    endpoint: Endpoint
    books: Books
    calls: dict[str, Call]
    """The calls that are waited for, of whichever job."""
    answered: int = 0
    met: set[str] = field(default_factory=set)
    """The calls for which a line has come."""
    faults: dict[str, str] = field(default_factory=dict)
    spoilt: set[str] = field(default_factory=set)
    """The calls whose answers were paid and cannot be read."""
    refused: dict[str, BadRequestError] = field(default_factory=dict)
    down: ProviderDown | None = None
    """Why no call can be answered now: no quota, say."""

    async def read(self, way: Way, seen: Seen) -> None:
        """Fetch what there is and keep every answer in it."""
        with TemporaryFile() as file:
            for name in filter(None, (seen.output, seen.mistakes)):
                await way.insist(lambda name=name: way.server.fetch(name, file))  # type: ignore[misc]
                for number, line in enumerate(lines_in(file)):
                    self._take(line)
                    if number % 100 == 0:
                        await asyncio.sleep(0)
        if seen.status == "completed":  # the work is done, whatever became of its line
            for key in self.job.calls.keys() - self.met:
                self.faults[key] = "its line in the results is missing, or is not JSON"
                self._spoilt(key, Completion(""))

    def _take(self, line: dict[str, Any]) -> None:
        key = str(line.get("custom_id"))
        if key not in self.job.calls:
            return
        self.met.add(key)
        try:
            completion = completion_in(line)
        except RetryableError as fault:
            self.faults[key] = str(fault)
            if fault.paid:
                self._spoilt(key, tokens_of(line["response"]["body"]))
        except ProviderDown as down:
            self.down, self.faults[key] = down, str(down)
        except BadRequestError as error:
            self.refused[key] = error
        else:
            self.answered += 1
            call = self.calls.get(key)
            completion = self.books.keep(self.job.model, key, completion, call.request if call else None)
            if call and not call.answer.done():
                self.endpoint.mode = max(self.endpoint.mode, call.mode)  # only what then worked
                call.answer.set_result(completion)

    def _spoilt(self, key: str, made: Completion) -> None:
        """Pay for an answer that cannot be read: by the tokens it tells of, else the most it can have cost."""
        self.spoilt.add(key)
        price, told = self.books.price(self.job.model), made.input_tokens or made.output_tokens
        worst = self.job.worst / len(self.job.calls)
        cost = price.of(made.input_tokens, made.cached_tokens, made.output_tokens) if price and told else worst
        self.books.lose(key, self.job.id, cost)

    def settle(self, again: Callable[[Call], None]) -> None:
        """Have what was not answered asked for again, or give it up.

        Raises:
            ProviderDown: not one call was answered and all are given up.
        """
        lost: list[tuple[Call, Exception]] = []
        for key, tries in self.job.calls.items():
            call = self.calls.get(key)
            if call is None or call.answer.done():
                continue
            if error := self._hopeless(key, call, tries):
                lost.append((call, error))
            elif key in self.spoilt:  # what was held for it is spent
                call.fail(RetryableError(self.faults[key], kind="spoilt"))
            else:
                again(call)
        if len(lost) >= ENOUGH and not self.answered:
            raise ProviderDown(f"batch job {self.job.batch}: no call of {len(self.job.calls)} answered; {lost[-1][1]}")
        for call, error in lost:
            if isinstance(error, ReplyError) and not self.books.statistics.calls:
                error = ProviderError(f"refused before any call was answered: {error.detail}")
            call.fail(error)
            self.books.statistics.failed += isinstance(error, ProviderError)

    def _hopeless(self, key: str, call: Call, tries: int) -> Exception | None:
        """Why a call need not be asked for again."""
        if error := self.refused.get(key):
            return None if self._otherwise(call, error) else _refusal(error)
        call.tries = tries
        if tries < TRIES:
            self.books.statistics.retries += 1
            return None
        fault = self.faults.get(key, "no answer came")
        return ProviderError(f"{self.job.model}: {fault} ({tries} batch jobs)")

    def _otherwise(self, call: Call, error: BadRequestError) -> bool:
        """Whether there is another way to ask what this server refused."""
        self.endpoint.learn(str(error))
        if self.endpoint.names != call.names:
            return True
        call.mode += 1
        return error.about_format and call.request.schema is not None and call.mode < len(MODES)


def _refusal(error: BadRequestError) -> ReplyError:
    return ReplyError("not understood" if error.about_format else "request refused", str(error))
