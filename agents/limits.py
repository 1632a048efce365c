"""How long a gateway keeps trying, when it calls a model down, and what it counts."""

import time
from dataclasses import dataclass, field
from random import Random
from typing import Protocol

from agentinstruct.agents.errors import ProviderDown, ProviderError, ReplyError
from agentinstruct.tools.prices import Price, price_of

LONGEST_WAIT_S = 120.0
"""A server that asks for a longer pause is asked again after this one."""


class RetryableError(Exception):
    """A fault that may pass: the call is tried again after `after` seconds at the earliest.

    `busy` is the fault of a server that is up and has too much to do.
    """

    def __init__(self, message: str, after: float = 0.0, *, busy: bool = False) -> None:
        super().__init__(message)
        self.after = after
        self.busy = busy


class Tokens(Protocol):
    """Something that took tokens: a completion."""

    @property
    def input_tokens(self) -> int:
        """Tokens read, cached ones included."""

    @property
    def cached_tokens(self) -> int:
        """Of these, tokens the provider had in its cache."""

    @property
    def output_tokens(self) -> int:
        """Tokens written."""


@dataclass(slots=True)
class Statistics:
    """What went through a gateway since it was made."""

    calls: int = 0
    from_journal: int = 0
    retries: int = 0
    failed: int = 0
    in_flight: int = 0
    batched: int = 0
    """Calls that wait for a provider's batch jobs, sent or still to be."""
    jobs: int = 0
    """Batch jobs under way."""
    input_tokens: int = 0
    cached_tokens: int = 0
    output_tokens: int = 0
    cost: float = 0.0
    """USD, at list prices."""
    unpriced: set[str] = field(default_factory=set)
    """Models whose price is not known, so that `cost` leaves them out."""

    def bought(self, model: str, made: Tokens, prices: dict[str, Price]) -> None:
        """Count a finished call, its tokens and its cost."""
        read, cached, written = made.input_tokens, made.cached_tokens, made.output_tokens
        price = price_of(model, prices)
        if price is None:
            self.unpriced.add(model)
        else:
            self.cost += price.of(read, cached, written)
        self.calls += 1
        self.input_tokens += read
        self.cached_tokens += cached
        self.output_tokens += written


@dataclass(slots=True)
class Patience:
    """How long a gateway keeps trying."""

    attempts: int = 6
    base_s: float = 0.5
    longest_s: float = 30.0
    outage_s: float = 20.0
    """A model from which nothing has come for this long, after 8 faults in a row, is down."""
    first_s: float = 4.0
    """The same for one that has not answered yet: more likely misnamed or not started than out for a moment."""

    def pause(self, attempt: int, fault: RetryableError, draw: Random) -> float:
        """Seconds until the next attempt: what the server asks for, else exponential with full jitter."""
        ceiling = min(self.longest_s, self.base_s * 2**attempt)
        return max(min(fault.after, LONGEST_WAIT_S), draw.uniform(0, ceiling))


class Health:
    """Whether a model answers at all: faults in a row, and since when."""

    def __init__(self, patience: Patience) -> None:
        self._patience = patience
        self._faults = 0
        self._since = 0.0
        self._known = False
        self._refusals = 0
        self._down: tuple[float, str] | None = None

    def check(self) -> None:
        """Raise ProviderDown without a call when the model was found down a moment ago."""
        if self._down and time.monotonic() < self._down[0]:
            raise ProviderDown(self._down[1])

    def answered(self) -> None:
        """An answer came: the count starts again."""
        self._faults, self._down, self._known = 0, None, True

    def refused(self, error: ReplyError) -> None:
        """A refusal is the request's fault where others were answered; before any was, it may be the endpoint's."""
        if self._known or error.reason != "not understood":
            self.answered()
            return
        self._refusals += 1
        if self._refusals >= 8:
            down = ProviderDown(f"{self._refusals} requests refused and none answered; the last one: {error.detail}")
            self.down(down)
            raise down from error
        raise ProviderError(f"refused before any request was answered: {error.detail}") from error

    def down(self, error: ProviderDown) -> None:
        """Spare the calls that still wait the same refusal; a later run may try again."""
        self._down = time.monotonic() + self._patience.outage_s, str(error)

    def failed(self, error: RetryableError) -> None:
        """Count a fault; raise ProviderDown when there were too many for too long, longer for a server that is busy."""
        self._since = self._since if self._faults else time.monotonic()
        self._faults += 1
        silent = time.monotonic() - self._since
        allowed = self._patience.outage_s if self._known else self._patience.first_s
        if self._faults >= 8 and silent >= (max(allowed, LONGEST_WAIT_S) if error.busy else allowed):
            down = ProviderDown(f"{self._faults} calls in a row failed for {silent:.0f} s; the last one: {error}")
            self.down(down)
            raise down from error
