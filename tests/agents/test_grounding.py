import pytest

from agentinstruct.agents.grounding import grounded, mentions
from agentinstruct.tools.simulator import ApiParameter


def parameter(name="value", kind="string", default=None):
    return ApiParameter(name=name, type=kind, description="", required=default is None, default=default)


@pytest.mark.parametrize(
    ("value", "source"),
    [
        ("New York", "flights to new  york please"),
        ("bo@dahl.no", "Write to <bo@dahl.no>."),
        ("high_priority", "make it a high priority ticket"),
        ("window seats", "a seat by the window"),
        ("F-2", '[{"id": "F-2", "price": 80}]'),
        (12.5, "it costs $12.50"),
        (1200, "about 1,200 people"),
        (3, "three tickets"),
        (1, "a coffee"),
        (2, "for both of us"),
        (-5, "lower it by 5"),
        (90, "for 1.5 hours"),
        (5000, "a 5k run"),
        (3_000_000, "3 million"),
        (0.2, "a 20% discount"),
        (14, "in two weeks"),
        (37.5, "3 mugs at 12.50 each"),
        ("2025-03-05", "on March 5th, 2025"),
        ("2025-03-05", "the 5th of March; the year is 2025"),
        ("2025-03-05", "2025/03/05"),
        ("2025-03-05T15:00", "5 Mar 2025 at 3 pm"),
        ("09:30", "at 9:30 a.m."),
        ("12:00", "around noon"),
        (["tea", 2], "2 pots of tea"),
        ({"city": "Oslo"}, "in Oslo"),
        (17, "the sum of 9 and 8"),
        (40, "double the 20 I ordered"),
        (64, "80 less 20 percent"),
        (60, "10, 20 and 30 in total"),
    ],
)
def test_a_value_that_was_given_is_grounded(value, source):
    assert grounded(value, None, ["Hello!", source])


@pytest.mark.parametrize(
    ("value", "source"),
    [
        ("York", "Yorkshire"),
        ("New York", "a new plan"),
        ("", "anything"),
        ("user_123", "my user account"),
        (7, "17 tickets and 70 seats"),
        (8, "3 and 5"),
        (99, "3 mugs at 12.50 each"),
        ("2025-03-05", "on March 5th"),
        ("2025-03-05", "on March 15th, 2025"),
        ("2025-13-05", "on 13/05 in 2025"),
        ("15:00", "at 3 am"),
        (["tea", "milk"], "a pot of tea"),
        (17, "9 forks and 8 knives"),
        (200, "10 rooms for 20 people"),
        (True, "yes, please"),
        ("anything", ""),
    ],
)
def test_a_value_that_was_not_given_is_not_grounded(value, source):
    assert not grounded(value, None, [source])


def test_a_default_is_grounded_and_so_is_a_flag_that_is_spoken_of():
    assert grounded("Economy", parameter(default="economy"), [])
    assert not grounded("first", parameter(default="economy"), [])
    assert grounded(True, parameter("gift_wrapped", "boolean"), ["Wrap it as a gift"])


def test_numbers_of_different_turns_are_never_combined():
    assert not grounded(37.5, None, ["3 mugs", "12.50 each"])
    assert not grounded(37.5, None, ["3 mugs each"], ['{"price": 12.5}'])
    prices = '[{"price": 80}, {"price": 45}]'
    assert grounded(125, None, ["Pay the total of both"], [prices])
    assert not grounded(125, None, ["Pay for both"], [prices])
    assert not grounded(125, None, ["Pay the total of both"], ['{"price": 80}', '{"price": 45}'])


def test_a_flag_is_given_by_its_own_words_only():
    flag = parameter("express", "boolean")
    assert not grounded(True, flag, ["Do not forget the stamps, yes?"])
    assert grounded(True, flag, ["Send it by express"])
    assert grounded(False, flag, ["Send it", "No."], answers=[("", "Send it"), ("Should it go express?", "No.")])
    assert not grounded(False, flag, ["Send it", "No."], answers=[("", "Send it"), ("Shall I insure it?", "No.")])
    assert grounded(True, flag, ["Again"], ['{"id": "P-1", "express": true}'])
    assert not grounded(True, flag, ["Again"], ['{"id": "P-1", "express": false}'])


def test_no_source_grounds_nothing():
    assert not any(grounded(value, None, []) for value in ("x", 1, 2.5, True, ["x"], "2025-03-05"))


@pytest.mark.parametrize(
    ("text", "name", "mentioned"),
    [
        ("What is your booking number?", "booking_id", True),
        ("When do you leave?", "departureDate", True),
        ("Where do you leave from?", "departureDate", False),
        ("Which departure do you want?", "departureDate", True),
        ("How many?", "ticket_quantity", True),
        ("How are you?", "ticket_quantity", False),
    ],
)
def test_a_question_names_a_parameter_by_a_word_of_it(text, name, mentioned):
    assert mentions(text, name) is mentioned
