"""A skill on a server, used from another program as if it were a graph of its own: LangGraph's RemoteGraph."""

import subprocess
import sys
from pathlib import Path

import pytest
from langgraph.graph import END, START, StateGraph
from langgraph.pregel.remote import RemoteGraph
from langgraph.types import Command
from langgraph_sdk import get_client
from typing_extensions import TypedDict

CONTEXT = {"model": "scripted", "verify": "annotate", "transforms": "identity", "categories_per_seed": 1, "rounds": 0}
TEXT = """The tide mill stands where the creek meets the sea, and it has ground corn since 1742. Twice a day the pond
behind it fills with salt water. When the sea draws back, the miller opens the gate, and the stored water turns the
great oak wheel for about five hours."""
INPUT = {"seed": {"text": TEXT}}


@pytest.fixture
async def client(served):
    async with get_client(url=served, api_key=None) as connected:
        yield connected


@pytest.fixture
def skill(client):
    return RemoteGraph("reading_comprehension", client=client)


@pytest.fixture
async def thread(client):
    return {"configurable": {"thread_id": (await client.threads.create())["thread_id"]}}


async def test_it_runs_and_streams_with_a_context(skill):
    done = await skill.ainvoke(INPUT, context=CONTEXT)
    assert done["records"] and done["plan"]["transform"] == "identity"
    steps = [step async for step in skill.astream(INPUT, context=CONTEXT, stream_mode="updates")]
    assert [name for step in steps for name in step] == ["plan", "identity", "instruct", "answer", "verify"]


async def test_it_is_drawn_with_its_subgraphs(skill, client):
    assert {"plan", "instruct", "verify"} <= (await skill.aget_graph(xray=True)).nodes.keys()
    grown = await RemoteGraph("conversation", client=client).aget_graph(xray=True)
    assert any(":" in name for name in grown.nodes), "the graphs it holds are drawn"


async def test_its_state_and_history_are_there_and_it_is_halted_and_resumed(skill, thread):
    await skill.ainvoke(INPUT, thread, context=CONTEXT, interrupt_before=["answer"])
    halted = await skill.aget_state(thread)
    assert halted.next == ("answer",) and halted.values["drafts"]
    await skill.aupdate_state(thread, {"drafts": halted.values["drafts"][:1]}, as_node="instruct")
    done = await skill.ainvoke(None, thread, context=CONTEXT)
    assert len(done["drafts"]) == 1
    history = [state async for state in skill.aget_state_history(thread)]
    assert [state.next for state in history][-1] in {("__start__",), ("plan",)} and len(history) >= 6


async def test_a_review_is_answered_from_afar(skill, thread):
    context = CONTEXT | {"review": True}
    await skill.ainvoke(INPUT, thread, context=context)
    (task,) = (await skill.aget_state(thread)).tasks
    asked = task.interrupts[0].value["records"]
    answer = Command(resume=[{"id": "*", "action": "reject", "reason": "not today"}])
    done = await skill.ainvoke(answer, thread, context=context)
    assert done["records"] == [] and [one["stage"] for one in done["dropped"]].count("review") == len(asked) > 0


class Shelf(TypedDict, total=False):
    """The state of a user's own graph."""

    text: str
    questions: list[str]


async def test_it_is_a_node_of_a_local_graph(skill):
    async def ask(shelf: Shelf) -> Shelf:
        done = await skill.ainvoke({"seed": {"text": shelf["text"]}}, context=CONTEXT)
        return {"questions": [record["messages"][-2]["content"] for record in done["records"]]}

    graph = StateGraph(Shelf)
    graph.add_node("ask", ask)
    graph.add_edge(START, "ask")
    graph.add_edge("ask", END)
    done = await graph.compile().ainvoke({"text": TEXT})
    assert done["questions"] and all("tide mill" in question for question in done["questions"])


def test_the_example_works(served):
    script = Path(__file__).parents[2] / "examples" / "remote.py"
    done = subprocess.run([sys.executable, script, served], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["plan", "identity", "instruct", "answer", "verify", *done.stdout.split()[5:]]
