"""How fast the sandbox is: start-up, self-test, and executions per second of each backend that works here.

python benchmarks/sandbox.py [--runs 100] [--jobs 2]
"""

import argparse
import os
import statistics
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from agentinstruct.tools.sandbox import Sandbox, backends, verify

SOLUTION = "def add(a, b):\n    return a + b\n"
TESTS = "assert add(2, 3) == 5\nassert add(-1, 1) == 0\n"


def timed(run: Callable[[], object]) -> float:
    """Seconds that it takes."""
    started = time.perf_counter()
    run()
    return time.perf_counter() - started


def row(box: Sandbox, runs: int, jobs: int) -> list[str]:
    """One backend's figures: the first run comes after the self-test, the others are warm."""
    first = timed(lambda: box.run("print(1)"))
    cpu = os.times()
    warm = [timed(lambda: box.run("print(1)")) for _ in range(runs)]
    used = sum(os.times()[:4]) - sum(cpu[:4])
    with ThreadPoolExecutor(jobs) as pool:
        many = timed(lambda: list(pool.map(lambda _: box.run("print(1)"), range(runs))))
        proofs = timed(lambda: list(pool.map(lambda _: verify(SOLUTION, TESTS, sandbox=box), range(runs // 2))))
    return [
        str(box.backend),
        f"{first * 1000:.0f}",
        f"{statistics.median(warm) * 1000:.0f}",
        f"{sorted(warm)[int(len(warm) * 0.95)] * 1000:.0f}",
        f"{used / runs * 1000:.0f}",
        f"{runs / sum(warm):.1f}",
        f"{runs / many:.1f}",
        f"{runs // 2 / proofs:.1f}",
    ]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=100)
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    tested = timed(backends)
    head = ["backend", "first ms", "median ms", "p95 ms", "CPU ms", "runs/s", f"runs/s ×{options.jobs}", "verify/s"]
    table = [head]
    for report in backends():
        if report.works:
            table.append(row(Sandbox(backend=report.name), options.runs, options.jobs))
        else:
            print(f"{report.name}: {report.reason}")
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    for line in table:
        print("  ".join(cell.rjust(width) for cell, width in zip(line, widths, strict=True)))
    load = Path("/proc/loadavg").read_text().split()[0] if Path("/proc/loadavg").exists() else "?"
    print(f"self-test of all backends {tested:.2f} s; {os.cpu_count()} cores, load {load}, uid {os.geteuid()}")


if __name__ == "__main__":
    main()
