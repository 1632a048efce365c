"""Estimates that the scripted model knows: for each kind of question one, with its assumptions and its formula."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Guess:
    """An assumption: name, meaning, unit, its smallest, middle and largest value."""

    name: str
    meaning: str
    unit: str
    low: float
    value: float
    high: float


@dataclass(frozen=True, slots=True)
class Model:
    """A question about a word of the text, and how it is estimated. `{g}` in it is the given, `{w}` the word."""

    asks: str
    given: str
    given_unit: str
    given_value: float
    guesses: tuple[Guess, ...]
    formula: str
    unit: str
    other_unit: str
    second: str = ""
    """The second formula of a comparison."""


_PEOPLE = Guess("population", "the people of the town", "people", 20_000, 40_000, 80_000)
_STAFF = Guess("staff", "the people who do the work", "people", 6, 12, 24)
_HALL = Guess("area", "the floor area of the hall", "m^2", 150, 300, 600)

MODELS: Mapping[str, Model] = MappingProxyType(
    {
        "count": Model(
            "Roughly how many visits does an exhibition on “{w}” have in a year in a town{g}?",
            " of 40000 people",
            "people",
            40_000,
            (_PEOPLE, Guess("visits", "the visits of a person in a year", "visits/person", 0.1, 0.2, 0.4)),
            "population * visits",
            "visits",
            "thousand visits",
        ),
        "duration": Model(
            "How many hours would it take{g} to copy a book on “{w}” by hand, with no breaks counted?",
            " 12 people",
            "people",
            12,
            (
                _STAFF,
                Guess("words", "the words of the book", "words", 60_000, 100_000, 150_000),
                Guess("speed", "the words that a person writes in an hour", "words/person/hour", 600, 1_000, 1_400),
            ),
            "words / (staff * speed)",
            "hours",
            "days",
        ),
        "cost": Model(
            "What would it cost, in USD, to print a leaflet on “{w}” for every household of a town{g}?",
            " of 40000 people",
            "people",
            40_000,
            (
                _PEOPLE,
                Guess("household", "the people of a household", "people/household", 2, 2.5, 3),
                Guess("price", "the price of printing a leaflet", "USD/household", 0.1, 0.2, 0.5),
            ),
            "population / household * price",
            "USD",
            "thousand USD",
        ),
        "energy": Model(
            "How many kWh does it take to light a hall{g} for an exhibition on “{w}” for a year?",
            " of 300 m^2",
            "m^2",
            300,
            (
                _HALL,
                Guess("power", "the power of the lamps for a square metre", "W/m^2", 5, 10, 20),
                Guess("time", "the time for which they are on in a year", "hours", 1_500, 2_000, 3_000),
            ),
            "area * power * time",
            "kWh",
            "MJ",
        ),
        "material_mass": Model(
            "What is the mass, in kg, of the books that would cover the floor of a hall{g} on “{w}” in one layer?",
            " of 300 m^2",
            "m^2",
            300,
            (
                _HALL,
                Guess("size", "the area that a book covers", "m^2/book", 0.03, 0.04, 0.06),
                Guess("mass", "the mass of a book", "kg/book", 0.4, 0.6, 1.0),
            ),
            "area / size * mass",
            "kg",
            "tonnes",
        ),
        "rate_throughput": Model(
            "At the busiest time, how many visitors per hour can{g} let into an exhibition on “{w}”, one by one?",
            " 12 people",
            "people",
            12,
            (_STAFF, Guess("pace", "the time that one visitor takes", "person*second/visitor", 10, 20, 40)),
            "staff / pace",
            "visitors/hour",
            "visitors/minute",
        ),
        "probability": Model(
            "What is the probability, from 0 to 1, that somebody who passes a show on “{w}”{g} goes in?",
            " with 2 open doors",
            "doors",
            2,
            (
                Guess("doors", "the open doors", "doors", 1, 2, 4),
                Guess("chance", "the chance that a door is noticed and used", "1/door", 0.01, 0.03, 0.08),
            ),
            "doors * chance",
            "",
            "%",
        ),
        "capacity": Model(
            "How many people fit into a hall{g} for a talk on “{w}”, if they sit?",
            " of 300 m^2",
            "m^2",
            300,
            (
                _HALL,
                Guess("used", "the share of the floor that seats can take", "", 0.5, 0.7, 0.8),
                Guess("room", "the floor that a seat takes", "m^2/person", 0.6, 0.8, 1.2),
            ),
            "area * used / room",
            "people",
            "thousand people",
        ),
        "information_storage": Model(
            "How many GB do sound recordings of a whole year take in which{g} talk about “{w}” all their working time?",
            " 12 people",
            "people",
            12,
            (
                _STAFF,
                Guess("time", "the working time of a person in a year", "hours/person", 1_300, 1_600, 2_000),
                Guess("rate", "the data rate of recorded speech", "kbit/s", 32, 64, 128),
            ),
            "staff * time * rate",
            "GB",
            "TB",
        ),
        "compare_magnitudes": Model(
            "Which is greater, in kg: leaflets on “{w}” for all the people of a town{g}, or one car? By what factor?",
            " of 40000 people",
            "people",
            40_000,
            (
                _PEOPLE,
                Guess("leaflet", "the mass of a leaflet", "kg/person", 0.004, 0.005, 0.01),
                Guess("car", "the mass of a car", "kg", 1_000, 1_400, 2_000),
            ),
            "population * leaflet",
            "kg",
            "tonnes",
            "car",
        ),
        "land_and_water": Model(
            "How many m^3 of rain fall in a year on the roof of a hall{g} that shows “{w}”?",
            " of 300 m^2",
            "m^2",
            300,
            (_HALL, Guess("rain", "the height of a year's rain", "m", 0.5, 0.8, 1.5)),
            "area * rain",
            "m^3",
            "litres",
        ),
        "what_if_everyone": Model(
            "If everybody in a town{g} said “{w}” once a day for a year, how many hours of speech would that be?",
            " of 40000 people",
            "people",
            40_000,
            (_PEOPLE, Guess("length", "the time it takes to say it once a day for a year", "s/person", 150, 250, 500)),
            "population * length",
            "hours",
            "days",
        ),
        "feasibility": Model(
            "A sign says that a hall{g} for “{w}” holds 3000 people standing. Can that be? By what factor is it off?",
            " of 300 m^2",
            "m^2",
            300,
            (
                Guess("claimed", "the people that the sign claims", "people", 3_000, 3_000, 3_000),
                _HALL,
                Guess("room", "the floor that a standing person takes", "m^2/person", 0.3, 0.4, 0.6),
            ),
            "claimed",
            "people",
            "thousand people",
            "area / room",
        ),
    }
)
