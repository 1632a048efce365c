"""Records as Parquet with one explicit schema per kind of chat, so that every reader sees the same columns."""

import os
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO

import orjson

GROUP_ROWS = 1000
GROUP_BYTES = 4 << 20
"""Of the JSON that becomes one row group: what a reader holds at once, and so do we."""
BLOCK = 256 << 10
"""Bytes of JSON that are read at a time, where no row is longer."""
_TEXT = ("id", "skill", "split", "category", "transform", "form", "item", "seed_id", "source")
_MORE = ("licence", "language", "context", "key", "parent", "goal", "suggestion")


class ParquetSplit:
    """A split being written, with or without tool columns."""

    def __init__(self, path: Path, *, with_tools: bool, with_flags: bool = False) -> None:
        self._path = path
        self._lines = BytesIO()  # one piece, used again and again: small ones would scatter the heap
        self._rows = self._longest = 0
        self._writer: Any = None
        self._file: BinaryIO
        self._with_tools = with_tools
        self._with_flags = with_flags

    def write(self, line: bytes) -> None:
        """Add a record as its line in the dataset has it."""
        self._longest = max(self._longest, self._lines.write(_flat(line) if self._with_tools else line))
        self._rows += 1
        if self._rows >= GROUP_ROWS or self._lines.tell() >= GROUP_BYTES:
            self._flush()

    def close(self, *, whole: bool = True) -> None:
        """End the file: with what is left to write, or, where it is given up, without."""
        if whole:
            self._flush()
        if self._writer is not None:
            self._writer.close()
            self._file.close()

    def _flush(self) -> None:
        os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")  # Arrow's own keeps what it once had
        import pyarrow as pa
        import pyarrow.parquet as pq
        from pyarrow import json

        if self._writer is None:
            schema = _schema(with_tools=self._with_tools, with_flags=self._with_flags)
            # Without statistics: least and greatest of texts help nobody find a row, and all stay in memory to the end.
            # And a file, not its path: Arrow takes only those that are UTF-8.
            self._file = self._path.open("wb")
            self._writer = pq.ParquetWriter(self._file, schema, compression="zstd", write_statistics=False)
        if not self._rows:
            return
        # As JSON: Arrow reads it without a Python object for each value, and without importing pandas.
        how = json.ReadOptions(use_threads=False, block_size=max(BLOCK, 2 * self._longest))
        form = json.ParseOptions(explicit_schema=self._writer.schema, unexpected_field_behavior="ignore")
        with self._lines.getbuffer() as text:
            table = json.read_json(pa.BufferReader(text[: self._lines.tell()]), read_options=how, parse_options=form)
        self._writer.write_table(table.select(self._writer.schema.names))
        self._lines.seek(0)
        self._rows = self._longest = 0


def _flat(line: bytes) -> bytes:
    row = orjson.loads(line)
    row["tools"] = orjson.dumps(row.get("tools", [])).decode()
    return orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE)


def _schema(*, with_tools: bool, with_flags: bool) -> Any:
    import pyarrow as pa

    text, whole = pa.string(), pa.int64()
    message = [("role", text), ("content", text)]
    if with_tools:
        function = pa.struct([("name", text), ("arguments", text)])
        calls = pa.list_(pa.struct([("id", text), ("type", text), ("function", function)]))
        message += [("tool_calls", calls), ("tool_call_id", text), ("name", text)]
    verdict = pa.struct([("check", text), ("passed", pa.bool_()), ("kind", text), ("evidence", text)])
    call = pa.struct(
        [(name, text) for name in ("agent", "role", "prompt", "model", "key")]
        + [(name, whole) for name in ("input_tokens", "cached_tokens", "output_tokens", "repairs")]
    )
    columns = [("id", text), ("messages", pa.list_(pa.struct(message)))]
    columns += [("tools", text)] if with_tools else []
    columns += [(name, text) for name in (*_TEXT[1:], *_MORE)]
    columns += [("start", whole), ("end", whole), ("depth", whole), ("accepted", pa.bool_())]
    trace = pa.struct([(name, text) for name in ("tool", "input", "output")])
    nested = [("trace", trace), ("verdicts", verdict), ("calls", call)]
    columns += [(name, pa.list_(kind)) for name, kind in nested]
    return pa.schema([*columns, *([("flags", pa.list_(text))] if with_flags else [])])
