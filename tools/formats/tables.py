"""Tables as text: CSV and Markdown, read strictly and written so that they can be read back."""

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass

from agentinstruct.tools.formats.errors import FormatError, bounded

_RULE = re.compile(r"\s*:?-+:?\s*")
_BAR = re.compile(r"(?<!\\)((?:\\\\)*)\|")


@dataclass(frozen=True, slots=True)
class Table:
    """A header and rows of as many cells."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def records(self) -> list[dict[str, str]]:
        """Each row by its columns."""
        return [dict(zip(self.columns, row, strict=True)) for row in self.rows]


def _table(lines: Sequence[Sequence[str]]) -> Table:
    header, *rows = [tuple(cell.strip() for cell in line) for line in lines]
    if len(set(header)) < len(header) or not all(header):
        raise FormatError(f"the columns must have distinct names, not {', '.join(map(repr, header))}")
    for number, row in enumerate(rows, 1):
        if len(row) != len(header):
            raise FormatError(f"row {number} has {len(row)} cells for {len(header)} columns")
    return Table(header, tuple(rows))


def read_csv(text: str, delimiter: str = ",") -> Table:
    """CSV with a header line (RFC 4180).

    Raises:
        FormatError: quotes are wrong, rows differ in width, or column names are missing or doubled.
    """
    try:
        lines = list(csv.reader(io.StringIO(bounded(text), newline=""), delimiter=delimiter, strict=True))
    except csv.Error as error:
        raise FormatError(f"not CSV: {error}") from error
    return _table([line for line in lines if line])


def read_markdown_table(text: str) -> Table:
    """One Markdown table and nothing else; `\\|` is a bar within a cell.

    Raises:
        FormatError: there is something besides, the line under the header is missing, or rows differ in width.
    """
    lines = [line.strip() for line in bounded(text).splitlines()]
    for number, line in enumerate(lines, 1):
        if not line.startswith("|") or not line.endswith("|") or len(line) < 2:
            raise FormatError(f"line {number} is no row of a Markdown table: {line[:60]!r}")
    cells = [_cells(line) for line in lines]
    if len(cells) < 2 or len(cells[1]) != len(cells[0]) or not all(map(_RULE.fullmatch, cells[1])):
        raise FormatError("the second line of a Markdown table must be a rule such as |---|---|")
    return _table([cells[0], *cells[2:]])


def _cells(line: str) -> list[str]:
    marked = _BAR.sub(lambda found: f"{found[1]}\0", line.replace("\0", ""))
    return [cell.strip().replace("\\|", "|") for cell in marked.strip("\0").split("\0")]


def write_csv(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """CSV with a header line, quoted where it must be."""
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows([columns, *rows])
    return out.getvalue().rstrip("\n")


def write_markdown_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join(f"| {' | '.join(_cell(cell) for cell in line)} |" for line in lines)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
