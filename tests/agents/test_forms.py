"""What the program makes of an item: its key, its arrangement, its faults, and which answers agree."""

import time
from collections import Counter
from random import Random
from typing import Any

import pytest
from pydantic import ValidationError

from agentinstruct.agents.forms import FORMS, Form, read_form
from agentinstruct.agents.forms.form import final_answer, says_unanswerable

PASSAGE = (
    "The lighthouse at Carn Point was built in 1862 by a crew of 48 men. Its lamp could be seen for 21 miles. "
    "“Nobody,” the keeper wrote, “has ever crossed in winter.” In 1879 a steamer struck the reef. "
    "Thirty-six of the crew stayed for two winters."
)
Q = "What does the passage say of the lighthouse?"
WRITTEN: dict[str, dict[str, Any]] = {
    "short": {"question": Q, "answer": "21 miles", "evidence": ["Its lamp could be seen for 21 miles."]},
    "list": {"question": Q, "answers": ["a lamp", "a crew", "a keeper"], "evidence": ["the keeper wrote"]},
    "choice": {"question": Q, "right": "in 1862", "wrong": ["in 1879", "in 1880", "in 1881"], "why": "It says so."},
    "blank": {"sentence": "It was ____ in 1862.", "right": "built", "wrong": ["sold", "lost", "lit"], "why": "Said."},
    "pair": {
        "question": Q,
        "true_statement": "It was built in 1862.",
        "false_statement": "It was built in 1879.",
        "evidence": ["was built in 1862"],
    },
    "number": {
        "question": Q,
        "facts": [{"quote": "built in 1862", "value": 1862}, {"quote": "In 1879 a steamer", "value": 1879}],
        "expression": "1879-1862",
        "answer": 17,
        "unit": "years",
    },
    "match": {"question": Q, "pairs": [{"left": f"left {i}", "right": f"right {i}"} for i in range(3)]},
    "order": {"question": Q, "events": ["it was planned", "it was built", "it was lit", "it was lost"]},
    "tristate": {"statement": "The lamp was seen for 21 miles.", "label": "True", "evidence": ["21 miles"]},
    "essay": {"question": Q, "points": ["the lamp", "the crew"]},
    "quote": {"question": Q, "quotes": ["has ever crossed in winter"]},
    "revision": {"instruction": "Write it all in capital letters.", "constraints": []},
}
ARRANGED = ("choice", "blank", "pair", "match", "order")


def written(form: str, **changes: Any) -> Form:
    return FORMS[form].model_validate({**WRITTEN[form], **changes})


def test_every_form_of_texts_is_tried_here() -> None:
    of_texts = {name for name, form in FORMS.items() if form.__module__.endswith((".closed", ".open"))}
    assert set(WRITTEN) == of_texts


# --- Arranging ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", WRITTEN)
def test_arranging_depends_on_the_id_alone_and_can_be_read_back(form: str) -> None:
    item = written(form).arrange(Random("id-7"))
    assert item == written(form).arrange(Random("id-7"))
    assert read_form(item) == written(form)
    assert not list(read_form(item).faults(PASSAGE))
    assert item.question in item.view and item.options in item.view
    if FORMS[form].definite:
        assert item.key and FORMS[form].agrees(item.key, item.key)
    else:
        assert item.key == "" and FORMS[form].agrees("", "anything") is None


@pytest.mark.parametrize("form", ARRANGED)
def test_another_id_gives_another_arrangement_of_the_same_parts(form: str) -> None:
    items = [written(form).arrange(Random(f"id-{i}")) for i in range(40)]
    assert len({item.options for item in items}) > 1
    parts = {frozenset(line.split(". ", 1)[1] for line in item.options.splitlines() if line) for item in items}
    assert len(parts) == 1


@pytest.mark.parametrize(("form", "share"), [("choice", 1 / 4), ("blank", 1 / 4), ("pair", 1 / 2), ("match", 1 / 6)])
def test_key_positions_are_balanced(form: str, share: float) -> None:
    keys = Counter(written(form).arrange(Random(f"id-{i}")).key for i in range(3000))
    assert len(keys) == round(1 / share)
    assert all(abs(count / 3000 - share) < 0.04 for count in keys.values()), keys


@pytest.mark.parametrize("form", ["choice", "blank", "pair"])
def test_the_key_names_the_right_option(form: str) -> None:
    for i in range(30):
        item = written(form).arrange(Random(f"id-{i}"))
        right = WRITTEN[form].get("right") or WRITTEN[form]["true_statement"]
        assert f"{item.key}. {right}" in item.options.splitlines()


def test_order_keys_are_permutations_that_restore_the_order_and_are_never_shown_solved() -> None:
    keys = Counter()
    for i in range(2300):
        item = written("order").arrange(Random(f"id-{i}"))
        shown = dict(line.split(". ", 1) for line in item.options.splitlines())
        assert [shown[label] for label in item.key.split(", ")] == WRITTEN["order"]["events"]
        keys[item.key] += 1
    assert len(keys) == 23 and "A, B, C, D" not in keys
    assert max(keys.values()) < 2 * min(keys.values())


def test_match_keys_pair_what_belongs_together() -> None:
    item = written("match").arrange(Random("x"))
    shown = dict(line.split(". ", 1) for line in item.options.splitlines() if line)
    for pair in item.key.split(", "):
        left, right = pair.split("-")
        assert shown[left].removeprefix("left") == shown[right].removeprefix("right")


# --- Answers ------------------------------------------------------------------------------------------------------

CHOSEN = [
    "C", "**C**", "(c)", "(c) because the keeper says so", "Answer: C.", "C. in 1862", "c", "C) 1862", "Option C",
    "The correct answer is C", "The answer is (C).", "*C* - it was built then", "C, because A is wrong", "[C]", "`C`",
    "Statement C", "“C”", "C is correct", "Final answer: **C**", "The right option is **C**.",
]  # fmt: skip
OTHERS = [
    "A", "", "none", "B and C", "C and D", "C, D", "A or C", "Cats", "Can't say", "not answerable from the passage",
    "C's", "D (not C)",
]  # fmt: skip


@pytest.mark.parametrize("form", ["choice", "blank", "pair"])
def test_letters_are_read_out_of_messy_answers(form: str) -> None:
    for answer in CHOSEN:
        assert FORMS[form].agrees("C", answer) is True, answer
    for answer in OTHERS:
        assert FORMS[form].agrees("C", answer) is False, answer


@pytest.mark.parametrize("answer", ["A dog barked", "I think it is B", "A", "An owl", "In 1862", "a lamp", "A lamp"])
def test_an_article_or_pronoun_is_no_letter(answer: str) -> None:
    agreed = {key for key in "ABCI" if FORMS["choice"].agrees(key, answer)}
    assert agreed == ({"A"} if answer == "A" else set())


AGREE = [
    ("match", "1-b, 2-a, 3-c", "1-b; 2-a; 3-c", True),
    ("match", "1-b, 2-a, 3-c", "1 → B, 2 → A, 3 → C", True),
    ("match", "1-b, 2-a, 3-c", "**1-b**, **2-a**, **3-c**", True),
    ("match", "1-b, 2-a, 3-c", "1: b\n2: a\n3: c", True),
    ("match", "1-b, 2-a, 3-c", "3c 1b 2a", True),
    ("match", "1-b, 2-a, 3-c", "1) (b), 2) (a), 3) (c)", True),
    ("match", "1-b, 2-a, 3-c", "1-b, 2-a", False),
    ("match", "1-b, 2-a, 3-c", "1-a, 2-b, 3-c", False),
    ("match", "1-b, 2-a, 3-c", "1-b, 1-a, 2-a, 3-c", False),
    ("match", "1-b, 2-a, 3-c", "not answerable", False),
    ("order", "C, A, B", "C, A, B", True),
    ("order", "C, A, B", "**C** → **A** → **B**", True),
    ("order", "C, A, B", "c, a, b", True),
    ("order", "C, A, B", "C-A-B.", True),
    ("order", "C, A, B", "C A B", True),
    ("order", "C, A, B", "(C), (A), (B)", True),
    ("order", "C, A, B", "C, B, A", False),
    ("order", "C, A, B", "C, A", False),
    ("order", "C, A, B", "C, A, B, C", False),
    ("order", "C, A, B", "", False),
    ("tristate", "True", "**True**", True),
    ("tristate", "True", "True. The passage says so.", True),
    ("tristate", "True", "The statement is true.", True),
    ("tristate", "True", "True or False", False),
    ("tristate", "True", "Truly unclear", False),
    ("tristate", "True", "Not Given", False),
    ("tristate", "False", "FALSE — it was 1862", True),
    ("tristate", "False", "Answer: False", True),
    ("tristate", "False", "not answerable", False),
    ("tristate", "Not Given", "not given", True),
    ("tristate", "Not Given", "Not answerable from the passage.", True),
    ("tristate", "Not Given", "True", False),
    ("number", "1200", "1,200 kg", True),
    ("number", "1200", "about **1200** kilograms", True),
    ("number", "3500000", "€ 3.5 million", True),
    ("number", "3.5", "3.50", True),
    ("number", "1e+10", "10 billion", True),
    ("number", "17", "1879 - 1862 = 17 years", True),
    ("number", "17", "seventeen", True),
    ("number", "25", "twenty-five men", True),
    ("number", "-4", "−4 °C", True),
    ("number", "17", "18", False),
    ("number", "17", "", False),
    ("number", "17", "not answerable", False),
    ("number", "17", "9" * 400, False),
    ("short", "the Treaty of 1850", "Treaty of 1850.", True),
    ("short", "A", "a", True),
    ("short", "A", "", None),
    ("short", "21 miles", "It could be seen from afar", None),
    ("list", "a lamp; a crew", "crew; lamp.", True),
    ("list", "a lamp; a crew", "- a lamp\n- the crew", True),
    ("list", "a lamp; a crew", "a lamp", None),
    ("quote", '"has ever crossed in winter"', "“Nobody has EVER crossed in winter.”", True),
    ("quote", '"nobody has ever crossed in winter"', '"ever crossed in winter"', True),
    ("quote", '"has ever crossed in winter"', "ever", None),
    ("quote", '"has ever crossed in winter"', "", None),
    ("number", "17 years", "17", True),
    ("number", "17 years", "17 years (1862 to 1879)", True),
    ("number", "17 years", "17 days", False),
    ("number", "17 years", "17 steamers", True),
    ("number", "48 men", "48 years", True),
    ("number", "2 per cent", "2%", True),
    ("number", "7", "12 - 5 = 7", True),
    ("number", "12", "12 - 5 = 7", False),
    ("number", "12", "12 men minus 5 men, so 7", False),
    ("number", "1862", "17 years (1862 to 1879)", False),
    ("number", "2024", "2025", False),
    ("number", "12345678901", "12,345,678,901", True),
    ("short", "4 March 1845", "5 March 1845", False),
    ("short", "4 March 1845", "1845", None),
    ("short", "in the winter of 1845", "in the winter of 1846", False),
    ("short", "he did lock the old tower door", "he did not lock the old tower door", False),
    ("short", "he couldn’t cross", "he could cross", False),
    ("short", "no one", "nobody", None),
    ("short", "the old keeper of the tall tower", "the new keeper of the tall tower", None),
    ("list", "48 men; 2 ships", "1. 48 men\n2. 2 ships", True),
    ("list", "48 men; 2 ships", "48 men; 3 ships", False),
    ("list", "a lamp; a crew", "a lamp; no crew", False),
    ("quote", '"has ever crossed"; "struck the reef"', "“has ever crossed” and “struck the reef”", True),
    ("quote", '"has ever crossed"; "struck the reef"', "has ever crossed", None),
    ("quote", '"was lit on 4 March by the keeper"', "was lit on 5 March by the keeper", False),
    ("quote", '"was lit in March by the keeper"', "was lit in May by the keeper", None),
]  # fmt: skip


@pytest.mark.parametrize(("form", "key", "answer", "agrees"), AGREE)
def test_agreement(form: str, key: str, answer: str, agrees: bool | None) -> None:
    assert FORMS[form].agrees(key, answer) is agrees


GUESSES = [
    "not stated directly, but it was probably 1845",
    "Not stated. It was probably 1845.",
    "It cannot be determined; however, 1845 is the year of the flood",
    "The passage does not say, but in 1845",
    "not mentioned; likely the keeper",
]


@pytest.mark.parametrize(
    "answer",
    [
        "not answerable",
        "**Not answerable from the passage.**",
        "The question is not answerable.",
        "It is unanswerable",
        "This cannot be determined from the text",
        "The passage does not say.",
        "not stated in the passage",
        "Not stated: the lamp is mentioned, but it is not said who lit it",
        "Not answerable from the passage, however it doesn’t matter",
    ],
)
def test_declining_is_recognised(answer: str) -> None:
    assert says_unanswerable(answer)


@pytest.mark.parametrize(
    "answer", ["", "C", "yes", "an unanswerable argument", "the keeper could not answer", "Nothing", *GUESSES]
)
def test_an_answer_is_not_taken_for_declining(answer: str) -> None:
    assert not says_unanswerable(answer)


@pytest.mark.parametrize(
    ("response", "final"),
    [
        ("It says 1862.\n\nAnswer: C", "C"),
        ("**Answer:** C", "C"),
        ("**Answer: C**", "C"),
        ("### Final answer: C, A, B\n", "C, A, B"),
        ("The final answer: 5 km", "5 km"),
        ("> Answer: `C`\n\nI hope this helps!", "C"),
        ("Answer: A\nNo, wait.\nAnswer: B", "B"),
        ("Answer: A\n\nOn reflection:\n\nanswer： B", "B"),
        ("Answer:\nC", "C"),
        ("- Answer: C", "C"),
        ("Answer: a\nb\n \nrest", "a\nb"),
        ("Answer: C\n\nAnswer:", "C"),
        ("The answer is C.", ""),
        ("My answer: C", ""),
        ("Answer:", ""),
        ("", ""),
    ],
)
def test_the_final_answer_of_a_response(response: str, final: str) -> None:
    assert final_answer(response) == final


def test_degenerate_responses_take_no_time() -> None:
    started = time.perf_counter()
    for text in ("\n" * 10**6, "answer " * 10**5, "Answer: x" + " " * 10**6, "*" * 10**6, "Answer:\n" * 10**5):
        final_answer(text)
        for form in FORMS.values():
            form.agrees("1" if form.name == "number" else "A", text[:50_000])
    assert time.perf_counter() - started < 15


# --- Faults -------------------------------------------------------------------------------------------------------

NOT_THERE = "built in the year 1862"
FAULTS: list[tuple[str, dict[str, Any], str, str]] = [
    ("short", {"evidence": [NOT_THERE]}, "grounded", NOT_THERE),
    ("short", {"evidence": ["built in 1862 by a cre"]}, "grounded", "cre"),
    ("short", {"answer": Q}, "form", "repeats the question"),
    ("list", {"evidence": [NOT_THERE]}, "grounded", NOT_THERE),
    ("list", {"answers": ["a lamp", "The lamp."]}, "form", "answers"),
    ("choice", {"wrong": ["in 1879", "In  1862.", "in 1881"]}, "form", "options"),
    ("choice", {"right": "B"}, "form", "label"),
    ("blank", {"sentence": "It was built in 1862."}, "form", "gap"),
    ("blank", {"sentence": "It was ____ in ____."}, "form", "gap"),
    ("blank", {"wrong": ["sold", "sold", "lit"]}, "form", "options"),
    ("pair", {"false_statement": "it was built in 1862"}, "form", "statements"),
    ("pair", {"evidence": [NOT_THERE]}, "grounded", NOT_THERE),
    ("number", {"facts": [{"quote": NOT_THERE, "value": 1862}]}, "grounded", NOT_THERE),
    ("number", {"facts": [{"quote": "48 men", "value": 49}], "expression": "49", "answer": 49}, "recomputed", "49"),
    ("number", {"answer": 18}, "recomputed", "gives 17"),
    ("number", {"expression": "20 - 3"}, "recomputed", "does not use 1862"),
    ("number", {"expression": "1879 - 1862 + 4", "answer": 21}, "recomputed", "uses 4, which no fact states"),
    ("number", {"expression": "1879 - 1861", "answer": 18}, "recomputed", "does not use 1862"),
    ("number", {"expression": "1879 - "}, "recomputed", "1879 - "),
    ("number", {"expression": "1879 > 1862"}, "recomputed", "True"),
    ("number", {"expression": "__import__('os').getpid()"}, "recomputed", "__import__"),
    ("number", {"expression": "9**9**9**9"}, "recomputed", "9**9"),
    ("match", {"pairs": [{"left": "one", "right": r} for r in ("x1", "x2", "x3")]}, "form", "left items"),
    ("match", {"pairs": [{"left": x, "right": "one"} for x in ("x1", "x2", "x3")]}, "form", "right items"),
    ("order", {"events": ["it was built", "It was built.", "it was lit"]}, "form", "events"),
    ("tristate", {"evidence": []}, "grounded", "no evidence"),
    ("tristate", {"evidence": [NOT_THERE]}, "grounded", NOT_THERE),
    ("essay", {"points": ["the lamp", "A lamp"]}, "form", "points"),
    ("quote", {"quotes": ["has never crossed in winter"]}, "grounded", "never"),
    ("quote", {"quotes": ['""']}, "grounded", '""'),
    ("revision", {"constraints": [{"kind": "max_words", "number": 0}]}, "form", "max_words"),
]  # fmt: skip


@pytest.mark.parametrize(("form", "change", "check", "words"), FAULTS)
def test_planted_faults_are_found(form: str, change: dict[str, Any], check: str, words: str) -> None:
    found = list(written(form, **change).faults(PASSAGE))
    assert any(name == check and words in evidence for name, evidence in found), found


@pytest.mark.parametrize(
    ("facts", "expression", "answer"),
    [
        ([("Thirty-six of the crew", 36), ("a crew of 48 men", 48)], "48-36", 12),
        ([("two winters", 2)], "2 * 12", 24),
        ([("seen for 21 miles", 21), ("48 men", 48)], "-21 + 48", 27),
        ([("seen for 21 miles", 21), ("48 men", 48), ("Thirty-six of the crew", 36)], "(21 + 48 + 36) / 3", 35),
    ],
)
def test_right_calculations_have_no_fault(facts: list[tuple[str, float]], expression: str, answer: float) -> None:
    form = written(
        "number",
        facts=[{"quote": quote, "value": value} for quote, value in facts],
        expression=expression,
        answer=answer,
    )
    assert not list(form.faults(PASSAGE))


def test_the_key_of_a_calculation_is_exact_and_names_its_unit() -> None:
    assert written("number").arrange(Random(0)).key == "17 years"
    assert written("number", answer=12345678901, unit="").arrange(Random(0)).key == "12345678901"
    assert written("number", answer=2.5, unit="").arrange(Random(0)).key == "2.5"


def test_a_statement_not_given_needs_no_evidence() -> None:
    assert not list(written("tristate", label="Not Given", evidence=[]).faults(PASSAGE))


@pytest.mark.parametrize(
    ("form", "change"),
    [
        ("choice", {"wrong": ["one", "two"]}),
        ("choice", {"key": "A"}),
        ("short", {"evidence": []}),
        ("order", {"events": ["one", "two"]}),
        ("match", {"pairs": WRITTEN["match"]["pairs"][:2]}),
        ("tristate", {"label": "Maybe"}),
        ("number", {"answer": "many"}),
        ("number", {"answer": float("nan")}),
        ("number", {"answer": float("inf")}),
        ("quote", {"quotes": []}),
        ("essay", {"points": ["one"]}),
    ],
)
def test_what_no_form_can_use_is_refused_by_its_type(form: str, change: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        written(form, **change)
