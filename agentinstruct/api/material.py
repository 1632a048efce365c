"""What a script gives as seeds: paths, which the engine reads, or texts, which it can go through again and again."""

import json
import os
import weakref
from collections.abc import Generator, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from tempfile import TemporaryFile
from typing import Any

from agentinstruct.agents.errors import SeedError
from agentinstruct.agents.records import Seed
from agentinstruct.run.plan import RunConfig
from agentinstruct.seeds import FORMATS, Given, Judge, SeedOptions, Skipped, given_seeds, judgement
from agentinstruct.seeds.document import Unusable
from agentinstruct.seeds.tables import column_of, taken

Document = Mapping[str, Any]
"""A text under `text` (or `content`, `body`, `document`), and what is known of it: `source`, `title`, `licence`,
`language` (a programming language makes it code)."""
OneSeed = str | os.PathLike[str] | Document | Seed
Seeds = OneSeed | Iterable[OneSeed]
"""Paths as `agentinstruct run` takes them (a `str` is always a path or a pattern), or documents, or seeds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScriptRun(RunConfig):
    """A run whose seeds may be in memory."""

    given: Iterable[Any] | None = None
    """Documents and seeds, in place of paths."""

    def read_seeds(self, judge: Judge = judgement) -> Generator[Seed | Skipped, None, None]:
        """The seeds, from the first one on whenever it is called. Raises `SeedError`."""
        return (
            RunConfig.read_seeds(self, judge)
            if self.given is None
            else given_seeds(_texts(self.given, self.seeds), self.seeds, judge)
        )


class Spool:
    """What an iterator gives, kept on disk as it comes, so that a run can go through it again in little memory."""

    def __init__(self, source: Iterable[Any]) -> None:
        self._source = iter(source)
        self._file = TemporaryFile("w+", encoding="ascii")  # noqa: SIM115 - as long as the run's seeds are wanted
        self._end = 0
        weakref.finalize(self, self._file.close)

    def __iter__(self) -> Iterator[Any]:
        place = 0
        while True:
            if place == self._end and not self._more():
                return
            self._file.seek(place)
            name, value = json.loads(self._file.readline())
            place = self._file.tell()
            yield Seed(**value) if name == "seed" else value

    def _more(self) -> bool:
        for one in self._source:
            kept = ["seed", one.model_dump()] if isinstance(one, Seed) else ["row", dict(_document(one))]
            self._file.seek(self._end)
            self._file.write(json.dumps(kept, default=str) + "\n")
            self._end = self._file.tell()
            return True
        return False


def _document(one: Any) -> Document:
    if not isinstance(one, Mapping):
        raise SeedError(f"a seed is {type(one).__name__}: give all as paths, or each as {{'text': …}} or Seed(text=…).")
    return one


def _texts(given: Iterable[Any], options: SeedOptions) -> Iterator[Given | Seed | Skipped]:
    for number, one in enumerate(given, 1):
        yield one if isinstance(one, Seed) else _text(number, {str(k): v for k, v in _document(one).items()}, options)


def _text(number: int, row: dict[str, Any], options: SeedOptions) -> Given | Skipped:
    source = str(row.get("source") or f"document {number}")
    column = column_of(row, options)
    if not column and number == 1:
        wanted = f"no {options.column!r}" if options.column else "no text"
        raise SeedError(f"{source} has {wanted}, only {', '.join(row) or 'nothing'}. Choose the text with column=….")
    found = taken(row, column)
    if isinstance(found, Unusable):
        return Skipped(source, found.reason, found.detail)
    form = found["language"] if found["language"] in FORMATS else "text"
    return Given(found["text"], source, found["title"], form, found["licence"])


def material_of(seeds: Any) -> tuple[tuple[str, ...], Iterable[Any] | None]:
    """The paths among what was given, or the documents and seeds.

    Raises:
        SeedError: it is neither.
    """
    if isinstance(seeds, str | os.PathLike):
        return (os.fspath(seeds),), None
    if isinstance(seeds, Mapping | Seed):
        return (), [seeds]
    if hasattr(seeds, "itertuples"):  # a pandas DataFrame goes through its columns otherwise
        seeds = seeds.to_dict("records")
    if not isinstance(seeds, Iterable):
        raise SeedError(f"seeds are {type(seeds).__name__}: give paths, or documents such as {{'text': …}}.")
    items = iter(seeds)
    first = next(items, None)
    if isinstance(first, str | os.PathLike):
        return tuple(map(_path, chain([first], items))), None
    if first is None:
        raise SeedError("no seeds were given: give paths, or documents such as {'text': …}.")
    return (), Spool(chain([first], items)) if items is seeds else seeds


def _path(one: Any) -> str:
    if isinstance(one, str | os.PathLike):
        return os.fspath(one)
    raise SeedError(f"seeds begin with a path, and one is {type(one).__name__}: give all as paths, or none.")
