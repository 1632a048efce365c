"""What may be said besides the cells of numbers: figures of the request, in titles and texts, in names and dates."""

import re
from collections.abc import Iterator, Sequence

from agentinstruct.tools.tables.mentions import Mention, sentences
from agentinstruct.tools.tables.read import Data
from agentinstruct.tools.tables.table import Table

_NO_FACTS = re.compile(
    r"\s*(?:words?|sentences?|bullets?|bullet points|characters?|paragraphs?|lines?|points?|items?|columns?)\b"
)
_DEMANDED = 60


def given_numbers(text: str) -> Iterator[float]:
    """Numbers that a request states as facts or limits, not as lengths of the answer."""
    for paragraph in sentences(text):
        for sentence in paragraph:
            for m in sentence.mentions:
                if not _NO_FACTS.match(sentence.text[m.start + len(m.said) : m.start + len(m.said) + _DEMANDED]):
                    yield m.value


def numbers_of(text: str, names: Sequence[str]) -> Iterator[Mention]:
    """The numbers of a text, those within names left out."""
    yield from (m for paragraph in sentences(text, names) for s in paragraph for m in s.mentions)


def texts_of(data: Data) -> Iterator[str]:
    """Titles and cells of text, which may hold numbers of their own."""
    for table in data.tables:
        yield table.title
        for i, column in enumerate(table.columns):
            if column.kind == "text":
                yield from (str(row[i]) for row in table.rows if row[i] is not None and re.search(r"\d", str(row[i])))


def digit_names(tables: Sequence[Table]) -> set[str]:
    """Names with a digit in them, such as `Route 66`; plain numbers and dates are none."""
    names = [name for table in tables for name in (*table.names, *(column.name for column in table.columns))]
    names += [text for table in tables for _, text in table.groups]
    found = {name for name in names if re.search(r"\d", name) and re.search(r"[^\W\d_]", name) and len(name) <= 60}
    short = {
        m[0].strip() for name in found if (m := re.match(r"(?:[^\W\d_]+ )+\d+\b", name))
    }  # `Brook 3` of `Brook 3 pump`
    return found | short


def date_cells(table: Table) -> Iterator[str]:
    """The dates of a table, as written."""
    for i, column in enumerate(table.columns):
        if column.kind == "date":
            yield from (str(row[i]) for row in table.rows if row[i] is not None)
