"""One contract for every check: what it proves, what it costs, and how it finds out.

    Check("answered", "The final answer is the key.", "exact", "response", find)

An item check runs before anybody is paid to answer; a response check after. Checks that compute come before those that
run something, and those before the ones that ask a model. A check that cannot be carried out fails, and says why.
"""

from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, Protocol

from pydantic import BaseModel

from agentinstruct.agents.errors import UNUSABLE, AgentInstructError
from agentinstruct.agents.forms.form import Fault
from agentinstruct.agents.records import Call, Draft, Verdict

if TYPE_CHECKING:
    from agentinstruct.agents.agent import Agent
    from agentinstruct.agents.skill import Category, Skill

Cost = Literal["exact", "run", "model"]
"""`exact`: computed at once. `run`: runs a sandbox or a solver. `model`: asks a model."""
COSTS: tuple[Cost, ...] = ("exact", "run", "model")
Opinion = tuple[list[Verdict], list[Call]]
NOTHING: Opinion = ([], [])
"""What a check says of a draft that it has nothing to do with."""


class World(Protocol):
    """What a flow with an environment acted in: its simulator, and what happened there."""

    def judged(self, draft: Draft) -> Mapping[str, Any]:
        """What a judge is shown of it."""


@dataclass(frozen=True, slots=True)
class Bench:
    """What a check may use besides the draft."""

    skill: "Skill"
    category: "Category"
    parent: Draft | None
    """What the draft was made from; in verification, once it has been verified."""
    agent: Callable[[str, type[BaseModel]], "Agent[Any]"]
    """Any agent of the skill, by the name of its prompt and the type of its reply."""
    judge: str
    """The model that judges."""
    solver: str
    """The model that solves."""
    solvers: int = 3
    """How many independent solvers vote."""
    earlier: Mapping[str, Draft] = field(default_factory=lambda: MappingProxyType({}))
    """The drafts that have been verified already, by id."""
    world: Any = None
    """The `World` of a flow that has one; each flow's own checks know what it is."""


Find = Callable[[Draft, Bench], Awaitable[Opinion]]


@dataclass(frozen=True, slots=True)
class Check:
    """A test that a draft must pass where its skill's policy names it."""

    name: str
    proves: str
    """What is known of a draft that passes, in one sentence."""
    cost: Cost
    stage: Literal["item", "response"]
    find: Find
    forms: frozenset[str] = frozenset()
    """The forms it has something to say of; empty for all."""

    async def __call__(self, draft: Draft, bench: Bench) -> Opinion:
        """The verdicts on a draft, and the calls they cost; nothing where it does not apply."""
        if self.forms and draft.item.form not in self.forms:
            return NOTHING
        try:
            return await self.find(draft, bench)
        except UNUSABLE as error:
            if isinstance(error, AgentInstructError):
                raise
            evidence = f"could not be carried out: {type(error).__name__}: {error}"
            return [Verdict(check=self.name, passed=False, kind=self.cost, evidence=evidence[:300])], []


def exact(
    name: str,
    proves: str,
    stage: Literal["item", "response"],
    find: Callable[[Draft, Bench], Iterable[Fault] | None],
    *,
    forms: Iterable[str] = (),
) -> Check:
    """A check that computes the faults of a draft: none is a pass, None that it does not apply.

    A fault's own name makes a verdict of that name, so that one function may find several kinds.
    """

    async def found(draft: Draft, bench: Bench) -> Opinion:
        faults = find(draft, bench)
        return NOTHING if faults is None else (verdicts(name, faults), [])

    return Check(name, proves, "exact", stage, found, frozenset(forms))


def verdicts(name: str, faults: Iterable[Fault], kind: Cost = "exact") -> list[Verdict]:
    """One failed verdict for each fault, or one that passed."""
    found = [Verdict(check=check, passed=False, kind=kind, evidence=evidence) for check, evidence in faults]
    return found or [Verdict(check=name, passed=True, kind=kind)]


def judged(check: str, passed: bool, evidence: str) -> Verdict:
    """What a model found of a check."""
    return Verdict(check=check, passed=passed, kind="model", evidence=evidence)


async def opinion(checks: Iterable[Check], draft: Draft, bench: Bench, *, strict: bool) -> Opinion:
    """The checks' verdicts, one after another; under `strict` none is asked once a draft has failed."""
    found: list[Verdict] = []
    calls: list[Call] = []
    for check in checks:
        if strict and any(not verdict.passed for verdict in (*draft.verdicts, *found)):
            break
        more, paid = await check(draft, bench)
        found += more
        calls += paid
    return found, calls


def in_order(checks: Iterable[Check]) -> Iterator[Check]:
    """Cheapest kinds first, and as listed within a kind."""
    listed = list(checks)
    return (check for cost in COSTS for check in listed if check.cost == cost)
