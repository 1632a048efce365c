"""Seeds that are in memory already: texts with what is known of them, as rows of a table, and seeds as they are."""

from collections.abc import Generator, Iterable, Iterator, Mapping
from typing import Any

from agentinstruct.agents.errors import SeedError
from agentinstruct.agents.records import Seed
from agentinstruct.seeds.decoding import row_document
from agentinstruct.seeds.document import Document, SeedOptions, Skipped, Unusable, told
from agentinstruct.seeds.quality import judgement
from agentinstruct.seeds.read import Judge, seeds_of
from agentinstruct.seeds.tables import column_of, taken


def given_seeds(
    given: Iterable[Any], options: SeedOptions, judge: Judge = judgement
) -> Generator[Seed | Skipped, None, None]:
    """Documents that are cut and judged as those of files are, and seeds that are taken as they are.

    Args:
        given: Mappings with a text and, if known, `source`, `title`, `licence` and `language`; or `Seed`s.
        options: How documents are cut, and which column holds their text.
        judge: Says what a piece of a document is good for.

    Raises:
        SeedError: one is neither, or the first has no text column.
    """
    return seeds_of(_documents(given, options), options, judge)


def _documents(given: Iterable[Any], options: SeedOptions) -> Iterator[Document | Seed | Skipped]:
    for number, one in enumerate(given, 1):
        if isinstance(one, Seed):
            yield one
        elif isinstance(one, Mapping):
            yield told(_document(number, {str(name): value for name, value in one.items()}, options))
        else:
            raise SeedError(
                f"seed {number} is {type(one).__name__}: give all as paths, or each as {{'text': …}} or Seed(text=…)."
            )


def _document(number: int, row: dict[str, Any], options: SeedOptions) -> Document | Skipped:
    source = str(row.get("source") or f"document {number}")
    column = column_of(row, options)
    if not column and number == 1:
        wanted = f"no {options.column!r}" if options.column else "no text"
        raise SeedError(f"{source} has {wanted}, only {', '.join(row) or 'nothing'}. Choose the text with column=….")
    found = taken(row, column)
    if isinstance(found, Unusable):
        return Skipped(source, found.reason, found.detail)
    return row_document(source, found, options)
