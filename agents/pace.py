"""How many calls at once a model is given, and how fast: learnt from what comes back. Knows no clock and no queue.

A refusal (429, 503, 529, a time-out) is explained by the first of these that fits:

a number   fewer are taken, more are not (`Number`): as many as were taken, and one more after a while, to see
a speed    calls spaced out as fast as answers came are refused less (`Spacing`): they stay so, ever a little faster
chance     they are refused as often (`Chance`): nothing is changed, and such a share is expected from now on

Each answer opens one more slot until then; where more in flight only take longer, it is back to as many as before.
"""

from dataclasses import dataclass, field
from math import inf

from agentinstruct.agents.chance import MOST, TELLING, Chance
from agentinstruct.agents.number import SURE, SURER, Number
from agentinstruct.agents.rounds import START, Round, Sent
from agentinstruct.agents.spacing import PATIENCE, Spacing

CREDIT_S = 1.0
"""What servers that count calls save up at least."""


@dataclass(slots=True)
class Pace:
    """The limit of one model. Times are in seconds of whatever clock the caller keeps."""

    ceiling: int
    fixed: bool = False
    """Whether as many as allowed are known to be right from the start."""
    size: float = 0.0
    cuts: int = 0
    _bar: float = inf
    """As many at once are refused, by what is known."""
    _until: float = 0.0
    """Until when that is not tried again; and how long that is, in what trying costs."""
    _wait: float = 1.0
    _step: int = 1
    """How many more are tried then."""
    _number: Number = field(default_factory=Number)
    _spacing: Spacing = field(default_factory=Spacing)
    _chance: Chance = field(default_factory=Chance)
    _trip: float = 0.0
    _last: float = 0.0
    """When something last came back."""
    _round: Round = field(default_factory=lambda: Round(0.0))
    _mark: Round | None = None
    """The last round that was worth its width."""
    _rests: int = 0
    _rested: float = 0.0
    """Until when the ramp rests, having brought nothing."""

    def __post_init__(self) -> None:
        self.size = float(self.ceiling if self.fixed else START)

    @property
    def limit(self) -> int:
        """Calls at once, at least 1."""
        return max(1, min(self.ceiling, int(self.size)))

    @property
    def gap(self) -> float:
        """Seconds between calls, where the server counts calls or tokens a minute; 0 where it does not."""
        return self._spacing.gap

    @property
    def credit(self) -> float:
        """Seconds of a pause whose calls are made up for at once: pauses that chance costs tell nothing of speed."""
        return CREDIT_S if self._chance.trial or self._chance.share else 0.0

    def sent(self, now: float, in_flight: int) -> Sent:
        """A call that goes out now, as one of so many."""
        if not self._chance.since:
            self._chance.since, self._round = now, Round(now, self.limit)
        elif in_flight == 1:
            self._idle(
                now - max(self._last, self._chance.since) - PATIENCE * (self._trip + self.gap + self._chance.pauses)
            )
        self._chance.sent += 1
        return Sent(now, in_flight, self.cuts, *self._number.sent(now, in_flight))

    def _idle(self, seconds: float) -> None:
        """So long, beyond what a pause or a caller's own patience takes, nobody asked: that tells nothing of speed."""
        if seconds > 0:
            self._chance.since += seconds

    def answered(self, sent: Sent, now: float, tokens: int, *, full: bool) -> None:
        """An answer of so many tokens came; `full`: others wait, so that the limit is what holds them up."""
        self._last = now
        self._trip += (now - sent.at - self._trip) / 8
        self._chance.answers += 1
        if sent.limit == self.cuts:
            self._taken(sent)
        if self._chance.trial:
            self._judge(now)
        elif self.gap:
            self._closer(sent, now)
        self._chance.follow(now, self.limit)
        if not full or sent.limit != self.cuts:
            self._round = Round(now, self.limit)
            return
        self._grow(now)
        self._round.add(sent, tokens, now)
        ripe = self._round.calls >= max(8, self._round.goal) and self._round.took >= 0.9 * self._trip
        if ripe and self._bar == inf and not self._chance.share and not self.gap:
            self._compare(now)

    def _taken(self, sent: Sent) -> None:
        self._number.answered(sent.beside)
        if sent.beside >= self._bar:  # so it is none, or not any more
            self._bar, self._step, self._wait, self._until = self._bar + self._step, 2 * self._step, 1.0, 0.0
            self._bar = inf if self._bar > self.ceiling else self._bar

    def _grow(self, now: float) -> None:
        """One more: with each answer, or once in a while where as many were refused."""
        if self._bar < inf:
            self.size = max(self.size, self._bar) if now >= self._until else self.size
        elif now >= self._rested:
            self.size += 1
        self.size = min(self.size, self.ceiling)

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
        self._last, self._round = now, Round(now + pause, self.limit)
        if not self.gap and not sent.burst.refused:  # none of what was sent before is still to come
            self._try(now)
        number = self._number.refused(sent, self._chance, SURER if self.gap else SURE)
        if number and self.limit > 1:
            self._narrow(number, sent, now, pause)
        elif sent.at >= self._chance.since:
            self._chance.refused += 1
            self._explain(now, pause)
            self._chance.pauses += pause

    def _narrow(self, number: int, sent: Sent, now: float, pause: float) -> None:
        """So many are too many."""
        if sent.limit == self.cuts:  # the first of those that were sent with it
            self.cuts += 1
            self._wait = min(PATIENCE, 2 * self._wait) if number >= self._bar else 1.0
        self.size = max(1.0, min(self.size, number - 1))
        self._bar, self._step = self.size + 1, 1
        self._until = now + self._wait * (pause + self._trip)

    def _explain(self, now: float, pause: float) -> None:
        """What to make of a refusal that no number explains."""
        if self._chance.trial:
            self._judge(now)
        elif self.gap and not self._chance.usual:
            self._wider(now, pause)

    def _try(self, now: float) -> None:
        """Space calls out as fast as answers came, to see what that does; one by one, they can only be too fast."""
        chance = self._chance
        if chance.usual or min(chance.refused, chance.answers) < TELLING or now < chance.since + 2 * self._trip:
            return
        self._spacing.begin(1.03 * (now - chance.since) / chance.answers)
        chance.trial = chance.lately if self.limit > 2 else 0.0
        chance.anew(now)
        self._bar = inf
        self._enough()

    def _judge(self, now: float) -> None:
        """See whether calls that are spaced out are refused less."""
        chance = self._chance
        load = chance.judged()
        if load is None:
            return
        if not load and chance.lately > MOST:
            self._spacing.gap *= 2
        else:
            few = load and chance.refused < (1 if chance.pauses else 2)  # none, but that a pause costs more than a slot
            chance.accept(0.0 if few else chance.lately)
            chance.trial = 0.0
            if not load:
                self._spacing.end()
        self._chance.anew(now)

    def _enough(self) -> None:
        """As many at once as calls so far apart take."""
        self.size = min(self.ceiling, self._bar - 1, max(self.size, 2 * self._trip / self.gap + 1))

    def _wider(self, now: float, pause: float) -> None:
        chance = self._chance
        self._spacing.widen(chance.answers, now - chance.since, chance.pauses, self._trip, pause)
        if 0 < (share := self._spacing.futile) < MOST:
            chance.accept(share)
            self._spacing.end()
        chance.anew(now)

    def _closer(self, sent: Sent, now: float) -> None:
        self._spacing.answered(self._trip)
        if self._spacing.free:
            self._enough()
        if self.gap * self.size < self._trip and 2 * sent.beside >= self.limit:  # the number holds them up
            self._spacing.end()
            self._chance.anew(now)
