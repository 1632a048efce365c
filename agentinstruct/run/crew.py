"""The workers of a run on this machine: what each is told first, and what all of them report, added up."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from agentinstruct.agents.gateway import Statistics
from agentinstruct.agents.skill import Skill
from agentinstruct.run.journal import Journal
from agentinstruct.run.orders import Orders, told_orders
from agentinstruct.run.pipe import Message
from agentinstruct.run.plan import RunConfig
from agentinstruct.run.pool import Pool, writer
from agentinstruct.run.process import Process
from agentinstruct.run.progress import Progress
from agentinstruct.run.window import Outcome


@dataclass
class Crew:
    """What the workers of one run share."""

    config: RunConfig
    journal: Journal
    progress: Progress
    skills: list[Skill]
    own: Statistics
    """What went through this process's own gateway."""
    _counted: dict[int, Mapping[str, Any]] = field(default_factory=dict)
    """The last count of every process there was, by the order they were started in."""
    _current: dict[int, int] = field(default_factory=dict)
    """Which process is in which slot."""

    def pool(self, width: int, tell: Callable[[Outcome], None]) -> Pool:
        """The pool of their processes, for as much work in flight as one process would have."""
        size = min(self.config.workers, width)
        return Pool(size, -(-width // size), self.journal, self._start, tell, self._hear)

    async def _start(self, number: int) -> Process:
        process = await Process.start(self.journal)
        self._current[number] = len(self._counted)
        self._counted[self._current[number]] = {}
        orders = Orders(
            config=replace(self.config, paths=()),  # seeds are this process's to read
            skills=[skill.name for skill in self.skills],
            writer=writer(number),
            segments=self.journal.numbers(writer(number)),
            answered=bool(self.progress.statistics.calls or self.journal.counts().calls),
        )
        process.send(told_orders(orders))
        return process

    def _hear(self, number: int, report: Message) -> None:
        process = self._current[number]
        self._counted[process] = report.get("statistics") or {**self._counted[process], "in_flight": 0}
        self.progress.statistics = added([asdict(self.own), *self._counted.values()])


def added(parts: Iterable[Mapping[str, Any]]) -> Statistics:
    """The sum of what several gateways counted."""
    total = asdict(Statistics())
    for part in parts:
        for name, value in part.items():
            total[name] = total[name] | set(value) if isinstance(total[name], set) else total[name] + value
    return Statistics(**total)
