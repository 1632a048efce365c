"""Kill -9 a bench's scoring or an experiment half-way, the same command again: it goes on, and buys nothing twice."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from agentinstruct.agents.records import Message
from agentinstruct.bench.items import build
from agentinstruct.dataset.export import export
from agentinstruct.dataset.options import Options
from agentinstruct.run.journal import Journal
from tests.dataset.test_export import record

PROGRAM = [sys.executable, "-m", "agentinstruct.cli.main"]
DOCUMENTS = Path(__file__).parents[2] / "examples" / "seeds"
WIDTH = 2


@pytest.fixture
def scoring(tmp_path):
    """A command that scores a small bench."""
    with Journal.open(tmp_path / "run", {}) as journal:
        for number in range(16):
            talk = [Message(role="user", content=f"What is {number}?"), Message(role="assistant", content="A number.")]
            row = record(number, messages=talk) | {"accepted": True, "source": f"{number}.txt"}
            row |= {"item": row["id"]}
            journal.finish(f"{number:032x}", "rc", str(number), [row], [])
        dataset = export(journal, tmp_path / "dataset", Options.of(["messages"], "train=0.5,test=0.5")).folder
    build(dataset, tmp_path / "bench")
    return ["bench", "score", tmp_path / "bench", "--model", "openai:a", "--judge", "openai:b"]


@pytest.fixture
def comparing():
    """A command that compares the arms of an ablation."""
    small = ["--categories-per-seed", 1, "--per-category", 1, "--per-goal", 1, "--solvers", 1, "--chunk-chars", 900]
    skill = ["-s", "reading_comprehension", "--model", "openai:a", "--embeddings", "hash", "--verify", "annotate"]
    return ["experiment", DOCUMENTS / "the_blacksmith.txt", *skill, *small, "--calls", 24, "--repeats", 1]


def run(command, server, out, kill_after=0):
    """Run it to its end, or kill it once it has sent so many calls."""
    words = [*command, "--out", out, "--base-url", server.base_url, "--max-concurrency", WIDTH]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("OPENAI_")}
    pipes = {"stderr": subprocess.PIPE, "stdout": subprocess.DEVNULL}
    with subprocess.Popen([*PROGRAM, *map(str, words)], env=environment, **pipes) as process:
        while kill_after and process.poll() is None and server.stats()["requests"] < kill_after:
            time.sleep(0.01)
        if kill_after:
            process.kill()
        said = process.communicate(timeout=60)[1].decode()
    assert "Traceback" not in said, said
    assert process.returncode == (-signal.SIGKILL if kill_after else 0), said
    while server.stats()["in_flight"]:
        time.sleep(0.01)
    return server.stats()


def survived(command, told, server, out, calls):
    """Kill it after so many calls, end it, give it once more; what it has told."""
    before = run(command, server, out, calls)
    server.control(latency="fixed:0")
    done = run(command, server, out)
    # A kill costs the calls in flight, and a quarter of a second's on their way to the folder that the arms share.
    assert done["answered_ok_repeats"] <= 5 * WIDTH < before["answered_ok"]
    first = json.loads((out / told).read_text())
    assert run(command, server, out)["requests"] == done["requests"], "given again it asks for nothing"
    assert json.loads((out / told).read_text()) == first
    return first


def test_a_scoring_that_is_killed_goes_on(openai_server, scoring, tmp_path):
    told = survived(scoring, "scores.json", openai_server(latency="fixed:0.1"), tmp_path / "scores", 16)
    assert told["models"]["openai:a"]["overall"]["items"] > 3


def test_an_experiment_that_is_killed_goes_on(openai_server, comparing, tmp_path):
    told = survived(comparing, "experiment.json", openai_server(latency="fixed:0.1"), tmp_path / "out", 30)
    assert all(0 < arm["calls"] <= arm["bought"] <= 24 for arm in told["arms"])
