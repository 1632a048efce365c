"""A skill inside a graph of your own: as a subgraph with its own state, and called from a node that maps the states."""

import asyncio
from pathlib import Path

from langgraph.graph import END, START, StateGraph
from typing_extensions import TypedDict

from agentinstruct import Context, Record, Seed, load_skill

CONTEXT = Context(model="scripted", verify="annotate", rounds=0)
fermi, reading = load_skill("fermi"), load_skill("reading_comprehension")


class Lesson(TypedDict, total=False):
    """The state of this graph; `seed` and `records` are also the skills' own, so a skill's graph fits in as it is."""

    page: str
    seed: Seed
    records: list[Record]
    estimates: list[str]


async def cut(lesson: Lesson) -> Lesson:
    return {"seed": Seed(text=lesson["page"][:1500], source="page 1")}


async def estimate(lesson: Lesson) -> Lesson:
    done = await fermi.ainvoke(lesson["seed"], context=CONTEXT)  # its streams and traces are this graph's too
    return {"estimates": [record.messages[-2].content for record in done["records"]]}


graph = StateGraph(Lesson, Context)
graph.add_node("cut", cut)
graph.add_node("read", reading.graph)
graph.add_node("estimate", estimate)
graph.add_edge(START, "cut")
graph.add_edge("cut", "read")
graph.add_edge("read", "estimate")
graph.add_edge("estimate", END)
lessons = graph.compile()

if __name__ == "__main__":
    page = Path("examples/seeds/albedo.md").read_text(encoding="utf-8")
    lesson = asyncio.run(lessons.ainvoke({"page": page}, context=CONTEXT))
    print(f"{len(lesson['records'])} questions to read by, {len(lesson['estimates'])} to estimate")
