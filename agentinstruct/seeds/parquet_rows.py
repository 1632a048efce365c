"""Rows of a Parquet file, read in the worker: what it unpacks to is bounded by the worker's memory and time.

The file is inherited open, under its number; a reply holds the next rows, an empty one says that there are no more.
"""

import os
from collections.abc import Iterator
from itertools import islice
from typing import Any

Row = dict[str, Any]

_MAX_ROWS = 256
_REPLY = 4_000_000
_SHORT = 300

_open: dict[int, Iterator[Row]] = {}
"""Where the reading of each file is."""


def parquet(data: bytes, request: Row) -> Row:
    """The names of the columns; with `wanted`, the next rows: `text` or `over`, and `about` the text."""
    descriptor: int = request["file"]
    if "wanted" not in request:
        return {"columns": _file(descriptor).schema_arrow.names}
    if descriptor not in _open:
        _open[descriptor] = _rows(descriptor, request["wanted"], request["max_bytes"])
    taken, size = [], 0
    for row in islice(_open[descriptor], _MAX_ROWS):
        taken.append(row)
        size += len(row.get("text", ""))
        if size > _REPLY:
            break
    return {"rows": taken}


def _file(descriptor: int, **options: Any) -> Any:
    from pyarrow.parquet import ParquetFile

    # Small reads: else a column of a row group, compressed, is held as a whole.
    return ParquetFile(os.fdopen(os.dup(descriptor), "rb"), pre_buffer=False, buffer_size=1 << 20, **options)


def _rows(descriptor: int, wanted: list[str], max_bytes: int) -> Iterator[Row]:
    # As a dictionary, a long text that many rows share is held once.
    table = _file(descriptor, read_dictionary=wanted[:1])
    for batch in table.iter_batches(batch_size=32, columns=wanted, use_threads=False):
        for index in range(batch.num_rows):
            yield _row([(name, batch[name][index]) for name in wanted], max_bytes)


def _row(cells: list[tuple[str, Any]], max_bytes: int) -> Row:
    (_, text), *others = cells
    about = {name: value[:_SHORT] for name, cell in others if (value := _text(cell, max_bytes))}
    value = _text(text, max_bytes)
    return {"over": True} if value is None else {"text": value, "about": about}


def _text(cell: Any, max_bytes: int) -> str | None:
    """The text of a cell, empty when it holds none, or None when it is longer than it may be."""
    import pyarrow

    value = cell.value if isinstance(cell, pyarrow.DictionaryScalar) else cell
    if not isinstance(value, (pyarrow.StringScalar, pyarrow.LargeStringScalar)) or not value.is_valid:
        return ""
    return None if value.as_buffer().size > max_bytes else str(value.as_py())
