import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentinstruct.tools.quotes import (
    bare,
    contains,
    contradicts,
    numbers,
    overlap,
    same_number,
    stated_number,
    units,
    within,
)

TEXT = "“It’s 5–6 °C,” said the keeper — twice … in the treaty\u00a0of 1850, co\u00adoperation won. 条約は締結された。"


@pytest.mark.parametrize(
    "quote",
    [
        '"It\'s 5-6 °C," said the keeper',
        "THE TREATY  of\n1850",
        "the keeper - twice ... in",
        "cooperation won.",
        '"cooperation won…"',
        "約は締結",
        "5",
    ],
)
def test_a_quotation_is_found_whatever_its_case_spaces_quotes_and_dashes(quote: str) -> None:
    assert contains(TEXT, quote)


@pytest.mark.parametrize(
    "quote", ["", " … ", '""', "the treaty of 1851", "he keeper", "the treat", "of 185", "keeper said"]
)
def test_other_words_parts_of_words_and_nothing_are_no_quotation(quote: str) -> None:
    assert not contains(TEXT, quote)


@given(st.text(max_size=60), st.text(max_size=60))
def test_comparisons_take_any_text(first: str, second: str) -> None:
    assert 0 <= overlap(first, second) <= 1
    assert overlap(first, second) == overlap(second, first)
    assert contains(f"“It was {first or second}!”", "was") and not contains("", first)
    assert isinstance(numbers(first), list)


@pytest.mark.parametrize(
    ("text", "words"),
    [("The  Treaty, of “1850”.", "treaty of 1850"), ("a 5.5 % rise!", "5.5 % rise"), ("U.S.", "u s"), ("An", "")],
)
def test_bare_keeps_the_words(text: str, words: str) -> None:
    assert bare(text) == words


@pytest.mark.parametrize(
    ("first", "second", "share"),
    [
        ("the red fox", "Red fox.", 1),
        ("red fox", "blue whale", 0),
        ("red fox", "fox", 2 / 3),
        ("", "", 0),
        ("the", "a", 0),
    ],
)
def test_overlap_is_token_f1(first: str, second: str, share: float) -> None:
    assert overlap(first, second) == pytest.approx(share)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("1,200 kg and 3.50", [1200, 3.5]),
        ("12 000 000 or 1\u202f500", [12, 0, 0, 1500]),
        ("€ 3.5 million", [3.5, 3_500_000]),
        ("twenty-five of forty two", [25, 42]),
        ("two hundred and fifty", [250]),
        ("Two million, seventy-five thousand", [2, 2_000_000, 75, 75_000]),
        ("one, two and three", [1, 2, 3]),
        ("a dozen eggs, half of two dozen", [12, 0.5, 24]),
        ("(120-45)/3 and 10–20", [120, 45, 3, 10, 20]),
        ("at -5 or −6 °C, .5 more", [-5, -6, 0.5]),
        ("in 1,23,456 ways", [1, 23456]),
        ("someone tended phone lines", []),
        ("9" * 400, []),
    ],
)
def test_numbers_in_digits_and_words(text: str, found: list[float]) -> None:
    assert numbers(text) == found


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        (3.3333, 3.3334, True),
        (100, 100.04, True),
        (100, 100.2, False),
        (0, 0, True),
        (0, 0.1, False),
        (5, -5, False),
        (2024, 2025, False),
        (2024.0, 2025.0, False),
        (10**9, 10**9 + 1, False),
        (10**9, 10**9 + 0.2, True),
        (2024, 2024.9, False),
        (2024, 2024.0, True),
    ],
)
def test_numbers_are_compared_up_to_rounding(first: float, second: float, same: bool) -> None:
    assert same_number(first, second) is same


@pytest.mark.parametrize(
    ("answer", "value"),
    [
        ("17", 17),
        ("**17** years, that is 204 months", 17),
        ("about 1,200 kg (1.2 t)", 1200),
        ("3 * 4, 12", 12),
        ("12 or 13", 13),
        ("$3.5 million (in 1850)", 3_500_000),
        ("seventeen years (1862–1879)", 17),
        ("12 - 5 = 7 days, i.e. 168 hours", 7),
        ("12 plus 5, 17", 17),
        ("The answer is 17", 17),
        ("-4 °C", -4),
        ("−4 °C", -4),
        ("none", None),
        ("9" * 400, None),
    ],
)
def test_the_number_an_answer_comes_to(answer: str, value: float | None) -> None:
    assert stated_number(answer) == value


def test_units_go_by_one_name_and_unknown_ones_are_left_out() -> None:
    assert units("5 hrs per Day") == units("five hours a day") and len(units("5 hrs per Day")) == 2
    assert units("5 per cent") == units("5%") != set() and units("3 km") == units("three kilometres")
    assert units("48 men in a boat") == set()


@pytest.mark.parametrize(
    ("first", "second", "found"),
    [
        ("4 March 1845", "5 March 1845", True),
        ("1845", "four men in 1846", True),
        ("1845", "4 March 1845", False),
        ("3.5 million", "3,500,000", False),
        ("he never came", "he came", True),
        ("he didn’t come", "he came", True),
        ("it was not known", "it was unknown", False),
        ("not seen", "never seen", False),
        ("a knot", "a rope", False),
    ],
)
def test_other_numbers_and_negations_contradict(first: str, second: str, found: bool) -> None:
    assert contradicts(first, second) is contradicts(second, first) is found


def test_an_answer_within_a_quotation_must_be_most_of_it() -> None:
    quote = "the salt wind killed everything that stood"
    assert within(quote, f"He wrote: “{quote}.”") and within(quote, "wind killed everything that stood")
    assert not within(quote, "the salt wind") and not within(quote, "the salt wind spared everything that stood")


def test_long_and_awkward_texts_take_no_time() -> None:
    started = time.process_time()
    for text in (" " * 10**6, "1," * 300_000, "one " * 200_000, "twenty " + " " * 10**6, "." * 10**6, "-" * 10**6):
        numbers(text)
        bare(text)
        contains(text, "not there")
        stated_number(text)
        contradicts(text, "not 1")
    assert time.process_time() - started < 10


def test_a_quotation_may_use_the_other_kind_of_quotation_marks() -> None:
    assert contains(
        'Derived from Latin albedo "whiteness", in turn from albus.', "from Latin albedo 'whiteness', in turn"
    )
    assert not contains('Derived from Latin albedo "whiteness".', "from Latin albedo 'blackness'")
