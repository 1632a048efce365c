"""How far a run is, for whoever shows it."""

from collections import Counter
from dataclasses import dataclass, field

from agentinstruct.agents.gateway import Gateway, Statistics


@dataclass
class Progress:
    """What a run has done so far; read by whoever shows it."""

    seeds: int = 0
    expected: int = 0
    """Seeds in all, where that is known."""
    taken: int = 0
    """Seeds whose work is in `items`."""
    skipped: Counter[str] = field(default_factory=Counter)
    examples: dict[str, str] = field(default_factory=dict)
    """For each reason a seed was skipped, the first one it happened to."""
    items: int = 0
    done: int = 0
    resumed: int = 0
    failed: int = 0
    trouble: str = ""
    """What the last of the failed met."""
    spent: str = ""
    """What was spent, once the budget was reached."""
    set_aside: int = 0
    unrouted: int = 0
    """Seeds on which the routing agent gave no usable opinion: their features decided."""
    left_out: dict[str, str] = field(default_factory=dict)
    """The skills that cannot run on this machine, and what each lacks."""
    notice: str = ""
    """What the run does without, and how to have it."""
    untraced: str = ""
    """Why traces or metrics did not arrive where they were to go."""
    reading: bool = True
    records: Counter[str] = field(default_factory=Counter)
    accepted: Counter[str] = field(default_factory=Counter)
    """Of the records, those that passed every check."""
    dropped: Counter[tuple[str, str]] = field(default_factory=Counter)
    """By stage and reason."""
    statistics: Statistics = field(default_factory=Statistics)
    gateway: Gateway | None = None

    @property
    def notices(self) -> list[str]:
        """All that this run did without, each with what to do about it."""
        told = [f"{name} was left out: it {why}" for name, why in self.left_out.items()]
        if self.unrouted:
            told.append(f"{self.unrouted} seeds were routed by their features: the agent gave no usable opinion")
        return [*told, *filter(None, (self.notice, self.untraced))]
