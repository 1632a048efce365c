"""What is kept of calls under way, and of as many answers as there may be at once: was a greater number worth it?"""

from dataclasses import dataclass
from math import inf
from typing import NamedTuple

START = 32
"""Calls at once before anything is known of a model."""


class Sent(NamedTuple):
    """A call under way: when it was sent, how many there were then with it, under which limit, how hard pressed."""

    at: float
    beside: int
    limit: int
    level: int


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
