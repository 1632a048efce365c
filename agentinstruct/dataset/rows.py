"""Rows of any instruction dataset, ours or another's, one at a time.

    run or dataset folder · FILE.jsonl[.gz|.zst] · FILE.parquet  ─ read_rows ─→ {"messages": …, …}  ─ parts ─→ Parts

Known shapes: `messages` (a list, or JSON text of one), ShareGPT `conversations`, Alpaca `instruction`/`input`/`output`,
`prompt`/`completion`, `question`/`answer`, plain `text`.
"""

import gzip
import io
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, TypeVar, cast

import orjson

from agentinstruct.agents.errors import RunError

Row = dict[str, Any]
One = TypeVar("One")

SUFFIXES = (".jsonl", ".jsonl.gz", ".jsonl.zst", ".parquet")
_FOLDERS = ("data", "parquet")
"""Where a dataset of ours keeps its rows; the two hold the same ones."""
OURS = ("dropped.jsonl", "removed.jsonl", "leaks.jsonl")
"""Files beside a dataset that are no part of it."""
PLACE = "\0place"
"""The key under which `read_chats` notes where a row without an id stands; no column is called so."""
_CHATS = ("messages", "conversations", "conversation")
_ASKED = ("prompt", "instruction", "question", "query", "problem")
_ANSWERED = ("response", "completion", "output", "answer", "chosen", "solution")
_ROLES = {"human": "user", "gpt": "assistant", "bot": "assistant", "function": "tool", "observation": "tool"}
_BATCH = 500
_SHOWN = 60


class Turn(NamedTuple):
    """One turn of a chat."""

    role: str
    text: str


class Parts(NamedTuple):
    """What is compared of a row: not its system message, which many records share."""

    prompt: str
    """All that the user says, without the context."""
    context: str
    """The text or data that the user shows, if the row names one."""
    response: str
    """All that the assistant says, its tool calls included."""


def files(path: Path) -> list[Path]:
    """The files that hold a dataset's rows: of a folder, those of its `data/`, else of its `parquet/`, else its own.

    Raises:
        RunError: there are none, or the file is of no known kind.
    """
    if path.is_dir():
        for folder in (path / "data", path / "parquet", path):
            found = sorted(file for file in folder.rglob("*") if _readable(file)) if folder.is_dir() else []
            if found:
                return found
        raise RunError(f"{path}: no dataset; it holds no {' or '.join(SUFFIXES)} file.")
    if not path.is_file():
        raise RunError(f"{path}: there is no such file or folder.")
    if not path.name.endswith(SUFFIXES):
        raise RunError(f"{path}: not a dataset; give a folder, or a file that ends in {', '.join(SUFFIXES)}.")
    return [path]


def _readable(file: Path) -> bool:
    return file.name.endswith(SUFFIXES) and not file.name.startswith(".") and file.name not in OURS


def read_rows(path: Path) -> Iterator[Row]:
    """Every row of a dataset, file by file. Raises `RunError`, naming the file and line, where one cannot be read."""
    for file in files(path):
        yield from _rows(file)


def read_chats(path: Path) -> Iterator[Row]:
    """The same, each a chat that `turns` can read; `RunError`, naming the file and row, where one is not."""
    for file in files(path):
        for number, row in enumerate(_rows(file), 1):
            try:
                turns(row)
            except RunError as problem:
                raise RunError(f"{file}, {number}. row: {problem}") from problem
            yield row if row.get("id") not in (None, "") else row | {PLACE: f"{file.name}, {number}. row"}


def called(row: Mapping[str, Any]) -> Any:
    """What a row is told by: its id, or else its file and number."""
    return row.get(PLACE) or row.get("id", "")


def blocks(these: Iterable[One], size: int) -> Iterator[list[One]]:
    """Rows, or whatever it is, so many at a time."""
    left = iter(these)
    while block := list(islice(left, size)):
        yield block


def _rows(file: Path) -> Iterator[Row]:
    return parquet_rows(file) if file.suffix == ".parquet" else (row for _, row in lines(file))


def lines(path: Path) -> Iterator[tuple[bytes, Row]]:
    """Every line of a JSONL file with the row that it holds; blank lines are left out."""
    try:
        with opened(path) as file:
            for number, line in enumerate(file, 1):
                if line.strip():
                    yield line, _row(line, path, number)
    except (OSError, EOFError) as problem:
        raise RunError(f"{path}: cannot be read ({problem}).") from problem


def opened(path: Path) -> BinaryIO:
    """A file, unpacked while it is read."""
    if path.suffix == ".gz":
        return cast(BinaryIO, gzip.open(path, "rb"))
    if path.suffix == ".zst":
        from zstandard import ZstdDecompressor

        return io.BufferedReader(ZstdDecompressor().stream_reader(path.open("rb"), read_across_frames=True))
    return path.open("rb")


def _row(line: bytes, path: Path, number: int) -> Row:
    try:
        row = orjson.loads(line)
    except orjson.JSONDecodeError as problem:
        raise RunError(f"{path}:{number}: not JSON ({problem}).") from problem
    if not isinstance(row, dict):
        raise RunError(f"{path}:{number}: not a JSON object, so not a row.")
    return row


def parquet_rows(path: Path) -> Iterator[Row]:
    """Every row of a Parquet file."""
    for batch in batches(path):
        yield from batch.to_pylist()


def batches(path: Path) -> Iterator[Any]:
    """The record batches of a Parquet file."""
    import pyarrow as pa
    from pyarrow.parquet import ParquetFile

    try:
        with ParquetFile(path) as file:
            yield from file.iter_batches(batch_size=_BATCH)
    except (OSError, pa.ArrowException) as problem:
        raise RunError(f"{path}: not a Parquet file that can be read ({problem}).") from problem


def turns(row: Mapping[str, Any]) -> list[Turn]:
    """The chat of a row, whatever its shape; none where what should hold it is empty.

    Raises:
        RunError: it has none of the known ones.
    """
    if chat := next((row[name] for name in _CHATS if row.get(name)), None):
        return _chat(row, chat)
    asked, answered = _first(row, _ASKED), _first(row, _ANSWERED)
    if asked is None and answered is None:
        if not any(name in row for name in (*_CHATS, *_ASKED, *_ANSWERED, "text")):
            raise RunError(
                f"{_named(row)} holds no chat; it has {', '.join(map(str, row))}, "
                f"and one of messages, conversations, {', '.join(_ASKED)}, text is looked for."
            )
        return [Turn("assistant", said(row["text"]))] if row.get("text") is not None else []
    given = [said(row.get("system"))] if row.get("system") else []
    user = "\n\n".join(part for part in (asked or "", said(row.get("input"))) if part)
    return [*(Turn("system", text) for text in given), Turn("user", user), Turn("assistant", answered or "")]


def _first(row: Mapping[str, Any], names: Iterable[str]) -> str | None:
    return next((said(row[name]) for name in names if row.get(name) is not None), None)


def _named(row: Mapping[str, Any]) -> str:
    return f"the row with id {str(row['id'])[:_SHOWN]!r}" if "id" in row else "a row without id"


def _chat(row: Mapping[str, Any], chat: Any) -> list[Turn]:
    if isinstance(chat, str):
        try:
            chat = orjson.loads(chat)
        except orjson.JSONDecodeError as problem:
            raise RunError(f"{_named(row)} has a chat that is text, but not JSON: {chat[:_SHOWN]!r}.") from problem
    if not isinstance(chat, list) or not all(isinstance(one, Mapping) for one in chat):
        raise RunError(f"{_named(row)} has a chat that is no list of objects: {str(chat)[:_SHOWN]!r}.")
    return [_turn(one) for one in chat]


def _turn(one: Mapping[str, Any]) -> Turn:
    role = str(one.get("role") or one.get("from") or "user")
    text = said(one.get("content", one.get("value")))
    calls = one.get("tool_calls") or ()
    asked = [_asked(call) for call in (calls if isinstance(calls, list | tuple) else (calls,))]
    return Turn(_ROLES.get(role, role), "\n".join((text, *asked)) if asked else text)


def _asked(call: Any) -> str:
    call = call.get("function", call) if isinstance(call, Mapping) else call
    return f"{call.get('name', '')} {said(call.get('arguments'))}" if isinstance(call, Mapping) else said(call)


def said(content: Any) -> str:
    """The text of a message's content: a string, parts, or anything else as JSON."""
    if isinstance(content, str):
        return content
    if content is None:
        return ""
    if isinstance(content, list):
        return "\n".join(said(part.get("text", part) if isinstance(part, dict) else part) for part in content)
    return orjson.dumps(content, default=str).decode()


def parts(row: Mapping[str, Any]) -> Parts:
    """The parts of a row that are compared; records may share a context, and differ in these."""
    chat = turns(row)
    prompt = "\n".join(turn.text for turn in chat if turn.role == "user")
    response = "\n".join(turn.text for turn in chat if turn.role == "assistant")
    context = row.get("context")
    if not isinstance(context, str) or not context or context not in prompt:
        return Parts(prompt, "", response)
    return Parts(prompt.replace(context, "\n"), context, response)
