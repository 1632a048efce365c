import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentinstruct.tools.quotes import bare, contains, numbers, overlap, same_number

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
    [(3.3333, 3.3334, True), (100, 100.04, True), (100, 100.2, False), (0, 0, True), (0, 0.1, False), (5, -5, False)],
)
def test_numbers_are_compared_up_to_rounding(first: float, second: float, same: bool) -> None:
    assert same_number(first, second) is same


def test_long_and_awkward_texts_take_no_time() -> None:
    started = time.perf_counter()
    for text in (" " * 10**6, "1," * 300_000, "one " * 200_000, "twenty " + " " * 10**6, "." * 10**6, "-" * 10**6):
        numbers(text)
        bare(text)
        contains(text, "not there")
    assert time.perf_counter() - started < 10
