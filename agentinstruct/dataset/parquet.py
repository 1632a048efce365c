"""Records as Parquet with one explicit schema per kind of chat, so that every reader sees the same columns."""

import os
from pathlib import Path
from typing import Any

import orjson

ROWS_IN_MEMORY = 200
MOST_BYTES = 2 << 20
BLOCK = 256 << 10
"""Bytes of JSON that are read at a time, where no row is longer."""
_TEXT = ("id", "skill", "split", "category", "transform", "form", "item", "seed_id", "source")
_MORE = ("licence", "language", "context", "key", "parent", "goal", "suggestion")


class ParquetSplit:
    """A split being written, with or without tool columns."""

    def __init__(self, path: Path, *, with_tools: bool, with_flags: bool = False) -> None:
        self._path = path
        self._lines: list[bytes] = []
        self._size = 0
        self._writer: Any = None
        self._with_tools = with_tools
        self._with_flags = with_flags

    def write(self, row: dict[str, Any]) -> None:
        """Add a record as `Record.row()` gives it."""
        self._lines.append(orjson.dumps(self._flat(row)))
        self._size += len(self._lines[-1])
        if len(self._lines) >= ROWS_IN_MEMORY or self._size >= MOST_BYTES:
            self._flush()

    def close(self, *, whole: bool = True) -> None:
        """End the file: with what is left to write, or, where it is given up, without."""
        if whole:
            self._flush()
        if self._writer is not None:
            self._writer.close()

    def _flush(self) -> None:
        os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")  # Arrow's own keeps what it once had
        import pyarrow as pa
        import pyarrow.parquet as pq
        from pyarrow import json

        if self._writer is None:
            self._writer = pq.ParquetWriter(
                self._path, _schema(with_tools=self._with_tools, with_flags=self._with_flags), compression="zstd"
            )
        if not self._lines:
            return
        # As JSON: Arrow reads it without a Python object for each value, and without importing pandas.
        how = json.ReadOptions(use_threads=False, block_size=max(BLOCK, 2 * max(map(len, self._lines))))
        text, self._lines, self._size = b"\n".join(self._lines), [], 0
        form = json.ParseOptions(explicit_schema=self._writer.schema, unexpected_field_behavior="ignore")
        table = json.read_json(pa.BufferReader(text), read_options=how, parse_options=form)
        self._writer.write_table(table.select(self._writer.schema.names))

    def _flat(self, row: dict[str, Any]) -> dict[str, Any]:
        if not self._with_tools:
            return row
        return row | {"tools": orjson.dumps(row.get("tools", [])).decode()}


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
