"""From paths to seeds, as a stream.

    paths ─ find ─ open ─ decode or extract ─ Document ─ chunk ─ judge ─ Seed | Skipped(reason)

What one file does, however hostile, ends in its `Skipped`; memory holds one file (or one row) at a time.
"""

from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing
from typing import BinaryIO

from agentinstruct.agents.errors import SeedError
from agentinstruct.agents.records import Modality, Seed, content_id
from agentinstruct.seeds.decoding import row_document, whole_document
from agentinstruct.seeds.document import Document, SeedOptions, Skipped, Unusable, told
from agentinstruct.seeds.files import find_files, open_file
from agentinstruct.seeds.formats import Format, format_of
from agentinstruct.seeds.once import Once
from agentinstruct.seeds.packing import code_chunks, prose_chunks
from agentinstruct.seeds.quality import Judgement, judgement
from agentinstruct.seeds.tables import TABLES, NoColumn
from agentinstruct.seeds.worker import Worker

_DEFAULT = SeedOptions()
Judge = Callable[[str, Modality, int], Judgement]


def read_seeds(
    paths: Sequence[str], options: SeedOptions = _DEFAULT, judge: Judge = judgement
) -> Generator[Seed | Skipped, None, None]:
    """Seeds of files, folders and patterns, in the order of `paths` and sorted within each.

    What `judge` says of a piece depends on nothing but the piece, so it may be remembered. Reading starts when the
    first is asked for; closing the iterator ends what it started.

    Raises:
        SeedError: a path matches nothing, or a table that was named has no such column.
    """
    return seeds_of(read_documents(paths, options), options, judge)


def read_documents(paths: Sequence[str], options: SeedOptions = _DEFAULT) -> Iterator[Document | Skipped]:
    """The decoded texts that the spans of `read_seeds` count in; errors as there."""
    found = find_files(paths)
    _check_columns(paths, options)
    return map(told, _documents(found, options))


def _check_columns(paths: Sequence[str], options: SeedOptions) -> None:
    """Raises SeedError when a table that was named lacks the text column: before any work is paid for."""
    with closing(Worker(options)) as worker:
        for path in paths:
            form = format_of(path)
            if form and form.reader in TABLES:
                _check_column(path, form, options, worker)


def _check_column(path: str, form: Format, options: SeedOptions, worker: Worker) -> None:
    try:
        with open_file(path, follow=True) as file, closing(_table(path, file, form, options, worker)) as rows:
            next(rows, None)
    except NoColumn as error:
        raise SeedError(f"{path}: {error.told}. Choose the text column with --column.") from error
    except Unusable:
        return  # it is told when the file's turn comes


def seeds_of(
    documents: Iterable[Document | Seed | Skipped], options: SeedOptions, judge: Judge = judgement
) -> Generator[Seed | Skipped, None, None]:
    """The seeds of texts that are read already; what is a seed already stays as it is. Each text is given once."""
    seen = Once()
    for document in documents:
        for item in _pieces(document, options, judge) if isinstance(document, Document) else (document,):
            if isinstance(item, Seed):
                mine = isinstance(document, Document)
                digest = bytes.fromhex(item.id if mine else content_id(item.id))
                if not seen.add(digest):
                    item = Skipped(
                        item.source, "duplicate", f"characters {item.start}–{item.end}: the text of another seed"
                    )
            yield item


def _pieces(document: Document, options: SeedOptions, judge: Judge) -> Iterator[Seed | Skipped]:
    text = document.text
    if document.modality == "code":
        spans = code_chunks(text, document.cuts, options.max_chars, options.min_chars)
    else:
        spans = prose_chunks(text, options.max_chars, options.min_chars, document.markdown)
    if not spans:
        yield Skipped(document.source, "near-empty", "it holds no text")
    for start, end in spans:
        yield _judged(document, start, end, options, judge)


def _judged(document: Document, start: int, end: int, options: SeedOptions, judge: Judge) -> Seed | Skipped:
    text = document.text[start:end]
    language, flaw = judge(text, document.modality, options.min_chars)
    if document.modality == "code":
        language = document.language
    elif not flaw and options.languages and language not in options.languages:
        flaw = "language", f"{language or 'an unknown one'} is not asked for"
    if flaw:
        return Skipped(document.source, flaw[0], f"characters {start}–{end}: {flaw[1]}")
    return Seed(
        text=text,
        source=document.source,
        start=start,
        end=end,
        modality=document.modality,
        language=language,
        licence=document.licence,
        title=document.title,
    )


def _documents(found: Iterator[tuple[str, bool] | Skipped], options: SeedOptions) -> Iterator[Document | Skipped]:
    with closing(Worker(options)) as worker:
        for item in found:
            if isinstance(item, Skipped):
                yield item
                continue
            path, named = item
            try:
                yield from _read(path, named, options, worker)
            except Unusable as error:
                yield Skipped(path, error.reason, error.detail)
            except NoColumn as error:
                yield Skipped(path, "no text column", error.told)


def _read(path: str, named: bool, options: SeedOptions, worker: Worker) -> Iterator[Document | Skipped]:
    form = format_of(path) or Format("text")
    with open_file(path, follow=named) as file:
        if form.reader in TABLES:
            yield from _table(path, file, form, options, worker)
        else:
            yield whole_document(path, file, form, options, worker)


def _table(
    path: str, file: BinaryIO, form: Format, options: SeedOptions, worker: Worker
) -> Generator[Document | Skipped, None, None]:
    empty = True
    for number, row in TABLES[form.reader](file, form, options, worker):
        empty = False
        source = f"{path}:{number}"
        yield (
            Skipped(source, row.reason, row.detail) if isinstance(row, Unusable) else row_document(source, row, options)
        )
    if empty:
        yield Skipped(path, "near-empty", "a table without rows")
