"""Few-shot reasoning on the scripted model, strictly: examples are made by a rule and decide the query."""

from collections.abc import Mapping
from typing import Any

import pytest

from agentinstruct.agents.forms import read_form
from agentinstruct.agents.forms.exemplars import Exemplars
from agentinstruct.agents.gateway import Gateway, Request, using
from agentinstruct.agents.records import Seed
from agentinstruct.agents.scripted import Script, ScriptedModel, scripted_reply
from agentinstruct.agents.skill import load_skill
from agentinstruct.graphs.skills import few_shot_reasoning
from agentinstruct.graphs.state import Context, FlowState

SKILL = load_skill("few_shot_reasoning")
TEXT = """The ferry from Holtenau carried 12 carts and 40 sheep on market days, and the ferryman, old Brix, took a penny
for each. In winter, when the river froze, farmers crossed on foot, with sledges, from Laboe to Kiel. A storm in 1903
broke the landing stage; the village of Wik paid 24 pounds for new planks. After that, a steam launch came twice a day,
and Brix sold his boat to a painter called Nolde, who kept chickens in it. Every visitor wrote a word in the book that
lay by the door: some wrote a name, some a number, some drew a bird. The painter read them aloud on long evenings."""


async def flow(categories: str, scripts: Mapping[str, Script] | None = None, **chosen: Any) -> FlowState:
    async with using(Gateway(lambda spec: ScriptedModel(scripts or {}))):
        context = Context(model="scripted", categories=categories, **({"rounds": 0} | chosen))
        return await few_shot_reasoning.ainvoke({"seed": Seed(text=TEXT)}, context=context)


@pytest.mark.parametrize("transform", SKILL.file.transforms)
async def test_every_category_yields_an_accepted_record_from_each_transform(transform: str) -> None:
    fitting = [name for name, category in SKILL.categories.items() if category.fits(transform)]
    state = await flow(",".join(fitting), transforms=transform, categories_per_seed=12)
    assert [(d.category, d.reason, d.detail) for d in state["dropped"]] == []
    assert {record.category for record in state["records"]} == set(fitting)
    for draft in state["drafts"]:
        form = read_form(draft.item)
        if isinstance(form, Exemplars):
            assert 1 <= len(form.puzzle.shots) <= 8
            assert draft.response.endswith(form.completed)


@pytest.mark.parametrize("goal", SKILL.goals)
async def test_every_goal_makes_items_harder_in_its_way(goal: str) -> None:
    state = await flow("", goals=goal, rounds=1, seed=2, categories_per_seed=12)
    assert {d.reason for d in state["dropped"]} <= {"not refined"}, state["dropped"]
    refined = [draft for draft in state["drafts"] if draft.depth == 1]
    assert len(refined) > (2 if goal == "composition" else 7)
    parents = {draft.id: read_form(draft.item) for draft in state["drafts"]}
    for draft in refined:
        form, before = read_form(draft.item), parents[draft.parent]
        if goal == "fewer_shots":
            assert len(form.puzzle.shots) < len(before.puzzle.shots)  # type: ignore[attr-defined]
        if goal == "composition":
            assert "[A][B]" in draft.item.options


async def test_without_the_examples_nobody_knows_the_key() -> None:
    seen: list[Request] = []

    def solve(request: Request) -> Any:
        seen.append(request)
        return scripted_reply(request)

    (record,) = (await flow("string_transformation", {"solve": solve}))["records"]
    blind = [request for request in seen if "->" not in str(request.inputs["options"]).rsplit("\n", 1)[0]]
    assert len(seen) == 6 and blind
    assert {v.check for v in record.verdicts} >= {"ruled", "determined", "continued", "solvers", "needs_exemplars"}


@pytest.mark.parametrize(
    ("scripts", "reason"),
    [
        ({"answer": lambda _: {"reasoning": "So.", "line": "Result: nothing"}}, "continued"),
        ({"answer": lambda r: {**_said(r), "line": f"{_said(r)['line']} and more"}}, "continued"),
        ({"answer": lambda r: f"{_said(r)['line']}\n\nI hope this helps!"}, "continued"),
        ({"solve": lambda _: {"reasoning": "", "answerable": True, "answer": "nothing"}}, "solvers"),
    ],
)
async def test_answers_that_do_not_continue_the_examples_are_dropped(scripts: dict[str, Any], reason: str) -> None:
    state = await flow("arithmetic_rule", scripts)
    assert [(d.stage, d.reason) for d in state["dropped"]] == [("verify", reason)]


def _said(request: Request) -> Any:
    return scripted_reply(request)


async def test_an_item_that_can_be_solved_blind_is_dropped() -> None:
    keys: list[str] = []

    def instruct(request: Request) -> Any:
        material: Any = request.inputs["material"]
        keys.append(material["puzzle"]["key"])
        return scripted_reply(request)

    solve = {"reasoning": "I know it.", "answerable": True}
    scripts: dict[str, Script] = {"instruct": instruct, "solve": lambda _: {**solve, "answer": keys[-1]}}
    state = await flow("string_transformation", scripts)
    assert [(d.stage, d.reason) for d in state["dropped"]] == [("verify", "needs_exemplars")]


async def test_a_task_that_tells_the_rule_or_the_answer_is_dropped() -> None:
    def told(field: str) -> Script:
        def instruct(request: Request) -> Any:
            material: Any = request.inputs["material"]
            told = {"rule": material["rule"], "key": f"It is {material['puzzle']['key']}, I think"}[field]
            return {"items": [{"task": f"What comes next? Mind this: {told}.", "given": "Word", "made": "Code"}]}

        return instruct

    for field, category in (("rule", "string_transformation"), ("key", "format_imitation")):
        state = await flow(category, {"instruct": told(field)})
        assert [(d.stage, d.reason) for d in state["dropped"]] == [("instruct", "form")], field


async def test_a_text_with_too_few_words_is_declined() -> None:
    async with using(Gateway(lambda spec: ScriptedModel({}))):
        context = Context(model="scripted", categories="string_transformation", rounds=0)
        state = await few_shot_reasoning.ainvoke({"seed": Seed(text="A b c. " * 40)}, context=context)
    assert [(d.stage, d.reason) for d in state["dropped"]] == [("instruct", "declined")]
