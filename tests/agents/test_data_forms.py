"""Shapes of data are read back as they were filled in; questions over them are drawn, answered and worded."""

from random import Random

import pytest

from agentinstruct.agents.errors import ReplyError
from agentinstruct.agents.forms.data import Alert, Verbal
from agentinstruct.agents.forms.lookup import Lookup, Worded
from agentinstruct.agents.forms.lookups import DERIVED, HARD, SIMPLE, reread, sampled, stated
from agentinstruct.agents.forms.rows import Rows
from agentinstruct.agents.scripted.data_words import facts
from agentinstruct.agents.shapes import SHAPES
from agentinstruct.agents.shapes_data import Tabled
from agentinstruct.tools.tables import read

TEXT = "Lighthouse keepers counted passing vessels every evening while travellers waited beside northern harbours."
DATA = "Rain\nTown,Region,Rain (mm)\nAvon,coast,82\nBrill,coast,n/a\nCrest,inland,40\nDunmow,inland,61"


@pytest.mark.parametrize(
    "shape", [s for s in SHAPES.values() if facts(TEXT, s.__name__)], ids=lambda shape: shape.__name__
)
def test_every_shape_is_read_back(shape):
    reply = shape(suitable=True, reason="", **facts(TEXT, shape.__name__))
    assert reply.unfit() == ""
    names = {name for table in read(reply.passage_text).tables for name in table.names}
    assert names


@pytest.mark.parametrize(
    ("columns", "rows", "problem"),
    [
        (["Town", "Rain"], [["a", "1"], ["b"]], "2 columns"),
        (["Town", "Town"], [["a", "1"]], "a name of its own"),
        (["Town", "Kind"], [["a", "x"], ["b", "x"], ["c", "y"]], "no column holds numbers"),
        (["Town", "Rain"], [["a", "1"], ["b", "2"]], "3 are needed"),
        (["Town", "Rain"], [["a", "1"], ["a", "2"], ["b", "3"]], "tells the rows apart"),
        (["Town", "Rain"], [], "readable"),
    ],
)
def test_cells_that_make_no_data_are_named(columns, rows, problem):
    fault = Tabled(suitable=True, reason="", title="T", columns=columns, rows=rows).unfit()
    assert problem in fault or (problem == "readable" and fault)


@pytest.mark.parametrize("shape", ["records", "table", "joined", "log", "survey", "chart", "series"])
def test_drawn_questions_can_be_read_back_to_the_same_answer(shape):
    reply = SHAPES[shape](suitable=True, reason="", **facts(TEXT, SHAPES[shape].__name__))
    data, found = read(reply.passage_text), 0
    for level in (SIMPLE, DERIVED, HARD):
        for seed in range(8):
            core = sampled(data, level, Random(seed))
            if core is not None:
                found += 1
                again = reread(core.asks, data)
                assert again is not None and stated(again, len(core.answer.partition(".")[2])) == core.answer
    assert found > 6


def lookup(**changes):
    core = {"query": "total('Rain')", "asks": "the total of Rain (mm) over all rows", "answer": "183", "unit": "mm"}
    return Lookup(**{"question": "How much rain fell in total?", "data": DATA, **core, **changes})


async def test_a_question_needs_its_core_and_its_names():
    with pytest.raises(ReplyError):
        await Lookup.make(Worded(question="How much rain fell?"), None)
    assert list(lookup().faults(DATA)) == []
    assert "the data gives 183" in str(list(lookup(answer="184").faults(DATA)))
    assert "does not name" in str(list(lookup(question="How many were there altogether?").faults(DATA)))
    assert "contains its answer" in str(list(lookup(question="Did 183 mm of rain fall in total?").faults(DATA)))


@pytest.mark.parametrize(
    ("key", "answer", "agrees"),
    [
        ("183 mm", "183 mm", True),
        ("183 mm", "The total is 183.", True),
        ("41.9 %", "41.89 %", True),
        ("41.9 %", "42 %", False),
        ("North Hall", "It is North Hall.", True),
        ("North Hall", "Old Mill", False),
        ("-3 mm", "-3", True),
    ],
)
def test_answers_agree_up_to_rounding(key, answer, agrees):
    assert Lookup.agrees(key, answer) is agrees


def test_lines_are_filled_with_values_as_written_and_with_the_words_for_a_gap():
    rows = Rows(instruction="A line for each town, please.", template="{Town}: {Rain (mm)} mm.", gap="no reading of")
    assert list(rows.faults(DATA)) == []
    assert rows.lines(read(DATA))[:2] == ["Avon: 82 mm.", "Brill: no reading of mm."]
    assert list(rows.model_copy(update={"where": "Region = sea"}).faults(DATA)) == [("form", "no row has Region = sea")]


def test_an_alert_is_about_some_rows_and_states_its_limit():
    alert = Alert(instruction="Warn the crew of each town above 60 mm.", condition="Rain > 60")
    assert list(alert.faults(DATA)) == []
    assert "state the limit" in str(list(alert.model_copy(update={"condition": "Rain > 50"}).faults(DATA)))
    assert "a few" in str(list(alert.model_copy(update={"condition": "Rain > 1"}).faults(DATA.replace("n/a", "5"))))


def verbal(instruction, **more):
    return list(Verbal(instruction=instruction, **more).faults(DATA))


def test_a_demand_must_be_stated_and_a_name_must_be_of_the_data():
    asked = "Describe the rain in Avon in at most 40 words."
    assert verbal(asked, names=["Avon"], demands=[{"kind": "max_words", "number": 40}]) == []
    assert "grounded" in str(verbal(asked, names=["Bristol"]))
    assert "state the number" in str(verbal(asked, demands=[{"kind": "max_words", "number": 50}]))
    assert "causes are unwanted" in str(verbal(asked, no_causes=True))
    assert "cannot be computed" in str(verbal(asked, figures=[{"what": "wind", "query": "total('Wind')"}]))
