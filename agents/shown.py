"""An agent's call as a chat model's, for those who watch a graph through LangChain's callbacks.

Studio's `messages` stream, tracers and event streams know model calls by LangChain's chat models alone, and ours goes
to the gateway. So where somebody listens, and only there, the call is made inside a chat model that does nothing
itself: its messages are the agent's, its tokens those of the model behind the gateway, as far as that one streams.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, BaseCallbackManager, CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.language_models.base import LangSmithParams
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, convert_to_messages
from langchain_core.messages.ai import UsageMetadata
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.runnables.config import var_child_runnable_config
from langchain_core.tracers import LangChainTracer
from pydantic import PrivateAttr

from agentinstruct.agents.calls import Completion, Request
from agentinstruct.agents.gateway import current_gateway
from agentinstruct.agents.tokens import watching


def watched() -> bool:
    """Whether somebody listens to this call, besides a LangSmith tracer, which runs serve in their own way."""
    config = var_child_runnable_config.get()
    if config is None:
        return False
    callbacks = config.get("callbacks")
    handlers = callbacks.handlers if isinstance(callbacks, BaseCallbackManager) else callbacks
    return any(not isinstance(handler, LangChainTracer) for handler in handlers or ())


async def shown(request: Request) -> Completion:
    """The reply to a request, with all who listen told of it. Raises as the gateway does."""
    model = Shown(request=request)
    about = {"agent": request.agent, "role": request.role, "subject": request.subject, "model": request.model}
    messages = convert_to_messages(request.messages)
    await model.ainvoke(messages, config={"run_name": request.agent, "metadata": about})
    return model.completion


class Shown(BaseChatModel):
    """One request to the gateway."""

    request: Any
    cache: bool = False
    _completion: Completion | None = PrivateAttr(None)

    @property
    def completion(self) -> Completion:
        """What came back."""
        assert self._completion is not None
        return self._completion

    @property
    def _llm_type(self) -> str:
        return "agentinstruct"

    def _get_ls_params(self, stop: list[str] | None = None, **kwargs: Any) -> LangSmithParams:
        provider, _, name = str(self.request.model).partition(":")
        return LangSmithParams(ls_provider=provider, ls_model_name=name or provider, ls_model_type="chat")

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        raise NotImplementedError("agents are asked in an event loop")

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        with watching(lambda piece: None):
            completion = self._completion = await current_gateway().complete(self.request)
        message = AIMessage(content=completion.text, name=self.request.agent, **_about(completion))
        return ChatResult(generations=[ChatGeneration(message=message)])

    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        pieces: asyncio.Queue[str | None] = asyncio.Queue()
        loop = asyncio.get_running_loop()

        def hear(piece: str) -> None:  # from the gateway's loop, which may be another thread's and outlive this one
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(pieces.put_nowait, piece)

        with watching(hear):
            buying = asyncio.ensure_future(current_gateway().complete(self.request))
        buying.add_done_callback(lambda _: pieces.put_nowait(None))
        said = ""
        try:
            while (piece := await pieces.get()) is not None:
                said += piece
                yield self._chunk(piece)
            completion = self._completion = await buying
        finally:
            buying.cancel()
        rest = "" if said else completion.text
        yield self._chunk(rest, **_about(completion))

    def _chunk(self, text: str, **more: Any) -> ChatGenerationChunk:
        return ChatGenerationChunk(message=AIMessageChunk(content=text, name=self.request.agent, **more))


def _about(completion: Completion) -> dict[str, Any]:
    read, written = completion.input_tokens, completion.output_tokens
    return {
        "usage_metadata": UsageMetadata(input_tokens=read, output_tokens=written, total_tokens=read + written),
        "response_metadata": {"finish_reason": completion.finish_reason},
    }
