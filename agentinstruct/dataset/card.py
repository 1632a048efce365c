"""The dataset card: what is in it, how it was made, under which licences, and how `datasets` loads it."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from agentinstruct.dataset.card_figures import KeyFigures

TOOL_SPLITS = ("tool_use", "webagent_flow")
"""Splits whose messages hold tool calls: another schema, so another configuration."""


def card(
    rows: Mapping[str, int],
    skills: Mapping[str, str],
    records: Iterable[dict[str, Any]],
    cleaning: Mapping[str, Any] | None = None,
) -> str:
    """The card of a dataset with these rows by split, as Markdown with front matter; `cleaning`: its counts, if any."""
    licences: Counter[str] = Counter()
    models: Counter[tuple[str, str]] = Counter()
    checks: Counter[tuple[str, str]] = Counter()
    prompts: set[str] = set()
    accepted, read, cached = 0, 0, 0
    figures = KeyFigures()
    for record in records:
        figures.add(record)
        licences[record["licence"]] += 1
        accepted += bool(record["accepted"])
        models.update({(call["role"], call["model"]) for call in record["calls"]})
        checks.update({(verdict["check"], verdict["kind"]) for verdict in record["verdicts"] if verdict["passed"]})
        prompts |= {call["prompt"] for call in record["calls"]}
        read += sum(call["input_tokens"] for call in record["calls"])
        cached += sum(call["cached_tokens"] for call in record["calls"])
    total = sum(rows.values())
    parts = [
        f"---\n{_configs(rows)}tags:\n- synthetic\n- agentinstruct\n---\n",
        "# Instruction dataset\n",
        f"{total} records made by AgentInstruct from raw documents and code, {accepted} of which passed every check "
        "of their skill (`accepted`). Each row carries its lineage: source and span, transform, category, parent, "
        f"every model call and every verdict.{_cached(read, cached)}\n",
        *([_table("Figures", ("of the records", "value"), found)] if (found := figures.rows()) else []),
        _table("Splits", ("split", "skill", "records"), [(s, skills[s], n) for s, n in sorted(rows.items())]),
        _table("Models", ("role", "model", "records"), [(*pair, n) for pair, n in sorted(models.items())]),
        _table("Checks passed", ("check", "kind", "records"), [(*pair, n) for pair, n in sorted(checks.items())]),
        *_cleaning(cleaning or {}),
        _table("Licences of the sources", ("licence", "records"), sorted(licences.items())),
        "## Prompts\n\n" + "\n".join(f"- `{prompt}`" for prompt in sorted(prompts)) + "\n",
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


def _configs(rows: Mapping[str, int]) -> str:
    plain = [split for split in sorted(rows) if split not in TOOL_SPLITS]
    kinds = [("default", plain)] if plain else []
    kinds += [(split, [split]) for split in sorted(rows) if split in TOOL_SPLITS]
    if not kinds:
        return ""
    lines = ["configs:"]
    for name, splits in kinds:
        lines += [f"- config_name: {name}", "  data_files:"]
        lines += [line for s in splits for line in (f"  - split: {s}", f"    path: parquet/{s}.parquet")]
    return "\n".join(lines) + "\n"


def _table(title: str, head: tuple[str, ...], rows: list[tuple[Any, ...]]) -> str:
    lines = [f"## {title}\n", f"| {' | '.join(head)} |", "|" + " --- |" * len(head)]
    lines += [f"| {' | '.join(' '.join(str(cell).split()).replace('|', '/') for cell in row)} |" for row in rows]
    return "\n".join(lines) + "\n"
