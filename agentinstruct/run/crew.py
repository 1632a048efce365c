"""The workers of a run, wherever they are: what each is told first, what they share, and what they report, added up."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from math import inf
from typing import Any

from agentinstruct.agents.gateway import Gateway, Statistics
from agentinstruct.agents.skill import Skill
from agentinstruct.run.engine import Launch
from agentinstruct.run.journal import Journal
from agentinstruct.run.leases import NANO, REPORT_S, Landlord, Lease, Tenant
from agentinstruct.run.orders import Orders, told_orders
from agentinstruct.run.pipe import Message
from agentinstruct.run.plan import RunConfig
from agentinstruct.run.pool import Pool
from agentinstruct.run.progress import Progress
from agentinstruct.run.shares import Slots, Spending
from agentinstruct.run.slot import Link, writer
from agentinstruct.run.status import ModelState
from agentinstruct.run.window import Outcome

OWNER = 0
"""The run's own process among those that share its limits: it makes calls where an agent routes seeds."""


@dataclass
class Crew:
    """What the workers of one run share."""

    config: RunConfig
    journal: Journal
    progress: Progress
    skills: list[Skill]
    gateway: Gateway
    """This process's own."""
    size: int
    launch: Launch
    """Starts a worker."""
    _counted: list[Mapping[str, Any]] = field(default_factory=list)
    """What each process there was has counted."""
    _models: dict[int, list[ModelState]] = field(default_factory=dict)
    _current: dict[int, int] = field(default_factory=dict)
    """Which of them is in which slot."""
    _links: dict[int, Link] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._budget = budget = self.gateway.budget
        self._before = budget.spent, budget.calls
        self.progress.models = self._states
        sharing = self.size + (self.config.route == "agent")
        slots = {}
        for spec in sorted(set(self.config.models().values())):
            if limiter := self.gateway.lane(spec).limiter:
                slots[spec] = Slots(limiter.ceiling, sharing)
        usd, calls = budget.usd - budget.spent, budget.most_calls - budget.calls
        self._landlord = Landlord(
            slots,
            Spending(int(usd * NANO), sharing) if usd < inf else None,
            Spending(int(calls), sharing) if calls < inf else None,
        )
        self.gateway.budget = lease = Lease(0.0, 0)
        self._tenant = Tenant(self.gateway, lease)

    def pool(self, width: int, tell: Callable[[Outcome], None]) -> Pool:
        """The pool of their processes, for as much work in flight as one process would have."""
        tending = asyncio.ensure_future(self._tend())

        async def end() -> None:
            tending.cancel()
            self.progress.deaths = pool.deaths
            if pool.spent:
                counts = self.journal.counts()
                pool.spent = replace(self._budget, spent=counts.cost, calls=counts.bought).told()

        self._pool = pool = Pool(self.size, -(-width // self.size), self.journal, self._start, tell, self._hear, end)
        return pool

    async def _tend(self) -> None:
        """Share with this process too, where it makes calls."""
        if self.config.route == "agent":
            self._landlord.join(OWNER)
            self._share({})
            while True:
                await asyncio.sleep(REPORT_S)
                self._shared(OWNER, self._tenant.report())

    async def _start(self, number: int) -> Link:
        # Asked for first: nothing is begun where the disk has failed.
        numbers = self.journal.numbers(writer(number)) if self.config.engine == "local" else {}
        answered = bool(self.progress.statistics.calls or self.journal.counts().calls)
        self._links[number] = link = await self.launch(number, lambda why: self._wait(number, why))
        self.progress.waits = ""
        self._current[number] = len(self._counted)
        self._counted.append({})
        self._landlord.join(number)
        leases = self._landlord.leases({})
        orders = Orders(
            config=replace(self.config, paths=()),  # seeds are this process's to read
            skills=[skill.name for skill in self.skills],
            run=self.journal.manifest.run,
            writer=writer(number),
            segments=numbers,
            answered=answered,
            lease=leases.pop(number),
        )
        link.send(told_orders(orders))
        self._send(leases)
        return link

    def _wait(self, number: int, why: str) -> None:
        """There is no room for a worker for the time being: what it might use is for the others."""
        self.progress.waits = why
        self._landlord.leave(number)
        self._pool.wait(number)

    def _hear(self, number: int, report: Message) -> None:
        process = self._current[number]
        self._counted[process] = report.get("statistics") or {**self._counted[process], "in_flight": 0, "waiting": ""}
        self.progress.statistics = calls = added([asdict(self.gateway.statistics), *self._counted])
        self._budget.spent, self._budget.calls = self._before[0] + calls.cost, self._before[1] + calls.calls
        self._budget.look()
        self._models[number] = [ModelState(**state) for state in report.get("models", ())]
        if report:
            told = self.progress.troubles
            told += [trouble for trouble in report["troubles"] if trouble not in told]
            self._shared(number, report["needs"])

    def _states(self) -> list[ModelState]:
        """The queues of all workers, those of one model as one."""
        models: dict[str, ModelState] = {}
        for state in (state for states in self._models.values() for state in states):
            models[state.model] = both(models[state.model], state) if state.model in models else state
        return list(models.values())

    def _shared(self, who: int, needs: Message) -> None:
        """What one process needs, and what follows for all."""
        self._share(self._landlord.report(who, needs, asyncio.get_running_loop().time()))

    def _share(self, pauses: dict[int, dict[str, float]]) -> None:
        self._send(self._landlord.leases(pauses))

    def _send(self, leases: dict[int, Message]) -> None:
        for who, lease in leases.items():
            if who == OWNER:
                self._tenant.take(lease)
            else:
                self._links[who].send({"lease": lease})


def both(one: ModelState, other: ModelState) -> ModelState:
    """Two queues of one model as one."""
    return ModelState(
        model=one.model,
        in_flight=one.in_flight + other.in_flight,
        waiting=one.waiting + other.waiting,
        limit=one.limit + other.limit,
        ceiling=one.ceiling + other.ceiling,
        refused=one.refused + other.refused,
        silent=one.silent and other.silent,
        gap_s=round(one.gap_s * other.gap_s / (one.gap_s + other.gap_s), 4) if one.gap_s and other.gap_s else 0.0,
    )


def added(parts: Iterable[Mapping[str, Any]]) -> Statistics:
    """The sum of what several gateways counted."""
    total = asdict(Statistics())
    for part in parts:
        for name, value in part.items():
            total[name] = _sum(total[name], value)
    return Statistics(**total)


def _sum(one: Any, other: Any) -> Any:
    if isinstance(one, str):
        return one or other
    if isinstance(one, dict):
        return dict(Counter(one) + Counter(other))
    if isinstance(one, list):
        return list(dict.fromkeys([*one, *other]))
    return one + other
