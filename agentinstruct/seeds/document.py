"""What is read, under which limits, and what is left out: a `Document`, the `SeedOptions`, a `Skipped`."""

import os
from dataclasses import dataclass, replace
from typing import Literal

from agentinstruct.agents.records import Modality

Reason = Literal[
    # the file
    "unreadable",
    "not a file",
    "link",
    "not material",
    "unknown format",
    "too large",
    "line too long",
    "compression bomb",
    "binary",
    "parse failed",
    "timed out",
    "encrypted",
    "no text",
    "no text column",
    "needs an extra",
    "language",
    "duplicate",
    # the text
    "near-empty",
    "garbled",
    "blob",
    "generated",
    "minified",
    "boiler-plate",
    "licence text",
    "table of contents",
    "repetitive",
    "symbols",
    "odd words",
    "no sentences",
    "no definitions",
    "data",
]


@dataclass(frozen=True, slots=True)
class SeedOptions:
    """How seeds are read; the defaults suit documents and code of any origin.

    Lengths are in characters, sizes in megabytes of decompressed data, times in seconds of wall clock.
    """

    column: str = ""
    """Text column of tables; empty: the first of text, content, body, document."""
    max_chars: int = 3000
    min_chars: int = 200
    licence: str = ""
    """Licence of all that is read; empty: what the files say of themselves."""
    encoding: str = "cp1252"
    """Tried where a text has no byte order mark and is not UTF-8."""
    languages: tuple[str, ...] = ()
    """ISO 639-1 codes of the prose to keep; empty: all. Code is kept in any case."""
    max_file_mb: float = 64
    """For formats that are read as a whole; jsonl, csv, tsv and parquet are streamed and know no limit."""
    max_line_mb: float = 8
    max_code_mb: float = 2
    """Source files beyond it are data or generated."""
    parse_timeout_s: float = 30
    parse_memory_mb: int = 1024

    def __post_init__(self) -> None:
        if not 0 <= self.min_chars < self.max_chars:
            raise ValueError(f"min_chars ({self.min_chars}) must be below max_chars ({self.max_chars})")


@dataclass(frozen=True, slots=True)
class Skipped:
    """A file, a row or a piece of one that gave no seed, with a reason to count by."""

    source: str
    reason: Reason
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Document:
    """A decoded, cleaned text: what the character spans of its seeds count in."""

    source: str
    text: str
    modality: Modality = "prose"
    language: str = ""
    """Programming language of code; prose is recognised piece by piece."""
    title: str = ""
    licence: str = "unknown"
    markdown: bool = False
    cuts: tuple[tuple[int, ...], ...] = ()
    """Character offsets at which code may be cut, outermost syntax first."""


def told(item: Document | Skipped) -> Document | Skipped:
    """The same with nothing in what it says of its origin that cannot be stored, such as a name that is not UTF-8."""
    if isinstance(item, Skipped):
        return replace(item, source=storable(item.source), detail=storable(item.detail))
    return replace(
        item,
        source=storable(item.source),
        title=storable(item.title),
        licence=storable(item.licence),
        language=storable(item.language),
    )


def storable(text: str) -> str:
    """Text with each byte or half character that UTF-8 does not know written out: `caf\\xe9.txt`."""
    if text.isascii():
        return text
    try:
        return os.fsencode(text).decode("utf-8", "backslashreplace")
    except UnicodeEncodeError:  # half of a surrogate pair, which no file name gives
        return text.encode("utf-8", "backslashreplace").decode("utf-8")


class Unusable(Exception):
    """Ends the reading of one file; becomes its `Skipped`."""

    def __init__(self, reason: Reason, detail: str = "") -> None:
        super().__init__(reason, detail)
        self.reason: Reason = reason
        self.detail = detail
