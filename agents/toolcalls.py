"""Tool use: what its agents reply, and the dialogue that grows from their acts.

    ApiList ─ MoreApis ─ SimulatorSpec ─ ToolTask ─ (Act ─ results | UserTurn) … ─ Turn, Turn, …

An assistant acts once at a time: it calls functions, asks the user, or says its last word. Calls are carried
out by the simulator, so a dialogue holds real results. The checks on it are in `toolchecks`.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from random import Random
from typing import Any, ClassVar, Literal

from pydantic import Field

from agentinstruct.agents.forms.form import Fault, Form
from agentinstruct.agents.records import Frozen, Item, Message
from agentinstruct.tools.simulator import Api, Behaviour, CallRefused, Collection, Library, Simulator, bind

Plain = str | int | float | bool
Value = Plain | list[Plain]

REFERENCE = re.compile(r"\$(\d{1,2})((?:\.\w{1,64}){0,12})")
"""A value that stands for a part of an earlier call's result, such as `$1.0.id`."""


class ApiList(Frozen):
    """A transform's reply: the functions of a library, or why there are none to describe."""

    TOLD_LAST: ClassVar = ("suitable", "reason")
    suitable: bool = Field(description="False when the source offers nothing that a caller could call.")
    reason: str = Field(description="Why not, in one sentence; empty when suitable.")
    library: str = Field(description="What the library is for, in one sentence; empty when not suitable.")
    names: tuple[str, ...] = Field((), description="The names of all functions there are to list, before any detail.")
    apis: tuple[Api, ...] = Field(max_length=12, description="Each of the named functions in detail.")


class MoreApis(Frozen):
    """The reply of the agent that reconstructs the rest of a library."""

    library: str = Field(description="What the whole library is for, in one sentence.")
    apis: tuple[Api, ...] = Field(min_length=1, max_length=8, description="The added functions only.")


class SimulatorSpec(Frozen):
    """The data a simulated library keeps, and what each of its functions does."""

    collections: tuple[Collection, ...] = Field(min_length=1, max_length=4)
    behaviours: tuple[Behaviour, ...] = Field(min_length=1, max_length=24)

    def library(self, apis: Sequence[Api]) -> Library:
        """The simulated library these functions and this specification make."""
        return Library(apis=list(apis), collections=list(self.collections), behaviours=list(self.behaviours))


class Argument(Frozen):
    """A named value."""

    name: str
    value: Value


class FunctionCall(Frozen):
    """One call of a function, planned or made."""

    name: str
    arguments: tuple[Argument, ...] = ()

    @property
    def values(self) -> dict[str, Any]:
        """Its arguments by name."""
        return {argument.name: argument.value for argument in self.arguments}


class AbsentApi(Frozen):
    """A function the task would need and the list does not have."""

    name: str
    description: str


class ToolTask(Form):
    """What a user wants done, and the calls that do it: the blueprint a dialogue is checked against."""

    name: ClassVar[str] = "tool_dialogue"
    definite: ClassVar[bool] = False

    task: str = Field(min_length=8, description="The user's first message.")
    calls: tuple[FunctionCall, ...] = Field(
        (), max_length=10, description="The calls that do it, in order; $1.id is field id of the first call's result."
    )
    withheld: tuple[Argument, ...] = Field(
        (), max_length=4, description="Required arguments the first message leaves out, with their true values."
    )
    extra: tuple[Argument, ...] = Field(
        (), max_length=4, description="Details the first message gives that no needed function takes."
    )
    absent: tuple[AbsentApi, ...] = Field((), max_length=4, description="Needed functions that are not in the list.")

    def arrange(self, draw: Random) -> Item:
        """The task as it is; its key is the plan, which only a simulator can check."""
        return self._item(self.task)

    def faults(self, passage: str) -> Iterator[Fault]:
        """None that can be seen without the simulator (see `toolchecks.plan_verdict`)."""
        yield from ()

    @classmethod
    def agrees(cls, key: str, answer: str) -> bool | None:
        """There is no single answer to compare."""
        return None


class Act(Frozen):
    """One step of the assistant."""

    act: Literal["call", "ask", "say"]
    calls: tuple[FunctionCall, ...] = Field(
        (), max_length=6, description="Calls to make now; empty unless act is call."
    )
    text: str = Field("", description="Words to the user; may be empty when act is call.")


class UserTurn(Frozen):
    """What the simulated user says next."""

    text: str = Field(min_length=1)


class Made(Frozen):
    """A call that was made, and what came back."""

    name: str
    arguments: dict[str, Any]
    ok: bool
    code: str = Field("", description="The error's code, if it failed.")
    changed: bool = False
    content: str = Field(description="The tool message: JSON of the result or of the error.")


class Turn(Frozen):
    """One turn of a dialogue, with the results of its calls."""

    speaker: Literal["user", "assistant"]
    text: str = ""
    act: Literal["", "call", "ask", "say"] = ""
    calls: tuple[Made, ...] = ()


def said(text: str) -> Turn:
    """A user's turn."""
    return Turn(speaker="user", text=text.strip())


def perform(act: Act, simulator: Simulator) -> Turn:
    """The assistant's turn, its calls carried out by the simulator in order."""
    calls = tuple(_made(call.name, call.values, simulator) for call in act.calls)
    return Turn(speaker="assistant", text=act.text.strip(), act=act.act, calls=calls)


def run_plan(calls: Sequence[FunctionCall], simulator: Simulator) -> tuple[Made, ...]:
    """Carry out planned calls in order, with references to earlier results (`$1.id`) filled in."""
    made: list[Made] = []
    for call in calls:
        arguments = {name: _filled(value, made) for name, value in call.values.items()}
        made.append(_made(call.name, arguments, simulator))
    return tuple(made)


def merge_apis(first: Sequence[Api], *others: Sequence[Api], limit: int = 8) -> tuple[Api, ...]:
    """Several lists as one: the first keeps its place, a name that is taken is not taken again."""
    merged: dict[str, Api] = {}
    for api in [api for apis in (first, *others) for api in apis]:
        merged.setdefault(api.name, api)
    return tuple(merged.values())[:limit]


def dialogue_messages(dialogue: Sequence[Turn], system: str = "") -> tuple[Message, ...]:
    """The dialogue in OpenAI's chat form; call ids are `call_1`, `call_2`, … in order."""
    messages = [Message(role="system", content=system.strip())] if system.strip() else []
    number = 0
    for turn in dialogue:
        ids = [f"call_{number + place}" for place, _ in enumerate(turn.calls, 1)]
        number += len(ids)
        requests = tuple(_request(key, made) for key, made in zip(ids, turn.calls, strict=True))
        messages.append(Message(role=turn.speaker, content=turn.text, tool_calls=requests))
        messages += [
            Message(role="tool", content=made.content, tool_call_id=key, name=made.name)
            for key, made in zip(ids, turn.calls, strict=True)
        ]
    return tuple(messages)


def dialogue_text(dialogue: Sequence[Turn], *, results: bool = True) -> str:
    """The dialogue as agents read it, each turn's further lines indented; without results, as the user sees it."""
    lines: list[str] = []
    for turn in dialogue:
        if turn.text:
            lines.append(f"{turn.speaker.capitalize()}: {_inset(turn.text)}")
        for made in turn.calls if results else ():
            lines.append(f"Call: {_inset(made.name)}({_inset(_json(made.arguments))})")
            lines.append(f"Result: {_inset(made.content)}")
    return "\n".join(lines)


def _inset(text: str) -> str:
    """Indented from the second line on: only the program writes a label at the start of a line."""
    return "\n    ".join(text.splitlines())


def _made(name: str, arguments: Mapping[str, Any], simulator: Simulator) -> Made:
    result = simulator.call(name, arguments)
    code = result.error.code if result.error else ""
    given = _as_declared(name, arguments, simulator)
    return Made(name=name, arguments=given, ok=result.ok, code=code, changed=result.changed, content=result.content())


def _as_declared(name: str, arguments: Mapping[str, Any], simulator: Simulator) -> dict[str, Any]:
    """The arguments as the call took them, such as 5 for "5": a record's calls must fit the tools beside them."""
    try:
        bound = next(bind(api, arguments) for api in simulator.apis if api.name == name)
    except (StopIteration, CallRefused):
        return dict(arguments)
    return {key: bound[key] for key in arguments}


def _request(key: str, made: Made) -> dict[str, Any]:
    return {"id": key, "type": "function", "function": {"name": made.name, "arguments": _json(made.arguments)}}


def _filled(value: Any, made: Sequence[Made]) -> Any:
    """A planned value, or what it refers to; a reference to nothing stays as it is and so fails its checks."""
    if isinstance(value, list):
        return [_filled(item, made) for item in value]
    reference = REFERENCE.fullmatch(value) if isinstance(value, str) else None
    if not reference or not 1 <= int(reference[1]) <= len(made):
        return value
    found: Any = json.loads(made[int(reference[1]) - 1].content)
    for step in reference[2].split(".")[1:]:
        if isinstance(found, list) and step.isdecimal() and int(step) < len(found):
            found = found[int(step)]
        elif isinstance(found, dict) and step in found:
            found = found[step]
        else:
            return value
    return found


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
