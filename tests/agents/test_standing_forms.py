"""Forms whose items stand alone: labels and keys, computed options, and what is wrong with an item by itself."""

from random import Random
from typing import Any

import pytest

from agentinstruct.agents.errors import ReplyError
from agentinstruct.agents.forms import (
    FORMS,
    Above,
    Definite,
    Open,
    Premise,
    Quantity,
    Select,
    Single,
    Worked,
    read_form,
)
from agentinstruct.agents.forms.labels import NAMES, block, names_key, style_of
from agentinstruct.agents.forms.mcq_ordered import Assertion, Sequenced

PASSAGE = "The lighthouse at Carn Point was built in 1862 by a crew of 48 men. Its lamp could be seen for 21 miles."
EVIDENCE = ["built in 1862 by a crew of 48 men"]
LABELS = {"labels": "letters", "mark": "{}. "}


def wrong(*texts: str) -> list[dict[str, str]]:
    return [{"text": text, "misconception": f"Takes {text} for the year."} for text in texts]


@pytest.mark.parametrize(
    ("key", "answer", "agrees"),
    [
        ("C", "C", True),
        ("C", "**C.** because", True),
        ("C", "B and C", False),
        ("3", "3", True),
        ("3", "Option (3)", True),
        ("3", "3.5 metres", False),
        ("3", "3 and 4", False),
        ("iv", "iv)", True),
        ("iv", "The answer is IV", True),
        ("iv", "v", False),
        ("i", "I think so", False),
        ("A, C", "C and A", True),
        ("A, C", "A, B, C", False),
        ("1, 3", "1, 3", True),
        ("cast iron", "Cast iron.", True),
        ("cast iron", "an alloy with much carbon", None),
    ],
)
def test_an_answer_names_the_key_in_the_keys_own_style(key: str, answer: str, agrees: bool | None) -> None:
    assert names_key(key, answer) is agrees


def test_styles_are_told_apart_by_their_keys() -> None:
    for style, names in NAMES.items():
        for name in names:
            assert style_of(name) == style
        shown = block([f"option {i}" for i in range(10)], style, "({}) " if names else "- ")
        assert len(shown.splitlines()) == 10


@pytest.mark.parametrize(
    ("form", "written", "fault"),
    [
        (Open, {"question": "How was it built?", "points": ["by 48 men", "in 1862"]}, ""),
        (Open, {"question": "How was it built?", "points": ["by 48 men", "By 48 men."]}, "form"),
        (Open, {"question": "It was built by 48 men: how?", "points": ["built by 48 men", "in 1862"]}, "form"),
        (Definite, {"question": "When was Carn Point's tower made?", "answer": "1862"}, ""),
        (Definite, {"question": "When was Carn Point's tower made?", "answer": "1863"}, "grounded"),
        (Quantity, {"question": "48 men work 5 days. How many days?", "expression": "48 * 5", "answer": 240}, ""),
        (
            Quantity,
            {"question": "48 men work. How many days?", "expression": "48 * 5", "answer": 240},
            "recomputed",
        ),
        (Quantity, {"question": "48 men work 5 days, how many?", "expression": "48 * 5", "answer": 241}, "recomputed"),
        (Quantity, {"question": "48 men share 5, rounded to whole ones?", "expression": "48 / 5", "answer": 10}, ""),
        (
            Quantity,
            {"question": "48 men share 5, each how much?", "expression": "48 / 5", "answer": 10},
            "recomputed",
        ),
        (Quantity, {"question": "48 men: how many are 48?", "expression": "48", "answer": 48}, "recomputed"),
        (Quantity, {"question": "48 men and 5 days?", "expression": "48 / (5 - 5)", "answer": 1}, "recomputed"),
    ],
)
def test_faults_of_questions_that_stand_alone(form: Any, written: dict[str, Any], fault: str) -> None:
    item = form.model_validate({"evidence": EVIDENCE, **written})
    assert {name for name, _ in item.faults(PASSAGE)} == ({fault} if fault else set())
    assert read_form(item.arrange(Random(1))) == item


@pytest.mark.parametrize(
    ("question", "fault"),
    [
        ("Since one man built the lighthouse at Carn Point, how long did it take him?", ""),
        ("How long did it take to set a tower on that rock?", "form"),
        ("Is it true that one man built the lighthouse at Carn Point?", "form"),
    ],
)
def test_a_false_premise_is_taken_for_granted(question: str, fault: str) -> None:
    item = Premise(
        evidence=tuple(EVIDENCE),
        premise="One man built the lighthouse at Carn Point.",
        correction="It was built by a crew of 48 men.",
        question=question,
        points=("A crew of 48 men built it.", "It was built in 1862."),
    )
    assert {name for name, _ in item.faults(PASSAGE)} == ({fault} if fault else set())


async def test_a_calculations_options_are_computed_and_slips_without_a_value_of_their_own_left_out() -> None:
    slips = [
        ("120 * 15", 1),
        ("120 + 15", 2),
        ("(120 * 85) / 100", 3),
        ("1 / 0", 4),
        ("-120 * 0.85", 5),
        ("nonsense", 6),
    ]
    written: Any = Worked.writes
    made = await Worked.make(
        written(
            evidence=EVIDENCE,
            question="A crate of 120 eggs loses 15 per cent. How many are left?",
            expression="120 * (1 - 15 / 100)",
            decimals=0,
            unit="eggs",
            slips=[{"expression": e, "mistake": f"Goes wrong in way {n}."} for e, n in slips],
        ),
        {**LABELS, "wrong": 4},
    )
    assert made.options() == ["102 eggs", "1,800 eggs", "135 eggs"]
    item = made.arrange(Random(2))
    assert f"{item.key}. 102 eggs" in item.options
    with pytest.raises(ReplyError, match="division by zero"):
        await Worked.make(
            written(**{**made.model_dump(include=set(written.model_fields)), "expression": "1 / 0"}), None
        )


async def test_the_program_says_how_many_statements_are_true() -> None:
    written: Any = Select.writes
    material = {**LABELS, "offer": "combination", "truths": 2, "untruths": 1}
    reply = {
        "evidence": EVIDENCE,
        "question": "Which of these hold?",
        "true_statements": ["It has a lamp", "It is old"],
    }
    made = await Select.make(written(**reply, false_statements=wrong("It is new")), material)
    for seed in range(6):
        item = made.arrange(Random(seed))
        lines = dict(line.split(". ", 1) for line in item.options.splitlines() if line)
        named = lines[item.key].removesuffix(" only").split(" and ")
        assert {lines[numeral] for numeral in named} == {"It has a lamp", "It is old"}
    with pytest.raises(ReplyError, match="2 true statements and 1 false ones were asked for, not 2 and 2"):
        await Select.make(written(**reply, false_statements=wrong("It is new", "It is low")), material)


def test_the_key_of_an_order_is_the_true_one_whatever_the_shuffle() -> None:
    made = Sequenced(
        **LABELS, evidence=tuple(EVIDENCE), question="In which order?", entries=("a b", "c d", "e f"), why=""
    )
    for seed in range(8):
        item = made.arrange(Random(seed))
        lines = dict(line.split(". ", 1) for line in item.options.splitlines() if line)
        assert [lines[n] for n in lines[item.key].split(", ")] == ["a b", "c d", "e f"]
        assert len({v for k, v in lines.items() if k.isalpha()}) >= 4


def test_an_assertions_key_is_the_case_that_was_asked_for() -> None:
    for case in range(5):
        options = ("both, because", "both, apart", "first", "second", "neither")
        made = Assertion(
            **LABELS,
            evidence=tuple(EVIDENCE),
            assertion="The tower is old.",
            reason="It was built long ago.",
            why="",
            options=options,
            case=case,
        )
        item = made.arrange(Random(case))
        assert item.key == "ABCDE"[case]
        assert made.material["assertion"] == (case < 3)


@pytest.mark.parametrize(
    ("right", "others", "fault"),
    [
        ("in 1862", ["in 1863", "in 1864"], ""),
        ("in 1862", ["in 1863", "In 1863."], "form"),
        ("in 1862", ["in 1863", "none of the above"], "form"),
        ("in 1862", ["in 1863", "both A and B"], "form"),
    ],
)
def test_options_are_distinct_and_each_for_itself(right: str, others: list[str], fault: str) -> None:
    decided = {**LABELS, "reverse": False}
    item = Single.model_validate(
        {**decided, "evidence": EVIDENCE, "question": "When?", "right": right, "why": "", "distractors": wrong(*others)}
    )
    assert {name for name, _ in item.faults(PASSAGE)} == ({fault} if fault else set())


def test_options_get_no_labels_of_the_writers_own() -> None:
    decided = {**LABELS, "reverse": False, "evidence": EVIDENCE, "question": "When?", "why": ""}
    item = Single.model_validate({**decided, "right": "A) 1862", "distractors": wrong("B) 1863", "C) 1864")})
    assert {line[3:] for line in item.arrange(Random(1)).options.splitlines()} == {"1862", "1863", "1864"}
    species = Single.model_validate({**decided, "right": "A. thaliana", "distractors": wrong("oats", "rye")})
    assert "A. thaliana" in species.arrange(Random(1)).options


def test_bare_numbers_get_no_numbers_as_labels() -> None:
    decided = {"labels": "digits", "mark": "{}. ", "reverse": False, "evidence": EVIDENCE, "question": "How many?"}
    item = Single.model_validate({**decided, "why": "", "right": "48", "distractors": wrong("47", "49")})
    assert item.arrange(Random(1)).key in "ABC"


def test_the_last_option_stays_last() -> None:
    decided = {**LABELS, "last": "None of the above", "applying": 0, "failing": 3, "evidence": EVIDENCE}
    item = Above.model_validate(
        {**decided, "question": "When?", "right": [], "distractors": wrong("x", "y", "z"), "why": ""}
    )
    arranged = item.arrange(Random(4))
    assert (arranged.key, arranged.options.splitlines()[-1]) == ("D", "D. None of the above")


def test_every_form_of_standing_items_is_shipped() -> None:
    assert {"open", "definite", "quantity", "premise", "single", "above", "worked", "select", "sequence"} <= set(FORMS)
