# ruff: noqa: E501
import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from agentinstruct.agents.records import Seed
from agentinstruct.seeds import Document, SeedOptions, Skipped, read_documents, read_seeds

TALE = (
    "The ferry had crossed the fjord every morning since 1931, and nobody in the village could say who had first painted "
    "it green. When the bridge was finished, the council met to decide what should become of it. Old Marit asked for the "
    "bell, because her father had cast it. The teacher wanted the engine for his pupils, who had never seen one open. "
    "In the end they sank the hull beside the mole, where cod gather in the shade of it to this day."
)


@pytest.fixture
def tale() -> str:
    return TALE


@pytest.fixture
def read() -> Callable[..., tuple[list[Seed], list[Skipped]]]:
    """Reads paths; gives seeds and skipped, after checking that each seed is the span of its document that it says."""

    def run(*paths: object, **options: object) -> tuple[list[Seed], list[Skipped]]:
        chosen = SeedOptions(**options)
        names = [str(path) for path in paths]
        items = list(read_seeds(names, chosen))
        texts = {d.source: d.text for d in read_documents(names, chosen) if isinstance(d, Document)}
        seeds = [item for item in items if isinstance(item, Seed)]
        assert all(texts[seed.source][seed.start : seed.end] == seed.text for seed in seeds)
        return seeds, [item for item in items if isinstance(item, Skipped)]

    return run


@pytest.fixture
def make_pdf() -> Callable[..., bytes]:
    def make(*pages: list[str]) -> bytes:
        bodies = ["", "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"]
        kids = []
        for lines in pages:
            stream = "BT /F1 10 Tf 12 TL 50 800 Td " + " ".join(f"({line}) Tj T*" for line in lines) + " ET"
            bodies.append(f"<< /Length {len(stream)} >>\nstream\n{stream}\nendstream")
            font = "<< /Font << /F1 3 0 R >> >>"
            bodies.append(
                f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources {font} /Contents {len(bodies) + 1} 0 R >>"
            )
            kids.append(f"{len(bodies) + 1} 0 R")
        bodies[0] = f"<< /Type /Pages /Kids [{' '.join(kids)}] /Count {len(kids)} >>"
        return pdf_file(["<< /Type /Catalog /Pages 2 0 R >>", *bodies])

    return make


def pdf_file(bodies: list[str]) -> bytes:
    out, offsets = io.BytesIO(), []
    out.write(b"%PDF-1.4\n")
    for number, body in enumerate(bodies, 1):
        offsets.append(out.tell())
        out.write(f"{number} 0 obj\n{body}\nendobj\n".encode("latin-1"))
    start = out.tell()
    out.write(f"xref\n0 {len(bodies) + 1}\n0000000000 65535 f \n".encode())
    out.write("".join(f"{offset:010} 00000 n \n" for offset in offsets).encode())
    out.write(f"trailer << /Size {len(bodies) + 1} /Root 1 0 R >>\nstartxref\n{start}\n%%EOF\n".encode())
    return out.getvalue()


def zipped(path: Path, entries: dict[str, str | bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return path


@pytest.fixture
def make_docx(tmp_path: Path) -> Callable[..., Path]:
    def make(heading: str, *paragraphs: str, **more: bytes) -> Path:
        word = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
        head = f'<w:p><w:pPr><w:pStyle w:val="Heading1"/></w:pPr><w:r><w:t>{heading}</w:t></w:r></w:p>'
        body = head + "".join(f"<w:p><w:r><w:t>{paragraph}</w:t></w:r></w:p>" for paragraph in paragraphs)
        styles = '<w:style w:type="paragraph" w:styleId="Heading1"><w:name w:val="Heading 1"/></w:style>'
        package = "http://schemas.openxmlformats.org/package/2006"
        office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
        relation = f'<Relationship Id="r1" Type="{office}/{{}}" Target="{{}}"/>'
        entries: dict[str, str | bytes] = {
            "[Content_Types].xml": f'<Types xmlns="{package}/content-types"/>',
            "_rels/.rels": f'<Relationships xmlns="{package}/relationships">'
            + relation.format("officeDocument", "word/document.xml")
            + "</Relationships>",
            "word/_rels/document.xml.rels": f'<Relationships xmlns="{package}/relationships">'
            + relation.format("styles", "styles.xml")
            + "</Relationships>",
            "word/styles.xml": f'<w:styles xmlns:w="{word}">{styles}</w:styles>',
            "word/document.xml": f'<w:document xmlns:w="{word}"><w:body>{body}</w:body></w:document>',
            **more,
        }
        return zipped(tmp_path / "letter.docx", entries)

    return make


@pytest.fixture
def make_epub(tmp_path: Path) -> Callable[..., Path]:
    def make(*chapters: str, **more: bytes) -> Path:
        items = "".join(
            f'<item id="c{i}" href="c{i}.xhtml" media-type="application/xhtml+xml"/>' for i in range(len(chapters))
        )
        order = "".join(f'<itemref idref="c{i}"/>' for i in reversed(range(len(chapters))))
        entries: dict[str, str | bytes] = {
            "META-INF/container.xml": '<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles>'
            '<rootfile full-path="OEBPS/book.opf"/></rootfiles></container>',
            "OEBPS/book.opf": '<package xmlns="http://www.idpf.org/2007/opf"><metadata '
            'xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>Two Tales</dc:title>'
            "<dc:rights>https://creativecommons.org/licenses/by/4.0/</dc:rights></metadata>"
            f"<manifest>{items}</manifest><spine>{order}</spine></package>",
            **{f"OEBPS/c{i}.xhtml": f"<html><body>{chapter}</body></html>" for i, chapter in enumerate(chapters)},
            **more,
        }
        return zipped(tmp_path / "book.epub", entries)

    return make
