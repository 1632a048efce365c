"""The crew of a skill: its agents, and what becomes of a draft that one of them spoils."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from types import MappingProxyType
from typing import Any, TypeVar

from pydantic import BaseModel

from agentinstruct.agents.agent import Agent
from agentinstruct.agents.checks import Bench
from agentinstruct.agents.errors import ReplyError
from agentinstruct.agents.records import Draft, Dropped
from agentinstruct.agents.skill import Skill
from agentinstruct.graphs.progress import progress
from agentinstruct.graphs.state import Context, FlowState

Work = TypeVar("Work")
Done = TypeVar("Done")
NO_DRAFTS: Mapping[str, Draft] = MappingProxyType({})
SPOKEN_TO = 0.6
"""The share of items that begin with a system message; the others have none."""


@dataclass(frozen=True, slots=True)
class Crew:
    """A skill's agents by name."""

    skill: Skill

    def agent(
        self,
        name: str,
        reply: type[BaseModel],
        *prompts: str,
        subject: str = "",
        accept: Callable[[Any], None] | None = None,
        besides: str = "",
    ) -> Agent[Any]:
        """One of the skill's agents; the first of the prompts it has, else the one of its name."""
        prompt, subject = self.skill.prompt(*(prompts or (name,))), f"{self.skill.name}/{subject}"
        more = self.skill.prompt(besides) if besides else None
        return Agent(name, prompt, reply, self.skill.prompt("repair"), subject, accept, more)

    def bench(
        self,
        context: Context,
        draft: Draft,
        *,
        parent: Draft | None = None,
        earlier: Mapping[str, Draft] = NO_DRAFTS,
        world: Any = None,
    ) -> Bench:
        """What the checks of a draft may use."""
        return Bench(
            skill=self.skill,
            category=self.skill.categories[draft.category],
            parent=parent or earlier.get(draft.parent),
            agent=lambda name, reply: self.agent(name, reply, subject=draft.category),
            judge=context.model_of("judge"),
            solver=context.model_of("solve"),
            solvers=context.solvers,
            earlier=earlier,
            world=world,
        )

    def system_message(self, draw: Random) -> str:
        """The system message of an item, drawn from the skill's; empty for the items that have none."""
        messages = self.skill.file.system_messages
        return draw.choice(messages) if messages and draw.random() < SPOKEN_TO else ""

    def dropped(
        self,
        state: FlowState,
        stage: str,
        error: ReplyError,
        *,
        draft: Draft | None = None,
        category: str = "",
        goal: str = "",
        parent: Draft | None = None,
        draft_id: str = "",
    ) -> Dropped:
        """What did not make it, where and why: a draft, or with `parent` what was to become one (as `draft_id`)."""
        known = draft or parent
        return Dropped(
            skill=self.skill.name,
            seed_id=state["seed"].id,
            source=state["seed"].source,
            stage=f"{stage}/{goal}" if goal else stage,
            reason=error.reason,
            detail=error.detail[:500],
            category=known.category if known else category,
            transform=state["plan"].transform,
            draft_id=draft.id if draft else draft_id,
            parent=parent.id if parent else draft.parent if draft else "",
            verdicts=draft.verdicts if draft else (),
            calls=(*(known.calls if known else ()), *error.calls),
        )


async def together(work: Sequence[Coroutine[Any, Any, Done]]) -> list[Done]:
    """The results of all, in order; a single one needs no task of its own."""
    return [await work[0]] if len(work) == 1 else list(await asyncio.gather(*work))


async def each(
    work: Sequence[Work],
    do: Callable[[Work], Awaitable[Done]],
    drop: Callable[[Work, ReplyError], Dropped],
) -> tuple[list[Done], list[Dropped]]:
    """Do all the work together; what the model spoils is dropped, in order, and the rest is kept."""
    tell = progress(len(work))

    async def one(item: Work) -> Done | Dropped:
        try:
            done = await do(item)
        except ReplyError as error:
            tell(error.reason)
            return drop(item, error)
        tell("")
        return done

    results = await together([one(item) for item in work])
    return [r for r in results if not isinstance(r, Dropped)], [r for r in results if isinstance(r, Dropped)]
