"""`status.json`: what a run's ledger does not hold, told once a second for whoever looks from outside.

    Progress ─ every second ─→ status.json ─→ agentinstruct status (run/observe.py)

Tokens, cost, drops by reason, speed and the state of each model's limiter are known only while a run works, so the run
writes them beside its journal, replacing the file whole. It is a courtesy: nothing is decided by it, a run that cannot
write it goes on, and the ledger is right wherever the two disagree. Totals go on from the file of the last sitting.
"""

import asyncio
import os
import socket
import time
from collections import Counter, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import orjson
from pydantic import BaseModel, ValidationError

from agentinstruct.agents.errors import RunError
from agentinstruct.run.folder import open_file

if TYPE_CHECKING:
    from agentinstruct.run.runner import Progress

STATUS = "status.json"
SCHEMA = 1
INTERVAL_S = 1.0
_SAMPLES = 120
"""Seconds over which speed is measured."""
_REASONS = 40
"""Drop reasons that are told by themselves."""
State = Literal["running", "exporting", "finished", "stopped", "failed", "budget reached"]


class Sitting(BaseModel):
    """What this process has met since it started."""

    seeds: int = 0
    expected: int = 0
    """Seeds in all, where that is known."""
    taken: int = 0
    """Seeds whose work is in `items`."""
    skipped: int = 0
    items: int = 0
    done: int = 0
    resumed: int = 0
    failed: int = 0
    set_aside: int = 0
    reading: bool = True
    """Whether `items` still grows."""


class Totals(BaseModel):
    """What the run came to over all its sittings, as far as no counter of the ledger tells it."""

    calls: int = 0
    retries: int = 0
    failed: int = 0
    input_tokens: int = 0
    cached_tokens: int = 0
    output_tokens: int = 0
    cost: float = 0.0
    """USD, at list prices."""
    unpriced: list[str] = []
    accepted: dict[str, int] = {}
    """Records that passed every check, by skill."""
    dropped: dict[str, int] = {}
    """Drafts by the stage they were dropped at."""
    reasons: dict[str, int] = {}
    """The most frequent `stage: reason`."""


class Recent(BaseModel):
    """What was done in the last seconds."""

    seconds: float = 0.0
    calls: int = 0
    items: int = 0
    records: int = 0
    output_tokens: int = 0


class ModelState(BaseModel):
    """The limiter of one model."""

    model: str
    in_flight: int = 0
    ceiling: int = 0
    throttled: int = 0
    """How often it said that it has too much to do (429)."""
    down: str = ""
    """Why it is not asked at present."""


class Spending(BaseModel):
    """The cap in USD, and what of it is gone."""

    limit: float
    spent: float


class Status(BaseModel):
    """The whole file."""

    version: int = SCHEMA
    run: str
    pid: int
    host: str
    started: float
    updated: float
    state: State = "running"
    why: str = ""
    """What ended it."""
    sitting: Sitting = Sitting()
    totals: Totals = Totals()
    recent: Recent = Recent()
    models: list[ModelState] = []
    budget: Spending | None = None
    notices: list[str] = []


def read_status(folder: Path, run: str) -> Status | None:
    """The status of this run as last told; None where there is none that can be used."""
    try:
        handle = open_file(folder / STATUS, os.O_RDONLY)
        with os.fdopen(handle, "rb") as file:
            status = Status.model_validate(orjson.loads(file.read(1 << 20)))
    except (RunError, OSError, orjson.JSONDecodeError, ValidationError):
        return None
    return status if status.run == run and status.version == SCHEMA else None


@dataclass
class Report:
    """Tells the status of one sitting."""

    folder: Path
    run: str
    progress: "Progress"
    state: State = "running"
    why: str = ""
    _before: Totals = field(default_factory=Totals)
    _started: float = field(default_factory=time.time)
    _samples: deque[tuple[float, tuple[int, ...]]] = field(default_factory=lambda: deque(maxlen=_SAMPLES + 1))

    def __post_init__(self) -> None:
        earlier = read_status(self.folder, self.run)
        self._before = earlier.totals if earlier else Totals()

    def status(self) -> Status:
        """How it stands."""
        progress, calls = self.progress, self.progress.statistics
        return Status(
            run=self.run,
            pid=os.getpid(),
            host=socket.gethostname(),
            started=self._started,
            updated=time.time(),
            state=self.state,
            why=self.why,
            sitting=Sitting(
                seeds=progress.seeds,
                expected=progress.expected,
                taken=progress.taken,
                skipped=progress.skipped.total(),
                items=progress.items,
                done=progress.done,
                resumed=progress.resumed,
                failed=progress.failed,
                set_aside=progress.set_aside,
                reading=progress.reading,
            ),
            totals=self._totals(),
            recent=self._recent(calls.calls, progress.done, progress.records.total(), calls.output_tokens),
            notices=progress.notices,
        )

    def _totals(self) -> Totals:
        before, progress, calls = self._before, self.progress, self.progress.statistics
        stages: Counter[str] = Counter()
        reasons: Counter[str] = Counter(before.reasons)
        for (stage, reason), count in list(progress.dropped.items()):
            stages[stage] += count
            reasons[f"{stage}: {reason}"] += count
        return Totals(
            calls=before.calls + calls.calls,
            retries=before.retries + calls.retries,
            failed=before.failed + calls.failed,
            input_tokens=before.input_tokens + calls.input_tokens,
            cached_tokens=before.cached_tokens + calls.cached_tokens,
            output_tokens=before.output_tokens + calls.output_tokens,
            cost=before.cost + calls.cost,
            unpriced=sorted({*before.unpriced, *calls.unpriced}),
            accepted=dict(Counter(before.accepted) + progress.accepted),
            dropped=dict(Counter(before.dropped) + stages),
            reasons=dict(reasons.most_common(_REASONS)),
        )

    def _recent(self, *counts: int) -> Recent:
        now = time.monotonic()
        self._samples.append((now, counts))
        since, first = self._samples[0]
        calls, items, records, tokens = (count - before for count, before in zip(counts, first, strict=True))
        return Recent(seconds=now - since, calls=calls, items=items, records=records, output_tokens=tokens)

    async def keep(self, ended: asyncio.Event) -> None:
        """Write the file every second, and a last time when it has ended."""
        while not ended.is_set():
            await self._write()
            with suppress(TimeoutError):
                await asyncio.wait_for(ended.wait(), INTERVAL_S)
        await self._write()

    async def _write(self) -> None:
        await asyncio.to_thread(_replace, self.folder / STATUS, self.status().model_dump_json())


def _replace(path: Path, text: str) -> None:
    """Write a file whole; a disk that refuses is the journal's to complain of."""
    temporary = path.with_name(f"{path.name}.tmp")
    with suppress(RunError, OSError):
        with os.fdopen(open_file(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), "w", encoding="utf-8") as file:
            file.write(text)
        temporary.replace(path)


@asynccontextmanager
async def reporting(folder: Path, run: str, progress: "Progress") -> AsyncIterator[Report]:
    """Tell the status of a run every second while the block lasts, and once at its end."""
    report, ended = Report(folder, run, progress), asyncio.Event()
    task = asyncio.ensure_future(report.keep(ended))
    try:
        yield report
    except BaseException as error:
        report.state, report.why = "failed", f"{type(error).__name__}: {error}"
        raise
    finally:
        ended.set()
        await task
