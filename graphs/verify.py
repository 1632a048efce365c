"""The last stage: exact checks, then the panel; a draft becomes a record or is dropped with the reason.

Originals are verified before what was made from them, because a flipped item is right only when its key
differs from its parent's *verified* key.
"""

from dataclasses import dataclass
from typing import Any

from langgraph.runtime import Runtime

from agentinstruct.agents.checks import opinion, policy
from agentinstruct.agents.errors import ReplyError
from agentinstruct.agents.records import Draft, Dropped, Record, Seed, content_id
from agentinstruct.agents.skill import Skill
from agentinstruct.graphs.crew import Crew, together
from agentinstruct.graphs.progress import Tell, progress
from agentinstruct.graphs.state import Context, FlowState, settings


@dataclass(frozen=True, slots=True)
class Verification:
    """The verify node of a skill."""

    crew: Crew

    async def verify(self, state: FlowState, runtime: Runtime[Context]) -> FlowState:
        """Check every answered draft by the skill's policy; what rests on its parent's verdict comes after it."""
        context = settings(runtime)
        checked: dict[str, Draft] = {}
        tell = progress(len(state["drafts"]))
        for level in _levels(state["drafts"]):
            done = await together([self._checked(state, draft, checked, context, tell) for draft in level])
            checked |= {draft.id: draft for draft in done}
        return settled(self.crew, state, [checked[draft.id] for draft in state["drafts"]])

    async def _checked(
        self, state: FlowState, draft: Draft, earlier: dict[str, Draft], context: Context, tell: Tell
    ) -> Draft:
        named = self.crew.skill.checks_of(draft.category, draft.goal)
        checks = policy(named, "response", models=context.verify != "off")
        bench = self.crew.bench(context, draft, earlier=earlier, world=self.world(state, draft))
        found, calls = await opinion(checks, draft, bench, strict=context.verify == "strict")
        tell(next((verdict.check for verdict in found if not verdict.passed), ""))
        update = {"verdicts": (*draft.verdicts, *found), "calls": (*draft.calls, *calls)}
        return draft.model_copy(update=update)

    def world(self, state: FlowState, draft: Draft) -> Any:
        """What the checks of a draft may use besides, in flows with an environment."""
        return None


def _levels(drafts: list[Draft]) -> list[list[Draft]]:
    """The drafts by depth where a flipped one must wait for its parent's verdict; all together where none does."""
    if not any(draft.outcome == "flipped" for draft in drafts):
        return [drafts]
    return [[draft for draft in drafts if draft.depth == depth] for depth in sorted({d.depth for d in drafts})]


def settled(crew: Crew, state: FlowState, drafts: list[Draft]) -> FlowState:
    """Verified drafts as records, or under `strict` as dropped when a check failed."""
    records: list[Record] = []
    dropped: list[Dropped] = []
    for draft in drafts:
        failed = [verdict for verdict in draft.verdicts if not verdict.passed]
        if failed and state["plan"].verify == "strict":
            error = ReplyError(failed[0].check, failed[0].evidence)
            dropped.append(crew.dropped(state, "verify", error, draft=draft))
        else:
            records.append(record_of(crew.skill, state["seed"], draft))
    return {"drafts": drafts, "records": records, "dropped": dropped}


def record_of(skill: Skill, seed: Seed, draft: Draft) -> Record:
    """The draft as a row of the dataset, with its lineage back to the characters of its source."""
    return Record(
        id=draft.id,
        messages=draft.messages,
        tools=draft.tools,
        skill=skill.name,
        split=skill.file.split,
        category=draft.category,
        transform=draft.transform,
        form=draft.item.form,
        item=content_id(draft.passage, draft.item.question, draft.item.options),
        seed_id=seed.id,
        source=seed.source,
        start=seed.start,
        end=seed.end,
        licence=seed.licence,
        language=seed.language,
        context=draft.passage,
        key=draft.item.key,
        depth=draft.depth,
        parent=draft.parent,
        goal=draft.goal,
        suggestion=draft.suggestion,
        trace=draft.trace,
        accepted=all(verdict.passed for verdict in draft.verdicts),
        verdicts=draft.verdicts,
        calls=draft.calls,
    )
