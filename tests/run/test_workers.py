"""`--workers N`: several processes are one run. They make what one makes, die without loss, and share limits."""

import json
import os
import resource
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from random import Random

import pytest

DOCUMENTS = Path(__file__).parents[2] / "examples" / "seeds"
SEEDS = ("albedo.md", "four_freedoms.txt", "the_blacksmith.txt", "a_story_about_magic.txt")
SKILLS = ("reading_comprehension", "text_modification")
CAP = 6


@pytest.fixture
def seeds(tmp_path):
    folder = tmp_path / "seeds"
    folder.mkdir()
    for name in SEEDS:
        (folder / name).write_text((DOCUMENTS / name).read_text()[:2500])
    return folder


def arguments(seeds, url, out, *more, skills=SKILLS):
    """One solver: of several the requests are alike, and the server would count every second one as a repeat."""
    chosen = [word for skill in skills for word in ("-s", skill)]
    common = ["run", seeds, "--model", "openai:any", "--base-url", url, "--out", out, "--verify", "annotate"]
    few = ["--solvers", 1, "--categories-per-seed", 1, "--per-goal", 1, "--rounds", 1, "--transforms", "identity"]
    return [*common, *few, "--max-concurrency", CAP, *chosen, *more]


def rows(out):
    """Every line of the dataset, but for how many tokens the server had cached: that is its state, not the run's."""
    files = [*sorted((out / "data").glob("*.jsonl")), out / "dropped.jsonl"]
    found = [json.loads(line) for file in files for line in file.read_text().splitlines()]
    return [row | {"calls": [call | {"cached_tokens": 0} for call in row["calls"]]} for row in found]


def workers_of(process):
    """The worker processes of a run, in the order they were started."""
    table = subprocess.run(["ps", "-Ao", "pid=,ppid=,args="], capture_output=True, text=True, check=True).stdout
    found = [line.split(maxsplit=2) for line in table.splitlines()]
    return [int(pid) for pid, parent, said in found if int(parent) == process.pid and "run.worker" in said]


def gone(pids, within=10.0):
    deadline = time.monotonic() + within
    while any(Path(f"/proc/{pid}").exists() for pid in pids) and time.monotonic() < deadline:
        time.sleep(0.02)
    return not any(Path(f"/proc/{pid}").exists() for pid in pids)


def waiting(server, calls, process):
    """Wait until the server has seen so many calls more; False when the run ended first."""
    target = server.stats()["requests"] + calls
    while server.stats()["requests"] < target:
        if process.poll() is not None:
            return False
        time.sleep(0.02)
    return True


@pytest.fixture(scope="module")
def calm(shared_openai_server, tmp_path_factory):
    """What one process makes of the seeds, and how many calls that takes."""
    folder = tmp_path_factory.mktemp("calm")
    (folder / "seeds").mkdir()
    for name in SEEDS:
        (folder / "seeds" / name).write_text((DOCUMENTS / name).read_text()[:2500])
    server = shared_openai_server()
    command = [sys.executable, "-m", "agentinstruct.cli.main"]
    command += map(str, arguments(folder / "seeds", server.base_url, folder / "out"))
    subprocess.run(command, check=True, capture_output=True, cwd=folder)
    stats = server.stats()
    assert stats["answered_ok_repeats"] == 0
    return alike(rows(folder / "out")), stats["answered_ok"]


def alike(found):
    """Rows without the folder their seeds lay in."""
    return [row | {"source": Path(row["source"]).name} for row in found]


def test_several_processes_make_what_one_makes_within_one_limit(program, openai_server, seeds, tmp_path, keyless, calm):
    server, out = openai_server(latency="fixed:0.1"), tmp_path / "out"
    done = program(*arguments(seeds, server.base_url, out, "--workers", 3))
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    stats = server.stats()
    assert alike(rows(out)) == calm[0]
    assert (stats["answered_ok"], stats["answered_ok_repeats"]) == (calm[1], 0)
    assert stats["max_in_flight"] <= CAP
    assert f"{calm[1]} calls this time" in done.stdout, "the counts of all workers are added up"
    written = [path.name for path in out.glob("items-w*.seg") if path.stat().st_size]
    assert sorted(written) == ["items-w1.seg", "items-w2.seg", "items-w3.seg"]
    keyless(out)
    again = program(*arguments(seeds, server.base_url, out, "--workers", 2))
    assert again.returncode == 0, again.stderr
    assert server.stats()["requests"] == stats["requests"], "what is finished is finished for any number of workers"
    assert alike(rows(out)) == calm[0]


def test_workers_killed_at_random_are_replaced_and_nothing_is_lost(start, openai_server, seeds, tmp_path, calm):
    server, out, draw = openai_server(latency="fixed:0.2"), tmp_path / "out", Random(5)
    process, kills = start(*arguments(seeds, server.base_url, out, "--workers", 2)), 0
    while kills < 3 and waiting(server, draw.randint(1, calm[1] // 8), process):
        time.sleep(draw.uniform(0, 0.3))
        if alive := workers_of(process):
            os.kill(draw.choice(alive), signal.SIGKILL)
            kills += 1
    said, wrong = process.communicate(timeout=150)
    assert process.returncode == 0, wrong
    assert kills == 3
    assert f"{kills} worker processes died and were replaced" in said
    stats = server.stats()
    assert alike(rows(out)) == calm[0]
    assert stats["answered_ok"] - stats["answered_ok_repeats"] == calm[1], "every call was bought"
    assert stats["answered_ok_repeats"] <= kills * CAP
    assert "Traceback" not in wrong


def test_workers_end_with_the_run_that_was_killed_and_another_number_goes_on(
    start, program, openai_server, seeds, tmp_path, calm
):
    server, out = openai_server(latency="fixed:0.2"), tmp_path / "out"
    for number, calls in ((3, 8), (2, 14)):
        process = start(*arguments(seeds, server.base_url, out, "--workers", number))
        assert waiting(server, calls, process)
        orphans = workers_of(process)
        assert orphans
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        if number == 2:
            assert gone(orphans)
    server.control(latency="fixed:0")
    done = program(*arguments(seeds, server.base_url, out))
    assert done.returncode == 0, done.stderr
    stats = server.stats()
    assert alike(rows(out)) == calm[0]
    assert stats["answered_ok"] - stats["answered_ok_repeats"] == calm[1]
    assert stats["answered_ok_repeats"] <= 2 * CAP


def test_a_signal_to_all_of_them_stops_the_run_in_order(start, program, openai_server, seeds, tmp_path, calm):
    server, out = openai_server(latency="fixed:0.4"), tmp_path / "out"
    process = start(*arguments(seeds, server.base_url, out, "--workers", 2))
    assert waiting(server, 10, process)
    workers = workers_of(process)
    for pid in [*workers, process.pid]:
        os.kill(pid, signal.SIGTERM)
    said = process.communicate(timeout=20)[1]
    assert process.returncode == 143, said
    assert "To resume: agentinstruct run" in said and "Traceback" not in said
    assert gone(workers)
    assert server.stats()["answered_ok"] < calm[1]
    server.control(latency="fixed:0")
    assert program(*arguments(seeds, server.base_url, out)).returncode == 0
    assert alike(rows(out)) == calm[0]
    assert server.stats()["answered_ok_repeats"] == 0, "calls in flight were finished and kept"


def test_a_second_signal_ends_all_at_once(start, openai_server, seeds, tmp_path):
    server, out = openai_server(latency="fixed:30"), tmp_path / "out"
    process = start(*arguments(seeds, server.base_url, out, "--workers", 2))
    assert waiting(server, 2, process)
    workers = workers_of(process)
    process.send_signal(signal.SIGINT)
    time.sleep(0.5)
    assert process.poll() is None, "it waits for the calls in flight"
    process.send_signal(signal.SIGINT)
    assert process.wait(20) in (-signal.SIGINT, 130)
    assert gone(workers, 20)
    assert "Traceback" not in process.stderr.read()


def test_together_they_spend_no_more_than_the_budget(program, openai_server, seeds, tmp_path):
    server, out, prices = openai_server(latency="fixed:0.05"), tmp_path / "out", tmp_path / "prices.json"
    prices.write_text('{"models": {"any": [2, 1, 10]}}')
    command = [*arguments(seeds, server.base_url, out, "--workers", 3), "--prices", prices]
    few = program(*command, "--max-calls", 40)
    assert few.returncode == 0, few.stderr
    assert "Budget reached: 40 of 40 calls spent" in few.stdout
    assert server.stats()["answered_ok"] == 40

    little = program(*command, "--budget", 0.15)
    assert little.returncode == 0, little.stderr
    assert "Budget reached: $0.1" in little.stdout
    tokens = server.stats()["tokens"]
    fresh = tokens["prompt"] - tokens["cached"]
    assert 0.1 < (2 * fresh + tokens["cached"] + 10 * tokens["completion"]) / 1e6 <= 0.15


def test_a_disk_that_takes_no_more_ends_all_of_them_in_words_and_costs_nothing(
    start, program, openai_server, seeds, tmp_path, calm
):
    server, out = openai_server(latency="fixed:0.05"), tmp_path / "out"
    command = arguments(seeds, server.base_url, out, "--workers", 2)

    def small() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (64_000, resource.RLIM_INFINITY))

    process = start(*command, preexec_fn=small)
    said = process.communicate(timeout=60)[1]
    assert process.returncode == 2, said
    assert "Traceback" not in said and str(out) in said
    assert "ulimit -f" in said or "Free some space" in said
    assert server.stats()["answered_ok"] <= calm[1]
    assert program(*command).returncode == 0
    assert alike(rows(out)) == calm[0]
    assert server.stats()["answered_ok_repeats"] <= CAP


def test_a_model_that_is_down_ends_the_run_in_its_words(program, openai_server, seeds, tmp_path):
    server = openai_server(faults={"quota": 1})
    failed = program(*arguments(seeds, server.base_url, tmp_path / "out", "--workers", 2))
    assert failed.returncode == 69
    assert "quota" in failed.stderr and "To resume" in failed.stderr


def test_the_embedded_model_is_not_loaded_once_for_each_worker(program, seeds, tmp_path):
    refused = program("run", seeds, "--model", "local", "--out", tmp_path / "out", "--workers", 2)
    assert refused.returncode == 2
    assert "--workers 2" in refused.stderr and "local" in refused.stderr
    assert not (tmp_path / "out").exists()


class Front:
    """A door in front of a server: whoever sends a certain text through it is told of before the server is."""

    def __init__(self, url, text, met):
        host, port = url.split("/")[2].split(":")
        self.target, self.text, self.met = (host, int(port)), text, met
        self.door = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.door.getsockname()[1]}/v1"
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self):
        with suppress(OSError):
            while True:
                client, (_, port) = self.door.accept()
                server = socket.create_connection(self.target)
                threading.Thread(target=self._carry, args=(client, server, port), daemon=True).start()
                threading.Thread(target=self._carry, args=(server, client, 0), daemon=True).start()

    def _carry(self, source, target, port):
        with suppress(OSError), source:
            while data := source.recv(1 << 20):
                if port and self.text in data:
                    self.met(port)
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)

    def close(self):
        self.door.close()


def owner(port, pids):
    """Which of these processes has the connection from that local port."""
    lines = Path("/proc/net/tcp").read_text().splitlines()[1:]
    sockets = {f"socket:[{line.split()[9]}]" for line in lines if line.split()[1].endswith(f":{port:04X}")}
    for pid in pids:
        with suppress(OSError):
            if any(os.readlink(handle) in sockets for handle in Path(f"/proc/{pid}/fd").iterdir()):
                return pid
    return 0


@pytest.mark.skipif(not Path("/proc/net/tcp").exists(), reason="finds the sender of a request by /proc")
def test_a_seed_that_kills_its_process_is_set_aside_and_named(start, openai_server, seeds, tmp_path, calm):
    """The process that sends the blacksmith's text is killed, as if the seed had made it take all memory."""
    server, out, killed = openai_server(latency="fixed:0.05"), tmp_path / "out", set()

    def kill(port):
        pid = owner(port, workers_of(process))
        if pid and pid not in killed:
            killed.add(pid)
            os.kill(pid, signal.SIGKILL)

    front = Front(server.base_url, b"blacksmith", kill)
    process = start(*arguments(seeds, front.url, out, "--workers", 2, skills=["text_modification"]))
    said, wrong = process.communicate(timeout=150)
    front.close()
    assert process.returncode == 1, wrong
    assert len(killed) == 3
    assert "1 work item failed too often: set aside" in wrong and "--retry-failed" in wrong
    assert f"worker processes died of them: text_modification of {seeds / 'the_blacksmith.txt'}" in said
    assert {Path(row["source"]).name for row in rows(out)} == set(SEEDS) - {"the_blacksmith.txt"}
