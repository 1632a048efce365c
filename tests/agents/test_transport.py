"""The connections to an endpoint, against servers that speak HTTP well, oddly and not at all."""

import asyncio
import shutil
import ssl
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from agentinstruct.agents import transport
from agentinstruct.agents.endpoint import Endpoint
from agentinstruct.agents.gateway import Request, RetryableError
from agentinstruct.agents.http_answer import LONGEST_BODY, BrokenAnswerError, TooLongError, read_answer
from agentinstruct.agents.proxied import posting
from agentinstruct.agents.transport import Transport, UnansweredError, UnreachableError

PLAIN = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello"
WHOLE = {
    "a length": PLAIN,
    "chunks": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2;x=1\r\nlo\r\n0\r\n\r\n",
    "chunks and a trailer": b"HTTP/1.1 200 OK\r\ntransfer-encoding: Chunked\r\n\r\n5\r\nhello\r\n0\r\nX: 1\r\n\r\n",
    "something in between": b"HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Hints\r\nLink: x\r\n\r\n" + PLAIN,
    "no reason": b"HTTP/1.1 200\r\ncontent-length:5\r\n\r\nhello",
    "the same length twice": b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nhello",
}
BROKEN = {
    "no HTTP": b"SSH-2.0-OpenSSH_9.6\r\n\r\n",
    "a short word": b"no\r\n\r\n",
    "no status": b"HTTP/1.1 two hundred\r\n\r\n",
    "two lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
    "no number": b"HTTP/1.1 200 OK\r\nContent-Length: five\r\n\r\nhello",
    "a negative length": b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nhello",
    "no chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nhello\r\n",
    "a chunk that goes on": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhello\r\n0\r\n\r\n",
    "another coding": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "an endless head": b"HTTP/1.1 200 OK\r\n" + b"X: " + b"x" * 70_000,
}


@pytest.mark.parametrize("name", WHOLE)
def test_an_answer_is_read_however_it_is_cut(name: str) -> None:
    data = WHOLE[name]
    for cut in range(len(data)):
        assert read_answer(bytearray(data[:cut]), ended=False) is None, cut
    answer, size, closes = read_answer(bytearray(data + b"more"), ended=False) or pytest.fail("not read")
    assert (answer.status, answer.body, size, closes) == (200, b"hello", len(data), False)


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_in_doubt_is_no_answer(name: str) -> None:
    with pytest.raises(BrokenAnswerError):
        read_answer(bytearray(BROKEN[name]), ended=False)


@pytest.mark.parametrize(
    "head", [b"Content-Length: %d" % (LONGEST_BODY + 1), b"Transfer-Encoding: chunked\r\n\r\n%x" % (LONGEST_BODY + 1)]
)
def test_an_answer_that_would_be_too_long_is_refused_before_it_came(head: bytes) -> None:
    with pytest.raises(TooLongError):
        read_answer(bytearray(b"HTTP/1.1 200 OK\r\n" + head + b"\r\n\r\n"), ended=False)


def test_headers_are_read_by_name() -> None:
    answer, _, closes = read_answer(
        bytearray(b"HTTP/1.1 429 Slow\r\nRetry-After:  3 \r\nConnection: close\r\nContent-Length: 0\r\n\r\n"),
        ended=False,
    ) or pytest.fail("not read")
    assert (answer.status, answer.headers["retry-after"], closes) == (429, "3", True)


@asynccontextmanager
async def serving(
    answers: Callable[[int], bytes], *, then: str = "keep", tls: ssl.SSLContext | None = None
) -> AsyncIterator[tuple[Transport, list[bytes]]]:
    """A server that says what it is told, and a client of it; `then`: keep, close, reset, or end (once silent)."""
    requests: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                size = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
                requests.append(head + await reader.readexactly(size))
                writer.write(said := answers(len(requests)))
                await writer.drain()
                if then == "reset":
                    writer.transport.abort()
                if then != "keep" and not (then == "end" and said):
                    break
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
    port = server.sockets[0].getsockname()[1]
    client = Transport(f"http://127.0.0.1:{port}/v1/chat/completions", {"authorization": "Bearer k"})
    try:
        yield client, requests
    finally:
        await client.aclose()
        await asyncio.sleep(0)
        server.close()
        await server.wait_closed()


async def test_requests_are_whole_and_share_a_connection() -> None:
    async with serving(lambda number: PLAIN) as (client, requests):
        for number in range(3):
            assert (await client.post(b'{"n": %d}' % number, 5)).body == b"hello"
        assert len(client._open) == 1
        assert requests[2].endswith(b'\r\n\r\n{"n": 2}')
        assert requests[0].startswith(b"POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1:")
        assert b"\r\nauthorization: Bearer k\r\n" in requests[0]


async def test_many_at_once_have_a_connection_each_and_keep_them() -> None:
    async with serving(lambda number: PLAIN) as (client, requests):
        for _ in range(2):
            assert len(await asyncio.gather(*(client.post(b"{}", 5) for _ in range(30)))) == 30
        assert len(client._open) == 30 and len(requests) == 60


async def test_a_body_without_length_ends_with_the_connection() -> None:
    async with serving(lambda number: b"HTTP/1.1 200 OK\r\n\r\nhello", then="close") as (client, _):
        assert (await client.post(b"{}", 5)).body == b"hello"
        assert (await client.post(b"{}", 5)).body == b"hello"


@pytest.mark.parametrize(
    ("said", "then", "error"),
    [
        (b"", "close", UnansweredError),
        (b"", "reset", UnansweredError),
        (PLAIN[:-1], "close", BrokenAnswerError),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel", "close", BrokenAnswerError),
        (b"<html>go away</html>", "keep", BrokenAnswerError),
        (b"", "keep", TimeoutError),
        (PLAIN[:-1], "keep", TimeoutError),
    ],
)
async def test_what_goes_wrong_is_told_apart_and_the_next_call_is_well(
    said: bytes, then: str, error: type[OSError]
) -> None:
    async with serving(lambda number: said if number == 1 else PLAIN, then=then) as (client, _):
        with pytest.raises(error):
            await client.post(b"{}", 0.3)
        await asyncio.sleep(0.01)
        assert not client._open
        assert (await client.post(b"{}", 5)).body == b"hello"


@pytest.mark.parametrize(("before", "within_s", "taken"), [(0, 0.5, True), (1, 0.5, False), (1, 0.0, True)])
async def test_a_request_on_a_kept_connection_that_is_lost_at_once_was_not_taken(
    monkeypatch: pytest.MonkeyPatch, before: int, within_s: float, taken: bool
) -> None:
    monkeypatch.setattr(transport, "AT_ONCE_S", within_s)
    async with serving(lambda number: PLAIN if number <= before else b"", then="end") as (client, _):
        for _ in range(before):
            await client.post(b"{}", 5)
        with pytest.raises(UnansweredError) as caught:
            await client.post(b"{}", 5)
    assert caught.value.taken is taken


async def test_what_comes_unasked_ends_the_connection() -> None:
    async with serving(lambda number: PLAIN + b"HTTP/1.1 200 OK\r\n\r\n") as (client, _):
        assert (await client.post(b"{}", 5)).body == b"hello"
        await asyncio.sleep(0.01)
        assert not client._open


async def test_a_call_given_up_leaves_no_connection_behind() -> None:
    async with serving(lambda number: b"") as (client, _):
        call = asyncio.ensure_future(client.post(b"{}", 5))
        await asyncio.sleep(0.05)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        await asyncio.sleep(0.01)
        assert not client._open


async def test_an_idle_connection_is_not_trusted_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    async with serving(lambda number: PLAIN) as (client, _):
        await client.post(b"{}", 5)
        (first,) = client._open
        monkeypatch.setattr(transport, "IDLE_S", -1.0)
        await client.post(b"{}", 5)
        await asyncio.sleep(0.01)
        assert first not in client._open and len(client._open) == 1


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/v1", "http://[::1]:1/v1", "http://nowhere.invalid/v1"])
async def test_nobody_there_is_said_so(url: str) -> None:
    with pytest.raises(UnreachableError):
        await Transport(url, {}).post(b"{}", 5)


@pytest.mark.parametrize("url", ["http://:80/v1", "http://host:99999/v1", "http:///v1", "http://[::1/v1"])
def test_an_address_that_names_no_place_is_refused(url: str) -> None:
    with pytest.raises(UnreachableError):
        Transport(url, {})


@pytest.mark.parametrize("headers", [{"authorization": "Bearer a\r\nx: y"}, {"x": "\n"}])
def test_no_header_can_end_its_line(headers: dict[str, str]) -> None:
    with pytest.raises(UnreachableError):
        Transport("http://127.0.0.1:1/v1", headers)


async def test_a_name_and_password_in_the_address_are_sent() -> None:
    assert b"authorization: Basic bWU6cHc=" in Transport("http://me:pw@127.0.0.1:1/v1", {})._head


async def test_a_query_in_the_address_cannot_break_the_request_line() -> None:
    head = Transport("http://127.0.0.1:1/a b/v1?x=1 HTTP/1.0", {})._head
    assert head.startswith(b"POST /a%20b/v1?x=1%20HTTP/1.0 HTTP/1.1\r\n")


@pytest.mark.skipif(shutil.which("openssl") is None, reason="a certificate has to be made")
async def test_over_tls_the_servers_name_is_checked(tmp_path: Path) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    made = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
    made += ["-addext", "subjectAltName=DNS:localhost", "-keyout", str(key), "-out", str(certificate)]
    await (await asyncio.create_subprocess_exec(*made, stderr=asyncio.subprocess.DEVNULL)).wait()
    mine, theirs = ssl.create_default_context(cafile=str(certificate)), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    theirs.load_cert_chain(certificate, key)
    async with serving(lambda number: PLAIN, tls=theirs) as (plain, _):
        port = plain._port
        trusting = Transport(f"https://localhost:{port}/v1", {})
        trusting._ssl = mine
        assert (await trusting.post(b"{}", 5)).body == b"hello"
        assert (await trusting.post(b"{}", 5)).body == b"hello" and len(trusting._open) == 1
        await trusting.aclose()
        for url in (f"https://localhost:{port}/v1", f"https://127.0.0.1:{port}/v1"):
            doubting = Transport(url, {})
            if "127" in url:
                doubting._ssl = mine  # the right certificate for another name
            with pytest.raises(UnreachableError, match="certificate"):
                await doubting.post(b"{}", 5)
        await asyncio.sleep(0.05)


@pytest.fixture
async def proxy(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A proxy that answers itself, and what it was asked."""
    asked: list[tuple[str, str, bytes]] = []

    async def serve(request: web.Request) -> web.Response:
        asked.append((str(request.raw_path), request.headers.get("authorization", ""), await request.read()))
        return web.Response(status=429, headers={"retry-after": "7"}, body=b'{"error": {"message": "slow down"}}')

    runner = web.AppRunner(web.Application(), access_log=None)
    runner.app.router.add_route("*", "/{tail:.*}", serve)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    address = "http://{}:{}".format(*runner.addresses[0])
    for name in ("http_proxy", "HTTP_PROXY"):
        monkeypatch.setenv(name, address)
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.setenv(name, "inside.invalid")
    yield asked
    await runner.cleanup()


async def test_the_proxy_that_the_environment_names_is_used(proxy: Any) -> None:
    client = posting("http://model.invalid/v1/chat/completions", {"authorization": "Bearer k"})
    try:
        answer = await client.post(b'{"model": "m"}', 5)
    finally:
        await client.aclose()
    assert (answer.status, answer.headers["retry-after"]) == (429, "7") and b"slow down" in answer.body
    assert proxy == [("http://model.invalid/v1/chat/completions", "Bearer k", b'{"model": "m"}')]


@pytest.mark.parametrize("url", ["http://inside.invalid/v1", "http://localhost:8000/v1", "http://127.0.0.1:8000/v1"])
def test_servers_that_need_no_proxy_are_reached_without(proxy: Any, url: str) -> None:
    assert isinstance(posting(url, {}), Transport)


async def test_a_proxy_that_is_not_there_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    client = posting("http://model.invalid/v1", {})
    with pytest.raises(UnreachableError, match="proxy"):
        await client.post(b"{}", 5)
    await client.aclose()


async def test_no_password_of_an_address_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    endpoint = Endpoint("m", "http://bob:s3cret@127.0.0.1:9/v1")
    with pytest.raises(RetryableError) as caught:
        await endpoint.complete(Request("a", "judge", "openai:m", [{"role": "user", "content": "x"}]))
    assert "127.0.0.1:9" in str(caught.value) and "s3cret" not in str(caught.value)
    monkeypatch.setenv("http_proxy", "http://bob:s3cret@127.0.0.1:9")
    client = posting("http://model.invalid/v1", {})
    with pytest.raises(UnreachableError) as told:
        await client.post(b"{}", 5)
    await client.aclose()
    assert "s3cret" not in str(told.value)


def test_an_answer_in_a_million_pieces_is_read_once_and_takes_no_more_memory_than_it_holds() -> None:
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    buffer, started, largest = bytearray(head), time.process_time(), 0
    for _ in range(60):
        buffer += b"1;extension=so-long-that-it-adds-up\r\nx\r\n" * 1700
        assert read_answer(buffer, ended=False) is None
        largest = max(largest, len(buffer))
    assert largest < 300_000
    buffer += b"0\r\n\r\n"
    found = read_answer(buffer, ended=False)
    assert found is not None and found[0].body == b"x" * 60 * 1700
    assert time.process_time() - started < 10


def test_heads_in_between_do_not_pile_up() -> None:
    buffer = bytearray()
    for _ in range(1000):
        buffer += b"HTTP/1.1 100 Continue\r\n\r\n"
        assert read_answer(buffer, ended=False) is None
    assert len(buffer) < 100
