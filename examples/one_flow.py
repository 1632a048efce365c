"""One seed through one skill's graph, every step as it happens."""

import asyncio
from pathlib import Path

from agentinstruct.agents.records import Seed
from agentinstruct.graphs.skills import reading_comprehension
from agentinstruct.graphs.state import Context

TEXT = Path("examples/seeds/the_blacksmith.txt").read_text(encoding="utf-8")[:2000]


async def main() -> None:
    seed = Seed(text=TEXT)
    context = Context(model="scripted", categories="literal_comprehension", verify="strict")
    async for step in reading_comprehension.astream({"seed": seed}, context=context, stream_mode="updates"):
        for node, update in step.items():
            print(f"{node:12} {', '.join(update or ())}")


asyncio.run(main())
