# ruff: noqa: E501
"""Every format gives its text, its spans, its language and its title; compressed or not."""

import csv
import gzip
import json

import pyarrow
import pyarrow.parquet
import pytest
import zstandard

from agentinstruct.agents.errors import SeedError
from agentinstruct.seeds import SeedOptions, Skipped, read_seeds

OTHER = (
    "Bread rises because yeast feeds on sugar and breathes out gas. The dough holds the gas in a net of gluten, which forms "
    "when flour is wet and kneaded. If the kitchen is cold the yeast works slowly, and a baker who hurries gets a stone. "
    "Salt slows it further, so it goes in last."
)
PYTHON = '''"""Boxes."""


class Box:
    """Holds one thing."""

    def __init__(self, thing: object) -> None:
        self.thing = thing

    def open(self) -> object:
        """What is inside."""
        return self.thing


def pack(things: list[object]) -> list[Box]:
    """A box for each thing."""
    return [Box(thing) for thing in things]
'''


@pytest.mark.parametrize("name", ["a.txt", "a.text", "a.md", "a.markdown", "a.rst"])
def test_text(name, tmp_path, tale, read):
    (tmp_path / name).write_text(f"The Ferry\n=========\n\n{tale}\n")
    [seed], skipped = read(tmp_path / name)
    assert (seed.modality, seed.language, seed.title, seed.licence) == ("prose", "en", "The Ferry", "unknown")
    assert tale in seed.text
    assert skipped == []


def test_front_matter_names_a_markdown_file_and_is_no_part_of_it(tmp_path, tale, read):
    (tmp_path / "a.md").write_text(f"---\ntitle: 'The Ferry'\ntags: [a, b]\n---\n{tale}\n")
    [seed], _ = read(tmp_path / "a.md")
    assert (seed.title, seed.text) == ("The Ferry", tale)


@pytest.mark.parametrize("compress", [gzip.compress, zstandard.compress], ids=["gz", "zst"])
@pytest.mark.parametrize("name", ["a.txt", "a.jsonl", "a.py", "a.html"])
def test_compressed(compress, name, tmp_path, tale, read):
    content = {
        "a.txt": tale,
        "a.jsonl": json.dumps({"text": tale}),
        "a.py": PYTHON,
        "a.html": f"<html><body><article><p>{tale}</p><p>{OTHER}</p></article></body></html>",
    }[name]
    packed = tmp_path / f"{name}.{'gz' if compress is gzip.compress else 'zst'}"
    packed.write_bytes(compress(content.encode()))
    [seed], _ = read(packed)
    assert seed.text.strip() == (
        PYTHON.strip() if name == "a.py" else f"{tale}\n\n{OTHER}" if name == "a.html" else tale
    )


def test_html_gives_its_content_without_menus(tmp_path, tale, read):
    menu = "<nav><ul><li><a href='/'>Home</a><li><a href='/shop'>Shop</a></ul></nav><p>We use cookies to improve this site.</p>"
    page = f"<html><head><title>Ferries</title></head><body>{menu}<article><h1>The Ferry</h1><p>{tale}</p><p>{OTHER}</p></article>"
    tag = "<a rel='license' href='https://creativecommons.org/licenses/by-sa/4.0/'>licence</a>"
    (tmp_path / "a.html").write_text(f"{page}{tag}<footer>Privacy policy</footer></body></html>")
    [seed], _ = read(tmp_path / "a.html")
    assert tale in seed.text and OTHER in seed.text
    assert "Shop" not in seed.text and "cookies" not in seed.text and "Privacy" not in seed.text
    assert (seed.title, seed.licence) == ("Ferries", "CC-BY-SA-4.0")


def test_html_in_the_encoding_it_declares(tmp_path, read):
    text = (
        "Паром пересекал фьорд каждое утро, и никто в деревне не помнил, кто первым выкрасил его в зелёный цвет. "
        "Когда мост достроили, совет решил затопить старое судно у мола, где теперь живёт треска."
    )
    page = f"<html><head><meta charset='koi8-r'></head><body><article><p>{text}</p></article></body></html>"
    (tmp_path / "a.html").write_bytes(page.encode("koi8-r"))
    seeds, _ = read(tmp_path / "a.html", min_chars=50)
    assert [seed.language for seed in seeds] == ["ru"]
    assert seeds[0].text == text


def test_pdf_joins_lines_and_loses_running_heads(tmp_path, make_pdf, read):
    lines = ["The ferry crossed the fjord every morn-", "ing since 1931, and nobody knew", "who had painted it green."]
    body = [
        "Marit asked for the bell, because her father had cast it.",
        "The teacher wanted the engine for his class of six.",
    ]
    pages = [
        ["Ferries of the North", *lines, *body, f"Page number {n} of the story is told here.", str(n)]
        for n in range(1, 5)
    ]
    (tmp_path / "a.pdf").write_bytes(make_pdf(*pages))
    [seed, *_], _ = read(tmp_path / "a.pdf", min_chars=50, max_chars=320)
    assert "every morning since 1931, and nobody knew who had painted it green." in seed.text
    assert "Ferries of the North" not in seed.text


def test_docx(make_docx, tale, read):
    [seed], _ = read(make_docx("The Ferry", tale, OTHER))
    assert seed.text == f"# The Ferry\n\n{tale}\n\n{OTHER}"
    assert seed.title == "The Ferry"


def test_epub_in_reading_order(make_epub, tale, read):
    [seed], _ = read(make_epub(f"<h1>Bread</h1><p>{OTHER}</p>", f"<h1>Ferry</h1><p>{tale}</p><script>x()</script>"))
    assert seed.text == f"# Ferry\n\n{tale}\n\n# Bread\n\n{OTHER}"
    assert (seed.title, seed.licence) == ("Two Tales", "CC-BY-4.0")


def test_ipynb_keeps_text_and_code_without_outputs(tmp_path, tale, read):
    cells = [
        {"cell_type": "markdown", "source": ["# Ferries\n", "\n", tale]},
        {"cell_type": "code", "source": "crossings = 365 * 90", "outputs": [{"text": "32850"}]},
    ]
    (tmp_path / "a.ipynb").write_text(json.dumps({"cells": cells, "metadata": {}}))
    [seed], _ = read(tmp_path / "a.ipynb")
    assert seed.text == f"# Ferries\n\n{tale}\n\n```python\ncrossings = 365 * 90\n```"
    assert seed.title == "Ferries"


def rows(tale):
    return [
        {"id": "1", "text": tale, "license": "MIT"},
        {"id": "2", "text": ""},
        {"id": "3", "text": OTHER, "license": ""},
    ]


def write_rows(path, table):
    suffix = path.suffix
    if suffix == ".parquet":
        pyarrow.parquet.write_table(pyarrow.Table.from_pylist(table), path)
    elif suffix == ".json":
        path.write_text(json.dumps(table))
    elif suffix in (".csv", ".tsv"):
        with path.open("w", newline="") as file:
            writer = csv.DictWriter(file, ["id", "text", "license"], delimiter="\t" if suffix == ".tsv" else ",")
            writer.writeheader()
            writer.writerows(table)
    else:
        path.write_text("".join(json.dumps(row) + "\n" for row in table))
    return path


@pytest.mark.parametrize("name", ["a.jsonl", "a.ndjson", "a.json", "a.csv", "a.tsv", "a.parquet"])
def test_tables(name, tmp_path, tale, read):
    path = write_rows(tmp_path / name, rows(tale))
    seeds, skipped = read(path)
    assert [(seed.text, seed.source, seed.licence) for seed in seeds] == [
        (tale, f"{path}:1", "MIT"),
        (OTHER, f"{path}:3", "unknown"),
    ]
    assert [(item.source, item.reason) for item in skipped] == [(f"{path}:2", "no text")]


@pytest.mark.parametrize("name", ["a.jsonl", "a.json", "a.csv", "a.tsv", "a.parquet"])
def test_another_column(name, tmp_path, tale, read):
    path = write_rows(tmp_path / name, [{"id": tale, "text": "x", "license": ""}])
    [seed], _ = read(path, column="id")
    assert seed.text == tale


@pytest.mark.parametrize("name", ["a.jsonl", "a.json", "a.csv", "a.tsv", "a.parquet"])
def test_a_missing_column_is_an_error_before_the_first_seed(name, tmp_path, tale):
    path = write_rows(tmp_path / name, rows(tale))
    (tmp_path / "b.txt").write_text(tale)
    with pytest.raises(SeedError) as error:
        read_seeds([str(tmp_path / "b.txt"), str(path)], SeedOptions(column="body"))
    assert all(word in str(error.value) for word in (str(path), "'body'", "id, text, license", "--column"))


def test_a_table_without_text_in_a_folder_is_passed_over(tmp_path, tale, read):
    (tmp_path / "package.json").write_text('{"name": "x", "version": "1"}')
    (tmp_path / "b.txt").write_text(tale)
    [seed], [skipped] = read(tmp_path)
    assert seed.text == tale
    assert (skipped.reason, "name, version" in skipped.detail) == ("no text column", True)


def test_rows_of_code(tmp_path, read):
    (tmp_path / "a.jsonl").write_text(json.dumps({"content": PYTHON, "language": "Python"}))
    [seed], _ = read(tmp_path / "a.jsonl")
    assert (seed.modality, seed.language) == ("code", "python")


GO = "package box\n\n// Box holds one thing.\ntype Box struct {\n\tThing string\n}\n\n" + "\n".join(
    f"// Open{n} tells what is inside.\nfunc (b *Box) Open{n}() string {{\n\treturn b.Thing\n}}\n" for n in range(12)
)
RUBY = "\n".join(f"# Opens box {n}.\ndef open_{n}(box)\n  box.thing\n\n  box\nend\n" for n in range(12))


@pytest.mark.parametrize(
    ("name", "text", "starts"),
    [
        ("a.py", PYTHON * 3, ('"""Boxes', "class Box", "def pack")),
        ("a.go", GO, ("package", "// Open")),
        ("a.rb", RUBY, ("# Opens",)),
    ],
)
def test_code_is_cut_between_definitions(name, text, starts, tmp_path, read):
    (tmp_path / name).write_text(text)
    seeds, skipped = read(tmp_path / name, max_chars=300, min_chars=20)
    assert len(seeds) > 2
    assert all(seed.text.startswith(starts) for seed in seeds)
    assert {seed.modality for seed in seeds} == {"code"}
    assert "".join("".join(seed.text.split()) for seed in seeds) == "".join(text.split()) or skipped


def test_a_long_class_is_cut_at_its_methods(tmp_path, read):
    methods = "".join(
        f"\n    def method_{n}(self) -> int:\n        # {n}\n        return {n} * self.value\n" for n in range(30)
    )
    (tmp_path / "a.py").write_text(f'class Long:\n    """Much."""\n{methods}')
    seeds, skipped = read(tmp_path / "a.py", max_chars=500, min_chars=50)
    assert skipped == []
    assert seeds[0].text.startswith("class Long:")
    assert all(seed.text.startswith("    def method_") for seed in seeds[1:])


def test_licence_of_a_file(tmp_path, tale, read):
    (tmp_path / "a.py").write_text("# SPDX-License-Identifier: Apache-2.0 OR MIT\n" + PYTHON)
    (tmp_path / "b.txt").write_text(tale)
    (tmp_path / "c.md").write_text(OTHER)
    (tmp_path / "REUSE.toml").write_text('[[annotations]]\npath = ["*.txt"]\nSPDX-License-Identifier = "CC-BY-4.0"\n')
    seeds, _ = read(tmp_path)
    assert [seed.licence for seed in seeds] == ["Apache-2.0 OR MIT", "CC-BY-4.0", "unknown"]
    assert {seed.licence for seed in read(tmp_path, licence="CC0-1.0")[0]} == {"CC0-1.0"}


def test_languages_that_are_not_asked_for(tmp_path, tale, read):
    (tmp_path / "a.txt").write_text(
        "Die Fähre überquerte den Fjord jeden Morgen, und niemand im Dorf wusste, wer sie zuerst grün gestrichen hatte. "
        "Als die Brücke fertig war, beschloss der Rat, das alte Schiff neben der Mole zu versenken."
    )
    (tmp_path / "b.txt").write_text(tale)
    (tmp_path / "c.py").write_text(PYTHON)
    seeds, skipped = read(tmp_path, languages=("en",))
    assert [seed.language for seed in seeds] == ["en", "python"]
    assert [(item.reason, item.detail.split()[2]) for item in skipped] == [("language", "de")]


def test_duplicates_are_counted_not_read_twice(tmp_path, tale, read):
    (tmp_path / "a.txt").write_text(tale)
    (tmp_path / "b.txt").write_text(tale)
    [seed], [skipped] = read(tmp_path)
    assert (seed.source, skipped.source, skipped.reason) == (
        str(tmp_path / "a.txt"),
        str(tmp_path / "b.txt"),
        "duplicate",
    )


def test_two_readings_are_the_same(tmp_path, tale):
    for name in ("b.txt", "a.md", "c/d.txt", "c.txt"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"{name}\n\n{tale}")
    first = list(read_seeds([str(tmp_path)]))
    assert first == list(read_seeds([str(tmp_path)]))
    assert [item.source.removeprefix(f"{tmp_path}/") for item in first] == ["a.md", "b.txt", "c/d.txt", "c.txt"]
    assert not any(isinstance(item, Skipped) for item in first)


def test_without_its_library_a_document_asks_for_the_extra(tmp_path, make_pdf, read, monkeypatch):
    # The worker is another process: it finds no pypdf where its own site folder hides it.
    from agentinstruct.seeds import worker

    real = worker.subprocess.Popen
    hide = "import sys; sys.modules['pypdf'] = None; import runpy; runpy.run_module('agentinstruct.seeds.extract', run_name='__main__')"
    monkeypatch.setattr(
        worker.subprocess, "Popen", lambda command, **more: real([command[0], "-I", "-c", hide, command[-1]], **more)
    )
    (tmp_path / "a.pdf").write_bytes(make_pdf(["A line of text."]))
    _, [skipped] = read(tmp_path / "a.pdf")
    assert (skipped.reason, "agentinstruct[docs]" in skipped.detail) == ("needs an extra", True)


@pytest.mark.parametrize("name", ["a.jsonl", "a.json"])
def test_rows_are_read_by_the_column_each_has(name, tmp_path, tale, read):
    path = write_rows(tmp_path / name, [{"id": 1}, {"id": 2, "text": tale}, {"content": OTHER}, {"note": "x"}])
    seeds, skipped = read(path)
    assert [(seed.text, seed.source) for seed in seeds] == [(tale, f"{path}:2"), (OTHER, f"{path}:3")]
    assert [(item.source, item.reason) for item in skipped] == [(f"{path}:{n}", "no text") for n in (1, 4)]


def test_a_csv_goes_on_after_a_line_that_is_too_long(tmp_path, tale, read):
    path = tmp_path / "a.csv"
    path.write_text(f'text\n"{tale}"\n{"x" * 1_100_000}\n"{OTHER}"\n{"y" * 1_100_000}\n')
    seeds, skipped = read(path, max_line_mb=1)
    assert [(seed.text, seed.source) for seed in seeds] == [(tale, f"{path}:1"), (OTHER, f"{path}:3")]
    assert [(item.source, item.reason) for item in skipped] == [(f"{path}:{n}", "line too long") for n in (2, 4)]


def test_parquet_in_a_compressed_file_and_of_many_rows(tmp_path, tale, read):
    table = pyarrow.Table.from_pylist([{"text": f"Tale {n}. {tale}", "title": "T" * 500} for n in range(700)])
    pyarrow.parquet.write_table(table, tmp_path / "a.parquet", row_group_size=90)
    (tmp_path / "b.parquet.gz").write_bytes(gzip.compress((tmp_path / "a.parquet").read_bytes()))
    seeds, skipped = read(tmp_path / "a.parquet")
    assert [seed.text[:8] for seed in seeds[::300]] == ["Tale 0. ", "Tale 300", "Tale 600"]
    assert (len(seeds), skipped, seeds[0].title) == (700, [], "T" * 300)
    assert [seed.text for seed in read(tmp_path / "b.parquet.gz")[0]] == [seed.text for seed in seeds]
