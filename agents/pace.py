"""How many calls at once a model is given, and how fast: learnt from what comes back. Knows no clock and no queue.

an answer       in the ramp it opens one more slot; afterwards a whole window of answers does
429, 503, 529   a quarter less, in the ramp half, once per round trip however many calls are refused
… a time-out    the same. The number that was refused is not tried again for a while: trying costs a pause
… again, below  it is not how many, but how many a second: calls are spaced by the rate that went through (`Spacing`)
… at any load   it is chance: as many as before, and such a share of refusals is expected from now on (`Chance`)
more in flight  but no more done in the same time: only latency rises, so back to as many as before
"""

from dataclasses import dataclass, field
from math import frexp, inf, sqrt

from agentinstruct.agents.chance import Chance
from agentinstruct.agents.rounds import START, Round, Sent
from agentinstruct.agents.spacing import PATIENCE, RARELY, Spacing

STUCK = 5
"""So often a call alone is refused, with answers between, before that is the speed."""


@dataclass(slots=True)
class Pace:
    """The limit of one model. Times are in seconds of whatever clock the caller keeps."""

    ceiling: int
    fixed: bool = False
    """Whether as many as allowed are known to be right from the start."""
    size: float = 0.0
    cuts: int = 0
    _ramping: bool = True
    _refused: float = inf
    """As many in flight were refused."""
    _until: float = 0.0
    """Until when that is not tried again."""
    _soon: int = 0
    """Cuts in a row, each soon after the one before."""
    _widest: float = 0.0
    """The greatest limit that was cut."""
    _stuck: int = 0
    """Cuts in a row that could take nothing away, with answers between."""
    _burst: int = 0
    """How many of the burst that met the last cut may not be refused."""
    _pause: float = 0.0
    """What the last cut cost beside; at a limit of 1, what all did since calls were measured."""
    _chance: Chance = field(default_factory=Chance)
    _spacing: Spacing = field(default_factory=Spacing)
    _trip: float = 0.0
    _since: float = 0.0
    _last: float = 0.0
    """When something last came back."""
    _answers: int = 0
    _own: int = 0
    _beside: int = 0
    """Since the last cut: answers, those to calls sent since, and the sum of how many each of these had with it."""
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

    @property
    def gap(self) -> float:
        """Seconds between calls, where the server counts calls or tokens a minute; 0 where it does not."""
        return self._spacing.gap

    def sent(self, now: float, in_flight: int) -> Sent:
        """A call that goes out now, as one of so many."""
        if not self._since:
            self._since, self._round = now, Round(now, self.limit)
        elif in_flight == 1:
            self._idle(now - max(self._last, self._since) - PATIENCE * (self._trip + self.gap + self._pause))
        level = 100 - frexp(self.gap)[1] if self.gap else self.limit.bit_length()
        self._chance.sent(level, self.limit, now)
        return Sent(now, in_flight, self.cuts, level)

    def _idle(self, seconds: float) -> None:
        """So long, beyond what a pause or a caller's own patience takes, nobody asked: that tells nothing of speed."""
        if seconds > 0:
            self._since += seconds
            self._chance.idle(seconds)

    def answered(self, sent: Sent, now: float, tokens: int, *, full: bool) -> None:
        """An answer of so many tokens came; `full`: others wait, so that the limit is what holds them up."""
        self._last = now
        self._answers += 1
        if sent.limit == self.cuts:
            self._own += 1
            self._beside += sent.beside
        self._trip += (now - sent.at - self._trip) / 8
        if self.gap:
            self._closer(sent, now)
        if not full or sent.limit != self.cuts:
            self._round = Round(now, self.limit)
            return
        self._grow(now)
        self._round.add(sent, tokens, now)
        ripe = self._round.calls >= max(8, self._round.goal) and self._round.took >= 0.9 * self._trip
        if ripe and self._ramping and not self._chance.share:
            self._compare(now)

    def _closer(self, sent: Sent, now: float) -> None:
        self._spacing.answered(self._trip)
        if self._spacing.free:
            self.size = self._enough(2.0)
        if self.gap * self.size < self._trip and 2 * sent.beside >= self.limit:  # the number holds them up
            self._spacing.end()
            self._chance.forget(now)

    def _enough(self, ample: float) -> float:
        """As many at once as calls so far apart take."""
        return min(self.ceiling, max(self.size, ample * self._trip / self.gap + 1))

    def _grow(self, now: float) -> None:
        if now >= self._until:
            self._refused = inf
        room = self._refused - 1 - self.size
        if self.size >= self.ceiling or room <= 0:
            return
        if self._ramping or self._chance.share:
            self.size += min(room, now >= self._rested)
        else:
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

    def refused(self, sent: Sent, now: float, pause: float, in_flight: int) -> None:
        """The server has too much to do, and asks for a pause; so many are still under way."""
        if self.fixed:
            return
        self._last = now
        self._chance.refused(sent.level, sent.at, now)
        if sent.limit != self.cuts:  # sent before the last cut, and so no news
            if sent.limit == self.cuts - 1 and self._burst:
                self._fewer()
        elif not self._chance.expected():
            found = self._chance.judged(now, pause, self._trip)
            if found and found[0]:
                self._leave_to_chance(*found, now)
            else:
                self._slower(sent, now, pause, in_flight, known=found is not None)

    def _leave_to_chance(self, share: float, level: int, now: float) -> None:
        """Being slower, or fewer, does not help: back to what there was before that was tried."""
        widest = min(self._widest, self.ceiling, inf if self.gap else 2.0**level - 1)
        self.size, self._widest, self._ramping = max(self.size, widest), 0.0, True
        self._refused, self._until = inf, 0.0
        self._spacing.end()
        self._chance.accept(share, now)

    def _slower(self, sent: Sent, now: float, pause: float, in_flight: int, *, known: bool) -> None:
        """Calls further apart, or fewer at once; `known`: it is not by chance that they were refused."""
        self.cuts += 1
        self._widest = max(self._widest, self.size)
        floor = self.limit == 1 and not self.gap
        self._stuck = self._stuck + (self._own > 0) if floor else 0
        burst = self._chance.burst <= self.limit  # all at once, in whatever order they arrived
        beside = self.limit if burst or self._chance.share else sent.beside
        if self.gap:
            self._spacing.widen(self._answers, self._measured(now), pause + self._trip)
            if share := self._spacing.futile:
                self._leave_to_chance(share, 0, now)
        elif self._too_slow(now) or self._too_fast(beside, now, known):
            self._space(now)
        else:
            self._cut(beside, now, pause)
            self._burst = in_flight + self._own if burst and not self._chance.share else 0
        if not floor or self.gap or not self._answers:
            self._since, self._answers, self._pause = now, 0, 0.0
        self._own, self._beside, self._ramping = 0, 0, False
        self._pause += pause
        self._chance.cut()

    def _cut(self, beside: int, now: float, pause: float) -> None:
        self._soon = self._soon + 1 if now < self._until else 0
        if self._soon > 2:
            self._chance.accept(0.0, now)
        self._refused = min(beside, self._refused if now < self._until else inf)
        self._until = now + (PATIENCE / 4 if self._chance.share else PATIENCE) * (pause + self._trip)
        less = min(self.size, self.ceiling) * (0.5 if self._ramping else 0.75)
        self.size = max(1.0, min(less, beside - 1))

    def _fewer(self) -> None:
        """Another one of a burst was refused: what is left of it is as many as there may be."""
        self._burst = max(1, self._burst - 1)
        self.size = min(self.size, self._burst)
        self._refused = max(2.0, min(self._refused, self._burst + 1))

    def _too_slow(self, now: float) -> bool:
        """Whether even calls one by one are refused, and there is time enough between answers for that to be a rate."""
        return self._stuck > STUCK and self._measured(now) > 1.3 * self._trip

    def _too_fast(self, beside: int, now: float, known: bool) -> bool:
        """Whether as many in flight, or more, went well for a while: then it is the rate that is refused."""
        if self._own < self.size or not (known or self.limit == 1 or self._own >= RARELY or self._soon > 5):
            return False
        usual = self._beside / self._own
        return beside < (1.05 if now < self._until and self.size < self._refused else 0.7) * usual

    def _space(self, now: float) -> None:
        """From now on, space calls out by the rate that went through."""
        self._spacing.begin(self._measured(now))
        self.size = self._enough(1.5)
        self._refused, self._until = inf, 0.0
        self._chance.forget(now)

    def _measured(self, now: float) -> float:
        """Seconds for an answer since the last cut, between what they were with its pause and without."""
        took = now - self._since
        alone = max(took - self._pause, min(took, self._trip))
        return 1.03 * sqrt(took * alone) / max(1, self._answers)
