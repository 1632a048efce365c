"""A run on a Ray cluster of two nodes: one dataset, one limit, one budget, whoever is killed meanwhile."""

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from random import Random

import pytest

from agentinstruct.run.load import CallFrame, ItemFrame, Load
from agentinstruct.run.manifest import read_manifest
from agentinstruct.run.status import read_status
from agentinstruct.tools.prices import Price
from tests.run.conftest import KEY
from tests.run.test_workers import CAP, alike, arguments, calm, gone, rows, seeds, waiting

pytest.importorskip("ray", reason="runs with the extra `ray` only")
__all__ = ["calm", "seeds"]
CHILD = Path(__file__).with_name("ray_child.py")
HASTY = """
from agentinstruct.run import ray_actor

ray_actor.SILENCE_S = 12.0
from agentinstruct.cli.main import main

main()
"""
"""The program, where a worker that is not heard of is given up sooner."""
PRICE = Price(2, 1, 10)


class Nodes:
    """The two nodes."""

    def __init__(self):
        environment = {name: value for name, value in os.environ.items() if name != "OPENAI_API_KEY"}
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        self.process = subprocess.Popen([sys.executable, str(CHILD)], env=environment, **pipes)
        self.address, self.session, second = self.process.stdout.readline().split()
        self.second = int(second)

    def actors(self, below=None):
        """The processes of actors."""
        return self.named("ray::Actor", below)

    def named(self, begin, below=None):
        """The processes whose name begins so, and that descend from the nodes, or from one."""
        table = subprocess.run(["ps", "-Ao", "pid=,ppid=,args="], capture_output=True, text=True, check=True).stdout
        found = [line.split(maxsplit=2) for line in table.splitlines() if len(line.split(maxsplit=2)) == 3]
        parents = {int(pid): int(parent) for pid, parent, _ in found}
        busy = [int(pid) for pid, _, said in found if said.startswith(begin)]
        return [pid for pid in busy if self._descends(pid, parents, below or self.process.pid)]

    def _descends(self, pid, parents, root):
        while pid in parents and pid != root:
            pid = parents[pid]
        return pid == root

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
    load.items.append(ItemFrame("id", "skill", "seed", 1, 1, 2, b"three"))
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
    start, program, openai_server, nodes, on_ray, seeds, tmp_path, keyless, calm
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
    again = program(*arguments(seeds, server.base_url, out))
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
    server, out = openai_server(latency="fixed:0.5"), tmp_path / "out"
    process = start(*on_ray(server.base_url, out, "--workers", 2))
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
    assert stats["answered_ok_repeats"] <= 2 * CAP, "in flight at the kill, and until Ray had ended the actors"
    assert stats["max_in_flight"] <= CAP, "those of the run before had ended"


def state(out):
    return read_status(out, read_manifest(out).run)


def billed(server):
    tokens = server.stats()["tokens"]
    return PRICE.of(tokens["prompt"], tokens["cached"], tokens["completion"])


def test_together_they_spend_no_more_than_the_limits_and_stop_in_order(
    start, program, openai_server, on_ray, seeds, tmp_path, calm
):
    server, out, prices = openai_server(latency="fixed:0.05"), tmp_path / "out", tmp_path / "prices.json"
    prices.write_text('{"models": {"any": [2, 1, 10]}}')
    few = program(*on_ray(server.base_url, out, "--workers", 2, "--prices", prices, "--max-calls", 4))
    assert few.returncode == 0, few.stderr
    assert "Budget reached: 4 of 4 calls spent" in few.stdout
    assert server.stats()["answered_ok"] == 4
    before = billed(server)

    little = program(*on_ray(server.base_url, out, "--workers", 2, "--prices", prices, "--budget", 0.05))
    assert little.returncode == 0, little.stderr
    assert "of $0.05 spent" in little.stdout and state(out).state == "budget reached"
    assert server.stats()["answered_ok"] < calm[1]
    assert before < billed(server) <= 0.05

    server.control(latency="fixed:0.4")
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


def test_a_task_of_a_cleaning_that_is_killed_is_done_again_and_the_bytes_are_the_same(nodes, start, tmp_path):
    texts = [
        f"Tell of number {n % 400} and of {' '.join(f'w{(n % 400) * k % 97}' for k in range(60))}" for n in range(4000)
    ]
    lines = [
        json.dumps({"id": f"{n:032x}", "prompt": one, "response": f"So it is {n % 45}."}) for n, one in enumerate(texts)
    ]
    (tmp_path / "rows.jsonl").write_text("\n".join(lines))
    (tmp_path / "quiz.txt").write_text(texts[7])
    looked = ["--dedup", "--decontaminate", tmp_path / "quiz.txt", "--flags", "drop"]
    made, killed = [], []
    for more in ((), ("--engine", "ray", "--address", nodes.address)):
        out = tmp_path / f"out{len(made)}"
        process = start("clean", tmp_path / "rows.jsonl", "--out", out, *looked, *more)
        while more and not killed and process.poll() is None:
            killed = [pid for pid in nodes.named("ray::_done") if dead(pid)]
        said = process.communicate(timeout=60)
        assert process.returncode == 0, said
        made.append({path.name: path.read_bytes() for path in out.iterdir()})
    assert killed, "while it worked"
    assert made[0] == made[1]
    assert json.loads(made[0]["clean.json"])["removed"].keys() == {"contaminated", "duplicate"}


def dead(pid):
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
        return True
    return False


def calls(pid, server):
    """Whether a process has a connection to the server, so has called it."""
    port = int(server.base_url.split(":")[2].split("/")[0])
    lines = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    sockets = {f"socket:[{line[9]}]" for line in lines if line[2].endswith(f":{port:04X}")}
    with suppress(OSError):
        return any(os.readlink(handle) in sockets for handle in Path(f"/proc/{pid}/fd").iterdir())


@pytest.mark.skipif(not Path("/proc/net/tcp").exists(), reason="finds who calls the server by /proc")
def test_a_node_is_lost_and_the_other_does_its_work_without_room_for_more(
    start, openai_server, nodes, on_ray, tmp_path, calm
):
    """The last test of the module that needs two nodes."""
    server, out, log = openai_server(latency="fixed:5"), tmp_path / "out", tmp_path / "log"
    more = ["--workers", 4, "--log-file", log, "--log-level", "debug"]
    process = start(*on_ray(server.base_url, out, *more), program=[sys.executable, "-c", HASTY])
    doomed = []
    while not any(calls(pid, server) for pid in doomed):
        assert process.poll() is None, process.communicate()
        time.sleep(0.2)
        doomed = nodes.actors(below=nodes.second)
    nodes.kill_one()
    assert gone(doomed)
    deadline = time.monotonic() + 90
    while "no node of the Ray cluster has a CPU free" not in state(out).waiting:
        assert process.poll() is None and time.monotonic() < deadline, process.communicate()
        time.sleep(0.1)
    before = server.stats()["requests"]
    server.control(latency="fixed:0.2")
    said, wrong = process.communicate(timeout=90)
    assert process.returncode == 0, wrong
    assert server.stats()["requests"] > before, "the others work"
    died = [line for line in log.read_text().splitlines() if '"worker died"' in line]
    assert any('"how":"was lost' in line for line in died)
    assert f"{len(died)} worker processes died and were replaced" in said
    stats = server.stats()
    assert alike(rows(out)) == calm[0]
    assert stats["answered_ok"] - stats["answered_ok_repeats"] == calm[1]
    assert stats["answered_ok_repeats"] <= CAP
    assert stats["max_in_flight"] <= CAP


def test_commands_under_which_the_cluster_is_shut_down_end_in_words(
    start, program, openai_server, nodes, on_ray, seeds, tmp_path, calm
):
    """The last test of the module that needs a node."""
    server, out = openai_server(latency="fixed:1"), tmp_path / "out"
    rows_ = [json.dumps({"prompt": f"Tell of {n} {'and more ' * n}", "response": "So it is."}) for n in range(4000)]
    (tmp_path / "rows.jsonl").write_text("\n".join(rows_))
    cleaned = "clean", tmp_path / "rows.jsonl", "--out", tmp_path / "clean", "--flags", "drop", "--engine", "ray"
    cleaning = start(*cleaned, "--address", nodes.address)
    while not nodes.named("ray::_done"):
        assert cleaning.poll() is None, cleaning.communicate()
    running = start(*on_ray(server.base_url, out, "--workers", 1))
    assert waiting(server, 1, running), running.communicate()
    assert cleaning.poll() is None, "both are at work"
    nodes.close()
    for process, kept in ((cleaning, "no rows were written"), (running, "what is done is kept")):
        wrong = process.communicate(timeout=60)[1]
        assert process.returncode == 1
        assert "Ray cluster was shut down or lost" in wrong and kept in wrong and "Traceback" not in wrong
    assert not (tmp_path / "clean" / "rows.jsonl").exists()
    server.control(latency="fixed:0")
    assert program(*arguments(seeds, server.base_url, out)).returncode == 0
    assert alike(rows(out)) == calm[0]


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
