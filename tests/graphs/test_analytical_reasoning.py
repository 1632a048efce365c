"""Analytical reasoning on the scripted model, strictly: one right option, proved before and after it is worded."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

import pytest

from agentinstruct.agents.forms import read_form
from agentinstruct.agents.gateway import Gateway, Request, using
from agentinstruct.agents.records import Seed
from agentinstruct.agents.scripted import Script, ScriptedModel, scripted_reply
from agentinstruct.agents.skill import load_skill
from agentinstruct.graphs.skills import analytical_reasoning
from agentinstruct.graphs.state import Context, FlowState

SKILL = load_skill("analytical_reasoning")
TEXT = """Perth, the old blacksmith, kept his forge on deck, and the headsmen and harpooneers came to him with lances
and boat-spades. Stubb wanted a hook, Flask wanted a shoe for an oar, and Starbuck asked for a new blade before the ship
reached the harbour. The cook and the carpenter waited beside the windlass until the hammer was still."""


async def flow(
    category: str, scripts: Mapping[str, Script] | None = None, text: str = TEXT, **chosen: Any
) -> FlowState:
    settings = {"rounds": 0, "instructions_per_category": 1} | chosen
    async with using(Gateway(lambda spec: ScriptedModel(scripts or {}))):
        context = Context(model="scripted", categories=category, **settings)
        return await analytical_reasoning.ainvoke({"seed": Seed(text=text)}, context=context)


@pytest.mark.parametrize("category", SKILL.categories)
async def test_every_category_yields_a_record(category: str) -> None:
    state = await flow(category)
    assert not state["dropped"]
    (record,) = state["records"]
    assert record.accepted and record.key in "ABCDE"
    assert {verdict.check for verdict in record.verdicts} >= {
        "unique",
        "names",
        "reformalised",
        "eliminated",
        "solvers",
    }
    parts = [record.messages[-1].content.index(part) for part in ("Rules:", "Deductions:", "Options:", "Answer: ")]
    assert parts == sorted(parts)
    assert record.messages[-1].content.endswith(f"Answer: {record.key}")


@pytest.mark.parametrize("transform", SKILL.file.transforms)
async def test_every_transform_yields_records(transform: str) -> None:
    state = await flow("", transforms=transform, categories_per_seed=2)
    assert {record.transform for record in state["records"]} == {transform}
    assert not state["dropped"]


@pytest.mark.parametrize(
    ("goal", "category"),
    [
        ("add_rule", "hybrid_game"),
        ("add_rule", "syllogism"),
        ("add_rule", "rule_substitution"),
        ("add_rule", "policy_application"),
        ("conditional_rule", "ordering_game"),
        ("conditional_rule", "contradiction_detection"),
        ("conditional_rule", "policy_application"),
        ("local_if", "hybrid_game"),
        ("local_if", "conditional_chain"),
        ("local_if", "minimum_information"),
        ("swap_modality", "ordering_game"),
        ("swap_modality", "syllogism"),
        ("redundant_rule", "hybrid_game"),
        ("redundant_rule", "conditional_chain"),
        ("enlarge_domain", "grouping_game"),
        ("enlarge_domain", "data_sufficiency"),
        ("enlarge_domain", "policy_application"),
    ],
)
async def test_every_goal_yields_a_refined_record_for_the_forms_it_suits(goal: str, category: str) -> None:
    # A core can be such that a way does not apply to it; of a few run seeds, one must do.
    for seed in range(4):
        state = await flow(category, rounds=1, goals=goal, seed=seed)
        assert {lost.reason for lost in state["dropped"]} <= {"no harder core"}
        if not state["dropped"]:
            break
    original, refined = sorted(state["records"], key=lambda record: record.depth)
    assert (refined.goal, refined.parent) == (goal, original.id)
    assert refined.messages != original.messages


async def test_keys_do_not_favour_a_letter() -> None:
    keys: Counter[str] = Counter()
    for seed in range(10):
        state = await flow("ordering_game,syllogism,data_sufficiency", seed=seed)
        keys.update(record.key for record in state["records"])
    assert set(keys) == set("ABCDE") and max(keys.values()) <= 14


def altered(change: Any) -> Script:
    """A writer who says the core otherwise."""

    def script(request: Request) -> Any:
        reply: Any = scripted_reply(request)
        return {"items": [reply["items"][0] | change(reply["items"][0], request.inputs["material"]["core"])]}

    return script


def fewer(item: dict[str, Any], core: dict[str, Any]) -> dict[str, Any]:
    return {"options": item["options"][:4]}


def swapped(item: dict[str, Any], core: dict[str, Any]) -> dict[str, Any]:
    """The right option and another one have changed places."""
    options, right = list(item["options"]), core["right"]
    other = (right + 1) % len(options)
    options[right], options[other] = options[other], options[right]
    return {"options": options}


def other_modality(item: dict[str, Any], core: dict[str, Any]) -> dict[str, Any]:
    words = ["must be true", "could be true", "cannot be true"]
    now = next(word for word in words if word in item["question"])
    return {"question": item["question"].replace(now, words[(words.index(now) + 1) % 3])}


def no_rules(item: dict[str, Any], core: dict[str, Any]) -> dict[str, Any]:
    return {"puzzle": "\n".join(line for line in item["puzzle"].split("\n") if not line[:1].isdigit())}


def told(item: dict[str, Any], core: dict[str, Any]) -> dict[str, Any]:
    return {"puzzle": f"{item['puzzle']}\nHint: look at the second rule."}


def alike(item: dict[str, Any], core: dict[str, Any]) -> dict[str, Any]:
    return {"options": [*item["options"][:4], item["options"][0]]}


def from_a_text(item: dict[str, Any], core: dict[str, Any]) -> dict[str, Any]:
    return {"question": f"According to the passage, what follows? {item['question']}"}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (fewer, "options"),
        (swapped, "reformalised"),
        (other_modality, "reformalised"),
        (no_rules, "names"),
        (told, "names"),
        (alike, "form"),
        (from_a_text, "self_contained"),
    ],
)
async def test_wordings_that_say_something_else_are_refused(change: Any, reason: str) -> None:
    state = await flow("ordering_game", {"instruct": altered(change)})
    assert [lost.reason for lost in state["dropped"]] == [reason]
    assert not state.get("records")


async def test_a_key_that_the_solver_does_not_find_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    from agentinstruct.agents.forms import puzzle

    real = puzzle.sample

    def wrong(*given: Any) -> Any:
        core = real(*given)
        return core.model_copy(update={"right": (core.right + 1) % 5})

    monkeypatch.setattr(puzzle, "sample", wrong)
    state = await flow("grouping_game")
    assert [lost.reason for lost in state["dropped"]] == ["unique"]


def ruled(change: Any) -> Script:
    """A teacher whose treatment of the options is spoilt."""

    def script(request: Request) -> Any:
        reply: Any = scripted_reply(request)
        return reply | {"options": change(reply["options"])}

    return script


@pytest.mark.parametrize(
    "change",
    [
        lambda options: options[:4],
        lambda options: options[::-1],
        lambda options: [{**one, "stands": True} for one in options],
        lambda options: [{**one, "stands": False} for one in options],
    ],
)
async def test_every_option_must_be_dealt_with_and_one_be_left(change: Any) -> None:
    state = await flow("hybrid_game", {"answer": ruled(change)})
    assert [lost.reason for lost in state["dropped"]] == ["eliminated"]


async def test_a_wrong_letter_is_refused() -> None:
    def script(request: Request) -> Any:
        reply: Any = scripted_reply(request)
        wrong = "A" if reply["answer"] != "A" else "B"
        options = [{**one, "stands": one["label"] == wrong} for one in reply["options"]]
        return reply | {"answer": wrong, "options": options}

    state = await flow("conditional_chain", {"answer": script})
    assert [lost.reason for lost in state["dropped"]] == ["answered"]


async def test_the_item_keeps_its_core() -> None:
    state = await flow("table_inference")
    core = read_form(state["drafts"][0].item).proved
    assert core.family == "table" and core.label in "ABCDE"


@pytest.mark.parametrize("text", ["...\n---\n...", "Hello", "昨日、私は東京に行きました。とても暑かったです。"])
async def test_poor_seeds_are_accounted_for(text: str) -> None:
    state = await flow("", text=text)
    assert state.get("records") or state["dropped"]
