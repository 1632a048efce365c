"""How long a gateway keeps trying, when it calls a model down, and what it counts."""

import time
from dataclasses import dataclass, field
from random import Random
from typing import Literal, Protocol

from agentinstruct.agents.errors import ProviderDown, ProviderError, ReplyError
from agentinstruct.tools.prices import Price

LONGEST_WAIT_S = 120.0
"""A server that asks for a longer pause is asked again after this one."""
Kind = Literal["busy", "late", "spoilt", "absent", "broken"]


class RetryableError(Exception):
    """A fault that may pass: the call is tried again after `after` seconds at the earliest.

    busy: the server is up and has too much to do. late: it did not answer in time. spoilt: it answered what cannot be
    read. absent: nobody was there, or left before answering. broken: it said that it failed. What is late or spoilt may
    have been paid for, and what was left unanswered once it was `taken`.
    """

    def __init__(self, message: str, after: float = 0.0, *, kind: Kind = "broken", taken: bool = False) -> None:
        super().__init__(message)
        self.after = after
        self.kind = kind
        self.paid = taken or kind in ("late", "spoilt")
        """Whether the model may have done the work."""


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

    @property
    def cost(self) -> float:
        """USD, at list prices."""


@dataclass(slots=True)
class Statistics:
    """What went through a gateway since it was made: plain counts, which can be sent and added up."""

    calls: int = 0
    from_journal: int = 0
    """Replies that were known and not bought again."""
    from_cache: int = 0
    """Of these, those that another run bought."""
    retries: int = 0
    refused: int = 0
    """Of the retried: by a server that had too much to do."""
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
    unpriced: list[str] = field(default_factory=list)
    """Models whose price is not known, so that `cost` leaves them out."""
    waiting: str = ""
    """What keeps the run from going on just now."""

    def bought(self, model: str, made: Tokens, price: Price | None) -> None:
        """Count a finished call, its tokens and its cost."""
        if price is None and model not in self.unpriced:
            self.unpriced.append(model)
        self.calls += 1
        self.input_tokens += made.input_tokens
        self.cached_tokens += made.cached_tokens
        self.output_tokens += made.output_tokens
        self.cost += made.cost


@dataclass(slots=True)
class Patience:
    """How long a gateway keeps trying."""

    attempts: int = 6
    """Tries of one call; one that a busy server put off counts a quarter."""
    base_s: float = 0.5
    longest_s: float = 30.0
    call_s: float = 1800.0
    """A call that has not succeeded this long after it was first sent is not tried again."""
    outage_s: float = 300.0
    """A model from which nothing has come for this long, after 8 faults in a row, is down."""
    first_s: float = 4.0
    """The same for one that has not answered yet: more likely misnamed or not started than out for a moment."""

    def weight(self, fault: RetryableError, outage: bool) -> float:
        """How much of a call's tries a fault takes: little of one that a busy server put off, none in an outage."""
        if fault.kind == "absent" and outage:
            return 0.0
        return 0.25 if fault.kind == "busy" else 1.0

    def pause(self, used: float, fault: RetryableError, draw: Random) -> float:
        """Seconds until the next try, by what was used: full jitter; the queue waits where the server names a time."""
        return 0.0 if fault.after else draw.uniform(0, min(self.longest_s, self.base_s * 2.0 ** (used - 1)))


class Health:
    """Whether a model answers at all: the circuit breaker.

    8 faults in a row open it, of 8 calls where the server is up: calls wait, but for single ones that try. It closes
    with the first answer; when none has come for too long, the model is down.
    """

    def __init__(self, patience: Patience) -> None:
        self._patience = patience
        self._faults = 0
        self._failing: set[str] = set()
        self._since = 0.0
        self._known = False
        self._refusals = 0
        self._tries = 0
        self._next = 0.0
        """When a single call may try again, while the breaker is open."""
        self._down: tuple[float, str] | None = None

    @property
    def allowed(self) -> float:
        """Seconds of silence after which the model is down."""
        return self._patience.outage_s if self._known else self._patience.first_s

    @property
    def open(self) -> bool:
        """Whether calls have to wait for an answer to one of them."""
        return self._tries > 0

    def check(self) -> None:
        """Raise ProviderDown without a call when the model was found down a moment ago."""
        if self._down and time.monotonic() < self._down[0]:
            raise ProviderDown(self._down[1])

    def answered(self) -> bool:
        """An answer came: the count starts again. Whether it ends an outage."""
        was_open = self.open
        self._faults, self._tries, self._down, self._known = 0, 0, None, True
        self._failing.clear()
        return was_open

    def refused(self, error: ReplyError) -> bool:
        """A refusal is the request's fault where others were answered; before any was, it may be the endpoint's."""
        if self._known or error.reason != "not understood":
            return self.answered()
        self._refusals += 1
        if self._refusals >= 8:
            down = ProviderDown(f"{self._refusals} requests refused and none answered; the last one: {error.detail}")
            self.down(down)
            raise down from error
        raise ProviderError(f"refused before any request was answered: {error.detail}") from error

    def down(self, error: ProviderDown) -> None:
        """Spare the calls that still wait the same refusal; a later run may try again."""
        self._tries = 0
        self._down = time.monotonic() + min(20.0, self._patience.outage_s), str(error)

    def failed(self, error: RetryableError, call: str) -> float:
        """Count a fault; gives the seconds for which nobody should try, 0 while it may be this call's alone.

        Raises:
            ProviderDown: there were too many for too long; longer for a server that is busy.
        """
        self._since = self._since if self._faults else time.monotonic()
        self._faults += 1
        self._failing.add(call)
        silent = time.monotonic() - self._since
        allowed = max(self.allowed, LONGEST_WAIT_S) if error.kind == "busy" else self.allowed
        if self._faults < 8:
            return 0.0
        if silent >= allowed:
            down = ProviderDown(f"{self._faults} calls in a row failed for {silent:.0f} s; the last one: {error}")
            self.down(down)
            raise down from error
        if error.kind == "busy" or (error.kind != "absent" and len(self._failing) < 8):
            return 0.0
        if time.monotonic() < self._next:  # sent before it opened, and so no news
            return 0.0
        self._tries += 1
        pause = min(0.25 * 2.0 ** min(self._tries, 5), 5.0, max(0.01, allowed - silent))
        self._next = time.monotonic() + pause
        return pause
