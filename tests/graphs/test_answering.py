"""A teacher with tools: its steps, LangGraph's tool node, and the trace that the record keeps."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from langchain_core.tools import BaseTool, tool
from langgraph.prebuilt import ToolNode

from agentinstruct.agents import skill as skills
from agentinstruct.agents import teaching
from agentinstruct.agents.gateway import Gateway, Request, using
from agentinstruct.agents.scripted import Script, ScriptedModel
from agentinstruct.agents.skill import load_skill, prompts_folder
from agentinstruct.graphs.doors import Flow
from agentinstruct.graphs.flow import build_flow
from agentinstruct.graphs.state import Context, FlowState
from agentinstruct.tools.calculate import CalculateError, evaluate

TEXT = "The mill ground 12 sacks of corn a day for 31 days. Ruth, the miller, wrote each of them down."
SKILL = """title: Sums
description: Small sums.
split: sums
categories_per_seed: 1
instructions_per_category: 2
rounds: 0
transforms:
  identity: The text.
layouts:
  number:
    - "{{ passage }} {{ question }}"
checks: [clean, answered]
rubric:
  right: It is right.
"""
TAXONOMY = """adding:
  title: Adding
  form: number
  tools: [calculator]
  brief: Ask for a sum.
"""
ITEM = {
    "question": "How many sacks were ground in all?",
    "facts": [{"quote": "12 sacks", "value": 12}, {"quote": "31 days", "value": 31}],
    "expression": "12 * 31",
    "answer": 372,
    "unit": "sacks",
}
OTHER = {**ITEM, "question": "How many sacks did the mill grind that month?"}
DONE = {"tool": "none", "input": "", "reply": {"explanation": "12 a day for 31 days.", "answer": "372 sacks"}}


def calculator() -> BaseTool:
    @tool
    def calculator(expression: str) -> str:
        """Works out arithmetic."""
        try:
            return str(evaluate(expression))
        except CalculateError as error:
            return f"error: {error}"

    return calculator


@pytest.fixture
def graph(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Flow]:
    (tmp_path / "sums").mkdir()
    shutil.copytree(prompts_folder() / "shared", tmp_path / "shared")
    shutil.copy(prompts_folder() / "reading_comprehension" / "instruct.md", tmp_path / "sums" / "instruct.md")
    (tmp_path / "sums" / "skill.yaml").write_text(SKILL)
    (tmp_path / "sums" / "taxonomy.yaml").write_text(TAXONOMY)
    monkeypatch.setattr(skills, "prompts_folder", lambda: tmp_path)
    monkeypatch.setattr(teaching, "TOOLS", {"calculator": calculator})
    load_skill.cache_clear()
    teaching.tool_named.cache_clear()
    yield build_flow(load_skill("sums"))
    load_skill.cache_clear()
    teaching.tool_named.cache_clear()


async def run(graph: Flow, answer: Script, **chosen: Any) -> FlowState:
    scripts: dict[str, Script] = {"instruct": lambda _: {"items": [ITEM, OTHER]}, "answer": answer}
    async with using(Gateway(lambda spec: ScriptedModel(scripts))):
        return await graph.ainvoke({"seed": {"text": TEXT}}, context=Context(model="scripted", **chosen))


def calls_first(request: Request) -> Any:
    if not request.inputs["workings"]:
        return {"tool": "calculator", "input": "12 * 31", "reply": None}
    assert "372" in request.messages[-1]["content"]
    return DONE


async def test_a_teacher_calls_a_tool_reads_it_and_answers(graph: Flow) -> None:
    state = await run(graph, calls_first)
    assert not state["dropped"]
    for record in state["records"]:
        assert [use.model_dump() for use in record.trace] == [
            {"tool": "calculator", "input": "12 * 31", "output": "372"}
        ]
        assert record.messages[-1].content.endswith("Answer: 372 sacks")
        assert [call.agent for call in record.calls] == ["instruct", "answer", "answer"]
        assert record.row()["trace"][0]["output"] == "372"


async def test_the_tools_are_a_tool_node_between_two_answers(graph: Flow) -> None:
    assert isinstance(graph.nodes["tools"].bound, ToolNode)
    steps: list[str] = []
    scripts: dict[str, Script] = {"instruct": lambda _: {"items": [ITEM, OTHER]}, "answer": calls_first}
    async with using(Gateway(lambda spec: ScriptedModel(scripts))):
        async for update in graph.astream(
            {"seed": {"text": TEXT}}, context=Context(model="scripted"), stream_mode="updates"
        ):
            steps += update
    assert steps == ["plan", "identity", "instruct", "answer", "tools", "answer", "verify"]


async def test_a_teacher_that_needs_no_tool_answers_at_once(graph: Flow) -> None:
    state = await run(graph, lambda _: DONE)
    assert [record.trace for record in state["records"]] == [(), ()]


async def test_an_error_of_a_tool_is_told_to_the_teacher(graph: Flow) -> None:
    def answer(request: Request) -> Any:
        workings = request.inputs["workings"]
        if not workings:
            return {"tool": "calculator", "input": "12 * sacks", "reply": None}
        assert workings[0]["output"].startswith("error: ")
        return DONE

    state = await run(graph, answer)
    assert len(state["records"]) == 2


async def test_a_teacher_that_never_answers_is_asked_to_at_last(graph: Flow) -> None:
    asked: list[str] = []

    def answer(request: Request) -> Any:
        asked.append(request.messages[-1]["content"])
        if "tools" in request.inputs and "Reply with one step" in asked[-1]:
            return {"tool": "calculator", "input": f"{len(asked)} + 1", "reply": None}
        return {"explanation": "12 a day for 31 days.", "answer": "372 sacks"}

    state = await run(graph, answer)
    assert [len(record.trace) for record in state["records"]] == [teaching.STEPS, teaching.STEPS]
    assert len(asked) == 2 * (teaching.STEPS + 1)


async def test_a_step_that_neither_calls_nor_answers_is_repaired_or_dropped(graph: Flow) -> None:
    state = await run(graph, lambda _: {"tool": "none", "input": "", "reply": None})
    assert [(lost.stage, lost.reason) for lost in state["dropped"]] == [("answer", "wrong shape")] * 2
    assert all(lost.calls[-1].repairs == 1 for lost in state["dropped"])
