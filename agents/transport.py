"""HTTP/1.1 to one server: JSON bodies out by POST, answers in, over connections that are kept open.

The usual client takes most of the CPU of a call at hundreds in flight. This one does what an endpoint needs and refuses
the rest: no redirects, no cookies, no compression; proxies have a door of their own in `proxied`. A connection on which
anything was odd is closed and never used again.
"""

import asyncio
import re
import ssl
from base64 import b64encode
from collections import deque
from collections.abc import Mapping
from typing import cast
from urllib.parse import quote, unquote, urlsplit

from agentinstruct.agents.http_answer import Answer, BrokenAnswerError, read_answer

_NAMED = re.compile(r"//[^/@\s]*@")
CONNECT_S = 30.0
IDLE_S = 45.0
"""A connection that has lain idle for so long is not used again: servers close them, some at the worst moment."""
AT_ONCE_S = 0.5
"""A kept connection that is lost within so long was closed before the server read the request."""


class UnreachableError(OSError):
    """No connection could be made."""


class UnansweredError(OSError):
    """The connection was lost before anything of an answer came."""

    taken = True
    """Whether the server may have taken the request, and had the work done."""


def nameless(text: str) -> str:
    """A text whose addresses have lost their user names and passwords."""
    return _NAMED.sub("//", text)


class Transport:
    """The connections to one server. For one event loop."""

    def __init__(self, url: str, headers: Mapping[str, str]) -> None:
        try:
            parts = urlsplit(url)
            self._port = parts.port or (443 if parts.scheme == "https" else 80)
        except ValueError as error:
            raise UnreachableError(str(error)) from error
        if not parts.hostname:
            raise UnreachableError("the address names no host")
        self._host = parts.hostname
        self._ssl = ssl.create_default_context() if parts.scheme == "https" else None
        self._head = _head(url, headers)
        self._idle: deque[_Connection] = deque()
        self._open: set[_Connection] = set()

    async def post(self, body: bytes, timeout_s: float) -> Answer:
        """The server's answer, whatever its status.

        Raises:
            TimeoutError: it was not whole within so many seconds.
            UnreachableError: no connection could be made. UnansweredError: it was lost.
            BrokenAnswerError: what came is no whole answer.
        """
        connection = self._kept() or await self._connect(min(CONNECT_S, timeout_s))
        answer = await connection.ask(b"%b%d\r\n\r\n%b" % (self._head, len(body), body), timeout_s)
        if connection.usable:
            connection.since = asyncio.get_running_loop().time()
            self._idle.append(connection)
        return answer

    def _kept(self) -> "_Connection | None":
        """The connection used last, of those still open; all are closed that have lain idle too long."""
        idle = self._idle
        if not idle:
            return None
        oldest = asyncio.get_running_loop().time() - IDLE_S
        while idle and idle[0].since < oldest:
            idle.popleft().close()
        while idle:
            connection = idle.pop()
            if connection.usable:
                return connection
        return None

    async def _connect(self, within_s: float) -> "_Connection":
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(within_s):
                _, protocol = await loop.create_connection(
                    lambda: _Connection(self._open), self._host, self._port, ssl=self._ssl
                )
        except TimeoutError as error:
            raise UnreachableError(f"no connection within {within_s:.0f} s") from error
        except (OSError, UnicodeError) as error:
            raise UnreachableError(str(error)) from error
        return protocol

    async def aclose(self) -> None:
        """Close every connection."""
        for connection in list(self._open):
            connection.close()
        self._idle.clear()


def _head(url: str, headers: Mapping[str, str]) -> bytes:
    """A request's head up to the length of its body."""
    parts = urlsplit(url)
    path, query = (quote(part, safe="/%:@!$&'()*+,;=~-._?") for part in (parts.path or "/", parts.query))
    name, host = parts.netloc.rpartition("@")[::2]
    fields = {"host": host if host.isascii() else host.encode("idna").decode(), **headers}
    if name and "authorization" not in fields:
        fields["authorization"] = f"Basic {b64encode(unquote(name).encode()).decode()}"
    lines = [
        f"POST {path}{'?' if query else ''}{query} HTTP/1.1",
        *(f"{key}: {value}" for key, value in fields.items()),
    ]
    if not all(line.isprintable() for line in lines):
        raise UnreachableError("the address or a header holds a line break or control character")
    return "\r\n".join([*lines, "content-length: "]).encode()


class _Connection(asyncio.Protocol):
    """One connection, on which one request at a time is under way."""

    __slots__ = ("_all", "_answer", "_buffer", "_closed", "_transport", "since")

    def __init__(self, all_open: "set[_Connection]") -> None:
        self._all = all_open
        self._buffer = bytearray()
        self._answer: asyncio.Future[Answer] | None = None
        self._closed = False
        self.since = 0.0
        """When it was last answered on; 0 for a new one."""

    @property
    def usable(self) -> bool:
        """Whether another request may be sent on it."""
        return not self._closed

    async def ask(self, request: bytes, timeout_s: float) -> Answer:
        """Send a request and wait for its answer; when nobody waits any more, the connection is closed."""
        loop = asyncio.get_running_loop()
        self._answer = loop.create_future()
        deadline = loop.call_later(timeout_s, self._late)
        self._transport.write(request)
        try:
            return await self._answer
        except BaseException as error:
            self.close()
            if isinstance(error, UnansweredError) and self.since:
                error.taken = loop.time() > deadline.when() - timeout_s + AT_ONCE_S
            raise
        finally:
            deadline.cancel()
            self._answer = None

    def _late(self) -> None:
        if self._answer and not self._answer.done():
            self._answer.set_exception(TimeoutError())

    def close(self) -> None:
        """Close at once; nothing is worth waiting for."""
        if not self._closed:
            self._closed = True
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """It is open."""
        self._transport = cast(asyncio.Transport, transport)
        self._all.add(self)

    def data_received(self, data: bytes) -> None:
        """More of an answer; without a request there is none, and the connection is closed."""
        waiting = self._answer
        if waiting is None or waiting.done():
            self.close()
            return
        self._buffer += data
        try:
            self._read(waiting)
        except BrokenAnswerError as error:
            waiting.set_exception(error)
            self.close()

    def _read(self, waiting: "asyncio.Future[Answer]") -> None:
        """Give the answer once it is whole."""
        found = read_answer(self._buffer, ended=False)
        if found is None:
            return
        answer, size, closes = found
        if closes or size < len(self._buffer) or self._transport.get_write_buffer_size():
            self.close()
        self._buffer.clear()
        waiting.set_result(answer)

    def connection_lost(self, exc: Exception | None) -> None:
        """It is closed: what was waited for is what came, if it may end so, or is lost."""
        self._closed = True
        self._all.discard(self)
        waiting = self._answer
        if waiting is None or waiting.done():
            return
        try:
            waiting.set_result(self._last(exc))
        except OSError as error:
            waiting.set_exception(error)

    def _last(self, exc: Exception | None) -> Answer:
        """The answer that the end of the connection makes whole."""
        if not self._buffer:
            raise UnansweredError(f"the connection was lost ({exc})" if exc else "the connection was closed")
        found = None if exc else read_answer(self._buffer, ended=True)
        if not found:
            raise BrokenAnswerError(f"the connection was lost after {len(self._buffer)} bytes of an answer")
        return found[0]
