"""How far apart calls are sent where a server counts them by the minute: learnt from when it refuses."""

from dataclasses import dataclass
from math import inf

PATIENCE = 20
"""How many round trips and pauses a refused limit is left alone: what trying costs stays under a tenth."""
STEADY = 20
"""So many answers between two refusals: the speed was right but for a little."""
FUTILE = 7
"""Refusals in a row that being slower did not put off: it is not the speed."""
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
    _refusals: int = 0
    _answers: int = 0
    """In a row, each soon after the one before; and the answers between them."""

    @property
    def futile(self) -> float:
        """The share that is refused however slow calls are; 0 while that may help."""
        return self._refusals / (self._refusals + self._answers) if self._refusals > FUTILE else 0.0

    def begin(self, gap: float) -> None:
        """Space calls out, and find out soon whether less would do."""
        self.gap, self._closer, self._trial, self._steady = gap, _SOON, inf, False
        self._refusals = self._answers = 0

    def end(self) -> None:
        """Something else holds calls up."""
        self.gap = 0.0

    def widen(self, answers: int, measured: float, cost: float) -> None:
        """Too fast still: as slow as was measured, and back to what was refused in a good while.

        `answers` since the last refusal, a `measured` number of seconds for each; `cost`: what a refusal costs.
        """
        refused = self.gap
        self._refusals, self._answers = self._refusals + 1, self._answers + answers
        if answers > STEADY:
            self.gap, self._steady = _FIRST * refused, True
            self._refusals = self._answers = 0
        elif self._steady:
            self.gap, self._steady = _AGAIN * refused, False
        else:
            self.gap = min(4 * refused, max(_FIRST * refused, measured))
        room = self.gap / refused * 1.02
        while_s = PATIENCE * (cost if room < 1.5 else cost / 4)
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
        self.gap /= self._closer
