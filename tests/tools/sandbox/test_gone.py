"""Row 35 of the fault plan: a sandbox that dies, or can be had no longer. Nothing passes by it, nothing runs bare."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from agentinstruct.tools.sandbox import Sandbox, SandboxGone, backends, bubblewrap

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the sandbox needs Linux")
SOLUTION, TESTS = "import time; time.sleep(0.5)\ndef double(n):\n    return 2 * n\n", "assert double(4) == 8"


DOCUMENTS = Path(__file__).parents[3] / "examples" / "seeds"


def killed(box: Sandbox, times: int, seconds: float) -> Any:
    command = [
        sys.executable,
        str(Path(__file__).with_name("kill_child.py")),
        str(box.backend),
        str(times),
        str(seconds),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=90)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_35_a_job_that_was_killed_from_outside_is_tried_again(kernel_box: Sandbox) -> None:
    assert killed(kernel_box, 1, 1.5) == {"killed": 1, "verdict": "passed"}


def test_35_what_is_killed_each_time_has_not_passed(kernel_box: Sandbox) -> None:
    made = killed(kernel_box, 99, 3)
    assert made["killed"] >= 3 and made["verdict"] in ("unfinished", "untested")


GONE = """
import os, sys
from agentinstruct.tools.sandbox import Sandbox, SandboxGone, verify
link, box = sys.argv[1], Sandbox(backend=sys.argv[2] or None)
print(box.run("print(1)").backend)
os.replace(link + ".spoilt", link)
try:
    print(box.run("print(1)").backend, verify(sys.argv[3], sys.argv[4], sandbox=box).verdict)
except SandboxGone as error:
    print(error)
"""
SPOILT = {"its set-up fails": "#!/bin/sh\necho it cannot >&2\nexit 1\n", "it is gone": "#!/nowhere\n"}


@pytest.fixture(params=SPOILT)
def bwrap(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """A bwrap in a folder of its own, and what may come in its place."""
    if not backends()[0].works:
        pytest.skip(f"bubblewrap does not work here: {backends()[0].reason}")
    link = tmp_path / "bin" / "bwrap"
    link.parent.mkdir()
    link.symlink_to(str(bubblewrap.executable()))
    spoilt = link.with_name("bwrap.spoilt")
    spoilt.write_text(SPOILT[request.param])
    spoilt.chmod(0o755)
    return link


def child(link: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PATH": str(link.parent)}
    command = [sys.executable, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, env=environment, timeout=90, cwd=link.parent)


def test_35_where_another_sandbox_holds_it_takes_over_and_that_is_told(bwrap: Path) -> None:
    if not backends()[1].works:
        pytest.skip("no other one holds here")
    done = child(bwrap, "-c", GONE, bwrap, "", SOLUTION, TESTS)
    assert done.stdout.splitlines() == ["bwrap", "landlock passed"], done.stderr
    assert "The bwrap sandbox holds code no longer" in done.stderr


def test_35_where_none_holds_any_longer_nothing_is_run(bwrap: Path) -> None:
    done = child(bwrap, "-c", GONE, bwrap, "bwrap", SOLUTION, TESTS)
    first, second = done.stdout.splitlines()
    assert first == "bwrap"
    assert second.startswith("The sandbox that held code here holds it no longer. bwrap: ")
    assert "Traceback" not in done.stderr


def test_35_a_job_that_can_never_be_set_up_is_no_result(monkeypatch: pytest.MonkeyPatch, kernel_box: Sandbox) -> None:
    done = kernel_box.run("print(1)")
    failed = replace(done, status="setup_failed", returncode=253, stdout="")
    with monkeypatch.context() as patched:
        patched.setattr("agentinstruct.tools.sandbox.box.run_job", lambda *_: failed)
        with pytest.raises(SandboxGone, match="cannot be started"):
            kernel_box.run("print(1)")
    assert kernel_box.run("print(1)").stdout == "1\n"


RUN = """
import os, sys
from agentinstruct.cli.main import main
from agentinstruct.run.journal import Journal
from agentinstruct.tools.sandbox import choice

choice.ORDER, link, kept = ("bwrap",), sys.argv.pop(1), Journal.finish

def finish(self, *told):
    kept(self, *told)
    if os.path.exists(link + ".spoilt"):  # with the first item that is done
        os.replace(link + ".spoilt", link)

Journal.finish = finish
main()
"""


def test_35_a_run_whose_sandbox_goes_ends_in_words_and_goes_on_when_it_is_back(bwrap: Path, tmp_path: Path) -> None:
    seeds = sorted(DOCUMENTS.glob("*.py"))[:2]
    out = ["--out", tmp_path / "out", "--max-concurrency", "1", "--categories-per-seed", "1", "--rounds", "0"]
    command = [bwrap, "run", *seeds, "-s", "coding", "--categories", "implement_from_spec", "--model", "scripted", *out]
    stopped = child(bwrap, "-c", RUN, *command)
    assert stopped.returncode == 2, stopped.stderr + stopped.stdout
    assert "The sandbox that held code here holds it no longer" in stopped.stderr
    assert "To resume" in stopped.stderr and "Traceback" not in stopped.stderr
    bwrap.unlink()
    bwrap.symlink_to(str(bubblewrap.executable()))
    resumed = child(bwrap, "-c", RUN, *command)
    assert resumed.returncode == 0, resumed.stderr
    rows = [
        json.loads(line) for file in (tmp_path / "out/data").glob("*.jsonl") for line in file.read_text().splitlines()
    ]
    assert {row["source"] for row in rows if row["accepted"]} == {*map(str, seeds)}
    dropped = (tmp_path / "out/dropped.jsonl").read_text()
    assert "sandbox" not in dropped, "nothing was judged without one"
