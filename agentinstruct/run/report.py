"""A sitting of a run, told while it lasts: to `status.json` for whoever looks, to the log for whoever reads it later.

Totals go on from what the last sitting told.
"""

import asyncio
import logging
import os
import socket
import time
from collections import Counter, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agentinstruct.agents.errors import RunError
from agentinstruct.agents.events import listening, tell
from agentinstruct.run.folder import open_file
from agentinstruct.run.status import STATUS, Cap, ModelState, Recent, Sitting, State, Status, Totals, read_status

if TYPE_CHECKING:
    from agentinstruct.agents.gateway import Gateway
    from agentinstruct.run.progress import Progress

INTERVAL_S = 1.0
_SAMPLES = 120
"""Seconds over which speed is measured."""
_REASONS = 40
"""Drop reasons that are told by themselves."""


@dataclass
class Report:
    """Tells the status of one sitting."""

    folder: Path
    run: str
    progress: "Progress"
    budget: Cap = field(default_factory=Cap)
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
            why=_plain(self.why),
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
            models=progress.models(),
            waiting=_plain(calls.waiting or progress.waits),
            budget=self.budget,
            target=progress.pursuit.words if progress.pursuit else "",
            notices=list(map(_plain, progress.notices)),
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
            from_cache=before.from_cache + calls.from_cache,
            retries=before.retries + calls.retries,
            failed=before.failed + calls.failed,
            input_tokens=before.input_tokens + calls.input_tokens,
            cached_tokens=before.cached_tokens + calls.cached_tokens,
            output_tokens=before.output_tokens + calls.output_tokens,
            cost=before.cost + calls.cost,
            unpriced=sorted({*before.unpriced, *calls.unpriced}),
            dropped=dict(Counter(before.dropped) + stages),
            reasons=dict(reasons.most_common(_REASONS)),
        )

    def _recent(self, *counts: int) -> Recent:
        now = time.monotonic()
        self._samples.append((now, counts))
        since, first = self._samples[0]
        calls, items, records, tokens = (count - before for count, before in zip(counts, first, strict=True))
        return Recent(seconds=now - since, calls=calls, items=items, records=records, output_tokens=tokens)

    def tell_end(self, error: str = "") -> None:
        """Tell the log how the sitting ended."""
        progress, calls = self.progress, self.progress.statistics
        tell(
            logging.ERROR if error else logging.INFO,
            "stop",
            content={"text": self.why} if error else None,
            state=self.state,
            **({"error": error} if error else {}),
            done=progress.done,
            failed=progress.failed,
            records=progress.records.total(),
            calls=calls.calls,
            input_tokens=calls.input_tokens,
            output_tokens=calls.output_tokens,
            cost=round(calls.cost, 6),
        )

    async def keep(self, ended: asyncio.Event) -> None:
        """Write the file every second, and a last time when it has ended."""
        while not ended.is_set():
            await self._write()
            with suppress(TimeoutError):
                await asyncio.wait_for(ended.wait(), INTERVAL_S)
        await self._write()

    async def _write(self) -> None:
        await asyncio.to_thread(_replace, self.folder / STATUS, self.status().model_dump_json())


def _plain(text: str) -> str:
    """The text as JSON can hold it: a path may have bytes that are no letters."""
    return text.encode("utf-8", "replace").decode()


def model_states(gateway: "Gateway") -> list[ModelState]:
    """The queues of a gateway's models."""
    return [
        ModelState(
            model=lane.spec,
            in_flight=lane.limiter.in_flight,
            waiting=lane.limiter.waiting,
            limit=lane.limiter.limit,
            ceiling=lane.limiter.ceiling,
            gap_s=round(lane.limiter.gap, 4),
            refused=lane.refused,
            silent=lane.health.open,
        )
        for lane in gateway.lanes()
    ]


def _replace(path: Path, text: str) -> None:
    """Write a file whole; a disk that refuses is the journal's to complain of."""
    temporary = path.with_name(f"{path.name}.tmp")
    with suppress(RunError, OSError):
        with os.fdopen(open_file(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), "w", encoding="utf-8") as file:
            file.write(text)
        temporary.replace(path)


@asynccontextmanager
async def reporting(folder: Path, run: str, progress: "Progress", budget: Cap) -> AsyncIterator[Report]:
    """Tell the status of a run every second while the block lasts, and once at its end."""
    report, ended = Report(folder, run, progress, budget), asyncio.Event()
    task = asyncio.ensure_future(report.keep(ended))
    try:
        yield report
    except asyncio.CancelledError:
        report.state = "stopped"
        report.tell_end()
        raise
    except BaseException as error:
        report.state, report.why = "failed", f"{type(error).__name__}: {error}"
        report.tell_end(type(error).__name__)
        raise
    else:
        report.tell_end()
    finally:
        ended.set()
        await task


def tell_outcome(records: list[dict[str, Any]], dropped: list[dict[str, Any]]) -> None:
    """Tell the log what a finished work item came to, and why each of its drafts was dropped."""
    if not listening(logging.DEBUG):
        return
    for one in dropped:
        where = {key: one[key] for key in ("stage", "reason", "category", "transform") if one[key]}
        tell(logging.DEBUG, "drop", {"text": one["detail"]}, draft=one["draft_id"], **where)
    tell(logging.DEBUG, "item done", records=len(records), dropped=len(dropped))
