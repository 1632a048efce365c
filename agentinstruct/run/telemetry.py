"""What a run tells tracing systems: OpenTelemetry and LangSmith, each only when its own variables are set.

    run ─ work item ─ graph ─ agent ─ gateway ─ limiter ─ [traced] model

A model is traced by being wrapped, so a call's span is the time its model took, without the wait for its turn, and each
try is one. Without those variables nothing is wrapped and nothing is imported. To us nothing is told, ever.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from agentinstruct.agents.events import fault_of, listening, tell
from agentinstruct.agents.gateway import Completion, Model, Request

if TYPE_CHECKING:
    from agentinstruct.run.plan import Work
    from agentinstruct.run.progress import Progress

Answer = Callable[[Request], Awaitable[Completion]]
_LIBRARIES = ("opentelemetry", "langsmith")


class Tracer(Protocol):
    """One tracing system."""

    def item(self, work: "Work") -> AbstractContextManager[None]:
        """The block works on this item."""

    def outcome(self, error: str, **counts: int) -> None:
        """What came of the item that is worked on: the class of the error it failed by, if it did."""

    async def call(self, request: Request, model: Model) -> Completion:
        """One call of a model."""

    def close(self) -> None:
        """Send what is left; takes some seconds at most."""


@dataclass(slots=True)
class Traced:
    """A model each of whose calls is traced."""

    model: Model
    tracer: Tracer

    @property
    def width(self) -> int:
        """As of the model."""
        return self.model.width

    async def complete(self, request: Request) -> Completion:
        """The model's answer."""
        return await self.tracer.call(request, self.model)

    async def aclose(self) -> None:
        """Close the model."""
        await self.model.aclose()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.model, name)


@dataclass(frozen=True, slots=True)
class Telemetry:
    """The tracing systems that are on; mostly none."""

    tracers: tuple[Tracer, ...] = ()

    def opener(self, open_model: Callable[[str], Model]) -> Callable[[str], Model]:
        """The same way to models, which are traced."""
        return self._open(open_model) if self.tracers else open_model

    def _open(self, open_model: Callable[[str], Model]) -> Callable[[str], Model]:
        def opened(spec: str) -> Model:
            model = open_model(spec)
            for tracer in self.tracers:
                model = Traced(model, tracer)
            return model

        return opened

    @contextmanager
    def item(self, work: "Work") -> Iterator[None]:
        """The block works on this item."""
        with ExitStack() as stack:
            for tracer in self.tracers:
                stack.enter_context(tracer.item(work))
            yield

    def outcome(self, error: str = "", **counts: int) -> None:
        """What came of the item that is worked on."""
        for tracer in self.tracers:
            tracer.outcome(error, **counts)


class CallLog:
    """Every try of every call, for a log of level debug."""

    @contextmanager
    def item(self, work: "Work") -> Iterator[None]:
        """The log knows it already."""
        yield

    def outcome(self, error: str, **counts: int) -> None:
        """The log is told by whoever finishes it."""

    async def call(self, request: Request, model: Model) -> Completion:
        """How long it took, and what came."""
        begun, of = time.perf_counter(), {"agent": request.agent, "role": request.role, "model": request.model}
        try:
            made = await model.complete(request)
        except Exception as error:
            seconds = round(time.perf_counter() - begun, 4)
            tell(logging.DEBUG, "call", {"messages": request.messages}, **of, seconds=seconds, error=fault_of(error))
            raise
        tell(
            logging.DEBUG,
            "call",
            {"messages": request.messages, "reply": made.text},
            **of,
            seconds=round(time.perf_counter() - begun, 4),
            input_tokens=made.input_tokens,
            cached_tokens=made.cached_tokens,
            output_tokens=made.output_tokens,
            finish_reason=made.finish_reason,
        )
        return made

    def close(self) -> None:
        """Nothing is left to send."""


@asynccontextmanager
async def telemetry(run: str, progress: "Progress") -> AsyncIterator[Telemetry]:
    """What the environment asks for, for this run.

    Raises:
        SetupError: it asks for what is not installed.
    """
    from agentinstruct.run import langsmith, otel

    tracers: list[Tracer] = []
    if langsmith.wanted():  # first: it looks at what kind of model it is
        tracers.append(langsmith.LangSmith(run))
    if otel.wanted():
        tracers.append(otel.Otel(run, progress))
    if listening(logging.DEBUG):
        tracers.append(CallLog())
    if not tracers:
        yield Telemetry()
        return
    with _complaints(progress):
        try:
            yield Telemetry(tuple(tracers))
        finally:
            for tracer in tracers:
                await asyncio.to_thread(tracer.close)


@contextmanager
def _complaints(progress: "Progress") -> Iterator[None]:
    """What the libraries complain of is a notice of the run, once, instead of lines across its progress."""

    class Complaints(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            said = record.getMessage().partition("Content-Length:")[0]  # what LangSmith adds there is of no use
            words = " ".join(said.split())[:300]
            told = f"traces may not have arrived: {record.name.partition('.')[0]} says: {words}"
            progress.untraced = progress.untraced or told

    handler = Complaints(logging.WARNING)
    for name in _LIBRARIES:
        logging.getLogger(name).addHandler(handler)
    try:
        yield
    finally:
        for name in _LIBRARIES:
            logging.getLogger(name).removeHandler(handler)
