"""Readers of formats: what is wholly in the format is read, everything else is refused with its place."""

from typing import Any

import pytest

from agentinstruct.tools import formats
from agentinstruct.tools.formats import FormatError, Table

SCHEMA = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "age": {"type": ["integer", "null"]}},
    "required": ["name", "age"],
    "additionalProperties": False,
}


@pytest.mark.parametrize(("text", "value"), [(' {"a": [1, null]} ', {"a": [1, None]}), ("[]", []), ('"x"', "x")])
def test_json_is_one_value(text: str, value: Any) -> None:
    assert formats.read_json(text) == value


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "empty"),
        ('Here: {"a": 1}', "line 1"),
        ('{"a": 1} Done.', "Extra data"),
        ('{"a": 1, "a": 2}', "'a' stands twice"),
        ('{"a": NaN}', "NaN"),
        ("{'a': 1}", "line 1, column 2"),
        ('{"a": 1,}', "not JSON"),
        ("[" * 100_000, "not"),
        ("1" * 1_000_001, "longer"),
        ("9" * 5000, "not usable"),
    ],
)
def test_what_is_not_json_is_refused(text: str, words: str) -> None:
    with pytest.raises(FormatError, match=words):
        formats.read_json(text)


def test_json_within_words_or_a_fence_is_found_only_when_asked_for() -> None:
    assert formats.embedded_json('Sure! ```json\n{"a": 1}\n``` Bye') == {"a": 1}
    assert formats.embedded_json("The set {a} and [1, 2] end.") == [1, 2]
    with pytest.raises(FormatError):
        formats.embedded_json("nothing here")


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ({"name": "Ada", "age": None}, []),
        ({"name": "Ada"}, ["age"]),
        ({"name": 1, "age": 2}, ["name: 1 is not"]),
        ({"name": "Ada", "age": 2, "x": 1}, ["x"]),
        ([], ["the value"]),
    ],
)
def test_schemas_are_applied(value: Any, words: list[str]) -> None:
    found = formats.schema_faults(SCHEMA, value)
    assert len(found) == len(words)
    assert all(word in fault for word, fault in zip(words, found, strict=True))


@pytest.mark.parametrize(
    "schema",
    [{"type": "strin"}, {"$ref": "http://example.com/x"}, {"$ref": "file:///etc/passwd"}, {"pattern": "("}],
)
def test_a_schema_that_cannot_be_used_is_a_fault_and_fetches_nothing(schema: dict[str, Any]) -> None:
    assert "cannot be used" in formats.schema_faults(schema, "x")[0]


def test_tables_are_read_as_they_were_written() -> None:
    table = Table(("name", "note"), (("Ada", 'a "b", c | d'), ("Bo", "")))
    assert formats.read_csv(formats.write_csv(table.columns, table.rows)) == table
    assert formats.read_markdown_table(formats.write_markdown_table(table.columns, table.rows)) == table
    assert table.records()[1] == {"name": "Bo", "note": ""}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a,b\n1", "row 1 has 1"),
        ("a,a\n1,2", "distinct"),
        ('a,b\n"1,2', "not CSV"),
        ("a,\n1,2", "distinct"),
        ("Here is the CSV:\na,b\n1,2", "row 1 has 2"),
    ],
)
def test_what_is_not_csv_is_refused(text: str, words: str) -> None:
    with pytest.raises(FormatError, match=words):
        formats.read_csv(text)


@pytest.mark.parametrize(
    "text",
    ["| a | b |\n| 1 | 2 |", "The table:\n| a |\n|---|\n| 1 |", "| a | b |\n|---|---|\n| 1 |", "a | b\n---|---\n1 | 2"],
)
def test_what_is_not_a_markdown_table_is_refused(text: str) -> None:
    with pytest.raises(FormatError):
        formats.read_markdown_table(text)


def test_lists_and_pairs_are_one_to_a_line() -> None:
    assert formats.read_list("- a b\n- c") == ["a b", "c"]
    assert formats.read_list("1. a\n2) b") == ["a", "b"]
    assert formats.read_pairs("a b: c: d\n\ne:\nurl: http://x.y") == {"a b": "c: d", "e": "", "url": "http://x.y"}
    for text in ("Here:\n- a", "- a\n* b", "- a\nb", "-"):
        with pytest.raises(FormatError):
            formats.read_list(text)
    for text in ("a: 1\na: 2", "just words", "- a: 1"):
        with pytest.raises(FormatError):
            formats.read_pairs(text)


def test_yaml_is_data_and_no_more() -> None:
    assert formats.read_yaml("a: 1\nb: [x, null]\nc: 2024-03-05") == {"a": 1, "b": ["x", None], "c": "2024-03-05"}
    for text in ("a: &x 1\nb: *x", "a: !!python/object/apply:os.system [ls]", "a: 1\na: 2", "a: [", "--- 1\n--- 2"):
        with pytest.raises(FormatError):
            formats.read_yaml(text)


TEXT = "On 4 March 1754 the “Society”  paid\n£1,250 to Mrs O’Hara at 2:30 pm; in June 1755 twelve men left."


@pytest.mark.parametrize("span", ['the "Society" paid', "£1,250", "Mrs O'Hara", "twelve men"])
def test_a_span_stands_whatever_its_blanks_and_quotes(span: str) -> None:
    assert formats.stands(span, TEXT)


@pytest.mark.parametrize("span", ["the society", "Mrs Ohara", "welve men", "1,25", "", "paid 1,250"])
def test_other_letters_other_case_or_part_of_a_word_do_not_stand(span: str) -> None:
    assert not formats.stands(span, TEXT)


@pytest.mark.parametrize(
    ("value", "kind", "span", "holds"),
    [
        ("1754-03-04", "date", "4 March 1754", True),
        ("1754-04-03", "date", "4 March 1754", False),
        ("1755-06", "date", "June 1755", True),
        ("1755-06-01", "date", "June 1755", False),
        ("1755", "date", "in 1755", True),
        ("1250", "number", "£1,250", True),
        ("12", "number", "twelve men", True),
        ("3500000", "number", "3.5 million", True),
        ("1,250", "number", "£1,250", False),
        ("1260", "number", "£1,250", False),
        ("14:30", "time", "2:30 pm", True),
        ("02:30", "time", "2:30 pm", False),
        ("mrs o'hara", "text", "Mrs O’Hara,", True),
        ("O'Hara", "text", "Mrs O’Hara", False),
        ("2023-02-30", "date", "30 February 2023", False),
    ],
)
def test_a_normal_form_says_what_its_span_says(value: str, kind: formats.spans.Kind, span: str, holds: bool) -> None:
    assert formats.normal(value, kind, span) is holds


@pytest.mark.parametrize(
    ("name", "text", "found"),
    [
        ("due_date", "Total: 12\nDue date: 3 May", "Due date: 3 May"),
        ("due_date", "The bill was paid late.", ""),
        ("email", "Write to ada@example.org soon.", "ada@example.org"),
        ("phone", "Nobody answered.", ""),
        ("customer.name", "Customer name: Ada", "Customer name: Ada"),
        ("author", "Author: n/a", ""),
        ("author", "The author spoke.", ""),
        ("vat", "| VAT | 12.50 |", "| VAT | 12.50"),
    ],
)
def test_a_field_that_is_there_is_found_by_its_label_or_its_looks(name: str, text: str, found: str) -> None:
    assert formats.candidate(name, text) == found
