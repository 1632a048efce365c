"""A dataset of any origin, cleaned into a new folder: the same files with fewer rows, and what went.

OUT/…              each file under its name; lines and columns as they were, `flags` added where they were looked for
OUT/removed.jsonl  every row that went: id, reason, and its twin, the benchmark's text or the flags
OUT/clean.json     the names of the files, so that the next cleaning can replace them; the counts are added last
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain, count
from pathlib import Path
from typing import Any

import orjson

from agentinstruct.agents.errors import RunError
from agentinstruct.dataset.clean import Cleaned, Plan, clean
from agentinstruct.dataset.options import Sifted
from agentinstruct.dataset.rows import OURS, SUFFIXES, Row, batches, files, lines, read_chats
from agentinstruct.dataset.writing import replacing

REMOVED, CLEANING = "removed.jsonl", "clean.json"
_PACKED = (".gz", ".zst")


def clean_files(data: Path, folder: Path, plan: Plan) -> Cleaned:
    """Clean a dataset into a folder.

    Raises:
        RunError: the folder holds something else than an earlier cleaning, or the dataset cannot be read.
        OSError: it cannot be written.
    """
    found = _names(data)
    earlier = _claim(folder, data)
    _note(folder, {"files": sorted({*earlier, *found.values()})})
    with clean(lambda: read_chats(data), plan) as cleaned:
        begun = 0
        for file, name in found.items():
            write = _parquet if file.suffix == ".parquet" else _lines
            begun += write(file, folder / name, cleaned, begun)
        for name in earlier - set(found.values()):
            (folder / name).unlink(missing_ok=True)
        cleaned.stats["files"] = list(found.values())
        write_log(folder, cleaned)
    return cleaned


def _names(data: Path) -> dict[Path, str]:
    """The dataset's files, each with the name that it gets in the folder: unpacked, and no two alike."""
    names: dict[str, Path] = {}
    found = files(data)
    for file in sorted(found, key=lambda file: file.suffix in _PACKED):  # the others keep their names
        below = file.relative_to(data) if data.is_dir() else Path(file.name)
        plain = below.with_suffix("") if file.suffix in _PACKED else below
        free = (one for one in _like(plain) if one.name not in OURS and one.as_posix() not in names)
        names[next(free).as_posix()] = file
    by_file = {file: name for name, file in names.items()}
    return {file: by_file[file] for file in found}


def _like(path: Path) -> Iterator[Path]:
    yield path
    yield from (path.with_name(f"{path.stem}-{number}{path.suffix}") for number in count(2))


@dataclass(slots=True)
class CleanRows(Sifted):
    """A run's rows without those that were taken away."""

    cleaned: Cleaned

    def records(self) -> Iterator[dict[str, Any]]:
        """The records that stay."""
        return self.cleaned.rows(self.journal.records())


def write_log(folder: Path, cleaned: Cleaned) -> list[str]:
    """Write what was taken away, and the counts; the names of the files."""
    with replacing(folder / REMOVED) as temporary, temporary.open("wb") as out:
        out.writelines(cleaned.lines())
    _note(folder, cleaned.stats)
    return [REMOVED, CLEANING]


def _note(folder: Path, stats: Mapping[str, Any]) -> None:
    with replacing(folder / CLEANING) as temporary:
        temporary.write_bytes(orjson.dumps(stats, option=orjson.OPT_INDENT_2))


def _claim(folder: Path, data: Path) -> set[str]:
    """The names of the files that an earlier cleaning left in the folder."""
    there, source = folder.resolve(), data.resolve()
    if there == source or there in source.parents:
        raise RunError(f"{folder}: holds the dataset itself. Choose another folder.")
    if source in there.parents:
        raise RunError(f"{folder}: lies in the dataset, and would be read as a part of it. Choose another folder.")
    earlier = _earlier(folder)
    if earlier is None and folder.exists() and any(folder.iterdir()):
        raise RunError(f"{folder}: not empty and no cleaned dataset. Choose another folder.")
    folder.mkdir(parents=True, exist_ok=True)
    return {
        name for name in earlier or () if name.endswith(SUFFIXES) and (there / name).resolve().is_relative_to(there)
    }


def _earlier(folder: Path) -> list[str] | None:
    """What is listed there; None where nothing is, so in the folder of an export."""
    try:
        listed = orjson.loads((folder / CLEANING).read_bytes())["files"]
    except (OSError, orjson.JSONDecodeError, KeyError, TypeError):
        return None
    return [str(name) for name in listed] if isinstance(listed, list) else None


def _lines(file: Path, to: Path, cleaned: Cleaned, begun: int) -> int:
    done = 0
    with replacing(to) as temporary, temporary.open("wb") as out:
        for line, row in lines(file):
            number, done = begun + done, done + 1
            if not cleaned.kept[number]:
                continue
            if cleaned.flagging:
                line = _flagged(line, row, cleaned.flags.get(number, ()))
            out.write(line if line.endswith(b"\n") else line + b"\n")
    return done


def _flagged(line: bytes, row: Row, flags: tuple[str, ...]) -> bytes:
    """The line with its flags; every other byte stays, so that no number loses digits that 64 bits do not hold."""
    if "flags" in row:
        return json.dumps(json.loads(line) | {"flags": flags}, ensure_ascii=False).encode()
    return line.rstrip().removesuffix(b"}") + b',"flags":' + orjson.dumps(flags) + b"}"


def _parquet(file: Path, to: Path, cleaned: Cleaned, begun: int) -> int:
    from pyarrow.parquet import ParquetWriter

    done, writer = 0, None
    with replacing(to) as temporary:
        for batch in _with_schema(file):
            kept = _kept(batch, cleaned, begun + done)
            done += batch.num_rows
            writer = writer or ParquetWriter(temporary, kept.schema, compression="zstd")
            writer.write_batch(kept)
        if writer:
            writer.close()
        else:
            temporary.touch()
    return done


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
