"""The sandbox's benchmark prints its table."""

import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.skipif(sys.platform != "linux", reason="the sandbox needs Linux")
def test_it_prints_a_line_for_each_backend_that_works() -> None:
    program = Path(__file__).parents[2] / "benchmarks" / "sandbox.py"
    done = subprocess.run([sys.executable, str(program), "--runs", "4"], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert "runs/s" in done.stdout and "self-test of all backends" in done.stdout
