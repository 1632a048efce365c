"""The web skill on the scripted model: every type from every site, every goal, and every way to go wrong."""

from collections.abc import Mapping
from typing import Any

import pytest

from agentinstruct.agents.gateway import Gateway, Request, using
from agentinstruct.agents.records import Record, Seed
from agentinstruct.agents.scripted import Script, ScriptedModel, scripted_reply
from agentinstruct.agents.shapes_web import site_of
from agentinstruct.agents.skill import load_skill
from agentinstruct.graphs.skills import web_agent
from agentinstruct.graphs.state import Context
from agentinstruct.tools.site import Browser, read_action, read_view

SKILL = load_skill("web_agent")
TEXT = """# The harbour house

The harbour froze on 4 January, and forty ships waited outside until the ice broke in March of that year.

The keeper of the house, Ida Brandt, wrote down every ship that came in, with its cargo and the name of its master.

In 1911 the council bought the old customs house and gave the ground floor to the pilots for their meetings.

Letters from the captains lie in oak boxes, sorted by the wind that had brought them to the town.

Nobody knows who drew the great map in the stairwell, on which two islands are missing and one is invented.
"""
PAIRS = [(c.name, t) for c in SKILL.categories.values() for t in SKILL.file.transforms if c.fits(t)]


async def flow(category: str, scripts: Mapping[str, Script] | None = None, **chosen: Any) -> dict[str, Any]:
    async with using(Gateway(lambda spec: ScriptedModel(scripts or {}))):
        return await web_agent.ainvoke(
            {"seed": Seed(text=TEXT)}, context=Context(model="scripted", categories=category, **chosen)
        )


def actions(record: Record) -> list[str]:
    replies = [message.content for message in record.messages if message.role == "assistant"]
    return [reply.partition("\nAction: ")[2] for reply in replies]


@pytest.mark.parametrize(("category", "transform"), PAIRS)
async def test_every_type_from_every_site_yields_an_accepted_record(category: str, transform: str) -> None:
    state = await flow(category, transforms=transform, rounds=0)
    assert not state.get("dropped")
    (record,) = state["records"]
    assert record.accepted and record.split == "webagent_flow"
    assert all(read_action(action) for action in actions(record))


REFINED = {
    "more_steps": ["search_filter", "transaction", "pagination_aggregation", "infeasible", "next_action"],
    "distractors": ["navigate", "form_fill", "compare_items", "infeasible"],
    "layout": ["extract_json", "account_settings", "multi_page_workflow", "next_action"],
    "missing_information": ["form_fill", "transaction", "error_recovery"],
    "policy": ["figure_lookup", "account_settings", "error_recovery", "ask_first"],
}


@pytest.mark.parametrize(("goal", "category"), [(g, c) for g, names in REFINED.items() for c in names])
async def test_every_goal_yields_an_accepted_refinement(goal: str, category: str) -> None:
    fitting = [t for c, t in PAIRS if c == category and t not in ("page", "identity")]
    for transform in fitting:
        state = await flow(category, transforms=transform, goals=goal, rounds=1)
        refined = [record for record in state["records"] if record.goal == goal]
        if refined:
            break
    assert refined and all(record.accepted and record.depth == 1 for record in refined)
    original = next(record for record in state["records"] if not record.goal)
    if goal == "more_steps" and category != "next_action":
        assert len(actions(refined[0])) > len(actions(original))
    if goal in ("distractors", "layout"):
        assert refined[0].context != original.context and refined[0].key == original.key
    if goal == "missing_information":
        assert any(action.startswith("ask_user[") for action in actions(refined[0]))


async def test_records_are_chats_whose_actions_can_be_carried_out_again() -> None:
    for category in ("transaction", "ask_first", "infeasible", "extract_json"):
        (record,) = (await flow(category, rounds=0))["records"]
        system, *turns = record.messages
        assert system.role == "system" and "click[id]" in system.content
        assert [m.role for m in turns] == ["user", "assistant"] * (len(turns) // 2)
        browser = Browser(site_of(record.context))
        for seen, reply in zip(turns[::2], turns[1::2], strict=True):
            assert seen.content.rstrip().endswith(browser.view.text()) or browser.view.text() in seen.content
            action = read_action(reply.content.partition("\nAction: ")[2])
            assert action is not None and browser.act(action).ok
            assert reply.content.startswith("Thought: ")
        assert browser.state.answer


async def test_a_single_step_is_asked_for_with_its_history() -> None:
    (record,) = (await flow("next_action", transforms="catalogue", rounds=0))["records"]
    _, request, reply = record.messages
    assert "1. click[" in request.content and "Action: " in reply.content


async def test_what_cannot_be_done_is_looked_for_and_then_declined() -> None:
    (record,) = (await flow("infeasible", transforms="results", rounds=0))["records"]
    *looked, last = actions(record)
    assert looked and "cannot be done" in last
    assert not any(action.startswith("ask_user") for action in looked)


async def test_a_text_without_matter_is_declined() -> None:
    async with using(Gateway(lambda spec: ScriptedModel())):
        for transform in ("results", "identity"):
            state = await web_agent.ainvoke(
                {"seed": Seed(text="Too short.")}, context=Context(model="scripted", transforms=transform)
            )
            assert [(d.stage, d.reason) for d in state["dropped"]] == [("transform", "declined")]
            assert not state.get("records")


# --- what goes wrong


def acting(change: Any) -> Script:
    """The scripted assistant, its steps changed."""

    def script(request: Request) -> Any:
        reply: Any = scripted_reply(request)
        return change(reply, request) or reply

    return script


def invented(reply: Any, request: Request) -> Any:
    return {**reply, "element": 777} if reply["action"] == "click" else None


def early(reply: Any, request: Request) -> Any:
    return {**reply, "action": "answer", "element": 0, "text": "It is done."} if request.inputs["steps"] else None


def restless(reply: Any, request: Request) -> Any:
    return {**reply, "action": "goto", "element": 0, "text": "/home"}


def misspelt(reply: Any, request: Request) -> Any:
    return {**reply, "text": "Quentin Marlowe"} if reply["action"] == "type" else None


def wrong_answer(reply: Any, request: Request) -> Any:
    return {**reply, "text": "4711"} if reply["action"] == "answer" else None


def pretending(reply: Any, request: Request) -> Any:
    return {**reply, "text": "It is open now, as you wished."} if reply["action"] == "answer" else None


def nosy(reply: Any, request: Request) -> Any:
    first = not request.inputs["steps"]
    return {**reply, "action": "ask_user", "element": 0, "text": "Are you sure?"} if first else None


def despairing(reply: Any, request: Request) -> Any:
    return {**reply, "action": "answer", "element": 0, "text": "I cannot find any such page."}


def overdoing(reply: Any, request: Request) -> Any:
    """Clicks a box besides, as soon as there is one."""
    boxes = [one for one in read_view(request.inputs["seen"]).elements() if one.role == "checkbox"]
    done = any(step.action.element == boxes[0].number for step in request.inputs["steps"]) if boxes else True
    return None if done else {**reply, "action": "click", "element": boxes[0].number, "text": ""}


def backwards(reply: Any, request: Request) -> Any:
    return {**reply, "action": "goto", "element": 0, "text": "/home"}


WRONG = {
    "an invented element": ("form_fill", "form", invented, "elements"),
    "an answer before the work": ("form_fill", "form", early, "goal"),
    "no end": ("figure_lookup", "page", restless, "ended"),
    "a value nobody gave": ("form_fill", "form", misspelt, "typed"),
    "a wrong answer": ("pagination_aggregation", "results", wrong_answer, "goal"),
    "success claimed where there is none": ("infeasible", "error_page", pretending, "honest"),
    "a needless question": ("navigate", "results", nosy, "asks"),
    "giving up what can be done": ("navigate", "results", despairing, "honest"),
    "more than was asked for": ("account_settings", "dashboard", overdoing, "goal"),
    "a step that leads away": ("next_action", "form", backwards, "next_action"),
}


@pytest.mark.parametrize(("category", "transform", "change", "reason"), WRONG.values(), ids=WRONG)
async def test_a_visit_that_goes_wrong_is_dropped_and_says_why(
    category: str, transform: str, change: Any, reason: str
) -> None:
    state = await flow(category, {"answer": acting(change)}, transforms=transform, rounds=0)
    assert [(dropped.stage, dropped.reason) for dropped in state["dropped"]] == [("verify", reason)]


async def test_a_visit_that_goes_round_in_a_circle_ends_before_its_steps_are_used_up() -> None:
    change = acting(lambda reply, request: {**reply, "action": "ask_user", "element": 0, "text": "Which one?"})
    state = await flow("pagination_aggregation", {"answer": change}, transforms="results", rounds=0, verify="annotate")
    (record,) = state["records"]
    assert not record.accepted
    assert actions(record) == ["ask_user[Which one?]"] * 3


async def test_an_endpoint_without_sense_is_accounted_for_and_nothing_of_it_accepted() -> None:
    silly: Script = lambda request: None if request.agent in SKILL.file.transforms else {"items": []}  # noqa: E731
    state = await flow("form_fill", {"instruct": silly}, transforms="form", rounds=0)
    assert not state["records"] and len(state["dropped"]) == 1


# --- refinements that go wrong


def richer(request: Request) -> Any:
    """A row that is better than the best."""
    site = site_of(request.inputs["site"])
    best = [900 if isinstance(cell, int) else cell for cell in site.collections[0].rows[0]]
    row = {"collection": site.collections[0].name, "cells": ["E-99", "Something better", best[2], 2999, 999, 3, "x"]}
    lower = {**row, "cells": ["E-98", "Something older", best[2], 1, 1, 3, "x"]}
    return {"popups": [], "rows": [row, lower], "pages": []}


def nothing_added(request: Request) -> Any:
    return {"popups": [], "rows": [{"collection": "holdings", "cells": ["too", "short"]}], "pages": []}


def unchanged(request: Request) -> Any:
    task = request.inputs["task"]
    return {"item": {**task.model_dump(mode="json"), "task": f"{task.task} Thanks!"}}


def self_defeating(request: Request) -> Any:
    task = request.inputs["task"]
    page = task.wanted.conditions[0].page
    never = [{"kind": "at", "page": page, "field": "", "value": ""}]
    return {"item": {**task.model_dump(mode="json"), "task": f"{task.task} Never go to “{page}”.", "never": never}}


SPOILT = {
    "distractors that change the answer": ("distractors", "compare_items", "results", richer),
    "distractors that nobody sees": ("distractors", "navigate", "results", nothing_added),
    "no more steps than before": ("more_steps", "navigate", "results", unchanged),
    "nothing left out": ("missing_information", "form_fill", "form", unchanged),
    "nothing forbidden": ("policy", "form_fill", "form", unchanged),
    "the task itself forbidden": ("policy", "form_fill", "form", self_defeating),
}


@pytest.mark.parametrize(("goal", "category", "transform", "edit"), SPOILT.values(), ids=SPOILT)
async def test_a_refinement_that_misses_its_goal_is_dropped(
    goal: str, category: str, transform: str, edit: Script
) -> None:
    state = await flow(category, {"edit": edit}, transforms=transform, goals=goal, rounds=1)
    assert [record.goal for record in state["records"]] == [""]
    (dropped,) = state["dropped"]
    assert dropped.stage == "edit"
    assert dropped.reason in ("refined", "of_type")
