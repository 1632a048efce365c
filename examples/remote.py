"""A skill on a server, as a graph: `make serve` in one terminal, this in another."""

import asyncio
import sys

from langgraph.pregel.remote import RemoteGraph
from langgraph_sdk import get_client

TEXT = "The harbour froze on 4 January. Forty ships waited outside until the ice broke in March."


async def main(url: str) -> None:
    async with get_client(url=url) as client:
        skill = RemoteGraph("text_modification", client=client)
        context = {"model": "scripted", "verify": "annotate", "rounds": 0}
        async for step in skill.astream({"seed": {"text": TEXT}}, context=context, stream_mode="updates"):
            print(*step)
        done = await skill.ainvoke({"seed": {"text": TEXT}}, context=context)
    print(f"{len(done['records'])} records, {len(done['dropped'])} dropped")


asyncio.run(main(sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:8123"))
