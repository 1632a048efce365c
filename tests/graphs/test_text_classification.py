"""Text classification on the scripted model, strict: right items are accepted, and keys are balanced as drawn."""

from collections import Counter
from collections.abc import Callable, Mapping
from random import Random
from typing import Any

import pytest

from agentinstruct.agents.checks.labelling import renamed, said
from agentinstruct.agents.forms import Classification
from agentinstruct.agents.forms.labelling_task import Label
from agentinstruct.agents.gateway import Gateway, Request, using
from agentinstruct.agents.records import Passage, Seed
from agentinstruct.agents.scripted import Script, ScriptedModel, scripted_reply
from agentinstruct.agents.skill import load_skill
from agentinstruct.graphs.skills import text_classification
from agentinstruct.graphs.state import Context, FlowState
from agentinstruct.tools.formats import FormatError

SKILL = load_skill("text_classification")
TEXT = """The lighthouse at Carn Point was built in 1862 by a crew of 48 men from the northern villages. Its lamp could
be seen for 21 miles on a clear night, farther than any other light on that coast.

The keeper and his two daughters lived in the stone cottage beside the tower for nearly 30 years. They grew cabbages
behind a wall, because the salt wind killed everything that stood taller than a hand."""


async def flow(category: str = "", scripts: Mapping[str, Script] | None = None, **chosen: Any) -> FlowState:
    settings = {"categories_per_seed": 1, "instructions_per_category": 1, "categories": category} | chosen
    async with using(Gateway(lambda spec: ScriptedModel(scripts or {}))):
        return await text_classification.ainvoke(
            {"seed": Seed(text=TEXT)}, context=Context(model="scripted", **settings)
        )


def spoiling(change: Callable[[Any], Any]) -> Script:
    return lambda request: change(scripted_reply(request))


@pytest.mark.parametrize("category", SKILL.categories)
async def test_every_category_yields_a_record(category: str) -> None:
    state = await flow(category, rounds=0)
    assert [record.category for record in state["records"]] == [category], state.get("dropped")
    verdicts = {verdict.check: verdict.passed for verdict in state["records"][0].verdicts}
    assert all(verdicts[name] for name in ("labelled", "solvers", "renamed", "definitions"))


@pytest.mark.parametrize("transform", SKILL.file.transforms)
async def test_every_transform_yields_a_record(transform: str) -> None:
    state = await flow(transforms=transform, rounds=0)
    assert {record.transform for record in state["records"]} == {transform}


@pytest.mark.parametrize("goal", SKILL.goals)
@pytest.mark.parametrize("category", ["user_defined", "nli", "multi_label", "hierarchical"])
async def test_every_goal_yields_a_refined_record(goal: str, category: str) -> None:
    state = await flow(category, goals=goal)
    assert not state["dropped"]
    original, refined = sorted(state["records"], key=lambda record: record.depth)
    assert (refined.goal, refined.parent) == (goal, original.id)
    assert (refined.context != original.context) == (goal == "cues")


def drawn(category: str, count: int) -> list[Any]:
    passage = Passage(text=TEXT, transform="identity")
    return [Classification.sample(SKILL.categories[category], passage, Random(f"draw {i}")) for i in range(count)]


def even(counts: Counter[Any], among: int) -> bool:
    """Whether counts are near to equal: each within a third of its share."""
    share = counts.total() / among
    return len(counts) == among and all(abs(count - share) < share / 3 for count in counts.values())


@pytest.mark.parametrize("category", ["nli", "aspect_sentiment", "stance", "urgency", "moderation"])
def test_the_labels_to_aim_at_are_balanced(category: str) -> None:
    names = SKILL.categories[category].settings["names"]
    assert even(Counter(one["aim"] for one in drawn(category, 1200)), len(names))


@pytest.mark.parametrize("category", ["topic", "sentiment", "user_defined", "multi_label"])
def test_the_place_of_the_right_label_is_balanced(category: str) -> None:
    for labels, group in by_size(drawn(category, 2400)).items():
        assert even(Counter(one["place"] for one in group), labels)


def by_size(found: list[Any]) -> dict[int, list[Any]]:
    groups: dict[int, list[Any]] = {}
    for one in found:
        groups.setdefault(one["labels"], []).append(one)
    return groups


async def test_many_scripted_items_are_balanced_as_drawn() -> None:
    places, keys, formats = Counter[int](), Counter[str](), Counter[str]()
    for number in range(60):
        state = await flow("nli", rounds=0, seed=number)
        record = state["records"][0]
        shown = record.messages[-2].content
        order = sorted(SKILL.categories["nli"].settings["names"], key=lambda name: shown.index(f"- {name}: "))
        places[order.index(record.key)] += 1
        keys[record.key] += 1
        formats[record.messages[-1].content[:1]] += 1
    assert all(count >= 10 for counts in (places, keys) for count in counts.values())
    assert len(places) == len(keys) == 3
    assert formats["{"] and formats["T"], "JSON, and a reason with a label, besides the bare label"


def right(change: dict[str, Any]) -> Callable[[Any], Any]:
    def spoil(reply: Any) -> Any:
        item = reply["items"][0]
        return {"items": [item | {"right": [item["right"][0] | change]}]}

    return spoil


def item(change: Callable[[dict[str, Any]], dict[str, Any]]) -> Callable[[Any], Any]:
    return lambda reply: {"items": [reply["items"][0] | change(reply["items"][0])]}


@pytest.mark.parametrize(
    ("category", "spoil", "reason"),
    [
        ("topic", item(lambda old: {"evidence": ["It was never built."]}), "grounded"),
        ("topic", item(lambda old: {"wrong": [*old["wrong"][:-1], old["right"][0]]}), "form"),
        ("topic", item(lambda old: {"wrong": old["wrong"][:-1]}), "form"),
        ("topic", item(lambda old: {"task": f"Is this about {old['right'][0]['name']}, as it seems?"}), "form"),
        ("nli", item(lambda old: {"right": old["wrong"][:1], "wrong": [*old["right"], *old["wrong"][1:]]}), "aim"),
        ("nli", item(lambda old: {"about": "another statement than the one that stands in the task"}), "form"),
        ("sentiment", right({"name": "delighted"}), "form"),
    ],
)
async def test_faulty_items_are_dropped(category: str, spoil: Callable[[Any], Any], reason: str) -> None:
    state = await flow(category, {"instruct": spoiling(spoil)}, rounds=0, transforms="", seed=3)
    assert not state.get("records")
    assert state["dropped"][0].reason in (reason, "labelled"), state["dropped"][0]


async def test_a_key_that_blind_solvers_do_not_come_to_is_dropped_though_the_teacher_shares_it() -> None:
    def wrong_key(reply: Any) -> Any:
        old = reply["items"][0]
        return {"items": [old | {"right": old["wrong"][:1], "wrong": [*old["right"], *old["wrong"][1:]]}]}

    key: list[str] = []

    def instruct(request: Request) -> Any:
        reply = wrong_key(scripted_reply(request))
        key[:] = [reply["items"][0]["right"][0]["name"]]
        return reply

    for number in range(20):
        scripts = {"instruct": instruct, "answer": lambda request: key[0]}
        state = await flow("difficulty", scripts, rounds=0, seed=number)
        if state["dropped"][0].reason == "solvers":
            return
    raise AssertionError("no item asked for the bare label")


async def test_a_solver_who_goes_by_names_fails_when_they_are_changed() -> None:
    def by_name(request: Request) -> Any:
        reply = scripted_reply(request)
        neutral = "class_1" in str(request.inputs["options"])
        return reply | {"answer": "class_1; class_2"} if neutral else reply

    state = await flow("topic", {"solve": by_name}, rounds=0)
    assert [(one.stage, one.reason) for one in state["dropped"]] == [("verify", "renamed")]


@pytest.mark.parametrize("change", [{"fits": True}, {}])
async def test_two_definitions_that_are_met_or_overlap_are_found(change: dict[str, Any]) -> None:
    def judged(reply: Any) -> Any:
        labels = [one | change for one in reply["labels"]]
        met = next(one["name"] for one in reply["labels"] if one["fits"])
        other = next(one["name"] for one in reply["labels"] if not one["fits"])
        both = {"first": met, "second": other, "example": "A text of both kinds."}
        return {"labels": labels, "overlapping": [] if change else [both]}

    state = await flow("topic", {"labels": spoiling(judged)}, rounds=0)
    assert [(one.stage, one.reason) for one in state["dropped"]] == [("verify", "definitions")]


@pytest.mark.parametrize(
    ("output", "text", "names"),
    [
        ("label", "spam", ["spam"]),
        ("reason", "It asks for money.\nLabel: spam", ["spam"]),
        ("json", '{"reason": "So.", "label": "spam"}', ["spam"]),
        ("labels", "a; b", ["a", "b"]),
        ("labels_json", '{"labels": ["a", "b"]}', ["a", "b"]),
    ],
)
def test_replies_are_read_in_their_form(output: str, text: str, names: list[str]) -> None:
    assert said(output, text) == names


@pytest.mark.parametrize(
    ("output", "text"),
    [
        ("reason", "Label: spam"),
        ("reason", "It is spam."),
        ("json", '{"label": "spam"}'),
        ("json", '```json\n{"label": "spam", "reason": ""}\n``` There.'),
        ("labels_json", '["a"]'),
    ],
)
def test_replies_in_another_form_are_refused(output: str, text: str) -> None:
    with pytest.raises(FormatError):
        said(output, text)


def test_labels_are_renamed_within_each_others_definitions_but_common_words_are_not() -> None:
    labels = [
        Label(name="first_bill", definition="Argues against a bill that is the first."),
        Label(name="bill_copy", definition="Not first_bill: wants a copy."),
        Label(name="against", definition="Is against it, and no bill_copy either."),
    ]
    coded = renamed(labels, ["class_1", "class_2", "class_3"])
    assert [label.name for label in coded] == ["class_1", "class_2", "class_3"]
    assert coded[0].definition == "Argues against a bill that is the first."
    assert coded[1].definition == "Not class_1: wants a copy."
    assert coded[2].definition == "Is against it, and no class_2 either."
