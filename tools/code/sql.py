"""SQL that a model wrote, run on an SQLite database in memory: tables, rows and a query in, rows out.

Nothing but reading is allowed to a query, nothing that differs from run to run to either, and everything is bounded:
time (by steps of the machine), rows, cells and the size of any value.
"""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Any

MAX_SQL = 20_000
MAX_ROWS = 500
MAX_STEPS = 2_000
"""Of a thousand instructions each: about a second."""
_READING = frozenset({sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION, sqlite3.SQLITE_RECURSIVE})
_BUILDING = _READING | {
    sqlite3.SQLITE_CREATE_TABLE,
    sqlite3.SQLITE_CREATE_INDEX,
    sqlite3.SQLITE_CREATE_VIEW,
    sqlite3.SQLITE_INSERT,
    sqlite3.SQLITE_UPDATE,
    sqlite3.SQLITE_TRANSACTION,
    sqlite3.SQLITE_REINDEX,
}
_CHANGING = frozenset(
    {"random", "randomblob", "load_extension", "current_timestamp", "current_date", "current_time", "zeroblob"}
)
"""Functions that give something else each time, or reach outside."""
Value = str | int | float | None


class SqlError(ValueError):
    """Tables or a query that cannot be used; says why."""


@dataclass(frozen=True, slots=True)
class Rows:
    """What a query gave. `ordered` when the query says in which order."""

    names: tuple[str, ...]
    rows: tuple[tuple[Value, ...], ...]
    ordered: bool = False

    def same(self, other: "Rows") -> bool:
        """Whether both hold the same rows; in the same order too, where this one is ordered. Names may differ."""
        mine, theirs = ([tuple(map(_rounded, row)) for row in rows.rows] for rows in (self, other))
        return mine == theirs if self.ordered else sorted(mine, key=repr) == sorted(theirs, key=repr)

    def table(self, limit: int = 12) -> str:
        """The rows as people write them, tab-free: a header and one line each."""
        shown = [" | ".join(map(_shown, row)) for row in self.rows[:limit]]
        more = [f"… {len(self.rows) - limit} more"] if len(self.rows) > limit else []
        return "\n".join([" | ".join(self.names), *shown, *more])


def run_query(tables: str, query: str) -> Rows:
    """Build the tables (CREATE and INSERT statements), then run one query that only reads.

    Raises:
        SqlError: either is malformed, does what it may not, or takes too much.
    """
    with closing(sqlite3.connect(":memory:")) as database:
        _bound(database)
        _build(database, tables)
        return _read(database, query)


def _bound(database: sqlite3.Connection) -> None:
    database.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, 1_000_000)
    database.setlimit(sqlite3.SQLITE_LIMIT_SQL_LENGTH, MAX_SQL)
    database.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)
    database.setlimit(sqlite3.SQLITE_LIMIT_COMPOUND_SELECT, 50)
    steps = iter(range(MAX_STEPS))
    database.set_progress_handler(lambda: int(next(steps, None) is None), 1000)


def _build(database: sqlite3.Connection, tables: str) -> None:
    if len(tables) > MAX_SQL:
        raise SqlError(f"The tables have {len(tables)} characters; {MAX_SQL} are allowed.")
    database.set_authorizer(_allow(_BUILDING))
    try:
        database.executescript(tables)
        database.commit()
    except (sqlite3.Error, ValueError) as error:
        raise SqlError(f"the tables cannot be made: {error}") from error


def _read(database: sqlite3.Connection, query: str) -> Rows:
    database.set_authorizer(_allow(_READING))
    try:
        with closing(database.execute(query.strip().rstrip(";"))) as cursor:
            rows = cursor.fetchmany(MAX_ROWS + 1)
            names = tuple(column[0] for column in cursor.description or ())
    except (sqlite3.Error, sqlite3.Warning, ValueError) as error:
        raise SqlError(f"the query cannot be run: {error}") from error
    if len(rows) > MAX_ROWS:
        raise SqlError(f"the query gives more than {MAX_ROWS} rows")
    if not names:
        raise SqlError("the query gives no rows, for it is no query")
    return Rows(names, tuple(tuple(map(_plain, row)) for row in rows), _orders(query))


def _allow(actions: frozenset[int]) -> Any:
    def authorise(action: int, first: str | None, second: str | None, where: str | None, by: str | None) -> int:
        named = str(second or "").casefold() if action == sqlite3.SQLITE_FUNCTION else ""
        return sqlite3.SQLITE_OK if action in actions and named not in _CHANGING else sqlite3.SQLITE_DENY

    return authorise


def _orders(query: str) -> bool:
    """Whether the outermost query has an ORDER BY: one that stands in no parentheses."""
    depth, outer = 0, []
    for piece in re.split(r"([()])", re.sub(r"'(?:[^']|'')*'", "''", query)):
        depth += {"(": 1, ")": -1}.get(piece, 0)
        outer.append(piece if depth == 0 else "")
    return bool(re.search(r"\border\s+by\b", " ".join(outer), re.IGNORECASE))


def _plain(value: Any) -> Value:
    return f"<{len(value)} bytes>" if isinstance(value, bytes) else value


def _rounded(value: Value) -> Value:
    return round(float(value), 6) if isinstance(value, int | float) else value


def _shown(value: Value) -> str:
    return "NULL" if value is None else f"{value:g}" if isinstance(value, float) else str(value)


_CHANGES = (
    (r"\bWHERE\b.*?(?=\bGROUP\b|\bORDER\b|\bHAVING\b|\bLIMIT\b|\)|\Z)", " "),
    (r"\bHAVING\b.*?(?=\bORDER\b|\bLIMIT\b|\)|\Z)", " "),
    (r"\b(?:LEFT|INNER)\s+(?:OUTER\s+)?JOIN\b", "CROSS JOIN"),
    (r"\bLEFT\s+(?:OUTER\s+)?JOIN\b", "JOIN"),
    (r">=", "<"),
    (r"(?<![<>=!])>(?![=])", "<="),
    (r"<=", ">"),
    (r"(?<![<>=!])<(?![=>])", ">="),
    (r"\bAND\b", "OR"),
    (r"\bDESC\b", "ASC"),
    (r"\bSUM\(", "MAX("),
    (r"\bAVG\(", "MAX("),
    (r"\bCOUNT\(", "MAX("),
    (r"\bMAX\(", "MIN("),
    (r"\bMIN\(", "MAX("),
    (r"\bDISTINCT\b", ""),
)


def query_mutants(query: str) -> Iterator[str]:
    """The query with one thing wrong in it at a time; rows that tell none of them from it are poor rows."""
    for pattern, instead in _CHANGES:
        changed = re.sub(pattern, instead, query, count=1, flags=re.IGNORECASE | re.DOTALL)
        if changed != query:
            yield changed
