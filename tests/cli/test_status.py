"""`agentinstruct status`, from another process: of runs that work, ended, were killed, or lie in a copied folder."""

import fcntl
import json
import os
import pty
import re
import select
import shutil
import signal
import struct
import subprocess
import sys
import termios
import threading
import time
from pathlib import Path

import pytest

from agentinstruct.run.folder import owner_of
from agentinstruct.run.journal import Journal
from agentinstruct.run.observe import observe

DOCUMENTS = Path(__file__).parents[2] / "examples" / "seeds"
PROGRAM = [sys.executable, "-m", "agentinstruct.cli.main"]
CLEAN = {k: v for k, v in os.environ.items() if not k.startswith(("OPENAI_", "OTEL_", "LANG", "COLUMNS", "LINES"))}
ENVIRONMENT = CLEAN | {"COLUMNS": "200"}


@pytest.fixture
def begin(tmp_path):
    """Start a run of three seeds against a server; killed at the end of the test."""
    started = []

    def start(server, *more, out=tmp_path / "out"):
        command = ["run", DOCUMENTS, "--limit", 4, "-s", "reading_comprehension", "-s", "text_modification"]
        command += [
            "--model",
            "openai:gpt-4o-mini",
            "--base-url",
            server.base_url,
            "--out",
            out,
            "--verify",
            "annotate",
        ]
        words = [*PROGRAM, *map(str, command), *map(str, more)]
        environment = ENVIRONMENT | {"OPENAI_API_KEY": "sk-x"}
        started.append(subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=environment))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.communicate()


def status(folder, *options):
    return subprocess.run(
        [*PROGRAM, "status", str(folder), *options], capture_output=True, text=True, env=ENVIRONMENT, timeout=60
    )


def state_of(folder):
    done = status(folder, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def until(folder, wanted, seconds=40):
    """The status as soon as it is as wanted; the command itself is asked the last time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if (folder / "ledger.sqlite").exists() and wanted(observe(folder).as_json()):
            return state_of(folder)
        time.sleep(0.1)
    raise AssertionError(f"not so within {seconds} s: {observe(folder).as_json()}")


def contents(folder):
    """Every file but SQLite's shared memory, in which its readers meet."""
    files = [path for path in folder.iterdir() if path.is_file() and not path.name.endswith("-shm")]
    return {path.name: (path.stat().st_mtime_ns, path.read_bytes()) for path in files}


class Terminal:
    """The program in a terminal of its own."""

    def __init__(self, columns, rows, *arguments):
        environment = CLEAN | {"TERM": "xterm-256color"}
        self.pid, self.handle = pty.fork()
        if self.pid == 0:
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
            signal.signal(signal.SIGINT, signal.SIG_DFL)  # ignored where the tests run in the background
            os.execvpe(PROGRAM[0], [*PROGRAM, *map(str, arguments)], environment)
        self.columns, self.said = columns, b""

    def read(self, seconds, until=""):
        end = time.monotonic() + seconds
        while time.monotonic() < end and (not until or until not in self.lines()):
            if select.select([self.handle], [], [], 0.1)[0]:
                try:
                    self.said += os.read(self.handle, 65536)
                except OSError:
                    break
        return self.lines()

    def lines(self):
        return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", self.said.decode("utf-8", "ignore").replace("\r", "\n"))

    def end(self):
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


def test_a_run_is_watched_while_it_works_and_after_it_has_ended(begin, openai_server, tmp_path):
    out = tmp_path / "out"
    server = openai_server(latency="fixed:0.3", faults={"500": 0.1})
    process = begin(server, "--budget", 9)
    seen = until(out, lambda one: one["state"] == "running" and one["calls"]["calls"] > 10 and one["items"]["known"])
    assert seen["process"]["pid"] == process.pid
    assert seen["seeds"]["seeds"] == 4 and seen["items"]["known"] == 8
    assert seen["recent"]["calls"] > 0 and seen["recent"]["seconds"] > 0
    (model,) = seen["models"]
    assert model["model"] == "openai:gpt-4o-mini" and model["ceiling"] == 64 >= model["limit"] > 0
    assert seen["budget"] == {"usd": 9, "calls": None}
    terminals = [Terminal(columns, rows, "status", out, "--watch") for columns, rows in ((50, 20), (120, 50))]
    words = status(out).stdout
    assert "running for" in words and f"process {process.pid}" in words and "calls/s" in words
    assert "of $9.00 left" in words and "in flight" in words
    for terminal in terminals:
        terminal.read(20, until="running for")
    server.control(latency="fixed:0")
    assert process.wait(60) == 0
    for terminal in terminals:
        terminal.read(30, until="finished")
        watched = terminal.read(1)
        assert terminal.end() == 0
        assert "running for" in watched and "finished" in watched
        assert [line for line in watched.splitlines() if len(line) > terminal.columns] == []
    ended, manifest = state_of(out), json.loads((out / "manifest.json").read_text())
    assert (ended["state"], ended["process"], ended["recent"]) == ("finished", None, None)
    assert (ended["items"]["done"], ended["items"]["known"]) == (8, 8)
    assert sum(skill["records"] for skill in ended["skills"].values()) == sum(manifest["records"].values())
    assert ended["dropped"]["all"] == sum(ended["dropped"]["by_stage"].values()) == manifest["dropped"]
    assert ended["calls"]["retries"] > 0 and ended["calls"]["stored"] == ended["calls"]["calls"]
    rows = [json.loads(line) for path in (out / "data").glob("*.jsonl") for line in path.read_text().splitlines()]
    assert sum(skill["accepted"] for skill in ended["skills"].values()) == sum(row["accepted"] for row in rows)
    assert 0 < ended["tokens"]["cached_share"] < 1 and ended["cost"]["usd"] > 0


def test_a_killed_run_tells_what_it_did_and_a_copy_of_it_too_and_nothing_is_touched(begin, openai_server, tmp_path):
    out, copy, server = tmp_path / "out", tmp_path / "copy", openai_server(latency="fixed:0.3")
    process = begin(server)
    until(out, lambda one: one["calls"]["calls"] > 10)
    process.kill()
    process.wait()
    shutil.copytree(out, copy)
    before = contents(copy)
    killed = state_of(copy)
    assert contents(copy) == before
    assert killed["state"] == "killed" and killed["process"] is None and killed["seconds_left"] is None
    assert 10 < killed["calls"]["calls"] <= killed["calls"]["stored"]
    assert "the same command resumes it" in status(copy).stdout
    assert state_of(out)["items"] == killed["items"]
    server.control(latency="fixed:0")
    assert begin(server).wait(60) == 0
    ended = state_of(out)
    assert ended["state"] == "finished" and ended["items"]["done"] == 8
    assert killed["calls"]["calls"] < ended["calls"]["calls"] <= ended["calls"]["stored"]
    assert ended["tokens"]["output"] > killed["tokens"]["output"] > 0


def test_ctrl_c_ends_the_watching_and_then_the_run(begin, openai_server, tmp_path):
    out = tmp_path / "out"
    process = begin(openai_server(latency="fixed:1.5"))
    until(out, lambda one: one["calls"]["calls"] > 5)
    terminal = Terminal(100, 40, "status", out, "--watch")
    terminal.read(20, until="calls/s")
    os.write(terminal.handle, b"\x03")
    text = terminal.read(5, until="\x04")
    assert terminal.end() == 0 and "Traceback" not in text
    assert process.poll() is None
    process.send_signal(signal.SIGINT)
    assert process.wait(30) == 130
    assert state_of(out)["state"] == "stopped"


def test_a_model_that_fails_is_told(begin, openai_server, tmp_path):
    assert begin(openai_server(faults={"quota": 1})).wait(60) == 69
    failed = state_of(tmp_path / "out")
    assert failed["state"] == "failed" and "quota" in failed["why"]
    assert "no quota left" in status(tmp_path / "out").stdout


def test_work_items_that_wait_are_told_with_their_error(tmp_path):
    with Journal.open(tmp_path / "out", {}) as journal:
        for number, error in enumerate(("ProviderError", "ProviderError", "TimeoutError")):
            journal.fail(f"{number:032x}", "rc", "s" * 32, "call", error, f"HTTP 50{number}\x1b[2J")
        for _ in range(2):
            journal.fail("0" * 32, "rc", "s" * 32, "call", "ProviderError", "HTTP 500")
        journal.fail("f" * 32, "rc", "s" * 32, "call", "ProviderError", "HTTP 500")
        journal.finish("f" * 32, "rc", "s" * 32, [], [])
    seen = state_of(tmp_path / "out")
    assert seen["items"] | {"known": 0, "all_known": 0} == {
        "known": 0, "all_known": 0, "done": 1, "failed": 3, "set_aside": 1
    }  # fmt: skip
    assert [(fault["error"], fault["items"]) for fault in seen["faults"]] == [("ProviderError", 2), ("TimeoutError", 1)]
    shown = status(tmp_path / "out").stdout
    assert "3 failed · 1 set aside" in shown and "HTTP 502 [2J" in shown and "\x1b" not in shown


def test_a_run_whose_ledger_is_damaged_is_counted_from_its_segments(tmp_path):
    with Journal.open(tmp_path / "out", {}) as journal:
        journal.finish("i" * 32, "rc", "s" * 32, [{"a": 1}], [])
    (tmp_path / "out" / "ledger.sqlite").write_bytes(b"x" * 8192)
    done = status(tmp_path / "out")
    assert (done.returncode, done.stderr) == (0, "")
    assert "1 of 1" in done.stdout and "its ledger cannot be used" in done.stdout


@pytest.mark.parametrize("folder", ["nosuch", "empty", "file", "foreign"])
def test_what_is_no_run_is_named_in_one_line(tmp_path, folder):
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_text("x")
    (tmp_path / "foreign").mkdir()
    (tmp_path / "foreign" / "run.json").write_text("[1]")
    done = status(tmp_path / folder)
    assert done.returncode == 2 and done.stdout == ""
    assert str(tmp_path / folder) in done.stderr and len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("forged", ["", "{", "[]", '{"run": "another"}', "OTHER", "NUMBERS"])
def test_the_ledger_is_right_whatever_the_status_file_says(tmp_path, forged):
    with Journal.open(tmp_path / "out", {"x": 1}) as journal:
        journal.finish("i" * 32, "rc", "s" * 32, [{"accepted": True}, {"accepted": False}], [])
        run = journal.manifest.run
    head = {"run": run, "pid": 1, "host": "", "started": 0, "updated": 0}
    bodies = {
        "OTHER": head | {"run": "another", "totals": {"calls": 10**6}},
        "NUMBERS": head | {"totals": {"output_tokens": 10**9, "calls": -5}, "sitting": {"items": 10**9, "taken": 1}},
    }
    (tmp_path / "out" / "status.json").write_text(json.dumps(bodies[forged]) if forged in bodies else forged)
    seen = state_of(tmp_path / "out")
    assert (seen["items"]["done"], seen["calls"]["stored"]) == (1, 0)
    assert (seen["skills"]["rc"]["records"], seen["skills"]["rc"]["accepted"]) == (2, 1)
    assert "1 of 2 records" in status(tmp_path / "out").stdout
    assert seen["state"] == ("killed" if forged == "NUMBERS" else "unknown")
    assert status(tmp_path / "out").returncode == 0


def test_looking_does_not_grow_with_the_run(tmp_path):
    def cost(items):
        folder = tmp_path / str(items)
        with Journal.open(folder, {}) as journal:
            for number in range(items):
                journal.put_call(f"{number:032x}", {"text": "x"})
                journal.finish(f"{number:032x}", f"skill{number % 5}", "s" * 32, [{"a": 1}], [{"b": 1}])
        return min(_cpu(lambda: observe(folder)) for _ in range(9))

    small, large = cost(100), cost(20_000)
    assert large < 3 * small


def _cpu(work):
    begun = time.process_time()
    work()
    return time.process_time() - begun


def test_looking_never_keeps_a_run_from_starting(tmp_path):
    with Journal.open(tmp_path / "out", {}):
        pass
    handle = os.open(tmp_path / "out" / "run.lock", os.O_RDONLY)
    fcntl.flock(handle, fcntl.LOCK_SH)  # as `status` does, for some microseconds
    threading.Timer(0.015, os.close, [handle]).start()
    with Journal.open(tmp_path / "out", {}):
        assert owner_of(tmp_path / "out").pid == os.getpid()
        with Journal.read(tmp_path / "out") as reader:
            assert reader.counts().done == 0
    assert owner_of(tmp_path / "out") is None


def test_accepted_and_records_are_of_the_same_moment_while_it_runs_and_after_a_kill(tmp_path):
    """A process that was killed told of less, or of nothing at all, than it had put in its segments."""
    command = [*PROGRAM, "run", DOCUMENTS, "--model", "scripted", "--out", tmp_path / "out", "-s", "text_modification"]
    process = subprocess.Popen([*map(str, command)], stdout=subprocess.DEVNULL, env=ENVIRONMENT)
    try:
        made = until(tmp_path / "out", lambda one: one["skills"])["skills"]["text_modification"]
        assert made["accepted"] == made["records"] > 0, "under strict every record has passed"
    finally:
        process.kill()
        process.wait()
    (tmp_path / "out" / "status.json").unlink(missing_ok=True)
    (tmp_path / "out" / "ledger.sqlite").unlink()  # counted from the segments
    made = state_of(tmp_path / "out")["skills"]["text_modification"]
    assert made["accepted"] == made["records"] > 0
    assert re.search(rf"accepted +{made['accepted']} *\n", status(tmp_path / "out").stdout)
