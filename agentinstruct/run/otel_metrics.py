"""The metrics of a run: most are read from its progress whenever they are exported, so that counting costs nothing."""

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

from opentelemetry.metrics import CallbackOptions, Meter, Observation

if TYPE_CHECKING:
    from opentelemetry.util.types import AttributeValue

    from agentinstruct.agents.gateway import Completion
    from agentinstruct.run.progress import Progress

Attributes = dict[str, "AttributeValue"]
_SECONDS = (0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92)
_TOKENS = tuple(4**power for power in range(14))
Read = Callable[[], Iterable[tuple[float, Attributes]]]
"""The values of a metric now, each with what it is of."""


class Metrics:
    """Histograms of single calls, and what the progress counts."""

    def __init__(self, meter: Meter, progress: "Progress") -> None:
        self._progress = progress
        self._duration = meter.create_histogram(
            "gen_ai.client.operation.duration",
            unit="s",
            description="GenAI operation duration.",
            explicit_bucket_boundaries_advisory=_SECONDS,
        )
        self._usage = meter.create_histogram(
            "gen_ai.client.token.usage",
            unit="{token}",
            description="Number of input and output tokens used.",
            explicit_bucket_boundaries_advisory=_TOKENS,
        )
        for name, unit, description, read in self._counters():
            meter.create_observable_counter(name, [_callback(read)], unit, description)
        in_flight = _callback(lambda: [(progress.statistics.in_flight, {})])
        meter.create_observable_up_down_counter(
            "agentinstruct.calls.in_flight", [in_flight], "{call}", "Model calls under way."
        )

    def called(self, seconds: float, asked: Attributes, made: "Completion | None" = None) -> None:
        """Count one try of a call, and its tokens if it was answered."""
        self._duration.record(seconds, asked)
        if made:
            self._usage.record(made.input_tokens, asked | {"gen_ai.token.type": "input"})
            self._usage.record(made.output_tokens, asked | {"gen_ai.token.type": "output"})

    def _counters(self) -> Iterator[tuple[str, str, str, Read]]:
        yield "agentinstruct.calls", "{call}", "Replies, by where they came from.", self._calls
        yield "agentinstruct.tokens", "{token}", "Tokens; cached ones are part of the input.", self._tokens
        yield "agentinstruct.cost", "{USD}", "Cost at list prices.", lambda: [(self._progress.statistics.cost, {})]
        yield "agentinstruct.retries", "{call}", "Tries after a fault.", self._retries
        yield "agentinstruct.work_items", "{item}", "Work items, by what came of them.", self._items
        yield "agentinstruct.records", "{record}", "Records made, by skill.", self._records
        yield "agentinstruct.dropped", "{draft}", "Drafts dropped, by stage and reason.", self._dropped

    def _calls(self) -> Iterable[tuple[float, Attributes]]:
        calls = self._progress.statistics
        return [
            (calls.calls, {"agentinstruct.source": "model"}),
            (calls.from_journal, {"agentinstruct.source": "journal"}),
        ]

    def _retries(self) -> Iterable[tuple[float, Attributes]]:
        return [(self._progress.statistics.retries, {})]

    def _tokens(self) -> Iterable[tuple[float, Attributes]]:
        calls = self._progress.statistics
        counts = {"input": calls.input_tokens, "cached": calls.cached_tokens, "output": calls.output_tokens}
        return [(count, {"gen_ai.token.type": kind}) for kind, count in counts.items()]

    def _items(self) -> Iterable[tuple[float, Attributes]]:
        counts = {"done": self._progress.done, "failed": self._progress.failed}
        return [(count, {"agentinstruct.state": state}) for state, count in counts.items()]

    def _records(self) -> Iterable[tuple[float, Attributes]]:
        return [(count, {"gen_ai.workflow.name": skill}) for skill, count in list(self._progress.records.items())]

    def _dropped(self) -> Iterable[tuple[float, Attributes]]:
        return [
            (count, {"agentinstruct.stage": stage, "agentinstruct.reason": reason})
            for (stage, reason), count in list(self._progress.dropped.items())
        ]


def _callback(read: Read) -> Callable[[CallbackOptions], list[Observation]]:
    return lambda options: [Observation(value, attributes) for value, attributes in read()]
