"""The way to one model: its queue, its health, its price, and what the calls that go there teach about them."""

import logging
from dataclasses import dataclass
from logging import ERROR, INFO, WARNING
from typing import Any

from agentinstruct.agents.calls import Completion, Model, Request
from agentinstruct.agents.errors import ProviderDown, ReplyError
from agentinstruct.agents.events import fault_of, tell
from agentinstruct.agents.limiter import Limiter
from agentinstruct.agents.limits import Health, RetryableError, Statistics
from agentinstruct.tools.prices import Price

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class Lane:
    """What belongs to one model: its queue, its health, its price."""

    spec: str
    model: Model
    limiter: Limiter
    health: Health
    price: Price | None
    statistics: Statistics
    refused: int = 0
    """How often it said that it has too much to do."""
    _told: tuple[int, float] = (0, 0.0)

    def tell_limit(self) -> None:
        """Tell the log when it is given more or fewer calls at once, or a minute, than was told last."""
        now = self.limiter.limit, round(self.limiter.gap, 4)
        if now != self._told:
            self._told = now
            tell(INFO, "limit", model=self.spec, limit=now[0], gap_s=now[1])

    async def send(self, request: Request) -> Completion:
        """Ask the model, once, and learn from what comes of it."""
        self.health.check()
        self.statistics.in_flight += 1
        try:
            completion = await self.model.complete(request)
            if self.health.answered():
                self._recovered()
            return completion
        except ReplyError as refusal:
            self._refused(refusal)
            raise
        except RetryableError as fault:
            self._failed(fault, request.key)
            raise
        except ProviderDown as down:
            self._gone(down)
            raise
        finally:
            self.statistics.in_flight -= 1

    def _refused(self, refusal: ReplyError) -> None:
        try:
            recovered = self.health.refused(refusal)
        except ProviderDown as down:
            self._gone(down)
            raise
        if recovered:
            self._recovered()

    def _recovered(self) -> None:
        _log.warning("%s answers again.", self.spec)
        tell(WARNING, "breaker closed", model=self.spec)
        self.statistics.waiting = ""
        self.limiter.resume()

    def _failed(self, fault: RetryableError, call: str) -> None:
        """A fault that may be the model's, not the call's: then nobody but single calls tries, until one succeeds."""
        self.statistics.refused += fault.kind == "busy"
        self.refused += fault.kind == "busy"
        was_open = self.health.open
        try:
            pause = self.health.failed(fault, call)
        except ProviderDown as down:
            self._gone(down)
            raise
        if pause:
            self.limiter.probing = True
            self.limiter.pause(pause)
            self.statistics.waiting = f"{self.spec} does not answer: {fault}"
            if not was_open:
                waiting = self.statistics.waiting.rstrip(".")
                _log.warning("%s. The run waits for it, %.0f s at most.", waiting, self.health.allowed)
                tell(WARNING, "breaker open", {"text": str(fault)}, model=self.spec, error=fault_of(fault))

    def _gone(self, error: ProviderDown) -> None:
        """Let the calls that wait through, to be spared the same."""
        tell(ERROR, "model down", {"text": str(error)}, model=self.spec, error=fault_of(error))
        self.health.down(error)
        self.statistics.waiting = ""
        self.limiter.resume()


def tell_fault(level: int, event: str, request: Request, fault: Exception, **fields: Any) -> None:
    """Tell the log what a call met; the server's own words are content."""
    tell(level, event, {"text": str(fault)}, agent=request.agent, model=request.model, error=fault_of(fault), **fields)
