"""The sets that a dataset must not contain: benchmarks, and one's own held-out splits.

[NAME=]FILE      .jsonl .json .parquet (each also a dataset folder), .txt: a blank line, or else a line, between items
[NAME=]hub:REPO[:CONFIG][@SPLIT]     fetched through `datasets`, and only when it is asked for
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from agentinstruct.agents.errors import RunError, SetupError
from agentinstruct.dataset.rows import read_rows, said, turns

QUESTIONS = ("question", "prompt", "problem", "instruction", "query", "goal", "ctx", "input", "sentence", "text")
ANSWERS = ("answer", "solution", "canonical_solution", "response", "completion", "output", "target")
CHOICES = ("choices", "options", "endings", "answers")
_CHATS = ("messages", "conversations")
_HUB = "hub:"
_STEM = 8
"""Words from which on a question is compared without its choices, which other formats name and order otherwise."""


@dataclass(frozen=True, slots=True)
class Item:
    """One item of a benchmark."""

    id: str
    question: str
    choices: str = ""
    answer: str = ""

    @property
    def whole(self) -> str:
        """What is asked, with its choices."""
        return "\n".join(part for part in (self.question, self.choices) if part)

    def texts(self) -> Iterator[str]:
        """What a record must not repeat."""
        yield self.question if len(self.question.split()) >= _STEM else self.whole
        if self.answer:
            yield self.answer


@dataclass(frozen=True, slots=True)
class Benchmark:
    """A named set of items."""

    name: str
    items: list[Item]
    seeds: frozenset[str] = field(default_factory=frozenset)
    """The seeds of its items, where it is a split of a dataset of ours."""


def read_benchmark(spec: str) -> Benchmark:
    """The benchmark that a spec names.

    Raises:
        RunError: the file is not there, or holds no items.
        SetupError: `datasets` is not installed or does not find it.
    """
    name, separator, place = spec.partition("=")
    if not separator or "/" in name:
        name, place = "", spec
    if place.startswith(_HUB):
        return benchmark(name or place.removeprefix(_HUB), _hub(place.removeprefix(_HUB)))
    path = Path(place)
    return benchmark(name or path.name.partition(".")[0], _file(path))


def benchmark(name: str, rows: Iterable[Mapping[str, Any]]) -> Benchmark:
    """A benchmark of rows: records of ours, chats, or questions with choices and answers; `RunError` when empty."""
    items, seeds = [], set()
    for number, row in enumerate(rows):
        items.append(_item(row, number))
        if seed := row.get("seed_id"):
            seeds.add(str(seed))
    if not items:
        raise RunError(f"benchmark {name}: holds no items.")
    return Benchmark(name, items, frozenset(seeds))


def _file(path: Path) -> Iterable[Mapping[str, Any]]:
    if path.suffix not in (".txt", ".json"):
        return read_rows(path)
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as problem:
        raise RunError(f"{path}: cannot be read ({problem}).") from problem
    if path.suffix == ".txt":
        between = "\n\n" if "\n\n" in text.strip() else "\n"
        return [{"question": piece.strip()} for piece in text.split(between) if piece.strip()]
    return _listed(path, text)


def _listed(path: Path, text: str) -> list[Mapping[str, Any]]:
    try:
        rows = orjson.loads(text)
    except orjson.JSONDecodeError as problem:
        raise RunError(f"{path}: not JSON ({problem}).") from problem
    if isinstance(rows, dict):
        rows = next((value for value in rows.values() if isinstance(value, list)), [])
    if not all(isinstance(row, dict) for row in rows):
        raise RunError(f"{path}: must be a list of objects.")
    return list(rows)


def _hub(place: str) -> Iterable[Mapping[str, Any]]:
    place, _, split = place.partition("@")
    repository, _, config = place.partition(":")
    try:
        from datasets import load_dataset

        return load_dataset(repository, config or None, split=split or "test")  # type: ignore[no-any-return]
    except ImportError as problem:
        raise SetupError(f"hub:{place} needs datasets; run: pip install datasets") from problem
    except (OSError, ValueError) as problem:
        raise SetupError(f"hub:{place}@{split or 'test'} cannot be loaded: {problem}") from problem


def _item(row: Mapping[str, Any], number: int) -> Item:
    name = str(row.get("task_id") or row.get("id") or number + 1)
    if any(row.get(chat) for chat in _CHATS):
        chat = turns(row)
        asked, answered = (_of(chat, role) for role in ("user", "assistant"))
        return Item(name, asked, answer=answered)
    question = next((said(row[key]) for key in QUESTIONS if row.get(key)), "") or _all(row)
    answer = next((said(row[key]) for key in ANSWERS if isinstance(row.get(key), str)), "")
    return Item(name, question, next((_choices(row[key]) for key in CHOICES if row.get(key)), ""), answer)


def _of(chat: Iterable[Any], role: str) -> str:
    return "\n".join(turn.text for turn in chat if turn.role == role)


def _choices(value: Any) -> str:
    """Choices as lines: a list, or the columns that the Hub makes of one (`{"text": […], "label": […]}`)."""
    if isinstance(value, dict):
        value = value.get("text", list(value.values()))
    return said(value)


def _all(row: Mapping[str, Any]) -> str:
    return "\n".join(value for value in row.values() if isinstance(value, str))
