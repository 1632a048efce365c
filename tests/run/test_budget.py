"""What a run may spend is never exceeded, by the server's own count; what it bought is kept, and it goes on later."""

import asyncio
import json
import os
import re
import signal
import time
from contextlib import closing
from math import inf

import pytest

from agentinstruct.agents.budget import Budget, worst_case
from agentinstruct.agents.errors import BudgetReached, ProviderError, SetupError
from agentinstruct.agents.gateway import Gateway, Patience, Request, Statistics, using
from agentinstruct.agents.models import Endpoints
from agentinstruct.run.journal import Journal
from agentinstruct.tools.prices import Price

PRICE = Price(1000, 100, 400)
SKILLS = ("-s", "reading_comprehension", "-s", "text_modification")


@pytest.fixture
def prices(tmp_path):
    path = tmp_path / "prices.json"
    path.write_text(json.dumps({"models": {"any": [PRICE.input, PRICE.cached, PRICE.output]}}))
    return path


def command(seeds, server, out, *more):
    chosen = ["run", seeds, "--model", "openai:any", "--base-url", server.base_url, "--out", out]
    return [*chosen, "--verify", "annotate", *SKILLS, *more]


def billed(server):
    """What the server's answers cost, by its own count of their tokens."""
    tokens = server.stats()["tokens"]
    return PRICE.of(tokens["prompt"], tokens["cached"], tokens["completion"])


def rows(out):
    files = [*sorted((out / "data").glob("*.jsonl")), out / "dropped.jsonl"]
    found = [json.loads(line) for file in files for line in file.read_text().splitlines()]
    return [row | {"calls": [call | {"cached_tokens": 0} for call in row["calls"]]} for row in found]


def test_a_budget_is_never_exceeded_and_the_run_goes_on_with_a_larger_one(
    program, openai_server, seeds, prices, tmp_path
):
    server, out = openai_server(latency="lognormal:0.02,0.5"), tmp_path / "out"
    before = 0.0
    for budget in ("8", "14"):
        done = program(*command(seeds, server, out, "--prices", prices, "--budget", budget))
        assert done.returncode == 0, done.stderr
        assert f"of ${budget}.00 spent" in done.stdout.splitlines()[-2] and "Budget reached" in done.stdout
        assert done.stdout.splitlines()[-1].strip().startswith("agentinstruct run")
        assert before < billed(server) <= float(budget)
        before = billed(server)
        assert (out / "manifest.json").exists()
        assert json.loads((out / "status.json").read_text())["state"] == "budget reached"
        with Journal.read(out) as journal:
            assert journal.counts().cost == pytest.approx(billed(server))
    assert program(*command(seeds, server, out, "--prices", prices)).returncode == 0
    assert server.stats()["answered_ok_repeats"] == 0
    calm = openai_server()
    assert program(*command(seeds, calm, tmp_path / "calm")).returncode == 0
    assert rows(out) == rows(tmp_path / "calm")


def test_a_budget_too_small_for_one_call_says_what_a_call_could_cost(program, openai_server, seeds, prices, tmp_path):
    server, out = openai_server(), tmp_path / "out"
    done = program(*command(seeds, server, out, "--prices", prices, "--budget", "0.0001"))
    assert done.returncode == 0 and server.stats()["requests"] == 0
    said = re.search(r"Budget reached: \$0.00 of \$0.0001 spent; the next call could cost \$([0-9.]+)\. ", done.stdout)
    assert "\n0 calls this time" in done.stdout and float(said[1]) > 0.0001
    program(*command(seeds, server, out, "--prices", prices, "--budget", 2 * float(said[1])))
    assert server.stats()["requests"] > 0


def test_one_is_told_as_one(program, openai_server, seeds, tmp_path):
    done = program(*command(seeds, openai_server(), tmp_path / "out", "--max-calls", 1))
    assert done.returncode == 0 and "\n1 call this time" in done.stdout and "1 of 1 calls spent" in done.stdout


def test_calls_can_be_limited_without_prices(program, openai_server, seeds, tmp_path):
    server, out = openai_server(), tmp_path / "out"
    for most in (5, 12):
        done = program(*command(seeds, server, out, "--max-calls", most))
        assert done.returncode == 0, done.stderr
        assert f"{most} of {most} calls spent" in done.stdout
        assert server.stats()["answered_ok"] == most


def test_a_budget_without_a_price_is_refused_before_the_first_call(program, openai_server, seeds, tmp_path):
    server = openai_server()
    refused = program(*command(seeds, server, tmp_path / "out", "--budget", 5, "-m", "judge=openai:house"))
    assert refused.returncode == 2
    assert "openai:any, openai:house" in refused.stderr and "--prices" in refused.stderr
    assert server.stats()["requests"] == 0


def test_what_was_spent_before_a_kill_counts(program, start, openai_server, seeds, prices, tmp_path):
    server, out = openai_server(latency="fixed:0.05"), tmp_path / "out"
    process = start(*command(seeds, server, out, "--prices", prices, "--budget", 14))
    deadline = time.monotonic() + 30
    while billed(server) < 4:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    (out / "ledger.sqlite").unlink()  # what was spent is in the segments
    done = program(*command(seeds, server, out, "--prices", prices, "--budget", 14))
    assert done.returncode == 0 and "Budget reached" in done.stdout
    repeats = server.stats()["answered_ok_repeats"]
    with Journal.read(out) as journal:
        spent = journal.counts().cost
    assert spent <= 14
    assert billed(server) <= 14 + repeats * 3, "only what was in flight at the kill is not known"


# --- The budget itself, with many calls in flight -----------------------------------------------------------------


def ask(number, **more):
    said = [{"role": "user", "content": f"Question {number}: why?"}]
    return Request("answer", "answer", "openai:any", said, **{"max_tokens": 300, **more})


async def bought(server, budget, requests, **options):
    """How many of these were bought, all of them asked at once."""
    endpoints = Endpoints(server.base_url, timeout_s=options.pop("timeout_s", 20))
    given = {"patience": Patience(attempts=3, base_s=0.01), "prices": {"any": PRICE}, "budget": budget, **options}
    async with using(Gateway(endpoints.open, **given)) as gateway:
        outcomes = await asyncio.gather(*map(gateway.complete, requests), return_exceptions=True)
    other = [one for one in outcomes if isinstance(one, BaseException) and not isinstance(one, BudgetReached)]
    return sum(not isinstance(one, BaseException) for one in outcomes), other


async def test_with_64_in_flight_a_tiny_budget_is_used_up_and_not_exceeded(openai_server):
    server, budget = openai_server(latency="lognormal:0.02,0.5"), Budget(usd=3.0)
    count, other = await bought(server, budget, [ask(number) for number in range(200)])
    assert not other
    assert 0 < count < 200
    assert server.stats()["max_in_flight"] > 1
    assert billed(server) == pytest.approx(budget.spent)
    assert 3.0 - worst_case(PRICE, ask(100)) < budget.spent <= 3.0


async def test_answers_that_do_not_say_their_tokens_are_estimated_not_free(openai_server):
    server, budget = openai_server(faults={"no_usage": 1}), Budget(usd=3.0)
    count, other = await bought(server, budget, [ask(number) for number in range(200)])
    assert not other and 0 < count < 200
    assert billed(server) <= budget.spent <= 3.0


@pytest.mark.parametrize("fault", ["truncated", "invalid_json", "timeout", "eof"])
async def test_what_may_have_been_paid_for_nothing_counts_in_full(openai_server, fault):
    server, budget = openai_server(faults={fault: 1}), Budget(usd=100.0)
    count, other = await bought(server, budget, [ask(1)], timeout_s=0.2)
    assert count == 0 and isinstance(other[0], ProviderError)
    assert budget.spent == pytest.approx(3 * worst_case(PRICE, ask(1)))


@pytest.mark.parametrize("usd", [100.0, inf])
async def test_what_was_paid_for_nothing_counts_in_a_later_sitting_too(openai_server, tmp_path, usd):
    server, budget, statistics = openai_server(faults={"invalid_json": 1}), Budget(usd=usd), Statistics()
    folder, manifest = tmp_path / "run", {"models": ["any"]}
    with closing(Journal.open(folder, manifest)) as journal:
        await bought(server, budget, [ask(1), ask(2)], store=journal, statistics=statistics)
        assert budget.spent == pytest.approx(3 * sum(worst_case(PRICE, ask(number)) for number in (1, 2)))
        assert statistics.cost == pytest.approx(budget.spent) == journal.counts().cost
        server.control(faults={})
        assert await bought(server, budget, [ask(2)], store=journal, statistics=statistics) == (1, [])
        with Journal.read(folder) as read:
            assert read.counts() == journal.counts()
    for ledger in ("kept", "lost"):
        with closing(Journal.open(folder, manifest)) as journal:
            counts = journal.counts()
            assert (counts.calls, counts.bought) == (1, 1) == (budget.calls, statistics.calls), "answers are counted"
            assert counts.cost == pytest.approx(budget.spent) == statistics.cost
        with Journal.read(folder) as read:
            assert read.counts() == counts
        if ledger == "kept":
            (folder / "ledger.sqlite").unlink()
            with Journal.read(folder) as read:
                assert read.counts() == counts


@pytest.mark.parametrize("fault", ["500", "429_bare"])
async def test_what_was_refused_costs_nothing(openai_server, fault):
    server, budget = openai_server(faults={fault: 1}), Budget(usd=100.0)
    await bought(server, budget, [ask(1)])
    assert server.stats()["requests"] >= 3
    assert budget.spent == 0


async def test_a_call_count_is_exact(openai_server):
    server, budget = openai_server(latency="0.02", faults={"500": 0.2}), Budget(most_calls=37)
    count, _ = await bought(server, budget, [ask(number) for number in range(100)])
    assert count == 37 == budget.calls == server.stats()["answered_ok"]


def test_models_of_ones_own_need_no_price() -> None:
    Budget(usd=1).check(["local", "scripted"], {})
    Budget(most_calls=1).check(["openai:house"], {})
    with pytest.raises(SetupError, match=r"openai:house.*--prices"):
        Budget(usd=1).check(["openai:house"], {})


def test_a_small_budget_ends_with_finished_work_not_with_much_begun(program, openai_server, seeds, tmp_path):
    for number in range(40):
        (seeds / f"{number}.txt").write_text(f"Village {number}. {(seeds / 'glass.txt').read_text()}")
    server, out = openai_server(latency="0.01"), tmp_path / "out"
    few = ("--categories-per-seed", 1, "--rounds", 0, "--transforms", "identity")
    done = program(*command(seeds, server, out, "--max-calls", 100, "--max-concurrency", 64, *few))
    assert done.returncode == 0, done.stderr
    with Journal.read(out) as journal:
        counts = journal.counts()
    assert counts.calls == 100
    assert counts.done >= 10
