"""Conversations on the scripted model, under the strict policy: grown, planned, played, checked."""

from collections.abc import Mapping
from random import Random
from typing import Any

import pytest

from agentinstruct.agents.forms import FORMS
from agentinstruct.agents.forms.talk import slipped, wrong_answer
from agentinstruct.agents.gateway import Completion, Gateway, Request, using
from agentinstruct.agents.records import Record, Seed
from agentinstruct.agents.scripted import Script, ScriptedModel
from agentinstruct.agents.skill import load_skill
from agentinstruct.agents.talk import ACTS, Base
from agentinstruct.graphs.skills import conversation, reading_comprehension
from agentinstruct.graphs.state import Context, FlowState

SKILL = load_skill("conversation")
TEXT = """The tide mill at Carew has ground corn since 1801. Twice a day the sea fills its pond, and the miller, Ruth,
opens the gate when the water outside has fallen. A wheel of oak turns for five hours. In 1903 a storm broke the dam,
and the village paid 240 pounds for new stones. Today 12 volunteers keep the mill, because they like the sound of it."""


async def flow(scripts: Mapping[str, Script] | None = None, text: str = TEXT, **chosen: Any) -> FlowState:
    async with using(Gateway(lambda spec: ScriptedModel(scripts or {}))):
        state: FlowState = await conversation.ainvoke(
            {"seed": Seed(text=text)}, context=Context(model="scripted", **chosen)
        )
        return state


def said(record: Record) -> list[str]:
    return [message.content for message in record.messages]


def test_the_categories_are_the_acts() -> None:
    assert tuple(SKILL.categories) == ACTS


@pytest.mark.parametrize("transform", SKILL.file.transforms)
async def test_every_base_skill_is_grown(transform: str) -> None:
    state = await flow(categories="clarify", transforms=transform, rounds=0)
    assert not state["dropped"]
    (record,) = state["records"]
    roles = [message.role for message in record.messages if message.role != "system"]
    assert roles == ["user", "assistant"] * 4
    assert record.split == "follow_up"


@pytest.mark.parametrize("category", SKILL.categories)
async def test_every_act_yields_a_conversation_and_every_goal_another(category: str) -> None:
    state = await flow(categories=category, transforms="from_reading_comprehension")
    assert not state["dropped"]
    original, *refined = state["records"]
    assert {record.goal for record in refined} == set(SKILL.goals)
    assert len({tuple(said(record)[-6:]) for record in state["records"]}) >= len(SKILL.goals) - 1
    assert original.accepted


async def test_the_base_graph_shows_as_a_subgraph() -> None:
    assert set(SKILL.file.transforms) <= {name for name, _ in conversation.get_subgraphs()}


async def test_a_base_item_that_exists_already_costs_nothing() -> None:
    asked: list[str] = []

    class Counting:
        width = 0

        def __init__(self) -> None:
            self.model = ScriptedModel({})

        async def complete(self, request: Request) -> Completion:
            asked.append(request.key)
            return await self.model.complete(request)

        async def aclose(self) -> None:
            pass

    model = Counting()
    seed = {"seed": Seed(text=TEXT)}
    async with using(Gateway(lambda spec: model)):
        await reading_comprehension.ainvoke(seed, context=Context(model="scripted", rounds=1))
        before = set(asked)
        state = await conversation.ainvoke(
            seed,
            context=Context(model="scripted", transforms="from_reading_comprehension", categories="recap", rounds=0),
        )
    assert state["records"]
    base_calls = [call for call in state["records"][0].calls if call.prompt.startswith("reading_comprehension")]
    assert base_calls
    assert {call.key for call in base_calls} <= before


async def test_a_slip_is_planted_and_corrected() -> None:
    state = await flow(categories="true_correction", rounds=0)
    (record,) = state["records"]
    first, correction, reply = said(record)[-7], said(record)[-6], said(record)[-5]
    assert record.key not in first.rsplit("Answer:", 1)[-1]
    assert record.key in correction
    assert record.key in reply
    assert "concedes" in {verdict.check for verdict in record.verdicts}


async def test_a_wrong_correction_is_withstood() -> None:
    state = await flow(categories="wrong_correction", rounds=0)
    (record,) = state["records"]
    assert {"holds_ground", "consistent"} <= {verdict.check for verdict in record.verdicts}


@pytest.mark.parametrize(
    ("category", "transform"),
    [(name, base) for name in ("true_correction", "wrong_correction") for base in SKILL.categories[name].suits],
)
async def test_corrections_grow_from_every_base_that_has_a_key(category: str, transform: str) -> None:
    state = await flow(categories=category, transforms=transform, rounds=0)
    assert not state["dropped"]
    assert state["records"][0].key


@pytest.mark.parametrize(
    ("form", "key", "alternatives", "wrong"),
    [
        ("choice", "B", ("A", "B"), "A"),
        ("tristate", "True", (), "False|Not Given"),
        ("number", "240 pounds", (), "264 pounds"),
        ("number", "0.5", (), "1.5"),
        ("order", "B, A, C", (), "A, C, B"),
        ("short", "Ruth", (), ""),
        ("essay", "", (), ""),
    ],
)
def test_the_program_knows_a_wrong_answer_of_the_same_kind(form: str, key: str, alternatives: Any, wrong: str) -> None:
    base = Base(skill="x", id="y", form=form, request="?", response="!", key=key, alternatives=alternatives)
    assert wrong_answer(base, FORMS[form], Random(0)) in wrong.split("|")


def test_a_slip_changes_the_last_line_only() -> None:
    assert slipped("B fits, not C.\n\nAnswer: B", "B", "C") == "B fits, not C.\n\nAnswer: C"
    assert slipped("sports", "sports", "politics") == "politics"
    assert slipped("Nothing to be found here.", "B", "C") == "Nothing to be found here."


async def test_a_base_without_an_item_ends_it_and_says_why() -> None:
    state = await flow(
        {"solve": lambda _: {"reasoning": "", "answerable": False, "answer": ""}},
        transforms="from_reading_comprehension",
        categories="wrong_correction",
    )
    (lost,) = state["dropped"]
    assert (lost.stage, lost.reason) == ("transform", "no base")
    assert "reading_comprehension gave no accepted item: verify: solvers" in lost.detail
    assert lost.calls


async def test_languages_switch_and_come_back() -> None:
    state = await flow(categories="clarify", goals="language_switch", transforms="from_reading_comprehension")
    switched = next(record for record in state["records"] if record.goal == "language_switch")
    assert "ma mère" in " ".join(said(switched))
    assert "languages" in {verdict.check for verdict in switched.verdicts}
