"""Who may call at all."""

import contextlib
import os
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from agentinstruct.agents.errors import SetupError
from agentinstruct.server.keys import VARIABLE, new_key, server_keys
from tests.server.conftest import Served, running

PROTECTED = ["/", "/info", "/metrics", "/docs", "/openapi.json", "/assistants/x", "/mcp", "/datasets/x", "/ui/x"]


@pytest.fixture(autouse=True)
def read_anew() -> None:
    server_keys.cache_clear()


def test_a_key_tells_its_user_and_the_server_keeps_no_key(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (key, line), (other, second) = new_key("alice"), new_key("alice")
    (tmp_path / "keys").write_text(f"# of the team\n{line}\n\n{second}\n")
    for value in (f"{line},{second}", str(tmp_path / "keys")):
        monkeypatch.setenv(VARIABLE, value)
        server_keys.cache_clear()
        keys = server_keys()
        assert keys and keys.user_of(key) == keys.user_of(other) == "alice"
        assert not keys.user_of("") and not keys.user_of(key[:-1]) and not keys.user_of(line.split(":")[1])
        assert key not in repr(keys) and key not in value


@pytest.mark.parametrize("value", ["alice", "alice:secret", "/no/such/file", "#", "a.b:" + "0" * 64])
def test_a_list_of_keys_that_is_none_stops_the_server(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv(VARIABLE, value)
    with pytest.raises(SetupError, match=VARIABLE) as raised:
        server_keys()
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize("user", ["", "a b", "a:b", "../a", "x" * 65])
def test_a_name_that_cannot_be_written_is_refused(user: str) -> None:
    with pytest.raises(SetupError, match="no user name"):
        new_key(user)


@pytest.mark.parametrize("headers", [{}, {"x-api-key": "ai-x"}, {"x-auth-scheme": "langsmith"}, {"authorization": "x"}])
def test_nobody_unknown_is_served(server: Served, headers: dict[str, str]) -> None:
    with server.http() as http:
        assert http.get("/ok", headers=headers).json()["ok"]
        for path in PROTECTED:
            assert http.get(path, headers=headers).status_code == 401, path
        for path in ("/threads", "/runs/wait", "/runs/stream", "/assistants/search", "/store/items/search", "/a2a/x"):
            answer = http.post(path, json={}, headers=headers)
            assert answer.status_code == 401 and "x-api-key" in answer.text, path


def test_a_key_is_taken_from_either_header(server: Served) -> None:
    with server.http() as http:
        for headers in ({"x-api-key": server.keys["bob"]}, {"authorization": f"Bearer {server.keys['bob']}"}):
            assert http.post("/assistants/search", json={}, headers=headers).status_code == 200


@pytest.mark.parametrize("path", ["/deploy", "/internal/truncate", "/internal/debug/thread/x"])
def test_what_only_a_developer_may_do_is_not_there(server: Served, path: str) -> None:
    with server.http("alice") as http:
        assert http.post(path, json={}).status_code == http.get(path).status_code == 404


def test_a_server_at_a_prefix_closes_the_same_doors(tmp_path: Path, keyed: tuple[dict[str, str], str]) -> None:
    keys, lines = keyed
    with (
        running(tmp_path, keys, AGENTINSTRUCT_SERVER_KEYS=lines, MOUNT_PREFIX="/made") as served,
        contextlib.ExitStack() as stack,
    ):
        alice, bob, nobody = (stack.enter_context(served.http(user)) for user in ("alice", "bob", ""))
        thread = alice.post("/made/threads", json={}).json()["thread_id"]
        assert alice.get(f"/made/threads/{thread}").is_success and nobody.get("/made/ok").is_success
        for path in ("/deploy", "/internal/truncate", f"/internal/debug/thread/{thread}", "/profile"):
            for user in (alice, bob):
                assert user.get(f"/made{path}").status_code == user.post(f"/made{path}").status_code == 404, path
        assert bob.get(f"/made/threads/{thread}").status_code == 404
        assert nobody.get("/made/info").status_code == nobody.get("/made/models").status_code == 401


def test_without_keys_a_server_serves_its_own_machine_alone(tmp_path: Path) -> None:
    with running(tmp_path, {}) as served, served.http() as http:
        assert http.post("/assistants/search", json={}).status_code == 200
        studio = {"origin": "https://smith.langchain.com"}
        assert http.post("/assistants/search", json={}, headers=studio).status_code == 200
        for headers in (
            {"host": "rebound.example"},
            {"host": "a.tunnel.example:443"},
            {"origin": "https://evil.example"},
            {"host": "["},
            {"origin": "https://["},
        ):
            answer = http.post("/assistants/search", content="{}", headers=headers)
            assert answer.status_code == 403 and VARIABLE in answer.text, headers
        assert http.post("/runs/wait", content=b"x" * 9_000_000).status_code == 413


def test_a_server_without_keys_serves_no_socket_file(tmp_path: Path) -> None:
    """Who is at its other end is not known: a proxy for everybody, perhaps."""
    socket = str(tmp_path / "server.sock")
    command = [sys.executable, "-m", "uvicorn", "agentinstruct.server.app:app", "--uds", socket]
    with subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True) as served:
        try:
            assert served.stderr and any("running on" in line for line in served.stderr)
            with httpx.Client(transport=httpx.HTTPTransport(uds=socket), base_url="http://localhost") as http:
                answer = http.get("/models")
                assert answer.status_code == 403 and VARIABLE in answer.text
        finally:
            served.terminate()


def test_keys_that_cannot_be_read_stop_the_start() -> None:
    given = os.environ | {VARIABLE: "/no/such/file"}
    started = subprocess.run([sys.executable, "-c", "import agentinstruct.server.app"], env=given, capture_output=True)
    assert started.returncode and f"{VARIABLE}: neither" in started.stderr.decode()
