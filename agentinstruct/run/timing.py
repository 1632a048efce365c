"""How long a model's calls take: a stopwatch around every model that is opened, kept from sitting to sitting."""

import time
from contextlib import suppress
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Self

import orjson

from agentinstruct.agents.gateway import Completion, Model, Request
from agentinstruct.agents.models import Endpoints

LATENCY = "latency.json"


@dataclass(slots=True)
class Stopwatch:
    """A model, timed."""

    model: Model
    seconds: list[float]

    @property
    def width(self) -> int:
        """As many as the model takes."""
        return self.model.width

    async def complete(self, request: Request) -> Completion:
        """The model's answer; only answers are timed."""
        begun = time.monotonic()
        completion = await self.model.complete(request)
        self.seconds.append(time.monotonic() - begun)
        return completion

    async def aclose(self) -> None:
        """Close the model."""
        await self.model.aclose()


@dataclass(frozen=True, slots=True)
class Timed(Endpoints):
    """Endpoints whose models are timed."""

    seconds: dict[str, list[float]] = field(default_factory=dict)
    means: dict[str, float] = field(default_factory=dict)
    """Seconds that a call takes, by model."""
    widths: dict[str, int] = field(default_factory=dict)

    @classmethod
    def over(cls, places: Endpoints) -> Self:
        """The same endpoints, timed."""
        return cls(**{part.name: getattr(places, part.name) for part in fields(Endpoints)})

    def open(self, spec: str) -> Model:
        """The model of a spec, timed."""
        # Endpoints is a slotted dataclass: super() without arguments does not find it.
        model = Endpoints.open(self, spec)
        self.widths[spec] = model.width
        return Stopwatch(model, self.seconds.setdefault(spec, []))

    def paces(self, most: int) -> dict[str, float]:
        """Seconds of a model's time for a call, with so many at once or as many as it can do; none for a batch."""
        return {
            spec: mean / min(most, self.widths.get(spec) or most)
            for spec, mean in self.means.items()
            if self.widths.get(spec, 0) >= 0
        }

    def keep(self, folder: Path) -> None:
        """Add what was seen to what an earlier sitting saw in this folder."""
        path = folder / LATENCY
        with suppress(OSError, orjson.JSONDecodeError, ValueError, TypeError):
            self.means.update({str(spec): float(mean) for spec, mean in dict(orjson.loads(path.read_bytes())).items()})
        self.means.update({spec: sum(seen) / len(seen) for spec, seen in self.seconds.items() if seen})
        with suppress(OSError):  # only a courtesy to the next estimate
            path.write_bytes(orjson.dumps(self.means))
