"""Row 34 of the fault plan: what may not be read or written is named, with what to do, and nothing is left half done.

Root may read and write anywhere; here it gives that right up before it starts the program.
"""

import ctypes
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest

from agentinstruct.run.journal import Journal

CHOSEN = ("--model", "scripted", "-s", "reading_comprehension", "--categories-per-seed", "1", "--rounds", "0")
_DROP_FROM_BOUNDING_SET = 24
_PASSES_BY_MODES = (1, 2, 3)
"""CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH, CAP_FOWNER."""


def as_user() -> None:
    """Be held by the modes of files from the next `exec` on, as users are."""
    libc = ctypes.CDLL(None, use_errno=True)
    for capability in _PASSES_BY_MODES if os.geteuid() == 0 else ():
        if libc.prctl(_DROP_FROM_BOUNDING_SET, capability, 0, 0, 0):
            raise PermissionError(ctypes.get_errno(), "prctl")


@pytest.fixture
def user(start: Any, tmp_path: Path) -> Callable[..., CompletedProcess[str]]:
    """Run the program as somebody whom modes hold."""
    (tmp_path / "closed").mkdir(mode=0)
    if start(program=["ls", tmp_path / "closed"], preexec_fn=as_user).wait() == 0:
        pytest.skip("needs a system where root can give up its rights over files")

    def run(*arguments: object) -> CompletedProcess[str]:
        process = start(*arguments, preexec_fn=as_user)
        out, err = process.communicate(timeout=60)
        assert "Traceback" not in out + err, err
        return CompletedProcess(process.args, process.returncode, out, err)

    return run


def test_34_a_folder_that_may_not_be_written_is_named_and_nothing_is_begun(
    user: Any, seeds: Path, tmp_path: Path
) -> None:
    locked = tmp_path / "locked"
    locked.mkdir(mode=0o555)
    for out, option in ((locked / "out", "--out"), (tmp_path / "out", "--cache")):
        more = ("--cache", locked / "cache") if option == "--cache" else ()
        done = user("run", seeds, *CHOSEN, "--out", out, *more)
        assert done.returncode == 2
        assert str(locked) in done.stderr and f"no permission: choose another {option}" in done.stderr
    assert not list(locked.iterdir())


def test_34_a_run_that_may_only_be_read_is_shown_and_exported_elsewhere_and_goes_on_when_it_may(
    user: Any, seeds: Path, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    assert user("run", seeds / "mill.txt", *CHOSEN, "--out", run).returncode == 0
    shutil.rmtree(run / "data")
    modes = {path: path.stat().st_mode for path in (run, *run.iterdir())}
    run.chmod(0o555)
    refused = user("run", seeds, *CHOSEN, "--out", run)  # its files may be written, but SQLite needs one more
    assert refused.returncode == 2 and f"{run}: Permission denied: no permission" in refused.stderr
    for path in modes:
        path.chmod(0o555 if path.is_dir() else 0o444)
    refused = user("export", run)
    assert refused.returncode == 2 and f"--out {run}: Permission denied" in refused.stderr
    assert user("status", run).returncode == 0
    assert user("export", run, "--out", tmp_path / "copy").returncode == 0
    for path, mode in modes.items():
        path.chmod(mode)
    assert user("run", seeds, *CHOSEN, "--out", run).returncode == 0
    with Journal.read(run) as journal:
        assert journal.counts().done == 2 and journal.damaged == 0


def test_34_what_may_not_be_read_is_named_and_the_rest_is_done(user: Any, seeds: Path, tmp_path: Path) -> None:
    (seeds / "glass.txt").chmod(0)
    (tmp_path / "run").mkdir(mode=0)
    refused = user("run", seeds, *CHOSEN, "--out", tmp_path / "run")
    assert refused.returncode == 2 and "--out" in refused.stderr and "readable" in refused.stderr
    done = user("run", seeds, *CHOSEN, "--out", tmp_path / "out")
    assert done.returncode == 0
    assert f"{seeds / 'glass.txt'}: Permission denied" in done.stdout
    with Journal.read(tmp_path / "out") as journal:
        assert journal.counts().done == 1
