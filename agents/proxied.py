"""The same door through a proxy, where the environment names one for the address (`HTTPS_PROXY`, `NO_PROXY`, …)."""

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from agentinstruct.agents.http_answer import LONGEST_BODY, Answer, BrokenAnswerError, TooLongError
from agentinstruct.agents.transport import CONNECT_S, Transport, UnansweredError, UnreachableError, nameless

if TYPE_CHECKING:
    from aiohttp import ClientResponse, ClientSession


class Posting(Protocol):
    """Connections to one server."""

    async def post(self, body: bytes, timeout_s: float) -> Answer:
        """The server's answer; raises as `Transport.post` does."""

    async def aclose(self) -> None:
        """Close every connection."""


def posting(url: str, headers: Mapping[str, str]) -> Posting:
    """Connections to the server of an address: direct ones, unless the environment asks for a proxy."""
    proxy = proxy_of(url)
    return ProxiedTransport(url, headers, proxy) if proxy else Transport(url, headers)


def proxy_of(url: str) -> str:
    """The proxy that the environment names for an address; empty for none, and for this machine's own servers."""
    try:
        parts, proxies = urlsplit(url), getproxies()
    except ValueError:  # told when it is connected to
        return ""
    if parts.hostname in ("localhost", "127.0.0.1", "::1"):
        return ""
    proxy = proxies.get(parts.scheme) or proxies.get("all") or ""
    if not proxy or proxy_bypass(parts.netloc.rpartition("@")[2]):
        return ""
    return proxy if "://" in proxy else f"http://{proxy}"


class ProxiedTransport:
    """Connections that a library makes: it speaks to proxies, at some cost in CPU."""

    def __init__(self, url: str, headers: Mapping[str, str], proxy: str) -> None:
        self._url, self._headers = url, headers
        self._proxy = proxy
        self._session: ClientSession | None = None

    async def post(self, body: bytes, timeout_s: float) -> Answer:
        """The server's answer, whatever its status; raises as `Transport.post` does."""
        import aiohttp

        try:
            async with (
                asyncio.timeout(timeout_s),
                self._open().post(self._url, data=body, proxy=self._proxy or None, allow_redirects=False) as answer,
            ):
                return Answer(answer.status, _head(answer), await self.read(answer))
        except (aiohttp.ConnectionTimeoutError, aiohttp.ClientConnectorError, aiohttp.ClientHttpProxyError) as error:
            raise UnreachableError(f"{nameless(str(error))}, by way of the environment's proxy") from error
        except ValueError as error:
            raise UnreachableError(
                f"{nameless(str(error))}: an address, or the environment's proxy, is none"
            ) from error
        except aiohttp.ServerDisconnectedError as error:
            raise UnansweredError(str(error)) from error
        except aiohttp.ClientError as error:
            raise BrokenAnswerError(str(error)) from error

    async def read(self, answer: "ClientResponse") -> bytes:
        """The body of an answer."""
        parts, size = [], 0
        async for part in answer.content.iter_any():
            size += len(part)
            if size > LONGEST_BODY:
                raise TooLongError(f"the answer is over {LONGEST_BODY >> 20} MB")
            parts.append(part)
        return b"".join(parts)

    def _open(self) -> "ClientSession":
        if self._session is None:
            import aiohttp

            limits = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_S)
            connector = aiohttp.TCPConnector(limit=0)
            self._session = aiohttp.ClientSession(headers=self._headers, timeout=limits, connector=connector)
        return self._session

    async def aclose(self) -> None:
        """Close every connection."""
        if self._session is not None:
            await self._session.close()
            self._session = None


def _head(answer: "ClientResponse") -> bytes:
    lines = [b": ".join(field) for field in answer.raw_headers]
    return b"\r\n".join([b"HTTP/1.1 %d" % answer.status, *lines])
