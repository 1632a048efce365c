"""A dialogue as plain chat, turn by turn: what a model sees before each answer, and what the teacher said there.

Any model can be examined so, whatever its endpoint knows of tools: the functions are told in words, a call is a line of
JSON, and results come as the user's. Each turn follows the *teacher's* earlier turns, so that errors do not add up.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import orjson

from agentinstruct.agents.prompt import Prompt, as_json, load_prompt
from agentinstruct.agents.records import Message
from agentinstruct.agents.skill import prompts_folder
from agentinstruct.bench.items import BenchItem

Chat = list[dict[str, str]]


@dataclass(frozen=True, slots=True)
class Turn:
    """One answer to be written."""

    chat: Chat
    """What the model is sent."""
    teacher: str
    """What the teacher answered."""

    @property
    def dialogue(self) -> str:
        """The chat as an examiner reads it."""
        return "\n\n".join(f"{message['role'].upper()}: {message['content']}" for message in self.chat)


@lru_cache(maxsize=8)
def bench_prompt(name: str) -> Prompt:
    """One of the bench's own prompts."""
    return load_prompt(prompts_folder() / "bench" / f"{name}.md", f"bench/{name}.md")


def turns_of(item: BenchItem) -> Iterator[Turn]:
    """The assistant's turns of a dialogue, each with what came before it."""
    messages = _with_functions(item)
    for place, message in enumerate(messages):
        if message.role == "assistant" and place:
            yield Turn(plain_chat(messages[:place]), spoken(message))


def _with_functions(item: BenchItem) -> list[Message]:
    """The messages, with the functions in the system message."""
    if not item.tools:
        return list(item.messages)
    functions = as_json([tool.get("function", tool) for tool in item.tools])
    told = bench_prompt("functions").render({"functions": functions}, "")[0]["content"]
    first, *rest = item.messages
    if first.role != "system":
        return [Message(role="system", content=told), *item.messages]
    return [Message(role="system", content=f"{first.content}\n\n{told}"), *rest]


def plain_chat(messages: Sequence[Message]) -> Chat:
    """The messages in the three roles that every model knows; results that follow each other are one message."""
    chat: Chat = []
    for place, message in enumerate(messages):
        if message.role != "tool":
            chat.append({"role": message.role, "content": spoken(message)})
            continue
        result = f"Result of {message.name or 'the call'}:\n{message.content}"
        if place and messages[place - 1].role == "tool":
            chat[-1]["content"] += f"\n\n{result}"
        else:
            chat.append({"role": "user", "content": result})
    return chat


def spoken(message: Message) -> str:
    """A turn as text: a call is a line of JSON."""
    calls = [_call(call["function"]["name"], call["function"]["arguments"]) for call in message.tool_calls]
    return "\n".join(part for part in (message.content, *calls) if part)


def _call(name: str, arguments: str) -> str:
    return orjson.dumps({"name": name, "arguments": orjson.Fragment(arguments)}).decode()
