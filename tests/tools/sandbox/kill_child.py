"""A process whose sandboxed jobs are killed from outside: what it makes of that, as JSON.

python kill_child.py bwrap TIMES SECONDS: verifies code that takes so long, while the next TIMES jobs are killed.
"""

import json
import os
import signal
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

from agentinstruct.tools.sandbox import Sandbox, SandboxGone, verify


def children() -> set[int]:
    found: set[int] = set()
    for task in Path("/proc/self/task").iterdir():
        with suppress(OSError):
            found |= {int(pid) for pid in (task / "children").read_text().split()}
    return found


class Killer(threading.Thread):
    """Kills so many of this process's next children, each a moment after it was seen."""

    def __init__(self, times: int) -> None:
        super().__init__(daemon=True)
        self.times, self.spared, self.over = times, children(), threading.Event()
        self.killed: list[int] = []

    def run(self) -> None:
        while len(self.killed) < self.times and not self.over.wait(0.01):
            for pid in children() - self.spared - {*self.killed}:
                time.sleep(0.3)
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
                    self.killed.append(pid)

    def __exit__(self, *_: object) -> None:
        self.over.set()
        self.join()

    def __enter__(self) -> "Killer":
        self.start()
        return self


def main() -> None:
    box, times, seconds = Sandbox(backend=sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])  # type: ignore[arg-type]
    box.run("")
    solution = f"import time\ntime.sleep({seconds})\ndef double(n):\n    return 2 * n\n"
    with Killer(times) as killer:
        try:
            verdict = verify(solution, "assert double(4) == 8", sandbox=box).verdict
        except SandboxGone:
            verdict = "untested"
    print(json.dumps({"killed": len(killer.killed), "verdict": verdict}))


if __name__ == "__main__":
    main()
