"""What is asked of a model, what it answers, and who keeps the answers."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from hashlib import blake2b
from time import time_ns
from typing import Any, Protocol

import orjson

from agentinstruct.agents.records import Role

LOST = "lost"
"""The finish reason of what is kept where money may have been spent and no answer came."""


class Schema(dict[str, Any]):
    """A JSON schema that many requests share: it is written out once."""

    @cached_property
    def told(self) -> orjson.Fragment:
        """The schema as JSON."""
        return orjson.Fragment(orjson.dumps(dict(self)))


@dataclass(frozen=True)
class Request:
    """One call: what is asked of which model. Its key is its content, so equal requests share one answer."""

    agent: str
    role: Role
    model: str
    messages: list[dict[str, str]]
    temperature: float = 0.7
    max_tokens: int = 1024
    schema: dict[str, Any] | None = None
    schema_name: str = "Reply"
    sample: int = 0
    subject: str = ""
    inputs: Mapping[str, Any] = field(default_factory=dict)
    """What the prompt was rendered from: for the scripted model only, not part of the key."""

    @cached_property
    def told(self) -> orjson.Fragment:
        """The messages as JSON, made once for the key and for the wire."""
        return orjson.Fragment(orjson.dumps(self.messages))

    @cached_property
    def key(self) -> str:
        """The content address: 128 bits of hash over everything that shapes the answer."""
        return _ended(self._begun(), self.sample)

    def sampled(self, numbers: Iterable[int]) -> list["Request"]:
        """This request for several independent replies; what they have in common is written out and hashed once."""
        common, begun = {"told": self.told}, self._begun()
        made = [replace(self, sample=number) for number in numbers]
        for one in made:
            vars(one).update(common, key=_ended(begun, one.sample))
        return made

    def _begun(self) -> blake2b:
        """The hash of all but the sample, which comes last."""
        parts = (self.model, self.told, self.temperature, self.max_tokens, told_of(self.schema))
        return blake2b(memoryview(orjson.dumps(parts))[:-1], digest_size=16)


def _ended(begun: blake2b, sample: int) -> str:
    whole = begun.copy()
    whole.update(b",%d]" % sample)
    return whole.hexdigest()


def told_of(schema: dict[str, Any] | None) -> orjson.Fragment | dict[str, Any] | None:
    """A schema for a JSON writer, as cheap as it comes."""
    return schema.told if isinstance(schema, Schema) else schema


@dataclass(frozen=True, slots=True)
class Completion:
    """What a model answered, and what it cost in tokens."""

    text: str
    finish_reason: str = "stop"
    refusal: str = ""
    input_tokens: int = 0
    cached_tokens: int = 0
    output_tokens: int = 0
    cost: float = 0.0
    """USD at list prices, with what its failed tries may have cost; 0 for a reply that this run did not pay for."""

    def row(self) -> dict[str, Any]:
        """What is kept of it."""
        return {name: getattr(self, name) for name in self.__slots__}


def moment() -> str:
    """The mark of a loss that no other has: the time."""
    return f"{time_ns():016x}"


def keep_lost(store: "CallStore", key: str, mark: str, cost: float) -> None:
    """Keep what may have been spent on a call and bought no answer.

    Its own key is the call's with a mark (hex): longer than that of any answer, by which a ledger tells them apart.
    """
    store.put_call(key + mark, Completion("", LOST, cost=cost).row())


class Model(Protocol):
    """Something that answers requests: an endpoint, the embedded model, a script."""

    @property
    def width(self) -> int:
        """How many requests it can usefully have at once; 0 when only the run's own limit counts."""

    async def complete(self, request: Request) -> Completion:
        """Answer, or raise RetryableError, ProviderError, ProviderDown or ReplyError."""

    async def aclose(self) -> None:
        """Let go of connections and memory."""


class Deferred(Protocol):
    """What answers some calls hours later, and keeps, counts and pays its answers itself: a provider's batch jobs."""

    def takes(self, request: Request) -> bool:
        """Whether this call is one of them."""

    async def complete(self, request: Request) -> Completion:
        """Answer, or raise ProviderError, ProviderDown or ReplyError; takes no slot and has no deadline."""

    async def aclose(self) -> None:
        """Stop waiting."""


class CallStore(Protocol):
    """Where finished calls are kept: the run's journal."""

    def get_call(self, key: str) -> dict[str, Any] | None:
        """The stored reply of this key, if there is one."""

    def put_call(self, key: str, value: Mapping[str, Any]) -> None:
        """Keep a reply; it survives a kill as soon as this returns."""
