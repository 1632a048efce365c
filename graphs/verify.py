"""The last stage: exact checks, then the panel; a draft becomes a record or is dropped with the reason.

Originals are verified before what was made from them, because a flipped item is right only when its key
differs from its parent's *verified* key.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from langgraph.runtime import Runtime

from agentinstruct.agents.checks import response_verdicts
from agentinstruct.agents.errors import ReplyError
from agentinstruct.agents.forms import FORMS, Essay, read_form
from agentinstruct.agents.panel import Opinion, Panel
from agentinstruct.agents.records import Draft, Dropped, Record, Seed
from agentinstruct.agents.replies import Agreement, Judgement, OptionVerdicts, Solution
from agentinstruct.agents.skill import Skill
from agentinstruct.graphs.crew import Crew
from agentinstruct.graphs.state import Context, FlowState, settings


@dataclass(frozen=True, slots=True)
class Verification:
    """The verify node of a skill."""

    crew: Crew

    async def verify(self, state: FlowState, runtime: Runtime[Context]) -> FlowState:
        """Check every answered draft, by depth of refinement."""
        context = settings(runtime)
        checked: dict[str, Draft] = {}
        for depth in sorted({draft.depth for draft in state["drafts"]}):
            level = [draft for draft in state["drafts"] if draft.depth == depth]
            done = await asyncio.gather(*(self._checked(draft, checked, context) for draft in level))
            checked |= {draft.id: draft for draft in done}
        return settled(self.crew, state, [checked[draft.id] for draft in state["drafts"]])

    async def _checked(self, draft: Draft, earlier: dict[str, Draft], context: Context) -> Draft:
        names, category = self.crew.skill.file.checks, self.crew.skill.categories[draft.category]
        verdicts = [*draft.verdicts, *response_verdicts(draft, category, names)]
        calls = list(draft.calls)
        for ask in self._model_checks(draft, earlier, context):
            if context.verify == "strict" and any(not verdict.passed for verdict in verdicts):
                break
            found, paid = await ask()
            verdicts += found
            calls += paid
        return draft.model_copy(update={"verdicts": tuple(verdicts), "calls": tuple(calls)})

    def _model_checks(
        self, draft: Draft, earlier: dict[str, Draft], context: Context
    ) -> list[Callable[[], Awaitable[Opinion]]]:
        """What the skill's policy asks of the panel, cheapest first."""
        if context.verify == "off":
            return []
        panel, file = self.panel(context), self.crew.skill.file
        checks: dict[str, Callable[[], Awaitable[Opinion]]] = {
            "answered": lambda: panel.response(draft),
            "solvers": lambda: panel.vote(draft),
            "outcome": lambda: panel.flipped(draft, earlier.get(draft.parent)),
            "one_right_option": lambda: panel.one_right(draft),
            "judge": lambda: panel.graded(draft, file.rubric, reference(draft)),
        }
        return [ask for name, ask in checks.items() if name in file.checks]

    def panel(self, context: Context) -> Panel:
        """The agents that check, on the judge's model."""
        agent = self.crew.agent
        return Panel(
            model=context.model_of("judge"),
            solve=agent("solve", Solution),
            options=agent("options", OptionVerdicts),
            agree=agent("agree", Agreement),
            judge=agent("judge", Judgement),
            solvers=context.solvers,
        )


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
        accepted=all(verdict.passed for verdict in draft.verdicts),
        verdicts=draft.verdicts,
        calls=draft.calls,
    )


def reference(draft: Draft) -> str:
    """What a judge may hold a response against: the key, or the points of an essay."""
    if draft.item.form in FORMS:
        form = read_form(draft.item)
        if isinstance(form, Essay):
            return "\n".join(f"- {point}" for point in form.points)
    return draft.item.key
