"""One HTTP/1.1 answer, read strictly: nothing of what a server sends is trusted.

Heads and bodies are bounded, a length must be a number and stated once, a chunk must end where it said. What is in
doubt is a `BrokenAnswerError`, never a guess.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

LONGEST_HEAD = 64 << 10
LONGEST_BODY = 8 << 20
_STATUS = re.compile(rb"HTTP/1\.([01]) ([1-5]\d\d)(?: [^\r\n]*)?(?=\r|\Z)")
_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*([^\r\n]*)", re.IGNORECASE)
_CODING = re.compile(rb"\r\ntransfer-encoding:[ \t]*([^\r\n]*)", re.IGNORECASE)
_CLOSES = re.compile(rb"\r\nconnection:[^\r\n]*\bclose\b", re.IGNORECASE)
_CHUNK = re.compile(rb"([0-9a-fA-F]{1,8})[ \t]*(?:;[^\r\n]*)?\r\n")


class BrokenAnswerError(OSError):
    """What came back is no HTTP answer, or not a whole one."""


class TooLongError(BrokenAnswerError):
    """An answer of more than `LONGEST_BODY`."""


@dataclass(frozen=True)
class Answer:
    """A whole answer."""

    status: int
    head: bytes
    body: bytes

    @cached_property
    def headers(self) -> Mapping[str, str]:
        """The header fields by name in lower case; of several of a name the last."""
        lines = (line.partition(":") for line in self.head.decode("latin-1").split("\r\n")[1:])
        return {name.strip().lower(): value.strip() for name, _, value in lines}


def read_answer(buffer: bytearray, *, ended: bool) -> tuple[Answer, int, bool] | None:
    """The answer at the start of what came, the bytes it takes, and whether the connection ends with it.

    None while it is not whole; `ended` says that no more will come.

    Raises:
        BrokenAnswerError: it is no answer, or is too long.
    """
    start = 0
    while True:
        head_end = buffer.find(b"\r\n\r\n", start)
        if head_end < 0:
            _read_status(buffer, start, len(buffer), whole=False)
            del buffer[:start]
            return None
        status, version = _read_status(buffer, start, head_end, whole=True)
        if status >= 200:
            break
        start = head_end + 4  # what a server says in between
    head = bytes(buffer[start:head_end])
    found = _body(buffer, head_end + 4, head, status, ended)
    if found is None:
        return None
    body, end, bounded = found
    return Answer(status, head, body), end, not bounded or version == b"0" or bool(_CLOSES.search(head))


def _read_status(buffer: bytearray, start: int, end: int, *, whole: bool) -> tuple[int, bytes]:
    """Status and minor version of a head; while it is not whole, whether it may become one."""
    if end - start > LONGEST_HEAD:
        raise BrokenAnswerError("its head is too long")
    if found := _STATUS.match(buffer, start, end):
        return int(found[2]), found[1]
    if whole or end - start >= len(b"HTTP/1.1 200 OK\r"):
        raise BrokenAnswerError(f"not HTTP/1.1: {bytes(buffer[start : start + 40])!r}")
    return 0, b""


def _body(buffer: bytearray, start: int, head: bytes, status: int, ended: bool) -> tuple[bytes, int, bool] | None:
    """The body, where it ends, and whether the server said where."""
    if status in (204, 304):
        return b"", start, True
    if coding := _CODING.findall(head):
        if [one.strip().lower() for one in coding] != [b"chunked"]:
            raise BrokenAnswerError(f"a transfer coding that was not asked for: {coding[0]!r}")
        return _chunks(buffer, start)
    stated = _LENGTH.findall(head)
    size = _stated(stated) if stated else len(buffer) - start
    if size > LONGEST_BODY:
        raise TooLongError(f"the answer is over {LONGEST_BODY >> 20} MB")
    if len(buffer) - start < size or not (stated or ended):
        return None
    return bytes(buffer[start : start + size]), start + size, bool(stated)


def _stated(lengths: list[bytes]) -> int:
    first, *others = (one.strip() for one in lengths)
    if any(one != first for one in others) or not first.isdigit() or len(first) > 12:
        raise BrokenAnswerError(f"no length: {first!r}")
    return int(first)


def _chunks(buffer: bytearray, at: int) -> tuple[bytes, int, bool] | None:
    parts: list[bytes] = []
    total, begun = 0, at
    while True:
        line = _CHUNK.match(buffer, at)
        if not line:
            if buffer.find(b"\r\n", at) >= 0 or len(buffer) - at > 1024:
                raise BrokenAnswerError("a chunk has no length")
            _fold(buffer, begun, at, parts)
            return None
        size, data = int(line[1], 16), line.end()
        total += size
        if total > LONGEST_BODY:
            raise TooLongError(f"the answer is over {LONGEST_BODY >> 20} MB")
        if size == 0:
            return _trailer(buffer, data, b"".join(parts))
        if len(buffer) < data + size + 2:
            _fold(buffer, begun, at, parts)
            return None
        if buffer[data + size : data + size + 2] != b"\r\n":
            raise BrokenAnswerError("a chunk does not end where it said")
        parts.append(bytes(buffer[data : data + size]))
        at = data + size + 2


def _fold(buffer: bytearray, begun: int, at: int, parts: list[bytes]) -> None:
    """Not whole yet: what was read becomes one chunk, so that it is not read again and framing takes no memory."""
    if len(parts) > 1:
        body = b"".join(parts)
        buffer[begun:at] = b"%x\r\n%b\r\n" % (len(body), body)


def _trailer(buffer: bytearray, at: int, body: bytes) -> tuple[bytes, int, bool] | None:
    if buffer.startswith(b"\r\n", at):
        return body, at + 2, True
    end = buffer.find(b"\r\n\r\n", at)
    if len(buffer) - at > LONGEST_HEAD:
        raise BrokenAnswerError("its trailer is too long")
    return None if end < 0 else (body, end + 4, True)
