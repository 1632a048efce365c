"""Records survive every format they can be written in; answers that do not fit are refused; order does not count."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentinstruct.tools.formats import FormatError
from agentinstruct.tools.formats.records import (
    OUTPUTS,
    Column,
    Output,
    Record,
    Shape,
    differences,
    json_schema,
    read,
    written,
)

OBJECT = [
    Column("title"),
    Column("authors", many=True),
    Column("price.amount", "number", verbatim=False),
    Column("price.currency"),
    Column("printed", "date", verbatim=False),
]
BOOK: Record = {
    "title": ('Bees: a "field" guide, part 1',),
    "authors": ("A. Ito", "B. Öz"),
    "price.amount": ("12.5",),
    "price.currency": (),
    "printed": ("1987-03",),
}
ROWS = [Column("name"), Column("count", "number", verbatim=False)]
TWO: list[Record] = [{"name": ("a | b",), "count": ("3",)}, {"name": ("c",), "count": ()}]
LIST = [Column("words", many=True)]
CASES: list[tuple[Shape, Sequence[Column], Sequence[Record]]] = [
    ("object", OBJECT, [BOOK]),
    ("rows", ROWS, TWO),
    ("list", LIST, [{"words": ("one", "two")}]),
]


@pytest.mark.parametrize(
    ("shape", "columns", "records", "output"), [(*case, output) for case in CASES for output in OUTPUTS[case[0]]]
)
def test_what_is_written_is_read_back(
    shape: Shape, columns: Sequence[Column], records: Sequence[Record], output: Output
) -> None:
    assert differences(columns, records, read(columns, written(columns, records, shape, output), shape, output)) == []


WORDS = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), min_size=1, max_size=12)
COUNTS = st.integers(-(10**9), 10**9)


@given(st.lists(st.tuples(WORDS, COUNTS), max_size=5), st.sampled_from(OUTPUTS["rows"]))
def test_any_rows_are_read_back(rows: list[tuple[str, int]], output: Output) -> None:
    records: list[Record] = [{"name": (f"n{name}",), "count": (str(count),)} for name, count in rows]
    text = written(ROWS, records, "rows", output)
    assert differences(ROWS, records, read(ROWS, text, "rows", output)) == []


def test_the_schema_nests_at_dots_and_allows_null_but_not_less() -> None:
    schema = json_schema(OBJECT, "object")
    assert schema["required"] == ["title", "authors", "price", "printed"]
    assert schema["properties"]["price"]["properties"]["amount"]["type"] == ["number", "null"]
    assert schema["properties"]["authors"]["items"]["type"] == "string"


@pytest.mark.parametrize(
    ("output", "answer"),
    [
        ("json", '{"title": "x"}'),
        ("json", '{"title": "x", "authors": [], "price": {"amount": "12.5", "currency": null}, "printed": null}'),
        ("json", '{"title": "x", "authors": [], "price": {"amount": 1, "currency": null}, "printed": "March 1987"}'),
        ("json", '{"title": "x", "authors": [], "price": null, "printed": null}'),
        ("yaml", "title: x"),
        ("pairs", "title: x\nauthors: y"),
    ],
)
def test_an_answer_without_its_fields_kinds_or_forms_is_refused(output: Output, answer: str) -> None:
    with pytest.raises(FormatError):
        read(OBJECT, answer, "object", output)


@pytest.mark.parametrize("answer", ["name\na", "count,name\n1,a", "name,count\na,many", "name,count,more\na,1,2"])
def test_a_table_with_other_columns_or_kinds_is_refused(answer: str) -> None:
    with pytest.raises(FormatError):
        read(ROWS, answer, "rows", "csv")


def test_pairs_may_come_in_any_order_and_say_null_or_nothing() -> None:
    answer = "printed: null\nprice.currency:\nprice.amount: 12.5\nauthors: A. Ito; B. Öz\ntitle: Bees"
    found = read(OBJECT, answer, "object", "pairs")
    assert found == [{**BOOK, "title": ("Bees",), "printed": ()}]


def test_differences_name_what_is_missing_and_what_is_not_wanted() -> None:
    found: list[Record] = [{"name": ("c.",), "count": ()}, {"name": ("a | b",), "count": ("4",)}]
    missing, extra = differences(ROWS, TWO, found)
    assert missing == "missing: name=a | b, count=3"
    assert extra.startswith("not wanted: ") and "4" in extra
    assert differences(ROWS, TWO, TWO[::-1]) == []
