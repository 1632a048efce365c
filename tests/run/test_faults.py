"""The fault matrix: whole runs against a server that is as bad as servers get. The numbers are the rows of the plan.

Of every row must hold what the fixture `intact` asserts; what else holds stands here.
"""

import json
import re
import threading
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest

from agentinstruct.agents.errors import ProviderDown
from agentinstruct.agents.gateway import Request
from agentinstruct.agents.models import Endpoints
from agentinstruct.agents.scripted import ScriptedModel, scripted_reply
from agentinstruct.agents.skill import load_skill
from agentinstruct.graphs.state import Context
from agentinstruct.run.execute import Finished, execute
from agentinstruct.run.plan import RunConfig, Work, work_for
from agentinstruct.seeds import SeedOptions, read_seeds
from agentinstruct.tools.embeddings import EmbeddingsError, embeddings

DOCUMENTS = Path(__file__).parents[2] / "examples" / "seeds"
KEY = "sk-never-to-be-seen-5f2a91"
SKILLS = ("reading_comprehension", "text_modification")


@pytest.fixture
def config(seeds: Path, tmp_path: Path) -> Any:
    """The settings of a run against a server."""

    def make(server: Any, out: str = "out", **more: Any) -> RunConfig:
        endpoints = Endpoints(server.base_url, more.pop("api_key", KEY), timeout_s=more.pop("timeout_s", 20))
        # One solver: of several the requests are alike, and the server would count every second one as a repeat.
        context = Context(model="openai:any", verify="annotate", solvers=1)
        more = {"embeddings": "none", "retry_pause": 0.05, **more}
        return RunConfig((str(seeds),), tmp_path / out, SKILLS, context, endpoints=endpoints, **more)

    return make


@pytest.fixture
def work(seeds: Path) -> list[Work]:
    skills = [load_skill(name) for name in SKILLS]
    return [one for seed in read_seeds([str(seeds)], SeedOptions()) for one in work_for(seed, skills, 0)]


async def completed(config: RunConfig, sittings: int = 3) -> Finished:
    """The run, given again while something waits for another try."""
    for _ in range(sittings):
        finished = await execute(config)
        if not finished.progress.failed:
            break
    assert not finished.progress.failed, finished.progress.trouble
    return finished


@pytest.fixture
async def calm(config: Any, openai_server: Any, intact: Any, work: list[Work]) -> Any:
    """The dataset of a run to which nothing happens."""
    server = openai_server()
    await completed(config(server, "calm"))
    return intact(config(server, "calm").out, work, server)


PASSING = {
    "1 rate limits in four dialects": "429=.1,429_ms=.1,429_bare=.1",
    "5 failing servers": "500=.1,502=.1,503=.05,529=.05,408=.05",
    "9 cut connections": "reset=.08,reset_body=.08,eof=.08,truncated=.08,garbage=.05",
    "10 answers that are none": "invalid_json=.1,html=.07,bad_utf8=.07,no_choices=.07,null_message=.07,no_usage=.1",
    "8 answers that do not come": "timeout=.08,slow=.08,drip=.08",
    "3 tokens a minute": "tpm=400000",
    "2 calls at once": "max_concurrent=3",
}


@pytest.mark.parametrize("row", PASSING)
async def test_what_passes_leaves_no_trace(
    row: str, config: Any, openai_server: Any, intact: Any, work: list[Work], calm: Any
) -> None:
    name, _, value = PASSING[row].partition("=")
    limits = {name: value} if name in ("tpm", "max_concurrent") else {"faults": PASSING[row]}
    server = openai_server(latency="lognormal:0.02,0.5", retry_after=0.1, slow_s=3, **limits)
    began = time.monotonic()
    await completed(config(server, timeout_s=1))
    dataset = intact(config(server).out, work, server)
    assert sum(server.stats()["by_fault"].values()) >= 2 or "faults" not in limits
    assert dataset.contents == calm.contents, "I3"
    assert Counter(row["reason"] for row in dataset.dropped) == Counter(row["reason"] for row in calm.dropped)
    assert time.monotonic() - began < 120, "I9"


@pytest.mark.parametrize("fault", ["429", "429_date"])
async def test_1_nothing_is_sent_while_the_server_asks_for_a_pause(
    fault: str, config: Any, openai_server: Any, work: list[Work], intact: Any, tmp_path: Path
) -> None:
    log, pause = tmp_path / "requests.jsonl", 1.0
    server = openai_server(faults={fault: 0.07}, retry_after=pause, log=log)
    await completed(config(server, max_concurrency=4))
    intact(config(server).out, work, server)
    seen = [json.loads(line) for line in log.read_text().splitlines()]
    refused = [one["time"] for one in seen if one["status"] == "429"]
    assert refused
    for moment in refused:  # what was under way may still arrive; a date has whole seconds
        assert not [one for one in seen if moment + 0.4 < one["time"] < moment + pause - 0.05]


STOPPING = {
    "4 no quota": ({"faults": {"quota": 1}}, "quota"),
    "4 a wrong key": ({"key": "another"}, "OPENAI_API_KEY"),
    "4 not allowed": ({"faults": {"403": 1}}, "OPENAI_API_KEY"),
    "4 no such model": ({"models": "another"}, "model's name"),
}


@pytest.mark.parametrize("row", STOPPING)
async def test_what_cannot_pass_stops_the_run_at_once_and_it_goes_on_when_mended(
    row: str, config: Any, openai_server: Any, intact: Any, work: list[Work]
) -> None:
    settings, words = STOPPING[row]
    server = openai_server(latency="0.02")
    server.control(**settings)
    began = time.monotonic()
    with pytest.raises(ProviderDown, match=re.escape(words)):
        await execute(config(server))
    assert time.monotonic() - began < 20
    assert server.stats()["requests"] <= len(work), "no storm of retries"
    server.control(faults={}, key="", models="", reset=True)
    await completed(config(server))
    intact(config(server).out, work, server)


def outage(server: Any, calls: int, seconds: float, counted: list[int]) -> None:
    """Cut every connection once so many calls were answered, for so long."""
    while server.stats()["answered_ok"] < calls:
        time.sleep(0.005)
    server.control(down=True)
    before = server.stats()["requests"]
    time.sleep(seconds)
    counted.append(server.stats()["requests"] - before)
    server.control(down=False)


async def test_6_an_outage_is_waited_out_with_few_requests(
    config: Any, openai_server: Any, intact: Any, work: list[Work], calm: Any, caplog: Any
) -> None:
    server, counted = openai_server(latency="0.05"), list[int]()
    thread = threading.Thread(target=outage, args=(server, 10, 5.0, counted))
    thread.start()
    finished = await execute(config(server))
    thread.join()
    assert finished.progress.failed == 0
    assert counted[0] < 30, "single calls try, the others wait"
    assert intact(config(server).out, work, server).contents == calm.contents
    said = " ".join(record.message for record in caplog.records)
    assert ("does not answer" in said and "answers again" in said) or counted[0] < 8


async def test_7_a_server_that_is_killed_and_comes_back_at_its_address(
    config: Any, openai_server: Any, intact: Any, work: list[Work], calm: Any
) -> None:
    first, started = openai_server(latency="0.05"), list[Any]()

    def restart() -> None:
        while first.stats()["answered_ok"] < 10:
            time.sleep(0.005)
        first.stop()
        time.sleep(3)
        started.append(openai_server(port=first.base_url.split(":")[2].partition("/")[0]))

    thread = threading.Thread(target=restart)
    thread.start()
    finished = await execute(config(first))
    thread.join()
    assert finished.progress.failed == 0
    assert intact(config(first).out, work, started[0]).contents == calm.contents


CONTENT = {
    "11 broken structure": "content_json=.15,fenced=.1,wrong_schema=.15",
    "11 broken tool calls": "content_json=.05,wrong_schema=.1,bad_tool_args=.15,unknown_tool=.1",
    "13 refusals, filters, empty and cut answers": "refusal=.05,refusal_text=.05,empty=.05,null_content=.03,"
    "whitespace=.03,length=.1,filtered=.05",
    "15 degenerate, huge, surrogates": "repeat=.1,huge=.03,surrogate=.15",
    "18 everything": "nasty",
}


@pytest.mark.parametrize("row", CONTENT)
async def test_what_is_wrong_with_answers_costs_drafts_with_their_reasons_and_never_the_run(
    row: str, config: Any, openai_server: Any, intact: Any, work: list[Work]
) -> None:
    only_tools = row.endswith("tool calls")  # are how typed replies are asked for where no schema is taken
    server = openai_server(faults=CONTENT[row], retry_after=0.05, slow_s=3)
    server.control(no_json_schema=only_tools)
    await completed(config(server, timeout_s=2))
    dataset = intact(config(server).out, work, server)
    assert sum(server.stats()["by_fault"].values()) >= 2
    assert {"bad_tool_args", "unknown_tool"} <= {*server.stats()["by_fault"]} or not only_tools
    for record in dataset.records:
        for message in record["messages"]:
            assert message["content"].strip() or message.get("tool_calls")
            assert not message["content"].startswith("I'm sorry, but I can"), "a refusal is no data"
    assert all(one["reason"] and one["stage"] for one in dataset.dropped)


async def test_11_a_reply_that_never_fits_its_schema_names_what_was_wrong(
    config: Any, openai_server: Any, intact: Any, work: list[Work]
) -> None:
    server = openai_server(faults={"wrong_schema": 1})
    await completed(config(server))
    dropped = intact(config(server).out, work, server).dropped
    assert {one["reason"] for one in dropped} <= {"wrong shape", "cut off", "empty reply"}
    assert all(one["detail"] for one in dropped)


async def test_12_items_that_always_fail_are_set_aside_and_the_others_are_done(
    config: Any, openai_server: Any, intact: Any, work: list[Work], calm: Any
) -> None:
    server = openai_server(poison=["glass works=500"])
    finished = await execute(config(server))
    assert finished.progress.failed == len(work) // 2
    assert "HTTP 500" in finished.progress.trouble and "6 attempts" in finished.progress.trouble
    made = intact(config(server).out, work, server)
    assert made.contents == {key: row for key, row in calm.contents.items() if row["source"].endswith("mill.txt")}
    server.control(poison=[])
    await completed(replace(config(server), retry_failed=True))
    assert intact(config(server).out, work, server).contents == calm.contents


async def test_14_what_is_too_long_is_asked_once_and_dropped_with_that_reason(
    config: Any, openai_server: Any, intact: Any, work: list[Work]
) -> None:
    server = openai_server(poison=["glass works=400"], context=1800)
    await completed(config(server))
    dataset = intact(config(server).out, work, server)
    refused = [one for one in dataset.dropped if one["reason"] == "request refused"]
    assert refused and all("HTTP 400" in one["detail"] for one in refused)


class Parrot:
    """Where a run's model comes from: one that writes the same item, and the same answer, whatever the document."""

    by_model, base_url, api_key = {}, "", ""

    def __init__(self) -> None:
        self.said: dict[Any, Any] = {}

    def same(self, request: Request) -> Any:
        return self.said.setdefault((request.role, request.schema_name), scripted_reply(request))

    def open(self, spec: str) -> ScriptedModel:
        return ScriptedModel({"instruct": self.same, "answer": self.same})


async def test_16_what_a_model_says_again_and_again_is_kept_once_and_counted(program: Any, tmp_path: Path) -> None:
    documents = sorted(map(str, DOCUMENTS.glob("*.[mt][dx]*")))
    context = Context(model="scripted", verify="annotate", goals="none", categories="factual", rounds=0)
    endpoints: Any = Parrot()
    await execute(
        RunConfig((*documents,), tmp_path / "out", ("open_domain_qa",), context, endpoints=endpoints, limit=6)
    )
    made = sum(json.loads((tmp_path / "out/manifest.json").read_text())["records"].values())
    assert made >= 4
    done = program("export", tmp_path / "out", "--out", tmp_path / "clean", "--dedup", "--embeddings", "none")
    assert done.returncode == 0, done.stderr
    kept = sum(json.loads((tmp_path / "clean/manifest.json").read_text())["records"].values())
    assert 0 < kept < made / 2
    assert re.search(rf"\b{made - kept}\b.*duplicate|duplicate.*\b{made - kept}\b", done.stdout), done.stdout


@pytest.mark.parametrize("fault", ["emb_short", "emb_nan", "emb_order", "emb_dim"])
def test_17_vectors_are_right_or_refused(fault: str, openai_server: Any) -> None:
    texts = [f"text {number}" for number in range(400)]
    server = openai_server()
    right = embeddings("openai:any", base_url=server.base_url, api_key=KEY).embed_documents(texts)
    server.control(faults={fault: 0.5})
    try:
        found = embeddings("openai:any", base_url=server.base_url, api_key=KEY).embed_documents(texts)
    except EmbeddingsError as refused:
        assert str(refused)
    else:
        np.testing.assert_allclose(found, right)


async def test_28_a_clock_that_jumps_by_hours_changes_nothing(
    config: Any, openai_server: Any, intact: Any, work: list[Work], calm: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    jumps, real = Random(3), time.time
    monkeypatch.setattr(time, "time", lambda: real() + jumps.choice((-7200, 0, 7200)))
    server = openai_server(faults="429=.05,500=.05", retry_after=0.1)
    began = time.monotonic()
    await completed(config(server))
    assert intact(config(server).out, work, server).contents == calm.contents, "I3"
    assert time.monotonic() - began < 120, "I9"


async def test_30_31_other_concurrency_and_more_or_fewer_seeds_on_resume_cost_what_is_new_and_no_more(
    config: Any, openai_server: Any, intact: Any, work: list[Work], calm: Any, seeds: Path
) -> None:
    server = openai_server()
    first = replace(config(server), paths=(str(seeds / "mill.txt"),), max_concurrency=1)
    await completed(first)
    bought = server.stats()["answered_ok"]
    await completed(config(server, max_concurrency=64))  # one more document, which now comes first
    assert intact(config(server).out, work, server).contents == calm.contents, "I3"
    both = server.stats()["requests"]
    assert both > bought
    await completed(first)  # and one less
    assert server.stats()["requests"] == both, "nothing is left to buy"
    assert intact(config(server).out, work, server).contents == calm.contents, "what is done stays"
