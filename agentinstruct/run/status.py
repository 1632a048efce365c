"""`status.json`: what a run's ledger does not hold, told once a second for whoever looks from outside.

    Progress ─ every second ─→ status.json (run/report.py) ─→ agentinstruct status (run/observe.py)

Tokens, cost, drops by reason, speed and the state of each model's limiter are known only while a run works, so the run
writes them beside its journal, replacing the file whole. It is a courtesy: nothing is decided by it, a run that cannot
write it goes on, and the ledger is right wherever the two disagree.
"""

import os
from pathlib import Path
from typing import Literal

import orjson
from pydantic import BaseModel, ValidationError

from agentinstruct.agents.errors import RunError
from agentinstruct.run.folder import open_file

STATUS = "status.json"
SCHEMA = 1
State = Literal["running", "exporting", "estimated", "finished", "stopped", "failed", "budget reached"]


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
    from_cache: int = 0
    """Replies that other runs had bought."""
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
    """The limiter of one model, and whether it answers."""

    model: str
    in_flight: int = 0
    waiting: int = 0
    limit: int = 0
    """Calls at once that it is given now."""
    ceiling: int = 0
    """The most it may ever be given."""
    gap_s: float = 0.0
    """Seconds between calls, where it counts them by the minute."""
    refused: int = 0
    """How often it said that it has too much to do (429)."""
    silent: bool = False
    """Whether its circuit breaker is open: nothing but single calls are tried."""


class Cap(BaseModel):
    """What the run may cost in all: money, calls; None: no limit. What of it is gone, the ledger knows."""

    usd: float | None = None
    calls: int | None = None


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
    waiting: str = ""
    """What keeps the run from going on just now."""
    budget: Cap = Cap()
    target: str = ""
    """How far it is from the records that it is to make."""
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
