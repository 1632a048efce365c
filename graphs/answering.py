"""The answer stage: the teacher, who sees only what the user would, and the tools it may call first.

    answer ⇄ tools

Where a category gives the teacher tools, it takes steps: `answer` collects the calls of all drafts in one message,
LangGraph's tool node carries them out together, and `answer` goes on with what they gave.
"""

from dataclasses import dataclass
from typing import Any

from langchain_core.messages import AIMessage, AnyMessage, ToolMessage
from langchain_core.runnables import RunnableConfig
from langgraph.prebuilt import ToolNode
from langgraph.runtime import Runtime

from agentinstruct.agents.errors import ReplyError, reply_at_fault
from agentinstruct.agents.forms import FORMS
from agentinstruct.agents.records import Draft, Message, ToolUse
from agentinstruct.agents.skill import Skill
from agentinstruct.agents.teaching import STEPS, Step, answer_of, arguments, described, step_of, tool_named, workings
from agentinstruct.graphs.crew import Crew, each
from agentinstruct.graphs.state import Context, FlowState, settings


@dataclass(frozen=True, slots=True)
class Answering:
    """The answer node of a skill."""

    crew: Crew

    async def answer(self, state: FlowState, runtime: Runtime[Context]) -> FlowState:
        """Answer each draft, or collect what its teacher wants to know from a tool first."""
        model, given = settings(runtime).model_of("answer"), state.get("exchange", [])
        drafts = [_told(draft, given) for draft in state["drafts"]]
        waiting = [draft for draft in drafts if not draft.response]
        done, dropped = await each(
            waiting,
            lambda draft: self._answered(draft, model),
            lambda draft, error: self.crew.dropped(state, "answer", error, draft=draft),
        )
        after = {draft.id: draft for draft in done}
        lost = {draft.id for draft in waiting} - set(after)
        kept = [after.get(draft.id, draft) for draft in drafts if draft.id not in lost]
        asked = [draft for draft in kept if not draft.response]
        return {"drafts": kept, "dropped": dropped, "exchange": [_calls(asked)] if asked else []}

    async def _answered(self, draft: Draft, model: str) -> Draft:
        spoken = FORMS[draft.item.form].spoken
        tools = self.crew.skill.categories[draft.category].tools if len(draft.trace) < STEPS else ()
        system = next((m.content for m in draft.messages if m.role == "system"), "")
        inputs: dict[str, Any] = {"request": f"{system}\n\n{draft.request}".strip(), "form": draft.item.form}
        if tools or draft.trace:
            inputs |= {"tools": described(tools), "workings": workings(draft.trace)}
        agent = self.crew.agent(
            "answer",
            step_of(spoken, tools) if tools else spoken,
            subject=draft.category,
            accept=Step.whole if tools else None,
            besides="tools" if tools else "worked" if draft.trace else "",
        )
        reply, call = await agent(model, draft.id, **inputs)
        calls, answer = (*draft.calls, call), answer_of(reply)
        if answer is None:
            use = ToolUse(tool=reply.tool, input=reply.input, output="")
            return draft.model_copy(update={"trace": (*draft.trace, use), "calls": calls})
        with reply_at_fault("wrong shape", call):
            text = answer.text
        if not text.strip():
            raise ReplyError("empty reply", calls=(call,))
        said = Message(role="assistant", content=text)
        update = {"messages": (*draft.messages, said), "said": answer.model_dump(mode="json"), "calls": calls}
        return draft.model_copy(update=update)


def _calls(drafts: list[Draft]) -> AIMessage:
    """The last thing each draft's teacher asked for, as one message of a model that calls tools."""
    return AIMessage(
        content="",
        tool_calls=[
            {
                "id": draft.id,
                "name": draft.trace[-1].tool,
                "args": arguments(draft.trace[-1].tool, draft.trace[-1].input),
            }
            for draft in drafts
        ],
    )


def _told(draft: Draft, given: list[AnyMessage]) -> Draft:
    """The draft with what its last call gave."""
    output = next((str(m.content) for m in given if isinstance(m, ToolMessage) and m.tool_call_id == draft.id), None)
    if output is None:
        return draft
    use = draft.trace[-1].model_copy(update={"output": output})
    return draft.model_copy(update={"trace": (*draft.trace[:-1], use)})


def tool_node(skill: Skill) -> ToolNode:
    """The node that carries out what the teachers of a skill ask for."""
    return ToolNode([tool_named(name) for name in skill.tools], name="tools", messages_key="exchange")


def with_runtime(runtime: Runtime[Context]) -> RunnableConfig:
    """What a tool node that is called by hand is told of the run: LangGraph itself would tell it so."""
    return {"configurable": {"__pregel_runtime": runtime}}


async def tools_or_verify(state: FlowState) -> str:
    """To the tools while a teacher waits for one."""
    return "tools" if state.get("exchange") else "verify"
