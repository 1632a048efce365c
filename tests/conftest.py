"""What all tests share: no connection leaves this machine, and a server that speaks the OpenAI protocol."""

import ipaddress
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.request import ProxyHandler, Request, build_opener

import pytest

try:
    import uvloop
except ImportError:
    uvloop = None

ROOT = Path(__file__).parents[1]
MOCK_SERVER = ROOT / "benchmarks" / "mock_server.py"


def pytest_addoption(parser: pytest.Parser) -> None:
    """How often a run is killed, for those who have the time: `make test ARGS="tests/run/test_kill.py --kills 50"`."""
    parser.addoption("--kills", type=int, default=22)


@dataclass(frozen=True, slots=True)
class OpenAIServer:
    """A running benchmarks/mock_server.py. `base_url` ends in /v1, as clients want it."""

    base_url: str
    process: subprocess.Popen[str]

    def stats(self) -> dict[str, Any]:
        """The counts so far; see the server's module docstring."""
        return self._ask("stats")

    def control(self, **settings: Any) -> dict[str, Any]:
        """Change options by name (`faults={"429": 1}`, `down=True`, `reset=True`); returns all of them."""
        return self._ask("control", settings)

    def _ask(self, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        data = None if body is None else json.dumps(body).encode()
        request = Request(f"{self.base_url.removesuffix('/v1')}/{path}", data=data)
        with build_opener(ProxyHandler({})).open(request, timeout=10) as answer:
            return json.loads(answer.read())

    def stop(self) -> int:
        """End the server; its exit status, 0 unless it broke."""
        if self.process.poll() is None:
            self.process.terminate()
        try:
            return self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()


def command_line(options: dict[str, Any]) -> list[str]:
    """Options as the command line wants them: True is a flag, a dict is name=value pairs, a list repeats."""
    out: list[str] = []
    for name, value in options.items():
        flag = f"--{name.replace('_', '-')}"
        if isinstance(value, dict):
            value = ",".join(f"{key}={share}" for key, share in value.items())
        for one in value if isinstance(value, list) else [value]:
            out += [flag] if one is True else [f"{flag}={one}"]
    return out


def servers() -> Iterator[Callable[..., OpenAIServer]]:
    started: list[OpenAIServer] = []

    def start(**options: Any) -> OpenAIServer:
        command = [sys.executable, str(MOCK_SERVER), "--parent", str(os.getpid()), *command_line(options)]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        started.append(OpenAIServer(process.stdout.readline().strip(), process))
        assert started[-1].base_url, "the server did not start; its message stands above"
        return started[-1]

    yield start
    statuses = []
    for server in started:
        with server.process:
            statuses.append(server.stop())
    assert not any(statuses), f"a server ended by itself or badly: exit statuses {statuses}"


@pytest.fixture
def openai_server() -> Iterator[Callable[..., OpenAIServer]]:
    """Start servers: `openai_server(latency="fixed:0.1", no_tools=True, poison=["X=500"])`; they end with the test."""
    yield from servers()


@pytest.fixture(scope="module")
def shared_openai_server() -> Iterator[Callable[..., OpenAIServer]]:
    """The same for servers that a module's tests share."""
    yield from servers()


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


@contextmanager
def langgraph_dev(folder: Path, workers: int, **settings: str) -> Iterator[str]:
    """The address of a `langgraph dev` that serves a copy of langgraph.json and logs to server.log in its folder."""
    shutil.copy(ROOT / "langgraph.json", folder)
    port, log = free_port(), folder / "server.log"
    command = [str(Path(sys.executable).with_name("langgraph")), "dev", "--no-browser", "--no-reload"]
    command += ["--port", str(port), "--n-jobs-per-worker", str(workers)]
    given = {
        "LANGSMITH_TRACING": "false",
        "LANGGRAPH_NO_VERSION_CHECK": "true",
        "LANGGRAPH_STRICT_MSGPACK": "true",
        **settings,
    }
    with log.open("ab") as output:
        process = subprocess.Popen(
            command, cwd=folder, env=os.environ | given, stdout=output, stderr=output, start_new_session=True
        )
    try:
        deadline = time.monotonic() + 60
        while not healthy(f"http://127.0.0.1:{port}"):
            assert process.poll() is None and time.monotonic() < deadline, log.read_text()
            time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
    finally:
        end(process)


def healthy(url: str) -> bool:
    try:
        with build_opener(ProxyHandler({})).open(f"{url}/ok", timeout=1) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def end(process: subprocess.Popen[bytes]) -> None:
    """End a process and all that it started."""
    if process.poll() is not None:
        return
    os.killpg(process.pid, signal.SIGTERM)
    try:
        process.wait(15)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def is_local(address: Any) -> bool:
    """Whether a socket address is this machine's own: a loopback number, localhost, or no host and port at all."""
    if not isinstance(address, tuple):
        return True
    try:
        return ipaddress.ip_address(address[0].partition("%")[0]).is_loopback
    except ValueError:
        return address[0] == "localhost"


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Fail every test that opens a connection to another machine, even if the code under test swallows the error."""
    refused: list[Any] = []

    def check(address: Any) -> None:
        if not is_local(address):
            refused.append(address)
            raise ConnectionRefusedError(f"tests open no connection to {address}")

    def guarded(real: Callable[..., Any]) -> Callable[..., Any]:
        def connect(sock: socket.socket, address: Any) -> Any:
            check(address)
            return real(sock, address)

        return connect

    for name in ("connect", "connect_ex"):
        monkeypatch.setattr(socket.socket, name, guarded(getattr(socket.socket, name)))
    if uvloop is not None:
        guard_uvloop(monkeypatch, check)
    yield
    assert not refused, f"the test opened connections to {refused}"


def guard_uvloop(monkeypatch: pytest.MonkeyPatch, check: Callable[[Any], None]) -> None:
    """uvloop connects by host below Python's sockets; all else goes through `socket.connect`."""
    real = uvloop.Loop.create_connection

    async def create_connection(self: Any, factory: Any, host: Any = None, port: Any = None, **options: Any) -> Any:
        check(None if host is None else (host, port))
        return await real(self, factory, host, port, **options)

    monkeypatch.setattr(uvloop.Loop, "create_connection", create_connection)
