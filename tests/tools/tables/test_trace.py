import re
from pathlib import Path
from random import Random
from runpy import run_path

import pytest

from agentinstruct.tools.tables import names_in, read, traceable, uncovered

TEXTS = run_path(str(Path(__file__).with_name("texts.py")))


def refused(text, data):
    return [finding.said for finding in traceable(text, read(data)) if not finding.traced]


@pytest.mark.parametrize(("data", "text"), TEXTS["FAITHFUL"])
def test_every_number_of_a_faithful_text_is_traced_with_its_derivation(data, text):
    assert refused(text, data) == []


@pytest.mark.parametrize(("data", "text", "said"), TEXTS["WRONG"])
def test_a_number_of_another_row_or_of_nowhere_is_not(data, text, said):
    assert said in refused(text, data)


def test_few_random_numbers_pass():
    """Of every number in the faithful texts, replaced by another of the same look: about one in 14 passes, most of
    them single digits; of numbers with three digits or more about one in a hundred."""
    draw, tried, passed, long_tried, long_passed = Random(5), 0, 0, 0, 0
    for data, text in TEXTS["FAITHFUL"]:
        for match in re.finditer(r"(?<![\w.,])\d[\d,]*(?:\.\d+)?(?!\w)", text):
            for _ in range(6):
                new = re.sub(
                    r"\d", lambda m, at=match: draw.choice("123456789" if m.start() == 0 else "0123456789"), match[0]
                )
                if new == match[0]:
                    continue
                wrong = f"{text[: match.start()]}{new}{text[match.end() :]}"
                found = [f for f in traceable(wrong, read(data)) if new in f.said]
                accepted = bool(found) and all(f.traced for f in found)
                digits = len(re.sub(r"\D", "", new))
                tried, passed = tried + 1, passed + accepted
                long_tried, long_passed = long_tried + (digits > 2), long_passed + (accepted and digits > 2)
    assert passed / tried < 0.12
    assert long_passed / long_tried < 0.03


def test_numbers_of_the_request_count_as_given_but_not_the_length_it_asks_for():
    data = read(TEXTS["RAIN"])
    text = "Three months had more than 60 mm."
    assert [f.traced for f in traceable(text, data, "Which months had more than 60 mm?")] == [True, True]
    assert not all(f.traced for f in traceable("It fell on 25 days.", data, "Write 25 words."))


def test_names_are_held_against_data_and_request():
    data = read(TEXTS["MUSEUMS"])
    assert names_in("The Louvre drew more than North Hall did in April.", data) == ["Louvre"]
    assert names_in("As the Louvre knows, Old Mill leads.", data, "Write for the Louvre.") == []
    assert uncovered("Old Mill and South Wing lead.", ["Old Mill", "West Tower"]) == ["West Tower"]
    assert uncovered("In March it rained.", ["2023-03", "2023-04"]) == ["2023-04"]


def test_time_is_bounded_on_large_tables_and_texts():
    rows = "\n".join(f"Town {i},{i * 7 % 97},{i * 13 % 89},{i % 5}" for i in range(200))
    data = read(f"Town,Rain,Wind,Class\n{rows}")
    text = " ".join(f"Town {i} rose by {i * 3}% to {i * 7 + 1}, more than Town {i + 1}." for i in range(150))
    assert len(traceable(text, data)) > 100
