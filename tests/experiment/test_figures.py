"""Intervals of figures that depend on how many records there are: arms of one making do not look different."""

import numpy as np

from agentinstruct.experiment.figures import Gathering, compared
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
