"""OpenTelemetry, when its standard variables are set: a trace for every work item, metrics of the whole run.

    agentinstruct.run                      the run; work items link to it
    invoke_workflow reading_comprehension  one work item: a trace of its own, since none may grow with the run
    └── chat gpt-4.1-mini                  one try of one call

Names are those of the GenAI semantic conventions where they have one. No text leaves, unless
OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT=true.
"""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import entry_points, version
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import orjson

from agentinstruct.agents.errors import SetupError
from agentinstruct.agents.events import fault_of
from agentinstruct.agents.gateway import Completion, Model, Request

if TYPE_CHECKING:
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.util.types import AttributeValue

    from agentinstruct.run.plan import Work
    from agentinstruct.run.progress import Progress

Attributes = dict[str, "AttributeValue"]
_ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"
_CONTENT = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"
_PROTOCOLS = {"": "otlp_proto_http", "http/protobuf": "otlp_proto_http", "grpc": "otlp_proto_grpc"}
_PROVIDERS = {
    "azure_openai": "azure.ai.openai",
    "bedrock": "aws.bedrock",
    "bedrock_converse": "aws.bedrock",
    "google_genai": "gcp.gemini",
    "google_vertexai": "gcp.vertex_ai",
    "mistralai": "mistral_ai",
    "xai": "x_ai",
}
"""The conventions' names of providers that LangChain calls otherwise."""


def wanted() -> bool:
    """Whether the environment asks for traces or metrics."""
    return bool(_exporters("traces") or _exporters("metrics"))


def _exporters(signal: str) -> list[str]:
    """The exporters asked for: an endpoint alone asks for OTLP."""
    if os.environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return []
    named = os.environ.get(f"OTEL_{signal.upper()}_EXPORTER", "")
    endpoint = os.environ.get(_ENDPOINT) or os.environ.get(f"OTEL_EXPORTER_OTLP_{signal.upper()}_ENDPOINT")
    names = named or ("otlp" if endpoint else "none")
    return [name for name in (part.strip() for part in names.split(",")) if name and name != "none"]


class Otel:
    """Traces and metrics of one run."""

    def __init__(self, run: str, progress: "Progress") -> None:
        try:
            from opentelemetry.sdk.resources import Resource

            from agentinstruct.run.otel_metrics import Metrics
        except ImportError as error:
            raise SetupError(
                f"{_ENDPOINT} or OTEL_…_EXPORTER is set, but OpenTelemetry is not installed ({error.name}): "
                "pip install 'agentinstruct[otel]'. Without it: OTEL_SDK_DISABLED=true."
            ) from error
        named = os.environ.get("OTEL_SERVICE_NAME") or "service.name=" in os.environ.get("OTEL_RESOURCE_ATTRIBUTES", "")
        resource = Resource.create({} if named else {"service.name": "agentinstruct"})
        self._traces, self._meters = _tracing(resource), _metering(resource)
        self._tracer = self._traces.get_tracer("agentinstruct", version("agentinstruct"))
        self._metrics = Metrics(self._meters.get_meter("agentinstruct", version("agentinstruct")), progress)
        self._content = os.environ.get(_CONTENT, "").strip().lower() == "true"
        self._run = run
        self._span = self._tracer.start_span("agentinstruct.run", attributes={"agentinstruct.run.id": run})

    @contextmanager
    def item(self, work: "Work") -> Iterator[None]:
        """A trace of its own."""
        from opentelemetry.context import Context
        from opentelemetry.trace import Link, StatusCode

        attributes: Attributes = {
            "gen_ai.operation.name": "invoke_workflow",
            "gen_ai.workflow.name": work.skill,
            "agentinstruct.run.id": self._run,
            "agentinstruct.item.id": work.id,
            "agentinstruct.seed.id": work.seed.id,
        }
        with self._tracer.start_as_current_span(
            f"invoke_workflow {work.skill}",
            context=Context(),
            attributes=attributes,
            links=[Link(self._span.get_span_context())],
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            try:
                yield
            except Exception as error:
                span.set_attribute("error.type", fault_of(error))
                span.set_status(StatusCode.ERROR)
                raise

    def outcome(self, error: str, **counts: int) -> None:
        """On the span of the work item."""
        from opentelemetry.trace import StatusCode, get_current_span

        span = get_current_span()
        span.set_attributes({f"agentinstruct.{name}": count for name, count in counts.items()})
        if error:
            span.set_attribute("error.type", error)
            span.set_status(StatusCode.ERROR)

    async def call(self, request: Request, model: Model) -> Completion:
        """A span of the time the model took."""
        from opentelemetry.trace import SpanKind, StatusCode

        asked, begun = _asked(request, model), time.perf_counter()
        with self._tracer.start_as_current_span(
            f"chat {asked['gen_ai.request.model']!s}",
            kind=SpanKind.CLIENT,
            attributes=asked | _request(request) | (_messages(request) if self._content else {}),
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            try:
                completion = await model.complete(request)
            except BaseException as error:
                failed: Attributes = {"error.type": fault_of(error)}
                span.set_attributes(failed)
                span.set_status(StatusCode.ERROR)
                self._metrics.called(time.perf_counter() - begun, asked | failed)
                raise
            self._metrics.called(time.perf_counter() - begun, asked, completion)
            span.set_attributes(_answer(completion) | (_said(completion) if self._content else {}))
        return completion

    def close(self) -> None:
        """End the run's span, and send what is left."""
        self._span.end()
        self._traces.shutdown()
        self._meters.shutdown()


def _tracing(resource: "Resource") -> "TracerProvider":
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    for exporter in _made("traces"):
        provider.add_span_processor(BatchSpanProcessor(exporter))
    return provider


def _metering(resource: "Resource") -> "MeterProvider":
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader

    readers = [PeriodicExportingMetricReader(exporter) for exporter in _made("metrics")]
    return MeterProvider(readers, resource, shutdown_on_exit=False)


def _made(signal: str) -> Iterator[Any]:
    for name in _exporters(signal):
        variable = f"OTEL_{signal.upper()}_EXPORTER"
        protocol = os.environ.get(f"OTEL_EXPORTER_OTLP_{signal.upper()}_PROTOCOL") or os.environ.get(
            "OTEL_EXPORTER_OTLP_PROTOCOL", ""
        )
        known = _PROTOCOLS.get(protocol, protocol) if name == "otlp" else name
        found = list(entry_points(group=f"opentelemetry_{signal}_exporter", name=known))
        if not found:
            raise SetupError(
                f"{variable}={name}: no installed package has the exporter {known}: install the package that has it, "
                f"or set {variable}=otlp (with OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf), console or none."
            )
        yield found[0].load()()


def _asked(request: Request, model: Model) -> Attributes:
    """What a call is of; few values, since metrics are kept for each."""
    provider, _, name = request.model.partition(":")
    where = urlsplit(str(getattr(model, "base_url", "")))
    asked: Attributes = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": _PROVIDERS.get(provider, provider),
        "gen_ai.request.model": name or provider,
    }
    if where.hostname:
        asked["server.address"] = where.hostname
        asked["server.port"] = where.port or (443 if where.scheme == "https" else 80)
    return asked


def _request(request: Request) -> Attributes:
    return {
        "gen_ai.request.temperature": request.temperature,
        "gen_ai.request.max_tokens": request.max_tokens,
        "gen_ai.output.type": "json" if request.schema else "text",
        "gen_ai.agent.name": request.agent,
        "agentinstruct.role": request.role,
    }


def _answer(completion: Completion) -> Attributes:
    return {
        "gen_ai.response.finish_reasons": [completion.finish_reason],
        "gen_ai.usage.input_tokens": completion.input_tokens,
        "gen_ai.usage.cache_read.input_tokens": completion.cached_tokens,
        "gen_ai.usage.output_tokens": completion.output_tokens,
    }


def _messages(request: Request) -> Attributes:
    """What was said to the model: only when asked for."""
    told = [{"role": one["role"], "parts": [_part(one["content"])]} for one in request.messages]
    return {"gen_ai.input.messages": orjson.dumps(told).decode()}


def _said(completion: Completion) -> Attributes:
    reply = {"role": "assistant", "parts": [_part(completion.text)], "finish_reason": completion.finish_reason}
    return {"gen_ai.output.messages": orjson.dumps([reply]).decode()}


def _part(text: str) -> dict[str, str]:
    return {"type": "text", "content": text}
