"""The dataset a run leaves behind: one row a record, as JSON lines and as Parquet, with a card.

    data/<split>.jsonl        rows as chat libraries read them; `tools` and `tool_calls` as OpenAI writes them
    parquet/<split>.parquet   the same rows with one schema; `tools` and `arguments` are JSON strings
    dropped.jsonl             every draft that did not make it, with stage and reason
    removed.jsonl, clean.json if it was cleaned: every record that went, with what shows why; the counts
    README.md                 the dataset card; `datasets.load_dataset(folder)` reads it
    manifest.json             rows and SHA-256 of each file, written last

A folder that holds something else is refused. Files appear under their names only when they are whole. The rows'
order is that of their ids, so the same records give the same bytes however the run went.
"""

import os
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any, Protocol

import orjson

from agentinstruct.agents.errors import RunError
from agentinstruct.dataset.card import TOOL_SPLITS, card
from agentinstruct.dataset.clean import Cleaned
from agentinstruct.dataset.parquet import ParquetSplit

REMOVED, CLEANING = "removed.jsonl", "clean.json"
_KEYS = {"records", "dropped", "files"}


class Rows(Protocol):
    """Something that holds a run's rows: its journal."""

    folder: Path
    """The run folder."""

    def records(self) -> Iterator[dict[str, Any]]:
        """Every record, in a fixed order."""

    def dropped(self) -> Iterator[dict[str, Any]]:
        """Every dropped draft, in a fixed order."""


@dataclass(slots=True)
class CleanRows:
    """Rows without those that were taken away."""

    rows: Rows
    cleaned: Cleaned
    folder: Path = field(init=False)

    def __post_init__(self) -> None:
        self.folder = self.rows.folder

    def records(self) -> Iterator[dict[str, Any]]:
        """The records that stay."""
        return self.cleaned.rows(self.rows.records())

    def dropped(self) -> Iterator[dict[str, Any]]:
        """Every dropped draft."""
        return self.rows.dropped()


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written where."""

    folder: Path
    rows: Counter[str] = field(default_factory=Counter)
    """Records by split."""
    dropped: int = 0


def export(journal: Rows, folder: Path, cleaned: Cleaned | None = None) -> Exported:
    """Write the dataset of everything the journal holds into the folder; `cleaned` says what was taken out of it.

    Raises:
        RunError: the folder holds something else than this run or an earlier dataset.
        OSError: it cannot be written.
    """
    _claim(folder, journal.folder)
    done = Exported(folder, Counter(), _dropped(journal, folder / "dropped.jsonl"))
    written = [folder / "dropped.jsonl"]
    skills: dict[str, str] = {}
    with ExitStack() as files:
        splits: dict[str, _Split] = {}
        for row in journal.records():
            name = row["split"]
            if name not in splits:
                splits[name] = files.enter_context(_split(folder, name, with_flags="flags" in row))
            splits[name].write(row)
            done.rows[name] += 1
            skills[name] = row["skill"]
    for name in done.rows:
        written += [folder / "data" / f"{name}.jsonl", folder / "parquet" / f"{name}.parquet"]
    written += write_log(folder, cleaned) if cleaned else []
    _remove_stale(folder, written)
    stats = cleaned.stats if cleaned else None
    with replacing(folder / "README.md") as temporary:
        temporary.write_text(card(done.rows, skills, journal.records(), stats), encoding="utf-8")
    _manifest(folder, [*written, folder / "README.md"], done)
    return done


def _claim(folder: Path, run: Path) -> None:
    """Refuse a folder that is not ours to write; mark a fresh one, so that a second try finds it ours."""
    if folder.resolve() == run.resolve():
        return
    begun = _partial(folder / "manifest.json")
    if (folder / "run.json").exists():
        raise RunError(f"{folder}: the folder of another run. Choose another folder.")
    if begun.exists() or _earlier(folder) is not None:
        return
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if foreign := sorted(entry.name for entry in folder.iterdir()):
        raise RunError(f"{folder}: not empty and no dataset of ours (it holds {foreign[0]!r}). Choose another folder.")
    begun.touch(mode=0o600)


def _earlier(folder: Path) -> list[str] | None:
    """The files of the dataset that was exported here before, or None when there was none."""
    try:
        manifest = orjson.loads((folder / "manifest.json").read_bytes())
        return [str(name) for name in manifest["files"]] if manifest.keys() == _KEYS else None
    except (OSError, orjson.JSONDecodeError, KeyError, TypeError, AttributeError):
        return None


@dataclass(slots=True)
class _Split:
    lines: Any
    parquet: ParquetSplit

    def write(self, row: dict[str, Any]) -> None:
        self.lines.write(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE))
        self.parquet.write(row)


@contextmanager
def _split(folder: Path, name: str, *, with_flags: bool) -> Iterator[_Split]:
    with (
        replacing(folder / "data" / f"{name}.jsonl") as lines_path,
        replacing(folder / "parquet" / f"{name}.parquet") as parquet_path,
        lines_path.open("wb") as lines,
        ParquetSplit(parquet_path, with_tools=name in TOOL_SPLITS, with_flags=with_flags) as parquet,
    ):
        yield _Split(lines, parquet)


def _dropped(journal: Rows, path: Path) -> int:
    count = 0
    with replacing(path) as temporary, temporary.open("wb") as lines:
        for row in journal.dropped():
            lines.write(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE))
            count += 1
    return count


def write_log(folder: Path, cleaned: Cleaned) -> list[Path]:
    """Write what was taken away, and the counts; which files that made."""
    with replacing(folder / REMOVED) as temporary, temporary.open("wb") as lines:
        lines.writelines(cleaned.removed())
    with replacing(folder / CLEANING) as temporary:
        temporary.write_bytes(orjson.dumps(cleaned.stats, option=orjson.OPT_INDENT_2))
    return [folder / REMOVED, folder / CLEANING]


def _partial(path: Path) -> Path:
    return path.with_name(f".{path.name}.partial")


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary name beside the path; when the block ends well it is synced and takes the path's place."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    temporary = _partial(path)
    temporary.unlink(missing_ok=True)  # of an export that was killed
    try:
        yield temporary
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _remove_stale(folder: Path, written: list[Path]) -> None:
    """What the last export here wrote and this one does not; files that are not ours stay."""
    earlier = {folder / name for name in _earlier(folder) or []}
    for path in earlier - {*written, folder / "README.md"}:
        if path.parent in (folder / "data", folder / "parquet") or path in (folder / REMOVED, folder / CLEANING):
            path.unlink(missing_ok=True)


def _manifest(folder: Path, paths: list[Path], done: Exported) -> None:
    files = {str(path.relative_to(folder)): {"bytes": path.stat().st_size, "sha256": _digest(path)} for path in paths}
    content = {"records": dict(sorted(done.rows.items())), "dropped": done.dropped, "files": files}
    with replacing(folder / "manifest.json") as temporary:
        temporary.write_bytes(orjson.dumps(content, option=orjson.OPT_INDENT_2))


def _digest(path: Path) -> str:
    digest = sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
