"""Whether refusals come of load or of chance: what became of calls, by how hard the model was pressed.

Load refuses less when it is pressed less, and gives as many answers in the same time. Chance refuses the same share at
every pressure, so that whoever presses less only gets less. A level is a power of two of the pressure.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from math import sqrt

CALM = 500
"""So many calls without a refusal: what was refused before is another matter."""
TELLING, TELLING_OTHERWISE = 3, 12
"""Refusals that make a share; and those that make one other than what is known."""
LEAST = 0.003
"""A share of less is none."""


@dataclass(slots=True)
class Level:
    """What became of the calls of one level, and how long it lasted, with the pauses that it cost."""

    sent: int = 0
    refused: int = 0
    seconds: float = 0.0

    @property
    def share(self) -> float:
        """Of the calls, those that were refused."""
        return self.refused / max(1, self.sent)

    def like(self, other: "Level") -> bool:
        """Whether as many of its calls are refused, and as many are not, as of another's: within a factor of two."""
        one, two = self.share, other.share
        return 0.5 < one / two < 2 and 1 - one <= 2 * (1 - two) and 1 - two <= 2 * (1 - one)

    @property
    def speed(self) -> float:
        """Calls a second that were not refused."""
        return (self.sent - self.refused) / self.seconds if self.seconds else 0.0


@dataclass(slots=True)
class Chance:
    """The share of calls that a model refuses whatever it has to do, as far as is known: 0 until it shows."""

    share: float = 0.0
    _found: float = 0.0
    """The same, as it was found."""
    _sent: int = 0
    _refused: int = 0
    """Since the last cut."""
    _levels: defaultdict[int, Level] = field(default_factory=lambda: defaultdict(Level))
    """Where refusals were met lately."""
    _here: Level = field(default_factory=Level)
    _level: int = -1
    _entered: float = 0.0
    _begun: float = 0.0
    _calm: int = 0

    def sent(self, level: int, limit: int, now: float) -> None:
        """A call goes out at this level, under this limit."""
        if level != self._level:
            self._here.seconds += now - self._entered
            self._here, self._level, self._entered = self._levels[level], level, now
        self._here.sent += 1
        self._calm += 1
        self._sent += 1
        if self.share and self._sent >= max(100, 2 * limit, 10 / self.share):
            self._follow()

    def _follow(self) -> None:
        """Expect what is refused lately; not more than what was found to be chance."""
        self.share = min(self._found, self.share + (self._refused / self._sent - self.share) / 4)
        self.share *= self.share > LEAST
        self._sent, self._refused = self._sent // 2, self._refused // 2

    @property
    def burst(self) -> int:
        """Calls sent since the last cut."""
        return self._sent

    def refused(self, level: int, at: float, now: float) -> None:
        """A call that was sent then, at this level, was refused."""
        if self._calm >= CALM:
            self.forget(now)
        self._calm = 0
        if at >= self._begun:
            self._levels[level].refused += 1

    def expected(self) -> bool:
        """Whether, with one refusal more since the last cut, there are no more than chance makes."""
        self._refused += 1
        likely = self._sent * self.share
        spread = likely * (1 - self.share)
        return self._refused <= likely + spread / 2 + 4 * sqrt(spread)

    def idle(self, seconds: float) -> None:
        """Nothing was sent for so long, for want of calls."""
        self._entered += seconds

    def cut(self) -> None:
        """The limits are others from now on."""
        self._sent = self._refused = 0

    def forget(self, now: float) -> None:
        """What was met so far tells nothing of what will be."""
        self._levels.clear()
        self._here, self._level, self._entered, self._begun = Level(), -1, now, now

    def accept(self, share: float, now: float) -> None:
        """From now on, so many are refused by chance; 0: what was taken for chance was none."""
        self.share = self._found = share
        if share:
            self.cut()
            self.forget(now)

    def judged(self, now: float, pause: float, trip: float) -> tuple[float, int] | None:
        """The share that chance refuses, 0 where it is load, and up to which level; None while neither shows.

        `pause`: what the last refusal costs; `trip`: how long an answer takes.
        """
        self._here.seconds += now + pause - self._entered
        self._entered = now + pause
        telling = TELLING_OTHERWISE if self.share else TELLING
        high, top, below = Level(), 0, sorted(self._levels)
        while below:
            top = max(top, below[-1])
            high = _sum([high, self._levels[below.pop()]])
            low = _sum(self._levels[level] for level in below)
            if min(high.refused, low.refused) < telling or min(high.seconds, low.seconds) < trip:
                continue
            if low.like(high):
                return _sum([low, high]).share if high.speed > 1.25 * low.speed else 0.0, top
            high, top = Level(), 0  # that was load; what is refused below may not be
        return None


def _sum(levels: Iterable[Level]) -> Level:
    total = Level()
    for one in levels:
        total.sent += one.sent
        total.refused += one.refused
        total.seconds += one.seconds
    return total
