"""`agentinstruct run` as its users meet it: real processes, a real server that may be as bad as servers get."""

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from pyarrow.parquet import read_table

from agentinstruct.agents.skill import load_skill
from agentinstruct.run.journal import Journal
from agentinstruct.run.plan import work_for
from agentinstruct.seeds import SeedOptions, read_seeds

DOCUMENTS = Path(__file__).parents[2] / "examples" / "seeds"
SKILLS = ("reading_comprehension", "text_modification")
BROKEN = "429 429_ms 429_bare 500 502 503 529 408 reset eof reset_body truncated garbage html invalid_json no_choices"
WIRE_FAULTS = dict.fromkeys(BROKEN.split(), 0.3 / 16)


def arguments(seeds, server, out, verify="annotate"):
    url = server if isinstance(server, str) else server.base_url
    chosen = [word for skill in SKILLS for word in ("-s", skill)]
    return ["run", seeds, "--model", "openai:any", "--base-url", url, "--out", out, "--verify", verify, *chosen]


def lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def records(folder):
    return [row for path in sorted((folder / "data").glob("*.jsonl")) for row in lines(path)]


def ids(folder):
    found = [row["id"] for row in records(folder)]
    assert len(set(found)) == len(found)
    return set(found)


def whole(folder):
    """The dataset's manifest, after every file was found to be what it says."""
    manifest = json.loads((folder / "manifest.json").read_text())
    for name, file in manifest["files"].items():
        assert sha256((folder / name).read_bytes()).hexdigest() == file["sha256"]
    written = {f"data/{split}.jsonl": count for split, count in manifest["records"].items()}
    assert {name: len(lines(folder / name)) for name in written} == written
    assert len(lines(folder / "dropped.jsonl")) == manifest["dropped"]
    assert not list(folder.rglob("*.partial"))
    return manifest


def expected_work(seeds, run_seed=0):
    skills = [load_skill(name) for name in SKILLS]
    return [work for seed in read_seeds([str(seeds)], SeedOptions()) for work in work_for(seed, skills, run_seed)]


def test_annotate_accounts_for_every_work_item(program, openai_server, seeds, tmp_path, keyless):
    done = program(*arguments(seeds, openai_server(), tmp_path / "out"))
    assert done.returncode == 0, done.stderr
    made, dropped = records(tmp_path / "out"), lines(tmp_path / "out" / "dropped.jsonl")
    manifest, work = whole(tmp_path / "out"), expected_work(seeds)
    assert sum(manifest["records"].values()) == len(made) > 0
    accounted = Counter((row["skill"], row["seed_id"]) for row in made + dropped)
    assert accounted.keys() == {(one.skill, one.seed.id) for one in work}
    with Journal.read(tmp_path / "out") as journal:
        counts = journal.counts()
        assert (counts.done, counts.failed) == (len(work), 0)
        assert (counts.records, counts.dropped) == (len(made), len(dropped))
        assert all(journal.is_done(one.id) for one in work)
    drafts = [row["id"] for row in made] + [row["draft_id"] for row in dropped if row["draft_id"]]
    assert {row["parent"] for row in made if row["parent"]} <= set(drafts)
    assert all(row["stage"] and row["reason"] for row in dropped)
    keyless(tmp_path / "out")


def test_records_of_meaningless_text_carry_their_failed_verdicts_and_their_lineage(
    program, openai_server, seeds, tmp_path
):
    program(*arguments(seeds, openai_server(), tmp_path / "out"))
    for row in records(tmp_path / "out"):
        assert row["accepted"] == all(verdict["passed"] for verdict in row["verdicts"])
        assert row["verdicts"] and row["calls"]
        assert all(call["prompt"].count("@") == 1 and len(call["key"]) == 32 for call in row["calls"])
        text = Path(row["source"]).read_text()
        assert row["end"] - row["start"] <= len(text)
        assert row["split"] == load_skill(row["skill"]).file.split
        assert all(message["content"] for message in row["messages"] if message["role"] == "system")
    assert sum(row["accepted"] for row in records(tmp_path / "out")) <= len(records(tmp_path / "out")) / 10


def test_strict_accepts_next_to_nothing_of_it(program, openai_server, seeds, tmp_path):
    done = program(*arguments(seeds, openai_server(), tmp_path / "out", verify="strict"))
    assert done.returncode == 0, done.stderr
    manifest = whole(tmp_path / "out")
    assert manifest["dropped"] >= len(expected_work(seeds))
    assert sum(manifest["records"].values()) <= 1
    assert "Drafts were dropped most often for" in done.stdout


@pytest.mark.parametrize(
    ("settings", "cause", "status"),
    [
        ({"faults": {"500": 1}}, "HTTP 500", 69),
        ({"faults": {"quota": 1}}, "quota", 69),
        ({"key": "another"}, "HTTP 401", 69),
        ({"models": "another"}, "HTTP 404", 69),
        ({"down": True}, "calls in a row failed", 69),
    ],
)
def test_a_server_that_fails_every_call_ends_the_run_at_once_with_cause_and_way_on(
    program, openai_server, seeds, tmp_path, keyless, settings, cause, status
):
    server, out = openai_server(), tmp_path / "out"
    server.control(**settings)
    begun = time.monotonic()
    failed = program(*arguments(seeds, server, out))
    assert time.monotonic() - begun < 25
    assert failed.returncode == status, failed.stderr
    assert cause in failed.stderr
    assert f"agentinstruct run {seeds}" in failed.stderr and str(out) in failed.stderr
    kept = whole(out)
    assert (kept["records"], kept["dropped"]) == ({}, 0)
    keyless(out)
    server.control(faults={}, key="", models="", down=False)
    assert program(*arguments(seeds, server, out)).returncode == 0
    with Journal.read(out) as journal:
        assert (journal.counts().done, journal.counts().failed) == (len(expected_work(seeds)), 0)
    whole(out)


def test_nobody_at_that_address(program, seeds, tmp_path):
    failed = program(*arguments(seeds, "http://127.0.0.1:1/v1", tmp_path / "out"))
    assert failed.returncode == 69
    assert "127.0.0.1" in failed.stderr and "To resume" in failed.stderr and ".. " not in failed.stderr


def test_items_that_always_fail_are_told_of_then_set_aside_then_tried_again(program, openai_server, seeds, tmp_path):
    server, out = openai_server(poison=["glass works=500"]), tmp_path / "out"
    command = [*arguments(seeds, server, out)[:-2], "--transforms", "identity", "--categories-per-seed", 1]
    command += ["--retry-pause", 0.05]
    for _ in range(3):
        failed = program(*command)
        assert failed.returncode == 1
        assert "failed at the model" in failed.stderr and "HTTP 500" in failed.stderr
    requests = server.stats()["requests"]
    aside = program(*command)
    assert aside.returncode == 1
    assert "set aside" in aside.stderr and "--retry-failed" in aside.stderr
    assert server.stats()["requests"] == requests
    server.control(poison=[])
    assert program(*command, "--retry-failed").returncode == 0
    assert {row["source"] for row in records(out)} == {str(seeds / name) for name in ("glass.txt", "mill.txt")}


def test_a_third_of_all_calls_failing_changes_no_record(program, openai_server, tmp_path):
    good, bad = ([*arguments(DOCUMENTS, "URL", tmp_path / name), "--limit", 4] for name in ("good", "bad"))
    good[good.index("URL")] = openai_server().base_url
    assert program(*good).returncode == 0
    server = openai_server(faults=WIRE_FAULTS, retry_after=0.1)
    bad[bad.index("URL")] = server.base_url
    for _ in range(3):  # of some hundred calls one or two fail six times in a row
        done = program(*bad, "--retry-pause", 0.05, timeout=240)
        if done.returncode == 0:
            break
        assert "HTTP" in done.stderr or "Error" in done.stderr
    assert done.returncode == 0, done.stderr
    stats = server.stats()
    assert sum(stats["by_fault"].values()) > 0.2 * stats["requests"]
    assert len(stats["by_fault"]) >= 12
    assert ids(tmp_path / "bad") == ids(tmp_path / "good")
    dropped = [lines(tmp_path / name / "dropped.jsonl") for name in ("bad", "good")]
    assert [(row["draft_id"], row["reason"]) for row in dropped[0]] == [
        (row["draft_id"], row["reason"]) for row in dropped[1]
    ]


def test_nasty_answers_cost_drafts_and_not_the_run(program, openai_server, seeds, tmp_path):
    content = ("content_json", "fenced", "wrong_schema", "null_content", "empty", "length", "refusal", "surrogate")
    server = openai_server(faults=dict.fromkeys(content, 0.04))
    done = program(*arguments(seeds, server, tmp_path / "out"))
    assert done.returncode == 0, done.stderr
    whole(tmp_path / "out")
    made = records(tmp_path / "out") + lines(tmp_path / "out" / "dropped.jsonl")
    assert {(row["skill"], row["seed_id"]) for row in made} == {(w.skill, w.seed.id) for w in expected_work(seeds)}


def test_a_finished_run_given_again_asks_nothing_and_changes_nothing(program, openai_server, seeds, tmp_path):
    server, out = openai_server(), tmp_path / "out"
    program(*arguments(seeds, server, out))
    first, requests = (out / "manifest.json").read_bytes(), server.stats()["requests"]
    assert program(*arguments(seeds, server, out)).returncode == 0
    assert server.stats()["requests"] == requests
    assert (out / "manifest.json").read_bytes() == first


def test_other_settings_are_refused_by_name_once_there_is_something_to_lose(program, openai_server, seeds, tmp_path):
    server, out = openai_server(), tmp_path / "out"
    command = arguments(seeds, server, out)
    command[command.index("openai:any")] = "openai"
    assert program(*command).returncode == 2
    assert program(*arguments(seeds, server, out)).returncode == 0
    numbers = ["rounds", "per-category", "per-goal", "categories-per-seed", "solvers", "skills-per-seed"]
    others = dict.fromkeys(numbers, 2) | {
        "seed": 7,
        "chunk-chars": 900,
        "column": "c",
        "licence": "l",
        "mix": "all",
    }
    refused = program(*arguments(seeds, server, out), *(f"--{name}={value}" for name, value in others.items()))
    assert refused.returncode == 2
    assert "  --seed: 0 → 7\n" in refused.stderr and "  --rounds: -1 → 2\n" in refused.stderr
    assert all(f"  --{name}: " in refused.stderr for name in others), refused.stderr
    assert not any(f"{part}." in refused.stderr for part in ("context", "seeds", "mix"))
    assert "--out" in refused.stderr
    whole(out)


def test_a_role_whose_model_never_answered_may_have_another(program, openai_server, seeds, tmp_path):
    server, out = openai_server(models="any"), tmp_path / "out"
    command = arguments(seeds / "mill.txt", server, out)
    failed = program(*command, "--model", "judge=openai:anny")
    assert failed.returncode == 69, failed.stderr
    assert "HTTP 404" in failed.stderr and "Check --base-url and the model's name." in failed.stderr
    assert "With the name put right, this goes on in the same folder: agentinstruct run" in failed.stderr
    assert "To resume" not in failed.stderr and server.stats()["answered_ok"]
    refused = program(*command, "--model", "judge=openai:any", "--seed", 7)
    assert refused.returncode == 2 and "--seed: 0 → 7" in refused.stderr
    done = program(*command, "--model", "judge=openai:any")
    assert done.returncode == 0, done.stderr
    assert server.stats()["answered_ok_repeats"] == 0
    assert json.loads((out / "run.json").read_text())["settings"]["models"]["judge"] == "openai:any"
    server.control(models="")
    late = program(*command, "--model", "judge=openai:better")
    assert late.returncode == 2 and 'models.judge: "openai:any" → "openai:better"' in late.stderr
    whole(out)


def waiting(server, calls):
    """Wait until the server has seen that many calls."""
    deadline = time.monotonic() + 30
    while server.stats()["requests"] < calls:
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_second_process_is_refused_naming_the_first(program, start, openai_server, seeds, tmp_path):
    server, out = openai_server(latency="fixed:5"), tmp_path / "out"
    first = start(*arguments(seeds, server, out))
    waiting(server, 1)
    second = program(*arguments(seeds, server, out))
    assert second.returncode == 75
    assert f"in use by process {first.pid}" in second.stderr
    first.kill()
    first.wait()
    server.control(latency="fixed:0")
    assert program(*arguments(seeds, server, out)).returncode == 0


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_stops_the_run_in_order(program, start, openai_server, seeds, tmp_path, number, status):
    server, out = openai_server(latency="fixed:0.4"), tmp_path / "out"
    process = start(*arguments(seeds, server, out), "--max-concurrency", 4)
    waiting(server, 10)
    begun = time.monotonic()
    process.send_signal(number)
    said = process.communicate(timeout=20)[1]
    assert time.monotonic() - begun < 15
    assert process.returncode == status, said
    assert "To resume: agentinstruct run" in said and "Traceback" not in said
    whole(out)
    bought = server.stats()
    with Journal.read(out) as journal:
        assert journal.counts().calls == bought["answered_ok"] - bought["answered_ok_repeats"]
    server.control(latency="fixed:0")
    assert program(*arguments(seeds, server, out)).returncode == 0
    whole(out)


def test_a_second_signal_ends_the_process_at_once(program, start, openai_server, seeds, tmp_path):
    server, out = openai_server(latency="fixed:30"), tmp_path / "out"
    process = start(*arguments(seeds, server, out))
    waiting(server, 1)
    process.send_signal(signal.SIGINT)
    time.sleep(0.5)
    assert process.poll() is None, "it waits for the calls in flight"
    begun = time.monotonic()
    process.send_signal(signal.SIGINT)
    assert process.wait(20) in (-signal.SIGINT, 130)
    assert time.monotonic() - begun < 15
    assert "Traceback" not in process.stderr.read()
    server.control(latency="fixed:0")
    assert program(*arguments(seeds, server, out)).returncode == 0


def test_it_is_plain_text_away_from_a_terminal_and_survives_a_closed_pipe(
    program, start, openai_server, seeds, tmp_path
):
    server, out = openai_server(), tmp_path / "out"
    done = program(*arguments(seeds, server, out))
    assert "\x1b" not in done.stdout + done.stderr and "\r" not in done.stdout + done.stderr
    assert done.stderr == ""
    assert f"{sum(whole(out)['records'].values())} records in {out}/data" in done.stdout
    cut = start(*arguments(seeds, server, out))
    head = subprocess.run(["head", "-1"], stdin=cut.stdout, capture_output=True, text=True, check=True)
    cut.stdout.close()
    said: Any = cut.stderr.read()
    cut.wait(30)
    assert "records" in head.stdout
    assert "Traceback" not in said and "BrokenPipe" not in said


def test_a_folder_whose_name_is_not_utf8_is_one(seeds, tmp_path):
    out = tmp_path / os.fsdecode(b"o\xe9d")
    command = ["run", seeds / "mill.txt", "--model", "scripted", "-s", "text_modification", "--goals", "none"]
    done = subprocess.run([sys.executable, "-m", "agentinstruct.cli.main", *command, "--out", out], capture_output=True)
    assert done.returncode == 0, done.stderr
    with (out / "parquet" / "text_modification.parquet").open("rb") as file:
        assert read_table(file).num_rows == len(records(out)) > 0
