"""The dataset a run leaves behind: one row a record, as JSON lines and as Parquet, with a card.

    data/<split>.jsonl        rows as chat libraries read them; `tools` and `tool_calls` as OpenAI writes them
    parquet/<split>.parquet   the same rows with one schema; `tools` and `arguments` are JSON strings
    <format>/<part>.jsonl     what other trainers read, where it was asked for: see `formats.py`, `pairs.py`
    dropped.jsonl             every draft that did not make it, with stage and reason
    removed.jsonl, clean.json if it was cleaned: every record that went, with what shows why; the counts
    leaks.jsonl               what of one part repeats another, with both texts, where there is any: see `leaks.py`
    README.md                 the dataset card; `datasets.load_dataset(folder)` reads it
    manifest.json             rows and SHA-256 of each file, written last

A dataset that is split into parts has `data/<part>/<split>.jsonl`, `parquet/<part>/<split>.parquet`. A folder that
holds something else is refused. Files appear under their names only when they are whole. The rows' order is that of
their ids, so the same records give the same bytes however the run went.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import Path
from typing import Any

import orjson

from agentinstruct.agents.errors import RunError
from agentinstruct.dataset.card import TOOL_SPLITS, Card
from agentinstruct.dataset.claim import alone, claim, earlier, remove_stale
from agentinstruct.dataset.clean import Cleaned
from agentinstruct.dataset.clean_files import CLEANING, REMOVED, write_log
from agentinstruct.dataset.formats import FORMATS, MESSAGES, PREFERENCE, Inexpressible
from agentinstruct.dataset.leaks import LEAKS, Apart, Leaks, find_leaks
from agentinstruct.dataset.options import Options, Picked, Rows
from agentinstruct.dataset.pairs import Pairs, preference
from agentinstruct.dataset.split import By, Parts, parts_of
from agentinstruct.dataset.stanzas import AXOLOTL, LLAMA_FACTORY, WHOLE, axolotl, llama_factory
from agentinstruct.dataset.writing import Sinks, digest, forget, note, noted, replacing


@dataclass(slots=True)
class Written:
    """What became of the records in one format."""

    rows: Counter[str] = field(default_factory=Counter)
    """Rows by part."""
    left_out: Counter[str] = field(default_factory=Counter)
    """Records that it cannot express, by reason."""


@dataclass(slots=True)
class Exported:
    """What was written where."""

    folder: Path
    rows: Counter[str] = field(default_factory=Counter)
    """Records by split."""
    dropped: int = 0
    skills: dict[str, str] = field(default_factory=dict)
    """The skill of each split."""
    parts: dict[str, Counter[str]] = field(default_factory=dict)
    """Records by split in each part, where the dataset has parts."""
    by: By | None = None
    """What was kept together: documents, or seeds where there are too few."""
    leaks: Leaks | None = None
    """What of a part repeats a smaller one, where the dataset has parts."""
    leaks_kept: bool = False
    formats: dict[str, Written] = field(default_factory=dict)
    licences: Counter[str] = field(default_factory=Counter)
    files: list[str] = field(default_factory=list)


def export(
    journal: Rows,
    folder: Path,
    options: Options | None = None,
    cleaned: Cleaned | None = None,
    *,
    wait_s: float = 0.0,
) -> Exported:
    """Write the dataset of everything the journal holds into the folder.

    Args:
        journal: Where the records are.
        folder: Where to; the run's own or one of ours.
        options: Which records and how; None: as the folder was written before.
        cleaned: What was taken out of the journal's records, if they were cleaned.
        wait_s: How long another export that is at work there is waited for.

    Raises:
        RunError: the folder holds something else than this run or an earlier dataset, or another export writes there.
        OSError: it cannot be written.
    """
    with alone(folder, wait_s):
        return _exported(journal, folder, options, cleaned)


def _exported(journal: Rows, folder: Path, options: Options | None, cleaned: Cleaned | None) -> Exported:
    claim(folder, journal.folder)
    before = earlier(folder) or {}
    options = options or _as_before(folder, before)
    if own := folder.resolve() == journal.folder.resolve():  # a run's folder always holds its records
        options = replace(options, formats=tuple(dict.fromkeys((MESSAGES, *options.formats))))
    done, told = Exported(folder, leaks_kept=own or options.leaks == "keep"), Card()
    _Export(Picked(journal, options), options, done, told).run()
    for name, content in ((LLAMA_FACTORY, llama_factory), (AXOLOTL, axolotl)):
        _beside(done, name, [content([(form, part) for form, made in done.formats.items() for part in made.rows])])
    done.files += _logged(folder, cleaned) if cleaned else []
    remove_stale(folder, [*before.get("files", ()), *noted(folder)], {*done.files, "README.md"})
    with replacing(folder / "README.md") as temporary:
        temporary.write_text(told.text(done, cleaned.stats if cleaned else None), encoding="utf-8")
    done.files.append("README.md")
    _manifest(done, options)
    forget(folder)
    return done


def _as_before(folder: Path, earlier: Mapping[str, Any]) -> Options:
    try:
        return Options.read(earlier["options"]) if "options" in earlier else Options()
    except (KeyError, TypeError, AttributeError, ValueError) as problem:
        raise RunError(f"{folder}/manifest.json: not ours ({problem!r}). Delete it and export again.") from problem


@dataclass(slots=True)
class _Export:
    """One pass over the records, into every file; one more for pairs."""

    rows: Picked
    options: Options
    done: Exported
    told: Card
    _parts: Parts | None = None
    _splits: dict[str, str] = field(default_factory=dict)
    """The split of each file of rows in messages, by its name."""

    def run(self) -> None:
        """Write the records and what was dropped."""
        done, options = self.done, self.options
        if options.shares:
            self._parts = parts_of(self.rows.records(), options.shares)
            done.by, done.parts = self._parts.by, {name: Counter() for name in options.shares.parts}
        given = self._without_leaks(self.rows, LEAKS)
        done.formats = {name: Written() for name in options.formats if name != MESSAGES}
        with ExitStack() as files:
            sinks = Sinks(done.folder, files, options.shard_rows)
            for row in given.records():
                self._record(row, sinks)
            if PREFERENCE in options.formats:
                self._paired(given, sinks)
            for name, split in self._splits.items():
                sinks.parquet(f"parquet/{name}", f"data/{name}.jsonl", with_tools=split in TOOL_SPLITS)
        done.files += sinks.written
        done.files.append("dropped.jsonl")
        with replacing(done.folder / "dropped.jsonl") as temporary, temporary.open("wb") as lines:
            for row in self.rows.dropped():
                lines.write(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE))
                done.dropped += 1

    def _without_leaks(self, rows: Rows, listed: str = "") -> Rows:
        """The rows without what repeats one of a smaller part, unless it is to be kept; it is listed either way."""
        if not self._parts or len(self._parts.shares.parts) == 1:
            return rows
        with find_leaks(rows, self._parts) as found:
            if listed:
                self.done.leaks = found
                _beside(self.done, listed, found.lines())
        return rows if self.done.leaks_kept else Apart(rows, found)

    def _paired(self, given: Rows, sinks: Sinks) -> None:
        """Write preference pairs. They need what failed, too, so that counts here among what is not to be repeated."""
        if self.options.accepted_only:
            given = self._without_leaks(Picked(self.rows.journal, replace(self.options, accepted_only=False)))
        pairs = Pairs(given.records())
        for row in given.records():
            self._made(PREFERENCE, preference(pairs, row), self._part(row) or WHOLE, sinks)

    def _part(self, row: dict[str, Any]) -> str:
        return self._parts.of(row) if self._parts else ""

    def _record(self, row: dict[str, Any], sinks: Sinks) -> None:
        done, part = self.done, self._part(row)
        self.told.add(row)
        split = row["split"]
        done.rows[split] += 1
        done.skills[split] = row["skill"]
        done.licences[row["licence"]] += 1
        if part:
            done.parts[part][split] += 1
        if MESSAGES in self.options.formats:
            name = f"{part}/{split}" if part else split
            self._splits[name] = split
            sinks.line(f"data/{name}.jsonl", row)
        for form in done.formats.keys() & FORMATS.keys():
            try:
                self._made(form, FORMATS[form](row), part or WHOLE, sinks)
            except Inexpressible as reason:
                done.formats[form].left_out[str(reason)] += 1

    def _made(self, form: str, rows: list[dict[str, Any]], part: str, sinks: Sinks) -> None:
        for one in rows:
            sinks.line(f"{form}/{part}.jsonl", one)
            self.done.formats[form].rows[part] += 1


def _beside(done: Exported, name: str, lines: Iterable[bytes]) -> None:
    """A file of these lines; none where there are none."""
    lines = iter(lines)
    if (first := next(lines, b"")) == b"":
        return
    note(done.folder, name)
    with replacing(done.folder / name) as temporary, temporary.open("wb") as out:
        out.writelines(chain([first], lines))
    done.files.append(name)


def _logged(folder: Path, cleaned: Cleaned) -> list[str]:
    for name in (REMOVED, CLEANING):
        note(folder, name)
    return write_log(folder, cleaned)


def _manifest(done: Exported, options: Options) -> None:
    content: dict[str, Any] = {
        "records": dict(sorted(done.rows.items())),
        "dropped": done.dropped,
        "licences": dict(sorted(done.licences.items())),
        "parts": {name: dict(sorted(rows.items())) for name, rows in done.parts.items()},
        "kept_together": done.by,
        "leaks": done.leaks.stats() if done.leaks else {},
        "formats": {
            name: {"rows": dict(written.rows), "left_out": dict(sorted(written.left_out.items()))}
            for name, written in done.formats.items()
        },
        "options": options.noted(),
        "files": {name: _sealed(done.folder / name) for name in sorted(done.files)},
    }
    with replacing(done.folder / "manifest.json") as temporary:
        temporary.write_bytes(orjson.dumps(content, option=orjson.OPT_INDENT_2))


def _sealed(path: Path) -> Mapping[str, Any]:
    return {"bytes": path.stat().st_size, "sha256": digest(path)}
