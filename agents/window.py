"""How many calls at once a model is given, and how fast: learnt from what comes back. Knows no clock and no queue.

an answer       in the ramp it opens one more slot; afterwards a whole window of answers does
429, 503, 529   a quarter less, in the ramp half, once per round trip however many calls are refused
… a time-out    the same. The number that was refused is not tried again for a while: trying costs a pause
… again, below  it is not how many, but how many a second: calls are spaced by the rate that went through
more in flight  but no more done in the same time: only latency rises, so back to as many as before
"""

from dataclasses import dataclass, field
from math import inf
from typing import NamedTuple

START = 32
"""Calls at once before anything is known of a model."""
PATIENCE = 20
"""How many round trips and pauses a refused number is left alone: what trying costs stays under a tenth."""


class Sent(NamedTuple):
    """A call under way: when it was sent, how many there were then with it, and under which limit."""

    at: float
    beside: int
    limit: int


@dataclass(slots=True)
class Round:
    """What a window's worth of calls came to: how many in flight, answers a second, tokens a second."""

    since: float
    calls: int = 0
    tokens: int = 0
    beside: int = 0

    def add(self, sent: Sent, tokens: int) -> None:
        """One more answer."""
        self.calls += 1
        self.tokens += tokens
        self.beside += sent.beside

    def gain(self, over: "Round", now: float, before: float) -> tuple[float, float]:
        """How many times as many in flight as in an earlier round, and how many times as much done."""
        if not over.calls or now <= self.since:
            return 1.0, 1.0
        more = self.beside / self.calls / (over.beside / over.calls)
        faster = before / (now - self.since)
        done = max(self.calls / over.calls, self.tokens / over.tokens if over.tokens else 0.0)
        return more, done * faster


@dataclass(slots=True)
class Window:
    """The limit of one model. Times are in seconds of whatever clock the caller keeps."""

    ceiling: int
    size: float = field(default=0.0)
    gap: float = 0.0
    """Seconds between calls, where the server counts calls or tokens a minute."""
    cuts: int = 0
    _ramping: bool = True
    _refused: float = inf
    """As many in flight were refused."""
    _until: float = 0.0
    """Until when that is not tried again."""
    _doubts: int = 0
    _trip: float = 0.0
    _since: float = 0.0
    _answers: int = 0

    def __post_init__(self) -> None:
        self.size = self.size or float(min(self.ceiling, START))

    @property
    def limit(self) -> int:
        """Calls at once, at least 1."""
        return max(1, min(self.ceiling, int(self.size)))

    def sent(self, now: float, in_flight: int) -> Sent:
        """A call that goes out now, as one of so many."""
        return Sent(now, in_flight, self.cuts)

    def answered(self, sent: Sent, now: float, *, full: bool) -> None:
        """An answer came; `full`: others wait, so that the limit is what holds them up."""
        self._answers += 1
        self._trip += (now - sent.at - self._trip) / 8
        if self.gap:
            self._closer(now)
        elif full and sent.limit == self.cuts:
            self._grow(now)

    def _grow(self, now: float) -> None:
        if now >= self._until:
            self._refused, self._doubts = inf, 0
        if self._ramping:
            self.size += 1
        elif self.size + 1 < self._refused:
            self.size += 1 / self.size
        self.size = min(self.size, self.ceiling)

    def refused(self, sent: Sent, now: float, pause: float) -> None:
        """The server has too much to do, and asks for a pause."""
        if sent.limit != self.cuts:  # sent before the last cut, and so no news
            return
        self.cuts += 1
        if self.gap:
            self.gap *= 1.25
        else:
            self._cut(sent, now, pause)
        self._since, self._answers, self._ramping = now, 0, False

    def _cut(self, sent: Sent, now: float, pause: float) -> None:
        self._doubts += now < self._until
        if self._doubts > 1:
            self.gap, self._doubts, self._until = (now - self._since) / max(1, self._answers) * 1.1, 0, 0.0
            return
        self._refused, self._until = sent.beside, now + PATIENCE * (pause + self._trip)
        self.size = max(1.0, self.size * (0.5 if self._ramping else 0.75))

    def _closer(self, now: float) -> None:
        """Space calls a little less: a fiftieth for each second without a refusal."""
        self.gap /= 1 + min(0.02 * (now - self._since), 0.1)
        self._since = now
        if self.gap * self.size < self._trip:
            self.gap = 0.0
