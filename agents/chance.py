"""Which share of calls a model refuses whatever it has to do: what no number of calls at once explains is counted.

Load refuses less when calls are spaced out, chance as many. So they are, for a while, at the very speed that they had
anyway: it costs next to nothing to see which it is.
"""

from dataclasses import dataclass
from math import log, sqrt

TELLING = 4
"""Refusals that make a share, and answers that make a speed."""
MOST = 0.7
"""A greater share is not taken for chance."""
LEAST = 0.05
"""A share that is always reckoned with."""
_LEAST = 0.003
_LESS = 0.25
"""Of the refusals that load caused, as many are left when calls are spaced out."""
_LONG = 12
"""So many refusals are to be expected in the longest trial."""
_SURE = 3.0
"""How much (as a logarithm) must speak for one or the other."""


@dataclass(slots=True)
class Chance:
    """What became of the calls sent since a moment, and the share of refusals that is expected of them."""

    share: float = 0.0
    since: float = 0.0
    sent: float = 0
    answers: float = 0
    refused: float = 0
    pauses: float = 0.0
    """What the refusals cost."""
    trial: float = 0.0
    """The share that was refused before calls were spaced out to see what that does; 0 without such a trial."""
    _found: float = 0.0
    """The share, as it was found."""

    @property
    def lately(self) -> float:
        """The share refused."""
        return self.refused / max(1.0, self.sent)

    @property
    def likely(self) -> float:
        """The share that may be refused by chance, whatever else there is."""
        return max(LEAST, self.share, self.lately, self.trial)

    @property
    def usual(self) -> bool:
        """Whether no more are refused than is expected."""
        likely = self.sent * self.share
        return self.refused <= likely + 4 * sqrt(likely * (1 - self.share))

    def anew(self, now: float) -> None:
        """Count from now on."""
        self.since, self.sent, self.answers, self.refused, self.pauses = now, 0, 0, 0, 0.0

    def count(self, refused: int, at: float) -> None:
        """So many calls sent then were refused for no known reason; less than none, where a number explains some."""
        if at >= self.since:
            self.sent, self.refused = self.sent + refused, max(0, self.refused + refused)

    def follow(self, now: float, limit: int) -> None:
        """Expect what is refused lately, though not more than was found, once that tells enough; forget half of it."""
        if self.trial or self.answers < max(100, 2 * limit, 10 / (self.share or 1)):
            return
        self.share = min(self._found, self.share + (self.lately - self.share) / 4)
        self.share *= self.share > _LEAST
        self.since += (now - self.since) / 2
        self.sent, self.answers = self.sent / 2, self.answers / 2
        self.refused, self.pauses = self.refused / 2, self.pauses / 2

    def accept(self, share: float) -> None:
        """From now on so many are refused by chance."""
        self.share = self._found = share

    def judged(self) -> bool | None:
        """Whether refusals come of load, as the trial shows; None till it is clear."""
        score, likely = self.refused * log(_LESS) + (1 - _LESS) * self.sent * self.trial, self.sent * self.trial
        return score > 0 if abs(score) > _SURE or likely > _LONG else None
