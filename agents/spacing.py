"""How far apart calls are sent where a server counts them by the minute: learnt from when it refuses."""

from dataclasses import dataclass
from math import inf, sqrt

PATIENCE = 20
"""How many round trips and pauses a refused limit is left alone: what trying costs stays under a tenth."""
STEADY = 20
"""So many answers between two refusals: the speed was right but for a little."""
FUTILE, SLOWER = 3, 1.25
"""So many refusals at gaps so much wider than another one, no rarer than there: it is not the speed."""
RARELY = 50
"""Answers, at least, for each refusal that trying costs."""
_SOON = 1.2**0.2
"""How much less an answer makes of a gap that may be far too wide."""
_TRIP = 0.1
"""By how much a gap is closed while a call is under way: what that does shows no sooner."""
_FIRST, _AGAIN = 1.05, 1.15
"""How much slower after a refusal; and after another one soon."""


@dataclass(slots=True)
class Spacing:
    """Seconds between calls; 0 where they are not counted."""

    gap: float = 0.0
    _closer: float = 1.0
    """How many times less an answer makes of the gap."""
    _trial: float = 0.0
    """Answers until the gap is what was refused."""
    _steady: bool = False
    _first: float = 0.0
    """The gap that calls had on average before they were spaced out."""
    _slow: tuple[int, float] = 0, 0.0
    """Refusals in a row at gaps so much wider, and these with the answers between them."""

    @property
    def futile(self) -> float:
        """The share that is refused however slow calls are; 0 while that may help."""
        share = self._slow[0] / max(1.0, self._slow[1])
        return share if self._slow[0] >= FUTILE else 0.0

    def begin(self, gap: float) -> None:
        """Space calls out, and find out soon whether less would do."""
        self.gap, self._closer, self._trial, self._steady = gap, _SOON, inf, False
        self._first, self._slow = gap, (0, 0.0)

    def end(self) -> None:
        """Something else holds calls up."""
        self.gap = 0.0

    def widen(self, answers: float, seconds: float, pauses: float, trip: float, pause: float) -> None:
        """Too fast still: as slow as is known to go well, and back to what was refused in a good while.

        `answers` in so many seconds since the last refusal, `pauses` among them; `trip`: what an answer takes, `pause`:
        what this refusal costs.
        """
        alone, refused = max(seconds - pauses, min(seconds, trip)), self.gap
        if refused < SLOWER * self._first:
            self._slow = 0, 0.0
        self._slow = self._slow[0] + 1, self._slow[1] + 1 + answers
        if answers > STEADY and alone > 3 * (1 + trip):  # longer than what was saved up lasts
            self.gap, self._steady = _FIRST * refused, True
        elif self._steady:
            self.gap, self._steady = _AGAIN * refused, False
        else:  # between the speed with the pauses and the one without
            self.gap = min(4 * refused, max(_FIRST * refused, 1.03 * sqrt(seconds * alone) / max(1.0, answers)))
        room = self.gap / refused * 1.02
        while_s = PATIENCE * (pause + trip) * (1.0 if room < 1.5 else 0.25)
        self._trial = max(RARELY, while_s / self.gap)
        self._closer = room ** (1 / self._trial)

    @property
    def free(self) -> bool:
        """Whether what was refused is not refused any more."""
        return self._trial < 0

    def answered(self, trip: float) -> None:
        """A little faster with each answer, so that a refusal comes now and then and not often.

        Ever faster where none comes at what was refused. `trip`: how long an answer takes.
        """
        self._trial -= 1
        if self.free:
            self._closer = min(_SOON, self._closer**1.1, 1 + _TRIP * self.gap / trip)
        self.gap /= min(self._closer, 1 + 0.3 * self.gap / (1 + trip))
