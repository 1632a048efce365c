"""How long a model's calls take, and how much of this process's time: a stopwatch around every model that is opened.

What was seen is kept from sitting to sitting.
"""

import time
from contextlib import suppress
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Self

import orjson

from agentinstruct.agents.gateway import Completion, Model, Request
from agentinstruct.agents.models import Endpoints

LATENCY, CLIENT = "latency.json", "this process"
FEWEST = 100
"""Answers from which on the CPU of a call can be told: what is made once weighs little then."""


@dataclass(slots=True)
class Stopwatch:
    """A model, timed."""

    model: Model
    seconds: list[float]
    cpu: list[float]
    """CPU of this process when each answer came, in seconds."""

    @property
    def width(self) -> int:
        """As many as the model takes."""
        return self.model.width

    async def complete(self, request: Request) -> Completion:
        """The model's answer; only answers are timed."""
        begun = time.monotonic()
        completion = await self.model.complete(request)
        self.seconds.append(time.monotonic() - begun)
        self.cpu.append(time.process_time())
        return completion

    async def aclose(self) -> None:
        """Close the model."""
        await self.model.aclose()


@dataclass(frozen=True, slots=True)
class Timed(Endpoints):
    """Endpoints whose models are timed."""

    seconds: dict[str, list[float]] = field(default_factory=dict)
    means: dict[str, float] = field(default_factory=dict)
    """Seconds that a call takes, by model; of CPU here, under `CLIENT`."""
    widths: dict[str, int] = field(default_factory=dict)
    cpu: list[float] = field(default_factory=list)

    @classmethod
    def over(cls, places: Endpoints) -> Self:
        """The same endpoints, timed."""
        return cls(**{part.name: getattr(places, part.name) for part in fields(Endpoints)})

    def open(self, spec: str) -> Model:
        """The model of a spec, timed."""
        # Endpoints is a slotted dataclass: super() without arguments does not find it.
        model = Endpoints.open(self, spec)
        self.widths[spec] = model.width
        return Stopwatch(model, self.seconds.setdefault(spec, []), self.cpu)

    def paces(self, most: int, processes: float) -> dict[str, float]:
        """Seconds of a model's time for a call, with so many at once or as many as it can do; of so many processes'."""
        wide = {CLIENT: processes}
        return {
            spec: mean / (wide.get(spec) or min(most, self.widths.get(spec) or most))
            for spec, mean in self.means.items()
        }

    def keep(self, folder: Path) -> None:
        """Add what was seen to what an earlier sitting saw in this folder."""
        path = folder / LATENCY
        with suppress(OSError, orjson.JSONDecodeError, ValueError, TypeError):
            self.means.update({str(spec): float(mean) for spec, mean in dict(orjson.loads(path.read_bytes())).items()})
        self.means.update({spec: sum(seen) / len(seen) for spec, seen in self.seconds.items() if seen})
        if len(self.cpu) >= FEWEST and not any(self.widths.values()):  # else it is an embedded model's, too
            self.means[CLIENT] = (self.cpu[-1] - self.cpu[0]) / (len(self.cpu) - 1)
        with suppress(OSError):  # only a courtesy to the next estimate
            path.write_bytes(orjson.dumps(self.means))
