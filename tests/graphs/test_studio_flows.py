"""What Studio does with any flow, without a server: write back what was read, review, teach, take nothing wrong."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph.types import Command
from pydantic import ValidationError
from pydantic_core import to_jsonable_python

from agentinstruct.agents.errors import ProviderError, SetupError
from agentinstruct.agents.gateway import Gateway, Request, using
from agentinstruct.agents.scripted import ScriptedModel
from agentinstruct.graphs.review import decisions
from agentinstruct.graphs.state import Context
from agentinstruct.graphs.teacher import teacher
from agentinstruct.graphs.teacher_state import TeacherContext
from agentinstruct.graphs.wiring import graph_of
from agentinstruct.run.plan import RunConfig
from agentinstruct.tools.sandbox import unavailable

SEEDS = Path(__file__).parents[2] / "examples" / "seeds"
PROSE, CODE = (SEEDS / "albedo.md").read_text(), (SEEDS / "bisect.py").read_text()
SMALL: dict[str, Any] = {"model": "scripted", "verify": "annotate", "categories_per_seed": 1, "rounds": 0}
THREAD: Any = {"configurable": {"thread_id": "one"}}


def kept(graph: Any) -> Any:
    return graph.copy({"checkpointer": InMemorySaver(serde=JsonPlusSerializer(allowed_msgpack_modules=None))})


@pytest.mark.parametrize("name", ["tool_use", "web_agent", "brain_teaser", "conversation", "multiple_choice"])
async def test_what_a_client_reads_can_be_written_back(name: str) -> None:
    graph = kept(graph_of(name))
    seed = {"text": CODE, "modality": "code"} if name == "tool_use" else {"text": PROSE[:2500]}
    await graph.ainvoke({"seed": seed}, THREAD, context=Context(**SMALL), interrupt_before=["verify"])
    before = (await graph.aget_state(THREAD)).values
    assert before["drafts"], before["dropped"]
    one = {"skill": name, "seed_id": "a", "source": "", "stage": "review", "reason": "by hand"}
    await graph.aupdate_state(THREAD, {"dropped": [*to_jsonable_python(before["dropped"]), one]})
    before = (await graph.aget_state(THREAD)).values
    assert [dropped.reason for dropped in before["dropped"]].count("by hand") == 1
    await graph.aupdate_state(THREAD, to_jsonable_python(before))
    assert (await graph.aget_state(THREAD)).values == before
    await graph.aupdate_state(THREAD, {"dropped": []})
    assert (await graph.aget_state(THREAD)).values["dropped"] == []
    done = await graph.ainvoke(None, THREAD, context=Context(**SMALL))
    assert done["records"]


async def test_records_of_the_teacher_can_be_taken_away_again() -> None:
    graph, settings = kept(teacher), TeacherContext(model="scripted", skills="fermi", most_seeds=1, rounds=0)
    made = await graph.ainvoke({"documents": [{"text": PROSE}]}, THREAD, context=settings)
    assert len(made["records"]) > 1
    await graph.aupdate_state(THREAD, {"records": to_jsonable_python(made["records"][:1])})
    assert (await graph.aget_state(THREAD)).values["records"] == made["records"][:1]


@pytest.mark.parametrize("form", [dict, lambda update: list(update.items())], ids=["object", "pairs"])
async def test_an_edit_that_comes_with_a_command_is_typed_too(form: Any) -> None:
    graph, settings = kept(graph_of("text_modification")), Context(**SMALL)
    await graph.ainvoke({"seed": {"text": PROSE[:2500]}}, THREAD, context=settings, interrupt_before=["verify"])
    before = (await graph.aget_state(THREAD)).values
    plan = to_jsonable_python(before["plan"])
    for wrong in ({"plans": plan}, {"plan": {"__overwrite__": plan}}, {"dropped": {"__overwrite__": []}}):
        with pytest.raises(SetupError, match=next(iter(wrong))):
            await graph.ainvoke(Command(update=form(wrong)), THREAD, context=settings)
    with pytest.raises(SetupError, match="no '__root__'"):
        await graph.ainvoke(Command(update=[{"plan": plan}]), THREAD, context=settings)
    assert (await graph.aget_state(THREAD)).values == before
    edit = {"plan": plan | {"verify": "off"}, "dropped": to_jsonable_python(before["dropped"])}
    done = await graph.ainvoke(Command(update=form(edit)), THREAD, context=settings)
    assert done["records"] and done["plan"].verify == "off"


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ("yes", "an object with id and action"),
        ([{"id": "a"}], "decision 1: action: Field required"),
        ([{"id": "a", "action": "accept", "path": "/etc"}], "path: Extra inputs"),
        ([{"id": "a", "action": "reject", "reason": " "}], "needs a reason"),
        ([{"id": "c", "action": "accept"}], "no record with this id waits; there are a, b"),
        ([{"id": "a", "action": "accept"}] * 2, "decision on it already"),
        ([{"id": "a", "action": "accept"}], "no decision yet on b"),
        ([{"id": "*", "action": "edit", "messages": [{"role": "user", "content": "?"}]}], "names one record"),
        ([{"id": "a", "action": "edit"}], "all messages of the record"),
        ([{"id": "a", "action": "edit", "messages": [{"role": "user", "content": "?"}]}], "all messages"),
        ([{"id": "a", "action": "accept", "messages": [{"role": "user", "content": "?"}]}], "takes no messages"),
    ],
)
def test_a_wrong_decision_is_named(answer: Any, words: str) -> None:
    _, problems = decisions(answer, ["a", "b"])
    assert any(words in problem for problem in problems), problems


def test_one_wrong_decision_leaves_open_whom_the_rest_is_for() -> None:
    rest = {"id": "*", "action": "accept"}
    found, problems = decisions([{"id": "b_", "action": "reject", "reason": "dull"}, rest], ["a", "b"])
    assert found == {} and "b_" in problems[0]
    found, problems = decisions([{"id": "b", "action": "reject", "reason": "dull"}, rest], ["a", "b"])
    assert {name: one.action for name, one in found.items()} == {"a": "accept", "b": "reject"} and not problems


async def test_a_review_needs_somewhere_to_wait() -> None:
    with pytest.raises(SetupError, match="needs a thread"):
        await graph_of("text_modification").ainvoke({"seed": {"text": PROSE}}, context=Context(review=True, **SMALL))
    with pytest.raises(SetupError, match="a run waits for nobody"):
        RunConfig(paths=("seeds",), out=Path("out"), context=Context(review=True))


@pytest.mark.skipif(bool(unavailable()), reason="no sandbox")
async def test_the_teacher_teaches_in_turns_and_sums_up() -> None:
    context = TeacherContext(**SMALL, mix="all", skills="fermi,text_modification,coding", most_seeds=3, at_once=2)
    documents = [{"text": PROSE, "format": "markdown"}, {"text": CODE, "format": "python", "source": "bisect.py"}]
    short = {"text": "Too short.", "source": "note"}
    turns = []
    async for update in teacher.astream({"documents": [*documents, short, documents[0]]}, context=context):
        turns += [(name, part) for name, part in update.items()]
    names = [name for name, _ in turns]
    assert names[:3] == ["read", "route", "hand_out"] and names[-1] == "summarise"
    given = [part["underway"] for name, part in turns if name == "hand_out"]
    assert len(given) > 1 and all(len(some) <= 2 for some in given)
    records = [record for _, part in turns for record in part.get("records", ())]
    summary = turns[-1][1]["summary"]
    assert summary.left_out["near-empty"] >= 1 and summary.left_out["duplicate"] >= 1
    assert {record.skill for record in records} == {"fermi", "text_modification", "coding"}
    assert {skill: tally.records for skill, tally in summary.skills.items()} == {
        skill: sum(record.skill == skill for record in records) for skill in summary.skills
    }
    assert {record.source for record in records} >= {"bisect.py"} and {record.language for record in records} >= {
        "python"
    }


@pytest.mark.parametrize(
    ("given", "settings", "words"),
    [
        ({"documents": []}, {}, "documents: .* at least 1 item"),
        ({"documents": "a text"}, {}, r"documents: a text alone. Give \{\"documents\": \[\{\"text\""),
        ({"seed": {"text": "a text"}}, {}, "the input has no 'documents', but 'seed'"),
        ({"documents": [{"text": "a", "path": "/etc/passwd"}]}, {}, r"documents\.0\.path: Extra inputs"),
        ({"documents": [{"text": "a", "url": "http://a.b"}]}, {}, r"documents\.0\.url: Extra inputs"),
        ({"documents": [{"text": "a", "format": "exe"}]}, {}, r"documents\.0\.format: Input should be 'text'"),
        ({"documents": [{"text": "a" * 1_000_001}]}, {}, "at most 1000000 characters"),
        ({"documents": [{"text": "a"}] * 201}, {}, "at most 200 items"),
        ({"documents": [{"text": PROSE}]}, {"skills": "ferm"}, "no skill 'ferm'. Did you mean 'fermi'"),
        ({"documents": [{"text": PROSE}]}, {"mix": "fermi=x"}, "mix fermi=x: give NAME=SHARE"),
        ({"documents": [{"text": PROSE}]}, {"categories": "hard"}, "categories hard: no skill"),
    ],
)
async def test_the_teacher_says_what_is_wrong(given: Any, settings: dict[str, str], words: str) -> None:
    with pytest.raises(SetupError, match=words):
        await teacher.ainvoke(given, context=TeacherContext(**SMALL, **settings))


def test_the_teachers_settings_have_bounds() -> None:
    for name, value in (("at_once", 101), ("most_seeds", 0), ("skills_per_seed", 18), ("seed_chars", 10)):
        with pytest.raises(ValidationError, match=name):
            TeacherContext(**{name: value})


async def test_many_reviews_at_once_are_answered_one_by_one() -> None:
    graph = kept(teacher)
    context = TeacherContext(**SMALL, review=True, mix="all", skills="text_modification", most_seeds=4)
    state = await graph.ainvoke({"documents": [{"text": PROSE, "format": "markdown"}]}, THREAD, context=context)
    waiting = state["__interrupt__"]
    assert len(waiting) > 1
    for left, one in enumerate(reversed(waiting)):
        reject = [{"id": "*", "action": "reject", "reason": f"number {left}"}]
        state = await graph.ainvoke(Command(resume={one.id: reject}), THREAD, context=context)
        assert len(state.get("__interrupt__", [])) == len(waiting) - left - 1
    assert state["records"] == [] and {one.detail for one in state["dropped"]} == {
        f"number {number}" for number in range(len(waiting))
    }
    assert state["summary"].skills["text_modification"].dropped == {"review: rejected": len(state["dropped"])}


async def test_after_an_endpoints_failure_what_is_finished_is_not_done_again() -> None:
    asked: Counter[str] = Counter()
    failing = True

    def answer(request: Request) -> Any:
        asked[request.subject.split("/")[0]] += 1
        if failing and request.subject.startswith("text_modification"):
            raise ProviderError("the endpoint is gone")

    graph = kept(teacher)
    skills = "reading_comprehension,text_modification"
    context = TeacherContext(**SMALL, mix="all", skills=skills, most_seeds=1, at_once=1)
    async with using(Gateway(lambda spec: ScriptedModel({"answer": answer}))):
        given = {"documents": [{"text": PROSE[:2500], "format": "markdown"}]}
        with pytest.raises(ProviderError, match="the endpoint is gone"):
            await graph.ainvoke(given, THREAD, context=context)
        before, failing = Counter(asked), False
        state = await graph.ainvoke(None, THREAD, context=context)
    assert {record.skill for record in state["records"]} == {"text_modification", "reading_comprehension"}
    assert asked - before == {"text_modification": 1} and before["reading_comprehension"]
