"""A run by batch jobs comes to what a live run comes to, whatever happens to it, to its jobs and to its calls."""

import asyncio
import json
import os
import re
import signal
import time
from pathlib import Path
from random import Random

import pytest

from agentinstruct.agents.batch import BatchOptions
from agentinstruct.agents.errors import ModelError, ProviderDown, RunError
from agentinstruct.agents.models import Endpoints
from agentinstruct.cli.options import make_batch
from agentinstruct.graphs.state import ROLES, Context
from agentinstruct.run.execute import execute
from agentinstruct.run.jobs import open_jobs
from agentinstruct.run.journal import Journal
from agentinstruct.run.plan import RunConfig

DOCUMENTS = Path(__file__).parents[2] / "examples" / "seeds"
SKILL = "text_modification"
FRESH = {
    "faults": {}, "latency": "0", "key": "", "models": "", "no_json_schema": False, "no_tools": False, "down": False,
    "batch_latency": "0.1", "batch_faults": {}, "batch_fates": [], "batch_enqueued": 0, "no_batch": False, "seed": 0,
    "reset": True, "reasoning": False,
}  # fmt: skip


@pytest.fixture(scope="module")
def shared(shared_openai_server):
    return shared_openai_server(hang_s=30)


@pytest.fixture
def server(shared):
    shared.control(**FRESH)
    yield shared
    assert shared.stats()["internal_errors"] == 0


@pytest.fixture(scope="module")
def seeds(tmp_path_factory):
    folder = tmp_path_factory.mktemp("seeds")
    for name in ("albedo.md", "the_blacksmith.txt", "four_freedoms.txt"):
        (folder / name).write_text((DOCUMENTS / name).read_text()[:2500])
    return folder


@pytest.fixture(scope="module")
def calm(shared, seeds, tmp_path_factory):
    """What the live run comes to: its rows, how many different calls it made, what it cost."""
    shared.control(**FRESH)
    out = tmp_path_factory.mktemp("calm") / "out"
    finished = work(shared, seeds, out, roles="")
    return rows(out), finished.progress.statistics


def work(server, seeds, out, roles="all", poll=0.05, model="openai:any", **options):
    """One sitting, in this process."""
    named = frozenset(ROLES if roles == "all" else filter(None, roles.split(",")))
    sizes = {name: options.pop(name) for name in ("most_calls", "most_bytes") if name in options}
    # One solver: of several the requests are alike, and the server would count every second one as a repeat.
    context = Context(model=model, verify="annotate", solvers=1, **options.pop("context", {}))
    config = RunConfig(
        paths=(str(seeds),), out=out, skills=(SKILL,), context=context, endpoints=Endpoints(base_url=server.base_url),
        batch=BatchOptions(named, poll, **sizes), **options,
    )  # fmt: skip
    return asyncio.run(execute(config))


def rows(out):
    """Every line of the dataset, but for how many tokens the server had cached: that is its state, not the run's."""
    files = [*sorted((out / "data").glob("*.jsonl")), out / "dropped.jsonl"]
    found = [json.loads(line) for file in files for line in file.read_text().splitlines()]
    return [row | {"calls": [call | {"cached_tokens": 0} for call in row["calls"]]} for row in found]


def tidy(out):
    """What is left of jobs: nothing, once they are over."""
    return not list((out / "batches").iterdir())


def test_a_run_by_batch_equals_a_live_run(server, seeds, calm, tmp_path):
    finished = work(server, seeds, tmp_path / "out")
    assert rows(tmp_path / "out") == calm[0]
    seen, jobs = server.stats(), server.stats()["batches"]
    assert seen["requests"] == 1, "one call was made live, to learn how the server is asked"
    assert jobs["lines"] == calm[1].calls - 1 > 20
    assert jobs["repeats"] == jobs["listed"] == 0
    assert jobs["jobs"] < 12, "calls go in waves"
    counted = finished.progress.statistics
    assert (counted.calls, counted.input_tokens, counted.output_tokens) == (
        calm[1].calls, calm[1].input_tokens, calm[1].output_tokens,
    )  # fmt: skip
    assert counted.jobs == counted.batched == 0
    assert tidy(tmp_path / "out")


def test_a_job_is_never_larger_than_allowed(server, seeds, calm, tmp_path):
    work(server, seeds, tmp_path / "few", most_calls=3)
    assert server.stats()["batches"]["biggest_job"] == 3
    server.control(**FRESH)
    work(server, seeds, tmp_path / "small", most_bytes=12_000)
    assert 1 <= server.stats()["batches"]["biggest_job"] < 12
    assert rows(tmp_path / "few") == rows(tmp_path / "small") == calm[0]


def test_the_price_of_batch_is_half(server, seeds, tmp_path):
    spent = []
    for factor in ({}, {"batch": 0.25}, {"batch": 1}):
        prices = tmp_path / f"prices{len(spent)}.json"
        prices.write_text(json.dumps({"models": {"any": [1000, 1000, 1000]}} | factor))
        server.control(**FRESH)
        finished = work(server, seeds, tmp_path / f"out{len(spent)}", prices=prices, limit=1)
        spent.append(finished.progress.statistics.cost)
    half, quarter, full = spent
    first = 2 * half - full  # the one call that was made live is paid in full
    assert 0 < first < full / 4
    assert quarter == pytest.approx(first + (full - first) / 4)


def test_with_a_limit_waves_are_as_full_as_it_allows(server, tmp_path):
    prices = tmp_path / "prices.json"
    prices.write_text(json.dumps({"models": {"any": [1, 1, 4]}}))
    (tmp_path / "seeds").mkdir()
    text = (DOCUMENTS / "albedo.md").read_text()[:900]
    for number in range(40):
        (tmp_path / "seeds" / f"{number}.md").write_text(f"Observatory {number}. {text}")
    context = {"goals": "none", "categories_per_seed": 1, "transforms": "identity"}
    waves = []
    for name, limit in (("free", {}), ("money", {"budget": 5.0}), ("calls", {"max_calls": 1000})):
        server.control(**FRESH)
        work(server, tmp_path / "seeds", tmp_path / name, poll=0.2, prices=prices, context=context, **limit)
        waves.append(server.stats()["batches"]["jobs"])
        assert rows(tmp_path / name) == rows(tmp_path / "free")
    assert max(waves) <= 5


# --- What happens to calls and jobs -------------------------------------------------------------------------------


def test_calls_that_fail_are_sent_again(server, seeds, calm, tmp_path):
    server.control(batch_faults={"500": 0.06, "429": 0.06, "expired": 0.06, "missing": 0.06, "not_json": 0.06}, seed=3)
    finished = work(server, seeds, tmp_path / "out")
    for _ in range(3):
        if not finished.progress.failed:
            break
        finished = work(server, seeds, tmp_path / "out", retry_failed=True)
    assert rows(tmp_path / "out") == calm[0]
    assert finished.progress.statistics.retries + finished.progress.resumed > 0
    assert server.stats()["batches"]["lines"] > calm[1].calls


def test_every_line_that_a_completed_job_did_is_in_the_books(server, seeds, calm, tmp_path):
    prices = tmp_path / "prices.json"
    prices.write_text(json.dumps({"models": {"any": [1, 1, 4]}}))
    server.control(batch_faults={"surrogate": 0.3}, seed=3)
    finished = work(server, seeds, tmp_path / "half", prices=prices, budget=10)
    said = server.stats()["batches"]
    assert finished.progress.statistics.calls == said["lines"] > 20, "half a character spoils no answer"
    assert said["repeats"] == 0
    server.control(**FRESH | {"batch_faults": {"not_json": 0.3}})
    finished = work(server, seeds, tmp_path / "broken", prices=prices, budget=10)
    tokens, counted = server.stats()["tokens"], finished.progress.statistics
    done = (tokens["prompt"] + 4 * tokens["completion"]) / 2e6
    read = (counted.input_tokens + 4 * counted.output_tokens) / 2e6
    assert server.stats()["batches"]["repeats"] > 5
    assert read < done < counted.cost < 10
    with Journal.read(tmp_path / "broken") as journal:
        assert journal.counts().cost == pytest.approx(counted.cost)


def test_a_call_that_always_fails_is_given_up_and_its_item_waits(server, seeds, calm, tmp_path):
    server.control(batch_faults={"500": 1})
    finished = work(server, seeds, tmp_path / "out")
    assert finished.progress.failed > 0
    assert finished.progress.trouble.endswith("(3 batch jobs)")
    assert "HTTP 500" in finished.progress.trouble
    server.control(batch_faults={})
    work(server, seeds, tmp_path / "out")
    assert rows(tmp_path / "out") == calm[0]
    assert server.stats()["batches"]["repeats"] == 0


@pytest.mark.parametrize("fates", [["expired"], ["ok", "expired", "expired"], ["failed"], ["ok", "lost"], ["unheard"]])
def test_a_job_that_fails_expires_or_whose_start_is_not_confirmed_costs_nothing_twice(
    server, seeds, calm, tmp_path, fates
):
    server.control(batch_fates=fates)
    work(server, seeds, tmp_path / "out")
    assert rows(tmp_path / "out") == calm[0]
    jobs = server.stats()["batches"]
    assert jobs["repeats"] == 0
    assert (jobs["listed"] > 0) == (fates[-1] in ("lost", "unheard"))
    assert tidy(tmp_path / "out")


@pytest.mark.parametrize(
    ("fates", "words"),
    [
        (["ok", "cancelled"], "cancelled at the provider.*a resume sends the"),
        (["failed", "failed"], "could not be read"),
        (["failed_model"], "not supported by the Batch API"),
    ],
)
def test_a_job_that_is_cancelled_or_cannot_be_ends_the_run_and_a_resume_goes_on(
    server, seeds, calm, tmp_path, fates, words
):
    server.control(batch_fates=fates)
    with pytest.raises(ProviderDown, match=words):
        work(server, seeds, tmp_path / "out")
    work(server, seeds, tmp_path / "out")
    assert rows(tmp_path / "out") == calm[0]
    assert server.stats()["batches"]["repeats"] == 0


def test_an_account_without_quota_ends_the_run_and_a_resume_goes_on(server, seeds, calm, tmp_path):
    server.control(batch_faults={"quota": 0.3})
    with pytest.raises(ProviderDown, match="no quota left"):
        work(server, seeds, tmp_path / "out")
    server.control(batch_faults={})
    work(server, seeds, tmp_path / "out")
    assert rows(tmp_path / "out") == calm[0]
    assert server.stats()["batches"]["repeats"] == 0


def test_an_account_with_little_room_gets_smaller_jobs(server, seeds, calm, tmp_path):
    server.control(batch_enqueued=2)
    work(server, seeds, tmp_path / "out", most_calls=3)
    assert rows(tmp_path / "out") == calm[0]
    jobs = server.stats()["batches"]
    assert jobs["repeats"] == 0
    assert jobs["biggest_job"] <= 2
    assert jobs["jobs_by_status"]["failed"] >= 1


@pytest.mark.parametrize("live_too", [True, False])
def test_a_server_that_takes_no_json_schema_is_asked_in_another_way(server, seeds, tmp_path, live_too):
    server.control(no_json_schema=True, reasoning=True, faults={} if live_too else {"500": 1})
    finished = work(server, seeds, tmp_path / "out")
    assert sum(finished.exported.rows.values()) > 5
    assert finished.progress.failed == 0
    refused = server.stats()["requests_batched"] - finished.progress.statistics.calls
    assert refused <= 0 if live_too else refused > 0


@pytest.mark.parametrize(
    ("settings", "words"),
    [({"no_batch": True}, "no --batch"), ({"key": "another"}, "Check the API key"), ({"down": True}, "tries in")],
)
def test_a_server_without_batch_jobs_or_that_is_not_ours_is_told_at_once(server, seeds, tmp_path, settings, words):
    server.control(**settings)
    begun = time.monotonic()
    with pytest.raises(ProviderDown, match=words):
        work(server, seeds, tmp_path / "out")
    assert time.monotonic() - begun < 40


# --- Mixed with live calls ----------------------------------------------------------------------------------------


def test_some_roles_by_batch_and_the_others_live(server, seeds, calm, tmp_path):
    work(server, seeds, tmp_path / "out", roles="judge,answer")
    assert rows(tmp_path / "out") == calm[0]
    seen = server.stats()
    assert 5 < seen["batches"]["lines"] < calm[1].calls
    assert seen["requests"] + seen["batches"]["lines"] == calm[1].calls
    assert seen["batches"]["repeats"] == 0


def test_models_of_other_kinds_stay_live(server, seeds, tmp_path):
    finished = work(server, seeds, tmp_path / "out", model="scripted", context={"judge_model": "openai:any"})
    seen = server.stats()
    assert seen["requests"] == 1
    assert 0 < seen["batches"]["lines"] < finished.progress.statistics.calls
    assert finished.progress.failed == 0


# --- Interrupted --------------------------------------------------------------------------------------------------


def command(server, seeds, out, *more):
    words = ["run", seeds, "--model", "openai:any", "--base-url", server.base_url, "--out", out, "-s", SKILL]
    return [*words, "--verify", "annotate", "--solvers", "1", "--batch", "all", "--batch-poll", "0.1", *more]


def until(met, process, seconds=30):
    end = time.monotonic() + seconds
    while not met():
        assert time.monotonic() < end and process.poll() is None, process.communicate()
        time.sleep(0.01)


def jobs(server):
    return server.stats()["batches"]["jobs"]


def ended(process):
    out, err = process.communicate(timeout=60)
    assert "Traceback" not in err, err
    return process.returncode, out + err


def test_killed_over_and_over_no_job_is_lost_and_no_call_is_bought_twice(server, seeds, calm, start, tmp_path):
    server.control(batch_latency="0.4")
    draw, words = Random(5), command(server, seeds, tmp_path / "out")
    for turn in range(4):
        before = jobs(server)
        process = start(*words)
        # Job upon job: a sitting that takes up an open one must get as far as the next.
        until(lambda before=before: jobs(server) > before, process)
        time.sleep((0, 0.2, 0.5)[turn % 3] + draw.uniform(0, 0.1))
        os.killpg(process.pid, signal.SIGKILL)
        assert ended(process)[0] == -signal.SIGKILL
    status, said = ended(start(*words))
    assert status == 0, said
    assert rows(tmp_path / "out") == calm[0]
    seen = server.stats()
    assert seen["batches"]["repeats"] == 0
    assert seen["batches"]["lines"] + seen["requests"] <= calm[1].calls + 5, "but for a live call of each sitting"
    assert tidy(tmp_path / "out")


@pytest.mark.parametrize("roles", ["all", ""])
def test_killed_between_sending_a_job_and_hearing_of_it(server, seeds, calm, start, tmp_path, roles):
    server.control(batch_fates=["mute"])
    out = tmp_path / "out"
    process = start(*command(server, seeds, out))
    until(lambda: jobs(server), process)
    assert any(job.file and not job.batch for job in open_jobs(out)), "remembered before; its id is not known yet"
    os.killpg(process.pid, signal.SIGKILL)
    ended(process)
    sent = jobs(server)
    work(server, seeds, out, roles=roles)
    assert rows(out) == calm[0]
    seen = server.stats()["batches"]
    assert seen["repeats"] == 0
    assert seen["listed"] >= 1
    assert (seen["jobs"] > sent) == bool(roles)


def test_interrupted_it_leaves_the_jobs_at_work_and_says_how_to_have_them(server, seeds, calm, start, tmp_path):
    server.control(batch_latency="3")
    out = tmp_path / "out"
    process = start(*command(server, seeds, out))
    until(lambda: any(job.batch for job in open_jobs(out)), process)
    process.send_signal(signal.SIGINT)
    status, said = ended(process)
    assert status == 130
    assert re.search(r"\d batch jobs with \d calls go on at the provider", said)
    assert "To resume: agentinstruct run" in said
    assert re.search(r"batch jobs +\d with \d calls at the provider", ended(start("status", out))[1])
    server.control(batch_latency="0.1")
    work(server, seeds, out)
    assert rows(out) == calm[0]
    seen = server.stats()["batches"]
    assert seen["repeats"] == 0
    assert seen["jobs_by_status"].keys() == {"completed"}


def test_answers_nobody_waits_for_yet_are_kept(server, seeds, calm, start, tmp_path):
    server.control(batch_latency="1")
    out = tmp_path / "out"
    process = start(*command(server, seeds, out))
    until(lambda: any(job.batch for job in open_jobs(out)), process)
    os.killpg(process.pid, signal.SIGKILL)
    ended(process)
    while server.stats()["batches"]["jobs_by_status"].get("in_progress"):
        time.sleep(0.05)
    finished = work(server, seeds, out, roles="", batch_window=1)
    assert finished.progress.statistics.from_journal >= 1
    assert rows(out) == calm[0]
    assert server.stats()["batches"]["repeats"] == 0


def test_the_jobs_of_another_server_are_not_asked_for_here(server, openai_server, seeds, start, tmp_path):
    server.control(batch_latency="9")
    out = tmp_path / "out"
    process = start(*command(server, seeds, out))
    until(lambda: any(job.batch for job in open_jobs(out)), process)
    os.killpg(process.pid, signal.SIGKILL)
    ended(process)
    with pytest.raises(ModelError, match=f"was sent to {server.base_url}. Give --base-url"):
        work(openai_server(), seeds, out)
    next((out / "batches").glob("*.json")).write_text("{}")
    with pytest.raises(RunError, match="not a batch job's file"):
        work(server, seeds, out)


def test_what_cannot_go_by_batch_is_refused_before_the_first_call(program, seeds, tmp_path):
    words = ("--model", "openai:any", "--model", "judge=scripted", "--base-url", "http://127.0.0.1:9/v1")
    done = program("run", seeds, *words, "--out", tmp_path, "--batch", "answer,judge")
    assert done.returncode == 2
    assert "judge's model, scripted, cannot be called by batch job; only openai:NAME can" in done.stderr
    with pytest.raises(ModelError, match="Did you mean 'judge'"):
        make_batch("juge", Context(model="openai:any"), 60, 50_000, 200)
    with pytest.raises(ModelError, match="the models cannot be called by batch job"):
        make_batch("all", Context(model="scripted"), 60, 50_000, 200)
