"""Text extraction on the scripted model, strict: right items are accepted, wrong gold and wrong replies are not."""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from agentinstruct.agents.gateway import Gateway, Request, using
from agentinstruct.agents.records import Seed
from agentinstruct.agents.scripted import Script, ScriptedModel, scripted_reply
from agentinstruct.agents.skill import load_skill
from agentinstruct.graphs.skills import text_extraction
from agentinstruct.graphs.state import Context, FlowState

SKILL = load_skill("text_extraction")
TEXT = """The lighthouse at Carn Point was built in 1862 by a crew of 48 men from the northern villages. Its lamp could
be seen for 21 miles on a clear night, farther than any other light on that coast.

The keeper and his two daughters lived in the stone cottage beside the tower for nearly 30 years. They grew cabbages
behind a wall, because the salt wind killed everything that stood taller than a hand. In the winter of 1879 a steamer
struck the reef while the lamp was being cleaned. The inquiry found that the keeper had followed every printed rule."""
CODE = """def area(width, height):
    return width * height


def edge(width, height):
    return 2 * (width + height)


class Box:
    side = 3

    def grow(self, by):
        self.side = self.side + by
        return self.side
"""
ONE_OF_EACH = {category.form: name for name, category in SKILL.categories.items()}


def seed_for(category: str) -> Seed:
    code = "code" in SKILL.categories[category].seeds
    return Seed(text=CODE if code else TEXT, modality="code" if code else "prose")


async def flow(category: str = "", scripts: Mapping[str, Script] | None = None, **chosen: Any) -> FlowState:
    settings = {"categories_per_seed": 1, "instructions_per_category": 1, "categories": category} | chosen
    seed = seed_for(category or "entities")
    async with using(Gateway(lambda spec: ScriptedModel(scripts or {}))):
        return await text_extraction.ainvoke({"seed": seed}, context=Context(model="scripted", **settings))


def spoiling(change: Callable[[Any], Any]) -> Script:
    return lambda request: change(scripted_reply(request))


@pytest.mark.parametrize("category", SKILL.categories)
async def test_every_category_yields_a_record(category: str) -> None:
    state = await flow(category, rounds=0)
    assert [record.category for record in state["records"]] == [category], state.get("dropped")
    verdicts = {verdict.check: verdict.passed for verdict in state["records"][0].verdicts}
    assert verdicts["recall"] and verdicts["extracted"] and verdicts["spans"] and all(verdicts.values())


@pytest.mark.parametrize("transform", SKILL.file.transforms)
async def test_every_transform_yields_a_record(transform: str) -> None:
    state = await flow(transforms=transform, rounds=0)
    assert {record.transform for record in state["records"]} == {transform}


@pytest.mark.parametrize(
    ("goal", "form"), [(g, form) for g, goal in SKILL.goals.items() for form in ONE_OF_EACH if goal.fits(form)]
)
async def test_every_goal_yields_a_refined_record(goal: str, form: str) -> None:
    state = await flow(ONE_OF_EACH[form], goals=goal)
    assert not state["dropped"]
    original, refined = sorted(state["records"], key=lambda record: record.depth)
    assert (refined.goal, refined.parent) == (goal, original.id)
    assert (refined.context.strip() != original.context.strip()) == (SKILL.goals[goal].changes == "both")


async def test_a_code_seed_gets_a_task_for_code_and_prose_never_does() -> None:
    async with using(Gateway(lambda spec: ScriptedModel())):
        for number in range(6):
            seed = Seed(text=f"{CODE}# {number}\n", modality="code")
            state = await text_extraction.ainvoke({"seed": seed}, context=Context(model="scripted", rounds=0))
            assert {record.category for record in state["records"]} == {"code_elements", "code_facts"}
            asked = " ".join(record.messages[-2].content.replace(record.context, "") for record in state["records"])
            assert not {"article", "passage", "text", "story"} & set(asked.casefold().replace(".", " ").split())
            state = await text_extraction.ainvoke(
                {"seed": Seed(text=f"{TEXT} {number}")}, context=Context(model="scripted", rounds=0)
            )
            assert not {record.category for record in state["records"]} & {"code_elements", "code_facts"}


@pytest.mark.parametrize(
    ("category", "transform", "modality"),
    [("entities", "", "code"), ("", "report", "code"), ("code_facts", "", "prose")],
)
async def test_a_type_for_the_other_kind_of_seed_is_declined(category: str, transform: str, modality: Any) -> None:
    chosen = Context(model="scripted", rounds=0, categories=category, transforms=transform)
    async with using(Gateway(lambda spec: ScriptedModel())):
        state = await text_extraction.ainvoke({"seed": Seed(text=CODE, modality=modality)}, context=chosen)
    assert not state.get("records")
    assert {(one.stage, one.reason) for one in state["dropped"]} <= {
        ("instruct", "declined"),
        ("transform", "declined"),
    }


async def test_every_format_is_asked_for_answered_and_read() -> None:
    formats = set()
    for category in ("entities", "key_values", "relations", "keyphrases"):
        for number in range(14):
            state = await flow(category, rounds=0, seed=number)
            formats |= {record.messages[-1].content[:1] for record in state["records"]}
            assert len(state["records"]) == 1, state["dropped"]
    assert {"{", "[", "|", "-"} <= formats, "objects, arrays, tables and lists; CSV, YAML and pairs begin with a name"


async def test_null_is_the_right_value_of_an_absent_field() -> None:
    state = await flow("absent_fields", rounds=0)
    gold = json.loads(state["records"][0].key)
    assert [name for name, value in gold.items() if value is None]


def first(change: dict[str, Any]) -> Callable[[Any], Any]:
    def spoil(reply: Any) -> Any:
        item = reply["items"][0]
        return {"items": [item | {"found": [item["found"][0] | change, *item["found"][1:]]}]}

    return spoil


def copied(reply: Any) -> Any:
    item = reply["items"][0]
    return {"items": [item | {"fields": [item["fields"][0] | {"verbatim": False}, *item["fields"][1:]]}]}


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (first({"span": "a crew of 480 men"}), "grounded"),
        (lambda reply: first({"value": "something else"})(copied(reply)), "normal"),
        (first({"field": "nowhere"}), "form"),
        (lambda reply: {"items": [reply["items"][0] | {"instruction": "Give me the facts as JSON, please."}]}, "form"),
        (lambda reply: {"items": [reply["items"][0] | {"found": []}]}, "wrong shape"),
    ],
)
async def test_faulty_gold_is_dropped_before_anyone_answers(spoil: Callable[[Any], Any], reason: str) -> None:
    state = await flow("key_values", {"instruct": spoiling(spoil)}, rounds=0)
    assert [(one.stage, one.reason) for one in state["dropped"]] == [("instruct", reason)]
    assert not state.get("records")


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (lambda reply: f"Here you are:\n{reply}", "structure"),
        (lambda reply: reply.replace("the ", "teh "), "spans"),
        (lambda reply: re.sub(r' \w+\.(["\n]|$)', r"\1", reply), "extracted"),
    ],
)
async def test_a_reply_that_is_not_the_gold_is_dropped(said: Callable[[str], str], reason: str) -> None:
    def answer(request: Request) -> Any:
        return said(str(scripted_reply(request)))

    found = set()
    for number in range(12):
        state = await flow("key_values", {"answer": answer}, rounds=0, seed=number, transforms="identity")
        found |= {one.reason for one in state["dropped"]}
    assert reason in found


async def test_a_fence_around_the_whole_reply_falls_away() -> None:
    fenced = spoiling(lambda reply: f"```json\n{reply}\n```")
    state = await flow("keyphrases", {"answer": fenced}, rounds=0)
    assert len(state["records"]) == 1
    assert "```" not in state["records"][0].messages[-1].content


@pytest.mark.parametrize("keep", [slice(1, None), slice(0, 0)])
async def test_gold_that_other_extractors_do_not_find_is_dropped(keep: slice) -> None:
    lazy = spoiling(lambda reply: reply | {"found": reply["found"][keep]})
    state = await flow("key_values", {"solve": lazy}, rounds=0)
    assert [(one.stage, one.reason) for one in state["dropped"]] == [("verify", "recall")]


async def test_gold_that_leaves_out_what_most_extractors_find_is_dropped() -> None:
    def spoil(reply: Any) -> Any:
        item = reply["items"][0]
        return {"items": [item | {"found": [one for one in item["found"] if one["record"] > 1]}]}

    honest: Script = scripted_reply
    state = await flow("relations", {"instruct": spoiling(spoil), "answer": honest}, rounds=0)
    assert {one.reason for one in state["dropped"]} <= {"recall", "extracted", "form"}
    assert state["dropped"] and not state.get("records")


@pytest.mark.parametrize("goal", ["noise", "near_misses", "instances"])
async def test_an_edit_that_was_to_change_the_text_and_did_not_is_dropped(goal: str) -> None:
    idle: Script = lambda request: scripted_reply(request) | {"passage": str(request.inputs["passage"])}  # noqa: E731
    state = await flow("relations", {"edit": idle}, goals=goal)
    assert [(one.stage, one.reason) for one in state["dropped"]] in ([("edit", "changed")], [("edit", "grounded")])


async def test_noise_that_breaks_a_value_is_dropped() -> None:
    def torn(request: Request) -> Any:
        reply: Any = scripted_reply(request)
        return reply | {"passage": reply["passage"].replace("lighthouse", "light-\nhouse").replace("the", "t he")}

    state = await flow("key_values", {"edit": torn}, goals="noise", transforms="identity")
    assert [(one.stage, one.reason) for one in state["dropped"]] == [("edit", "grounded")]
