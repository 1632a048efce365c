"""Typed estimates: what is refused when they are read, what they come to, and how they are told."""

import json
from typing import Any

import pytest

from agentinstruct.agents.errors import ReplyError
from agentinstruct.agents.estimate_text import number
from agentinstruct.agents.estimates import Estimated
from agentinstruct.agents.spoken import parsed


def assumption(name: str, value: float, unit: str, low: float, high: float) -> dict[str, Any]:
    meaning = name.replace("_", " ")
    return {
        **{"name": name, "value": value, "unit": unit, "low": low, "high": high, "meaning": meaning},
        "reason": "A fair guess for a city.",
    }


def estimate(**changes: Any) -> dict[str, Any]:
    said = {
        "approach": "From people to pianos to tunings to tuners.",
        "assumptions": [
            assumption("people", 2_700_000, "people", 2_600_000, 2_800_000),
            assumption("household", 2.5, "people/household", 2, 3),
            assumption("pianos", 0.05, "pianos/household", 0.02, 0.1),
            assumption("tunings", 1, "tunings/piano/year", 0.5, 2),
            assumption("capacity", 1_000, "tunings/tuner/year", 600, 1_200),
        ],
        "formula": "people / household * pianos * tunings / capacity",
        **{"result": 54, "unit": "tuners", "order_of_magnitude": 2, "low": 15, "high": 150, "dominant": "pianos"},
        "sanity": "A directory of the city would hold a few dozen names.",
        "conclusion": "There are about 54 piano tuners.",
    }
    return said | changes


def test_it_is_computed_with_units_ranges_and_sensitivity():
    said = Estimated.model_validate(estimate())
    assert said.outcome(said.main) == pytest.approx(54)
    assert max(said.swings(), key=said.swings().get) == "pianos"
    least, most = said.corners()
    assert least == pytest.approx(7.2, abs=0.1) and most == pytest.approx(467, abs=1)


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"formula": "people / luck"}, "luck"),
        ({"formula": "people / household"}, "no formula uses pianos"),
        ({"formula": "__import__('os')"}, "may be called"),
        ({"unit": "m^99"}, "too large"),
        ({"assumptions": [assumption("a b", 1, "", 1, 1), assumption("c", 1, "", 1, 1)]}, "cannot stand in a formula"),
        ({"assumptions": [assumption("cost", 1, "", 1, 1), assumption("cost", 1, "", 1, 1)]}, "same name"),
    ],
)
def test_what_cannot_be_computed_is_refused_with_its_reason(changes, problem):
    with pytest.raises(ReplyError, match="wrong shape") as error:
        parsed(Estimated, json.dumps(estimate(**changes)))
    assert problem in error.value.detail


def test_the_text_shows_all_parts_and_a_calculation_that_can_be_redone():
    for approach in (
        "From people to tuners, step by step.",
        "People, pianos, tuners, and so on.",
        "Down the chain it goes.",
    ):
        text = Estimated.model_validate(estimate(approach=approach)).text
        for part in (approach, "÷ 2.5 × 0.05 × 1 ÷ 1,000 ≈ 54 tuners", "15 to 150 tuners", "few dozen names"):
            assert part.casefold() in text.casefold()


def test_units_stand_in_the_calculation_where_they_are_converted():
    said = estimate(
        assumptions=[assumption("distance", 90, "km", 80, 100), assumption("speed", 5, "m/s", 4, 6)],
        formula="distance / speed",
        **{"result": 5, "unit": "hours", "low": 4, "high": 6.5, "order_of_magnitude": 1, "dominant": "speed"},
    )
    assert "90 km ÷ 5 m/s ≈ 5 hours" in Estimated.model_validate(said).text


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (1250, "1,250"),
        (2_700_000, "2.7 million"),
        (0.0421, "0.0421"),
        (3.2e-7, "3.2 × 10^-7"),
        (6.02e23, "6.02 × 10^23"),
        (41.666, "41.7"),
        (7_900_000_000, "7.9 billion"),
        (0, "0"),
    ],
)
def test_numbers_are_written_as_people_write_them(value, said):
    assert number(value) == said
