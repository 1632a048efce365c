"""The formats trainers read: each a function from a record's row to the rows it becomes, or to the reason why none.

sharegpt   conversations of human, gpt, function_call, observation     openai   what its fine-tuning API takes
alpaca     instruction, input, output, system: one turn, no tools      trl      prompt and completion, a row a turn
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any

import orjson

Row = Mapping[str, Any]
Format = Callable[[Row], list[dict[str, Any]]]
MESSAGES, PREFERENCE = "messages", "preference"
"""What is not written row by row: every column with its lineage, and pairs of answers."""
_SAID = {"user": "human", "assistant": "gpt", "system": "system"}
_ODD, _EVEN = ("human", "observation"), ("gpt", "function_call")
_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_MOST_TOOLS = 128


class Inexpressible(Exception):
    """A record that a format has no words for; says what of it."""


def wired(message: Row) -> dict[str, Any]:
    """A message with the keys it uses."""
    turn = {"role": message["role"], "content": message["content"]}
    return turn | {key: message[key] for key in ("tool_calls", "tool_call_id", "name") if message.get(key)}


def sharegpt(row: Row) -> list[dict[str, Any]]:
    """The dialogue as ShareGPT has it; a turn's calls are one JSON value, and so are their results."""
    turns: list[dict[str, str]] = []
    for message in row["messages"]:
        said, text = _shared(message)
        if said == "observation" and turns[-1]["from"] == "observation":
            turns[-1]["value"] += f"\n{text}"  # the results of parallel calls, in the order of the calls
        else:
            turns.append({"from": said, "value": text})
    spoken = turns[1:] if turns[0]["from"] == "system" else turns
    if len(spoken) % 2 or any(turn["from"] not in (_ODD, _EVEN)[place % 2] for place, turn in enumerate(spoken)):
        raise Inexpressible("user and assistant do not take turns")
    tools = orjson.dumps(row["tools"]).decode() if row.get("tools") else ""
    return [{"id": row["id"], "skill": row["skill"], "conversations": turns, "tools": tools}]


def _shared(message: Row) -> tuple[str, str]:
    if message["role"] == "tool":
        return "observation", message["content"]
    calls = [{"name": call["name"], "arguments": call["arguments"]} for call in _functions(message)]
    if not calls:
        return _SAID[message["role"]], message["content"]
    if message["content"]:
        raise Inexpressible("a turn both speaks and calls a tool")
    return "function_call", orjson.dumps(calls if len(calls) > 1 else calls[0]).decode()


def _functions(message: Row) -> Iterator[dict[str, Any]]:
    """The calls of a turn, their arguments as an object."""
    for call in message.get("tool_calls", ()):
        try:
            arguments = orjson.loads(call["function"]["arguments"])
        except orjson.JSONDecodeError:
            arguments = None
        if not isinstance(arguments, dict):
            raise Inexpressible("the arguments of a call are no JSON object")
        yield {"name": call["function"]["name"], "arguments": arguments}


def alpaca(row: Row) -> list[dict[str, Any]]:
    """The one request and its answer."""
    messages = row["messages"]
    system = messages[0]["content"] if messages[0]["role"] == "system" else ""
    spoken = messages[1:] if messages[0]["role"] == "system" else messages
    if row.get("tools") or any(message["role"] == "tool" or message.get("tool_calls") for message in spoken):
        raise Inexpressible("tools")
    if [message["role"] for message in spoken] != ["user", "assistant"]:
        raise Inexpressible("several turns")
    asked, answered = (message["content"] for message in spoken)
    return [
        {
            "id": row["id"],
            "skill": row["skill"],
            "instruction": asked,
            "input": "",
            "output": answered,
            "system": system,
        }
    ]


def openai(row: Row) -> list[dict[str, Any]]:
    """The dialogue with the keys that OpenAI's fine-tuning knows, and no others."""
    messages = [_chat(message) for message in row["messages"]]
    if messages[-1]["role"] != "assistant":
        raise Inexpressible("the last word is not the assistant's")
    _answered(messages)
    tools = row.get("tools") or []
    if len(tools) > _MOST_TOOLS:
        raise Inexpressible(f"more than {_MOST_TOOLS} tools")
    if any(not _NAME.fullmatch(tool["function"]["name"]) for tool in tools):
        raise Inexpressible("a tool's name has other characters than letters, digits, _ and -")
    if not tools:
        return [{"messages": messages}]
    parallel = any(len(message.get("tool_calls", ())) > 1 for message in messages)
    return [{"messages": messages, "tools": tools, "parallel_tool_calls": parallel}]


def _chat(message: Row) -> dict[str, Any]:
    keys = ("role", "content", "tool_calls", "tool_call_id")
    turn = {key: message[key] for key in keys if message.get(key)}
    if "content" not in turn and "tool_calls" not in turn:
        raise Inexpressible("a message is empty")
    return turn


def _answered(messages: list[dict[str, Any]]) -> None:
    """Every call has its result right after its turn, and there is no result without a call."""
    unpaired, waiting = Inexpressible("a tool call and its result do not belong together"), Counter[str]()
    for message in messages:
        if message["role"] != "tool":
            if waiting.total():
                raise unpaired
            waiting = Counter(call["id"] for call in message.get("tool_calls", ()))
        elif not waiting[message.get("tool_call_id", "")]:
            raise unpaired
        else:
            waiting[message["tool_call_id"]] -= 1


def trl(row: Row) -> list[dict[str, Any]]:
    """A row for each of the assistant's turns: what went before as prompt, the turn as completion."""
    messages = [trl_message(message) for message in row["messages"]]
    tools = {"tools": row["tools"]} if row.get("tools") else {}
    rows = [
        {"id": f"{row['id']}/{place}", "skill": row["skill"], "prompt": messages[:place], "completion": [message]}
        for place, message in enumerate(messages)
        if message["role"] == "assistant"
    ]
    if not rows or rows[0]["prompt"] == []:
        raise Inexpressible("no turn of the assistant's has anything before it")
    return [one | tools for one in rows]


def trl_message(message: Row) -> dict[str, Any]:
    """A message as chat templates take it: arguments are objects."""
    turn = wired(message)
    if "tool_calls" in turn:
        turn["tool_calls"] = [{"type": "function", "function": call} for call in _functions(message)]
    return turn


FORMATS: Mapping[str, Format] = MappingProxyType({"sharegpt": sharegpt, "alpaca": alpaca, "openai": openai, "trl": trl})
"""The formats that records are written in one by one; another one is a line here."""
