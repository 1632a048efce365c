"""Creative content on the scripted model, under the strict policy: the piece keeps the brief's form, or is dropped."""

from collections.abc import Mapping
from typing import Any

import pytest

from agentinstruct.agents.gateway import Gateway, using
from agentinstruct.agents.records import Seed
from agentinstruct.agents.scripted import Script, ScriptedModel
from agentinstruct.agents.skill import load_skill
from agentinstruct.graphs.skills import creative_content
from agentinstruct.graphs.state import Context, FlowState

SKILL = load_skill("creative_content")
TEXT = """The tide mill at Carew has ground corn since 1801. Twice a day the sea fills its pond, and the miller, Ruth,
opens the gate when the water outside has fallen. A wheel of oak turns for five hours. In 1903 a storm broke the dam,
and the village paid 240 pounds for new stones. Today 12 volunteers keep the mill, because they like the sound of it."""
PAIRS = [(category.name, transform) for category in SKILL.categories.values() for transform in category.suits]


async def flow(scripts: Mapping[str, Script] | None = None, text: str = TEXT, **chosen: Any) -> FlowState:
    async with using(Gateway(lambda spec: ScriptedModel(scripts or {}))):
        context = Context(model="scripted", **chosen)
        state: FlowState = await creative_content.ainvoke({"seed": Seed(text=text)}, context=context)
        return state


@pytest.mark.parametrize(("category", "transform"), PAIRS)
async def test_every_category_is_written_from_every_transform_that_suits_it(category: str, transform: str) -> None:
    state = await flow(categories=category, transforms=transform, rounds=0)
    assert not state["dropped"]
    (record,) = state["records"]
    assert record.accepted
    assert {v.check for v in record.verdicts} >= {"form", "clean", "constraints", "original", "fresh", "judge"}


@pytest.mark.parametrize("category", SKILL.categories)
async def test_every_goal_yields_a_refined_record_of_every_category(category: str) -> None:
    state = await flow(categories=category)
    assert not state["dropped"]
    original, *refined = state["records"]
    assert {record.goal for record in refined} == set(SKILL.goals)
    assert all(record.parent == original.id for record in refined)
    assert all("tightened" in {v.check for v in record.verdicts} for record in refined)


async def test_the_material_is_shown_only_where_the_client_hands_it_over() -> None:
    alone = (await flow(categories="short_story", rounds=0))["records"][0]
    given = (await flow(categories="continuation", rounds=0))["records"][0]
    assert "a storm broke the dam" not in alone.messages[-2].content
    assert "a storm broke the dam" in given.messages[-2].content


PIECE = "I found the gate open. My aunt had sold the wheel. I bought it back with her own money."


@pytest.mark.parametrize(
    ("category", "said", "reason"),
    [
        ("short_story", " ".join(f"I saw the {n}th lamp and named it." for n in range(40)), "constraints"),
        (
            "poem",
            "The sea fills the pond\nRuth opens the old mill gate\nand the wheel turns round again",
            "constraints",
        ),
        ("dialogue_scene", "Ines and Tomas quarrelled about the gate until it was dark outside.", "constraints"),
        ("letter", f"Dear Marta,\n\n{PIECE}", "constraints"),
        ("slogan_set", "Turn!\nTurn again!\nTurn once more!", "constraints"),
        ("short_story", f"Sure, here is the text: {PIECE}", "constraints"),
        ("short_story", f"{PIECE} As an AI language model, I liked it.", "clean"),
        (
            "short_story",
            f"{PIECE} The miller opens the gate when the water outside has fallen. A wheel of oak turns.",
            "original",
        ),
        ("short_story", f"Once upon a time, {PIECE}", "fresh"),
        ("short_story", f"{PIECE} Then Elara came, and the whispering woods were still.", "fresh"),
        ("short_story", f"{PIECE} {PIECE}", "fresh"),
        ("short_story", "No.", "judge"),
    ],
)
async def test_pieces_that_break_the_brief_or_are_not_new_are_dropped(category: str, said: str, reason: str) -> None:
    transform = "premise" if "premise" in SKILL.categories[category].suits else SKILL.categories[category].suits[0]
    state = await flow({"answer": lambda _: said}, categories=category, transforms=transform, rounds=0)
    assert [(d.stage, d.reason) for d in state["dropped"]] == [("verify", reason)]
    assert not state["records"]


@pytest.mark.parametrize(
    ("brief", "constraints", "reason"),
    [
        ("Write about the tide mill and its miller.", [{"kind": "max_words", "number": 90}], "stated"),
        ("Write about the tide mill, the miller and the rest of this sheet in 90 words.", [], "form"),
        ("Write what the outline says of the miller at the mill, in at most 90 words.", "max", "stands_alone"),
        ("Write at most 90 words about a spaceship on its way to Mars.", "max", "form"),
        ("The mill and the miller, at least 200 and at most 90 words.", "both", "form"),
    ],
)
async def test_briefs_that_cannot_be_held_against_are_not_answered(brief: str, constraints: Any, reason: str) -> None:
    most, least = {"kind": "max_words", "number": 90}, {"kind": "min_words", "number": 200}
    stated = (
        {"max": [most], "both": [least, most]}.get(constraints, constraints)
        if isinstance(constraints, str)
        else constraints
    )
    scripts: dict[str, Script] = {
        "instruct": lambda _: {"items": [{"brief": brief, "constraints": stated or [{"kind": "titled"}]}]}
    }
    state = await flow(scripts, categories="short_story", transforms="premise", rounds=0)
    assert [(d.stage, d.reason) for d in state["dropped"]][-1] == ("instruct", reason)
