"""A reply while it is being written, for those who watch: the endpoint's server-sent events, put together again.

    data: {"choices": [{"delta": {"content": "Bees"}}]} … data: [DONE]      →  the answer as it would come in one piece

Runs are watched by nobody and never ask for it.
"""

from typing import TYPE_CHECKING, Any

import orjson

from agentinstruct.agents.http_answer import LONGEST_BODY, BrokenAnswerError, TooLongError
from agentinstruct.agents.proxied import ProxiedTransport
from agentinstruct.agents.tokens import sink
from agentinstruct.agents.wire import arguments_of

if TYPE_CHECKING:
    from aiohttp import ClientResponse

_ASKED = b',"stream":true,"stream_options":{"include_usage":true}}'
_DATA, _DONE = b"data:", b"[DONE]"


def streamed(body: bytes) -> bytes:
    """A request's body, asking for its reply in pieces."""
    return body[:-1] + _ASKED


class StreamedTransport(ProxiedTransport):
    """Connections that hand pieces over as they come, and then give the whole answer."""

    async def read(self, answer: "ClientResponse") -> bytes:
        """The body as of an answer in one piece.

        Raises:
            BrokenAnswerError: the stream is none, tells of a fault or ends too early.
        """
        if answer.content_type != "text/event-stream":
            return await super().read(answer)
        told, reply = sink() or (lambda piece: None), _Reply()
        rest, size = b"", 0
        async for part in answer.content.iter_any():
            size += len(part)
            if size > LONGEST_BODY:
                raise TooLongError(f"the answer is over {LONGEST_BODY >> 20} MB")
            *lines, rest = (rest + part).split(b"\n")
            for line in lines:
                if line.startswith(_DATA) and (data := line[len(_DATA) :].strip()) != _DONE and data:
                    told(reply.add(data))
        return reply.whole()


class _Reply:
    """What the events add up to."""

    def __init__(self) -> None:
        self._said = {"content": "", "refusal": "", "arguments": ""}
        self._finish: str | None = None
        self._usage: Any = None

    def add(self, data: bytes) -> str:
        """Take an event; what it adds to the reply that is shown."""
        try:
            event = orjson.loads(data)
            if event.get("error"):
                raise BrokenAnswerError(f"the stream tells of an error: {str(event['error'])[:200]}")
            self._usage = event.get("usage") or self._usage
            return "".join(self._piece(choice) for choice in event["choices"][:1])
        except (orjson.JSONDecodeError, AttributeError, KeyError, TypeError) as error:
            raise BrokenAnswerError(f"no event of a chat completion: {data[:80]!r}") from error

    def _piece(self, choice: dict[str, Any]) -> str:
        self._finish = choice.get("finish_reason") or self._finish
        delta = choice.get("delta") or {}
        calls = [arguments_of(call) for call in delta.get("tool_calls") or ()]
        pieces = {
            "content": delta.get("content") or "",
            "refusal": delta.get("refusal") or "",
            "arguments": "".join(calls),
        }
        for name, piece in pieces.items():
            self._said[name] += piece
        return pieces["content"] + pieces["arguments"]

    def whole(self) -> bytes:
        """The answer in one piece."""
        if self._finish is None:
            raise BrokenAnswerError("the stream ended before the reply did")
        message: dict[str, Any] = {"role": "assistant", "content": self._said["content"]}
        if self._said["refusal"]:
            message["refusal"] = self._said["refusal"]
        if self._said["arguments"]:
            message["tool_calls"] = [{"function": {"arguments": self._said["arguments"]}}]
        choice = {"message": message, "finish_reason": self._finish}
        return orjson.dumps({"choices": [choice], "usage": self._usage})
