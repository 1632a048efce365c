"""What is asked of the disk, seen and disturbed by strace: the order of writes, a kill at each sync, a sync that fails.

Rows 20 and 21 of the fault plan. A killed process is one whose n-th sync never returned.
"""

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from agentinstruct.run.journal import Journal

CHILD = Path(__file__).with_name("crash_child.py")
_spec = importlib.util.spec_from_file_location("crash_child", CHILD)
child = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(child)
SETTINGS = {"crash": True}
STRACE = shutil.which("strace") or ""
WORKS = STRACE and not subprocess.run([STRACE, "-f", "-o", os.devnull, "true"], capture_output=True).returncode
pytestmark = pytest.mark.skipif(not WORKS, reason="needs strace, and the right to trace")
SYNCS = "trace=fsync,fdatasync"
PROGRAM = [sys.executable, "-m", "agentinstruct.cli.main", "run"]


def traced(log, command, *options):
    """Run a command under strace; what it said, its status, and the calls that were traced, in their order."""
    done = subprocess.run([STRACE, "-f", "-y", "-o", log, *options, *command], capture_output=True, timeout=60)
    return done, Path(log).read_text().splitlines()


def acknowledged(said):
    return [(kind, int(number)) for kind, number in (line.split() for line in said.decode().splitlines())]


def holds(folder, told):
    """The run has all that was acknowledged, and each record once."""
    with Journal.open(folder, SETTINGS) as journal:
        for kind, number in told:
            if kind == "call":
                assert journal.get_call(child.ident("call", number)) == child.reply(number)
            elif kind == "item":
                assert journal.is_done(child.ident("item", number))
        ids = [record["id"] for record in journal.records()]
        wanted = {record["id"] for kind, number in told if kind == "item" for record in child.made(number)}
        assert len(set(ids)) == len(ids) and wanted <= set(ids)
        assert journal.damaged == 0


@pytest.mark.parametrize(
    ("calls", "number"),
    [*(("fsync,fdatasync", n) for n in (1, 2, 3, 5, 8, 12)), *(("pwrite64", n) for n in (2, 6, 20, 60))],
)
def test_20_killed_at_any_sync_and_any_write_of_sqlite_it_keeps_what_it_acknowledged(tmp_path, calls, number):
    command = [sys.executable, CHILD, tmp_path / "run", "0"]
    kill = f"inject={calls}:signal=KILL:when={number}"
    done, _ = traced(tmp_path / "log", command, "-e", f"trace={calls}", "-e", kill)
    assert done.returncode in (-9, 137)
    holds(tmp_path / "run", acknowledged(done.stdout))


def test_21_a_sync_that_fails_ends_the_run_in_words_and_nothing_acknowledged_is_lost(tmp_path):
    command = [sys.executable, CHILD, tmp_path / "run", "0"]
    done, _ = traced(tmp_path / "log", command, "-e", SYNCS, "-e", "inject=fdatasync:error=EIO:when=3")
    assert done.returncode == 1
    assert re.search("RunError: .*(the disk failed|the ledger cannot be written)", done.stderr.decode())
    told = acknowledged(done.stdout)
    assert ("item", 0) in told
    holds(tmp_path / "run", told)


def test_20_what_takes_a_name_was_synced_before(seeds, tmp_path):
    chosen = ["--model", "scripted", "-s", "reading_comprehension", "--categories-per-seed", "1", "--rounds", "0"]
    command = [*PROGRAM, seeds, "--out", tmp_path / "run", *chosen]
    done, calls = traced(tmp_path / "log", command, "-e", "trace=fsync,fdatasync,rename,renameat2")
    assert done.returncode == 0, done.stderr.decode()
    synced, renamed, begun = set(), [], {}
    for thread, call in (line.split(maxsplit=1) for line in calls):
        if found := re.match(r"f(?:data)?sync\(\d+<([^>]+)>", call):
            begun[thread] = found[1]  # another thread's call may come before it ends
        if "sync" in call and call.endswith(" = 0"):
            synced.add(begun[thread])
        if found := re.match(r'rename\w*\((?:AT_FDCWD\S*, )?"([^"]+)", (?:AT_FDCWD\S*, )?"([^"]+)"', call):
            renamed.append(Path(found[2]).name)
            # How the run goes is told to whoever looks now, and is nothing that a power cut could cost.
            assert found[1] in synced or renamed[-1] == "status.json", f"{found[2]} took its name before it was synced"
    assert {"run.json", "dropped.jsonl", "README.md", "manifest.json"} <= set(renamed)
    assert any(name.endswith(".parquet") for name in renamed)
