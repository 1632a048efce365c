"""Data as it stands in documents → typed tables: CSV, Markdown, HTML, JSON, key-value boxes, triples, log lines.

`read` finds every table in a text and keeps the words around them (titles, captions, questions of a survey).
"""

import csv
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from agentinstruct.tools.tables.cells import typed
from agentinstruct.tools.tables.read_html import html_tables
from agentinstruct.tools.tables.read_json import json_tables
from agentinstruct.tools.tables.table import Table, TableError, joined

MAX_TEXT = 60_000
MAX_CELLS = 4_000
_RULE = re.compile(r"\|?\s*:?-{2,}:?\s*(?:\|\s*:?-{2,}:?\s*)*\|?")
_TRIPLE = re.compile(r"\s*([^|]+?)\s*\|\s*([^|]+?)\s*\|\s*([^|]+?)\s*\.?")
_LOG = re.compile(
    r"\[?(?P<time>\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(?::\d{2}(?:[.,]\d{1,6})?)?Z?|\d{2}:\d{2}:\d{2})\]?\s+"
    r"\[?(?P<level>DEBUG|INFO|NOTICE|WARN(?:ING)?|ERROR|CRITICAL|FATAL)\]?\s+(?P<source>[\w./-]{1"
    r",40}):?\s+(?P<message>.*)"
)
_PAIR = re.compile(r"[\w.]{1,30}=(?:\"[^\"]*\"|\S+)")
_BOX = re.compile(r"\s*(?:[-*•]\s+)?\**(?P<key>[^:|=]{1,50}?)\**\s*(?::|=)\**\s*(?P<value>.*)")


@dataclass(frozen=True)
class Data:
    """The tables of a text, and the whole text."""

    text: str
    tables: tuple[Table, ...]

    @property
    def sources(self) -> tuple[Table, ...]:
        """The tables and, where two share a key, their join."""
        both = joined(self.tables)
        return (*self.tables, both) if both and both.rows else self.tables


def read(text: str) -> Data:
    """Every table that stands in a text; raises TableError when there is none or they are too large."""
    if len(text) > MAX_TEXT:
        raise TableError(f"the text has {len(text)} characters; {MAX_TEXT} are read")
    tables = tuple(_tables(text))
    if not tables:
        raise TableError("no table can be read from this text")
    if sum(len(table.rows) * len(table.columns) for table in tables) > MAX_CELLS:
        raise TableError(f"the tables have more than {MAX_CELLS} cells")
    return Data(text, tables)


def readable(text: str) -> str:
    """Why no table can be read from a text; empty when one can."""
    try:
        read(text)
    except TableError as error:
        return str(error)
    return ""


def _tables(text: str) -> Iterator[Table]:
    if "<table" in text.casefold():
        yield from html_tables(text)
        return
    if found := json_tables(text):
        yield from found
        return
    title = ""
    for block in re.split(r"\n[ \t]*\n", text.strip()):
        lines = [line.rstrip() for line in block.splitlines() if line.strip() and not line.startswith("```")]
        titles, table = _block(lines, title)
        if table:
            yield table
        title = "" if table else " ".join(titles) or title


def _block(lines: list[str], title: str) -> tuple[list[str], Table | None]:
    """The lines of a block before its table, and the table; all the lines when it holds none."""
    for start in range(min(3, len(lines))):
        rest = lines[start:]
        for reader in _READERS:
            named = _named(lines[:start]) or title
            try:
                if len(rest) > 1 and (table := reader(rest, named)):
                    return lines[:start], table
            except TableError:
                continue
    return [_named(lines)], None


def _named(lines: list[str]) -> str:
    return " ".join(line.strip("#*_ \t").removesuffix(":") for line in lines)


def _markdown(lines: list[str], title: str) -> Table | None:
    if "|" not in lines[0] or not _RULE.fullmatch(lines[1].strip()):
        return None
    rows = [_cells(line) for line in lines[2:] if "|" in line]
    return typed(title, _cells(lines[0]), rows)


def _cells(line: str) -> list[str]:
    inner = line.strip().removeprefix("|").removesuffix("|")
    return [cell.strip().strip("*`").replace("\\|", "|").strip() for cell in re.split(r"(?<!\\)\|", inner)]


def _log(lines: list[str], title: str) -> Table | None:
    found = [_LOG.fullmatch(line.strip()) for line in lines]
    if not all(found):
        return None
    pairs = [dict(p.split("=", 1) for p in _PAIR.findall(m["message"])) for m in found if m]
    keys = list(dict.fromkeys(key for some in pairs for key in some))
    names = [
        "time",
        "level",
        "source",
        "message",
        *(k for k in keys if k not in ("time", "level", "source", "message")),
    ]
    rows = [
        [
            m["time"],
            m["level"],
            m["source"],
            _PAIR.sub("", m["message"]).strip(" ,;"),
            *(p.get(k, "").strip('"') for k in names[4:]),
        ]
        for m, p in zip(found, pairs, strict=True)
        if m
    ]
    return typed(title, names, rows)


def _triples(lines: list[str], title: str) -> Table | None:
    """Subject, predicate, object: one row for each subject, one column for each predicate."""
    found = [_TRIPLE.fullmatch(line.strip()) for line in lines]
    if not all(found) or len(found) < 3:
        return None
    facts = [(m[1], m[2].replace("_", " "), m[3].strip('"')) for m in found if m]
    subjects, predicates = (list(dict.fromkeys(fact[i].replace("_", " ") for fact in facts)) for i in (0, 1))
    cells: dict[tuple[str, str], str] = {}
    for subject, predicate, value in facts:
        key = (subject.replace("_", " "), predicate)
        cells[key] = f"{cells[key]}; {value}" if key in cells else value
    rows = [[s, *(cells.get((s, p), "") for p in predicates)] for s in subjects]
    return typed(title, ["subject", *predicates], rows)


def _box(lines: list[str], title: str) -> Table | None:
    """Key and value: one row, one column for each key."""
    found = [_BOX.fullmatch(line) for line in lines]
    if not all(found) or len(found) < 3:
        return None
    keys = [m["key"].strip() for m in found if m]
    return typed(title, keys, [[m["value"].strip() for m in found if m]])


def _separated(lines: list[str], title: str) -> Table | None:
    for mark in ("\t", ";", ","):
        try:
            rows = [[cell.strip() for cell in row] for row in csv.reader(lines, delimiter=mark, strict=True)]
        except csv.Error:
            continue
        width = len(rows[0])
        if width > 1 and len(rows) > 1 and all(len(row) == width for row in rows) and _heads(rows[0]):
            return typed(title, rows[0], rows[1:])
    return None


def _heads(cells: list[str]) -> bool:
    """Whether a line of cells can be a heading, and is not a sentence with commas."""
    return all(cell and len(cell) <= 60 and not cell.endswith((".", "!", "?")) for cell in cells)


_READERS: tuple[Callable[[list[str], str], Table | None], ...] = (_markdown, _log, _triples, _box, _separated)
