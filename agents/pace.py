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

SPACED, SHARE = 1.2, 0.02
"""How much slower after a refusal for the rate; which share of the calls may meet one."""
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
    """A window's worth of answers: how many, how long they took, what they held, how many were in flight."""

    since: float
    goal: int = START
    calls: int = 0
    tokens: int = 0
    width: int = 0
    took: float = 0.0

    def add(self, sent: Sent, tokens: int, now: float) -> None:
        """One more answer."""
        self.calls += 1
        self.tokens += tokens
        self.width = max(self.width, sent.beside)
        self.took = now - self.since

    def gain(self, over: "Round") -> float:
        """How many times as much was done in the same time: calls or tokens, whichever gained more."""
        done = max(self.calls / over.calls, self.tokens / over.tokens if over.tokens else 0.0)
        return done * over.took / self.took if self.took else inf


@dataclass(slots=True)
class Pace:
    """The limit of one model. Times are in seconds of whatever clock the caller keeps."""

    ceiling: int
    fixed: bool = False
    """Whether as many as allowed are known to be right from the start."""
    size: float = 0.0
    gap: float = 0.0
    """Seconds between calls, where the server counts calls or tokens a minute."""
    cuts: int = 0
    _ramping: bool = True
    _refused: float = inf
    """As many in flight were refused."""
    _until: float = 0.0
    """Until when that is not tried again."""
    _futile: int = 0
    """Refusals in a row that being slower did not put off; -1 before the first."""
    _chance: float = 0.0
    """Until when refusals are taken for chance."""
    _trip: float = 0.0
    _since: float = 0.0
    _answers: int = 0
    _beside: int = 0
    """Since then: answers, and the sum of how many each had with it."""
    _round: Round = field(default_factory=lambda: Round(0.0))
    _mark: Round | None = None
    """The last round that was worth its width."""
    _rests: int = 0
    _rested: float = 0.0
    """Until when the ramp rests, having brought nothing."""

    def __post_init__(self) -> None:
        self.size = float(self.ceiling if self.fixed else START)
        self._ramping = not self.fixed

    @property
    def limit(self) -> int:
        """Calls at once, at least 1."""
        return max(1, min(self.ceiling, int(self.size)))

    def sent(self, now: float, in_flight: int) -> Sent:
        """A call that goes out now, as one of so many."""
        if not self._since:
            self._since, self._round = now, Round(now, self.limit)
        return Sent(now, in_flight, self.cuts)

    def answered(self, sent: Sent, now: float, tokens: int, *, full: bool) -> None:
        """An answer of so many tokens came; `full`: others wait, so that the limit is what holds them up."""
        self._answers += 1
        self._beside += sent.beside
        self._trip += (now - sent.at - self._trip) / 8
        if self.gap:
            self._closer()
        if not full or sent.limit != self.cuts:
            self._round = Round(now, self.limit)
            return
        self._grow(now)
        self._round.add(sent, tokens, now)
        if self._ramping and self._round.calls >= max(8, self._round.goal) and self._round.took >= 0.9 * self._trip:
            self._compare(now)

    def _grow(self, now: float) -> None:
        if now >= self._until:
            self._refused = inf
        if self.size >= self.ceiling:
            return
        if self._ramping:
            self.size += now >= self._rested
        elif (room := self._refused - 1 - self.size) > 0:
            self.size += (max(1.0, room / 4) if room < inf else 1.0) / self.size

    def _compare(self, now: float) -> None:
        """Go back to the last width that was worth it, for a while, when a greater one only takes longer."""
        this, mark, self._round = self._round, self._mark, Round(now, self.limit)
        more = this.width / mark.width if mark else 0.0
        if mark and more > 1.3 and this.gain(mark) < 1 + (more - 1) / 4:
            self._rests += 1
            self._rested = now + mark.took * PATIENCE * self._rests
            self.size = max(1.0, mark.width)
        elif not mark or not 0.8 < more < 1.3:
            self._mark, self._rests = this, self._rests if more < 1 else 0

    def refused(self, sent: Sent, now: float, pause: float) -> None:
        """The server has too much to do, and asks for a pause."""
        if sent.limit != self.cuts:  # sent before the last cut, and so no news
            return
        self.cuts += 1
        if self.gap:
            self._space_out(now, pause)
        else:
            self._cut(sent, now, pause)
        self._since, self._answers, self._beside, self._ramping = now, 0, 0, False

    def _cut(self, sent: Sent, now: float, pause: float) -> None:
        chance = now < self._chance
        if self._too_fast(sent, now) and not chance:
            self.gap = (now - self._since) / self._answers * SPACED
            self._refused, self._until, self._futile = inf, 0.0, -1
            return
        if not chance:
            self._refused = min(sent.beside, self._refused if now < self._until else inf)
            self._until = now + PATIENCE * (pause + self._trip)
        self.size = min(self.size, self.ceiling)
        less = min(self.size * (0.5 if self._ramping else 0.75), sent.beside - 1)
        self.size = max(1.0, self.size / 2, less)

    def _too_fast(self, sent: Sent, now: float) -> bool:
        """Whether as many in flight, or more, went well for a while: then it is the rate that is refused."""
        if self._answers < self.size:
            return False
        usual = self._beside / self._answers
        return sent.beside < (1.05 if now < self._until and self.size < self._refused else 0.7) * usual

    def _space_out(self, now: float, pause: float) -> None:
        """Too fast still; unless it is chance, for then being slower does not help."""
        self._futile = self._futile + 1 if self._answers < 1 / SHARE else 0
        if self._futile > 5:
            self.gap, self._futile, self._chance = 0.0, 0, now + 400 * (pause + self._trip)
        else:
            self.gap = max(self.gap * SPACED, (now - self._since) / max(1, self._answers))

    def _closer(self) -> None:
        """A little faster with each answer, so that a refusal comes now and then and not often."""
        self.gap *= SPACED ** -(SHARE if self._futile >= 0 else 10 * SHARE)
        if self.gap * self.size < self._trip:  # it is the number again that holds them up
            self.gap = 0.0
