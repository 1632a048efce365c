"""One function a format: bytes and the request in, a dict with the text and what else the file tells out.

They run in the worker only (see `extract`), import their libraries when first used, and may fail in any way.
"""

import io
import json
import posixpath
import re
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import unquote

from agentinstruct.seeds.parquet_rows import parquet
from agentinstruct.seeds.syntax import code_cuts

MAX_TEXT = 32_000_000
_MAX_PAGES = 10_000
_MAX_ENTRIES = 10_000
_MAX_UNPACKED = 256_000_000
_MAX_RATIO = 200
_RATIO_FROM = 8_000_000
_NO_TEXT = re.compile(r"<\?xml[^>]*>|<!DOCTYPE[^>]*>|<(script|style)\b.*?</\1>", re.S | re.I)
_OPF = "{http://www.idpf.org/2007/opf}"
_DC = "{http://purl.org/dc/elements/1.1/}"
_CONTAINER = "{urn:oasis:names:tc:opendocument:xmlns:container}"

Reply = dict[str, Any]
Extractor = Callable[[bytes, Reply], Reply]


class Refused(Exception):
    """The file is well understood and gives no text."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(reason, detail)
        self.reason = reason
        self.detail = detail


def html(data: bytes, request: Reply) -> Reply:
    """The main content of a page as Markdown, without menus and footers."""
    import trafilatura

    tree = trafilatura.load_html(data.decode("utf-8", "replace"))
    if tree is None:
        raise Refused("parse failed", "no HTML in it")
    text = trafilatura.extract(
        tree,
        output_format="markdown",
        include_comments=False,
        include_tables=True,
        include_formatting=True,
        favor_recall=True,
    )
    title = tree.findtext(".//title") or ""
    return {"text": text or "", "title": " ".join(title.split())}


def pdf(data: bytes, request: Reply) -> Reply:
    """The text of all pages, without their running heads, lines of a paragraph joined."""
    from pypdf import PdfReader
    from pypdf.errors import PyPdfError

    try:
        reader = PdfReader(io.BytesIO(data))
        if reader.is_encrypted and not reader.decrypt(""):
            raise Refused("encrypted", "it asks for a password")
        pages = [page.extract_text() for page, _ in zip(reader.pages, range(_MAX_PAGES), strict=False)]
        title = (reader.metadata.title if reader.metadata else "") or ""
    except PyPdfError as error:
        raise Refused("parse failed", f"{type(error).__name__}: {error}"[:200]) from error
    if not any(page.strip() for page in pages):
        raise Refused("no text", f"{len(pages)} pages without text: a scan needs character recognition first")
    return {"text": "\n\n".join(_joined(page) for page in _without_running_heads(pages)), "title": str(title)}


def _without_running_heads(pages: list[str]) -> Iterator[str]:
    """Pages without the first and last lines that, but for their numbers, stand on most of them."""
    split = [page.strip().split("\n") for page in pages]
    edges = Counter(_unnumbered(line) for lines in split for line in {lines[0], lines[-1]})
    repeated = {line for line, count in edges.items() if count > max(2, len(pages) // 2)}
    for lines in split:
        start = 1 if _unnumbered(lines[0]) in repeated else 0
        end = len(lines) - (1 if _unnumbered(lines[-1]) in repeated else 0)
        yield "\n".join(lines[start:end])


def _unnumbered(line: str) -> str:
    return re.sub(r"\d+", "#", line.strip())


def _joined(page: str) -> str:
    """Lines broken within a sentence made one again, and words broken by a hyphen too."""
    page = re.sub(r"(?<=[a-zß-ÿ])-\n(?=[a-zß-ÿ])", "", page)
    return re.sub(r"(?<=[^\n.!?:;])\n(?=[a-zß-ÿ(])", " ", page)


def docx(data: bytes, request: Reply) -> Reply:
    """A Word document as Markdown."""
    import mammoth

    with _archive(data) as archive:
        # Only an attack declares entities here.
        if any(b"<!DOCTYPE" in archive.open(entry).read(1024) for entry in archive.infolist()):
            raise Refused("parse failed", "a document type declaration, which no Word document has")
        title = ""
        if "docProps/core.xml" in archive.namelist():
            title = _xml(archive.read("docProps/core.xml")).findtext(f"{_DC}title") or ""
    page = mammoth.convert_to_html(io.BytesIO(data), convert_image=mammoth.images.img_element(lambda image: {})).value
    return {"text": _markdown(page), "title": title}


def epub(data: bytes, request: Reply) -> Reply:
    """The chapters of a book in reading order, as Markdown."""
    with _archive(data) as archive:
        root = _xml(archive.read("META-INF/container.xml")).find(f".//{_CONTAINER}rootfile")
        if root is None:
            raise Refused("parse failed", "its container names no content")
        name = root.get("full-path", "")
        package = _xml(archive.read(name))
        title = package.findtext(f".//{_DC}title") or ""
        licence = package.findtext(f".//{_DC}rights") or ""
        chapters = [archive.read(chapter) for chapter in _spine(package, posixpath.dirname(name))]
    text = "\n\n".join(filter(None, (_markdown(chapter.decode("utf-8", "replace")) for chapter in chapters)))
    return {"text": text, "title": title, "rights": licence[:500]}


def _spine(package: Any, folder: str) -> Iterator[str]:
    items = {item.get("id"): item for item in package.iter(f"{_OPF}item")}
    for reference in package.iter(f"{_OPF}itemref"):
        item = items.get(reference.get("idref"))
        # The navigation document is a list of links, not a chapter.
        if item is not None and "nav" not in (item.get("properties") or "").split():
            yield posixpath.normpath(posixpath.join(folder, unquote(item.get("href") or "")))


def _archive(data: bytes) -> zipfile.ZipFile:
    """A zip file whose entries are no bomb by what they declare, which is the most that zipfile gives of them."""
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
    except (zipfile.BadZipFile, NotImplementedError) as error:
        raise Refused("parse failed", str(error)) from error
    entries = archive.infolist()
    total = sum(entry.file_size for entry in entries)
    if len(entries) > _MAX_ENTRIES or total > _MAX_UNPACKED:
        raise Refused("compression bomb", f"{len(entries)} entries of {total // 1_000_000} MB unpacked")
    if any(e.file_size > _RATIO_FROM and e.file_size > _MAX_RATIO * max(e.compress_size, 1) for e in entries):
        raise Refused("compression bomb", "an entry unpacks to more than 200 times its size")
    if any(entry.flag_bits & 1 for entry in entries):
        raise Refused("encrypted", "it asks for a password")
    return archive


def _xml(data: bytes) -> Any:
    from lxml import etree

    try:
        return etree.fromstring(data, etree.XMLParser(resolve_entities=False, no_network=True))
    except etree.XMLSyntaxError as error:
        raise Refused("parse failed", f"XML: {error}"[:200]) from error


def _markdown(page: str) -> str:
    from markdownify import markdownify

    page = _NO_TEXT.sub("", page[:MAX_TEXT])
    text: str = markdownify(page, heading_style="ATX", bullets="-", strip=["img", "a", "title"], escape_misc=False)
    return re.sub(r"\n{3,}", "\n\n", text).strip()


def ipynb(data: bytes, request: Reply) -> Reply:
    """The Markdown and code cells of a notebook, code fenced; outputs are left out."""
    notebook = json.loads(data)
    language = notebook.get("metadata", {}).get("kernelspec", {}).get("language", "python")
    cells = notebook.get("cells") or [cell for sheet in notebook["worksheets"] for cell in sheet["cells"]]
    parts = []
    for cell in cells:
        source = cell.get("source", cell.get("input", ""))
        text = ("".join(source) if isinstance(source, list) else source).strip()
        if text and cell["cell_type"] == "code":
            parts.append(f"```{language}\n{text}\n```")
        elif text and cell["cell_type"] in ("markdown", "heading"):
            parts.append(text)
    return {"text": "\n\n".join(parts), "title": str(notebook.get("metadata", {}).get("title", ""))}


def table(data: bytes, request: Reply) -> Reply:
    """The rows of a JSON array (or the one row of an object), cut down to the wanted columns."""
    rows = json.loads(data)
    rows = [rows] if isinstance(rows, dict) else rows
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise Refused("no text column", "not an array of objects")
    wanted = request["columns"]
    columns = list(dict.fromkeys(key for row in rows for key in row))
    return {
        "columns": [name for place, name in enumerate(columns) if place < 100 or name in wanted],
        "rows": [{key: row[key] for key in wanted if isinstance(row.get(key), str)} for row in rows],
    }


EXTRACTORS: dict[str, Extractor] = {
    "code": code_cuts,
    "docx": docx,
    "epub": epub,
    "html": html,
    "ipynb": ipynb,
    "json": table,
    "parquet": parquet,
    "pdf": pdf,
}
