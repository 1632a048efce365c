"""An agent: a prompt, and the type its reply must have. A frozen value that you call.

    reply, call = await Agent("suggest", prompt, Suggestions)(model, draw, item=…, goal=…)

A reply that does not fit its type is asked for again with the problem named (a bounded repair); one that
still does not is a `ReplyError`, and the draft becomes a `Dropped`.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from random import Random
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, Field, create_model

from agentinstruct.agents.calls import Schema
from agentinstruct.agents.errors import ReplyError, reply_at_fault
from agentinstruct.agents.forms.form import final_answer
from agentinstruct.agents.gateway import Completion, Request, current_gateway
from agentinstruct.agents.prompt import Prompt
from agentinstruct.agents.records import Call, Frozen
from agentinstruct.agents.spoken import Spoken, parsed
from agentinstruct.agents.wire import loops

Reply = TypeVar("Reply", bound=BaseModel)
REPAIRS = 1
HOPELESS = ("refusal", "ran on")
"""Replies that more room or a second try do not mend."""
_REFUSAL = re.compile(
    r"(?:i['’]?m sorry|i am sorry|sorry|i apologi[sz]e)[,.]? (?:but )?(?:i|as an ai)\b.{0,40}"
    r"\b(?:can['’]?t|cannot|not able|unable|won['’]?t)[^\n]{0,120}"
    r"|i (?:can['’]?t|cannot|won['’]?t) (?:assist|help|comply|fulfil)[^\n]{0,120}",
    re.IGNORECASE,
)
_ON_TEXT = re.compile(
    r"\b(?:in|from|by|on|within) (?:the|this|your|that) (?:[\w-]+ )?(?:passage|text|excerpt|article|story|poem)\b"
    r"|\b(?:passage|text)\b.{0,15}\b(?:does|doesn['’]t|do|gives?|says?|states?|mentions?)\b",
    re.IGNORECASE,
)
_DISOBEYS = re.compile(r"\b(?:assist|help|comply|fulfil)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Agent(Generic[Reply]):
    """One role in a flow: what it is told, and the type its reply must have."""

    name: str
    prompt: Prompt
    reply: type[Reply]
    repair: Prompt
    subject: str = ""
    """What it works on, as `skill/category`; the scripted model is keyed by it."""
    accept: Callable[[Reply], None] | None = None
    """Raises ReplyError when a reply of the right type still cannot be used; the problem is named to the model."""
    besides: Prompt | None = None
    """What it is told after its prompt, such as which tools it has."""

    async def __call__(self, model: str, draw: Random | str, *, sample: int = 0, **inputs: Any) -> tuple[Reply, Call]:
        """Ask the model, and again with the problem named when the reply does not fit.

        Args:
            model: The model's spec.
            draw: Picks the example that is shown: a generator, or the seed of one, made when needed.
            sample: Another number asks for another, independent reply to the same request.
            inputs: What the prompt declares under `inputs:`.

        Raises:
            ReplyError: no usable reply: wrong shape, refusal, cut off, empty.
        """
        return await self.ask(self.request(model, draw, sample=sample, **inputs))

    async def ask(self, request: Request) -> tuple[Reply, Call]:
        """Ask for what `request` has made: the same as a call of the agent, in two steps."""
        call = None
        for attempt in range(REPAIRS + 1):
            completion = await _completed(request, (call,) if call else ())
            call = self._counted(call, request, completion, attempt)
            try:
                reply = self._read(completion)
                if self.accept:
                    self.accept(reply)
                return reply, call
            except ReplyError as problem:
                if attempt == REPAIRS or problem.reason in HOPELESS:
                    problem.calls = (call,)
                    raise
                request = self._again(request, completion, problem)
        raise AssertionError("unreachable: the last attempt returns or raises")

    async def several(self, request: Request, numbers: Iterable[int]) -> tuple[list[Reply], list[Call]]:
        """Independent replies to what `request` has made, by these sample numbers, and all calls that were paid.

        A reply that cannot be used is left out.
        """

        async def one(sampled: Request) -> tuple[list[Reply], list[Call]]:
            try:
                reply, call = await self.ask(sampled)
            except ReplyError as error:
                return [], list(error.calls)
            return [reply], [call]

        found = await asyncio.gather(*map(one, request.sampled(numbers)))
        return [reply for replies, _ in found for reply in replies], [call for _, calls in found for call in calls]

    def request(self, model: str, draw: Random | str, *, sample: int = 0, **inputs: Any) -> Request:
        """What is sent first when the agent is called with these."""
        front = self.prompt.front
        return Request(
            agent=self.name,
            role=front.role,
            model=model,
            messages=self._messages(inputs, draw),
            temperature=front.temperature,
            max_tokens=front.max_tokens,
            schema=None if self._plain else strict_schema(self.reply),
            schema_name=self.reply.__name__,
            sample=sample,
            subject=self.subject,
            inputs=inputs,
        )

    @property
    def _plain(self) -> bool:
        return issubclass(self.reply, Spoken) and self.reply.plain

    def _messages(self, inputs: Mapping[str, Any], draw: Random | str) -> list[dict[str, str]]:
        told = self.prompt.render(inputs, draw)
        if self.besides:
            more = "\n\n".join(message["content"] for message in self.besides.render(inputs, draw))
            told[-1] = {**told[-1], "content": f"{told[-1]['content']}\n\n{more}"}
        return told

    def _read(self, completion: Completion) -> Reply:
        if completion.refusal:
            raise ReplyError("refusal", completion.refusal[:200])
        if completion.finish_reason == "content_filter":
            raise ReplyError("refusal", "stopped by the provider's content filter")
        if completion.finish_reason == "length" and loops(completion.text):
            raise ReplyError("ran on", f"the reply repeats itself: {completion.text[-120:]}")
        if completion.finish_reason == "length":
            raise ReplyError("cut off", f"the reply reached its limit of {completion.output_tokens} tokens")
        if not completion.text.strip():
            raise ReplyError("empty reply")
        if issubclass(self.reply, Spoken):
            if refused := _refused(completion.text.strip()):
                raise ReplyError("refusal", refused[:200])
            with reply_at_fault("wrong shape"):
                return self.reply.heard(completion.text.strip())
        return parsed(self.reply, completion.text)

    def _counted(self, before: Call | None, request: Request, completion: Completion, attempt: int) -> Call:
        """The call with this attempt's tokens added to those of the earlier ones."""
        return Call(
            agent=self.name,
            role=request.role,
            prompt=self.prompt.label,
            model=request.model,
            key=request.key,
            input_tokens=completion.input_tokens + (before.input_tokens if before else 0),
            cached_tokens=completion.cached_tokens + (before.cached_tokens if before else 0),
            output_tokens=completion.output_tokens + (before.output_tokens if before else 0),
            repairs=attempt,
        )

    def _again(self, request: Request, completion: Completion, problem: ReplyError) -> Request:
        if problem.reason in ("cut off", "empty reply"):
            return replace(request, max_tokens=request.max_tokens * 2, sample=request.sample + 1000)
        ask = self.repair.render({"problem": problem.detail[:600]}, "")
        turn = {"role": "assistant", "content": completion.text[:8000]}
        return replace(request, messages=[*request.messages, turn, *ask])


def _refused(said: str) -> str:
    """The words that refuse to serve; to say that the passage leaves a question open is an answer, no refusal."""
    found = _REFUSAL.match(said)
    if not found or final_answer(said) or (_ON_TEXT.search(found[0]) and not _DISOBEYS.search(found[0])):
        return ""
    return found[0]


@lru_cache(maxsize=1)
def _listening() -> tuple[Callable[[], bool], Callable[[Request], Awaitable[Completion]]]:
    """Whether somebody watches a call, and the call as they see it."""
    from agentinstruct.agents.shown import shown, watched  # imported when an agent first speaks: LangChain is heavy

    return watched, shown


async def _completed(request: Request, paid: tuple[Call, ...]) -> Completion:
    watched, shown = _listening()
    try:
        return await (shown(request) if watched() else current_gateway().complete(request))
    except ReplyError as problem:
        problem.calls = paid
        raise


@lru_cache(maxsize=256)
def batch_of(form: type[BaseModel], count: int, least: int = 0) -> type[BaseModel]:
    """The reply type of a writer asked for up to `count` items of a form; none when the passage need carry none."""
    items: Any = tuple[form, ...]  # type: ignore[valid-type]
    return create_model(
        f"{form.__name__}Items", __base__=Frozen, items=(items, Field(min_length=least, max_length=count))
    )


@lru_cache(maxsize=256)
def strict_schema(reply: type[BaseModel]) -> Schema:
    """A reply type's JSON schema in the strict dialect: every key required, no key besides, no defaults."""
    schema = reply.model_json_schema(by_alias=True)
    fields = schema.get("properties", {})
    for name in getattr(reply, "TOLD_LAST", ()):
        fields[name] = fields.pop(name)
    _tighten(schema)
    return Schema(schema)


def _tighten(node: Any) -> None:
    if isinstance(node, list):
        for part in node:
            _tighten(part)
    if not isinstance(node, dict):
        return
    node.pop("default", None)
    if isinstance(node.get("title"), str):
        del node["title"]
    if isinstance(node.get("properties"), dict):
        node["required"] = list(node["properties"])
        node["additionalProperties"] = False
        for part in node["properties"].values():
            _tighten(part)
    for key, part in node.items():
        if key != "properties":
            _tighten(part)
