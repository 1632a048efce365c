"""Lists of documents, put together by the program."""

from random import Random
from typing import Any

import pytest

from agentinstruct.agents.asking import FIELDS, Asked, asked_for
from agentinstruct.agents.errors import ReplyError
from agentinstruct.agents.forms.retrieved import REPLIES, Retrieved
from agentinstruct.agents.records import Passage
from agentinstruct.agents.skill import load_skill
from agentinstruct.agents.sources import Document, listing, with_pool
from agentinstruct.agents.sourcing import drawn

TEXTS = {
    "gold": ("The bell was cast in Lyon in 1688.", "It weighs nine hundred kilograms."),
    "near": ("A bell of the same name hangs in Nantes.",),
    "other": ("Bells are rung by ropes.", "The tower has four floors.", "The clock was added later."),
}
POOL = [Document(title=f"About {text[:8]}", text=text, part=part) for part, texts in TEXTS.items() for text in texts]
SETTINGS: dict[str, Any] = {"kind": "fact", "gold": 1, "formats": ["json", "short"]}


def material(settings: dict[str, Any] = SETTINGS, seed: int = 0, pool: list[Document] = POOL) -> dict[str, Any]:
    found = drawn(settings, with_pool(Passage(text="", transform="split"), pool), Random(seed))
    assert found is not None
    return found


def asked(quote: str, answer: str, **more: Any) -> Asked:
    blank = {"answers": [], "wrong": [], "missing": "", "added": [], "query": "Where was it cast?"}
    support = [{"document": "A", "quote": quote}]
    return Asked.model_validate({**blank, "support": support, "answer": answer, **more})


def test_the_writer_is_told_what_to_write_from_and_everything_else_is_a_distractor():
    for seed in range(20):
        documents = material(seed=seed)["documents"]
        assert 3 <= len(documents) <= 9
        assert {one["part"] for one in documents if one["lead"]} == {"gold"}
        assert not any(one["part"] == "gold" for one in documents if not one["lead"])
        assert len({one["name"] for one in documents}) == len(documents)


def test_nothing_is_drawn_from_too_little():
    few = with_pool(Passage(text="", transform="split"), POOL[:2])
    assert drawn(SETTINGS, few, Random(0)) is None
    assert drawn({**SETTINGS, "gold": 3}, with_pool(few, POOL), Random(0)) is None
    assert drawn({**SETTINGS, "kind": "conflict"}, with_pool(few, POOL), Random(0)) is None


async def test_the_document_of_a_quotation_is_gold_whatever_letter_the_writer_gives():
    form = await Retrieved.make(asked("cast in Lyon in 1688", "Lyon"), material())
    placed = form.arrange(Random(5))
    shown = Retrieved.model_validate(placed.written)
    assert [shown.documents[number - 1].text for number in shown.gold] == [TEXTS["gold"][0]]
    assert placed.key == f"Lyon [{shown.gold[0]}]"
    assert placed.passage == listing(shown.documents)


async def test_a_quotation_that_no_document_has_is_a_fault():
    form = await Retrieved.make(asked("cast in Nantes", "Nantes"), material())
    assert ("grounded", "not in the documents: 'cast in Nantes'") in list(form.faults(""))


async def test_removed_documents_are_not_shown_and_leave_nothing_of_the_answer():
    settings = {**SETTINGS, "kind": "nothing", "removes": True}
    for seed in range(10):
        given = material(settings, seed)
        (lead,) = [one for one in given["documents"] if one["lead"]]
        form = await Retrieved.make(asked(lead["text"], lead["text"].split()[-2]), given)
        assert not form.gold and lead["text"] not in listing(form.documents)
        assert [one.text for one in form.removed] == [lead["text"]]


async def test_a_list_that_gives_the_answer_everywhere_is_refused():
    pool = [POOL[0], *(Document(text=f"In Lyon, case {n}.") for n in range(4))]
    with pytest.raises(ReplyError, match="distractors"):
        await Retrieved.make(asked("cast in Lyon in 1688", "Lyon"), material(pool=pool))


async def test_an_edit_keeps_answer_and_evidence_whatever_its_editor_writes():
    form = await Retrieved.make(asked("cast in Lyon in 1688", "Lyon"), material())
    edited = await type(form).make(asked("weighs nine", "nine", query="In which town was it made?"), form.material)
    assert (edited.answer, edited.support) == (form.answer, form.support)
    assert edited.query == "In which town was it made?"


def test_every_format_has_its_form():
    assert set(REPLIES) >= {"json", "short", "cited", "choice", "queries"}


def test_a_writer_fills_in_only_what_its_kind_of_item_needs():
    wanted = {kind: set(asked_for(kind).model_fields) - {"support", "query"} for kind in FIELDS}
    assert wanted["fact"] == {"answer"} and wanted["choice"] == {"answer", "wrong"}
    assert set(FIELDS) == {one.settings["kind"] for one in load_skill("rag").categories.values()}
