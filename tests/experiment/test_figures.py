"""Intervals of figures that depend on how many records there are: arms of one making do not look different."""

from dataclasses import replace

import numpy as np

from agentinstruct.experiment.conduct import doubts
from agentinstruct.experiment.figures import MOST, Gathering, compared
from tests.dataset.test_measure import done, record

ARMS, RECORDS = 16, 50


def test_the_interval_of_a_likeness_holds_that_of_all_there_could_be():
    draw = np.random.default_rng(1)

    def vectors(count):
        found = draw.normal(size=(count, 16)) * draw.uniform(0.3, 1.2, (count, 1)) + 0.5
        return found / np.linalg.norm(found, axis=1, keepdims=True)

    true = float(np.linalg.norm(vectors(200_000).mean(0)) ** 2)
    arms = {str(number): Gathering() for number in range(ARMS)}
    for name, arm in arms.items():
        for number in range(RECORDS):
            arm.add(done([record((name, number), asked=f"Question {number} of {name}")]))
    found = [arm.figures for arm in compared(arms, lambda texts: vectors(len(texts)).tolist())]
    likeness = [one["similarity"] for one in found]
    assert sum(one.low <= true <= one.high for one in likeness) >= ARMS - 2
    assert all(one.low <= other.high for one in likeness for other in likeness[:1])
    assert all(1 <= one["categories"].low <= one["categories"].high <= 40 for one in found)
    assert all(one["distinct"].low <= one["distinct"].value <= one["distinct"].high <= 1 for one in found)


def arms_of(accepted, count=6):
    """Two arms of so many records each, of which none or all are accepted."""
    arms = {name: Gathering(bought=count) for name in "ab"}
    for name, arm in arms.items():
        for number in range(count):
            one = record((name, number), accepted=accepted, asked=f"Must it be {number}?")
            arm.add(done([one], seed=str(number)))
    return compared(arms, lambda texts: np.eye(len(texts)).tolist())


def test_what_failed_a_check_and_was_kept_is_compared_by_its_texts():
    found = arms_of(accepted=False)
    assert [(one.records, one.figures["yield"].value, one.figures["passed"].value) for one in found] == [(0, 0, 0)] * 2
    assert all(one.figures["asked"].value == 4 and one.figures["demands"].value == 1 for one in found)
    assert 0 < found[0].figures["yield"].high < 60, "six seeds are no proof that nothing ever passes"


def test_what_cannot_be_compared_is_said():
    assert doubts(arms_of(accepted=True), 6) == []
    assert "No arm has an accepted record" in doubts(arms_of(accepted=False), 6)[0]
    assert "the seeds were used up" in doubts(arms_of(accepted=True), 60)[0]
    unfinished = [replace(one, bought=60) for one in arms_of(accepted=True)]
    assert doubts(unfinished, 60)[0].startswith(
        "a, b: over a third of the calls went into work that they did not finish"
    )


def test_every_repeat_is_described():
    arms = {"many": Gathering(), "few": Gathering()}
    for repeat in range(3):
        for number in range(1000):
            asked = "word " * (10 * (1 + repeat))
            arms["many"].add(done([record((repeat, number), asked=asked, seed_id=str(number))]))
    arms["few"].add(done([record(0)]))
    asked = compared(arms, lambda texts: np.eye(len(texts)).tolist())[0].figures["asked"]
    assert asked.of == MOST
    assert asked.low < 20 < asked.high, "the mean of 10, 20 and 30"
