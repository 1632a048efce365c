"""Messages between the process that owns a run and its workers: JSON, each after its length. Never a pickle.

They come from our own processes, but hold seed text and what models said: nothing in them is ever carried out.
"""

import asyncio
import struct
from collections.abc import AsyncIterator
from contextlib import suppress
from socket import MSG_WAITALL, socket
from typing import Any, Self

from agentinstruct.run.segment import from_json, to_json

_LENGTH = struct.Struct(">Q")
Message = dict[str, Any]


def packed(message: Message) -> bytes:
    """A message as it is sent."""
    text = to_json(message)
    return _LENGTH.pack(len(text)) + text


def exchange(end: socket, message: Message) -> None:
    """Send a message and wait, in a thread that may, until it is acknowledged. Raises `OSError`."""
    end.sendall(packed(message))
    if not end.recv(1, MSG_WAITALL):
        raise ConnectionResetError("the run's own process has ended")


class Pipe:
    """One end of a pair of sockets, for an event loop."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def over(cls, end: socket) -> Self:
        """A pipe over a connected socket, which it closes in the end."""
        return cls(*await asyncio.open_unix_connection(sock=end))

    def send(self, message: Message) -> None:
        """Send a message; to one who is gone, nothing."""
        if not self._writer.is_closing():
            self._writer.write(packed(message))

    def acknowledge(self) -> None:
        """Answer an `exchange`."""
        if not self._writer.is_closing():
            self._writer.write(b"\x01")

    async def messages(self) -> AsyncIterator[Message]:
        """Every message of the other end, until it closes or dies."""
        try:
            while True:
                length = _LENGTH.unpack(await self._reader.readexactly(_LENGTH.size))[0]
                yield from_json(await self._reader.readexactly(length))
        except (asyncio.IncompleteReadError, OSError):
            return

    def close(self) -> None:
        """Close this end."""
        self._writer.close()

    async def aclose(self) -> None:
        """Close this end once all is sent."""
        self._writer.close()
        with suppress(OSError):
            await self._writer.wait_closed()
