"""Tool use beyond the paper's types: calls at once, in a chain, that fail, and states to be reached."""

import json
from typing import Any

import pytest

from agentinstruct.agents.gateway import Request
from agentinstruct.agents.records import Record
from agentinstruct.agents.scripted import Script, scripted_reply
from tests.graphs.test_tool_use import at_once, flow, planned, results, saying, task

Said = dict[str, Any]


def turns(record: Record) -> list[list[str]]:
    """The functions called in each turn that calls."""
    return [[call["function"]["name"] for call in m.tool_calls] for m in record.messages if m.tool_calls]


async def made(category: str, **chosen: Any) -> Record:
    state = await flow(category, rounds=0, **chosen)
    assert not state["dropped"]
    return state["records"][0]


async def test_independent_calls_are_made_in_one_turn() -> None:
    assert [len(turn) for turn in turns(await made("parallel_calls"))] == [2]


async def test_what_depends_comes_after_what_was_looked_up_at_once() -> None:
    record = await made("parallel_then_dependent")
    assert [len(turn) for turn in turns(record)] == [2, 1]
    last = json.loads([m for m in record.messages if m.tool_calls][-1].tool_calls[0]["function"]["arguments"])
    assert last["job_id"] in json.dumps(results(record)[:2])


async def test_an_error_is_met_and_got_over() -> None:
    failed, done = results(await made("recover_from_error"))
    assert failed["error"]["code"] == "not_found"
    assert done["job_id"]


async def test_an_error_without_a_way_round_is_reported() -> None:
    record = await made("report_error")
    assert [result["error"]["code"] for result in results(record)] == ["not_found"]
    assert "did not work" in record.messages[-1].content


async def test_a_state_is_reached_for_every_row_and_no_other() -> None:
    found, *changed = results(await made("goal_state"))
    assert len(found) == len(changed) > 1
    assert {row["job_id"] for row in found} == {row["job_id"] for row in changed}


async def test_a_step_that_fails_is_a_refinement() -> None:
    state = await flow("multi_api_all_parameters", goals="failing_step")
    refined = state["records"][1]
    assert refined.goal == "failing_step"
    assert sum("error" in result for result in results(refined) if isinstance(result, dict)) == 1


def one_at_a_time(request: Request) -> Any:
    """The scripted assistant, making only the first of the calls it would make at once."""
    done = request.inputs["dialogue"].count("Call: ")
    act: Any = scripted_reply(request)
    if act["act"] == "call" and done < 2:
        return {**act, "calls": act["calls"][:1]}
    return act


LOOK = planned("find_price_jobs", owner="Dana Reyes")
LOOK_TOO = planned("find_price_jobs", owner="Lee Park")
GONE = planned("reassign_price_job", job_id="PRIC-940", owner="Lee Park")
HAND = planned("reassign_price_job", job_id="PRIC-103", owner="Lee Park")
BOTH = task("Please find the price jobs of Dana Reyes, and also find the price jobs of Lee Park.", LOOK, LOOK_TOO)
ELSE = (
    "Please hand price job PRIC-940 over to Lee Park. If that does not work, hand price job PRIC-103 over to Lee Park."
)
TRY = task(ELSE, GONE, HAND)
FAIL = task("Please hand price job PRIC-940 over to Lee Park. I thought it was PRIC-103 at first.", GONE)
WRONG: dict[str, tuple[str, Said, Script, str]] = {
    "independent calls in two turns": ("parallel_calls", BOTH, one_at_a_time, "oracle"),
    "the second choice at once": ("recover_from_error", TRY, at_once(HAND, text="Done."), "oracle"),
    "no second choice": ("recover_from_error", TRY, at_once(GONE, text="It failed."), "oracle"),
    "a failed call made again": ("recover_from_error", TRY, at_once(GONE, GONE, HAND, text="Done."), "oracle"),
    "an error passed over in silence": ("report_error", FAIL, saying("It is now with Lee Park."), "oracle"),
    "a way round nobody asked for": ("report_error", FAIL, at_once(GONE, HAND, text="It did not work."), "final_state"),
}


@pytest.mark.parametrize(("category", "wanted", "answer", "reason"), WRONG.values(), ids=WRONG)
async def test_a_dialogue_against_its_type_is_dropped(category: str, wanted: Said, answer: Script, reason: str) -> None:
    state = await flow(category, {"instruct": lambda _: {"items": [wanted]}, "answer": answer}, rounds=0)
    assert [(dropped.stage, dropped.reason) for dropped in state["dropped"]] == [("verify", reason)]


PLANS: dict[str, tuple[str, Said]] = {
    "a call that needs another's result": (
        "parallel_calls",
        task(
            "Find the price job of Dana Reyes and hand it to Lee Park.",
            LOOK,
            {**HAND, **planned("reassign_price_job", job_id="$1.0.job_id", owner="Lee Park")},
        ),
    ),
    "calls whose order matters": (
        "parallel_calls",
        task("Find the price jobs of Lee Park and hand price job PRIC-103 to Lee Park.", LOOK_TOO, HAND),
    ),
    "nothing that depends": ("dependent_calls", BOTH),
    "nothing that fails": ("recover_from_error", task("Please hand price job PRIC-103 over to Lee Park.", HAND)),
    "an end in success": ("report_error", task("Please hand price job PRIC-103 over to Lee Park.", HAND)),
    "an end in an error": ("recover_from_error", FAIL),
    "one change only": (
        "goal_state",
        task(
            "Hand what Dana Reyes has to Lee Park.",
            LOOK,
            planned("reassign_price_job", job_id="$1.0.job_id", owner="Lee Park"),
        ),
    ),
}


@pytest.mark.parametrize(("category", "wanted"), PLANS.values(), ids=PLANS)
async def test_a_plan_against_its_type_is_not_tried(category: str, wanted: Said) -> None:
    state = await flow(category, {"instruct": lambda _: {"items": [wanted]}}, rounds=0)
    assert [(dropped.stage, dropped.reason) for dropped in state["dropped"]] == [("instruct", "plan")]
