"""The quote: exact where all was sampled, a range elsewhere; the run that follows buys nothing twice."""

import json
from dataclasses import asdict, replace

import pytest

from agentinstruct.agents.batch import BatchOptions
from agentinstruct.agents.batch_job import Job
from agentinstruct.agents.models import Endpoints
from agentinstruct.dataset.spending import Spent
from agentinstruct.graphs.state import Context
from agentinstruct.run.plan import RunConfig
from agentinstruct.run.quote import Quote, Sampled, extrapolated
from agentinstruct.run.target import Target

MILL = """The tide mill stands where the creek meets the sea, and it has ground corn since 1742. Twice a day the pond
behind it fills with salt water. When the sea draws back, the miller opens the gate, and the stored water turns the
great oak wheel for about five hours. Storms broke the dam in 1816, yet the village paid for new stones each time.
"""
SKILL = "text_modification"


@pytest.fixture
def seeds(tmp_path):
    folder = tmp_path / "seeds"
    folder.mkdir()
    for number in range(6):
        (folder / f"{number}.txt").write_text(MILL.replace("1742", str(1600 + number)))
    return folder


@pytest.fixture
def prices(tmp_path):
    path = tmp_path / "prices.json"
    path.write_text(json.dumps({"models": {"any": [2.0, 0.5, 8.0], "strong": [20.0, 5.0, 80.0]}}))
    return path


def arguments(seeds, server, out, *more):
    command = [seeds, "--model", "openai:any", "--base-url", server.base_url, "--out", out, "-s", SKILL]
    return [*command, "--verify", "annotate", "--goals", "none", "--categories-per-seed", 1, *more]


def quoted(program, command):
    done = program("estimate", *command, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_where_all_is_sampled_the_quote_is_what_it_came_to(program, openai_server, seeds, tmp_path, prices):
    server = openai_server(latency="fixed:0.02")
    command = arguments(seeds, server, tmp_path / "out", "--prices", prices, "--model", "judge=openai:strong")
    quote = quoted(program, [*command, "--sample", 100])
    bought = server.stats()
    assert quote["seeds"] == quote["items"][SKILL] == quote["sampled"][SKILL] == 6
    total = quote["total"]
    assert total["calls"] == dict.fromkeys(("value", "low", "high"), bought["answered_ok"])
    assert total["accepted"]["value"] <= total["records"]["value"] <= total["drafts"]["value"]
    assert {(one["role"], one["model"]) for one in quote["payees"]} >= {("judge", "openai:strong")}
    for name in ("calls", "input_tokens", "output_tokens", "cost"):
        assert sum(one[name] for one in quote["payees"]) == pytest.approx(total[name]["value"])
    for one in quote["payees"]:
        fresh = one["input_tokens"] - one["cached_tokens"]
        cost = (2 * fresh + 0.5 * one["cached_tokens"] + 8 * one["output_tokens"]) / 1e6
        assert one["cost"] == pytest.approx(cost * (10 if one["model"] == "openai:strong" else 1))
    done = program("run", *command)
    assert server.stats()["requests"] == bought["requests"], "the run had all of it"
    assert "judge" in done.stdout and "openai:strong" in done.stdout
    assert f"{total['records']['value']:.0f} records in" in done.stdout


def test_a_sample_gives_a_range_that_the_run_falls_near_and_does_not_pay_twice(
    program, openai_server, seeds, tmp_path, prices
):
    server, out = openai_server(latency="fixed:0.02"), tmp_path / "out"
    quote = quoted(program, [*arguments(seeds, server, out, "--prices", prices, "--solvers", 1), "--sample", 3])
    asked = server.stats()["answered_ok"]
    assert quote["items"][SKILL] == 6 and quote["sampled"][SKILL] == 3
    for part in quote["total"].values():
        assert part["low"] <= part["value"] <= part["high"]
    assert quote["seconds"]["value"] > 0
    again = quoted(program, [*arguments(seeds, server, out, "--prices", prices, "--solvers", 1), "--sample", 3])
    assert server.stats()["answered_ok"] == asked
    assert again["total"] == quote["total"] and again["seconds"] == quote["seconds"]
    assert program("run", *arguments(seeds, server, out, "--solvers", 1)).returncode == 0
    done = server.stats()
    assert done["answered_ok_repeats"] == 0
    assert quote["total"]["calls"]["value"] / 2 < done["answered_ok"] < quote["total"]["calls"]["value"] * 2


def test_the_status_knows_what_the_estimate_did(program, openai_server, seeds, tmp_path, prices):
    server, out = openai_server(), tmp_path / "out"
    command = arguments(seeds, server, out, "--prices", prices)

    def state(folder):
        return json.loads(program("status", folder, "--json").stdout)

    quote = quoted(program, [*command, "--sample", 2])
    shown, total = state(out), {name: part["value"] for name, part in quote["total"].items()}
    measured = {"done": 2, "known": 6, "all_known": True}
    assert shown["state"] == "estimated" and shown["items"] | measured == shown["items"]
    assert shown["calls"]["calls"] == shown["calls"]["stored"] == server.stats()["answered_ok"]
    assert shown["tokens"]["input"] == pytest.approx(total["input_tokens"] / 3)
    assert shown["skills"][SKILL]["accepted"] == pytest.approx(total["accepted"] / 3)
    words = program("status", out).stdout
    assert "`agentinstruct run` with the same options goes on" in words and "tokens" in words and "cost" in words
    assert program("run", *command).returncode == 0
    assert program("run", *arguments(seeds, server, tmp_path / "alone", "--prices", prices)).returncode == 0
    both, alone = state(out), state(tmp_path / "alone")
    for part in ("state", "items", "skills", "dropped"):
        assert both[part] == alone[part], part
    assert all(both["tokens"][way] == alone["tokens"][way] for way in ("input", "output"))
    assert both["calls"]["calls"] == alone["calls"]["calls"]


def test_an_instant_server_is_as_fast_as_this_program(program, openai_server, seeds, tmp_path, prices):
    server, out = openai_server(), tmp_path / "out"
    model = ("--model", "openai:any", "--base-url", server.base_url, "--prices", prices, "--max-concurrency", 10**6)
    command = [seeds, *model, "--out", out, "-s", "open_domain_qa", "--verify", "off"]
    one = quoted(program, command)
    assert one["busiest"] == "this process"
    assert 2e-5 < one["seconds"]["value"] / one["total"]["calls"]["value"] < 0.1
    four = quoted(program, [*command, "--workers", 4])
    assert four["seconds"]["value"] == pytest.approx(one["seconds"]["value"] / 4)
    assert "--workers divides it" in program("estimate", *command).stdout
    by_batch = program("estimate", *command, "--batch", "all")
    assert by_batch.returncode == 0, by_batch.stderr
    assert "each wave of batch jobs takes its provider's time" in by_batch.stdout
    (out / "batches").mkdir()
    job = Job("0" * 32, "openai:any", server.base_url, 0.0, {"0" * 32: 1})
    (out / "batches" / f"{job.id}.json").write_text(json.dumps(asdict(job)))
    refused = program("estimate", *command, "--batch", "all")
    assert refused.returncode == 2 and "this run has batch jobs open. Resume it" in refused.stderr


def test_without_a_price_it_says_so(program, openai_server, seeds, tmp_path):
    server = openai_server()
    done = program("estimate", *arguments(seeds, server, tmp_path / "out", "--limit", 2), "--sample", 1)
    assert done.returncode == 0, done.stderr
    assert "Cost unknown: no price of openai:any (--prices)." in done.stdout and "$" not in done.stdout
    assert "2 seeds, 2 work items." in done.stdout and "1 of 2 text_modification" in done.stdout
    assert f"--out {tmp_path / 'out'} goes on from it" in done.stdout
    server.control(down=True)
    down = program("estimate", *arguments(seeds, server, tmp_path / "down", "--limit", 2), "--sample", 1)
    assert down.returncode == 1, down.stderr
    assert "No work item could be measured" in down.stdout and "failed at the model" in down.stdout


def sampled(calls, accepted):
    return Sampled(SKILL, {("answer", "openai:x"): Spent(calls, 100 * calls, 0, 10 * calls)}, 4, accepted, accepted)


@pytest.mark.parametrize(("target", "passes"), [(None, 1), (Target(90), 3), (Target(10, "category"), 6)])
def test_a_target_is_reckoned_at_the_yield_seen(tmp_path, target, passes):
    kinds = Context(model="openai:x", categories="text_styling,text_capitalization")
    config = RunConfig(("x",), tmp_path, (SKILL,), kinds, endpoints=Endpoints(), target=target, max_concurrency=10)
    quote = Quote(10, {SKILL: 10}, {SKILL: 3})
    found = [sampled(10, 2), sampled(20, 3), sampled(30, 4)]
    quote = extrapolated(quote, found, config, {"openai:x": 0.2})
    passes = 1 if target is None else target.count * (1 if target.per == "all" else 2) / 30
    assert quote.passes == pytest.approx(passes)
    items = -(-10 * passes // 1)
    calls = quote.total["calls"]
    assert calls.value == pytest.approx(20 * items)
    assert calls.low < calls.value < calls.high
    assert quote.seconds.value == pytest.approx(calls.value * 0.2)
    assert quote.unpriced == ["openai:x"]


def test_what_goes_by_batch_is_quoted_at_its_price(tmp_path, prices):
    spent = {("answer", "openai:any"): Spent(1, 10**6, 0, 10**6), ("judge", "openai:any"): Spent(1, 10**6, 0, 10**6)}
    found = [Sampled(SKILL, spent, 1, 1, 1)]
    config = RunConfig(("x",), tmp_path, (SKILL,), Context(model="openai:any"), prices=prices)
    costs = []
    for roles in (frozenset(), frozenset({"judge"}), frozenset({"judge", "answer"})):
        quote = Quote(10, {SKILL: 10}, {SKILL: 1})
        quote = extrapolated(quote, found, replace(config, batch=BatchOptions(roles)), {})
        assert sum(one["cost"] for one in quote.payees.values()) == pytest.approx(quote.total["cost"].value)
        costs.append(quote.total["cost"].value)
    assert costs == pytest.approx([200, 150, 100])
