"""Fermi estimation on the scripted model, under strict: every category, transform and goal, and what must not pass."""

from typing import Any

import pytest

from agentinstruct.agents.gateway import Gateway, using
from agentinstruct.agents.records import Seed
from agentinstruct.agents.scripted import ScriptedModel, scripted_reply
from agentinstruct.agents.skill import load_skill
from agentinstruct.graphs.skills import fermi
from agentinstruct.graphs.state import Context

SKILL = load_skill("fermi")
TEXT = "The lighthouse at Carn Point was built in 1862 by a crew of 48 men from the northern villages."


async def flow(category: str, transform: str = "scale", scripts: dict[str, Any] | None = None, **chosen: Any) -> Any:
    settings = {"instructions_per_category": 1, "categories": category, "transforms": transform} | chosen
    async with using(Gateway(lambda spec: ScriptedModel(scripts or {}))):
        return await fermi.ainvoke({"seed": Seed(text=TEXT)}, context=Context(model="scripted", **settings))


def reasons(state: Any) -> list[tuple[str, str]]:
    return [(lost.stage, lost.reason) for lost in state.get("dropped", [])]


@pytest.mark.parametrize("category", SKILL.categories)
async def test_every_category_yields_accepted_records_and_uses_its_calculator(category):
    state = await flow(category, rounds=0)
    assert [record.category for record in state.get("records", [])] == [category], reasons(state)
    record = state["records"][0]
    assert [use.tool for use in record.trace] == ["calculator"] and "error" not in record.trace[0].output
    assert {"recomputed", "dimensions", "bounds", "plausible"} <= {verdict.check for verdict in record.verdicts}


@pytest.mark.parametrize("transform", SKILL.file.transforms)
async def test_every_transform_makes_a_scene_with_quantities(transform):
    state = await flow("count", transform, rounds=0)
    assert state["records"] and state["passage"].data["quantities"]


@pytest.mark.parametrize("goal", SKILL.goals)
async def test_every_goal_yields_a_refined_accepted_record(goal):
    state = await flow("capacity", goals=goal)
    refined = [record for record in state.get("records", []) if record.goal == goal]
    assert refined, reasons(state)
    assert any(v.check == "estimate_goal" and v.passed for v in refined[0].verdicts)


async def test_the_text_shows_assumptions_calculation_range_and_check():
    text = (await flow("capacity", rounds=0))["records"][0].messages[-1].content
    for part in ("300", "m^2", "given", "≈ 262 people", "fair range", "moves the result most", "Ten times as much"):
        assert part.casefold() in text.casefold()


def spoilt(**fields: Any) -> Any:
    def script(request):
        said = dict(scripted_reply(request))
        reply = said.get("reply", said)
        return {**said, "reply": {**reply, **fields}} if said.get("reply") else said

    return script


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"result": 2620.0}, "recomputed"),
        ({"unit": "hours"}, "dimensions"),
        ({"formula": "area * used * room"}, "dimensions"),
        ({"low": 300.0, "high": 400.0}, "bounds"),
        ({"low": 1.0, "high": 90_000.0}, "bounds"),
        ({"order_of_magnitude": 4}, "bounds"),
        ({"dominant": "used"}, "bounds"),
    ],
)
async def test_a_spoilt_estimate_is_dropped_by_the_check_that_ought_to(fields, reason):
    state = await flow("capacity", scripts={"answer": spoilt(**fields)}, rounds=0)
    assert not state.get("records") and reasons(state) == [("verify", reason)]


async def test_an_estimate_that_others_do_not_come_near_is_not_plausible():
    def ten_times_and_more(request):
        said = dict(scripted_reply(request))
        return {**said, "assumptions": [{**a, "value": a["value"] * 4} for a in said["assumptions"]]}

    state = await flow("count", scripts={"solve": ten_times_and_more}, rounds=0)
    assert reasons(state) == [("verify", "plausible")]


async def test_a_formula_over_unknown_names_is_asked_for_again():
    asked = []

    def wrong(request):
        asked.append(request)
        return spoilt(formula="area * luck")(request)

    state = await flow("capacity", scripts={"answer": wrong}, rounds=0)
    assert reasons(state) == [("answer", "wrong shape")]
    assert "luck" in asked[-1].messages[-1]["content"]
