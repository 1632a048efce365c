"""One gateway for all runs of a server, whatever loops they run in; and no key of a provider anywhere."""

import base64
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from tests.conftest import OpenAIServer
from tests.server.conftest import PROVIDER_KEY, SEED, Served, run, running


def test_calls_and_money_are_bounded_over_all_runs(
    tmp_path: Path, keyed: tuple[dict[str, str], str], shared_openai_server: Any
) -> None:
    """Where every worker has a loop and a thread of its own."""
    keys, lines = keyed
    model = shared_openai_server(latency="fixed:0.1")
    given = {
        "AGENTINSTRUCT_SERVER_KEYS": lines,
        "AGENTINSTRUCT_MODEL": "openai:mock",
        "OPENAI_BASE_URL": model.base_url,
        "BG_JOB_ISOLATED_LOOPS": "true",
        "AGENTINSTRUCT_SERVER_LIMITS": "concurrency=3,calls=40,runs=50",
    }
    with running(tmp_path, keys, **given) as server, server.http("alice") as http, ThreadPoolExecutor(8) as pool:

        def one(number: int) -> Any:
            text = f"{SEED['seed']['text']} Note {number}."
            return http.post("/runs/wait", json=run(seed={"seed": {"text": text}})).json()

        states = list(pool.map(one, range(8)))
        while not any("__error__" in state for state in states):
            states += pool.map(one, range(len(states), len(states) + 8))
        beyond = [http.post("/runs", json=run()) for _ in range(60)]
        assert beyond[0].is_success and beyond[-1].status_code == 429 and "50 runs a minute" in beyond[-1].text
    refusals = {state["__error__"]["message"] for state in states if "__error__" in state}
    assert all("40 of 40 calls spent" in words for words in refusals), refusals
    counted = model.stats()
    assert counted["max_in_flight"] == 3 and counted["requests"] == 40, counted


def test_no_key_is_in_what_the_server_gives_keeps_or_logs(server: Served, refusing: OpenAIServer) -> None:
    with server.http("alice") as http:
        thread = http.post("/threads", json={}).json()["thread_id"]
        body = run({"model": "openai:refusing"})
        assert [one["model"] for one in http.get("/models").json()] == ["scripted", "openai:refusing"]
        answers = [http.post(f"/threads/{thread}/runs/wait", json=body).text, http.get("/models").text]
        answers += [http.post("/runs/stream", json=body | {"stream_mode": ["values", "debug", "events"]}).text]
        answers += [http.get(f"/threads/{thread}/{what}").text for what in ("state", "history", "runs")]
        answers += [http.get(path).text for path in ("/info", "/metrics", f"/threads/{thread}")]
        assert "401" in answers[0] and refusing.stats()["requests"]
    everything = kept(server) + str(answers)
    assert "Albedo" in everything and thread in everything
    plain = [PROVIDER_KEY, *server.keys.values()]
    coded = [base64.b64encode(one.encode()).decode().rstrip("=")[:-1] for one in plain]
    assert not [one for one in plain + coded if one in everything]


def kept(server: Served) -> str:
    """Everything that the server logs, and keeps when it has next written down what it holds (every ten seconds)."""
    asked, deadline = time.time_ns(), time.monotonic() + 60
    while not any(path.stat().st_mtime_ns > asked for path in (server.folder / ".langgraph_api").iterdir()):
        assert time.monotonic() < deadline, "the server keeps nothing"
        time.sleep(0.5)
    time.sleep(1)
    files = [path for path in server.folder.rglob("*") if path.is_file()]
    return "\n".join(path.read_bytes().decode("latin-1") for path in files)
