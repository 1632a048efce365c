"""What a piece shares, repeats and wears out is counted."""

import time

import pytest

from agentinstruct.tools import freshness as fresh

SOURCE = "The tide mill in the harbour ground corn twice a day. Its wheel turned only when the pond was full."


def test_the_longest_shared_run_is_found_whatever_its_case_and_marks():
    text = "She wrote: “Its WHEEL turned—only when the pond was low.” The tide mill slept."
    assert fresh.shared_run(text, SOURCE) == "its wheel turned only when the pond was"
    assert fresh.shared_run("Nobody came.", SOURCE) == ""
    assert fresh.shared_run("", "") == ""


def test_repetition_is_a_share_and_names_what_repeats():
    share, run = fresh.repeated_share("the tide came in and the tide came in and the tide came in")
    assert share > 0.4
    assert run == "the tide came in"
    assert fresh.repeated_share(SOURCE) == (0.0, "")
    assert fresh.repeated_share("too short") == (0.0, "")
    assert fresh.repeated_opening("She ran off. She ran back. It rained.") == (pytest.approx(2 / 3), "she ran")
    assert fresh.repeated_sentence("It rained on the mill. He slept. It rained on the mill!") == "it rained on the mill"
    assert fresh.repeated_sentence("He slept. He slept.") == ""


def test_worn_words():
    assert fresh.worn_opening("“Once upon a time,” he said.") == "once upon a time"
    assert fresh.worn_opening("Nobody begins once upon a time.") == ""
    assert fresh.worn_phrases("The mill was a testament\nto patience.") == ["a testament to"]
    assert fresh.worn_names("Dr Sarah Chen met Elara.") == ["elara", "sarah chen"]
    assert fresh.worn_names("Arial type") == []


def test_evenness_of_a_corpus():
    assert fresh.evenness(["a", "b", "c"]) == pytest.approx(1)
    assert fresh.evenness(["a", "a", "a"]) == 0
    assert fresh.evenness(["a"]) == 1
    assert fresh.opening_of("## The Mill\n\nThe tide came in at noon.") == "the tide came"


def test_a_hostile_text_is_counted_in_time():
    began = time.process_time()
    fresh.shared_run("a " * 5_000, "a " * 5_000)
    fresh.repeated_share("a " * 50_000)
    assert time.process_time() - began < 3
