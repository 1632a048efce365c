"""Kill -9 at any moment, the same command again: nothing lost, nothing doubled, next to nothing bought twice."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from random import Random

import pytest

CHILD = [sys.executable, str(Path(__file__).with_name("kill_child.py"))]
DOCUMENTS = Path(__file__).parents[2] / "examples" / "seeds"
SEEDS = ("albedo.md", "four_freedoms.txt", "the_blacksmith.txt", "a_story_about_magic.txt")
WIDTH = 8
KILLS = 22


@pytest.fixture
def seeds(tmp_path):
    folder = tmp_path / "seeds"
    folder.mkdir()
    for name in SEEDS:
        (folder / name).write_text((DOCUMENTS / name).read_text()[:2500])
    return folder


def rows(out):
    """Every line of the dataset, but for how many tokens the server had cached: that is its state, not the run's."""
    files = [*sorted((out / "data").glob("*.jsonl")), out / "dropped.jsonl"]
    found = [json.loads(line) for file in files for line in file.read_text().splitlines()]
    return [row | {"calls": [call | {"cached_tokens": 0} for call in row["calls"]]} for row in found]


def ids(out):
    return [row["id"] for row in rows(out) if "id" in row]


def begin(command):
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True)


def finish(command):
    process = begin(command)
    said = process.communicate(timeout=120)[1]
    assert process.returncode == 0, said.decode()


def kill_after(command, server, calls, delay):
    """Kill the process group once it has sent some calls and a moment has passed; False if it ended before."""
    target = server.stats()["requests"] + calls
    process = begin(command)
    while process.poll() is None and server.stats()["requests"] < target:
        time.sleep(0.005)
    time.sleep(delay)
    ended = process.poll() is not None
    if not ended:
        os.killpg(process.pid, signal.SIGKILL)
    said = process.communicate()[1].decode()
    assert ended or process.returncode == -signal.SIGKILL
    assert "Traceback" not in said, said
    return not ended


def settle(server):
    """The counts once the server has noticed that its client is gone."""
    while server.stats()["in_flight"]:
        time.sleep(0.005)
    return server.stats()


def test_killed_over_and_over_a_run_ends_as_if_it_never_was(openai_server, seeds, tmp_path):
    calm = openai_server()
    finish([*CHILD, str(seeds), calm.base_url, str(tmp_path / "calm")])
    calls = calm.stats()["answered_ok"]
    alike = calm.stats()["answered_ok_repeats"]
    assert alike == 0

    server, draw, out = openai_server(latency="lognormal:0.1,0.5"), Random(11), tmp_path / "killed"
    command, kills, before = [*CHILD, str(seeds), server.base_url, str(out)], 0, 0
    for turn in range(KILLS + 6):
        if kills == KILLS:
            break
        # The first kills fall before, at and just after the first call; the others leave work for those to come.
        if not kill_after(command, server, 0 if turn < 2 else draw.randint(1, calls // KILLS), draw.uniform(0, 0.15)):
            break
        kills += 1
        repeats = settle(server)["answered_ok_repeats"]
        assert repeats - before <= WIDTH, f"kill {kills}"
        before = repeats
    assert kills >= 20
    server.control(latency="fixed:0")
    finish(command)

    done = server.stats()
    assert done["max_in_flight"] <= WIDTH
    assert done["answered_ok"] - done["answered_ok_repeats"] == calls, "every call was bought"
    assert done["answered_ok_repeats"] <= kills * WIDTH
    assert len(set(ids(out))) == len(ids(out))
    assert set(ids(out)) == set(ids(tmp_path / "calm"))
    assert rows(out) == rows(tmp_path / "calm")
    finish(command)
    assert server.stats()["requests"] == done["requests"]


def test_the_program_itself_survives_kills(openai_server, seeds, tmp_path):
    server, out = openai_server(latency="fixed:0.1"), tmp_path / "out"
    command = [sys.executable, "-m", "agentinstruct.cli.main", "run", str(seeds / SEEDS[0]), "--model", "openai:any"]
    command += ["--base-url", server.base_url, "--verify", "annotate", "--solvers", "1", "-s", "text_modification"]
    for calls in (1, 3, 2):
        assert kill_after([*command, "--out", str(out)], server, calls, 0.05)
    finish([*command, "--out", str(out)])
    finish([*command, "--out", str(tmp_path / "calm")])
    assert len(set(ids(out))) == len(ids(out)) > 0
    assert rows(out) == rows(tmp_path / "calm")
