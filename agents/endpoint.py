"""Any server that speaks the OpenAI protocol, over connections of our own.

The official client costs ten times the CPU per call at high concurrency, so this one speaks the protocol
itself: a total deadline per call, errors classified into what may pass and what will not, and the best
way of asking for JSON that the server turns out to support.
"""

import contextlib
import email.utils
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from agentinstruct.agents.calls import told_of
from agentinstruct.agents.errors import MISNAMED, ProviderDown, ReplyError
from agentinstruct.agents.gateway import Completion, Request, RetryableError
from agentinstruct.agents.http_answer import Answer, TooLongError
from agentinstruct.agents.proxied import Posting, posting, proxy_of
from agentinstruct.agents.streamed import StreamedTransport, streamed
from agentinstruct.agents.tokens import sink
from agentinstruct.agents.transport import UnansweredError, UnreachableError, nameless
from agentinstruct.agents.wire import MODES, body_of, completion_of

RETRYABLE = {408, 409, 425, 429, 500, 502, 503, 504, 520, 522, 524, 529}
BUSY = {429, 503, 529}


@dataclass
class Endpoint:
    """One model behind an OpenAI-compatible base URL."""

    name: str
    base_url: str
    api_key: str = field(default="", repr=False)
    timeout_s: float = 300.0
    mode: int = 0
    width: int = 0
    names: dict[str, str] = field(default_factory=dict)
    """What it calls parameters that have other names here; those without one it does not take."""
    streams: bool = True
    """Whether it can give a reply in pieces, as far as is known."""
    _transport: Posting | None = None
    _streaming: StreamedTransport | None = None

    async def complete(self, request: Request) -> Completion:
        """The server's answer, asked for in the best way it supports."""
        mode, last = self.mode, len(MODES) - 1 if request.schema else self.mode
        while True:
            names = dict(self.names)
            try:
                completion = completion_of(await self._post(self._body(request, mode)))
            except BadRequestError as refused:
                self.learn(str(refused))
                if self.names != names:  # learnt from this refusal, or meanwhile from another one
                    continue
                if mode >= last or not refused.about_format:
                    reason = "not understood" if refused.about_format else "request refused"
                    raise ReplyError(reason, str(refused)) from refused
                mode += 1
            else:
                self.mode = max(self.mode, mode)  # only what then worked: a request may be refused for itself
                return completion

    def body(self, request: Request, mode: int) -> dict[str, Any]:
        """The request under the names this model takes: some have other ones, and some fix their temperature."""
        body = body_of(request, self.name, MODES[mode])
        if not self.names:
            return body
        return {self.names.get(key, key): value for key, value in body.items() if self.names.get(key, key)}

    def learn(self, message: str) -> None:
        """What a refusal tells of the parameters this model takes."""
        if "max_completion_tokens" in message:
            self.names["max_tokens"] = "max_completion_tokens"
        elif "temperature" in message and "nsupported" in message:
            self.names["temperature"] = ""

    def _body(self, request: Request, mode: int) -> bytes:
        body = self.body(request, mode)
        if body["messages"] is request.messages:
            body["messages"] = request.told
        if "response_format" in body:
            body["response_format"]["json_schema"]["schema"] = told_of(request.schema)
        return orjson.dumps(body)

    async def _post(self, body: bytes) -> Any:
        try:
            answer = await (self._watched(body) if sink() and self.streams else self._open().post(body, self.timeout_s))
        except TimeoutError as error:
            raise RetryableError(f"no answer within {self.timeout_s:.0f} s", kind="late") from error
        except UnreachableError as error:
            told = self._safe(f"cannot reach {self.base_url} ({error}). Check --base-url.")
            raise RetryableError(told, kind="absent") from error
        except TooLongError as error:
            raise ReplyError("too long", str(error), paid=True) from error
        except UnansweredError as error:
            raise RetryableError(self._safe(str(error)), kind="absent", taken=error.taken) from error
        except OSError as error:
            raise RetryableError(self._safe(f"{type(error).__name__}: {error}"), kind="spoilt") from error
        if not 200 <= answer.status < 300:
            raise failure_of(answer.status, self._safe(message_of(answer.body)), answer.body, answer.headers)
        return decoded(answer.body)

    def _safe(self, text: str) -> str:
        return discreet(text, self.api_key)

    async def _watched(self, body: bytes) -> Answer:
        """The answer, with its pieces handed over as they come; at once where the server cannot do that."""
        if self._streaming is None:
            self._streaming = StreamedTransport(self._url, self._headers(), proxy_of(self._url))
        answer = await self._streaming.post(streamed(body), self.timeout_s)
        if answer.status not in (400, 422):
            return answer
        whole = await self._open().post(body, self.timeout_s)
        self.streams = whole.status != 200
        return whole

    def _open(self) -> Posting:
        if self._transport is None:
            self._transport = posting(self._url, self._headers())
        return self._transport

    @property
    def _url(self) -> str:
        return f"{self.base_url}/chat/completions"

    def _headers(self) -> dict[str, str]:
        headers = {
            "accept": "application/json",
            "accept-encoding": "identity",
            "content-type": "application/json",
            "user-agent": "agentinstruct",
        }
        return headers | {"authorization": f"Bearer {self.api_key}"} if self.api_key else headers

    async def aclose(self) -> None:
        """Close the connections."""
        for transport in (self._transport, self._streaming):
            if transport is not None:
                await transport.aclose()
        self._transport = self._streaming = None


def discreet(text: str, api_key: str) -> str:
    """A text without the key, which some servers repeat in their errors, and without passwords in addresses."""
    return nameless(text.replace(api_key, "…") if api_key else text)


class BadRequestError(Exception):
    """The server refused what was asked; asking the same again is pointless."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        words = message.casefold()
        self.about_format = not any(
            word in words for word in ("context_length", "context length", "too long", "content_filter")
        )


def decoded(raw: bytes) -> Any:
    """The JSON of an answer; lone surrogates, which orjson refuses, are let through.

    Raises:
        RetryableError: it is none.
    """
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        if b"\\u" in raw:
            with contextlib.suppress(ValueError, RecursionError):
                return json.loads(raw)
        raise RetryableError(f"the answer is not JSON: {raw[:80]!r}", kind="spoilt") from error


def failure_of(status: int, said: str, raw: bytes, headers: Mapping[str, str]) -> Exception:
    """The exception for an HTTP error: may pass, concerns this request only, or ends the run."""
    message = f"HTTP {status}: {said}"
    if status in (402, 403, 429) and "insufficient_quota" in _kinds(raw):
        return ProviderDown(f"{message}. The account has no quota left.")
    if status in RETRYABLE:
        after = _seconds(headers.get("retry-after-ms"), headers.get("retry-after"))
        return RetryableError(message, after, kind="busy" if status in BUSY else "broken")
    if status in (401, 403):
        return ProviderDown(f"{message}. Check the API key (OPENAI_API_KEY).")
    if status < 400:
        return ProviderDown(f"{message}. It redirects to {headers.get('location', 'nowhere')}: see --base-url.")
    if status in (404, 405):
        return ProviderDown(f"{message}. {MISNAMED}")
    if status >= 500:
        return RetryableError(message)
    return BadRequestError(message)


def _kinds(raw: bytes) -> tuple[Any, ...]:
    """What kind of error a server says it is; never what it repeats of the request."""
    try:
        error = orjson.loads(raw)["error"]
        return error.get("code"), error.get("type")
    except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError):
        return ()


def message_of(raw: bytes) -> str:
    """What a server says of an error, whatever form it says it in."""
    try:
        error = orjson.loads(raw)["error"]
        return str(error.get("message") or error) if isinstance(error, dict) else str(error)
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return " ".join(raw[:200].decode("utf-8", "replace").split())


def _seconds(after_ms: str | None, after: str | None) -> float:
    """Retry-After in seconds, whether given in ms, seconds or as a date."""
    try:
        if after_ms:
            return max(0.0, float(after_ms) / 1000)
        if after and after.strip().replace(".", "", 1).isdigit():
            return float(after)
        if after:
            return max(0.0, email.utils.parsedate_to_datetime(after).timestamp() - time.time())
    except (ValueError, OverflowError):
        return 0.0
    return 0.0
