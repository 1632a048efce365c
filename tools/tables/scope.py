"""What a sentence speaks of: the rows, groups and columns it names, by their names or by what only they are called."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from agentinstruct.tools.quotes import fold
from agentinstruct.tools.tables.table import Table

_MONTHS = [
    *("january", "february", "march", "april", "may", "june", "july", "august", "september"),
    *("october", "november", "december"),
]
_ISO = re.compile(r"(\d{4})-(\d{2})(?:-(\d{2}))?")
_QUARTER = re.compile(r"(?:(\d{4})[ -]?)?q([1-4])(?: (\d{4}))?")
_STOP = re.compile(r"[,.;:()|]|\b(?:and|but|or|while|whereas|compared|against|versus|vs|to|than|from)\b")
_WORD = re.compile(r"[^\W\d_][\w'’-]{2,}")
_COMMON = frozenset(
    [
        *("total", "other", "others", "overall", "mean", "average", "number", "name", "value", "values"),
        *("year", "month", "date", "time", "share", "rate"),
    ]
)


@dataclass(frozen=True)
class Index:
    """How the rows, groups and columns of a table may be called."""

    table: Table

    @cached_property
    def rows(self) -> dict[str, frozenset[int]]:
        """What is said → the rows it can mean."""
        found: dict[str, set[int]] = {}
        for row, name in enumerate(self.table.names):
            for alias in aliases(name):
                found.setdefault(alias, set()).add(row)
        columns = fold(" ".join(column.name for column in self.table.columns))
        words = Counter(word for name in self.table.names for word in set(_WORD.findall(fold(name))))
        for row, name in enumerate(self.table.names):
            for word in _WORD.findall(fold(name)):
                if words[word] == 1 and word not in _COMMON and not re.search(rf"\b{re.escape(word)}\b", columns):
                    found.setdefault(word, set()).add(row)
        return {name: frozenset(rows) for name, rows in found.items()}

    @cached_property
    def groups(self) -> dict[str, frozenset[int]]:
        """The texts of other columns that several rows, or one, have."""
        found: dict[str, set[int]] = {}
        for i, column in enumerate(self.table.columns):
            if column.kind == "text" and i != self.table.label:
                for r, row in enumerate(self.table.rows):
                    if isinstance(row[i], str) and len(str(row[i])) <= 60:
                        found.setdefault(fold(str(row[i])), set()).add(r)
        return {name: frozenset(rows) for name, rows in found.items() if len(name) > 1}

    @cached_property
    def columns(self) -> dict[str, frozenset[int]]:
        """The names of number columns, and words that only one of them has."""
        found: dict[str, set[int]] = {}
        named = {i: fold(re.sub(r"[(\[].*", "", self.table.columns[i].name)) for i in self.table.measured}
        words = Counter(word for name in named.values() for word in set(_WORD.findall(name)))
        for i, name in named.items():
            found.setdefault(name.strip(" :,"), set()).add(i)
            for word in _WORD.findall(name):
                if words[word] == 1 and word not in _COMMON:
                    found.setdefault(word.removesuffix("s"), set()).add(i)
        return {name: frozenset(columns) for name, columns in found.items() if name}


@dataclass(frozen=True)
class Scope:
    """The part of one table that a sentence is about."""

    rows: frozenset[int]
    groups: tuple[frozenset[int], ...]
    columns: frozenset[int]


def scope(index: Index, text: str) -> Scope:
    """What a text names of a table."""
    said = fold(text)
    return Scope(
        frozenset(row for rows in _named(index.rows, said) for row in rows),
        tuple(dict.fromkeys(_named(index.groups, said))),
        frozenset(column for columns in _named(index.columns, said, loose=True) for column in columns),
    )


def counted(index: Index, after: str) -> frozenset[int]:
    """The columns whose unit or name stands right behind a number: `14 wet days` are of no other column."""
    words = _STOP.split(fold(after), maxsplit=1)[0].split()[:3]
    said = " ".join(words).strip(" .,;:)")
    units: dict[str, set[int]] = {}
    for i in index.table.measured:
        unit = fold(index.table.columns[i].unit).split(" ")[-1]
        if unit not in ("", "%", "percent"):
            units.setdefault(unit, set()).add(i)
    if words and (found := units.get(words[0].strip(".,;:)"), set())):
        return frozenset(found)
    return frozenset(column for columns in _named(index.columns, said, loose=True) for column in columns)


def _named(known: dict[str, frozenset[int]], said: str, loose: bool = False) -> Iterator[frozenset[int]]:
    """What the longest names say; a name within a longer one that was found says nothing of its own."""
    ending = r"\w{0,3}" if loose else r"(?:s|es)?"
    for name in sorted(known, key=len, reverse=True):
        pattern = rf"(?<!\w){re.escape(name)}{ending}(?!\w)"
        if re.search(pattern, said):
            yield known[name]
            said = re.sub(pattern, " ", said)


def aliases(name: str) -> Iterator[str]:
    """The ways to say a name; dates and quarters have several."""
    folded = fold(name)
    yield folded
    if iso := _ISO.match(folded):
        year, month, day = iso.groups()
        word = _MONTHS[int(month) - 1] if 1 <= int(month) <= 12 else ""
        if word and day:
            yield from (f"{int(day)} {word} {year}", f"{word} {int(day)}", f"{int(day)} {word}")
        elif word:
            yield from (f"{word} {year}", f"{word[:3]} {year}", word)
    elif quarter := _QUARTER.fullmatch(folded):
        number = int(quarter[2])
        ordinal = ("first", "second", "third", "fourth")[number - 1]
        year = quarter[1] or quarter[3] or ""
        yield from (
            f"q{number} {year}".strip(),
            f"{ordinal} quarter{f' of {year}' if year else ''}",
            f"{ordinal} quarter",
        )
    elif folded[:3] in {month[:3] for month in _MONTHS} and len(folded) <= 4:
        yield next(month for month in _MONTHS if month.startswith(folded[:3]))
    elif (base := re.sub(r"\s*[(\[].*", "", folded)) != folded and base:
        yield base
