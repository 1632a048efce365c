"""What a run may spend: money, calls, or both. No call is sent whose worst case would not fit.

    hold = await budget.reserve(price, request)      waits while calls under way may still turn out cheaper
    budget.settle(hold, cost)                        what it came to takes the place of what was held

The worst case of a call is all its text read as one token a byte, which no tokenizer exceeds, and the longest answer
it allows. When a call no longer fits and none is under way, the budget is reached.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING

import orjson

from agentinstruct.agents.errors import BudgetReached, SetupError
from agentinstruct.tools.prices import Price, price_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from agentinstruct.agents.calls import Completion, Request

FIRST = 8
"""Pieces of work begun before it is known what a call costs."""
_ROLE_TOKENS = 16
"""What a chat format adds to each message, and more."""


@dataclass
class Budget:
    """Money and calls that may be spent; `spent` and `calls` hold what earlier sittings did."""

    usd: float = inf
    most_calls: float = inf
    spent: float = 0.0
    calls: int = 0
    look: Callable[[], None] = lambda: None
    """Told when more is known of what calls cost, so that there may be room for more work."""

    def __post_init__(self) -> None:
        self._held = 0.0
        self._under_way = 0
        self._waiting: dict[asyncio.Future[None], float] = {}

    def check(self, models: "Iterable[str]", prices: dict[str, Price]) -> None:
        """Refuse before the first call what could not be held to.

        Raises:
            SetupError: the price of a model is not known.
        """
        unknown = sorted({model for model in models if price_of(model, prices) is None})
        if unknown and self.usd < inf:
            raise SetupError(
                f"--budget: no price is known for {', '.join(unknown)}. Give one by --prices FILE: "
                '{"models": {"NAME": [input, cached, output]}} in USD per million tokens.'
            )

    async def reserve(self, price: Price | None, request: "Request") -> float:
        """Hold the most that a call can cost.

        Raises:
            BudgetReached: it would not fit.
        """
        cost = worst_case(price, request) if self.usd < inf else 0.0
        while not self._fits(cost):
            if self.reached:
                dear = self.spent + cost > self.usd
                raise BudgetReached(self.told() + (f"; the next call could cost {money(cost)}" if dear else ""))
            turn = asyncio.get_running_loop().create_future()
            self._waiting[turn] = cost
            try:
                await turn
            finally:
                del self._waiting[turn]
        self._held += cost
        self._under_way += 1
        self.look()
        return cost

    def settle(self, hold: float, cost: float, calls: int = 1) -> None:
        """Put what a call really cost in the place of what was held for it; `calls` is 0 when nothing was bought."""
        self._under_way -= 1
        self._held = self._held - hold if self._under_way else 0.0
        self.spent += cost
        self.calls += calls
        self._look_again()

    @property
    def reached(self) -> bool:
        """Whether what does not fit now never will."""
        return not self._under_way

    def _look_again(self) -> None:
        """Let those who wait see whether they fit now."""
        for turn in self._waiting:
            if not turn.done():
                turn.set_result(None)

    @property
    def limited(self) -> bool:
        """Whether there is an end to it."""
        return min(self.usd, self.most_calls) < inf

    def room(self, finished: int, begun: int, usual: float) -> float:
        """For how many pieces of work at once it lasts, by what calls have cost and by how many a piece takes.

        More under way would use up what is left, and none would be finished.

        Args:
            finished: Pieces that are done, those of earlier sittings too.
            begun: Those under way.
            usual: Calls that one takes, until some have shown it.
        """
        if not self.limited:
            return inf
        known = self.calls or self._under_way
        if not known:
            return FIRST
        call = (self.spent if self.calls else self._held) / known
        takes = min(usual, self.calls / finished) if finished and self.calls else usual
        takes = max(takes, self.calls / max(1, finished + begun), 1e-9)
        lasts = min(self.usd / max(takes * call, 1e-9), self.most_calls / takes) - finished
        return max(1.0 if finished else FIRST, lasts)

    def commit(self, cost: float) -> None:
        """Hold the most that a call can cost which an earlier sitting has sent, whether or not it fits."""
        self._held += cost
        self._under_way += 1

    def pay(self, cost: float, calls: int = 1) -> None:
        """Count a call that was bought, or only paid; its hold is settled by who waits for it, if anybody does."""
        self.spent += cost
        self.calls += calls

    def told(self) -> str:
        """How much of it is gone."""
        paid = f"{money(self.spent)} of {money(self.usd)}" if self.usd < inf else ""
        calls = f"{self.calls} of {self.most_calls:.0f} calls" if self.most_calls < inf else ""
        return " and ".join(part for part in (paid, calls) if part) + " spent"

    def take(self) -> bool:
        """Count a reply that is known already as a call, where one more may be made."""
        if not self._fits(0.0):
            return False
        self.calls += 1
        return True

    def _fits(self, cost: float) -> bool:
        return self.spent + self._held + cost <= self.usd and self.calls + self._under_way < self.most_calls


def money(usd: float) -> str:
    """Dollars: cents, and where there is less than one the digits that show it."""
    return f"${usd:,.2f}" if round(usd, 2) == usd else f"${usd:,.{4 if usd >= 0.01 else 8}f}".rstrip("0")


def cost_of(price: Price | None, request: "Request", made: "Completion") -> float:
    """What a call cost in USD: by the tokens the server counted, else by an estimate that is rather too high."""
    if price is None or not (price.input or price.output):
        return 0.0
    if made.input_tokens or made.output_tokens:
        return price.of(made.input_tokens, made.cached_tokens, made.output_tokens)
    return price.of(read_at_most(request), 0, min(request.max_tokens, _bytes(made.text)))


def worst_case(price: Price | None, request: "Request") -> float:
    """The most that a call can cost, in USD, as far as is known; takes some microseconds."""
    if price is None:
        return 0.0
    return (read_at_most(request) * max(price.input, price.cached) + request.max_tokens * price.output) / 1e6


def read_at_most(request: "Request") -> int:
    """Tokens that a request cannot exceed: no tokenizer makes more of a text than it has bytes."""
    size = sum(_bytes(message["content"]) + _ROLE_TOKENS for message in request.messages)
    return size + len(orjson.dumps(request.schema)) + 64 if request.schema else size


def _bytes(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))
