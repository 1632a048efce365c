"""Brain teasers on the scripted model under the strict policy: cores proved, wordings read back, loose ends refused."""

from collections.abc import Mapping
from typing import Any

import pytest

from agentinstruct.agents.forms import read_form
from agentinstruct.agents.gateway import Gateway, Request, using
from agentinstruct.agents.records import Seed
from agentinstruct.agents.scripted import Script, ScriptedModel, scripted_reply
from agentinstruct.agents.skill import load_skill
from agentinstruct.graphs.skills import brain_teaser
from agentinstruct.graphs.state import Context, FlowState
from agentinstruct.tools.puzzles import prove

SKILL = load_skill("brain_teaser")
TEXT = """The lighthouse at Carn Point was built in 1862 by a crew of 48 men from the northern villages. Its lamp could
be seen for 21 miles on a clear night, farther than any other light on that coast. The keeper and his daughters lived
in the stone cottage beside the tower for nearly 30 years."""
CORED = [name for name, category in SKILL.categories.items() if category.form == "puzzle"]
THREE = "logic_grid,pouring,riddle"


async def flow(
    category: str, scripts: Mapping[str, Script] | None = None, text: str = TEXT, **chosen: Any
) -> FlowState:
    settings = {"rounds": 0, "instructions_per_category": 1} | chosen
    async with using(Gateway(lambda spec: ScriptedModel(scripts or {}))):
        context = Context(model="scripted", categories=category, **settings)
        return await brain_teaser.ainvoke({"seed": Seed(text=text)}, context=context)


@pytest.mark.parametrize("category", SKILL.categories)
async def test_every_category_yields_a_record(category: str) -> None:
    state = await flow(category)
    assert not state["dropped"]
    (record,) = state["records"]
    assert record.accepted and record.category == category
    checks = {verdict.check for verdict in record.verdicts}
    assert checks >= ({"unique", "names", "reformalised"} if category in CORED else {"not_famous"})
    assert "solvers" in checks and record.messages[-1].content.rstrip().endswith(record.key)


@pytest.mark.parametrize("transform", SKILL.file.transforms)
async def test_every_transform_yields_records(transform: str) -> None:
    state = await flow("", transforms=transform, categories_per_seed=2)
    assert {record.transform for record in state["records"]} == {transform}
    assert not state["dropped"]


@pytest.mark.parametrize(
    ("goal", "category"),
    [
        ("misleading_cue", "logic_grid"),
        ("misleading_cue", "pouring"),
        ("misleading_cue", "riddle"),
        ("misleading_cue", "hidden_assumption"),
        ("add_entity", "truth_tellers"),
        ("add_entity", "river_crossing"),
        ("perturb", "scheduling"),
        ("perturb", "probability_paradox"),
        ("close_loopholes", "lateral_thinking"),
        ("close_loopholes", "hidden_assumption"),
    ],
)
async def test_every_goal_yields_a_refined_record(goal: str, category: str) -> None:
    state = await flow(category, rounds=1, goals=goal)
    assert not state["dropped"]
    original, refined = sorted(state["records"], key=lambda record: record.depth)
    assert (refined.goal, refined.parent) == (goal, original.id)
    assert refined.messages != original.messages
    assert (refined.key != original.key) or goal != "perturb"


async def test_a_refined_core_is_proved_and_kept_in_the_item() -> None:
    state = await flow("logic_grid", rounds=1, goals="add_entity")
    before, after = (read_form(draft.item).proved for draft in state["drafts"])
    assert len(after.names) == len(before.names) + 3
    assert prove(after)


async def test_the_same_seed_gives_the_same_puzzles() -> None:
    first, second = [await flow(THREE, transforms="puzzle_frame", rounds=1, goals="misleading_cue") for _ in range(2)]
    assert first["records"] == second["records"] and len(first["records"]) == 6
    other = await flow(THREE, seed=1)
    assert {record.id for record in other["records"]}.isdisjoint(record.id for record in first["records"])


async def test_the_teacher_runs_a_program_where_it_may() -> None:
    (record,) = (await flow("pouring"))["records"]
    assert [use.tool for use in record.trace] == ["run_python"]
    assert record.trace[0].output.strip().splitlines()[-1] == record.key


def changed(agent: str, change: Any) -> dict[str, Script]:
    return {agent: lambda request: change(scripted_reply(request))}


def without(line: str) -> Any:
    def change(reply: Any) -> Any:
        item = reply["items"][0]
        return {
            "items": [{**item, "puzzle": "\n".join(n for n in item["puzzle"].split("\n") if not n.startswith(line))}]
        }

    return change


def with_line(line: str) -> Any:
    def change(reply: Any) -> Any:
        item = reply["items"][0]
        return {"items": [{**item, "puzzle": f"{item['puzzle']}\n{line}"}]}

    return change


@pytest.mark.parametrize("category", ["logic_grid", "truth_tellers", "scheduling"])
async def test_a_fact_that_the_words_leave_out_is_noticed(category: str) -> None:
    state = await flow(category, changed("instruct", without("1. ")))
    assert not state.get("records")
    assert state["dropped"][0].reason in ("names", "reformalised")


async def test_words_that_change_a_fact_are_noticed() -> None:
    def change(reply: Any) -> Any:
        item = reply["items"][0]
        puzzle = item["puzzle"].replace("does not go with", "GOES").replace(" goes with ", " does not go with ")
        return {"items": [{**item, "puzzle": puzzle.replace("GOES", "goes with")}]}

    state = await flow("logic_grid", changed("instruct", change))
    assert [lost.reason for lost in state["dropped"]] == ["reformalised"]


async def test_words_that_give_the_answer_away_are_refused() -> None:
    def change(request: Request) -> Any:
        reply = scripted_reply(request)
        core = request.inputs["material"]["core"]
        names = core["choices"][core["right"]]
        value = core["question"].removeprefix("Who goes with ").rstrip("?")
        return with_line(f"9. {names['text']} goes with {value}.")(reply)

    state = await flow("logic_grid", {"instruct": change})
    assert [lost.reason for lost in state["dropped"]] == ["reformalised"]
    assert "gives the answer away" in state["dropped"][0].detail


async def test_a_formaliser_that_talks_nonsense_accepts_nothing() -> None:
    for said in ({"reading": "So.", "query": {"problem": {"variables": [], "constraints": []}}}, "no idea"):
        state = await flow("logic_grid", {"formalise": lambda _, said=said: said})
        assert [lost.reason for lost in state["dropped"]] == ["reformalised"]


@pytest.mark.parametrize(
    "source", ["print(41)", "raise SystemExit('no')", "import socket; socket.socket().connect(('1.1.1.1', 80))", "x ="]
)
async def test_a_program_that_comes_to_something_else_accepts_nothing(source: str) -> None:
    state = await flow("pouring", {"program": lambda _: {"reading": "So it reads.", "source": f"{source}\n"}})
    assert [lost.reason for lost in state["dropped"]] == ["reformalised"]


async def test_a_riddle_with_a_rival_is_refused() -> None:
    rival = {"answer": "an echo", "clues": "All fit.", "as_good": True}
    state = await flow("riddle", {"rivals": lambda _: {"intended_fits": True, "why": "", "rivals": [rival]}})
    assert [lost.reason for lost in state["dropped"]] == ["one_answer"]


@pytest.mark.parametrize("text", ["...\n---\n...", "Hello", "昨日、私は東京に行きました。とても暑かったです。"])
async def test_poor_seeds_are_accounted_for(text: str) -> None:
    state = await flow("", text=text)
    assert state.get("records") or state["dropped"]
