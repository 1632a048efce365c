"""Rows of jsonl, csv, tsv, json and parquet, streamed: memory holds a line or a small batch, never the file.

A row is a dict of the columns that matter; what cannot be read of a table is an `Unusable` in its place.
"""

import csv
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, BinaryIO

from agentinstruct.seeds.compressed import read_blocks, read_whole
from agentinstruct.seeds.document import SeedOptions, Unusable
from agentinstruct.seeds.files import shown
from agentinstruct.seeds.formats import Format
from agentinstruct.seeds.text import decode, mark_of, refuse_binary
from agentinstruct.seeds.worker import Worker

TEXT_COLUMNS = ("text", "content", "body", "document")
ABOUT_COLUMNS = ("title", "licence", "license", "language", "lang", "programming_language")

Row = dict[str, Any]
Rows = Iterator[tuple[int, Row | Unusable]]


class NoColumn(Exception):
    """The table has no column to read texts from; `columns` are those it has."""

    def __init__(self, wanted: str, columns: Iterable[str]) -> None:
        super().__init__(wanted, columns)
        asked = f"no column {wanted!r}" if wanted else f"none of the columns {', '.join(TEXT_COLUMNS)}"
        self.told = f"it has {asked}, only {shown(columns) or 'no columns'}"


def text_column(columns: Sequence[str], options: SeedOptions) -> str:
    """The column to read; `NoColumn` when there is none."""
    wanted = [options.column] if options.column else [name for name in TEXT_COLUMNS if name in columns]
    if not wanted or wanted[0] not in columns:
        raise NoColumn(options.column, columns)
    return wanted[0]


def json_lines(file: BinaryIO, form: Format, options: SeedOptions, worker: Worker) -> Rows:
    """Objects by the number of their line."""
    import orjson

    column = ""
    for number, line in enumerate(_lines(file, form, options), 1):
        if isinstance(line, Unusable):
            yield number, line
        elif line.strip():
            try:
                row = orjson.loads(line)
            except orjson.JSONDecodeError as error:
                yield number, Unusable("parse failed", f"not JSON: {error}"[:200])
                continue
            if not isinstance(row, dict):
                yield number, Unusable("parse failed", "not an object")
                continue
            column = column or text_column(list(row), options)
            yield number, _taken(row, column)


def separated(file: BinaryIO, form: Format, options: SeedOptions, worker: Worker) -> Rows:
    """Records of a csv or tsv file with a heading line, by their number."""
    csv.field_size_limit(max(csv.field_size_limit(), int(options.max_line_mb * 1e6)))
    lines = (_refuse(line) for line in _lines(file, form, options))
    rows = csv.reader(lines, delimiter="\t" if form.suffix == "tsv" else ",")
    number = 0
    try:
        columns = next(rows, [])
        column = text_column(columns, options)
        for number, values in enumerate(rows, 1):
            if values:
                yield number, _taken(dict(zip(columns, values, strict=False)), column)
    except csv.Error as error:
        raise Unusable("parse failed", f"row {number + 1}: {error}") from error


def _refuse(line: str | Unusable) -> str:
    if isinstance(line, Unusable):
        raise line
    return line


def parquet(file: BinaryIO, form: Format, options: SeedOptions, worker: Worker) -> Rows:
    """Rows of a Parquet file by their number."""
    from io import BytesIO

    from pyarrow import ArrowException
    from pyarrow.parquet import ParquetFile

    number = 0
    try:
        source = BytesIO(read_whole(file, form.compression, options.max_file_mb)) if form.compression else file
        columns = ParquetFile(source).schema_arrow.names
        column = text_column(columns, options)
        wanted = [column, *(name for name in ABOUT_COLUMNS if name in columns and name != column)]
        # As a dictionary, a long text that many rows share is held once.
        table = ParquetFile(source, read_dictionary=[column], pre_buffer=False)
        for batch in table.iter_batches(batch_size=32, columns=wanted, use_threads=False):
            for index in range(batch.num_rows):
                number += 1
                yield number, _taken({name: batch[name][index].as_py() for name in batch.schema.names}, column)
    except (ArrowException, OSError, ValueError, MemoryError) as error:
        raise Unusable("parse failed", f"after row {number}: {error}"[:200]) from error


def json_array(file: BinaryIO, form: Format, options: SeedOptions, worker: Worker) -> Rows:
    """Objects of a JSON array by their number."""
    text = decode(read_whole(file, form.compression, options.max_file_mb), options.encoding)
    wanted = [options.column] if options.column else list(TEXT_COLUMNS)
    table = worker.extract("json", text.encode(), columns=[*wanted, *ABOUT_COLUMNS])
    column = text_column(table["columns"], options)
    for number, row in enumerate(table["rows"], 1):
        yield number, _taken(row, column)


def _taken(row: Row, column: str) -> Row | Unusable:
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
