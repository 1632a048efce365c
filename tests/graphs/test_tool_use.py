"""Tool use on the scripted model: dialogues that hold, and every way to go wrong that the checks are there for."""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest

from agentinstruct.agents.gateway import Gateway, Request, using
from agentinstruct.agents.records import Record, Seed
from agentinstruct.agents.scripted import Script, ScriptedModel, scripted_reply
from agentinstruct.agents.skill import load_skill
from agentinstruct.graphs.skills import tool_use
from agentinstruct.graphs.state import Context
from agentinstruct.tools.corpus import searching
from agentinstruct.tools.embeddings import embeddings
from agentinstruct.tools.retrieval import Chunk, Index

SKILL = load_skill("tool_use")
CODE = '''"""Prices."""

def net_price(price: float, rate: float) -> float:
    """Works out a price without its tax."""
    return price / (1 + rate)


def gross_price(price: float, rate: float = 0.19) -> float:
    """Works out a price with its tax."""
    taxed = price * (1 + rate)
    return taxed


def list_price(code: str):
    """Looks the list price of an article up."""
    raise KeyError(code)


def _round(price):
    return price
'''
QUEUE = """
export default class Queue {
	enqueue(value) {
		this.items.push(value);
	}

	size() {
		return this.items.length;
	}
}
"""
HEAP = """package heap

// Push pushes the element x onto the named heap.
func Push(heap string, x string) {
	up(heap, x)
}

// Fix re-establishes the order after element i has changed its value.
func Fix(heap string, i int) {
	down(heap, i)
}
"""
Said = dict[str, Any]


async def flow(
    category: str,
    scripts: Mapping[str, Script] | None = None,
    text: str = CODE,
    language: str = "python",
    **chosen: Any,
) -> dict[str, Any]:
    async with using(Gateway(lambda spec: ScriptedModel(scripts or {}))):
        return await tool_use.ainvoke(
            {"seed": Seed(text=text, modality="code", language=language)},
            context=Context(model="scripted", categories=category, **chosen),
        )


def planned(name: str, /, **values: Any) -> Said:
    return {"name": name, "arguments": [{"name": key, "value": value} for key, value in values.items()]}


def task(text: str, *calls: Said, **parts: list[Said]) -> Said:
    return {"task": text, "calls": list(calls), "withheld": [], "extra": [], "absent": [], **parts}


ADD = planned("add_price_job", name="seat plan", owner="Dana Reyes", priority=5)
ASKED = "Please add a price job called “seat plan” for Dana Reyes with priority 5."
TASKS = {
    "single_api_all_parameters": task(ASKED, ADD),
    "single_api_superfluous_parameters": task(
        f"{ASKED} My folder is teal.", ADD, extra=[{"name": "folder_colour", "value": "teal"}]
    ),
    "single_api_missing_parameters": task(
        "Please add a price job called “seat plan” for Dana Reyes.", ADD, withheld=[{"name": "priority", "value": 5}]
    ),
    "multi_api_all_parameters": task(
        f"{ASKED[:-1]}, and then hand it over to Lee Park.",
        ADD,
        planned("reassign_price_job", job_id="$1.job_id", owner="Lee Park"),
    ),
    "single_api_absent": task(
        "Please export price job PRIC-101 to a spreadsheet.",
        absent=[{"name": "export_spreadsheet", "description": "Would export something to a spreadsheet."}],
    ),
}


def asking_for(category: str) -> Script:
    return lambda _: {"items": [TASKS[category]]}


def called(record: Record) -> list[tuple[str, dict[str, Any]]]:
    made = (call["function"] for message in record.messages for call in message.tool_calls)
    return [(call["name"], json.loads(call["arguments"])) for call in made]


def results(record: Record) -> list[Any]:
    return [json.loads(message.content) for message in record.messages if message.role == "tool"]


SEEDS = [(CODE, "python"), (QUEUE, "javascript"), (HEAP, "go")]


@pytest.mark.parametrize(("text", "language"), SEEDS, ids=[language for _, language in SEEDS])
@pytest.mark.parametrize("category", SKILL.categories)
async def test_every_type_yields_an_accepted_record_and_one_with_more_calls(
    category: str, text: str, language: str
) -> None:
    state = await flow(category, text=text, language=language)
    assert not state["dropped"]
    original, *longer = state["records"]
    assert original.accepted
    assert {verdict.check for verdict in original.verdicts} >= set(SKILL.file.checks) - {"more_steps", "failing_step"}
    goals = goals_of(category)
    assert {record.goal for record in longer} == goals
    for record in longer:
        assert record.parent == original.id
        assert len(called(record)) > len(called(original))


def goals_of(category: str) -> set[str]:
    if category in ("single_api_absent", "report_error"):
        return set()
    single = category.startswith("single") or category.startswith("parallel")
    return {"more_steps"} if single else {"more_steps", "failing_step"}


@pytest.mark.parametrize("category", SKILL.categories)
async def test_records_are_chat_messages_a_trainer_reads(category: str) -> None:
    for record in (await flow(category))["records"]:
        roles = [message.role for message in record.messages if message.role != "system"]
        assert roles[0] == "user"
        assert roles[-1] == "assistant"
        assert [m.role for m in record.messages].index("user") <= 1
        offered = {tool["function"]["name"]: tool["function"]["parameters"] for tool in record.tools}
        waiting: list[str] = []
        for message in record.row()["messages"]:
            if message["role"] == "tool":
                assert message["tool_call_id"] == waiting.pop(0)
                continue
            assert not waiting
            waiting = [call["id"] for call in message.get("tool_calls", ())]
            assert message["content"] or waiting
        for name, arguments in called(record):
            assert set(offered[name]["required"]) <= set(arguments) <= set(offered[name]["properties"])
            for key, value in arguments.items():
                assert isinstance(value, KINDS[offered[name]["properties"][key]["type"]])


KINDS: Mapping[str, Any] = {"string": str, "integer": int, "number": (int, float)}


async def test_what_is_missing_is_asked_for_and_what_is_absent_is_declined() -> None:
    missing = (await flow("single_api_missing_parameters", rounds=0))["records"][0]
    turns = [message for message in missing.messages if message.role != "system"]
    assert [message.role for message in turns] == ["user", "assistant", "user", "assistant", "tool", "assistant"]
    assert turns[1].content.endswith("?")
    absent = (await flow("single_api_absent", rounds=0))["records"][0]
    assert not called(absent)
    assert "cannot" in absent.messages[-1].content


async def test_calls_are_executed_on_data_that_they_change() -> None:
    find, add = "find the price jobs of Lee Park", "add a price job called “seat plan” for Lee Park"
    wanted = task(
        f"Please {find}, and then {add} with priority 5. After that, please {find}.",
        planned("find_price_jobs", owner="Lee Park"),
        planned("add_price_job", name="seat plan", owner="Lee Park", priority=5),
        planned("find_price_jobs", owner="Lee Park"),
    )
    state = await flow("multi_api_all_parameters", {"instruct": lambda _: {"items": [wanted]}}, rounds=0)
    before, added, after = results(state["records"][0])
    assert after == [*before, added]
    assert added["status"] == "open"


async def test_a_chained_call_gets_what_the_earlier_one_returned() -> None:
    script = asking_for("multi_api_all_parameters")
    record = (await flow("multi_api_all_parameters", {"instruct": script}, rounds=0))["records"][0]
    (_, added), (_, handed) = called(record)
    assert "job_id" not in added
    assert handed == {"job_id": results(record)[0]["job_id"], "owner": "Lee Park"}


async def test_code_is_described_as_it_is_written() -> None:
    state = await flow("single_api_absent", rounds=0)
    net, gross, listed = state["apis"][:3]
    assert [api.name for api in state["apis"][:3]] == ["net_price", "gross_price", "list_price"]
    assert net.description == "Works out a price without its tax."
    assert [(one.name, one.type, one.required) for one in gross.parameters] == [
        ("price", "number", True),
        ("rate", "number", False),
    ]
    assert gross.parameters[1].default == 0.19
    assert listed.errors == ["Raises KeyError."]


async def test_code_without_functions_is_declined() -> None:
    state = await flow("single_api_absent", text="LIMIT = 3\nNAMES = ('a', 'b')\n")
    assert [(dropped.stage, dropped.reason) for dropped in state["dropped"]] == [("transform", "declined")]
    assert not state.get("records")


async def test_a_list_that_calls_itself_suitable_and_is_empty_is_asked_for_again() -> None:
    asked: list[Request] = []

    def forgetful(request: Request) -> Any:
        asked.append(request)
        return {"library": "Prices.", "apis": [], "suitable": True, "reason": ""} if len(asked) == 1 else None

    state = await flow("single_api_absent", {"describe": forgetful}, rounds=0)
    assert len(asked) == 2 and "`apis` is empty" in asked[1].messages[-1]["content"]
    assert state["apis"] and state["records"]


async def grown_by_retrieval(text: str, neighbours: list[str]) -> dict[str, Any]:
    chunks = [Chunk(id=f"n{place}", text=code, modality="code") for place, code in enumerate(neighbours)]
    index = Index.of([*chunks, Chunk(id="prose", text=text, modality="prose")], embeddings("hash"))
    with searching(index):
        for seed in range(20):
            state = await flow("single_api_all_parameters", text=text, seed=seed, rounds=0)
            if state["growth"] == "retrieve":
                return state
    raise AssertionError("no draw in 20 grows the list by retrieval")


async def test_the_list_grows_by_the_most_similar_code() -> None:
    state = await grown_by_retrieval(CODE, [CODE.replace("_price", "_cost"), "LIMIT = 3"])
    names = [api.name for api in state["apis"]]
    assert names == ["net_price", "gross_price", "list_price", "net_cost", "gross_cost", "list_cost"]
    assert [(dropped.stage, dropped.reason) for dropped in state["dropped"]] == [("transform/retrieve", "declined")]
    assert state["records"][0].accepted


async def test_too_little_found_is_made_up_for_by_hypothesis() -> None:
    state = await grown_by_retrieval(CODE, ["LIMIT = 3"])
    assert [api.name for api in state["apis"]][3:] == ["find_price_jobs", "add_price_job", "reassign_price_job"]
    assert state["records"][0].accepted


async def test_a_long_list_leaves_room_for_what_is_hypothesised() -> None:
    many = "\n".join(f"def price_of_{letter}(code: str):\n    return {{}}\n" for letter in "cdefghjk")
    state = await flow("single_api_all_parameters", text=many)
    assert len(state["apis"]) == 8
    assert sum(api.name.endswith(("_job", "_jobs")) for api in state["apis"]) == 3
    assert all(record.accepted for record in state["records"])


# --- what goes wrong


def acts(change: Callable[[Said], Said]) -> Script:
    """The scripted assistant, its calls changed."""

    def script(request: Request) -> Said:
        act: Any = scripted_reply(request)
        return {**act, "calls": [change(call) for call in act["calls"]]}

    return script


def given(name: str, value: Any) -> Script:
    """An assistant that passes another value for a parameter."""
    return acts(
        lambda call: {
            **call,
            "arguments": [*(one for one in call["arguments"] if one["name"] != name), {"name": name, "value": value}],
        }
    )


def without(name: str) -> Script:
    return acts(lambda call: {**call, "arguments": [one for one in call["arguments"] if one["name"] != name]})


def saying(text: str) -> Script:
    """An assistant whose last word is another one."""

    def script(request: Request) -> Said:
        act: Any = scripted_reply(request)
        return {**act, "text": text} if act["act"] == "say" else act

    return script


def at_once(*calls: Said, text: str = "Done.") -> Script:
    """An assistant that makes these calls in its first turn and then says its last word."""

    def script(request: Request) -> Said:
        if "Call: " in request.inputs["dialogue"] or not calls:
            return {"act": "say", "calls": [], "text": text}
        return {"act": "call", "calls": list(calls), "text": ""}

    return script


def needless(request: Request) -> Any:
    if "Assistant: " not in request.inputs["dialogue"]:
        return {"act": "ask", "calls": [], "text": "Could you tell me the owner once more?"}
    return scripted_reply(request)


def restless(_: Request) -> Said:
    return {"act": "call", "calls": [planned("find_price_jobs", owner="Dana Reyes")], "text": ""}


async def test_arguments_stand_in_the_record_with_the_types_their_tools_declare() -> None:
    scripts = {"instruct": asking_for("single_api_all_parameters"), "answer": given("priority", "5")}
    (record,) = (await flow("single_api_all_parameters", scripts, rounds=0))["records"]
    assert called(record)[0][1]["priority"] == 5


FULL, EXTRA, MISSING, CHAIN, ABSENT = TASKS
HANDED = planned("reassign_price_job", job_id="PRIC-107", owner="Lee Park")
WRONG = {
    "an invented value": (FULL, given("name", "ghost plan"), "grounding"),
    "an unknown function": (FULL, acts(lambda call: {**call, "name": "insert_price_job"}), "format"),
    "a required argument left out": (FULL, without("priority"), "format"),
    "a value of the wrong type": (FULL, given("priority", "high"), "format"),
    "a needless question": (FULL, needless, "oracle"),
    "a guess instead of a question": (MISSING, at_once(ADD), "grounding"),
    "an absent function pretended": (ABSENT, at_once(text="I have exported it to a spreadsheet."), "oracle"),
    "another function in place of an absent one": (
        ABSENT,
        at_once(planned("cancel_job", job_id="PRIC-101"), text="I cannot export it, so I cancelled it."),
        "format",
    ),
    "an answer against the result": (FULL, saying("I have added price job PRIC-999 “seat plan”."), "judge"),
    "an answer without the work": (FULL, at_once(text="I have added the price job for you."), "oracle"),
    "no end": (FULL, restless, "finished"),
    "an extra parameter": (EXTRA, given("folder_colour", "teal"), "format"),
    "an extra value in another parameter": (EXTRA, given("name", "teal"), "oracle"),
    "a result used before it is there": (CHAIN, at_once(ADD, HANDED), "grounding"),
    "more work than was asked for": (FULL, at_once(ADD, ADD), "final_state"),
}


@pytest.mark.parametrize(("category", "answer", "reason"), WRONG.values(), ids=WRONG)
async def test_a_dialogue_that_goes_wrong_is_dropped_and_says_why(category: str, answer: Script, reason: str) -> None:
    scripts = {"instruct": asking_for(category), "answer": answer}
    state = await flow(category, scripts, rounds=0)
    assert [(dropped.stage, dropped.reason) for dropped in state["dropped"]] == [("verify", reason)]
    assert not state["records"]


@pytest.mark.parametrize(("category", "answer", "reason"), WRONG.values(), ids=WRONG)
async def test_under_annotate_it_is_kept_with_its_failed_verdict(category: str, answer: Script, reason: str) -> None:
    scripts = {"instruct": asking_for(category), "answer": answer}
    state = await flow(category, scripts, rounds=0, verify="annotate")
    assert not state["dropped"]
    (record,) = state["records"]
    assert not record.accepted
    assert reason in [verdict.check for verdict in record.verdicts if not verdict.passed]


async def test_a_guess_is_also_against_the_rule_of_its_type() -> None:
    scripts = {"instruct": asking_for(MISSING), "answer": at_once(ADD)}
    (record,) = (await flow(MISSING, scripts, rounds=0, verify="annotate"))["records"]
    oracle = next(verdict for verdict in record.verdicts if verdict.check == "oracle")
    assert "priority was passed before it was asked for" in oracle.evidence


@pytest.mark.parametrize("category", TASKS)
async def test_the_same_tasks_done_well_are_accepted(category: str) -> None:
    state = await flow(category, {"instruct": asking_for(category)}, rounds=0)
    assert not state["dropped"]
    assert state["records"][0].accepted


def bad_plans() -> Iterator[tuple[str, str, Said]]:
    yield "an unknown function", FULL, task(ASKED, {**ADD, "name": "insert_price_job"})
    yield "an unknown job", FULL, task("Hand price job PRIC-900 over to Lee Park.", {**HANDED, **unknown_job()})
    yield "a value nobody gave", FULL, task("Please add a price job.", ADD)
    yield "nothing withheld", MISSING, task(ASKED, ADD)
    yield "a withheld value in the message", MISSING, task(ASKED, ADD, withheld=[{"name": "priority", "value": 5}])
    yield (
        "an absent function that is there",
        ABSENT,
        task(ASKED, absent=[{"name": "add_price_job", "description": "x"}]),
    )
    yield "one function for several", CHAIN, task(ASKED, ADD)


def unknown_job() -> Said:
    return planned("reassign_price_job", job_id="PRIC-900", owner="Lee Park")


PLANS = {name: (category, wrong) for name, category, wrong in bad_plans()}


@pytest.mark.parametrize(("category", "wrong"), PLANS.values(), ids=PLANS)
async def test_a_task_whose_plan_does_not_hold_is_not_tried(category: str, wrong: Said) -> None:
    state = await flow(category, {"instruct": lambda _: {"items": [wrong]}})
    assert [(dropped.stage, dropped.reason) for dropped in state["dropped"]] == [("instruct", "plan")]
    assert "answer" not in {call.agent for call in state["dropped"][0].calls}


async def test_every_round_of_refinement_adds_a_step() -> None:
    state = await flow(CHAIN, rounds=2, suggestions_per_goal=1, goals="more_steps")
    assert [record.depth for record in state["records"]] == [0, 1, 2]
    assert [len(called(record)) for record in state["records"]] == [2, 3, 4]


async def test_an_edit_that_adds_no_step_is_dropped() -> None:
    scripts: dict[str, Script] = {
        "instruct": asking_for(FULL),
        "edit": lambda _: {"item": task(f"{ASKED} Thank you.", ADD)},
    }
    state = await flow(FULL, scripts)
    assert {(dropped.stage, dropped.reason) for dropped in state["dropped"]} == {("edit", "more_steps")}
    assert [record.depth for record in state["records"]] == [0]


async def test_a_library_that_cannot_be_executed_gets_no_tasks() -> None:
    nothing = {
        "collections": [{"name": "jobs", "key": "id", "fields": ["id"], "rows": []}],
        "behaviours": [{"api": "add_price_job", "operation": "create", "collection": "works"}],
    }
    state = await flow(FULL, {"simulate": lambda _: nothing})
    (dropped,) = state["dropped"]
    assert (dropped.stage, dropped.reason) == ("transform/simulate", "not executable")
    assert "works" in dropped.detail
