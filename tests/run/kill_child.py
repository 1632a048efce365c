"""One run by the library: what is killed over and over. Arguments: seeds, URL, folder."""

import asyncio
import sys
from pathlib import Path

from agentinstruct.agents.models import Endpoints
from agentinstruct.graphs.state import Context
from agentinstruct.run.execute import execute
from agentinstruct.run.plan import RunConfig


def main(seeds: str, url: str, out: str) -> None:
    # One solver: of several the requests are alike, and the server would count every second one as a repeat.
    config = RunConfig(
        paths=(seeds,),
        out=Path(out),
        skills=("reading_comprehension", "text_modification"),
        context=Context(model="openai:any", verify="annotate", solvers=1),
        endpoints=Endpoints(base_url=url),
        max_concurrency=8,
    )
    finished = asyncio.run(execute(config))
    sys.exit(1 if finished.progress.failed else 0)


if __name__ == "__main__":
    main(*sys.argv[1:])
