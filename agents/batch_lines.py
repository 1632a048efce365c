"""The lines of batch files: a request on its way out, and what came back for it."""

import json
from collections.abc import Iterator
from contextlib import suppress
from typing import IO, Any

import orjson

from agentinstruct.agents.batch_api import CHAT
from agentinstruct.agents.endpoint import decoded, failure_of, message_of
from agentinstruct.agents.gateway import Completion, RetryableError
from agentinstruct.agents.wire import clean, completion_of

LONGEST_LINE = 64 << 20


def line_of(key: str, body: dict[str, Any]) -> bytes:
    """The line that asks for one call; its custom id is the request's key."""
    return orjson.dumps({"custom_id": key, "method": "POST", "url": CHAT, "body": body}) + b"\n"


def lines_in(file: IO[bytes]) -> Iterator[dict[str, Any]]:
    """The results in a fetched file; what is no JSON object is as good as not there."""
    while line := file.readline(LONGEST_LINE):
        try:
            value = decoded(line)
        except RetryableError:
            continue
        if isinstance(value, dict):
            yield value


def completion_in(line: dict[str, Any]) -> Completion:
    """The answer in a line.

    Raises:
        RetryableError: none came, for a reason that may pass (overload, expiry). ProviderDown: no key, no quota.
        BadRequestError: this request was refused.
    """
    response = line.get("response")
    if not isinstance(response, dict):
        error = line.get("error")
        said = str(error.get("message") or error) if isinstance(error, dict) else "no answer came"
        raise RetryableError(clean(said))
    status, body = response.get("status_code"), response.get("body")
    if status == 200:
        return completion_of(body)
    raw = b""
    with suppress(RecursionError):
        raw = json.dumps(body).encode()  # orjson refuses lone surrogates
    raise failure_of(status if isinstance(status, int) else 500, message_of(raw), raw, {})
