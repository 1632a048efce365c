# ruff: noqa: E501
"""Whatever one file does, it costs one line of the summary; the file beside it is read."""

import base64
import gzip
import io
import json
import os
import socket
import struct
import tempfile
import time
import tracemalloc
import zipfile
import zlib
from pathlib import Path

import pyarrow
import pyarrow.parquet
import pytest
import zstandard

from agentinstruct.seeds import SeedOptions, Skipped, read_seeds


@pytest.fixture
def beside(tmp_path, tale):
    """Reads a file and a good one after it; gives the hostile one's single reason and detail."""

    def run(path, **options):
        (tmp_path / "zz.txt").write_text(tale)
        started = time.monotonic()
        hostile, good = read_seeds([str(path), str(tmp_path / "zz.txt")], SeedOptions(**options))
        assert good.text == tale
        assert time.monotonic() - started < 25
        assert hostile.source.startswith(str(path))
        return hostile.reason, hostile.detail

    return run


@pytest.mark.parametrize("suffix", ["txt", "md", "html", "py", "jsonl", "csv"])
@pytest.mark.parametrize(
    "data", [os.urandom(5000), b"\x7fELF" + bytes(100), b"%PDF-1.4\n"], ids=["noise", "elf", "pdf"]
)
def test_a_binary_by_another_name(suffix, data, tmp_path, beside):
    path = tmp_path / f"a.{suffix}"
    path.write_bytes(data)
    assert beside(path)[0] == "binary"


@pytest.mark.parametrize("suffix", ["txt.gz", "txt.zst", "docx", "epub", "pdf", "parquet"])
@pytest.mark.parametrize("data", [b"", b"what is this", os.urandom(3000)], ids=["empty", "text", "noise"])
def test_not_what_its_name_says(suffix, data, tmp_path, beside):
    path = tmp_path / f"a.{suffix}"
    path.write_bytes(data)
    assert beside(path)[0] in {"parse failed", "near-empty"}


def gzip_bomb(megabytes, line=b"\0"):
    out = io.BytesIO()
    with gzip.GzipFile(fileobj=out, mode="wb") as file:
        for _ in range(megabytes):
            file.write(line * (1 << 20))
    return out.getvalue()


@pytest.mark.parametrize("name", ["a.txt.gz", "a.jsonl.gz", "a.csv.gz", "a.docx.gz"])
def test_a_gzip_bomb(name, tmp_path, beside):
    path = tmp_path / name
    path.write_bytes(gzip_bomb(80, b"a"))
    assert beside(path)[0] == "compression bomb"


def test_a_zstandard_bomb(tmp_path, beside):
    path = tmp_path / "a.txt.zst"
    compressor = zstandard.ZstdCompressor().compressobj()
    path.write_bytes(b"".join(compressor.compress(b"a" * (1 << 20)) for _ in range(200)) + compressor.flush())
    assert path.stat().st_size < 100_000
    assert beside(path)[0] == "compression bomb"


def test_a_file_that_unpacks_to_more_than_the_cap(tmp_path, beside):
    path = tmp_path / "a.txt.gz"
    path.write_bytes(gzip.compress(base64.b64encode(os.urandom(1_000_000))))
    assert beside(path, max_file_mb=0.5) == ("too large", "over 0.5 MB")


def test_bombs_inside_documents(make_docx, make_epub, beside):
    bomb = bytes(40_000_000)
    assert beside(make_docx("A", "b", **{"word/media/image.png": bomb}))[0] == "compression bomb"
    assert beside(make_epub("<p>a</p>", **{"OEBPS/extra.xhtml": bomb}))[0] == "compression bomb"


def test_a_document_that_lies_about_its_sizes(make_docx, beside):
    path = make_docx("A", "b", **{"word/media/image.png": bytes(40_000_000)})
    data = path.read_bytes().replace(struct.pack("<I", 40_000_000), struct.pack("<I", 10))
    path.write_bytes(data)
    with zipfile.ZipFile(path) as archive:
        assert archive.getinfo("word/media/image.png").file_size == 10
    assert beside(path)[0] == "parse failed"


def test_xml_entities_are_not_expanded(make_docx, make_epub, tmp_path, beside):
    secret = tmp_path / "secret"
    secret.write_text("TOP SECRET " * 60)
    evil = f'<!DOCTYPE x [<!ENTITY s SYSTEM "file://{secret}">'
    evil += "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10 if n else "lol" * 10}">' for n in range(9)) + "]>"
    word = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
    body = f"{evil}<w:document {word}><w:body><w:p><w:r><w:t>&s;&l8;</w:t></w:r></w:p></w:body></w:document>".encode()
    reason, detail = beside(make_docx("A", **{"word/document.xml": body}))
    assert reason in {"parse failed", "near-empty", "no text"}
    assert "SECRET" not in detail
    package = f"{evil}<package xmlns='http://www.idpf.org/2007/opf'><metadata>&s;&l8;</metadata></package>".encode()
    assert beside(make_epub("<p>a</p>", **{"OEBPS/book.opf": package}))[0] in {"parse failed", "no text"}


def pdf_with(stream, entries=""):
    packed = zlib.compress(stream, 9)
    head = b"%PDF-1.4\n1 0 obj\n<< /Type /Catalog /Pages 2 0 R >>\nendobj\n2 0 obj\n<< /Type /Pages /Kids [3 0 R] /Count 1 >>\nendobj\n"
    page = b"3 0 obj\n<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] /Contents 4 0 R >>\nendobj\n"
    content = f"4 0 obj\n<< /Length {len(packed)} /Filter /FlateDecode {entries}>>\nstream\n".encode()
    return head + page + content + packed + b"\nendstream\nendobj\ntrailer << /Root 1 0 R >>\n"


def test_a_pdf_bomb(tmp_path, beside):
    path = tmp_path / "a.pdf"
    path.write_bytes(pdf_with(b"BT " + b"(lol) Tj " * 15_000_000))
    assert path.stat().st_size < 2_000_000
    assert beside(path, parse_timeout_s=3)[0] in {"timed out", "parse failed", "no text"}


def test_pdfs_that_are_cut_or_loop(tmp_path, make_pdf, beside):
    path = tmp_path / "a.pdf"
    path.write_bytes(make_pdf(["A line."])[:200])
    assert beside(path)[0] in {"parse failed", "no text"}
    path.write_bytes(
        b"%PDF-1.4\n1 0 obj\n<< /Type /Catalog /Pages 1 0 R /Kids [1 0 R] /Count 9 >>\nendobj\ntrailer << /Root 1 0 R >>\n"
    )
    assert beside(path)[0] in {"parse failed", "no text"}
    path.write_bytes(make_pdf([]))
    assert beside(path) == ("no text", "1 pages without text: a scan needs character recognition first")


def test_an_encrypted_pdf(tmp_path, make_pdf, beside):
    import pypdf

    writer = pypdf.PdfWriter(clone_from=io.BytesIO(make_pdf(["A secret line."])))
    writer.encrypt("password", algorithm="RC4-128")
    writer.write(tmp_path / "a.pdf")
    assert beside(tmp_path / "a.pdf")[0] == "encrypted"


def test_html_nested_very_deep(tmp_path, beside):
    path = tmp_path / "a.html"
    path.write_text("<div>" * 200_000 + "x" + "</div>" * 200_000)
    assert beside(path)[0] in {"parse failed", "no text", "near-empty", "timed out"}


def test_a_parser_that_takes_too_long_is_ended(tmp_path, beside):
    path = tmp_path / "a.html"
    path.write_text("<p>" + "<b>a</b> " * 1_000_000)
    assert beside(path, parse_timeout_s=0.2) == ("timed out", "not parsed within 0.2 s")


def test_a_parser_that_wants_too_much_memory_is_ended(tmp_path, beside):
    path = tmp_path / "a.html"
    path.write_text("<p>" + "<b>a</b> " * 500_000)
    assert beside(path, parse_memory_mb=200)[0] == "parse failed"


@pytest.mark.parametrize("name", ["a.json", "a.jsonl", "a.ipynb"])
def test_deep_json(name, tmp_path, beside):
    path = tmp_path / name
    path.write_text("[" * 500_000 + "]" * 500_000)
    assert beside(path)[0] in {"parse failed", "no text column"}


def test_a_line_without_end_in_a_table(tmp_path, tale):
    path = tmp_path / "a.jsonl"
    with path.open("wb") as file:
        # What is no text is known by its first bytes: the hole begins behind them.
        file.write(json.dumps({"text": tale}).encode() + b"\n" * 70_000)
        file.seek(700_000_000, os.SEEK_CUR)
        file.write(b"\n" + json.dumps({"text": f"{tale} The end."}).encode())
    tracemalloc.start()
    items = list(read_seeds([str(path)]))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert [getattr(item, "reason", "seed") for item in items] == ["seed", "line too long", "seed"]
    assert peak < 80_000_000


def test_a_sparse_gigabyte(tmp_path, beside):
    path = tmp_path / "a.txt"
    with path.open("wb") as file:
        file.truncate(2_000_000_000)
    assert beside(path) == ("too large", "over 64 MB")


def test_a_very_long_line_of_text(tmp_path, beside):
    path = tmp_path / "a.txt"
    path.write_text("word " * 2_000_000)
    assert beside(path)[0] == "line too long"


def test_a_csv_field_that_never_ends(tmp_path, tale, beside):
    path = tmp_path / "a.csv"
    path.write_text('text\n"' + f"{tale}\n" * 20_000)
    assert beside(path, max_line_mb=1)[0] == "parse failed"


@pytest.mark.parametrize("name", ["a.txt", "a.jsonl", "a.csv", "a.pdf"])
def test_what_is_not_a_file_is_never_opened(name, tmp_path, beside):
    os.mkfifo(tmp_path / name)
    assert beside(tmp_path / name)[0] == "not a file"


def test_sockets_and_devices(tmp_path, monkeypatch, beside):
    monkeypatch.chdir(tmp_path)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("a.txt")
        assert beside(tmp_path / "a.txt")[0] == "not a file"
    (tmp_path / "a.txt").unlink()
    assert beside("/dev/zero")[0] == "not a file"


def test_an_unreadable_file(tale):
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        path = Path(folder) / "a.txt"
        path.write_text(tale)
        path.chmod(0)
        Path(folder).chmod(0o755)
        user = os.geteuid()
        if user == 0:
            os.seteuid(65534)
        try:
            [item] = read_seeds([str(path)])
        finally:
            os.seteuid(user)
    assert item == Skipped(str(path), "unreadable", "Permission denied")


def test_a_read_error():
    assert [item.reason for item in read_seeds(["/proc/self/mem"])] == ["unreadable"]


def test_a_file_that_vanishes(tmp_path, tale):
    for name in ("a.txt", "b.txt", "c.txt"):
        (tmp_path / name).write_text(f"{name} {tale}")
    items = read_seeds([str(tmp_path)])
    first = next(items)
    (tmp_path / "b.txt").unlink()
    gone, last = items
    assert (first.source[-5:], last.source[-5:]) == ("a.txt", "c.txt")
    assert (gone.source[-5:], gone.reason) == ("b.txt", "unreadable")


def test_links_inside_a_folder_lead_nowhere(tmp_path, tale, read):
    inside = tmp_path / "in"
    inside.mkdir()
    (tmp_path / "secret.txt").write_text(f"Secret. {tale}")
    (inside / "a.txt").write_text(tale)
    (inside / "loop").symlink_to(inside)
    (inside / "out").symlink_to(tmp_path)
    (inside / "b.txt").symlink_to(tmp_path / "secret.txt")
    (inside / "c.txt").symlink_to(inside / "c.txt")
    for path in (inside, f"{inside}/**/*.txt"):
        seeds, _ = read(path)
        assert tale in {seed.text for seed in seeds}
        assert all(seed.source.count("/") == str(inside).count("/") + 1 for seed in seeds)
    assert {item.reason for item in read(inside)[1]} == {"link"}
    assert [seed.text for seed in read(inside)[0]] == [tale]
    [named], _ = read(inside / "b.txt")
    assert named.text.startswith("Secret.")


def test_a_folder_nested_beyond_the_interpreters_stack(tmp_path, tale, read, monkeypatch):
    (tmp_path / "zz.txt").write_text(tale)
    monkeypatch.chdir(tmp_path)
    for _ in range(1100):
        os.mkdir("d")
        os.chdir("d")
    seeds, skipped = read(tmp_path)
    assert [seed.text for seed in seeds] == [tale]
    assert {item.reason for item in skipped} <= {"unreadable"}
    for _ in range(1100):
        os.chdir("..")
        os.rmdir("d")


def test_text_in_many_encodings(tmp_path, read):
    text = (
        "Le café de la gare était fermé, mais Zoë — qui n'aimait pas attendre — frappa à la porte jusqu'à ce qu'on ouvrît. "
        + (
            "Le patron, un homme âgé, lui servit un thé brûlant et deux œufs, puis il se rassit près du poêle sans dire un mot."
        )
    )
    for name, encoding in {"a": "utf-8", "b": "utf-8-sig", "c": "utf-16", "d": "cp1252", "e": "utf-32"}.items():
        (tmp_path / f"{name}.txt").write_bytes(text.replace(". ", ".\r\n").encode(encoding))
    seeds, skipped = read(tmp_path)
    assert [seed.text for seed in seeds] == [text.replace(". ", ".\n")]
    assert [item.reason for item in skipped] == ["duplicate"] * 4


def test_the_wrong_encoding_is_garbled(tmp_path, beside):
    text = (
        "渡轮从1931年起每天早上横渡峡湾，村里没有人能说出是谁第一个把它漆成绿色的。桥建成之后，议会开会决定它的命运。"
        * 6
    )
    path = tmp_path / "a.txt"
    path.write_bytes(text.encode("gb18030"))
    assert beside(path)[0] == "garbled"


def test_what_cannot_be_seen_is_removed(tmp_path, tale, read):
    dirty = tale.replace(" green", "\u202e\x00 gr\u200een\U000e0041\x1b").replace("fjord", "fjo\u0308rd")
    (tmp_path / "a.txt").write_text("\ufeff" + dirty, encoding="utf-8")
    [seed], _ = read(tmp_path / "a.txt")
    assert seed.text == tale.replace("green", "gren").replace("fjord", "fjörd") or "\x00" not in seed.text
    assert not set(seed.text) & set("\u202e\x00\u200e\U000e0041\x1b\ufeff\u0308")


def test_stacked_accents_cost_no_time(tmp_path, beside):
    path = tmp_path / "a.txt"
    path.write_text("a" + "\u0315\u0300" * 500_000)
    assert beside(path)[0] in {"near-empty", "odd words", "garbled"}


def test_no_environment_and_no_folder_reaches_the_parser(tmp_path, tale, monkeypatch, read):
    (tmp_path / "trafilatura.py").write_text("raise SystemExit('imported from the working folder')")
    (tmp_path / "a.html").write_text(f"<html><body><article><p>{tale}</p></article></body></html>")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    [seed], _ = read(tmp_path / "a.html")
    assert seed.text == tale


def test_closing_the_reader_ends_its_worker(tmp_path, tale):
    page = f"<html><body><article><p>{tale}</p></article></body></html>"
    for name in ("a.html", "b.html"):
        (tmp_path / name).write_text(page)
    before = children()
    items = read_seeds([str(tmp_path)], SeedOptions())
    next(items)
    assert len(children()) == len(before) + 1
    items.close()
    assert children() == before


def children():
    return set(Path(f"/proc/self/task/{os.getpid()}/children").read_text().split())


def test_many_files_are_read_in_little_memory(tmp_path, tale):
    lines = "".join(json.dumps({"text": f"Tale {n}. {tale}"}) + "\n" for n in range(400))
    (tmp_path / "a.jsonl").write_text(lines * 2)
    next(read_seeds([str(tmp_path)]))
    tracemalloc.start()
    count = sum(1 for _ in read_seeds([str(tmp_path)]))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert count == 800
    assert peak < 2_000_000


def test_a_name_that_is_not_utf8_is_told_in_utf8(tmp_path, tale):
    folder = os.fsencode(tmp_path) + b"/caf\xe9"
    os.mkdir(folder)
    for name in (b"caf\xe9.txt", b"b\xff.py", b"bad\xe9.pdf"):
        with open(folder + b"/" + name, "wb") as file:
            file.write(b"x = 1\n" * 50 if name.endswith(b"py") else b"no" if name.endswith(b"pdf") else tale.encode())
    found = list(read_seeds([str(tmp_path)], SeedOptions(licence=os.fsdecode(b"\xe9"))))
    for item in found:
        assert f"{tmp_path}/caf\\xe9/" in item.source
        for value in (getattr(item, name, "") for name in ("source", "detail", "title", "licence")):
            value.encode()
    [_, seed] = [item for item in found if not isinstance(item, Skipped)]
    assert (seed.source, seed.title, seed.licence) == (f"{tmp_path}/caf\\xe9/caf\\xe9.txt", "caf\\xe9", "\\xe9")


def test_half_characters_of_a_row_are_not_kept(tmp_path, tale):
    row = {"text": tale, "title": "A \ud800 title", "license": "L \udce9 \ud800"}
    (tmp_path / "a.json").write_text(json.dumps([row]))
    [seed] = read_seeds([str(tmp_path)])
    assert (seed.title.encode(), seed.licence.encode()) == (b"A  title", b"L \\udce9 \\ud800")


def test_a_parquet_bomb_costs_the_parser_and_not_the_run(tmp_path, beside):
    path = tmp_path / "a.parquet"
    pyarrow.parquet.write_table(pyarrow.table({"text": ["a" * 400_000_000]}), path, compression="zstd")
    assert path.stat().st_size < 100_000
    Path("/proc/self/clear_refs").write_text("5")  # the peak starts anew
    before = peak_kb()
    assert beside(path, parse_memory_mb=512)[0] == "parse failed"
    assert peak_kb() - before < 50_000


def peak_kb():
    return int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0])


def test_a_cell_that_is_too_long_is_passed_over(tmp_path, tale):
    path = tmp_path / "a.parquet"
    rows = {"text": [tale, "a" * 1_500_000, f"The end. {tale}"], "title": ["x", "y", "t" * 1_500_000]}
    pyarrow.parquet.write_table(pyarrow.table(rows), path)
    items = list(read_seeds([str(path)], SeedOptions(max_line_mb=1)))
    assert [getattr(item, "reason", "seed") for item in items] == ["seed", "line too long", "seed"]
    assert [item.title for item in items[::2]] == ["x", ""]
