"""A run seen from outside: its lock, its ledger and its `status.json`, put together without touching any of them.

    run.lock      who runs it, if anybody does
    ledger        work items, records, drops, calls, failures: right to the last commit, whatever happened
    status.json   the rest, and only while its process holds the lock is it news

The cost does not grow with the run: the ledger keeps totals.
"""

import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from agentinstruct.agents.errors import RunError
from agentinstruct.run.folder import Owner, owner_of
from agentinstruct.run.index import Counts, Fault
from agentinstruct.run.manifest import Manifest
from agentinstruct.run.reader import JournalReader
from agentinstruct.run.status import Recent, Sitting, Status, Totals, read_status

SILENT_S = 30.0
"""A run that has told nothing for this long does not get to it."""


@dataclass(frozen=True, slots=True)
class View:
    """What can be known of a run now."""

    folder: Path
    manifest: Manifest
    owner: Owner | None
    """Who runs it; None when nobody does."""
    counts: Counts
    set_aside: int
    faults: tuple[Fault, ...]
    rebuilt: bool
    """Whether its ledger cannot be used, so that all of it was counted anew."""
    told: Status | None
    """What its last process told, however long ago."""
    now: float

    @property
    def live(self) -> Status | None:
        """What the process that runs it told of itself; None when nobody runs it, or it has told nothing yet."""
        return self.told if self.owner and self.told and self.told.pid == self.owner.pid else None

    @property
    def state(self) -> str:
        """running, silent, exporting, starting; or its end: estimated, finished, stopped, failed, killed, unknown."""
        if self.owner:
            if self.live is None:
                return "starting"
            return "silent" if self.silence > SILENT_S else self.live.state
        if self.told is None:
            return "unknown"
        return "killed" if self.told.state in ("running", "exporting") else self.told.state

    @property
    def silence(self) -> float:
        """Seconds since it last told anything."""
        return max(0.0, self.now - self.told.updated) if self.told else 0.0

    @property
    def notices(self) -> list[str]:
        """What else there is to say of it."""
        lost = ["its ledger cannot be used: counted from its segments"] if self.rebuilt and not self.owner else []
        return [*lost, *(self.told.notices if self.told else [])]

    @property
    def totals(self) -> Totals:
        """Tokens, cost and drops over all sittings, as last told."""
        return self.told.totals if self.told else Totals()

    @property
    def sitting(self) -> Sitting:
        """How far the last process got with its seeds."""
        return self.told.sitting if self.told else Sitting()

    @property
    def recent(self) -> Recent:
        """The speed of a run that works now."""
        return self.live.recent if self.live else Recent()

    @property
    def items(self) -> int:
        """Work items that are to be done: those met so far, or those of all seeds where their number is known."""
        sitting = self.sitting
        known = max(sitting.items, self.counts.done + self.counts.failed)
        if sitting.reading and sitting.taken and sitting.expected:
            return max(known, round(sitting.items / sitting.taken * sitting.expected))
        return known

    @property
    def all_known(self) -> bool:
        """Whether `items` is the whole work, not just what has been met so far."""
        return bool(self.told) and (not self.sitting.reading or bool(self.sitting.expected))

    @property
    def seconds_left(self) -> float | None:
        """About how long it still takes; None where that cannot be said."""
        left = self.items - self.counts.done - self.counts.failed
        if self.live is None or self.live.state != "running" or not self.all_known or not self.recent.items:
            return None
        return max(0, left) * self.recent.seconds / self.recent.items

    def as_json(self) -> dict[str, Any]:
        """All of it as plain data, under names that stay."""
        told, totals, recent = self.told, self.totals, self.recent
        return {
            "folder": str(self.folder),
            "run": self.manifest.run,
            "created": self.manifest.created,
            "state": self.state,
            "why": told.why if told else "",
            "process": self.owner._asdict() if self.owner else None,
            "updated": told.updated if told else None,
            "seeds": self.sitting.model_dump(include={"seeds", "expected", "skipped", "reading"}),
            "items": {
                "known": self.items,
                "all_known": self.all_known,
                "done": self.counts.done,
                "failed": self.counts.failed,
                "set_aside": self.set_aside,
            },
            "target": told.target if told else "",
            "skills": {
                name: {**asdict(one), "accepted": totals.accepted.get(name, 0)}
                for name, one in self.counts.skills.items()
            },
            "dropped": {"all": self.counts.dropped, "by_stage": totals.dropped, "by_reason": totals.reasons},
            "faults": [fault._asdict() for fault in self.faults],
            "calls": {
                "stored": self.counts.calls,
                **totals.model_dump(include={"calls", "from_cache", "retries", "failed"}),
            },
            "tokens": {
                "input": totals.input_tokens,
                "cached": totals.cached_tokens,
                "cached_share": totals.cached_tokens / totals.input_tokens if totals.input_tokens else 0.0,
                "output": totals.output_tokens,
            },
            "cost": {"usd": self.counts.cost, "unpriced": totals.unpriced},
            "budget": told.budget.model_dump() if told else None,
            "recent": recent.model_dump() if self.live else None,
            "waiting": self.live.waiting if self.live else "",
            "models": [one.model_dump() for one in self.live.models] if self.live else [],
            "seconds_left": self.seconds_left,
            "notices": self.notices,
        }


def observe(folder: Path) -> View:
    """Look at a run folder: one that runs, has ended or was killed, or a copy of it; nothing in it is changed.

    Raises:
        RunError: it is no run folder, or cannot be read; says what to do.
    """
    if not folder.is_dir():
        raise RunError(f"{folder}: no such folder. Give the folder of a run.")
    with JournalReader.read(folder) as journal:
        owner = owner_of(journal.folder)
        return View(
            folder=folder,
            manifest=journal.manifest,
            owner=owner,
            counts=journal.counts(),
            set_aside=journal.set_aside(),
            faults=tuple(journal.faults()),
            rebuilt=journal.recovered.rebuilt,
            told=read_status(journal.folder, journal.manifest.run),
            now=time.time(),
        )
