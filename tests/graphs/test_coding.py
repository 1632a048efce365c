"""Coding on the scripted model, under the strict policy: what is said of code has been run, or the draft is dropped."""

import sys
from collections.abc import Mapping
from typing import Any

import pytest

from agentinstruct.agents.gateway import Gateway, Request, using
from agentinstruct.agents.records import Seed
from agentinstruct.agents.scripted import Script, ScriptedModel, scripted_reply
from agentinstruct.agents.skill import load_skill
from agentinstruct.graphs.skills import coding
from agentinstruct.graphs.state import Context, FlowState
from agentinstruct.tools.code import blocks
from agentinstruct.tools.sandbox import SandboxUnavailable

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the sandbox needs Linux")
SKILL = load_skill("coding")
TEXT = """The harbour office keeps a list of vessels that wait outside for the tide. Each vessel has a berth, a
draught of 4 metres or more, and a captain who signs for cargo. A vessel without papers waits until the inspector
comes."""
COUNT = "def count_{n}(entries, least=4):\n    return sum(1 for e in entries if e is not None and len(e) >= least)\n"


async def flow(categories: str, scripts: Mapping[str, Script] | None = None, **chosen: Any) -> FlowState:
    async with using(Gateway(lambda spec: ScriptedModel(scripts or {}))):
        context = Context(model="scripted", categories=categories, **({"rounds": 0} | chosen))
        return await coding.ainvoke({"seed": Seed(text=TEXT)}, context=context)


@pytest.mark.parametrize("transform", SKILL.file.transforms)
async def test_every_category_yields_an_accepted_record_from_each_transform_it_suits(transform: str) -> None:
    fitting = [name for name, category in SKILL.categories.items() if category.fits(transform)]
    state = await flow(",".join(fitting), transforms=transform, categories_per_seed=16)
    assert [(d.category, d.reason, d.detail) for d in state["dropped"]] == []
    assert {record.category for record in state["records"]} == set(fitting)
    for record in state["records"]:
        assert record.accepted and record.transform == transform
        assert all(block.language for message in record.messages for block in blocks(message.content))


@pytest.mark.parametrize(
    ("goal", "category"),
    [
        *((goal, "implement_from_spec") for goal in SKILL.goals),
        *((goal, "code_completion") for goal in ("edge_cases", "complexity_bound", "forbid", "extend_api")),
        *((goal, category) for goal in ("edge_cases", "require_tests") for category in ("debug", "security_fix")),
        ("edge_cases", "sql"),
        ("edge_cases", "api_usage"),
        ("extend_api", "api_usage"),
    ],
)
async def test_every_goal_asks_for_more_and_gets_it(goal: str, category: str) -> None:
    state = await flow(category, goals=goal, rounds=1)
    assert [(d.stage, d.reason, d.detail) for d in state["dropped"]] == []
    assert [(record.depth, record.goal) for record in state["records"]] == [(0, ""), (1, goal)]
    original, refined = ({v.check: v.evidence for v in record.verdicts} for record in state["records"])
    assert "asks_more" in refined and "asks_more" not in original
    assert category == "sql" or "mutants fail" in refined["proved"]


async def test_the_teacher_tries_its_code_before_it_answers() -> None:
    (record,) = (await flow("algorithm_design"))["records"]
    assert [(use.tool, use.output) for use in record.trace] == [("run_python", "it runs")]


async def test_keys_and_traces_come_from_running() -> None:
    (record,) = (await flow("trace_output"))["records"]
    assert record.key.splitlines()[-1].startswith("end ")
    assert blocks(record.messages[-1].content)[-1].code == record.key
    (record,) = (await flow("fix_from_stack_trace"))["records"]
    assert "TypeError: object of type 'NoneType' has no len()" in record.messages[-2].content


def written(change: Mapping[str, Any]) -> Script:
    """The shipped writer's item, with some fields changed."""

    def instruct(request: Request) -> Any:
        reply: Any = scripted_reply(request)
        return {"items": [{**reply["items"][0], **change}]}

    return instruct


@pytest.mark.parametrize(
    ("category", "change", "reason"),
    [
        ("implement_from_spec", {"tests": "assert repeats_inspector(['a', 'a']) == ['b']"}, "proved"),
        ("implement_from_spec", {"tests": "assert repeats_inspector([]) == []"}, "proved"),
        ("implement_from_spec", {"task": "Please write a function that finds what stands there twice."}, "form"),
        ("implement_from_spec", {"solution": "import numpy\ndef repeats_inspector(entries): return []"}, "form"),
        ("debug", {"code": COUNT.format(n="inspector")}, "given_behaves"),
        ("refactor", {"code": "def count_inspector(entries, least=4):\n    return 0\n"}, "given_behaves"),
        ("trace_output", {"code": "import random\nfor i in [1]:\n    print(random.random())"}, "not deterministic"),
        ("fix_from_stack_trace", {"crash": "count_inspector(['a'])"}, "no crash"),
        ("sql", {"query": "SELECT name FROM places; DROP TABLE places"}, "sql"),
        ("sql", {"query": "SELECT name FROM places WHERE id > 0"}, "telling_rows"),
        ("translate_language", {"target": "Voxelscript"}, "form"),
        ("write_tests", {"tests": "from solution import count_inspector\nassert count_inspector([]) == 0"}, "proved"),
    ],
)
async def test_items_that_do_not_run_as_told_are_dropped(category: str, change: dict[str, Any], reason: str) -> None:
    state = await flow(category, {"instruct": written(change)}, transforms=transform_of(category))
    assert [(d.stage, d.reason) for d in state["dropped"]] == [("instruct", reason)], state["dropped"][:1]
    assert not state["records"]


def transform_of(category: str) -> str:
    suits = SKILL.categories[category].suits
    return "identity" if "identity" in suits else suits[0]


def programmed(code: str, language: str = "python") -> dict[str, Any]:
    return {"plan": "As asked.", "files": [{"name": "", "language": language, "code": code}], "note": ""}


@pytest.mark.parametrize(
    ("category", "reply", "reason"),
    [
        ("debug", programmed(COUNT.format(n="inspector").replace(">=", ">")), "passes"),
        ("debug", programmed("def count_inspector(entries, least=4:\n    return 0"), "fences"),
        ("debug", programmed(COUNT.format(n="inspector"), "voxelscript"), "fences"),
        ("debug", programmed("import os\nos._exit(0)"), "passes"),
        (
            "write_tests",
            programmed("from solution import count_inspector\nassert count_inspector([]) == 0"),
            "tests_bite",
        ),
        ("write_tests", programmed("assert True"), "tests_bite"),
        ("sql", programmed("SELECT name, 1 FROM places", "sql"), "rows"),
        (
            "documentation",
            programmed('def count_inspector(entries, least=5):\n    """Doc."""\n    return 0'),
            "same_code",
        ),
        ("refactor", programmed(COUNT.format(n="other")), "passes"),
        ("trace_output", {"steps": "It runs.", "output": "end 0"}, "printed"),
        (
            "explain_code",
            {"explanation": "So.", "examples": [{"expression": "count_inspector([])", "value": "7"}]},
            "examples_hold",
        ),
        (
            "code_review",
            {"findings": [{"line": "total = 0", "problem": "Bad name."}], **programmed(COUNT.format(n="inspector"))},
            "findings",
        ),
    ],
)
async def test_answers_that_do_not_hold_are_dropped(category: str, reply: dict[str, Any], reason: str) -> None:
    def answer(request: Request) -> Any:
        said = {key: value for key, value in reply.items() if key != "plan" or "findings" not in reply}
        step = {"tool": "none", "input": "", "reply": said}
        return step if request.schema_name.endswith("Step") else said

    state = await flow(category, {"answer": answer}, transforms=transform_of(category))
    assert [(d.stage, d.reason) for d in state["dropped"]] == [("verify", reason)], state["dropped"]


async def test_a_loop_that_never_ends_costs_the_draft_only() -> None:
    endless = programmed("def repeats_inspector(entries):\n    while True:\n        pass\n")
    step = {"tool": "none", "input": "", "reply": endless}
    state = await flow("implement_from_spec", {"answer": lambda _: step}, transforms="identity")
    assert [(d.stage, d.reason) for d in state["dropped"]] == [("verify", "passes")]


async def test_without_a_sandbox_nothing_is_accepted(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> Any:
        raise SandboxUnavailable("No sandbox works here.")

    monkeypatch.setattr("agentinstruct.tools.code.mutation._proof", refuse)
    state = await flow("implement_from_spec", transforms="spec")
    assert not state["records"]
    assert "nothing was run" in state["dropped"][0].detail


async def test_a_task_from_which_solvers_write_other_code_is_dropped() -> None:
    wrong = "def repeats_inspector(entries):\n    return sorted(set(entries))\n"
    solve = {"reasoning": "As I read it.", "answerable": True, "answer": f"```python\n{wrong}```"}
    state = await flow("implement_from_spec", {"solve": lambda _: solve}, transforms="identity")
    assert [(d.stage, d.reason) for d in state["dropped"]] == [("verify", "solutions_agree")]
    assert "0 of 3" in state["dropped"][0].detail


async def test_the_text_of_a_task_may_be_an_argument() -> None:
    for task, dropped in (
        (
            "Write `repeats_inspector(entries)`, which finds what stands in the text `entries` twice, in order.",
            ["self_contained"],
        ),
        (
            "`repeats_inspector(entries)` gets a `text` as `entries`; return what occurs in the text twice, in order.",
            [],
        ),
    ):
        state = await flow(
            "implement_from_spec", {"instruct": written({"task": task})}, transforms="identity", verify="strict"
        )
        assert [d.reason for d in state["dropped"]] == dropped
