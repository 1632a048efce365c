from pathlib import Path
from runpy import run_path

import pytest

from agentinstruct.tools.tables import TableError, ask, joined, read, readable

TEXTS = run_path(str(Path(__file__).with_name("texts.py")))


@pytest.mark.parametrize(
    ("text", "names", "rows"),
    [
        ("a;b\nx;1,5\ny;2", ["a", "b"], 2),
        ("| Town | Rain (mm) |\n|---|---:|\n| Avon | 1,200 |\n| Brill | — |", ["Town", "Rain (mm)"], 2),
        (
            "<table><caption>Cap</caption><tr><th>A</th><th>B</th></tr><tr><td>x</td><td>3 km</td></tr></table>",
            ["A", "B"],
            1,
        ),
        ('[{"name": "a", "v": 1, "u": {"k": 2}}, {"name": "b", "v": null}]', ["name", "v", "u.k"], 2),
        (
            '{"mark": "bar", "title": "T", "data": {"values": [{"m": "Jan", "v": 3}, {"m": "Feb", "v": 4}]}}',
            ["m", "v"],
            2,
        ),
        ("Perth | trade | smith\nPerth | age | 60\nAhab | age | 58", ["subject", "trade", "age"], 2),
        (TEXTS["LOG"], ["time", "level", "source", "message", "ms", "rows"], 4),
        (TEXTS["PUMP"], ["Name", "Flow", "Depth", "Weight", "Handles", "Warranty", "Price"], 1),
    ],
)
def test_every_notation_is_read_into_columns_and_rows(text, names, rows):
    table = read(text).tables[0]
    assert [column.name for column in table.columns] == names
    assert len(table.rows) == rows


def test_units_and_missing_values_are_kept():
    table = read('Town,Rain (mm),Share,Cost\nAvon,"1,200",12.5%,$3\nBrill,n/a,40%,\nCrest,300,—,$4').tables[0]
    assert [(c.kind, c.unit) for c in table.columns] == [
        ("text", ""),
        ("number", "mm"),
        ("number", "%"),
        ("number", "$"),
    ]
    assert [row[1:] for row in table.rows] == [(1200.0, 12.5, 3.0), (None, 40.0, None), (300.0, None, 4.0)]
    assert list(table.gaps) == [(1, 1), (1, 3), (2, 2)]


def test_titles_and_several_tables_are_told_apart_and_joined_by_their_key():
    data = read(TEXTS["JOINED"])
    assert [table.title for table in data.tables] == ["Stores", "Sales 2023"]
    both = joined(data.tables)
    assert both is not None and both.names == ("A1", "B2", "C3")
    assert ask("value('revenue', 'A1') / value('floor area', 'A1') * 1e6", data) == pytest.approx(5714.28, abs=0.1)


@pytest.mark.parametrize(
    "text", ["", "Just a sentence, with commas, and more.", "{broken", "a,b\n1", "x" * 70_000, "<table><tr></table>"]
)
def test_what_is_no_table_says_so(text):
    assert readable(text)


@pytest.mark.parametrize(
    ("query", "value"),
    [
        ("total('Visitors')", 40.6),
        ("average('Share of budget', 'Region = coast')", 37.5),
        ("middle('Share of budget')", 25),
        ("largest('Visitors') - smallest('Visitors')", 12.1),
        ("spread('Visitors')", 12.1),
        ("rows('Region = coast and Share of budget > 36')", 1),
        ("missing('Visitors')", 1),
        ("which_largest('Visitors')", "Old Mill"),
        ("which_smallest('Share of budget', 'Region = coast')", "South Wing"),
        ("rank('Share of budget', 'West Tower')", 3),
        ("value('Opened', 'Old Mill')", "1888"),
        ("round(value('Visitors', 'North Hall') / total('Visitors') * 100, 1)", 30.8),
    ],
)
def test_questions_are_answered_from_the_table(query, value):
    assert ask(query, read(TEXTS["MUSEUMS"])) == (pytest.approx(value) if isinstance(value, float | int) else value)


@pytest.mark.parametrize(
    "query",
    [
        "value('Visitors', 'South Wing')",
        "value('Visitors', 'Louvre')",
        "total('Region')",
        "total('Weight')",
        "rows('nonsense')",
        "total(Visitors)",
        "__import__('os')",
        "value('Visitors', 'North Hall').real",
        "1 / 0",
        "rank('Visitors')",
        "[1, 2]",
        "x" * 700,
        "(" * 150,
    ],
)
def test_what_cannot_be_answered_is_an_error_and_nothing_else(query):
    with pytest.raises(TableError):
        ask(query, read(TEXTS["MUSEUMS"]))
