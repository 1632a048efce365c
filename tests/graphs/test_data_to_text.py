"""Data to text on the scripted model, under strict: every category, transform and goal, and what must not pass."""

from typing import Any

import pytest

from agentinstruct.agents.gateway import Gateway, using
from agentinstruct.agents.records import Seed
from agentinstruct.agents.scripted import ScriptedModel, scripted_reply
from agentinstruct.agents.skill import load_skill
from agentinstruct.graphs.skills import data_to_text
from agentinstruct.tools.tables import read, traceable

SKILL = load_skill("data_to_text")
TEXT = """The lighthouse at Carn Point was built in 1862 by a crew of 48 men from the northern villages. Its lamp
could be seen for 21 miles on a clear night, farther than any other light on that coast. The keeper and
his two daughters lived in the stone cottage beside the tower for nearly 30 years. They grew cabbages
behind a wall, because the salt wind killed everything that stood taller than a hand. In the winter of
1879 a steamer struck the reef while the lamp was being cleaned. The inquiry found that the keeper had
followed every printed rule."""
FIRST = {name: next(t for t in SKILL.file.transforms if c.fits(t)) for name, c in SKILL.categories.items()}


async def flow(category: str, transform: str, scripts: dict[str, Any] | None = None, **chosen: Any) -> Any:
    from agentinstruct.graphs.state import Context

    settings = {"instructions_per_category": 1, "categories": category, "transforms": transform} | chosen
    async with using(Gateway(lambda spec: ScriptedModel(scripts or {}))):
        return await data_to_text.ainvoke({"seed": Seed(text=TEXT)}, context=Context(model="scripted", **settings))


def reasons(state: Any) -> list[tuple[str, str]]:
    return [(lost.stage, lost.reason) for lost in state.get("dropped", [])]


@pytest.mark.parametrize("category", SKILL.categories)
async def test_every_category_yields_accepted_records(category):
    state = await flow(category, FIRST[category], rounds=0)
    assert [record.category for record in state.get("records", [])] == [category], reasons(state)


@pytest.mark.parametrize("transform", SKILL.file.transforms)
async def test_every_transform_makes_data_that_is_read_back(transform):
    category = next(name for name, one in SKILL.categories.items() if one.fits(transform))
    state = await flow(category, transform, rounds=0)
    assert state["records"] and state["records"][0].transform == transform
    assert read(state["passage"].text).tables and state["passage"].data


@pytest.mark.parametrize("goal", SKILL.goals)
async def test_every_goal_yields_a_refined_accepted_record(goal):
    state = await flow("describe", "table", goals=goal)
    refined = [record for record in state["records"] if record.goal == goal]
    assert refined and refined[0].depth == 1, reasons(state)
    assert any(v.check == "data_refined" and v.passed for v in refined[0].verdicts) or goal == "audience"


async def test_a_question_gets_a_computed_key_and_a_harder_core():
    state = await flow("table_question", "table", goals="derived")
    first, refined = sorted(state["records"], key=lambda record: record.depth)
    assert first.key and refined.key and first.key != refined.key
    assert any(v.check == "solvers" and v.passed for v in refined.verdicts)


async def test_the_evidence_of_traceable_names_each_derivation():
    state = await flow("describe", "table", rounds=0)
    verdict = next(v for v in state["records"][0].verdicts if v.check == "traceable")
    assert " of Lighthouse" in verdict.evidence and verdict.kind == "exact"
    data = read(state["passage"].text)
    assert all(f.traced for f in traceable(state["records"][0].messages[-1].content, data))


def spoilt(change: Any) -> Any:
    return lambda request: {"text": change(dict(scripted_reply(request))["text"])}


@pytest.mark.parametrize(
    ("category", "change", "reason"),
    [
        ("describe", lambda text: text.replace(" is 10", " is 77"), "traceable"),
        ("describe", lambda text: f"{text} That was more than in Liverpool.", "entities"),
        ("describe", lambda text: text.split(". ")[0], "entities"),
        ("describe", lambda text: f"Here is the description:\n{text}", "demands"),
        (
            "headline",
            lambda text: f"{text} and so on and so forth without any end that the reader could see coming",
            "demands",
        ),
        ("layperson_caveats", lambda text: text.replace("no value of Uses is given", "Uses is low"), "gaps_told"),
        ("alert", lambda text: f"{text} Northern comes close.", "fires"),
        ("row_templates", lambda text: "\n".join(text.splitlines()[:-1]), "rows_filled"),
    ],
)
async def test_a_spoilt_text_is_dropped_by_the_check_that_ought_to(category, change, reason):
    state = await flow(category, "table", {"answer": spoilt(change)}, rounds=0)
    assert not state.get("records")
    assert reasons(state) == [("verify", reason)]


async def test_data_that_cannot_be_used_is_asked_for_again_and_then_dropped():
    asked = []

    def uneven(request):
        asked.append(request)
        return {**dict(scripted_reply(request)), "rows": [["a", "b"], ["c"]]}

    state = await flow("describe", "table", {"table": uneven})
    assert reasons(state) == [("transform", "unfit passage")]
    assert len(asked) == 2 and "cells" in asked[1].messages[-1]["content"]
