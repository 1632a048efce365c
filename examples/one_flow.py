"""One seed through one skill's graph, every step as it happens."""

import asyncio
from pathlib import Path

from agentinstruct import load_skill

TEXT = Path("examples/seeds/the_blacksmith.txt").read_text(encoding="utf-8")[:2000]


async def main() -> None:
    flow = load_skill("reading_comprehension")
    async for node, update in flow.astream({"text": TEXT}, model="scripted", categories="literal_comprehension"):
        print(f"{node:12} {', '.join(update)}")


asyncio.run(main())
