"""A person looks at each record before it counts: the graph stops, and goes on with what was decided."""

import asyncio
import os

os.environ.setdefault("LANGGRAPH_STRICT_MSGPACK", "true")  # what is kept becomes no object that the graph does not know

from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import Command

from agentinstruct import Context, load_skill

SEED = {"text": "The harbour froze on 4 January. Forty ships waited outside until the ice broke in March."}
CONTEXT = Context(model="scripted", verify="annotate", review=True)


async def main() -> None:
    saver = InMemorySaver()  # keeps what waits; use one on disk where people take their time
    graph, thread = load_skill("text_modification").graph.builder.compile(saver), {"configurable": {"thread_id": "1"}}

    halted = await graph.ainvoke({"seed": SEED}, thread, context=CONTEXT)
    (waiting,) = halted["__interrupt__"]
    first, *others = waiting.value["records"]
    print(f"{1 + len(others)} records wait, the first: {first['messages'][-1]['content'][:60]} …")

    decisions = [{"id": first["id"], "action": "reject", "reason": "too easy"}, {"id": "*", "action": "accept"}]
    done = await graph.ainvoke(Command(resume=decisions), thread, context=CONTEXT)
    print(f"{len(done['records'])} kept; dropped: {done['dropped'][-1].reason}, {done['dropped'][-1].detail}")


asyncio.run(main())
