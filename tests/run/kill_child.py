"""Runs by the library, to be killed over and over: each a fork of this process, which has imported all there is.

A line of seeds, URL and folder in, a run begins; its process id out; then, once it has ended, its exit status out.
With a number after the folder it is killed at that write point; with 0 it leaves how many there are in `points` there.
"""

import asyncio
import os
import sys
from pathlib import Path

from agentinstruct.agents.models import Endpoints
from agentinstruct.graphs.state import Context
from agentinstruct.run.execute import execute
from agentinstruct.run.plan import RunConfig
from agentinstruct.run.runner import load_graphs

SKILLS = ("reading_comprehension", "text_modification")


def run(seeds: str, url: str, out: str) -> int:
    # One solver: of several the requests are alike, and the server would count every second one as a repeat.
    config = RunConfig(
        paths=(seeds,),
        out=Path(out),
        skills=SKILLS,
        context=Context(model="openai:any", verify="annotate", solvers=1),
        endpoints=Endpoints(base_url=url),
        max_concurrency=8,
    )
    return 1 if asyncio.run(execute(config)).progress.failed else 0


def run_to_point(seeds: str, url: str, out: str, last: str) -> int:
    sys.path.append(str(Path(__file__).parent))
    from write_points import arm

    points = arm(int(last))
    status = run(seeds, url, out)
    Path(out, "points").write_text(str(points.number))
    return status


def main() -> None:
    load_graphs(RunConfig((), Path(), SKILLS).chosen_skills())
    for line in sys.stdin:
        pid = os.fork()
        if not pid:
            os.setsid()
            words = line.split()
            os._exit((run if len(words) == 3 else run_to_point)(*words))
        print(pid, flush=True)
        print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)


if __name__ == "__main__":
    main()
