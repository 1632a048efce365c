"""A server that speaks chat completions and repeats what was recorded: as little work per call as Python allows.

A request it has no recording of gets a recorded reply of the same type. GET /stats tells how often that was, and how
many calls a second it answered between the first and the last quarter of them; POST /latency/0.2 sets the mean latency.
"""

import asyncio
from collections import defaultdict
from hashlib import blake2b
from itertools import cycle
from pathlib import Path
from random import Random
from time import perf_counter
from typing import Any, cast

import orjson

ALIKE = 256
"""Replies of one type that are kept for requests that were not recorded."""
SPREAD = 0.5, 1.5
"""Between which parts of the mean a latency is drawn: calls that all take as long would come back in waves for ever."""


class Replies:
    """Recorded replies as whole HTTP answers, by what was asked."""

    def __init__(self, recorded: Path) -> None:
        self.latency_s = 0.0
        self.draw = Random(0)
        self.times: list[float] = []
        self.unknown = 0
        known, by_type = defaultdict[bytes, list[bytes]](list), defaultdict[bytes, list[bytes]](list)
        with recorded.open("rb") as lines:
            for row in map(orjson.loads, lines):
                answer = _answer(row["text"], row["usage"])
                known[_asked(row["body"])].append(answer)
                if len(alike := by_type[_type(row["body"])]) < ALIKE:
                    alike.append(answer)
        self._known = {key: cycle(answers) for key, answers in known.items()}
        self._of_type = {key: cycle(answers) for key, answers in by_type.items()}

    def answer(self, data: bytes) -> bytes:
        """The answer to a request's body."""
        body = orjson.loads(data)
        if answers := self._known.get(_asked(body)):
            return next(answers)
        self.unknown += 1
        return next(self._of_type.get(_type(body)) or next(iter(self._of_type.values())))

    def stats(self) -> bytes:
        """The counts since the last time they were asked for."""
        times, self.times = self.times, []
        unknown, self.unknown = self.unknown, 0
        first, last = len(times) // 4, 3 * len(times) // 4
        rate = (last - first) / (times[last] - times[first]) if last > first else 0.0
        return _framed(orjson.dumps({"calls": len(times), "unknown": unknown, "calls_per_s": rate}))


def _asked(body: dict[str, Any]) -> bytes:
    said = [[message["role"], message["content"]] for message in body["messages"]]
    longest = body.get("max_tokens") or body.get("max_completion_tokens")
    return blake2b(orjson.dumps([said, longest]), digest_size=16).digest()


def _type(body: dict[str, Any]) -> bytes:
    return blake2b(orjson.dumps(body.get("response_format")), digest_size=16).digest()


def _answer(text: str, usage: dict[str, int]) -> bytes:
    message = {"role": "assistant", "content": text, "refusal": None}
    body = {
        "id": "chatcmpl-replayed",
        "object": "chat.completion",
        "created": 1_700_000_000,
        "model": "replayed",
        "choices": [{"index": 0, "message": message, "finish_reason": "stop", "logprobs": None}],
        "usage": {**usage, "total_tokens": sum(usage.values())},
    }
    return _framed(orjson.dumps(body))


def _framed(body: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body) + body


class Connection(asyncio.Protocol):
    """One keep-alive connection; requests come with a content-length."""

    def __init__(self, replies: Replies, loop: asyncio.AbstractEventLoop) -> None:
        self._replies = replies
        self._loop = loop
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way back."""
        self._transport = cast(asyncio.Transport, transport)  # uvloop's own is none of asyncio's

    def data_received(self, data: bytes) -> None:
        """Answer once a request is whole; clients send one at a time."""
        self._buffer += data
        head = self._buffer.find(b"\r\n\r\n")
        if head < 0:
            return
        lowered = self._buffer[:head].lower()
        at = lowered.find(b"content-length:")
        size = int(lowered[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
        if len(self._buffer) < head + 4 + size:
            return
        line, body = self._buffer[: self._buffer.find(b"\r\n")], self._buffer[head + 4 :]
        self._buffer = b""
        self._serve(line.split(b" ")[1], body)

    def _serve(self, path: bytes, body: bytes) -> None:
        if path.startswith(b"/latency/"):
            self._replies.latency_s = float(path.rsplit(b"/", 1)[1])
            self._transport.write(_framed(b"{}"))
        elif path == b"/stats":
            self._transport.write(self._replies.stats())
        elif self._replies.latency_s:
            late = self._replies.latency_s * self._replies.draw.uniform(*SPREAD)
            self._loop.call_later(late, self._send, self._replies.answer(body))
        else:
            self._send(self._replies.answer(body))

    def _send(self, answer: bytes) -> None:
        self._replies.times.append(perf_counter())
        self._transport.write(answer)


async def serve(recorded: Path) -> None:
    """Serve until killed."""
    loop, replies = asyncio.get_running_loop(), Replies(recorded)
    server = await loop.create_server(lambda: Connection(replies, loop), "127.0.0.1", 0, backlog=1024)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1", flush=True)
    await awake(server)


async def awake(server: asyncio.Server) -> None:
    """Serve, and never sleep: else clients would pay for waking the server, the more the less they keep it busy."""
    loop = asyncio.get_running_loop()

    def again() -> None:
        loop.call_soon(again)

    again()
    await server.serve_forever()
