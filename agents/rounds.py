"""What is kept of calls under way, and of as many answers as there may be at once: was a greater number worth it?"""

from dataclasses import dataclass
from math import comb, inf
from typing import NamedTuple

START = 32
"""Calls at once before anything is known of a model."""


@dataclass(slots=True)
class Burst:
    """Calls that were sent in one moment: how many there were with the last of them, how many they are and refused."""

    top: int
    calls: int = 1
    refused: int = 0
    last: int = 0
    """All that were refused are among so many that were sent last."""
    ways: int = 1
    """In how many ways so many of these can be refused."""

    def refuse(self, beside: int) -> float:
        """One of them was refused, sent as one of so many; gives how many times more ways there are now."""
        self.refused += 1
        self.last = max(self.last, self.top - beside + 1, self.refused)
        before, self.ways = self.ways, comb(self.last, self.refused)
        return self.ways / before

    def alike(self, other: "Burst") -> bool:
        """Whether at least half as great a share of them is refused as of others."""
        return 2 * self.refused * other.calls >= other.refused * self.calls


class Sent(NamedTuple):
    """A call under way: when it was sent, how many there were then with it, under which limit, with which others."""

    at: float
    beside: int
    limit: int
    burst: Burst
    above: int
    near: int


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
