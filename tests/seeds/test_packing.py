"""Chunks never overlap, never lose a word, never exceed their length, with the libraries and without."""

import sys
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agentinstruct.seeds.packing import code_chunks, prose_chunks
from agentinstruct.seeds.text import clean

WORDS = st.text(st.sampled_from('abé漢.!?"#-`* \n\t。\U0001f600'), max_size=600) | st.text(max_size=300)
LIMITS = st.integers(1, 80)


@pytest.fixture(params=["library", "own"])
def splitter(request, monkeypatch):
    if request.param == "own":
        monkeypatch.setitem(sys.modules, "semantic_text_splitter", None)


def holds(text, spans, limit):
    assert all(0 <= start < end <= len(text) for start, end in spans)
    assert all(end <= start for (_, end), (start, _) in pairwise(spans))
    assert all(end - start <= limit for start, end in spans)
    assert "".join("".join(text[start:end].split()) for start, end in spans) == "".join(text.split())


@given(WORDS, LIMITS, st.booleans())
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_prose(splitter, text, limit, markdown):
    text = clean(text)
    holds(text, prose_chunks(text, limit, limit // 3, markdown), limit)


@given(WORDS, LIMITS, st.lists(st.integers(0, 700), max_size=20))
@settings(max_examples=150, deadline=None)
def test_code(text, limit, cuts):
    text = clean(text)
    holds(text, code_chunks(text, [sorted({cut for cut in cuts if cut <= len(text)})], limit, limit // 3), limit)


@given(WORDS, st.integers(0, 600))
@settings(max_examples=50, deadline=None)
def test_cleaning_twice_changes_nothing(text, _):
    assert clean(clean(text)) == clean(text)


def test_sentences_stay_whole(splitter):
    sentences = [f"Sentence number {n} says something about ships." for n in range(60)]
    text = " ".join(sentences)
    for start, end in prose_chunks(text, 300, 50):
        assert text[start:end].startswith("Sentence") and text[start:end].endswith("ships.")


def test_sections_stay_together(splitter):
    sections = [f"## Part {n}\n\n" + "It says a thing or two. " * 6 for n in range(9)]
    text = "\n\n".join(section.strip() for section in sections)
    chunks = [text[start:end] for start, end in prose_chunks(text, 400, 50, markdown=True)]
    assert all(chunk.startswith("## Part") for chunk in chunks)
    assert max(map(len, chunks)) > 300


def test_a_short_rest_joins_what_precedes_it(splitter):
    text = "A sentence of some length stands here. " * 7 + "\n\nThe end."
    assert [text[start:end][-8:] for start, end in prose_chunks(text, 300, 100)] == ["The end."]


def test_a_large_text_without_structure_takes_no_time(splitter):
    text = "x" * 1_000_000
    spans = prose_chunks(text, 3000, 200)
    assert sum(end - start for start, end in spans) == len(text)
