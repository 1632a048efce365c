"""LangSmith, when its own variables are set: LangGraph traces graphs by itself, and model calls join in as llm runs.

    LANGSMITH_TRACING=true  LANGSMITH_API_KEY=…  [LANGSMITH_PROJECT=…  LANGSMITH_ENDPOINT=…]

Its traces are made of texts; LANGSMITH_HIDE_INPUTS and LANGSMITH_HIDE_OUTPUTS keep them here.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from agentinstruct.agents.gateway import Completion, Model, Request
from agentinstruct.agents.models import LangChainModel

if TYPE_CHECKING:
    from agentinstruct.run.plan import Work

_SWITCHES = ("LANGSMITH_TRACING", "LANGSMITH_TRACING_V2", "LANGCHAIN_TRACING", "LANGCHAIN_TRACING_V2")
_FLUSH_S = 10.0


def wanted() -> bool:
    """Whether LangGraph is going to trace; LangSmith is not imported to find that out."""
    if "langsmith" not in sys.modules and all(os.environ.get(name) != "true" for name in _SWITCHES):
        return False
    from langsmith.utils import tracing_is_enabled

    return bool(tracing_is_enabled())


class LangSmith:
    """The traces of one run."""

    def __init__(self, run: str) -> None:
        self._run = run

    @contextmanager
    def item(self, work: "Work") -> Iterator[None]:
        """Every trace says which work item it is of."""
        from langsmith.run_helpers import get_tracing_context, tracing_context

        names = {"agentinstruct_run": self._run, "agentinstruct_item": work.id, "agentinstruct_seed": work.seed.id}
        with tracing_context(metadata={**(get_tracing_context()["metadata"] or {}), **names}):
            yield

    def outcome(self, error: str, **counts: int) -> None:
        """LangGraph's own run holds it."""

    async def call(self, request: Request, model: Model) -> Completion:
        """A call as an llm run; LangChain's models trace themselves."""
        if isinstance(model, LangChainModel):
            return await model.complete(request)
        from langsmith.run_helpers import trace

        with trace(request.agent, "llm", inputs={"messages": request.messages}, metadata=_metadata(request)) as run:
            completion = await model.complete(request)
            run.end(outputs=_outputs(completion))
        return completion

    def close(self) -> None:
        """Wait until what is left was sent, for some seconds."""
        from langsmith.run_trees import get_cached_client

        get_cached_client().flush(timeout=_FLUSH_S)


def _metadata(request: Request) -> dict[str, Any]:
    provider, _, name = request.model.partition(":")
    return {
        "ls_provider": provider,
        "ls_model_name": name or provider,
        "ls_model_type": "chat",
        "ls_temperature": request.temperature,
        "ls_max_tokens": request.max_tokens,
        "role": request.role,
    }


def _outputs(completion: Completion) -> dict[str, Any]:
    read, written = completion.input_tokens, completion.output_tokens
    return {
        "messages": [{"role": "assistant", "content": completion.text}],
        "finish_reason": completion.finish_reason,
        "usage_metadata": {
            "input_tokens": read,
            "output_tokens": written,
            "total_tokens": read + written,
            "input_token_details": {"cache_read": completion.cached_tokens},
        },
    }
