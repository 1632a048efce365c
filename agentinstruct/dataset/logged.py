"""What is told of rows one by one, gathered on disk while a dataset is looked through, however many there are."""

import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, BinaryIO, Self

import orjson


@dataclass(slots=True)
class Logged:
    """Something that tells. To be used in `with`."""

    log: BinaryIO = field(default_factory=tempfile.TemporaryFile)

    def note(self, entry: Mapping[str, Any]) -> None:
        """Tell of a row."""
        self.log.write(orjson.dumps(entry, default=str, option=orjson.OPT_APPEND_NEWLINE))

    def lines(self) -> Iterator[bytes]:
        """What was told, a JSON line for each row."""
        self.log.seek(0)
        yield from self.log

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.log.close()
