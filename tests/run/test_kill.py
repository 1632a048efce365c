"""Kill -9 at any moment, the same command again: nothing lost, nothing doubled, next to nothing bought twice."""

import json
import os
import select
import signal
import subprocess
import sys
import time
from functools import partial
from hashlib import sha256
from pathlib import Path
from random import Random

import pytest

from agentinstruct.agents.errors import RunError
from agentinstruct.run.journal import Journal

CHILD = [sys.executable, str(Path(__file__).with_name("kill_child.py"))]
DOCUMENTS = Path(__file__).parents[2] / "examples" / "seeds"
SEEDS = ("albedo.md", "four_freedoms.txt", "the_blacksmith.txt", "a_story_about_magic.txt")
WIDTH = 8


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


class Process:
    """The program as a process of its own."""

    def __init__(self, command):
        self.process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True
        )
        self.pid = self.process.pid

    def poll(self):
        return self.process.poll()

    def wait(self):
        said = self.process.communicate(timeout=120)[1].decode()
        assert "Traceback" not in said, said
        return self.process.returncode


class Fork:
    """A run that a waiting process has forked off: it need not import all there is first."""

    def __init__(self, nest, words):
        self.nest = nest
        print(*words, file=nest.stdin, flush=True)
        self.pid, self.status = int(nest.stdout.readline()), None

    def poll(self):
        if self.status is None and select.select([self.nest.stdout], [], [], 0)[0]:
            self.wait()
        return self.status

    def wait(self):
        self.status = int(self.nest.stdout.readline()) if self.status is None else self.status
        return self.status


@pytest.fixture
def forked(tmp_path):
    """Begin a run of these seeds, URL and folder."""
    said = tmp_path / "stderr"
    with said.open("w") as stderr:
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": stderr}
        with subprocess.Popen(CHILD, text=True, **pipes) as nest:
            yield partial(Fork, nest)
            nest.stdin.close()
    assert "Traceback" not in said.read_text()


def kill_after(begin, server, calls, delay):
    """Kill the process group once it has sent some calls and a moment has passed; False if it ended before."""
    target = server.stats()["requests"] + calls
    process = begin()
    while process.poll() is None and server.stats()["requests"] < target:
        time.sleep(0.005)
    time.sleep(delay)
    if process.poll() is not None:
        return False
    os.killpg(process.pid, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    return True


def settle(server):
    """The counts once the server has noticed that its client is gone."""
    while server.stats()["in_flight"]:
        time.sleep(0.005)
    return server.stats()


def test_killed_over_and_over_a_run_ends_as_if_it_never_was(openai_server, seeds, tmp_path, forked, pytestconfig):
    calm, most = openai_server(), pytestconfig.getoption("kills")
    assert forked([seeds, calm.base_url, tmp_path / "calm"]).wait() == 0
    calls = calm.stats()["answered_ok"]
    alike = calm.stats()["answered_ok_repeats"]
    assert alike == 0

    server, draw, out = openai_server(latency="lognormal:0.1,0.5"), Random(11), tmp_path / "killed"
    begin, kills = partial(forked, [seeds, server.base_url, out]), 0
    for turn in range(most + 6):
        # The first kills fall before, at and just after the first call; the others leave work for those to come.
        some = 0 if turn < 2 else draw.randint(1, max(1, calls // most))
        if kills == most or not kill_after(begin, server, some, draw.uniform(0, 0.15)):
            break
        kills += 1
        assert settle(server)["answered_ok_repeats"] <= kills * WIDTH, f"kill {kills}"
    assert kills >= most - 2
    server.control(latency="fixed:0")
    assert begin().wait() == 0

    done = server.stats()
    assert done["max_in_flight"] <= WIDTH
    assert done["answered_ok"] - done["answered_ok_repeats"] == calls, "every call was bought"
    assert done["answered_ok_repeats"] <= kills * WIDTH
    assert len(set(ids(out))) == len(ids(out))
    assert set(ids(out)) == set(ids(tmp_path / "calm"))
    assert rows(out) == rows(tmp_path / "calm")
    assert begin().wait() == 0
    assert server.stats()["requests"] == done["requests"]


def kept(out):
    """How many replies a killed run still has."""
    try:
        with Journal.read(out) as journal:
            return journal.counts().calls
    except RunError:  # it had not begun
        return 0


@pytest.mark.parametrize("part", ["first", "later"])
def test_20_killed_at_any_write_point_a_run_ends_as_if_it_never_was(
    part, openai_server, seeds, tmp_path, forked, pytestconfig
):
    """The first points one by one; later ones here and there, and each time once more while that is being mended."""
    server, calm, most = openai_server(), tmp_path / "calm", pytestconfig.getoption("kills") // 2
    assert forked([seeds, server.base_url, calm, 0]).wait() == 0
    calls, points = server.stats()["answered_ok"], int((calm / "points").read_text())
    later = range(most, points, max(1, (points - most) // most))
    for number, point in enumerate(range(1, most) if part == "first" else later):
        server.control(reset=True)
        out = tmp_path / f"{point}"
        for last in (point, 1 + number % 30)[: 1 + (part == "later")]:
            status = forked([seeds, server.base_url, out, last]).wait()
            assert status == -signal.SIGKILL or last > points - 10, (point, last)
        lost = settle(server)["answered_ok"] - kept(out)
        assert 0 <= lost <= WIDTH, point
        assert forked([seeds, server.base_url, out]).wait() == 0, point
        done = server.stats()
        assert done["answered_ok_repeats"] == lost, f"{point}: of what it kept, none is bought again"
        assert done["answered_ok"] - lost == calls, point
        assert rows(out) == rows(calm), point
        assert not list(out.rglob("*.partial")), point
        for name, file in json.loads((out / "manifest.json").read_text())["files"].items():
            assert sha256((out / name).read_bytes()).hexdigest() == file["sha256"], (point, name)


def test_the_program_itself_survives_kills(openai_server, seeds, tmp_path):
    server, out = openai_server(latency="fixed:0.1"), tmp_path / "out"
    command = [sys.executable, "-m", "agentinstruct.cli.main", "run", str(seeds / SEEDS[0]), "--model", "openai:any"]
    command += ["--base-url", server.base_url, "--verify", "annotate", "--solvers", "1", "-s", "text_modification"]
    for calls in (1, 3, 2):
        assert kill_after(partial(Process, [*command, "--out", str(out)]), server, calls, 0.05)
    server.control(latency="fixed:0")
    for folder in (out, tmp_path / "calm"):
        assert Process([*command, "--out", str(folder)]).wait() == 0
    assert len(set(ids(out))) == len(ids(out)) > 0
    assert rows(out) == rows(tmp_path / "calm")
