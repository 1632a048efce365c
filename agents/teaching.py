"""What a teacher may do before it answers: call a tool, read what it gave, and call again or reply.

Step = {tool: "calculator", input: "…"}  →  ToolUse  →  Step = {tool: "none", reply: …}
"""

import json
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, Field, create_model

from agentinstruct.agents.errors import ReplyError
from agentinstruct.agents.records import Frozen, ToolUse
from agentinstruct.agents.spoken import Spoken
from agentinstruct.tools.calculator import calculator_tool
from agentinstruct.tools.code import python_tool
from agentinstruct.tools.corpus import search_corpus_tool
from agentinstruct.tools.units import units_tool

if TYPE_CHECKING:
    from langchain_core.tools import BaseTool

STEPS = 4
"""Tools a teacher may call for one answer."""
TOOLS: Mapping[str, Callable[[], "BaseTool"]] = MappingProxyType(
    {
        "calculator": calculator_tool,
        "convert_units": units_tool,
        "run_python": python_tool,
        "search_chunks": search_corpus_tool,
    }
)
"""The tools there are, by the names a taxonomy gives them; a new one is a line here."""


class Step(Frozen):
    """One step of a teacher that has tools."""

    tool: str
    input: str
    reply: Spoken | None

    def whole(self) -> None:
        """Refuse a step that neither calls a tool nor replies."""
        if self.tool == "none" and self.reply is None:
            raise ReplyError("wrong shape", "tool is none, so reply must hold the answer")


@lru_cache(maxsize=64)
def step_of(spoken: type[Spoken], tools: tuple[str, ...]) -> type[Step]:
    """The step of a teacher who has these tools and replies in this way."""
    named: Any = Literal[("none", *tools)]
    reply: Any = spoken | None
    fields: dict[str, Any] = {
        "tool": (named, Field(description="The tool to call now; none when the answer can be given.")),
        "input": (str, Field(description="What the tool is given; empty without a tool.")),
        "reply": (reply, Field(description="The answer to the user; null while a tool is called.")),
    }
    made: type[Step] = create_model(f"{spoken.__name__}Step", __base__=Step, **fields)
    return made


def described(names: Sequence[str]) -> list[dict[str, str]]:
    """The tools as a prompt shows them."""
    return [{"name": tool.name, "description": tool.description} for tool in map(tool_named, names)]


@lru_cache(maxsize=16)
def tool_named(name: str) -> "BaseTool":
    """One of `TOOLS`, made once."""
    return TOOLS[name]()


def arguments(name: str, given: str) -> dict[str, Any]:
    """A tool's arguments: its only one, or those of a JSON object."""
    wanted = list(tool_named(name).args)
    if len(wanted) == 1:
        return {wanted[0]: given}
    try:
        found = json.loads(given)
    except (ValueError, RecursionError):
        found = None
    return found if isinstance(found, dict) else {wanted[0]: given}


def workings(trace: Sequence[ToolUse]) -> list[dict[str, str]]:
    """The calls so far as a prompt shows them."""
    return [use.model_dump() for use in trace]


def answer_of(reply: BaseModel) -> Spoken | None:
    """The answer in a teacher's reply; None where it calls a tool instead."""
    if isinstance(reply, Step):
        return None if reply.tool != "none" else reply.reply
    return reply if isinstance(reply, Spoken) else None
