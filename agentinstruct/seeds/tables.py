"""Rows of jsonl, csv, tsv, json and parquet, streamed: memory holds a line or a small batch, never the file.

A row is a dict of the columns that matter; what cannot be read of a table is an `Unusable` in its place.
"""

import csv
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from contextlib import ExitStack, closing
from itertools import chain
from tempfile import TemporaryFile
from typing import Any, BinaryIO, cast

from agentinstruct.seeds.compressed import read_blocks, read_whole
from agentinstruct.seeds.document import SeedOptions, Unusable
from agentinstruct.seeds.files import shown
from agentinstruct.seeds.formats import Format
from agentinstruct.seeds.text import decode, mark_of, refuse_binary
from agentinstruct.seeds.worker import Worker

TEXT_COLUMNS = ("text", "content", "body", "document")
ABOUT_COLUMNS = ("title", "licence", "license", "language", "lang", "programming_language")

_PROBED = 1000
"""Rows of a jsonl file that may lack a text column before it counts as a table without one."""

Row = dict[str, Any]
Rows = Iterator[tuple[int, Row | Unusable]]


class NoColumn(Exception):
    """The table has no column to read texts from; `columns` are those it has."""

    def __init__(self, wanted: str, columns: Iterable[str]) -> None:
        super().__init__(wanted, columns)
        asked = f"no column {wanted!r}" if wanted else f"none of the columns {', '.join(TEXT_COLUMNS)}"
        self.told = f"it has {asked}, only {shown(columns) or 'no columns'}"


def column_of(row: Container[str], options: SeedOptions) -> str:
    """The column of a row to read, or an empty string when it has none."""
    wanted = [options.column] if options.column else TEXT_COLUMNS
    return next((name for name in wanted if name in row), "")


def text_column(columns: Sequence[str], options: SeedOptions) -> str:
    """The column to read; `NoColumn` when there is none."""
    if not (column := column_of(columns, options)):
        raise NoColumn(options.column, columns)
    return column


def json_lines(file: BinaryIO, form: Format, options: SeedOptions, worker: Worker) -> Rows:
    """Objects by the number of their line; `NoColumn` when none of the first thousand has a text column."""
    missing: list[int] = []
    columns: list[str] = []
    found = False
    for number, row in _objects(_lines(file, form, options)):
        column = "" if isinstance(row, Unusable) else column_of(row, options)
        if isinstance(row, Unusable):
            yield number, row
        elif found or column:
            yield from ((before, _without_column(options)) for before in missing)
            missing, found = [], True
            yield number, taken(row, column) if column else _without_column(options)
        else:
            columns = columns or list(row)
            missing.append(number)
            if len(missing) == _PROBED:
                break
    if missing:
        raise NoColumn(options.column, columns)


def _objects(lines: Iterable[str | Unusable]) -> Rows:
    import orjson

    for number, line in enumerate(lines, 1):
        if isinstance(line, Unusable):
            yield number, line
        elif line.strip():
            try:
                row = orjson.loads(line)
            except orjson.JSONDecodeError as error:
                yield number, Unusable("parse failed", f"not JSON: {error}"[:200])
                continue
            yield number, row if isinstance(row, dict) else Unusable("parse failed", "not an object")


def separated(file: BinaryIO, form: Format, options: SeedOptions, worker: Worker) -> Rows:
    """Records of a csv or tsv file with a heading line, by their number; a line that is too long counts as one."""
    csv.field_size_limit(max(csv.field_size_limit(), int(options.max_line_mb * 1e6)))
    lost: list[Unusable] = []
    lines = _short_enough(_lines(file, form, options), lost)
    rows = csv.reader(lines, delimiter="\t" if form.suffix == "tsv" else ",")
    number = 0
    try:
        columns = next(rows, [])
        if lost:
            raise lost[0]
        column = text_column(columns, options)
        for values in chain(rows, [[]]):
            while lost:
                number += 1
                yield number, lost.pop()
            number += 1
            if values:
                yield number, taken(dict(zip(columns, values, strict=False)), column)
    except csv.Error as error:
        raise Unusable("parse failed", f"row {number + 1}: {error}") from error


def _short_enough(lines: Iterable[str | Unusable], lost: list[Unusable]) -> Iterator[str]:
    for line in lines:
        if isinstance(line, Unusable):
            lost.append(line)
        else:
            yield line


def parquet(file: BinaryIO, form: Format, options: SeedOptions, worker: Worker) -> Rows:
    """Rows of a Parquet file by their number, read by a worker of its own."""
    with ExitStack() as opened:
        if form.compression:
            unpacked = opened.enter_context(TemporaryFile())
            unpacked.write(read_whole(file, form.compression, options.max_file_mb))
            unpacked.seek(0)
            file = cast(BinaryIO, unpacked)
        descriptor = file.fileno()
        reader = opened.enter_context(closing(Worker(options, (descriptor,))))
        columns = reader.extract("parquet", b"", file=descriptor)["columns"]
        column = text_column(columns, options)
        wanted = [column, *(name for name in ABOUT_COLUMNS if name in columns and name != column)]
        request = {"file": descriptor, "wanted": wanted, "max_bytes": int(options.max_line_mb * 1e6)}
        number = 0
        while rows := reader.extract("parquet", b"", **request)["rows"]:
            for row in rows:
                number += 1
                if "over" in row:
                    yield number, Unusable("line too long", f"its {column!r} is over {options.max_line_mb:g} MB")
                else:
                    yield number, taken({**row["about"], column: row["text"]}, column)


def json_array(file: BinaryIO, form: Format, options: SeedOptions, worker: Worker) -> Rows:
    """Objects of a JSON array by their number."""
    text = decode(read_whole(file, form.compression, options.max_file_mb), options.encoding)
    wanted = [options.column] if options.column else list(TEXT_COLUMNS)
    table = worker.extract("json", text.encode(), columns=[*wanted, *ABOUT_COLUMNS])
    first = text_column(table["columns"], options)
    for number, row in enumerate(table["rows"], 1):
        yield number, taken(row, column_of(row, options) or first)


def _without_column(options: SeedOptions) -> Unusable:
    return Unusable("no text", f"it has no {options.column!r}" if options.column else "it has no text column")


def taken(row: Row, column: str) -> Row | Unusable:
    """The text and what is said about it, under fixed names."""
    text = row.get(column)
    if not isinstance(text, str) or not text.strip():
        return Unusable("no text", f"its {column!r} is empty or no text")
    about = {name: row[name][:300] for name in ABOUT_COLUMNS if isinstance(row.get(name), str)}
    return {
        "text": text,
        "title": about.get("title", ""),
        "licence": about.get("licence") or about.get("license", ""),
        "language": (about.get("programming_language") or about.get("language") or about.get("lang", "")).lower(),
    }


def _lines(file: BinaryIO, form: Format, options: SeedOptions) -> Iterator[str | Unusable]:
    """Decoded lines with their ends; one that is longer than the cap is passed over without being held."""
    cap = int(options.max_line_mb * 1e6)
    rest, too_long = b"", False
    for block in _as_utf8(read_blocks(file, form.compression)):
        *lines, tail = block.split(b"\n")
        for line in lines:
            if too_long or len(rest) + len(line) > cap:
                yield Unusable("line too long", f"over {options.max_line_mb:g} MB")
            else:
                yield _decoded(rest + line, options.encoding) + "\n"
            rest, too_long = b"", False
        too_long = too_long or len(rest) + len(tail) > cap
        rest = b"" if too_long else rest + tail
    if too_long:
        yield Unusable("line too long", f"over {options.max_line_mb:g} MB")
    elif rest:
        yield _decoded(rest, options.encoding)


def _decoded(line: bytes, fallback: str) -> str:
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError:
        return line.decode(fallback, "replace")


def _as_utf8(blocks: Iterator[bytes]) -> Iterator[bytes]:
    """Blocks without a byte order mark, and in UTF-8 where the mark said another encoding."""
    import codecs

    first = next(blocks, b"")
    encoding = mark_of(first)
    if not encoding:
        refuse_binary(first[: 1 << 16])
        yield first
        yield from blocks
        return
    decoder = codecs.getincrementaldecoder(encoding)("replace")
    yield decoder.decode(first).encode("utf-8", "replace")
    for block in blocks:
        yield decoder.decode(block).encode("utf-8", "replace")


TABLES: dict[str, Callable[[BinaryIO, Format, SeedOptions, Worker], Rows]] = {
    "lines": json_lines,
    "csv": separated,
    "parquet": parquet,
    "json": json_array,
}
