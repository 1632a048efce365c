"""The log of a run as JSON lines: one event a line, without a word of a prompt, a seed or a reply unless asked for."""

import logging
import os
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, get_args

import orjson

from agentinstruct.agents.errors import SetupError
from agentinstruct.agents.events import LOGGER

PROGRAM = "agentinstruct"
Level = Literal["debug", "info", "warning", "error"]
LEVELS: tuple[Level, ...] = get_args(Level)


@dataclass(frozen=True, slots=True)
class LogFile:
    """Where to log, from which level on, and whether with texts."""

    path: Path
    level: Level = "info"
    content: bool = False


@contextmanager
def logging_to(file: LogFile | None) -> Iterator[None]:
    """Log into the file while the block lasts; lines of earlier runs stay before them.

    Raises:
        SetupError: it cannot be written.
    """
    with logging_by(Appended(file) if file else None):
        yield


@contextmanager
def logging_by(lines: "JsonLines | None") -> Iterator[None]:
    """Log by this handler while the block lasts; warnings go to stderr too."""
    if lines is None:
        yield
        return
    logger, handlers = logging.getLogger(PROGRAM), [lines, _stderr()]
    before = logger.level
    logger.setLevel(lines.level)
    for handler in handlers:
        logger.addHandler(handler)
    try:
        yield
    finally:
        logger.setLevel(before)
        for handler in handlers:
            logger.removeHandler(handler)
            handler.close()


class JsonLines(logging.Handler, ABC):
    """A line an event."""

    def __init__(self, file: LogFile) -> None:
        super().__init__(file.level.upper())
        self._content = file.content

    @abstractmethod
    def write(self, line: bytes) -> None:
        """Keep a line."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write one event; a full disk loses lines, never the run."""
        try:
            self.write(orjson.dumps(self._row(record), default=str, option=orjson.OPT_APPEND_NEWLINE))
        except (OSError, orjson.JSONEncodeError):
            return

    def _row(self, record: logging.LogRecord) -> dict[str, Any]:
        time = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        row: dict[str, Any] = {"time": time, "level": record.levelname.lower()}
        if record.name != LOGGER:  # what agents log holds servers' words, and their events say the rest
            told = self._content or not record.name.startswith("agentinstruct.agents.")
            return row | {"event": "message", "logger": record.name} | ({"text": record.getMessage()} if told else {})
        event: dict[str, Any] = record.__dict__
        row |= {"event": event["event"], **event["fields"]}
        return row | event["content"] if self._content else row


class Appended(JsonLines):
    """Appends them to a file. Several processes may write to one: each line is one write."""

    def __init__(self, file: LogFile) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
        try:
            self._handle = os.open(file.path, flags, 0o600)
        except OSError as problem:
            words = f"--log-file {file.path}: {problem.strerror}. Choose a file in a folder of yours."
            raise SetupError(words) from problem
        super().__init__(file)

    def write(self, line: bytes) -> None:
        """Append a line."""
        os.write(self._handle, line)

    def close(self) -> None:
        """Close the file."""
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1
        super().close()


def _stderr() -> logging.Handler:
    """The program's warnings are still seen where they would be without a log file; events are for the file."""
    handler = logging.StreamHandler()
    handler.setLevel(logging.WARNING)
    handler.addFilter(lambda record: record.name != LOGGER)
    return handler
