"""`agentinstruct report`, from another process: one page that loads nothing, and the same figures as JSON.

The page is parsed, not searched: what counts is what a browser would make of it.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

from agentinstruct.agents.records import Call, Dropped, Message, Record, Verdict, content_id
from agentinstruct.run.journal import Journal

DOCUMENTS = Path(__file__).parents[2] / "examples" / "seeds"
PROGRAM = [sys.executable, "-m", "agentinstruct.cli.main"]
ENVIRONMENT = {k: v for k, v in os.environ.items() if not k.startswith(("OPENAI_", "OTEL_", "LANG"))}
SETTINGS = {"skills": {"fermi": {"fermi/skill.yaml": "0"}}, "models": {"answer": "openai:gpt-4o"}}
HOSTILE = (
    "</style></title></svg><script>alert(1)</script><img src=x onerror=a()>\"'><a href='javascript:x'>\x1b\u202e&lt;"
)
LINKS = {"href", "src", "srcset", "action", "data", "poster", "formaction", "xlink:href", "background", "ping"}


def command(*words):
    return subprocess.run([*PROGRAM, *map(str, words)], capture_output=True, text=True, env=ENVIRONMENT, timeout=120)


def report(run, *options):
    return command("report", run, "--embeddings", "hash", *options)


class Page(HTMLParser):
    """A page's elements, their attributes, its text; how they nest is held to."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.open, self.words = [], [], []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs), tuple(self.open)))
        self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs), tuple(self.open)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)

    @property
    def text(self):
        return " ".join(self.words)

    def all(self, tag):
        return [attributes for name, attributes, _ in self.elements if name == tag]


def written(run, *options):
    """The page of a run, which must be sound whatever it holds."""
    done = report(run, *options)
    assert done.returncode == 0, done.stderr
    page = Page((run / "report.html").read_text(encoding="utf-8"))
    assert_sound(page)
    return page


def assert_sound(page):
    tags = {tag for tag, _, _ in page.elements}
    assert not tags & {"script", "img", "iframe", "object", "embed", "link", "base", "form", "image", "foreignobject"}
    ids = [attributes["id"] for _, attributes, _ in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    for _, attributes, _ in page.elements:
        assert not [name for name in attributes if name.startswith("on")]
        for name in LINKS & attributes.keys():
            assert attributes[name].startswith("#") and attributes[name][1:] in ids
    (policy,) = [meta["content"] for meta in page.all("meta") if meta.get("http-equiv") == "Content-Security-Policy"]
    assert "default-src 'none'" in policy and "script" not in policy
    assert len(page.all("h1")) == len(page.all("main")) == len(page.all("title")) - titles_in_plots(page) == 1
    assert page.all("html")[0]["lang"] == "en"
    assert_accessible(page)


def titles_in_plots(page):
    return sum(tag == "title" and "svg" in above for tag, _, above in page.elements)


def assert_accessible(page):
    """Every plot is told: by a title and words, or by the table that it stands in."""
    for tag, attributes, above in page.elements:
        if tag == "svg":
            assert attributes.get("role") == "img" or attributes.get("aria-hidden") == "true"
            assert attributes.get("role") == "img" or "td" in above or attributes["class"] in ("ribbon", "defs")
    assert len(page.all("caption")) == len(page.all("table"))
    assert len(page.all("desc")) == sum(svg.get("role") == "img" for svg in page.all("svg"))
    assert all(head.get("scope") in ("col", "row") for head in page.all("th"))


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A real run of the scripted model."""
    out = tmp_path_factory.mktemp("runs") / "small"
    skills = ("reading_comprehension", "multiple_choice", "rag")
    done = command(
        "run", DOCUMENTS, "--model", "scripted", "--limit", 5, *(w for s in skills for w in ("-s", s)), "--out", out
    )
    assert done.returncode == 0, done.stderr
    return out


def test_the_page_of_a_run_has_every_chapter_and_loads_nothing(run):
    page = written(run)
    sections = [section["id"] for section in page.all("section")]
    wanted = "funnel coverage quality diversity difficulty cost bias examples provenance"
    assert sections == wanted.split()
    links = [link["href"] for tag, link, above in page.elements if tag == "a" and "nav" in above]
    assert links == [f"#{name}" for name in sections]
    records = sum(len(path.read_text().splitlines()) for path in (run / "data").glob("*.jsonl"))
    assert f"{records:,} accepted records of 3 skills" in page.text
    assert (run / "report.html").stat().st_size < 2_000_000


@pytest.fixture(scope="module")
def figures(run):
    return json.loads(report(run, "--json").stdout)


def test_the_figures_are_those_of_the_rows(run, figures):
    rows = [json.loads(line) for path in (run / "data").glob("*.jsonl") for line in path.read_text().splitlines()]
    dropped = [json.loads(line) for line in (run / "dropped.jsonl").read_text().splitlines()]
    whole = figures["yield"]["all"]
    assert whole["records"] == len(rows) and whole["accepted"] == sum(row["accepted"] for row in rows)
    assert whole["drafts"] == len(rows) + sum(row["stage"].split("/")[0] in whole["dropped"] for row in dropped)
    assert whole["yield"]["low"] < whole["yield"]["value"] <= whole["yield"]["high"]
    drawn = {(row["skill"], row["category"]) for row in [*rows, *dropped]}
    for skill, one in figures["coverage"].items():
        assert not {(skill, name) for name in one["never"]} & drawn
        assert sum(cell["accepted"] for cell in one["categories"]) == sum(row["skill"] == skill for row in rows)
    calls = {call["key"] for row in [*rows, *dropped] for call in row["calls"]}
    assert sum(one["calls"] for one in figures["cost"].values()) >= len(calls)
    assert {"vendi", "yield", "kappa"} <= figures["about"].keys()


def test_a_copied_folder_without_its_ledger_gives_the_same_figures(run, figures, tmp_path):
    for name in ("run.json", "items-0.seg", "calls-0.seg", "corpus"):
        source = run / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, tmp_path / name)
    there = json.loads(report(tmp_path, "--json").stdout)
    assert there.pop("state") == "unknown"
    assert there == {key: value for key, value in figures.items() if key != "state"}


def test_calls_are_those_that_status_tells_or_the_page_says_why_not(tmp_path):
    shared = [row(1, "a") | {"id": content_id(1)}, row(1, "a") | {"id": content_id(2)}]
    for items in (1, 2):
        out = tmp_path / str(items)
        with Journal.open(out, SETTINGS) as journal:
            journal.put_call(content_id(1), {"text": "a"})
            for number in range(items):
                journal.finish(f"item{number}", "fermi", "seed", [shared[number]], [])
        assert json.loads(command("status", out, "--json").stdout)["calls"]["stored"] == 1
        text = written(out).text
        assert ("2 calls read" if items == 2 else "1 call read") in text
        assert ("the run keeps 1 different answer," in text) == (items == 2)


def row(number, text):
    return Record(
        id=content_id(number),
        messages=tuple(Message(role=role, content=text) for role in ("system", "user", "assistant")),
        skill="fermi",
        split="fermi",
        category=text,
        transform=text,
        form=text,
        seed_id=content_id("seed"),
        source=text,
        start=0,
        end=9,
        licence=text,
        language=text,
        context=text,
        key=text,
        depth=number % 2,
        goal=text,
        suggestion=text,
        accepted=True,
        verdicts=(Verdict(check=text, passed=number % 2 == 0, kind="model", evidence=f"2 of 3 solvers {text}"),),
        calls=(Call(agent=text, role="answer", prompt=text, model=text, key=content_id(number), input_tokens=5),),
    ).row()


def test_nothing_that_a_record_says_becomes_markup(tmp_path):
    settings = {"skills": {HOSTILE: {HOSTILE: HOSTILE}}, "models": {HOSTILE: HOSTILE}, HOSTILE: HOSTILE}
    with Journal.open(tmp_path, settings) as journal:
        lost = [
            Dropped(
                skill="fermi",
                seed_id="s",
                stage="verify",
                reason=HOSTILE,
                detail=HOSTILE,
                source=HOSTILE,
                category=HOSTILE,
            )
        ]
        rows = [row(number, HOSTILE) for number in range(12)]
        journal.finish(content_id("item"), HOSTILE, "s", rows, [one.model_dump(mode="json") for one in lost])
        journal.fail(content_id("other"), "fermi", "s", "answer", HOSTILE, HOSTILE)
    page = written(tmp_path)
    assert page.text.count("<script>alert(1)</script>") > 20
    assert "\u202e" not in page.text and "\x1b" not in page.text


def test_a_run_that_has_nothing_yet_says_so(tmp_path):
    Journal.open(tmp_path, SETTINGS).close()
    page = written(tmp_path)
    assert "No record yet" in page.text and "No draft has been written yet." in page.text
    assert [section["id"] for section in page.all("section")] == ["funnel", "provenance"]


def test_a_run_whose_drafts_were_all_dropped_says_which_way_they_went(tmp_path):
    call = Call(agent="a", role="instruct", prompt="p@0", model="local", key=content_id(1), input_tokens=9)
    dropped = [
        Dropped(stage="instruct", reason="form", skill="fermi", seed_id="s", calls=(call,)).model_dump(mode="json")
        for _ in range(3)
    ]
    with Journal.open(tmp_path / "run", SETTINGS) as journal:
        journal.finish("0" * 32, "fermi", "s", [], dropped)
    assert report(tmp_path / "run").returncode == 0
    page = Page((tmp_path / "run" / "report.html").read_text()).text
    assert "No record: 3 drafts dropped" in page and "No draft passed; most were dropped for instruct: form (3)" in page
    assert "tokens in all, by role" in page and "per accepted record" not in page


def test_a_run_of_failures_alone_shows_them(tmp_path):
    with Journal.open(tmp_path, SETTINGS) as journal:
        for number in range(3):
            journal.fail(content_id(number), "fermi", "s", "answer", "ProviderError", "HTTP 400: no such model")
    page = written(tmp_path)
    assert "3 work items failed" in page.text and "HTTP 400: no such model" in page.text


def test_a_run_that_somebody_works_on_is_read_without_touching_it(tmp_path):
    with Journal.open(tmp_path, SETTINGS) as journal:
        journal.finish(content_id("item"), "fermi", "s", [row(0, "How many?")], [])
        before = {path.name: path.read_bytes() for path in tmp_path.glob("*.seg")}
        page = written(tmp_path)
        assert before == {path.name: path.read_bytes() for path in tmp_path.glob("*.seg")}
        journal.finish(content_id("more"), "fermi", "s", [row(1, "How many more?")], [])
    assert "1 accepted record of 1 skill" in page.text and "starting" in page.text


def test_what_an_export_left_out_is_shown(tmp_path):
    Journal.open(tmp_path, SETTINGS).close()
    counts = {"rows": 10, "kept": 7, "removed": {HOSTILE: 3}, "flags": {"flags": {"refusal": 2}, "drops": ["refusal"]}}
    (tmp_path / "clean.json").write_text(json.dumps(counts))
    page = written(tmp_path)
    assert "3 of 10 records (30%)" in page.text and "refusal" in page.text
    (tmp_path / "clean.json").write_text('{"rows": "many"}')
    assert "cleaning" not in [section["id"] for section in written(tmp_path).all("section")]


def test_what_cannot_be_done_is_told(run, tmp_path):
    unwritable = report(run, "--out", "/proc/report.html")
    assert unwritable.returncode == 2 and "--out" in unwritable.stderr
    prices = report(tmp_path / "none", "--prices", tmp_path / "none.json")
    assert prices.returncode == 2 and re.search(r"--prices .*none\.json", prices.stderr)
    unknown = command("report", tmp_path / "none", "--embeddings", "guess")
    assert unknown.returncode == 2 and "--embeddings guess" in unknown.stderr
