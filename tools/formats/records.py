"""Extracted records, written in any of the formats an answer can be asked in, and read back from it.

    columns + records ─ written ─ text;   columns + text ─ read ─ records | FormatError;   columns ─ json_schema

A record maps a column to the values found for it: none (null), one, or several where the column holds a list.
A dotted column (`buyer.name`) is nested in JSON and YAML and keeps its name elsewhere.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from agentinstruct.tools.formats.errors import FormatError
from agentinstruct.tools.formats.json_text import read_json
from agentinstruct.tools.formats.lines import read_list, read_pairs, read_yaml
from agentinstruct.tools.formats.schema import schema_faults
from agentinstruct.tools.formats.spans import Kind, as_number, even
from agentinstruct.tools.formats.tables import Table, read_csv, read_markdown_table, write_csv, write_markdown_table
from agentinstruct.tools.quotes import fold

Shape = Literal["object", "rows", "list"]
Output = Literal["json", "json_schema", "yaml", "pairs", "csv", "markdown", "list"]
Record = Mapping[str, tuple[str, ...]]
OUTPUTS: Mapping[Shape, tuple[Output, ...]] = {
    "object": ("json", "json_schema", "yaml", "pairs"),
    "rows": ("json", "json_schema", "csv", "markdown"),
    "list": ("json", "list"),
}
SEPARATOR = "; "
_OUTER = " .,;:\"'"
"""What may stand at the ends of a copied value or not: where a span ends is no matter of a full stop."""
_EMPTY = frozenset({"", "null"})


@dataclass(frozen=True, slots=True)
class Column:
    """A field to extract: its name, what it holds, and whether its values are copied or put in normal form."""

    name: str
    kind: Kind = "text"
    many: bool = False
    verbatim: bool = True
    description: str = ""

    @property
    def numeric(self) -> bool:
        """Whether its values are JSON numbers."""
        return self.kind == "number" and not self.verbatim

    def plain(self, value: str) -> Any:
        """A value as JSON has it."""
        number = as_number(value) if self.numeric else None
        return value if number is None else int(number) if number % 1 == 0 else number

    def same(self, value: str) -> str:
        """What two equal values have in common: their spacing, and unless copied, their case, may differ."""
        number = as_number(value) if self.kind == "number" else None
        if number is not None and not self.verbatim:
            return f"{number:.10g}"
        return (even(value) if self.verbatim else fold(value)).strip(_OUTER)


def json_schema(columns: Sequence[Column], shape: Shape) -> dict[str, Any]:
    """The JSON schema of the whole answer: every key required, null where the text has nothing."""
    if shape == "list":
        return {"type": "array", "items": _single(columns[0], required=True)}
    schema: dict[str, Any] = _object()
    for column in columns:
        *parents, name = column.name.split(".")
        node = schema
        for parent in parents:
            node = node["properties"].setdefault(parent, _object())
        node["properties"][name] = _property(column)
    _require(schema)
    return {"type": "array", "items": schema} if shape == "rows" else schema


def _object() -> dict[str, Any]:
    return {"type": "object", "properties": {}, "required": [], "additionalProperties": False}


def _require(node: dict[str, Any]) -> None:
    node["required"] = list(node["properties"])
    for part in node["properties"].values():
        if "properties" in part:
            _require(part)


def _single(column: Column, required: bool) -> dict[str, Any]:
    kind = "number" if column.numeric else "string"
    single: dict[str, Any] = {"type": kind if required else [kind, "null"]}
    if column.kind in ("date", "time") and not column.verbatim:
        single["pattern"] = r"^\d{4}(-\d{2}){0,2}$" if column.kind == "date" else r"^\d{2}:\d{2}$"
    return single


def _property(column: Column) -> dict[str, Any]:
    if not column.many:
        return {**_single(column, required=False), "description": column.description}
    items = _single(column, required=True)
    return {"type": "array", "items": items, "description": column.description}


def value_of(columns: Sequence[Column], records: Sequence[Record], shape: Shape) -> Any:
    """The records as a JSON value."""
    if shape == "list":
        return [columns[0].plain(value) for record in records for value in record.get(columns[0].name, ())]
    values = [_nested(columns, record) for record in records]
    return values if shape == "rows" else values[0] if values else {}


def _nested(columns: Sequence[Column], record: Record) -> dict[str, Any]:
    whole: dict[str, Any] = {}
    for column in columns:
        *parents, name = column.name.split(".")
        node = whole
        for parent in parents:
            node = node.setdefault(parent, {})
        found = [column.plain(value) for value in record.get(column.name, ())]
        node[name] = found if column.many else found[0] if found else None
    return whole


def written(columns: Sequence[Column], records: Sequence[Record], shape: Shape, output: Output) -> str:
    """The records in the format asked for."""
    value, names = value_of(columns, records, shape), [column.name for column in columns]
    if output in ("json", "json_schema"):
        return json.dumps(value, ensure_ascii=False, indent=2)
    if output == "list":
        return "\n".join(f"- {entry}" for entry in value)
    if output == "yaml":
        return "\n".join(_yaml_lines(value, 0))
    cells = [[SEPARATOR.join(record.get(name, ())) for name in names] for record in records]
    if output == "pairs":
        return "\n".join(f"{name}: {cell or 'null'}" for name, cell in zip(names, cells[0], strict=True))
    return (write_csv if output == "csv" else write_markdown_table)(names, cells)


def _yaml_lines(value: Mapping[str, Any], depth: int) -> list[str]:
    lines: list[str] = []
    for name, part in value.items():
        if isinstance(part, dict):
            lines += [f"{'  ' * depth}{name}:", *_yaml_lines(part, depth + 1)]
        else:
            lines.append(f"{'  ' * depth}{name}: {json.dumps(part, ensure_ascii=False)}")
    return lines


def read(columns: Sequence[Column], text: str, shape: Shape, output: Output) -> list[Record]:
    """The records in an answer.

    Raises:
        FormatError: the answer is not wholly in the format asked for, or does not fit its fields.
    """
    if output in ("json", "json_schema", "yaml"):
        value = read_yaml(text) if output == "yaml" else read_json(text)
        if faults := schema_faults(json_schema(columns, shape), value):
            raise FormatError("; ".join(faults[:3]))
        return _records(columns, value, shape)
    if output == "list":
        return [{columns[0].name: tuple(read_list(text))}]
    if output == "pairs":
        return _cells(columns, _in_order(columns, read_pairs(text)))
    return _cells(columns, read_csv(text) if output == "csv" else read_markdown_table(text))


def _records(columns: Sequence[Column], value: Any, shape: Shape) -> list[Record]:
    if shape == "list":
        return [{columns[0].name: tuple(map(str, value))}]
    return [_flat(columns, one) for one in (value if shape == "rows" else [value])]


def _flat(columns: Sequence[Column], value: Mapping[str, Any]) -> Record:
    found = {}
    for column in columns:
        part: Any = value
        for name in column.name.split("."):
            part = part[name]
        parts = part if isinstance(part, list) else [] if part is None else [part]
        found[column.name] = tuple(map(str, parts))
    return found


def _cells(columns: Sequence[Column], table: Table) -> list[Record]:
    names = tuple(column.name for column in columns)
    if table.columns != names:
        raise FormatError(f"the fields must be {', '.join(names)}, not {', '.join(table.columns)}")
    return [{c.name: _values(c, cell) for c, cell in zip(columns, row, strict=True)} for row in table.rows]


def _in_order(columns: Sequence[Column], pairs: Mapping[str, str]) -> Table:
    """Pairs as a row, their order being nobody's concern."""
    order = {column.name: place for place, column in enumerate(columns)}
    names = sorted(pairs, key=lambda name: order.get(name, len(order)))
    return Table(tuple(names), (tuple(pairs[name] for name in names),))


def _values(column: Column, cell: str) -> tuple[str, ...]:
    if cell in _EMPTY:
        return ()
    values = tuple(part.strip() for part in cell.split(SEPARATOR.strip())) if column.many else (cell,)
    if column.numeric and any(as_number(value) is None for value in values):
        raise FormatError(f"{column.name}: {cell!r} is not a number in plain digits")
    return values


def differences(columns: Sequence[Column], wanted: Sequence[Record], found: Sequence[Record]) -> list[str]:
    """How records found differ from those wanted; order counts neither among records nor within a field."""
    left = [_comparable(columns, record) for record in found]
    faults = []
    for record in wanted:
        same = _comparable(columns, record)
        if same in left:
            left.remove(same)
        else:
            faults.append(f"missing: {_told(record)}")
    return faults + [f"not wanted: {_told(dict(zip([c.name for c in columns], extra, strict=True)))}" for extra in left]


def _comparable(columns: Sequence[Column], record: Record) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(sorted(c.same(value) for value in record.get(c.name, ()))) for c in columns)


def _told(record: Record) -> str:
    return ", ".join(f"{name}={SEPARATOR.join(values) or 'null'}" for name, values in record.items())[:200]
