"""Multiple choice on the scripted model, under the strict policy: keys right by construction, in balanced positions."""

from collections import Counter
from collections.abc import Mapping
from random import Random
from typing import Any

import pytest

from agentinstruct.agents.forms import FORMS, read_form
from agentinstruct.agents.forms.labels import NAMES, style_of
from agentinstruct.agents.gateway import Gateway, Request, using
from agentinstruct.agents.records import Item, Passage, Seed, content_id
from agentinstruct.agents.scripted import Script, ScriptedModel, scripted_reply
from agentinstruct.agents.scripted.quiz import read
from agentinstruct.agents.scripted.quizmaster import WRITERS
from agentinstruct.agents.scripted.riddles import Wanted
from agentinstruct.agents.scripted.schema import instance, words_of
from agentinstruct.agents.skill import load_skill
from agentinstruct.dataset.measure_figures import chi_square_tail
from agentinstruct.graphs.skills import multiple_choice
from agentinstruct.graphs.state import Context, FlowState

SKILL = load_skill("multiple_choice")
TEXT = """The lighthouse at Carn Point was built in 1862 by a crew of 48 men from the northern villages. Its lamp could
be seen for 21 miles on a clear night, farther than any other light on that coast.

The keeper and his two daughters lived in the stone cottage beside the tower for nearly 30 years. They grew cabbages
behind a wall, because the salt wind killed everything that stood taller than a hand. In the winter of 1879 a steamer
struck the reef while the lamp was being cleaned. The inquiry found that the keeper had followed every printed rule."""
ONE_OF_EACH = {category.form: name for name, category in SKILL.categories.items()}
BALANCED = [name for name, c in SKILL.categories.items() if c.settings.get("offer") != "all_that_apply"]


async def flow(scripts: Mapping[str, Script] | None = None, text: str = TEXT, **chosen: Any) -> FlowState:
    settings = {"categories_per_seed": 1, "instructions_per_category": 1} | chosen
    async with using(Gateway(lambda spec: ScriptedModel(scripts or {}))):
        return await multiple_choice.ainvoke({"seed": Seed(text=text)}, context=Context(model="scripted", **settings))


async def made(category: str, number: int) -> Item:
    """An item of a category, as the flow would make it for one seed after another, with its draws."""
    kind, work = FORMS[SKILL.categories[category].form], content_id("work", category, number)
    draw = Random(f"{work}/{category}/0/sample")
    material = kind.sample(SKILL.categories[category], Passage(text=TEXT, transform="identity"), draw)
    assert material is not None and kind.writes is not None
    written = next(WRITERS[kind.name](Wanted(TEXT, Random(f"{work}/{category}")), material))
    item = await kind.make(kind.writes.model_validate(written), material)
    return item.arrange(Random(content_id(work, "identity", category, 0)))


def chance(found: Counter[int], places: int) -> float:
    """How likely an even spread is to look at least as uneven as this."""
    expected = found.total() / places
    return chi_square_tail(sum((found[at] - expected) ** 2 / expected for at in range(places)), places - 1)


@pytest.mark.parametrize("category", SKILL.categories)
async def test_every_category_yields_a_record(category: str) -> None:
    state = await flow(categories=category, rounds=0)
    (record,) = state["records"]
    assert (record.category, record.accepted, record.split) == (category, True, "mcq")
    assert record.context not in record.messages[-2].content


@pytest.mark.parametrize("transform", SKILL.file.transforms)
async def test_every_transform_yields_records(transform: str) -> None:
    state = await flow(transforms=transform, categories_per_seed=3, rounds=0)
    assert [record.transform for record in state["records"]] == [transform] * 3


@pytest.mark.parametrize(
    ("goal", "form"),
    [(name, form) for name, goal in SKILL.goals.items() for form in ONE_OF_EACH if goal.fits(form)],
)
async def test_every_goal_yields_a_record_of_every_form_it_suits(goal: str, form: str) -> None:
    state = await flow(categories=ONE_OF_EACH[form], goals=goal)
    assert not state["dropped"]
    original, refined = sorted(state["records"], key=lambda record: record.depth)
    assert (refined.goal, refined.parent, refined.form) == (goal, original.id, form)
    assert ("harder" in {v.check for v in refined.verdicts}) == SKILL.goals[goal].asks_more


async def test_the_key_stands_in_every_place_as_often_for_every_number_of_options() -> None:
    places: dict[int, Counter[int]] = {}
    for category in BALANCED:
        for number in range(150):
            item = await made(category, number)
            places.setdefault(options_of(item), Counter())[place_of(item)] += 1
    assert set(places) == {3, 4, 5, 6, 7, 8, 9, 10} and sum(map(Counter.total, places.values())) > 2000
    assert {n: found for n, found in places.items() if chance(found, n) < 0.002} == {}
    for end, name in ((0, "first"), (-1, "last")):
        among = sum(found[end % n] for n, found in places.items())
        fair = sum(found.total() / n for n, found in places.items())
        spread = sum(found.total() / n * (1 - 1 / n) for n, found in places.items()) ** 0.5
        assert abs(among - fair) < 3.3 * spread, f"{name}: {among} of {fair:.0f}"


@pytest.mark.parametrize("category", ["recall", "calculation", "combination", "ordering"])
async def test_an_item_that_is_arranged_anew_has_its_key_anywhere(category: str) -> None:
    places: dict[int, Counter[int]] = {}
    for number in range(60):
        item = await made(category, number)
        if places.setdefault(options_of(item), Counter()).total() < 400:
            form = read_form(item)
            for turn in range(1200):
                again = form.arrange(Random(f"{category}/{number}/{turn}"))
                places.setdefault(options_of(again), Counter())[place_of(again)] += 1
    assert {n: found for n, found in places.items() if chance(found, n) < 0.002} == {}


def options_of(item: Item) -> int:
    """How many options there are to choose from."""
    return len(read(item.options).options)


def place_of(item: Item) -> int:
    """Where the key stands among the options."""
    return [label or text for label, text in read(item.options).options].index(item.key)


async def test_labels_and_numbers_of_options_vary() -> None:
    items = [await made("recall", number) for number in range(120)]
    styles = Counter(style_of(item.key) for item in items)
    assert set(styles) == set(NAMES) and styles["letters"] > styles["roman"] > 0
    counts = Counter(len(item.options.splitlines()) for item in items)
    assert min(counts) == 3 and max(counts) >= 9 and counts[4] > counts[8]


async def test_the_last_option_of_all_is_right_about_as_often_as_any_other() -> None:
    for category in ("all_of_the_above", "none_of_the_above"):
        items = [await made(category, number) for number in range(160)]
        ends = [(item.key, item.written["last"], *read(item.options).options[-1]) for item in items]
        last = [key for key, text, label, _ in ends if key in (text, label)]
        fair = sum(1 / len(item.options.splitlines()) for item in items)
        assert abs(len(last) - fair) < 3 * fair**0.5
        assert all(item.options.splitlines()[-1].endswith(item.written["last"]) for item in items)


async def test_assertions_and_reasons_come_in_all_five_cases_equally() -> None:
    items = [await made("assertion_reason", number) for number in range(150)]
    keys = Counter(item.written["case"] for item in items)
    assert len(keys) == 5 and min(keys.values()) > 15


async def test_without_reasoning_where_the_user_wants_only_the_choice() -> None:
    lengths = Counter()  # type: Counter[tuple[bool, bool]]
    for seed in range(12):
        state = await flow(categories="recall", rounds=0, seed=seed)
        for record in state["records"]:
            wants = any(w in record.messages[-2].content for w in ("choice only", "nothing else"))
            lengths[wants, len(record.messages[-1].content.splitlines()) == 1] += 1
    assert set(lengths) == {(True, True), (False, False)}


async def test_the_worked_options_are_the_slips_results_and_the_calculator_is_used() -> None:
    state = await flow(categories="calculation", rounds=0)
    (record,) = state["records"]
    (use,) = record.trace
    assert use.tool == "calculator" and f"{int(use.output):,} words" in record.messages[-2].content


async def test_guessers_who_find_the_key_without_the_question_reject_the_item() -> None:
    keys: list[str] = []

    def solve(request: Request) -> Any:
        reply: Any = scripted_reply(request)
        keys.append(reply["answer"])
        return reply

    scripts: dict[str, Script] = {"solve": solve, "guess": lambda _: {"clue": "It is longer.", "answer": keys[-1]}}
    state = await flow(scripts, categories="recall", rounds=0)
    assert [(d.stage, d.reason) for d in state["dropped"]] == [("verify", "options_only")]


@pytest.mark.parametrize(("agent", "reason"), [("options", "options_alone"), ("guess", "options_only")])
async def test_a_check_that_gets_no_judgement_does_not_pass(agent: str, reason: str) -> None:
    scripts: dict[str, Script] = {agent: lambda _: "no JSON at all"}
    state = await flow(scripts, categories="recall", rounds=0)
    assert [one.reason for one in state["dropped"]] == [reason]


@pytest.mark.parametrize("category", ["recall", "calculation", "combination", "ordering", "assertion_reason"])
async def test_an_endpoint_that_fills_in_forms_without_meaning_gets_nothing_accepted(category: str) -> None:
    def meaningless(request: Request) -> Any:
        return instance(request.schema, words_of(request.inputs)) if request.schema else "Words of no meaning."

    said = dict.fromkeys(("role:instruct", "role:answer", "role:judge", "role:solve"), meaningless)
    state = await flow(said, categories=category, rounds=0, transforms="identity")
    assert not state.get("records")
    assert state["dropped"]


async def test_a_turned_item_keeps_its_options_and_moves_its_key() -> None:
    state = await flow(categories="recall", goals="turn")
    original, refined = sorted(state["records"], key=lambda record: record.depth)
    turns = [read(record.messages[-2].content).options for record in (original, refined)]
    before, now = ({label or text: text for label, text in options} for options in turns)
    assert set(before.values()) == set(now.values())
    assert before[original.key] != now[refined.key]
