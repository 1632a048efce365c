"""LangSmith, when its own variables are set: LangGraph traces graphs by itself, and model calls join in as llm runs.

    LANGSMITH_TRACING=true  LANGSMITH_API_KEY=…  [LANGSMITH_PROJECT=…  LANGSMITH_ENDPOINT=…]

Its traces are made of texts; LANGSMITH_HIDE_INPUTS and LANGSMITH_HIDE_OUTPUTS keep them here.
"""

import logging
import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from agentinstruct.agents.errors import SetupError
from agentinstruct.agents.gateway import Completion, Model, Request
from agentinstruct.agents.models import LangChainModel

if TYPE_CHECKING:
    from agentinstruct.run.plan import Work

_SWITCHES = ("LANGSMITH_TRACING", "LANGSMITH_TRACING_V2", "LANGCHAIN_TRACING", "LANGCHAIN_TRACING_V2")
_FLUSH_S = 4.0
_LOG = logging.getLogger("langsmith")
_QUIET = logging.NullHandler()


def wanted() -> bool:
    """Whether LangGraph is going to trace; LangSmith is not imported to find that out."""
    if "langsmith" not in sys.modules and all(os.environ.get(name) != "true" for name in _SWITCHES):
        return False
    from langsmith.utils import tracing_is_enabled

    return bool(tracing_is_enabled())


class LangSmith:
    """The traces of one run. Raises `SetupError` where the key that they need is missing."""

    def __init__(self, run: str) -> None:
        from langsmith.run_trees import get_cached_client
        from langsmith.utils import LangSmithMissingAPIKeyWarning

        _LOG.addHandler(_QUIET)  # its threads outlive the run: what they say then is on no screen
        self._run = run
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error", LangSmithMissingAPIKeyWarning)
                self._client = get_cached_client()
        except LangSmithMissingAPIKeyWarning as missing:
            raise SetupError(
                "LANGSMITH_TRACING is set, but no key: set LANGSMITH_API_KEY, or LANGSMITH_TRACING=false."
            ) from missing

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
        """Wait until what is left was sent, as long as some of it goes every few seconds."""
        left = self._waiting
        self._client.flush(timeout=_FLUSH_S)
        while 0 < self._waiting < left:
            left = self._waiting
            self._client.flush(timeout=_FLUSH_S)
        if self._waiting:
            _LOG.warning("%s did not take them within %.0f s", self._client.api_url, _FLUSH_S)

    @property
    def _waiting(self) -> int:
        queue = self._client.tracing_queue
        return queue.unfinished_tasks if queue else 0


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
