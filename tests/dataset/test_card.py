"""The figures on the dataset card are those of its rows."""

from collections import Counter
from pathlib import Path

from agentinstruct.agents.records import Message, Record, content_id
from agentinstruct.dataset.card import Card
from agentinstruct.dataset.card_figures import KeyFigures
from agentinstruct.dataset.export import Exported

OPTIONS = "Which?\nA. one\nB. two\nC. three\nD. four"


def row(number, key="", depth=0, accepted=True):
    return Record(
        id=content_id("record", number),
        messages=(Message(role="user", content=OPTIONS), Message(role="assistant", content="It is B.")),
        skill="multiple_choice",
        split="mcq",
        category="best_answer" if number % 2 else "odd",
        transform="identity",
        form="single",
        item=content_id(number % 30),
        seed_id=content_id("seed", number),
        source="a.txt",
        start=0,
        end=9,
        licence="MIT",
        language="en",
        key=key,
        depth=depth,
        accepted=accepted,
    ).row()


def test_the_card_carries_the_key_figures():
    rows = [row(n, "ABCD"[n % 4], depth=n % 5 > 0, accepted=n % 10 > 0) for n in range(40)]
    told = Card()
    for one in rows:
        told.add(one)
    text = told.text(Exported(Path(), Counter({"mcq": 40}), skills={"mcq": "multiple_choice"}))
    for line in (
        "| accepted | 90.0% (95 % interval 76.1% to 96.2%) |",
        "| refine another item | 80.0% (95 % interval 64.2% to 89.9%) |",
        "| categories with a record | 1 of 16 |",
        "| ask the same as another, word for word | 10 |",
        "| words asked, without the passage | 9 (mean of 40 sampled, 95 % interval 9 to 9) |",
        "| keys by place, 4 options | 10 · 10 · 10 · 10 (chi-square p = 1.00) |",
    ):
        assert line in text


def test_words_are_those_of_all_records_though_a_large_skill_is_sampled_more_thinly():
    told = KeyFigures()
    for number in range(2000):
        told.add(row(number))
    for number in range(2000, 2100):
        long = {"role": "user", "content": "word " * 1000}
        told.add(row(number) | {"skill": "fermi", "messages": [long, {"role": "assistant", "content": "It is B."}]})
    words = dict(told.rows())["words asked, without the passage"]
    assert words.startswith("56 (mean of 600 sampled"), (2000 * 9 + 100 * 1000) / 2100


def test_a_card_of_nothing_has_no_figures():
    assert KeyFigures().rows() == [] and "## Figures" not in Card().text(Exported(Path()))
