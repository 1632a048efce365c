"""Retrieval-augmented generation: lists put together by the program, replies checked against what it knows of them."""

import json
import re
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from agentinstruct.agents.forms.retrieved import Retrieved
from agentinstruct.agents.gateway import Gateway, Request, using
from agentinstruct.agents.records import Record, Seed
from agentinstruct.agents.scripted import Script, ScriptedModel, scripted_reply
from agentinstruct.agents.skill import load_skill
from agentinstruct.graphs.skills import rag
from agentinstruct.graphs.state import Context
from agentinstruct.tools.corpus import searching
from agentinstruct.tools.embeddings import embeddings
from agentinstruct.tools.retrieval import Chunk, Index

SKILL = load_skill("rag")
SEEDS = Path(__file__).parents[2] / "examples" / "seeds"
ITEMS = [(name, transform) for name, one in SKILL.categories.items() for transform in one.suits]
Said = dict[str, Any]


@cache
def seed(name: str = "a_story_about_magic.txt") -> Seed:
    return Seed(text=(SEEDS / name).read_text()[:3000], title="A story", source="https://example.org/magic")


async def flow(
    category: str, transform: str, scripts: dict[str, Script] | None = None, **chosen: Any
) -> dict[str, Any]:
    context = Context(model="scripted", categories=category, transforms=transform, **chosen)
    async with using(Gateway(lambda spec: ScriptedModel(scripts or {}))):
        return await rag.ainvoke({"seed": seed()}, context=context)


def ids(text: str) -> list[int]:
    return [int(number) for number in re.findall(r"Document Id: (\d+)", text)]


def gold(record: Record) -> list[int]:
    return [int(number) for number in re.findall(r"\[(\d+)\]", record.key)]


@pytest.mark.parametrize(("category", "transform"), ITEMS)
async def test_every_category_from_every_transform_and_its_refinements(category: str, transform: str) -> None:
    state = await flow(category, transform, suggestions_per_goal=1)
    assert not state["dropped"]
    original, *refined = state["records"]
    assert original.accepted and original.transform == transform
    assert {verdict.check for verdict in original.verdicts} >= {"form", "distractors", "reply_format", "citations"}
    assert {record.goal for record in refined} <= set(SKILL.goals)
    assert "paraphrase_query" in {record.goal for record in refined}
    assert all(record.accepted and record.parent == original.id for record in refined)


async def test_every_goal_yields_a_refined_record() -> None:
    refined = {record.goal for record in (await flow("single_fact", "identity", seed=3))["records"]}
    refined |= {record.goal for record in (await flow("single_fact", "identity", seed=4))["records"]}
    assert refined - {""} == set(SKILL.goals)


async def test_the_list_is_numbered_by_the_program_and_says_nothing_of_the_parts() -> None:
    record = (await flow("temporal", "outdated", rounds=0))["records"][0]
    listed = record.context
    assert ids(listed) == list(range(1, len(ids(listed)) + 1))
    assert "Date: 2019-03-01" in listed and "Date: 2023-06-15" in listed
    asked = next(message.content for message in record.messages if message.role == "user")
    assert listed in asked
    assert not re.search(r"\b(?:gold|outdated|near|removed|distractor)\b", listed)


async def test_a_source_with_an_address_shows_it_and_written_documents_have_none() -> None:
    plain = (await flow("single_fact", "identity", rounds=0))["records"][0]
    written = (await flow("single_fact", "split", rounds=0))["records"][0]
    assert "Url: https://example.org/magic" in plain.context
    assert "Url:" not in written.context


async def test_gold_stands_anywhere_in_the_list() -> None:
    places = Counter()
    for number in range(24):
        record = (await flow("single_fact", "identity", rounds=0, seed=number))["records"][0]
        places[gold(record)[0]] += 1
    assert len(places) >= 4 and max(places.values()) <= 12


async def test_formats_of_reply_vary_and_each_is_read() -> None:
    forms = Counter()
    for number in range(12):
        record = (await flow("single_fact", "identity", rounds=0, seed=number))["records"][0]
        forms[record.form] += 1
        if record.form == "retrieved_json":
            reply = json.loads(record.messages[-1].content)
            assert list(reply.values())[1] == gold(record)
    assert set(forms) == {"retrieved_json", "retrieved_short", "retrieved_cited"}


async def test_what_is_removed_is_not_in_the_list_and_the_reply_declines() -> None:
    record = (await flow("unanswerable", "gap", rounds=0))["records"][0]
    assert "not in the documents" in record.key
    assert not gold(record)


async def test_a_search_is_made_with_a_tool_and_its_trace_is_kept() -> None:
    record = (await flow("need_more", "identity", rounds=0))["records"][0]
    assert [use.tool for use in record.trace] == ["search_chunks"]
    assert record.trace[0].output != "Nothing was found."
    assert {"missing", "queries"} == set(json.loads(record.messages[-1].content))
    assert any(verdict.check == "retrievable" and verdict.passed for verdict in record.verdicts)


async def test_distractors_come_from_the_runs_corpus_and_not_from_code() -> None:
    others = [
        ("b", "The magic of the switch was that nobody knew what it did to the computer."),
        ("c", "def magic(): ..."),
    ]
    chunks = [
        Chunk(id=name, text=text, title=f"Title {name}", modality="code" if name == "c" else "prose")
        for name, text in others
    ]
    with searching(Index.of([Chunk(id=seed().id, text=seed().text, modality="prose"), *chunks], embeddings("hash"))):
        for number in range(8):
            state = await flow("single_fact", "identity", rounds=0, seed=number)
            pool = state["passage"].data["pool"]
            assert [one["part"] for one in pool if one["title"] == "Title b"] == ["other"]
            assert not any(one["title"] == "Title c" for one in pool)


async def test_a_transform_whose_documents_do_not_hold_together_is_asked_again_and_dropped() -> None:
    def torn(request: Request) -> Any:
        reply: Any = scripted_reply(request)
        return {**reply, "points": [{"matter": "it", "first": "never said anywhere", "second": "nor this"}]}

    state = await flow("conflicting_sources", "contradiction", {"contradiction": torn})
    assert [(one.stage, one.reason) for one in state["dropped"]] == [("transform", "unfit passage")]
    assert state["dropped"][0].calls[0].repairs == 1


async def test_what_was_taken_out_must_have_been_in_the_source() -> None:
    def torn(request: Request) -> Any:
        reply: Any = scripted_reply(request)
        return {**reply, "taken": "a clause that nobody wrote"}

    state = await flow("unanswerable", "gap", {"gap": torn})
    assert state["dropped"][0].reason == "grounded"


async def test_a_document_that_holds_the_answer_is_no_distractor() -> None:
    material = {
        "kind": "fact",
        "format": "short",
        "least": 1,
        "documents": [
            {"name": "A", "text": "The bridge was opened in 1931.", "part": "gold", "lead": True},
            {"name": "B", "text": "Guides say 1931, in another town.", "part": "other", "lead": False},
            *({"name": n, "text": f"Nothing about {n} here.", "part": "other", "lead": False} for n in "CDE"),
        ],
    }
    written = {
        "support": [{"document": "A", "quote": "opened in 1931"}],
        "query": "When was it opened?",
        "answer": "1931",
    }
    form = await Retrieved.make(Retrieved.writes.model_validate({**BLANK, **written}), material)
    assert [one.text for one in form.documents if "1931" in one.text] == ["The bridge was opened in 1931."]
    assert not list(form.faults(""))


BLANK: Said = {"answers": [], "wrong": [], "missing": "", "added": []}
