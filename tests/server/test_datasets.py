"""Datasets as background jobs, by the server's own routes."""

import json
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.server.conftest import ROOT, Served, run, running

SEEDS = ROOT / "examples" / "seeds"
DOCUMENTS = [
    {"text": (SEEDS / "albedo.md").read_text(), "title": "Albedo", "licence": "CC-BY-SA-4.0"},
    {"text": (SEEDS / "bisect.py").read_text(), "format": "python", "source": "../../../etc/passwd"},
]
SETTINGS = {"skills": "text_modification,coding", "most_seeds": 3, "rounds": 1, "categories_per_seed": 1}


def started(http: httpx.Client, **settings: Any) -> str:
    answer = http.post("/datasets", json={"documents": DOCUMENTS, "settings": SETTINGS | settings})
    assert answer.status_code == 202, answer.text
    its: str = answer.json()["dataset_id"]
    return its


def ended(http: httpx.Client, its: str) -> dict[str, Any]:
    deadline = time.monotonic() + 30
    while (told := http.get(f"/datasets/{its}").json())["status"] in ("pending", "running"):
        assert time.monotonic() < deadline, told
        time.sleep(0.3)
    return told


def test_documents_become_a_dataset(server: Served) -> None:
    with server.http("alice") as http, server.http("bob") as bob:
        its = started(http)
        told = ended(http, its)
        assert told["status"] == "success" and told["done"] == told["of"] > 0 and not told["errors"]
        assert set(told["summary"]["skills"]) <= {"text_modification", "coding"}
        pages = [http.get(f"/datasets/{its}/records", params={"offset": at, "limit": 2}) for at in (0, 2, 1000)]
        assert all(page.headers["content-type"] == "application/x-ndjson" for page in pages)
        assert all(page.headers["x-total"] == str(told["records"]) for page in pages) and told["records"] > 3
        first, second, none = [[json.loads(line) for line in page.text.splitlines()] for page in pages]
        assert len(first) == len(second) == 2 and not none and first[0]["id"] != second[0]["id"]
        assert first[0]["messages"][-1]["role"] == "assistant" and first[0]["licence"] and "root:x" not in pages[0].text
        assert (
            its in [one["dataset_id"] for one in http.get("/datasets").json()] and its not in bob.get("/datasets").text
        )
        for path in (f"/datasets/{its}", f"/datasets/{its}/records"):
            assert bob.get(path).status_code == 404
        for path in (f"/datasets/{its}/cancel", f"/datasets/{its}/resume"):
            assert bob.post(path).status_code == 404
        assert http.post(f"/datasets/{its}/resume").status_code == 409


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        ([], 422, "object"),
        ({}, 422, "documents"),
        ({"documents": DOCUMENTS, "folder": "/etc"}, 422, "folder"),
        ({"documents": DOCUMENTS, "settings": {"model": "openai:gpt-9"}}, 422, "not offered"),
        ({"documents": DOCUMENTS, "settings": {"base_url": "http://10.0.0.1"}}, 422, "base_url"),
        ({"documents": DOCUMENTS, "settings": {"review": True}}, 422, "review"),
        ({"documents": [{"text": "x" * 1_100_000}]}, 413, "1,000,000 at most"),
        ({"documents": [{"text": "x"}] * 201}, 413, "200 at most"),
        ({"documents": []}, 422, "documents: List should have at least 1 item"),
        ({"documents": "x"}, 422, "a text alone"),
        ({"documents": [{"text": "x"}, {"text": ""}]}, 422, "documents.1.text: String should have at least 1"),
        ({"documents": [{"text": "x", "format": "klingon"}]}, 422, "documents.0.format: Input should be 'text', "),
        ({"documents": DOCUMENTS, "settings": [["rounds", 9]]}, 422, "settings: give an object"),
    ],
)
def test_what_is_refused_leaves_nothing(server: Served, body: Any, status: int, words: str) -> None:
    with server.http("bob") as http:
        answer = http.post("/datasets", json=body)
        assert answer.status_code == status and words in answer.json()["detail"]
        assert http.get("/datasets").json() == []


def test_as_many_documents_as_are_allowed_are_taken(server: Served) -> None:
    with server.http("alice") as http:
        body = {"documents": DOCUMENTS[:1] * 200, "settings": SETTINGS | {"most_seeds": 1}}
        its = http.post("/datasets", json=body).json()["dataset_id"]
        assert ended(http, its)["status"] == "success"


def test_a_dataset_says_why_it_failed(server: Served) -> None:
    with server.http("alice") as http:
        thread = http.post("/threads", json={"metadata": {"agentinstruct": "dataset"}}).json()["thread_id"]
        http.post(f"/threads/{thread}/runs", json={"assistant_id": "teacher", "input": {"documents": [{"text": ""}]}})
        for its, words in ((thread, "documents.0.text"), (started(http, skills="cooking"), "no skill 'cooking'")):
            told = ended(http, its)
            assert told["status"] == "error" and words in told["errors"][0]


def test_numbers_and_names_that_are_none(server: Served) -> None:
    with server.http("alice") as http:
        assert http.get("/datasets/../../etc/passwd").status_code == 404
        assert http.get("/datasets/00000000-0000-4000-8000-000000000000").status_code == 404
        its = started(http)
        assert http.get(f"/datasets/{its}/records", params={"offset": "-1"}).status_code == 422
        ended(http, its)


def test_a_job_is_stopped_outlives_a_restart_and_goes_on(
    tmp_path: Path, keyed: tuple[dict[str, str], str], shared_openai_server: Any
) -> None:
    """Also the bound on jobs at once, begun or resumed, and a job that was stopped before it began."""
    keys, lines = keyed
    slow = shared_openai_server(latency="fixed:0.3")
    given = {
        "AGENTINSTRUCT_SERVER_KEYS": lines,
        "AGENTINSTRUCT_MODEL": "openai:mock",
        "OPENAI_BASE_URL": slow.base_url,
        "AGENTINSTRUCT_SERVER_LIMITS": "datasets=1",
    }
    with running(tmp_path, keys, **given) as served, served.http("alice") as http:
        its = started_once(http, at_once=1, most_seeds=2, rounds=0)
        deadline = time.monotonic() + 30
        while not (told := http.get(f"/datasets/{its}").json())["done"]:
            assert told["status"] in ("pending", "running") and time.monotonic() < deadline, told
            time.sleep(0.3)
        assert http.post(f"/datasets/{its}/cancel").json() == {"dataset_id": its, "status": "cancelled"}
        before = ended(http, its)
        assert before["status"] == "interrupted" and before["done"] < before["of"]
        unbegun = stopped_before_it_began(served)
    slow.control(latency="fixed:0")
    with running(tmp_path, keys, **given) as served, served.http("alice") as http:
        assert ended(http, its)["done"] == before["done"]
        with ThreadPoolExecutor(2) as pool:
            resumed = list(pool.map(lambda one: http.post(f"/datasets/{one}/resume").status_code, (its, unbegun)))
        assert sorted(resumed) == [202, 429]
        first, second = (its, unbegun) if resumed[0] == 202 else (unbegun, its)
        ended(http, first)
        assert http.post(f"/datasets/{second}/resume").status_code == 202
        ended(http, second)
        for one, of in ((its, before["of"]), (unbegun, 1)):
            told = http.get(f"/datasets/{one}").json()
            assert told["status"] == "success" and told["done"] == told["of"] == of, told


def started_once(http: httpx.Client, **settings: Any) -> str:
    """The one dataset that is begun of several asked for at once."""
    body = {"documents": DOCUMENTS, "settings": SETTINGS | settings}
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: http.post("/datasets", json=body), range(8)))
    (its,) = [answer.json()["dataset_id"] for answer in answers if answer.status_code == 202]
    full = [answer for answer in answers if answer.status_code == 429]
    assert len(full) == 7 and all("wait for one" in answer.json()["detail"] for answer in full)
    return str(its)


def stopped_before_it_began(served: Served) -> str:
    """A dataset that was cancelled while other runs had all workers."""
    with served.http("bob") as bob, served.http("alice") as alice:
        for _ in range(8):
            assert bob.post("/runs", json=run()).is_success
        its = started(alice, skills="text_modification", most_seeds=1)
        assert alice.post(f"/datasets/{its}/cancel").is_success
        told = ended(alice, its)
        assert told["status"] == "interrupted" and told["of"] == 0
        return its
