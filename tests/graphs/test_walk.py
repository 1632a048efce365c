"""Batch runs walk the compiled graphs; what they end in is what LangGraph itself ends in, on every skill."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest
from langgraph.errors import GraphRecursionError
from langgraph.graph import END, START, StateGraph

from agentinstruct.agents.gateway import Gateway, using
from agentinstruct.agents.records import Seed
from agentinstruct.agents.routing import affinity, suits
from agentinstruct.agents.scripted import ScriptedModel
from agentinstruct.agents.skill import load_skill, skill_names
from agentinstruct.graphs import walk
from agentinstruct.graphs.state import Context, FlowInput, FlowState
from agentinstruct.graphs.walk import OtherShapeError, Walk, course
from agentinstruct.graphs.wiring import graph_of
from agentinstruct.seeds import read_seeds
from agentinstruct.tools.corpus import searching, small_index
from agentinstruct.tools.retrieval import Chunk

SEEDS = Path(__file__).parents[2] / "examples" / "seeds"
CONTEXT = Context(model="scripted", seed=3, categories_per_seed=2)


@lru_cache(maxsize=1)
def examples() -> tuple[Seed, ...]:
    return tuple(seed for seed in read_seeds([str(SEEDS)]) if isinstance(seed, Seed))


def seeds_for(name: str) -> list[Seed]:
    skill = load_skill(name)
    count = 1 if skill.file.needs else 2  # solvers and sandboxes take their time
    return sorted((seed for seed in examples() if suits(skill, seed)), key=lambda seed: -affinity(skill, seed))[:count]


@contextmanager
def corpus() -> Iterator[None]:
    with searching(small_index(Chunk(id=seed.id, text=seed.text, title=seed.title) for seed in examples())):
        yield


async def ended(name: str, way: Any) -> list[dict[str, Any]]:
    with corpus():
        async with using(Gateway(lambda spec: ScriptedModel())):
            return [dict(await way(seed)) for seed in seeds_for(name)]


@pytest.mark.parametrize("name", skill_names())
async def test_a_walk_ends_where_langgraph_does(name: str) -> None:
    graph, stepped = graph_of(name), course(graph_of(name))
    assert isinstance(stepped, Walk), "left to LangGraph"
    by_langgraph = await ended(name, lambda seed: graph.ainvoke({"seed": seed}, context=CONTEXT))
    by_walk = await ended(name, lambda seed: stepped(seed, CONTEXT))
    assert [sorted(state) for state in by_walk] == [sorted(state) for state in by_langgraph]
    for state, same in zip(by_walk, by_langgraph, strict=True):
        assert [record.row() for record in state["records"]] == [record.row() for record in same["records"]]
        assert state["dropped"] == same["dropped"]
        assert {key: value for key, value in state.items() if key != "exchange"} == {
            key: value for key, value in same.items() if key != "exchange"
        }
    assert any(state["records"] for state in by_walk)


async def one(state: FlowState) -> FlowState:
    return {}


async def step(state: FlowState, runtime: Any) -> FlowState:
    return {"suggestions": [*state.get("suggestions", []), len(state.get("suggestions", []))]}  # type: ignore[list-item]


async def for_ever(state: FlowState) -> str:
    return "first"


def graph(*edges: tuple[str, str], node: Any = step) -> Any:
    flow = StateGraph(FlowState, Context, input_schema=FlowInput)
    for name in sorted({name for edge in edges for name in edge} - {START, END}):
        flow.add_node(name, node)
    for edge in edges:
        flow.add_edge(*edge)
    return flow


def test_what_is_no_walk_is_left_to_langgraph() -> None:
    two_ways = graph((START, "first"), ("first", "a"), ("first", "b"), ("a", END), ("b", END))
    other_node = graph((START, "first"), ("first", END), node=one)
    for flow in (two_ways, other_node):
        with pytest.raises(OtherShapeError):
            Walk(flow.compile())
        assert not isinstance(course(flow.compile()), Walk)


async def test_what_is_left_to_langgraph_ends_the_same() -> None:
    flow = graph((START, "first"), ("first", "second"), ("second", END)).compile()
    seed = Seed(text="Bees dance.")
    walked = await Walk(flow)(seed, CONTEXT)
    assert walked["suggestions"] == [0, 1]
    assert walked == await flow.ainvoke({"seed": seed}, context=CONTEXT)


async def test_a_graph_without_end_is_stopped() -> None:
    flow = graph((START, "first"))
    flow.add_conditional_edges("first", for_ever, ["first", END])
    with pytest.raises(GraphRecursionError):
        await Walk(flow.compile())(Seed(text="Bees dance."), CONTEXT)


def test_a_traced_run_is_langgraphs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(walk, "tracing_is_enabled", lambda: True)
    assert not isinstance(course(graph_of("text_modification")), Walk)


async def test_walks_of_one_graph_do_not_meet() -> None:
    walked = Walk(graph((START, "first"), ("first", END)).compile())
    states = await asyncio.gather(*(walked(Seed(text=f"Bee {number}."), CONTEXT) for number in range(20)))
    assert [state["seed"].text for state in states] == [f"Bee {number}." for number in range(20)]
    assert all(state["suggestions"] == [0] and state["dropped"] == [] for state in states)
