"""The whole flow on the scripted model, under the strict policy: what is right is accepted, what is wrong is not."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from agentinstruct.agents.errors import ReplyError
from agentinstruct.agents.gateway import Completion, Gateway, Request, using
from agentinstruct.agents.records import Dropped, Record, Seed
from agentinstruct.agents.scripted import Script, ScriptedModel, scripted_reply
from agentinstruct.agents.skill import load_skill
from agentinstruct.graphs.skills import reading_comprehension
from agentinstruct.graphs.state import Context, FlowState

SKILL = load_skill("reading_comprehension")
FIRST = "The lighthouse at Carn Point was built in 1862 by a crew of 48 men from the northern villages."
SECOND = "The keeper and his two daughters lived in the stone cottage beside the tower for nearly 30 years."
TEXT = f"""{FIRST} Its lamp could be
seen for 21 miles on a clear night, farther than any other light on that coast.

{SECOND} They grew cabbages behind a wall, because the salt wind killed everything that stood taller than a hand. In
the winter of 1879 a steamer struck the reef while the lamp was being cleaned. The inquiry found that the keeper had
followed every printed rule."""
ONE_OF_EACH = {category.form: name for name, category in SKILL.categories.items()}


async def flow(scripts: Mapping[str, Script] | None = None, text: str = TEXT, **chosen: Any) -> FlowState:
    settings = {"categories_per_seed": 1, "instructions_per_category": 1} | chosen
    async with using(Gateway(lambda spec: ScriptedModel(scripts or {}))):
        return await reading_comprehension.ainvoke(
            {"seed": Seed(text=text)}, context=Context(model="scripted", **settings)
        )


async def dropped(scripts: Mapping[str, Script], category: str, goal: str = "", **chosen: Any) -> list[Dropped]:
    """What is dropped of one category, with at most one goal; nothing may be accepted that came of what is dropped."""
    goals = {"goals": goal} if goal else {"rounds": 0}
    state = await flow(scripts, categories=category, transforms="identity", **goals, **chosen)
    lost = {draft.draft_id for draft in state["dropped"]}
    assert not lost & {record.id for record in state.get("records", [])}
    return state["dropped"]


def changing(change: Callable[[Any], Any]) -> Script:
    """A script that spoils what the shipped one says."""
    return lambda request: change(scripted_reply(request))


def saying(text: str) -> Script:
    return lambda request: text


def choosing(option: str) -> Script:
    """A teacher or solver who takes the option with these words for right."""

    def script(request: Request) -> Any:
        shown = str(request.inputs.get("request") or request.inputs.get("options"))
        letter = next(line[0] for line in shown.splitlines() if line[1:3] == ". " and option in line)
        solved = {"reasoning": "So it is.", "answerable": True, "answer": letter}
        return solved if request.agent == "solve" else f"So it is.\n\nAnswer: {letter}"

    return script


@pytest.mark.parametrize("category", SKILL.categories)
async def test_every_category_yields_a_record(category: str) -> None:
    state = await flow(categories=category, rounds=0)
    assert [record.category for record in state["records"]] == [category]
    assert state["records"][0].accepted
    assert state["records"][0].verdicts


@pytest.mark.parametrize("transform", SKILL.file.transforms)
async def test_every_transform_yields_records(transform: str) -> None:
    state = await flow(transforms=transform, categories_per_seed=2)
    assert {record.transform for record in state["records"]} == {transform}
    assert state["passage"].transform == transform
    assert SECOND.removesuffix(".").split()[-1] in state["passage"].text


@pytest.mark.parametrize(
    ("goal", "form"),
    [(name, form) for name, goal in SKILL.goals.items() for form in ONE_OF_EACH if goal.fits(form)],
)
async def test_every_goal_yields_records_for_every_form_it_suits(goal: str, form: str) -> None:
    category = ONE_OF_EACH[form]
    state = await flow(categories=category, goals=goal)
    assert not state["dropped"]
    original, refined = sorted(state["records"], key=lambda record: record.depth)
    assert (refined.goal, refined.parent, refined.depth) == (goal, original.id, 1)
    changed = refined.context if SKILL.goals[goal].changes == "passage" else refined.messages
    assert changed != (original.context if isinstance(changed, str) else original.messages)


async def test_refining_adds_for_every_goal_suggestion_and_round_and_keeps_the_originals() -> None:
    state = await flow(
        categories="literal_comprehension", suggestions_per_goal=2, rounds=2, instructions_per_category=2
    )
    depths = [record.depth for record in state["records"]]
    # From 2 originals 3 goals × 2 suggestions each; the 2 × 4 answerable ones of those are refined again.
    # The scripted editor knows one harder question for each: asked for another, it repeats it, and that is dropped.
    originals = [record.id for record in state["records"] if not record.depth]
    lost = [one.reason for one in state["dropped"] if one.parent in originals]
    assert (depths.count(0), depths.count(1), lost) == (2, 10, ["duplicate"] * 2)
    assert depths.count(2) > depths.count(1)
    assert len({record.id for record in state["records"]}) == len(depths)


@pytest.mark.parametrize(
    "text",
    [
        "The tide mill ground corn twice a day. Its wheel turned only when the pond was full.",
        "def area(width: float, height: float) -> float:\n    return width * height\n\nclass Box:\n    side = 3\n",
        "...\n---\n...",
        "Hello",
        "昨日、私は東京に行きました。とても暑かったです。",
    ],
)
async def test_poor_seeds_are_accounted_for(text: str) -> None:
    for transform in ("identity", "meeting"):
        state = await flow(text=text, transforms=transform, categories_per_seed=12)
        ended: list[Record | Dropped] = [*state.get("records", []), *state.get("dropped", [])]
        assert ended


async def test_a_declined_seed_is_dropped_with_its_reason() -> None:
    declined = {"suitable": False, "reason": "It is a price list.", "text": ""}
    state = await flow({"argument": lambda _: declined}, transforms="argument")
    assert [(d.stage, d.reason, d.detail) for d in state["dropped"]] == [
        ("transform", "declined", "It is a price list.")
    ]


@pytest.mark.parametrize(
    ("category", "spoil", "reason"),
    [
        ("literal_comprehension", {"evidence": ["The lighthouse was never built."]}, "grounded"),
        ("numerical_discrete_reasoning", {"answer": 12345.0}, "recomputed"),
        ("numerical_discrete_reasoning", {"expression": "1 / 0"}, "recomputed"),
        ("main_idea", {"wrong": [FIRST, FIRST, SECOND]}, "form"),
        ("vocabulary_and_language_use", {"sentence": "The sentence has no gap at all."}, "form"),
        ("evidence_selection", {"quotes": ["The lighthouse was never built."]}, "grounded"),
        ("true_false_not_given", {"label": "True", "evidence": []}, "grounded"),
        ("sequencing_events", {"events": [FIRST, FIRST, SECOND]}, "form"),
        ("literal_comprehension", {"answer": ""}, "wrong shape"),
    ],
)
async def test_faulty_items_are_dropped_before_anyone_answers(
    category: str, spoil: dict[str, Any], reason: str
) -> None:
    spoiled = changing(lambda reply: {"items": [reply["items"][0] | spoil]})
    found = await dropped({"instruct": spoiled}, category)
    assert [(d.stage, d.reason) for d in found] == [("instruct", reason)]


async def test_a_wrong_key_is_outvoted_by_the_solvers_even_when_the_teacher_shares_the_error() -> None:
    wrong = {"answer": "was never built at all"}
    spoiled = changing(lambda reply: {"items": [reply["items"][0] | wrong]})
    found = await dropped(
        {"instruct": spoiled, "answer": saying("Answer: was never built at all")}, "literal_comprehension"
    )
    assert [(d.stage, d.reason) for d in found] == [("verify", "solvers")]
    assert "0 of 3 solvers" in found[0].detail


async def test_two_right_options_are_found_when_each_is_judged_by_itself() -> None:
    def spoil(reply: Any) -> Any:
        item = reply["items"][0]
        return {"items": [item | {"right": FIRST, "wrong": [SECOND, *item["wrong"][1:]]}]}

    scripts = {"instruct": changing(spoil), "answer": choosing(FIRST), "solve": choosing(FIRST)}
    found = await dropped(scripts, "main_idea")
    assert [(d.stage, d.reason) for d in found] == [("verify", "one_right_option")]


async def test_an_answer_that_contradicts_the_key_is_dropped() -> None:
    found = await dropped({"answer": saying("I reckon so.\n\nAnswer: False")}, "main_idea")
    assert [(d.stage, d.reason) for d in found] == [("verify", "answered")]


async def test_an_answer_without_a_final_line_is_dropped() -> None:
    found = await dropped({"answer": saying("It is hard to say, and I had rather not.")}, "main_idea")
    assert [(d.stage, d.reason) for d in found] == [("verify", "answered")]


async def test_what_the_rubric_does_not_allow_is_dropped() -> None:
    def spoil(reply: Any) -> Any:
        first, *rest = reply["criteria"]
        return {"criteria": [first | {"met": False, "evidence": "It says so nowhere."}, *rest]}

    found = await dropped({"judge": changing(spoil)}, "main_idea")
    assert [(d.stage, d.reason) for d in found] == [("verify", "judge")]
    assert "It says so nowhere." in found[0].detail


async def test_an_essay_that_leaves_points_out_is_dropped() -> None:
    found = await dropped({"answer": saying("It does so very well indeed.")}, "evaluative_comprehension")
    assert [(d.stage, d.reason) for d in found] == [("verify", "judge")]


async def test_an_unanswerable_item_that_its_passage_still_answers_is_dropped() -> None:
    edit = saying('{"passage": ' + f'"{" ".join(TEXT.split())} That is all."' + "}")

    def answer(request: Request) -> Any:
        said = "Answer: Not answerable from the passage"
        return said if "That is all." in request.inputs["request"] else scripted_reply(request)

    found = await dropped({"edit": edit, "answer": answer}, "main_idea", "unanswerable")
    assert [(d.stage, d.reason) for d in found] == [("verify", "outcome")]


async def test_an_edit_that_leaves_the_evidence_standing_makes_nothing_unanswerable() -> None:
    edit = saying('{"passage": ' + f'"{" ".join(TEXT.split())} That is all."' + "}")
    found = await dropped({"edit": edit}, "literal_comprehension", "unanswerable")
    assert [(d.stage.split("/")[0], d.reason) for d in found] == [("edit", "changed")]
    assert "the evidence still stands" in found[0].detail


async def test_two_true_statements_are_found_when_each_is_judged_by_itself() -> None:
    both = {"true_statement": FIRST, "evidence": [FIRST], "false_statement": SECOND}
    spoiled = changing(lambda reply: {"items": [reply["items"][0] | both]})
    scripts = {"instruct": spoiled, "answer": choosing(FIRST), "solve": choosing(FIRST)}
    found = await dropped(scripts, ONE_OF_EACH["pair"])
    assert [(d.stage, d.reason) for d in found] == [("verify", "one_right_option")]


async def test_a_flip_that_leaves_the_answer_as_it_was_is_dropped() -> None:
    item: list[Any] = []

    def instruct(request: Request) -> Any:
        reply: Any = scripted_reply(request)
        item.append(reply["items"][0])
        return reply

    def edit(request: Request) -> Any:
        return {"passage": f"{TEXT} That is all.", "item": item[0]}

    found = await dropped({"instruct": instruct, "edit": edit}, "literal_comprehension", "flip")
    assert [(d.stage, d.reason) for d in found] == [("verify", "outcome")]


@pytest.mark.parametrize("goal", ["unanswerable", "flip", "complicate"])
async def test_an_edit_that_changes_nothing_is_dropped(goal: str) -> None:
    item: list[Any] = []

    def instruct(request: Request) -> Any:
        reply: Any = scripted_reply(request)
        item.append(reply["items"][0])
        return reply

    def edit(request: Request) -> Any:
        properties = (request.schema or {})["properties"]
        return {key: value for key, value in {"passage": TEXT, "item": item[0]}.items() if key in properties}

    found = await dropped({"instruct": instruct, "edit": edit}, "literal_comprehension", goal)
    assert [(d.stage.split("/")[0], d.reason) for d in found] == [("edit", "changed")]


async def test_an_edit_that_replaces_the_passage_by_another_is_dropped() -> None:
    other = {"passage": "Bees dance for one another; the dance tells them where the flowers are."}
    found = await dropped({"edit": lambda _: other}, "literal_comprehension", "unanswerable")
    assert [(d.stage.split("/")[0], d.reason) for d in found] == [("edit", "changed")]


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (Completion("", refusal="I cannot help with that."), "refusal"),
        (Completion("I can", finish_reason="content_filter"), "refusal"),
        (Completion("", output_tokens=0), "empty reply"),
        (Completion("Answer: The light", finish_reason="length"), "cut off"),
    ],
)
@pytest.mark.parametrize("agent", ["instruct", "answer"])
async def test_unusable_replies_are_dropped_where_they_were_given(agent: str, said: Completion, reason: str) -> None:
    found = await dropped({agent: lambda _: said}, "main_idea")
    assert [(d.stage, d.reason) for d in found] == [(agent, reason)]
    assert found[0].calls[-1].agent == agent


async def test_a_reply_that_fits_at_the_second_try_is_accepted() -> None:
    tries: list[int] = []

    def script(request: Request) -> Any:
        tries.append(1)
        return "no JSON at all" if len(tries) == 1 else None

    state = await flow({"instruct": script}, categories="main_idea", rounds=0)
    (record,) = state["records"]
    assert next(call.repairs for call in record.calls if call.agent == "instruct") == 1


async def test_solvers_without_a_usable_reply_are_votes_not_given() -> None:
    def script(request: Request) -> Any:
        if request.sample % 1000 == 0:
            raise ReplyError("refusal")
        return None

    state = await flow({"solve": script}, categories="main_idea", rounds=0)
    (record,) = state["records"]
    assert len([call for call in record.calls if call.agent == "solve"]) == 2
    assert "2 of 3 solvers" in next(v.evidence for v in record.verdicts if v.check == "solvers")


@pytest.mark.parametrize(
    ("agent", "category", "asked"),
    [("solve", "main_idea", 3), ("options", "main_idea", 1), ("agree", "literal_comprehension", 1)],
)
async def test_checks_without_a_usable_reply_are_paid_for_all_the_same(agent: str, category: str, asked: int) -> None:
    scripts: dict[str, Script] = {agent: saying("no JSON at all")}
    if agent == "agree":
        scripts["answer"] = saying("Answer: It is said in quite other words.")
    (lost,) = await dropped(scripts, category)
    paid = [call for call in lost.calls if call.agent == agent]
    assert len(paid) == asked and all(call.repairs == 1 and call.output_tokens for call in paid)
