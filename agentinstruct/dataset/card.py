"""The dataset card: what is in it, how it was made, under which licences, and how `datasets` loads it."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from agentinstruct.dataset.card_figures import KeyFigures
from agentinstruct.dataset.licences import hub_licence
from agentinstruct.dataset.stanzas import Files, hub_configs

if TYPE_CHECKING:
    from agentinstruct.dataset.export import Exported
    from agentinstruct.dataset.leaks import Leaks

TOOL_SPLITS = ("tool_use", "webagent_flow")
"""Splits whose messages hold tool calls: another schema, so another configuration."""


@dataclass(slots=True)
class Card:
    """What the card tells of the records, counted while they are written."""

    figures: KeyFigures = field(default_factory=KeyFigures)
    _models: Counter[tuple[str, str]] = field(default_factory=Counter)
    _checks: Counter[tuple[str, str]] = field(default_factory=Counter)
    _prompts: set[str] = field(default_factory=set)
    _read: int = 0
    _cached: int = 0

    def add(self, record: Mapping[str, Any]) -> None:
        """One record that is written."""
        self.figures.add(record)
        self._models.update({(call["role"], call["model"]) for call in record["calls"]})
        self._checks.update(
            {(verdict["check"], verdict["kind"]) for verdict in record["verdicts"] if verdict["passed"]}
        )
        self._prompts.update(call["prompt"] for call in record["calls"])
        self._read += sum(call["input_tokens"] for call in record["calls"])
        self._cached += sum(call["cached_tokens"] for call in record["calls"])

    def text(self, done: "Exported", cleaning: Mapping[str, Any] | None = None) -> str:
        """The card of what was exported, as Markdown with front matter; `cleaning`: its counts, if it was cleaned."""
        total, licences = done.rows.total(), sorted(done.licences.items())
        models = [(*pair, n) for pair, n in sorted(self._models.items())]
        checks = [(*pair, n) for pair, n in sorted(self._checks.items())]
        parts = [
            f"---\n{hub_configs(_files(done))}license: {hub_licence(done.licences)}\n"
            "tags:\n- synthetic\n- agentinstruct\n---\n",
            "# Instruction dataset\n",
            f"{total} records made by AgentInstruct from raw documents and code, {self.figures.accepted} of which "
            "passed every check of their skill (`accepted`). Each row carries its lineage: source and span, transform, "
            f"category, parent, every model call and every verdict.{_cached(self._read, self._cached)}\n",
            *([_table("Figures", ("of the records", "value"), found)] if (found := self.figures.rows()) else []),
            *_sizes(done),
            _table("Models", ("role", "model", "records"), models),
            _table("Checks passed", ("check", "kind", "records"), checks),
            *_cleaning(cleaning or {}),
            _table("Licences of the sources", ("licence", "records"), licences),
            "## Prompts\n\n" + "\n".join(f"- `{prompt}`" for prompt in sorted(self._prompts)) + "\n",
        ]
        return "\n".join(parts)


def _cleaning(stats: Mapping[str, Any]) -> Iterator[str]:
    """What was taken away, and how often each flag and each benchmark was met."""
    if not stats:
        return
    ways = {
        "duplicate": stats.get("dedup", {}).get("removed", {}),
        "contaminated": stats.get("decontaminate", {}).get("hit", {}),
    }
    removed = [(reason, count, _counts(ways.get(reason, {}))) for reason, count in stats["removed"].items()]
    yield _table(
        f"Cleaned: {stats['rows']} records before, {stats['kept']} after", ("removed", "records", "of them"), removed
    )
    if met := stats.get("decontaminate", {}).get("benchmarks"):
        found = [(name, one["items"], one["items_met"], _counts(one["records"])) for name, one in met.items()]
        yield _table("Benchmarks kept out", ("benchmark", "items", "items met", "records removed"), found)
    if flags := stats.get("flags", {}).get("flags"):
        gone = stats["flags"]["drops"]
        listed = [(name, count, "yes" if name in gone else "no") for name, count in flags.items()]
        yield _table("Flags", ("flag", "records", "removed"), listed)


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counts.items())


def _cached(read: int, cached: int) -> str:
    return f" Of the tokens that the models read, {cached / read:.0%} were in their prefix cache." if cached else ""


def _files(done: "Exported") -> Files:
    """What `load_dataset` loads together: the plain skills, each skill with tools; else each format.

    It reads one kind of file in a folder: where there are Parquet files, formats are loaded by their paths.
    """
    found: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    parquet = any(name.startswith("parquet/") for name in done.files)
    for name in sorted(done.files):
        top, *part = PurePath(name).parent.parts or ("",)
        split = PurePath(name).name.partition(".")[0].partition("-")[0]
        if top == "parquet":
            found[split if split in TOOL_SPLITS else "default"][part[0] if part else split].append(name)
        elif top in done.formats and not parquet:
            found[top][split].append(name)
    return {
        config: _in_order(found[config], done) for config in sorted(found, key=lambda name: (name != "default", name))
    }


def _in_order(splits: dict[str, list[str]], done: "Exported") -> dict[str, list[str]]:
    return {part: splits[part] for part in done.parts if part in splits} or splits


def _sizes(done: "Exported") -> Iterator[str]:
    """The tables of how many rows there are of what."""
    rows = [
        (split, done.skills[split], total, *(part[split] for part in done.parts.values()))
        for split, total in sorted(done.rows.items())
    ]
    yield _table("Splits", ("split", "skill", "records", *done.parts), rows)
    if done.by:
        kept = "document" if done.by == "source" else "seed: the documents are too few to be kept together"
        yield f"The parts are drawn by {kept}; no seed is in two of them.\n"
    if done.leaks:
        yield from _leaks(done.leaks, done.parts, kept=done.leaks_kept)
    if done.formats:
        told = [
            (name, written.rows.total(), "; ".join(f"{why}: {n}" for why, n in sorted(written.left_out.items())))
            for name, written in done.formats.items()
        ]
        yield _table("Formats", ("format", "rows", "records it cannot express"), told)
        yield 'A format is loaded by its files: `load_dataset("json", data_files="sharegpt/train.jsonl")`.\n'


def _leaks(leaks: "Leaks", parts: Collection[str], *, kept: bool) -> Iterator[str]:
    found = leaks.stats()
    became = "They are still in it" if kept else "They were left out: the smallest part is whole"
    if len(parts) > 2 and not kept:
        became += ", the others lack what repeats a record of a smaller one"
    yield (
        f"Held against the {found['held_out']} records of the smaller parts, {found['leaks']} of {found['compared']} "
        "repeat one of a smaller part than theirs: as a near twin, or with over half of what it asks in "
        f"runs of eight words.{f' {became}.' if found['leaks'] else ''}\n"
    )
    if found["leaks"]:
        rows = [(one["part"], one["repeats"], one["method"], one["records"]) for one in found["found"]]
        yield _table("Leaks between parts", ("part", "repeats", "how", "records"), rows)


def _table(title: str, head: tuple[str, ...], rows: list[tuple[Any, ...]]) -> str:
    lines = [f"## {title}\n", f"| {' | '.join(head)} |", "|" + " --- |" * len(head)]
    lines += [f"| {' | '.join(' '.join(str(cell).split()).replace('|', '/') for cell in row)} |" for row in rows]
    return "\n".join(lines) + "\n"
