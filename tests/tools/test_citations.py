"""What a reply cites, and what a text is as snippets."""

import pytest

from agentinstruct.tools.citations import cited_ids, cited_sentences, json_reply, named_sources, uncited
from agentinstruct.tools.snippets import nearest, pieces

PLACES = {
    "before the stop": "It sank in 1931 [2].",
    "behind the stop": "It sank in 1931. [2]",
    "close behind it": "It sank in 1931.[2]",
    "in the middle": "It sank [2] in 1931.",
}


@pytest.mark.parametrize("text", PLACES.values(), ids=PLACES)
def test_ids_belong_to_their_sentence_wherever_they_stand(text):
    first, second = cited_sentences(f"{text} Nobody drowned [1, 3].")
    assert (first.text, first.ids) == ("It sank in 1931.", {2})
    assert (second.text, second.ids) == ("Nobody drowned.", {1, 3})


def test_several_brackets_and_several_ids():
    assert cited_ids("So it was [1][2], [3; 4] and [5 and 6] & [7 & 8].") == set(range(1, 9))
    assert cited_ids("an array[0], a year [1931], a gap [...], a word [two]") == set()
    assert uncited("It sank [1] in 1931 [2].") == "It sank in 1931."


def test_sentences_without_citations_have_none():
    assert [one.ids for one in cited_sentences("It sank. Nobody drowned [1].\n\n[2]")] == [set(), {1}]


def test_the_line_that_names_sources():
    assert named_sources("Answer: 1931\nSources: [2], [10]") == [2, 10]
    assert named_sources("**Answer:** 1931\n**Sources:** 2 and 3") == [2, 3]
    assert named_sources("Answer: x\nSources: none") == []
    assert named_sources("Answer: x") is None


GOOD = {'{"answer": "1931", "ids": [2]}': ("1931", [2]), '{"ids": [], "answer": "no"}': ("no", [])}
BAD = [
    '```json\n{"answer": "1931", "ids": [2]}\n```',
    '{"answer": "1931"}',
    '{"answer": "1931", "ids": ["2"]}',
    '{"answer": "1931", "ids": [true]}',
    '{"answer": "1931", "ids": [2], "more": 1}',
    '{"answer": "1931", "answer": "1932", "ids": [2]}',
    '["1931", [2]]',
    "The answer is 1931.",
    "[" * 100_000,
]


@pytest.mark.parametrize("text", GOOD)
def test_a_json_reply_is_an_answer_and_ids(text):
    assert json_reply(text) == GOOD[text]


@pytest.mark.parametrize("text", BAD, ids=range(len(BAD)))
def test_anything_else_is_none(text):
    assert json_reply(text) is None


TEXT = " ".join(f"This is sentence number {n}, which speaks of thing {n} at length." for n in range(1, 31))


def test_snippets_are_whole_sentences_and_hold_the_whole_text():
    found = pieces(TEXT)
    assert " ".join(found) == TEXT
    assert all(piece.endswith(".") for piece in found)
    assert all(60 <= len(piece.split()) <= 80 for piece in found[:-1])


def test_a_short_text_gives_several_snippets_too():
    assert len(pieces("One thing happened in the old house by the river. " * 6)) >= 3
    assert pieces("Only this.") == ["Only this."]
    assert pieces("") == []


def test_the_nearest_snippet_shares_the_most_words():
    assert "thing 17" in nearest(TEXT, "what about sentence 17 and thing 17")
