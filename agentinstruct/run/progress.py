"""How far a run is, for whoever shows it."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from agentinstruct.agents.gateway import Statistics
from agentinstruct.run.pursuit import Pursuit
from agentinstruct.run.status import ModelState


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
    others: int = 0
    """Finished work items that the folder held already, of seeds that are not among those given now."""
    failed: int = 0
    trouble: str = ""
    """What the last of the failed met."""
    spent: str = ""
    """What was spent, once the budget was reached."""
    set_aside: int = 0
    deadly: list[str] = field(default_factory=list)
    """Where the first of those are from that worker processes died of."""
    deaths: int = 0
    """Worker processes that died and were replaced."""
    waits: str = ""
    """What the run's own machinery waits for just now."""
    unrouted: int = 0
    """Seeds on which the routing agent gave no usable opinion: their features decided."""
    left_out: dict[str, str] = field(default_factory=dict)
    """The skills that cannot run on this machine, and what each lacks."""
    notice: str = ""
    """What the run does without, and how to have it."""
    troubles: list[str] = field(default_factory=list)
    """What went wrong beside the run and does not stop it."""
    untraced: str = ""
    """Why traces or metrics did not arrive where they were to go."""
    reading: bool = True
    sweep: int = 0
    """Which pass over the seeds this is, where a run makes several."""
    pursuit: Pursuit | None = None
    """How far it is from its target, where it has one."""
    records: Counter[str] = field(default_factory=Counter)
    dropped: Counter[tuple[str, str]] = field(default_factory=Counter)
    """By stage and reason."""
    statistics: Statistics = field(default_factory=Statistics)
    models: Callable[[], list[ModelState]] = list
    """How the queue of each model stands."""

    @property
    def notices(self) -> list[str]:
        """All that this run did without, each with what to do about it."""
        told = [f"{name} was left out: it {why}" for name, why in self.left_out.items()]
        if self.others:
            told.append(f"other seeds than those given now gave {self.others} of the work items here: they stay, too")
        if self.deaths:
            told.append(f"{self.deaths} worker processes died and were replaced")
        if self.deadly:
            told.append(f"set aside, since worker processes died of them: {', '.join(self.deadly)}")
        if self.unrouted:
            told.append(f"{self.unrouted} seeds were routed by their features: the agent gave no usable opinion")
        return [*told, *filter(None, (self.notice, self.untraced)), *self.troubles]
