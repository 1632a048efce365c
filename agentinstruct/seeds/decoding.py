"""One file's or row's content → its `Document`: decoded or extracted, cleaned, with its title and licence."""

import re
from contextlib import suppress
from pathlib import PurePath
from typing import BinaryIO

from agentinstruct.seeds.boilerplate import without_boilerplate
from agentinstruct.seeds.compressed import read_whole
from agentinstruct.seeds.document import Document, SeedOptions, Unusable
from agentinstruct.seeds.formats import GRAMMARS, LANGUAGES, Format
from agentinstruct.seeds.licence import declared_licence, licence_of
from agentinstruct.seeds.tables import Row
from agentinstruct.seeds.text import clean, decode, decode_page
from agentinstruct.seeds.worker import Worker

_MARKDOWN = frozenset({"md", "markdown"})
_FRONT_MATTER = re.compile(r"---\n(.{0,5000}?)\n---\n", re.S)
_TITLE = re.compile(r"^title:\s*[\"']?(.{1,200}?)[\"']?\s*$", re.M)
_HEADING = re.compile(r"^#\s+(.{1,200}?)#*\s*$|^(\S.{0,200})\n(?:=|-|~|\*){4,}\s*$", re.M)


def whole_document(path: str, file: BinaryIO, form: Format, options: SeedOptions, worker: Worker) -> Document:
    """The document of a file that is read as a whole; `Unusable` when it has none."""
    data = read_whole(file, form.compression, options.max_code_mb if form.reader == "code" else options.max_file_mb)
    if form.reader == "code":
        document = _code(path, decode(data, options.encoding), form.language, options, worker)
    elif form.reader == "text":
        document = _plain(path, decode(data, options.encoding), form.suffix in _MARKDOWN, options)
    else:
        document = _extracted(path, data, form, options, worker)
    return document


def row_document(source: str, row: Row, options: SeedOptions) -> Document:
    """The document of a table's row; code where the row names a programming language."""
    text = clean(row["text"])
    language = row["language"] if row["language"] in LANGUAGES else ""
    return Document(
        source=source,
        text=text if language else without_boilerplate(text, page=False),
        modality="code" if language else "prose",
        language=language,
        title=clean(row["title"]),
        licence=options.licence or row["licence"] or licence_of(text),
    )


def _plain(path: str, text: str, markdown: bool, options: SeedOptions) -> Document:
    if any(len(line) > options.max_line_mb * 1e6 for line in text.split("\n")):
        raise Unusable("line too long", f"over {options.max_line_mb:g} MB")
    title = ""
    licence = _licence(path, text, options)
    if markdown and (front := _FRONT_MATTER.match(text)):
        named = _TITLE.search(front[1])
        title = named[1] if named else ""
        text = text[front.end() :]
    title = title or heading(text) or PurePath(path).name.split(".")[0]
    return Document(path, without_boilerplate(text, page=False), title=title, licence=licence, markdown=markdown)


def heading(text: str) -> str:
    """The first heading of a text."""
    found = _HEADING.search(text[:2000])
    return (found[1] or found[2]).strip() if found else ""


def _code(path: str, text: str, language: str, options: SeedOptions, worker: Worker) -> Document:
    return Document(
        path,
        text,
        modality="code",
        language=language,
        title=PurePath(path).name,
        licence=_licence(path, text, options),
        cuts=code_cuts_of(text, language, options, worker),
    )


def code_cuts_of(text: str, language: str, options: SeedOptions, worker: Worker) -> tuple[tuple[int, ...], ...]:
    """Where the syntax of a language lets code be cut; nowhere without its grammar, or where the parser gives up."""
    if grammar := GRAMMARS.get(language):
        with suppress(Unusable):  # blank lines then show the borders
            reply = worker.extract("code", text.encode(), grammar=grammar, max_chars=options.max_chars)
            return tuple(tuple(level) for level in reply["cuts"])
    return ()


def _extracted(path: str, data: bytes, form: Format, options: SeedOptions, worker: Worker) -> Document:
    seen = ""
    if form.reader == "html":
        seen = decode_page(data, options.encoding)
        data = seen.encode()
    elif form.reader == "ipynb":
        data = decode(data, options.encoding).encode()
    reply = worker.extract(form.reader, data)
    text = without_boilerplate(clean(str(reply["text"])), page=form.reader == "html").strip()
    if not text:
        raise Unusable("no text", "nothing but markup was found in it")
    return Document(
        path,
        text,
        title=clean(str(reply.get("title") or "")).strip()[:300] or heading(text) or PurePath(path).name.split(".")[0],
        licence=_licence(path, f"{reply.get('rights', '')}\n{seen or text}", options),
        markdown=form.reader != "pdf",
    )


def _licence(path: str, text: str, options: SeedOptions) -> str:
    return options.licence or declared_licence(path) or licence_of(text)
