"""A dataset of any origin, cleaned into a new folder: the same files with fewer rows, and what went.

OUT/…              each file under its name; lines and columns as they were, `flags` added where they were looked for
OUT/removed.jsonl  every row that went: id, reason, and its twin, the benchmark's text or the flags
OUT/clean.json     the counts, written last
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any

import orjson

from agentinstruct.agents.errors import RunError
from agentinstruct.dataset.clean import Cleaned, Plan, clean
from agentinstruct.dataset.options import Rows
from agentinstruct.dataset.rows import batches, files, lines, read_chats
from agentinstruct.dataset.writing import replacing

REMOVED, CLEANING = "removed.jsonl", "clean.json"


def clean_files(data: Path, folder: Path, plan: Plan) -> Cleaned:
    """Clean a dataset into a folder.

    Raises:
        RunError: the folder holds something else than an earlier cleaning, or the dataset cannot be read.
        OSError: it cannot be written.
    """
    found = files(data)
    _claim(folder, data)
    with clean(lambda: read_chats(data), plan) as cleaned:
        begun = 0
        for file in found:
            below = file.relative_to(data) if data.is_dir() else Path(file.name)
            write = _parquet if file.suffix == ".parquet" else _lines
            begun += write(file, folder / below, cleaned, begun)
        write_log(folder, cleaned)
    return cleaned


@dataclass(slots=True)
class CleanRows:
    """A run's rows without those that were taken away."""

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


def write_log(folder: Path, cleaned: Cleaned) -> list[str]:
    """Write what was taken away, and the counts; the names of the files."""
    with replacing(folder / REMOVED) as temporary, temporary.open("wb") as out:
        out.writelines(cleaned.removed())
    with replacing(folder / CLEANING) as temporary:
        temporary.write_bytes(orjson.dumps(cleaned.stats, option=orjson.OPT_INDENT_2))
    return [REMOVED, CLEANING]


def _claim(folder: Path, data: Path) -> None:
    if folder.resolve() == data.resolve() or folder.resolve() in data.resolve().parents:
        raise RunError(f"{folder}: holds the dataset itself. Choose another folder.")
    if folder.exists() and any(folder.iterdir()) and not (folder / CLEANING).exists():
        raise RunError(f"{folder}: not empty and no cleaned dataset. Choose another folder.")
    folder.mkdir(parents=True, exist_ok=True)


def _lines(file: Path, to: Path, cleaned: Cleaned, begun: int) -> int:
    plain = to.with_name(to.name.removesuffix(".gz").removesuffix(".zst"))
    count = 0
    with replacing(plain) as temporary, temporary.open("wb") as out:
        for line, row in lines(file):
            number, count = begun + count, count + 1
            if not cleaned.kept[number]:
                continue
            if cleaned.flagging:
                row["flags"] = list(cleaned.flags.get(number, ()))
                line = orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE)
            out.write(line if line.endswith(b"\n") else line + b"\n")
    return count


def _parquet(file: Path, to: Path, cleaned: Cleaned, begun: int) -> int:
    from pyarrow.parquet import ParquetWriter

    count, writer = 0, None
    with replacing(to) as temporary:
        for batch in _with_schema(file):
            kept = _kept(batch, cleaned, begun + count)
            count += batch.num_rows
            writer = writer or ParquetWriter(temporary, kept.schema, compression="zstd")
            writer.write_batch(kept)
        if writer:
            writer.close()
        else:
            temporary.touch()
    return count


def _with_schema(file: Path) -> Iterator[Any]:
    """The batches of a file, at least an empty one."""
    from pyarrow import RecordBatch
    from pyarrow.parquet import read_schema

    first: Callable[[], Any] = lambda: RecordBatch.from_pylist([], schema=read_schema(file))  # noqa: E731
    found = batches(file)
    yield from chain([next(found, None) or first()], found)


def _kept(batch: Any, cleaned: Cleaned, begun: int) -> Any:
    import pyarrow as pa

    numbers = range(begun, begun + batch.num_rows)
    if cleaned.flagging:
        flags = pa.array([list(cleaned.flags.get(number, ())) for number in numbers], pa.list_(pa.string()))
        if (at := batch.schema.get_field_index("flags")) >= 0:
            batch = batch.set_column(at, "flags", flags)
        else:
            batch = batch.append_column("flags", flags)
    return batch.filter(pa.array([bool(cleaned.kept[number]) for number in numbers], pa.bool_()))
