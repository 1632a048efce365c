"""Which model a spec such as `local`, `openai:gpt-4.1-mini` or `scripted` names, and how it is reached.

local               the embedded 1.5B model        local:0.5b · local:135m · local:/path/to/your.gguf
openai:<name>       any OpenAI-compatible server   --base-url or OPENAI_BASE_URL; OPENAI_API_KEY
<provider>:<name>   any LangChain chat model       when its package is installed
scripted            a stand-in that needs no model, for dry runs and tests
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agentinstruct.agents.endpoint import Endpoint
from agentinstruct.agents.errors import ModelError, ReplyError
from agentinstruct.agents.gateway import Completion, Model, Request, RetryableError
from agentinstruct.agents.tokens import Sink, sink
from agentinstruct.agents.wire import body_of, clean, completion_of, with_schema

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel
    from langchain_core.messages import BaseMessage
    from langchain_core.runnables import Runnable

    from agentinstruct.agents.local import LocalModel

OPENAI_URL = "https://api.openai.com/v1"
LOCAL_NAMES = ("1.5b", "0.5b", "135m")
LONGEST_EMBEDDED = 2000
"""Tokens: a small model that has not ended by then never does, and each costs it a tenth of a second."""


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Where `openai:` models are served; set by whoever starts a run, never by a graph's caller."""

    base_url: str = ""
    api_key: str = field(default="", repr=False)
    by_model: Mapping[str, str] = field(default_factory=dict)
    timeout_s: float = 300.0

    def open(self, spec: str) -> Model:
        """The model of a spec.

        Raises:
            ModelError: no such model, or its package, weights or key are missing; says what to do.
        """
        provider, _, name = spec.partition(":")
        if provider == "scripted":
            from agentinstruct.agents.scripted import ScriptedModel

            return ScriptedModel()
        if provider == "local":
            return _local(name)
        if provider == "openai":
            return self._openai(name)
        if not provider or not name:
            raise ModelError(f"no model {spec!r}. Write local, openai:<name>, <provider>:<name> or scripted.")
        return LangChainModel(_langchain(provider, name), spec)

    def _openai(self, name: str) -> Endpoint:
        if not name:
            raise ModelError("openai: needs a model's name, such as openai:gpt-4.1-mini.")
        url = self.by_model.get(name) or self.base_url or os.environ.get("OPENAI_BASE_URL", "") or OPENAI_URL
        key = (self.api_key or os.environ.get("OPENAI_API_KEY", "")).strip()
        if not key.isprintable():
            raise ModelError("openai: OPENAI_API_KEY holds a line break or control character. Set the key alone.")
        if not url.startswith(("http://", "https://")):
            raise ModelError(f"--base-url {url!r} must start with http:// or https://.")
        if url == OPENAI_URL and not key:
            raise ModelError("openai: needs a key. Set OPENAI_API_KEY, or --base-url for a server of your own.")
        return Endpoint(name, url.rstrip("/"), key, self.timeout_s)


def open_model(spec: str) -> Model:
    """The model of a spec, with endpoints taken from the environment."""
    return Endpoints().open(spec)


def _local(name: str) -> "Embedded":
    from agentinstruct.agents.local import LocalModel
    from agentinstruct.tools import weights

    if name.endswith(".gguf") or "/" in name:
        path = Path(name).expanduser()
        if not path.is_file():
            raise ModelError(f"local:{name}: no such file. Give the path of a GGUF file.")
        return Embedded(LocalModel(path), name)
    if name and name not in LOCAL_NAMES:
        raise ModelError(f"local:{name}: there are {', '.join(LOCAL_NAMES)}, or the path of a .gguf file.")
    try:
        return Embedded(LocalModel(weights.path(name or LOCAL_NAMES[0])), name or LOCAL_NAMES[0])
    except weights.WeightsMissing as error:
        raise ModelError(str(error)) from error


def _langchain(provider: str, name: str) -> "BaseChatModel":
    try:
        from langchain.chat_models import init_chat_model
    except ImportError as error:
        raise ModelError(f"{provider}:{name} needs LangChain: pip install langchain langchain-{provider}.") from error
    try:
        return init_chat_model(name, model_provider=provider)
    except ImportError as error:
        raise ModelError(f"{provider}:{name} needs its package: {error}") from error
    except ValueError as error:
        raise ModelError(f"no model {provider}:{name}: {error} Also: local, openai:<name>, scripted.") from error


@dataclass(slots=True)
class Embedded:
    """The in-process engine: typed replies by grammar."""

    engine: "LocalModel"
    name: str

    @property
    def width(self) -> int:
        """As many requests as the engine has slots."""
        return self.engine.n_parallel

    async def complete(self, request: Request) -> Completion:
        """The engine's answer; the seed is the request's key, so a run can be repeated."""
        from agentinstruct.agents.local import LocalModelError

        room = min(request.max_tokens, LONGEST_EMBEDDED)
        body = body_of(request, self.name, "json_schema") | {"max_tokens": room, "seed": int(request.key[:7], 16)}
        try:
            return completion_of(await self.engine.chat(body))
        except LocalModelError as error:
            raise ModelError(f"local:{self.name}: {error}") from error
        except ValueError as error:
            raise ReplyError("request refused", str(error)) from error

    async def aclose(self) -> None:
        """Free the engine."""
        await self.engine.aclose()


@dataclass(slots=True)
class LangChainModel:
    """Any LangChain chat model: the schema is put into words, and the reply is validated by the agent."""

    model: "BaseChatModel"
    spec: str
    width: int = 0

    async def complete(self, request: Request) -> Completion:
        """The model's answer; every fault is worth another try, since providers' errors share no types."""
        from langchain_core.messages import convert_to_messages

        messages = with_schema(request) if request.schema else request.messages
        bound, told = self.model.bind(temperature=request.temperature, max_tokens=request.max_tokens), sink()
        try:
            said = convert_to_messages(messages)
            reply = await (_streamed(bound, said, told) if told else bound.ainvoke(said))
        except Exception as error:
            raise RetryableError(f"{type(error).__name__}: {error}") from error
        usage: Mapping[str, Any] = getattr(reply, "usage_metadata", None) or {}
        return Completion(
            text=clean(str(reply.text)),
            finish_reason=_finish(reply.response_metadata),
            input_tokens=usage.get("input_tokens", 0),
            cached_tokens=(usage.get("input_token_details") or {}).get("cache_read", 0),
            output_tokens=usage.get("output_tokens", 0),
        )

    async def aclose(self) -> None:
        """Nothing to close: LangChain models keep their own clients."""


async def _streamed(model: "Runnable[Any, BaseMessage]", messages: "list[BaseMessage]", told: Sink) -> Any:
    """The whole reply, with its pieces handed over; who listens has been told of the call already."""
    whole: Any = None
    async for chunk in model.astream(messages, config={"callbacks": []}):
        told(str(chunk.text))
        whole = chunk if whole is None else whole + chunk
    return whole


def _finish(metadata: Mapping[str, Any]) -> str:
    """Why a reply ended, in OpenAI's words."""
    reason = str(metadata.get("finish_reason") or metadata.get("stop_reason") or "stop").casefold()
    return {"max_tokens": "length", "refusal": "content_filter", "safety": "content_filter"}.get(reason, reason)
