"""Open-domain questions on the scripted model, under the strict policy: they stand alone, and so do their answers."""

from collections.abc import Mapping
from typing import Any

import pytest

from agentinstruct.agents.checks.standing import points_outside
from agentinstruct.agents.gateway import Gateway, Request, using
from agentinstruct.agents.records import Seed
from agentinstruct.agents.scripted import Script, ScriptedModel, scripted_reply
from agentinstruct.agents.scripted.schema import instance, words_of
from agentinstruct.agents.shapes_mistakes import MISTAKE, mistaken
from agentinstruct.agents.skill import load_skill
from agentinstruct.graphs.skills import open_domain_qa
from agentinstruct.graphs.state import Context, FlowState

SKILL = load_skill("open_domain_qa")
TEXT = """The lighthouse at Carn Point was built in 1862 by a crew of 48 men from the northern villages. Its lamp could
be seen for 21 miles on a clear night, farther than any other light on that coast.

The keeper and his two daughters lived in the stone cottage beside the tower for nearly 30 years. They grew cabbages
behind a wall, because the salt wind killed everything that stood taller than a hand. In the winter of 1879 a steamer
struck the reef while the lamp was being cleaned. The inquiry found that the keeper had followed every printed rule."""
ONE_OF_EACH = {category.form: name for name, category in SKILL.categories.items()}


async def flow(scripts: Mapping[str, Script] | None = None, text: str = TEXT, **chosen: Any) -> FlowState:
    settings = {"categories_per_seed": 1, "instructions_per_category": 1} | chosen
    async with using(Gateway(lambda spec: ScriptedModel(scripts or {}))):
        return await open_domain_qa.ainvoke({"seed": Seed(text=text)}, context=Context(model="scripted", **settings))


def meaningless(request: Request) -> Any:
    """What an endpoint says that fills in every form and understands nothing."""
    return instance(request.schema, words_of(request.inputs)) if request.schema else "Words of no meaning at all."


@pytest.mark.parametrize("category", SKILL.categories)
async def test_every_category_yields_a_record_that_told_enough(category: str) -> None:
    state = await flow(categories=category, rounds=0)
    (record,) = state["records"]
    assert (record.category, record.accepted, record.split) == (category, True, "open_domain_qa")
    assert not points_outside(record.messages[-2].content) and not points_outside(record.messages[-1].content)
    assert record.context not in record.messages[-2].content, "the user never sees the passage"


@pytest.mark.parametrize("transform", SKILL.file.transforms)
async def test_every_transform_yields_records(transform: str) -> None:
    state = await flow(transforms=transform, categories_per_seed=3, rounds=0)
    assert {record.transform for record in state["records"]} == {transform}
    assert len(state["records"]) == 3


@pytest.mark.parametrize(
    ("goal", "form"),
    [(name, form) for name, goal in SKILL.goals.items() for form in ONE_OF_EACH if goal.fits(form)],
)
async def test_every_goal_yields_a_complex_question_of_every_form_it_suits(goal: str, form: str) -> None:
    state = await flow(categories=ONE_OF_EACH[form], goals=goal)
    assert not state["dropped"]
    original, refined = sorted(state["records"], key=lambda record: record.depth)
    assert (refined.goal, refined.parent, refined.depth) == (goal, original.id, 1)
    assert refined.form == (SKILL.goals[goal].form or form)
    judged = {verdict.check for verdict in refined.verdicts}
    assert ("harder" in judged) == SKILL.goals[goal].asks_more


async def test_a_quantity_is_worked_out_with_the_calculator() -> None:
    state = await flow(categories="quantitative", rounds=0)
    (record,) = state["records"]
    (use,) = record.trace
    assert (use.tool, record.key) == ("calculator", f"{use.output} words")
    assert {v.check for v in record.verdicts if v.kind == "model"} >= {"blind_solvers", "grounded_answer"}


async def test_a_problem_made_harder_must_take_a_further_step() -> None:
    items: list[Any] = []

    def instruct(request: Request) -> Any:
        reply: Any = scripted_reply(request)
        items.append(reply["items"][0])
        return reply

    def edit(request: Request) -> Any:
        return {"item": items[0] | {"question": f"{items[0]['question']} Count once more."}}

    state = await flow({"instruct": instruct, "edit": edit}, categories="quantitative", goals="computation")
    assert [(d.stage, d.reason) for d in state["dropped"]] == [("edit", "further_step")]


async def test_refined_questions_are_refined_again() -> None:
    state = await flow(categories="mechanism", goals="constraint,two_hop", rounds=2)
    assert {record.depth for record in state["records"]} == {0, 1, 2}


async def test_where_the_bare_answer_is_wanted_nothing_else_is_accepted() -> None:
    bare = [0, 0]
    for seed in range(8):
        state = await flow(categories="factual", rounds=0, seed=seed)
        for record in state["records"]:
            wants = "without an explanation" in record.messages[-2].content
            bare[wants] += 1
            assert (len(record.messages[-1].content.splitlines()) == 1) == wants
    assert all(bare)

    def talkative(request: Request) -> Any:
        return {"explanation": "It follows from this and that.", "answer": scripted_reply(request)["answer"]}  # type: ignore[index,call-overload]

    reasons = set()
    for seed in range(8):
        state = await flow({"answer": talkative}, categories="factual", rounds=0, seed=seed)
        reasons |= {one.reason for one in state.get("dropped", [])}
    assert reasons == {"as_asked"}


@pytest.mark.parametrize("category", ["factual", "quantitative", "mechanism", "false_premise"])
async def test_an_endpoint_that_fills_in_forms_without_meaning_gets_nothing_accepted(category: str) -> None:
    said = dict.fromkeys(("role:instruct", "role:answer", "role:judge", "role:solve"), meaningless)
    state = await flow(said, categories=category, rounds=0, transforms="identity")
    assert not state.get("records")
    assert state["dropped"]


@pytest.mark.parametrize("agent", ["told_enough", "grounded_answer", "covers", "premise"])
async def test_a_check_that_gets_no_judgement_fails(agent: str) -> None:
    category = {"premise": "false_premise", "grounded_answer": "factual"}.get(agent, "mechanism")
    state = await flow({agent: lambda _: "no JSON at all"}, categories=category, rounds=0)
    (lost,) = state["dropped"]
    assert (lost.reason, "no judgement" in lost.detail) == (agent, True)
    assert any(call.agent == agent for call in lost.calls)


async def test_a_judge_that_quotes_what_nobody_said_is_not_believed() -> None:
    def support(request: Request) -> Any:
        return {"claims": [{"claim": "It is so.", "quote": "words that stand nowhere", "finding": "supported"}]}

    for category, reason in (("factual", "grounded_answer"), ("mechanism", "points_hold")):
        state = await flow({"grounded_answer": support}, categories=category, rounds=0)
        assert [one.reason for one in state["dropped"]] == [reason]


async def test_no_evidence_is_taken_from_what_the_material_calls_a_mistake() -> None:
    state = await flow(categories="mechanism", transforms="misconceptions", rounds=0)
    belief = mistaken(state["passage"].text)[0].removeprefix(MISTAKE).partition(" (Tempting")[0]
    assert state["records"] and state["passage"].data["points"]

    def credulous(request: Request) -> Any:
        reply: Any = scripted_reply(request)
        return {"items": [reply["items"][0] | {"evidence": [belief]}]}

    state = await flow({"instruct": credulous}, categories="mechanism", transforms="misconceptions", rounds=0)
    assert [(d.stage, d.reason) for d in state["dropped"]] == [("instruct", "evidence_holds")]


async def test_a_list_whose_mistakes_are_facts_is_no_passage() -> None:
    point = {"fact": "The lamp was lit.", "mistakes": [{"belief": "The lamp was lit.", "tempting": "It is so."}]}
    reply = {"suitable": True, "reason": "", "points": [point] * 2, "besides": []}
    state = await flow({"misconceptions": lambda _: reply}, transforms="misconceptions")
    assert [(d.stage, d.reason) for d in state["dropped"]] == [("transform", "unfit passage")]
    assert "this mistake is a fact" in state["dropped"][0].detail
