"""The OpenAI chat-completion format, which endpoints and the embedded engine both speak.

How a typed reply is asked for depends on what the server can do, best first: `json_schema` (constrained
decoding), a forced tool call, or words in the prompt.
"""

import re
from typing import Any, Literal

import orjson

from agentinstruct.agents.gateway import Completion, Request, RetryableError

Mode = Literal["json_schema", "tool", "text"]
_THOUGHT = re.compile(r"\A\s*<think>.*?</think>\s*", re.DOTALL)
# The same piece of up to 120 characters six times or more, filling at least 240 characters.
_LOOP = re.compile(r"(.{1,120}?)\1{5,}\Z", re.DOTALL)
_LOOP_LENGTH = 240
LOOP_WINDOW = 800
"""How many characters of a reply's end tell whether it goes round in a loop."""
MODES: tuple[Mode, ...] = ("json_schema", "tool", "text")


def body_of(request: Request, name: str, mode: Mode) -> dict[str, Any]:
    """The request body for a model of this name."""
    body: dict[str, Any] = {
        "model": name,
        "messages": request.messages,
        "temperature": request.temperature,
        "max_tokens": request.max_tokens,
    }
    if request.schema is None:
        return body
    if mode == "json_schema":
        schema = {"name": request.schema_name, "schema": request.schema, "strict": True}
        return body | {"response_format": {"type": "json_schema", "json_schema": schema}}
    if mode == "tool":
        function = {"name": request.schema_name, "description": "Give your reply.", "parameters": request.schema}
        return body | {
            "tools": [{"type": "function", "function": function}],
            "tool_choice": {"type": "function", "function": {"name": request.schema_name}},
        }
    return body | {"messages": with_schema(request)}


def with_schema(request: Request) -> list[dict[str, str]]:
    """The messages with the reply's schema spelled out at the end."""
    *before, last = request.messages
    schema = orjson.dumps(request.schema).decode()
    content = f"{last['content']}\n\nReply with one JSON object that fits this JSON Schema, and nothing else:\n{schema}"
    return [*before, {"role": last["role"], "content": content}]


def completion_of(response: object) -> Completion:
    """The answer in a response body.

    Raises:
        RetryableError: the body is not a chat completion (a proxy's page, no choices, no message).
    """
    try:
        choice = response["choices"][0]  # type: ignore[index]
        message = choice["message"]
        text = _text(message)
        usage = _map(response, "usage")
        read = _count(usage, "prompt_tokens")
    except (TypeError, KeyError, IndexError, AttributeError) as error:
        raise RetryableError(
            f"the answer is not a chat completion ({type(error).__name__}: {error})", kind="spoilt"
        ) from error
    return Completion(
        text=text,
        finish_reason=clean(str(choice.get("finish_reason") or "stop")),
        refusal=clean(str(message.get("refusal") or "")),
        input_tokens=read,
        cached_tokens=min(read, _count(_map(usage, "prompt_tokens_details"), "cached_tokens")),
        output_tokens=_count(usage, "completion_tokens"),
    )


def tokens_of(response: object) -> Completion:
    """What an answer that cannot be read says of its tokens."""
    usage = response.get("usage") if isinstance(response, dict) else None
    return completion_of({"choices": [{"message": {}}], "usage": usage})


def _text(message: dict[str, Any]) -> str:
    for call in message.get("tool_calls") or ():
        return clean(arguments_of(call))
    content = message.get("content") or ""
    if isinstance(content, list):
        content = "".join(part.get("text") or "" for part in content)
    text = clean(str(content))
    thought = _THOUGHT.match(text)
    return text[thought.end() :] if thought else text


def arguments_of(call: dict[str, Any]) -> str:
    """What a tool is called with, as JSON: some servers give it as an object, or leave it out where it is empty."""
    given = call["function"].get("arguments") or ""
    return given if isinstance(given, str) else orjson.dumps(given).decode()


def _map(value: Any, key: str) -> dict[str, Any]:
    found = value.get(key)
    return found if isinstance(found, dict) else {}


def clean(text: str) -> str:
    """The text without lone surrogates and NULs, which no file or database keeps faithfully."""
    if not text.isascii():
        text = text.encode("utf-8", "ignore").decode()
    return text.replace("\x00", "")


def _count(usage: dict[str, Any], key: str) -> int:
    value = usage.get(key)
    return value if type(value) is int and value >= 0 else 0


def loops(text: str) -> bool:
    """Whether a text ends by saying the same thing over and over."""
    loop = _LOOP.search(text[-LOOP_WINDOW:])
    return loop is not None and len(loop[0]) >= _LOOP_LENGTH
