"""A whole run: documents in, a dataset out; run it again and it makes no call twice."""

import asyncio
from pathlib import Path

from agentinstruct.graphs.state import Context
from agentinstruct.run.execute import execute
from agentinstruct.run.plan import RunConfig

if __name__ == "__main__":
    config = RunConfig(paths=("examples/seeds",), out=Path("runs/example"), context=Context(model="scripted"), limit=10)
    finished = asyncio.run(execute(config))
    print(dict(finished.summary.records), "in", finished.exported.folder)
