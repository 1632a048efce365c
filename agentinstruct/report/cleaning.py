"""What was taken out of the dataset when it was exported: duplicates, benchmark items, flagged records.

Read from `clean.json`, which the export leaves in the run folder; a file of another form is passed over.
"""

import os
from pathlib import Path

import orjson
from pydantic import BaseModel, ValidationError

from agentinstruct.agents.errors import RunError
from agentinstruct.report.charts import Part, bar, lines_table
from agentinstruct.report.gather import Gathered
from agentinstruct.report.html import Html
from agentinstruct.report.section import Section, block
from agentinstruct.report.words import counted, percent
from agentinstruct.run.folder import open_file

FILE = "clean.json"


class Benchmark(BaseModel):
    """What of one benchmark was met."""

    items: int = 0
    items_met: int = 0
    records: dict[str, int] = {}


class Decontaminated(BaseModel):
    """All benchmarks."""

    benchmarks: dict[str, Benchmark] = {}


class Flags(BaseModel):
    """How often each flag was met, and which of them cost a record its place."""

    flags: dict[str, int] = {}
    drops: list[str] = []


class Deduplicated(BaseModel):
    """Duplicates removed, by how they were found."""

    removed: dict[str, int] = {}


class Cleaning(BaseModel):
    """The whole file, as far as it is shown."""

    rows: int
    kept: int
    removed: dict[str, int] = {}
    dedup: Deduplicated = Deduplicated()
    decontaminate: Decontaminated = Decontaminated()
    flags: Flags = Flags()


def read_cleaning(folder: Path) -> Cleaning | None:
    """The counts of the run's last export, if it was cleaned."""
    try:
        with os.fdopen(open_file(folder / FILE, os.O_RDONLY), "rb") as file:
            return Cleaning.model_validate(orjson.loads(file.read(1 << 22)))
    except (RunError, OSError, orjson.JSONDecodeError, ValidationError):
        return None


def cleaning(found: Gathered) -> Section | None:
    """Duplicates, contamination, flags."""
    told = read_cleaning(found.view.folder)
    if told is None:
        return None
    share = percent((told.rows - told.kept) / told.rows if told.rows else 0)
    gone = f"{told.rows - told.kept:,} of {counted(told.rows, 'record')} ({share})"
    lead = f"The export left out {gone}; removed.jsonl has each of them."
    body = [
        _counts("Left out", "reason", told.removed),
        _counts("Duplicates, by how they were found", "found", told.dedup.removed),
        _benchmarks(told.decontaminate),
        _flags(told.flags),
    ]
    return Section("cleaning", "Duplicates, benchmarks and flags", lead, body)


def _counts(title: str, head: str, counts: dict[str, int]) -> Html | None:
    if not counts:
        return None
    most = max(counts.values())
    rows = [
        (name, bar([Part(n, "loss3", f"{n:,}")], most), n) for name, n in sorted(counts.items(), key=lambda p: -p[1])
    ]
    return block(title, lines_table(title, (head, "", "records"), rows))


def _benchmarks(told: Decontaminated) -> Html | None:
    if not told.benchmarks:
        return None
    rows = []
    for name, one in told.benchmarks.items():
        met = bar([Part(one.items_met, "loss4", f"{one.items_met:,} met")], one.items or 1)
        rows.append((name, met, one.items_met, one.items, sum(one.records.values())))
    heads = ("benchmark", "share of its items that were met", "items met", "items", "records left out")
    return block("Benchmarks kept out", lines_table("Benchmarks kept out", heads, rows))


def _flags(told: Flags) -> Html | None:
    if not told.flags:
        return None
    most = max(told.flags.values()) or 1
    rows = []
    for name, n in sorted(told.flags.items(), key=lambda pair: (-pair[1], pair[0])):
        gone = name in told.drops
        rows.append((name, bar([Part(n, "loss3" if gone else "half", f"{n:,}")], most), n, "yes" if gone else "no"))
    return block("Flags", lines_table("Records by flag", ("flag", "", "records", "left out"), rows))
