from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agentinstruct.tools.calculator import calculator_tool
from agentinstruct.tools.units import UnitError, compute, convert, quantity, units_tool


@pytest.mark.parametrize(
    ("value", "unit", "to", "result"),
    [
        (1, "mile", "km", 1.609344),
        (3, "acres", "m^2", 12140.57),
        (1, "year", "hours", 8766),
        (20, "°C", "°F", 68),
        (1, "kWh", "J", 3.6e6),
        (2, "GB", "bits", 1.6e10),
        (5, "L/100 km", "m^3/m", 5e-8),
        (1, "million people", "people", 1e6),
        (10, "m/s", "kilometres per hour", 36),
        (1, "square kilometre", "ha", 100),
        (50, "%", "", 0.5),
        (2, "kilowatt-hours", "MJ", 7.2),
    ],
)
def test_units_are_converted(value, unit, to, result):
    assert convert(value, unit, to) == pytest.approx(result, rel=1e-3)


@pytest.mark.parametrize(("unit", "to"), [("m", "kg"), ("kWh", "kW"), ("USD", "EUR"), ("bits", "people"), ("m^2", "m")])
def test_other_dimensions_are_refused(unit, to):
    with pytest.raises(UnitError):
        convert(1, unit, to)


def nouns(unit):
    return {name: int(power) for name, power in quantity(1, unit).nouns}


def test_what_is_no_unit_of_measure_counts_something():
    assert nouns("tunings per piano per year") == {"tuning": 1, "piano": -1}
    assert nouns("grains of sand") == {"grain": 1}
    assert nouns("piano tuners") == {"tuner": 1}
    assert nouns("litres of water/person/day") == {"person": -1}
    assert nouns("$/passenger-km") == {"passenger": -1}
    assert nouns("working hours") == {}


def test_a_formula_is_worked_out_with_units_and_nouns():
    names = {
        "people": quantity(2.7e6, "people"),
        "per_home": quantity(2.5, "people/household"),
        "owning": quantity(0.05, "pianos/household"),
        "tuned": quantity(1, "tunings/piano/year"),
        "capacity": quantity(1000, "tunings/tuner/year"),
    }
    result = compute("people / per_home * owning * tuned / capacity", names)
    assert (result.magnitude, result.dimension, dict(result.nouns)) == (54, "dimensionless", {"tuner": 1})
    assert compute("a + b", {"a": quantity(1, "km"), "b": quantity(500, "m")}).to("m") == 1500
    assert compute("sqrt(a) * 2", {"a": quantity(9, "m^2")}).to("m") == pytest.approx(6)


@pytest.mark.parametrize(
    "formula",
    [
        "a + b",
        "a ** b",
        "a.real",
        "__import__('os')",
        "c",
        "10 ** 999",
        "min(a, b)",
        "a if a else b",
        "'x'",
        "",
        "(" * 90,
    ],
)
def test_a_formula_that_makes_no_sense_is_refused(formula):
    with pytest.raises(UnitError):
        compute(formula, {"a": quantity(1, "m"), "b": quantity(1, "kg")})


@settings(deadline=None, max_examples=150)
@given(st.text(max_size=60))
def test_any_text_is_a_unit_or_an_error(text):
    with suppress(UnitError):
        assert quantity(1, text).magnitude >= 0


@pytest.mark.parametrize("unit", ["m^99", "x" * 200, "m; import os", "1e99", "m=[length]"])
def test_sizes_are_limited_and_definitions_are_not_read(unit):
    with pytest.raises(UnitError):
        quantity(1, unit)


def test_tools_answer_and_say_what_is_wrong():
    assert (units_tool().name, calculator_tool().name) == ("convert_units", "calculator")
    assert units_tool().invoke({"value": 1, "unit": "mile", "to": "km"}) == "1 mile = 1.60934 km"
    assert units_tool().invoke({"value": 1, "unit": "mile", "to": "kg"}).startswith("error: ")
    assert calculator_tool().invoke({"expression": "(1200 - 950) / 950 * 100"}) == "26.3157894737"
    assert calculator_tool().invoke({"expression": "open('x')"}).startswith("error: ")
