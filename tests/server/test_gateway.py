"""One gateway for all runs of a server, whatever loops they run in; and no key of a provider anywhere."""

import base64
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.server.conftest import PROVIDER_KEY, SEED, Served, run, running


def texts(server: Served) -> str:
    """Everything that the server keeps and logs."""
    kept = [path.read_bytes().decode("latin-1") for path in server.folder.rglob("*") if path.is_file()]
    return "\n".join(kept)


def secrets(server: Served) -> list[str]:
    plain = [PROVIDER_KEY, *server.keys.values()]
    return plain + [base64.b64encode(one.encode()).decode().rstrip("=")[:-1] for one in plain]


@pytest.mark.parametrize("isolated", ["true", "false"])
def test_calls_and_money_are_bounded_over_all_runs(
    tmp_path: Path, keyed: tuple[dict[str, str], str], shared_openai_server: Any, isolated: str
) -> None:
    keys, lines = keyed
    model = shared_openai_server(latency="fixed:0.1")
    given = {
        "AGENTINSTRUCT_SERVER_KEYS": lines,
        "AGENTINSTRUCT_MODEL": "openai:mock",
        "OPENAI_BASE_URL": model.base_url,
        "BG_JOB_ISOLATED_LOOPS": isolated,
        "AGENTINSTRUCT_SERVER_LIMITS": "concurrency=3,calls=40",
    }
    with running(tmp_path, keys, **given) as server, server.http("alice") as http, ThreadPoolExecutor(8) as pool:

        def one(number: int) -> Any:
            text = f"{SEED['seed']['text']} Note {number}."
            return http.post("/runs/wait", json=run(seed={"seed": {"text": text}})).json()

        states = list(pool.map(one, range(8)))
        while not any("__error__" in state for state in states):
            states += pool.map(one, range(len(states), len(states) + 8))
        refusals = {state["__error__"]["message"] for state in states if "__error__" in state}
        assert all("40 of 40 calls spent" in words for words in refusals), refusals
        counted = model.stats()
        assert counted["max_in_flight"] == 3 and counted["requests"] == 40, counted

        model.control(faults={"401": 1}, reset=True)
        everything = texts(server) + str(states)
        assert "Albedo" in everything and not [one for one in secrets(server) if one in everything]


def test_a_provider_that_refuses_the_key_is_told_without_it(
    tmp_path: Path, keyed: tuple[dict[str, str], str], shared_openai_server: Any
) -> None:
    keys, lines = keyed
    model = shared_openai_server(faults={"401": 1})
    given = {
        "AGENTINSTRUCT_SERVER_KEYS": lines,
        "AGENTINSTRUCT_MODEL": "openai:mock",
        "OPENAI_BASE_URL": model.base_url,
        "LOG_LEVEL": "debug",
    }
    with running(tmp_path, keys, **given) as server, server.http("alice") as http:
        thread = http.post("/threads", json={}).json()["thread_id"]
        answers = [http.post(f"/threads/{thread}/runs/wait", json=run()).text]
        answers += [http.post("/runs/stream", json=run(stream_mode=["values", "debug", "events"])).text]
        answers += [http.get(f"/threads/{thread}/{what}").text for what in ("state", "history", "runs")]
        answers += [http.get(path).text for path in ("/info", "/metrics", f"/threads/{thread}")]
        assert "401" in answers[0] and "AGENTINSTRUCT" not in answers[0]
        everything = texts(server) + str(answers)
    everything += texts(server)
    assert not [one for one in secrets(server) if one in everything]
