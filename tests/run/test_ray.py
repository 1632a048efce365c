"""A run on a Ray cluster of two nodes: one dataset, one limit, one budget, whoever is killed meanwhile."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from random import Random

import pytest

from agentinstruct.run.load import CallFrame, ItemFrame, Load
from agentinstruct.run.status import read_status
from tests.run.conftest import KEY
from tests.run.test_workers import CAP, alike, arguments, calm, gone, rows, seeds, waiting

pytest.importorskip("ray", reason="runs with the extra `ray` only")
__all__ = ["calm", "seeds"]
CHILD = Path(__file__).with_name("ray_child.py")


class Nodes:
    """The two nodes."""

    def __init__(self):
        environment = {name: value for name, value in os.environ.items() if name != "OPENAI_API_KEY"}
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        self.process = subprocess.Popen([sys.executable, str(CHILD)], env=environment, **pipes)
        self.address, self.session = self.process.stdout.readline().split()

    def actors(self):
        """The processes of actors, by their parents: whoever descends from the nodes and works for a run."""
        table = subprocess.run(["ps", "-Ao", "pid=,ppid=,args="], capture_output=True, text=True, check=True).stdout
        found = [line.split(maxsplit=2) for line in table.splitlines() if len(line.split(maxsplit=2)) == 3]
        parents = {int(pid): int(parent) for pid, parent, _ in found}
        busy = [int(pid) for pid, _, said in found if said.startswith("ray::") and not said.startswith("ray::IDLE")]
        return [pid for pid in busy if self._ours(pid, parents)]

    def _ours(self, pid, parents):
        while pid in parents and pid != self.process.pid:
            pid = parents[pid]
        return pid == self.process.pid

    def kill_one(self):
        self.process.stdin.write("kill\n")
        self.process.stdin.flush()
        assert self.process.stdout.readline() == "killed\n"

    def close(self):
        with self.process:  # which closes its pipes, and so ends it
            pass


@pytest.fixture(scope="module")
def nodes():
    nodes = Nodes()
    yield nodes
    nodes.close()


@pytest.fixture
def on_ray(nodes, seeds):
    """The arguments of a run on the cluster."""

    def make(url, out, *more):
        return arguments(seeds, url, out, "--engine", "ray", "--address", nodes.address, *more)

    return make


def test_what_is_sent_arrives_as_it_was():
    load = Load([CallFrame("ab" * 16, 0.5, b"one"), CallFrame("cd" * 16, None, b"")])
    load.items.append(ItemFrame("id", "skill", "seed", 1, 2, b"three"))
    told, frames = load.told()
    assert Load.of(told, frames) == load
    with pytest.raises(ValueError, match="7 bytes of frames where 8 were told of"):
        Load.of(told, frames[:-1])


def took_part(log, count, process, within=60.0):
    """Wait until so many workers have made calls."""
    deadline = time.monotonic() + within
    while process.poll() is None and time.monotonic() < deadline:
        text = log.read_text() if log.exists() else ""
        if sum(f'"worker":"w{number}"' in text for number in range(1, 9)) >= count:
            return True
        time.sleep(0.1)
    return False


def test_a_cluster_makes_what_one_process_makes_within_one_limit(
    start, program, openai_server, nodes, on_ray, tmp_path, keyless, calm
):
    server, out, log = openai_server(latency="fixed:2", key=KEY), tmp_path / "out", tmp_path / "log"
    process = start(*on_ray(server.base_url, out, "--workers", 2, "--log-file", log, "--log-level", "debug"))
    assert took_part(log, 2, process), process.communicate()
    server.control(latency="fixed:0.05")
    said, wrong = process.communicate(timeout=90)
    assert process.returncode == 0, wrong
    assert wrong == ""
    stats = server.stats()
    assert alike(rows(out)) == calm[0]
    assert (stats["answered_ok"], stats["answered_ok_repeats"]) == (calm[1], 0)
    assert stats["max_in_flight"] <= CAP
    assert f"{calm[1]} calls this time" in said, "the counts of all workers are added up"
    keyless(out)
    told = [path for path in Path(nodes.session).rglob("*") if path.is_file() and KEY.encode() in path.read_bytes()]
    assert not told, "Ray keeps no key"
    again = program(*on_ray(server.base_url, out, "--workers", 1))
    assert again.returncode == 0, again.stderr
    assert server.stats()["requests"] == stats["requests"], "what is finished is finished, wherever it goes on"


def test_actors_killed_at_random_are_replaced_and_nothing_is_lost(start, openai_server, nodes, on_ray, tmp_path, calm):
    server, out, draw = openai_server(latency="fixed:0.2"), tmp_path / "out", Random(5)
    process, kills = start(*on_ray(server.base_url, out, "--workers", 2)), 0
    while kills < 2 and waiting(server, draw.randint(1, calm[1] // 6), process):
        if alive := nodes.actors():
            os.kill(draw.choice(alive), signal.SIGKILL)
            kills += 1
    said, wrong = process.communicate(timeout=150)
    assert process.returncode == 0, wrong
    assert f"{kills} worker processes died and were replaced" in said and kills == 2
    stats = server.stats()
    assert alike(rows(out)) == calm[0]
    assert stats["answered_ok"] - stats["answered_ok_repeats"] == calm[1], "every call was bought"
    assert stats["answered_ok_repeats"] <= kills * CAP
    assert stats["max_in_flight"] <= CAP


def test_actors_end_with_the_run_that_was_killed_and_it_goes_on(
    start, program, openai_server, nodes, on_ray, tmp_path, calm
):
    server, out = openai_server(latency="fixed:0.2"), tmp_path / "out"
    process = start(*on_ray(server.base_url, out, "--workers", 3))
    assert waiting(server, 12, process)
    actors = nodes.actors()
    assert actors
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    done = program(*on_ray(server.base_url, out, "--workers", 2))
    assert done.returncode == 0, done.stderr
    assert gone(actors, within=40), "one that was just starting ends when it hears of nobody"
    stats = server.stats()
    assert alike(rows(out)) == calm[0]
    assert stats["answered_ok"] - stats["answered_ok_repeats"] == calm[1]
    assert stats["answered_ok_repeats"] <= CAP
    assert stats["max_in_flight"] <= CAP, "those of the run before had ended"


def test_a_signal_stops_the_actors_in_order(start, program, openai_server, nodes, on_ray, seeds, tmp_path, calm):
    server, out = openai_server(latency="fixed:0.4"), tmp_path / "out"
    process = start(*on_ray(server.base_url, out, "--workers", 2))
    assert waiting(server, 8, process)
    process.send_signal(signal.SIGTERM)
    said = process.communicate(timeout=40)[1]
    assert process.returncode == 143, said
    assert "To resume: agentinstruct run" in said and "Traceback" not in said
    server.control(latency="fixed:0")
    assert program(*arguments(seeds, server.base_url, out)).returncode == 0
    assert alike(rows(out)) == calm[0]
    assert server.stats()["answered_ok_repeats"] == 0, "calls in flight were finished and kept; another engine goes on"


def test_together_they_spend_no_more_than_the_budget(program, openai_server, on_ray, tmp_path):
    server = openai_server(latency="fixed:0.05")
    few = program(*on_ray(server.base_url, tmp_path / "out", "--workers", 3, "--max-calls", 40))
    assert few.returncode == 0, few.stderr
    assert "Budget reached: 40 of 40 calls spent" in few.stdout
    assert server.stats()["answered_ok"] == 40


def test_a_node_is_lost_and_the_other_does_its_work(start, openai_server, nodes, on_ray, tmp_path, calm):
    """The last test of the module: one node is left, on which not all workers find room."""
    server, out, log = openai_server(latency="fixed:4"), tmp_path / "out", tmp_path / "log"
    process = start(*on_ray(server.base_url, out, "--workers", 4, "--log-file", log, "--log-level", "debug"))
    took_part(log, 3, process, within=30.0)
    assert process.poll() is None, process.communicate()
    nodes.kill_one()
    server.control(latency="fixed:0.2")
    said, wrong = process.communicate(timeout=150)
    assert process.returncode == 0, wrong
    assert ("worker processes died" in said) == ("worker died" in log.read_text())
    stats = server.stats()
    assert alike(rows(out)) == calm[0]
    assert stats["answered_ok"] - stats["answered_ok_repeats"] == calm[1]
    assert stats["answered_ok_repeats"] <= CAP
    assert stats["max_in_flight"] <= CAP


def test_without_room_a_run_waits_and_says_so(start, openai_server, on_ray, tmp_path):
    server, out = openai_server(latency="fixed:2"), tmp_path / "out"
    process = start(*on_ray(server.base_url, out, "--workers", 6))
    deadline, told = time.monotonic() + 60, ""
    while "no node" not in told and time.monotonic() < deadline and process.poll() is None:
        status = (out / "status.json").exists() and read_status(out, _run(out))
        told = status.waiting if status else ""
        time.sleep(0.2)
    assert "no node of the Ray cluster has a CPU free" in told
    assert waiting(server, 4, process), "the others work"
    process.kill()


def _run(out):
    from agentinstruct.run.manifest import read_manifest

    return read_manifest(out).run


def test_what_is_missing_is_named(program, seeds, tmp_path, monkeypatch):
    (tmp_path / "ray.py").write_text("raise ImportError('none here')\n")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")]))
    missing = program(*arguments(seeds, "http://127.0.0.1:9/v1", tmp_path / "out", "--engine", "ray"))
    assert missing.returncode == 2
    assert "pip install 'agentinstruct[ray]'" in missing.stderr
    monkeypatch.undo()
    far = program(
        *arguments(seeds, "http://127.0.0.1:9/v1", tmp_path / "out", "--engine", "ray", "--address", "ray://x:1")
    )
    assert far.returncode == 2
    assert "HOST:PORT" in far.stderr
