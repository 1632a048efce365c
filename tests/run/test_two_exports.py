"""One export at a time writes a folder: a second one is told, and a run's own waits for its turn."""

import json
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from threading import Event

import pytest

from agentinstruct.agents.errors import RunError
from agentinstruct.dataset.export import export
from agentinstruct.run.journal import Journal

SEED = Path(__file__).parents[2] / "examples" / "seeds" / "albedo.md"
BUSY = 75


@pytest.fixture
def run(program, tmp_path):
    """A finished run's folder, and the command that made it."""
    command = ["run", SEED, "--model", "scripted", "--limit", 1, "-s", "text_modification", "--out", tmp_path / "run"]
    assert program(*command).returncode == 0
    return tmp_path / "run", command


class Halting:
    """A run's rows, of which all but the first come when they may."""

    def __init__(self, journal, begun, go):
        self.journal, self.folder, self.dropped, self.begun, self.go = (
            journal,
            journal.folder,
            journal.dropped,
            begun,
            go,
        )

    def records(self):
        for row in self.journal.records():
            yield row
            self.begun.set()
            assert self.go.wait(60)


@contextmanager
def writing(run, folder):
    """An export in the midst of its work; the event lets it go on, and it ends well."""
    begun, go = Event(), Event()
    with Journal.read(run) as journal, ThreadPoolExecutor(1) as pool:
        done = pool.submit(export, Halting(journal, begun, go), folder)
        try:
            assert begun.wait(20)
            yield go
        finally:
            go.set()
        done.result(20)


def whole(folder):
    """Whether a dataset is as its manifest says, and nothing else is there of an export."""
    sealed = json.loads((folder / "manifest.json").read_text())["files"]
    assert not list(folder.rglob("*.partial"))
    return all(sha256((folder / name).read_bytes()).hexdigest() == seal["sha256"] for name, seal in sealed.items())


@pytest.mark.parametrize("where", ["run", "new"])
def test_a_second_export_into_a_folder_is_told_and_spoils_nothing(program, run, tmp_path, where):
    folder = tmp_path / where
    with writing(run[0], folder):
        second = program("export", run[0], "--out", folder)
        assert second.returncode == BUSY
        assert f"{folder}: in use by another export" in second.stderr and "another --out" in second.stderr
        assert program("export", run[0], "--out", tmp_path / "other").returncode == 0
    assert whole(folder)
    before = {path.relative_to(folder) for path in folder.rglob("*")}
    assert program("export", run[0], "--out", folder).returncode == 0
    assert whole(folder) and {path.relative_to(folder) for path in folder.rglob("*")} == before


def test_a_run_waits_for_an_export_into_its_folder(start, run):
    folder, command = run
    with writing(folder, folder) as go:
        again = start(*command)
        while json.loads((folder / "status.json").read_text())["state"] != "exporting":
            assert again.poll() is None
            time.sleep(0.02)
        with pytest.raises(RunError, match="in use by another export"), Journal.read(folder) as journal:
            export(journal, folder, wait_s=0.3)
        assert again.poll() is None
        go.set()
        out, err = again.communicate(timeout=30)
        assert again.returncode == 0, out + err
    assert whole(folder)
