"""Whether it is their number that calls are refused for: a server that bears so many refuses all above, and none below.

So a run of refusals with no call taken between them that was sent as one of as many speaks for a number; a refusal
among such calls does not. Calls sent in one moment come in any order: of these, the last are held to be the refused.
"""

from dataclasses import dataclass, field
from math import inf, log

from agentinstruct.agents.chance import Chance
from agentinstruct.agents.rounds import Burst, Sent

SURE, SURER = 3.0, 6.0
"""How much (as a logarithm) must speak for a number; and for one of which as many were taken not long ago."""


@dataclass(slots=True)
class Number:
    """What is known of how many a model takes at once."""

    _taken: float = 0.0
    """As many were."""
    _level: float = inf
    """The least number of the run of refusals."""
    _score: float = 0.0
    """How much the run speaks for a number."""
    _above: int = 0
    _near: int = 0
    """Calls sent as one of as many, and of one less, ever."""
    _begun: tuple[int, int] = 0, 0
    """The same, when the run began."""
    _refused: int = 0
    """Calls in the run."""
    _moment: float = -1.0
    _burst: Burst = field(default_factory=lambda: Burst(0))
    _last: Burst = field(default_factory=lambda: Burst(0))
    """The last one of which a call was refused."""
    _held: Burst = field(default_factory=lambda: Burst(0))
    """The last one of which so many were refused that their number explains it; and when it was sent."""
    _since: float = 0.0

    def sent(self, now: float, beside: int) -> tuple[Burst, int, int]:
        """A call goes out, as one of so many; gives what `Sent` is to keep of it."""
        self._above += beside >= self._level
        self._near += beside >= self._level - 1
        if now == self._moment:
            self._burst.top = max(self._burst.top, beside)
            self._burst.calls += 1
        else:
            self._moment, self._burst = now, Burst(beside)
        return self._burst, self._above, self._near

    def answered(self, beside: int) -> None:
        """One of so many was taken."""
        self._taken = max(self._taken, beside)

    def refused(self, sent: Sent, chance: Chance, sure: float) -> int:
        """The number that this refusal speaks for, 0 if it does not; `sure`: what is enough."""
        burst = sent.burst
        number = max(1, burst.top - burst.refused)
        ways = burst.refuse(sent.beside)
        if self._broken(sent, number):
            self._level, self._score, self._refused = number, 0.0, 0
            self._begun = self._above, self._near
        self._level = min(self._level, number)
        self._last = burst
        held = self._held
        if held.calls > 1 and burst is not held and number <= self._taken and burst.alike(held):
            chance.count(held.refused, self._since)  # fewer, and as many are refused
            self._held = Burst(0)
        self._refused += 1
        self._score -= log(chance.likely * ways)
        if self._score < (sure if number > self._taken else SURER):
            return 0
        if burst is not self._held:
            self._held, self._since = burst, sent.at
            chance.count((number < self._taken) + 1 - burst.refused, sent.at)  # one, where more were taken not long ago
        chance.sent -= sent.at >= chance.since
        self._taken = number - 1
        return number

    def _broken(self, sent: Sent, number: int) -> bool:
        """Whether calls were taken, since the run began, that were sent as one of as many."""
        if self._level == inf or (number < self._level - 1 and sent.burst is not self._last):
            return True
        if number <= self._taken and sent.burst is not self._last and self._last.calls > 1:
            return True
        if (sent.above - self._begun[0] if number >= self._level else sent.near - self._begun[1]) <= self._refused:
            return False
        self._taken = max(self._taken, min(self._level, number))
        return True
