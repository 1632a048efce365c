"""Parts by seed: nothing on both sides, the shares met for each skill, and stable when documents are added."""

from collections import Counter, defaultdict
from random import Random

import pytest
from datasets import load_dataset
from hypothesis import given, settings
from hypothesis import strategies as st

from agentinstruct.dataset.export import export
from agentinstruct.dataset.options import Options
from agentinstruct.dataset.split import Shares, parts_of
from agentinstruct.run.journal import Journal
from tests.dataset.test_export import DIALOGUE, TOOL, lines, record

SHARES = Shares.parse("train=0.8,validation=0.1,test=0.1")
SKILLS = ("fermi", "coding", "rag")


def rows(documents, first=0, most=9):
    draw = Random(first)
    return [
        {"source": f"{document}.txt", "seed_id": f"{document}/{seed}", "skill": draw.choice(SKILLS)}
        for document in range(first, first + documents)
        for seed in range(draw.randint(1, most))
        for _ in range(3)
    ]


@pytest.mark.parametrize("documents", [40, 400, 4000])
def test_every_skill_has_its_share_in_every_part(documents):
    given_rows = rows(documents)
    parts = parts_of(given_rows, SHARES)
    assert parts.by == "source"
    found = Counter((parts.of(row), row["skill"]) for row in given_rows)
    for skill, total in Counter(row["skill"] for row in given_rows).items():
        for name, share in SHARES.parts.items():
            assert found[name, skill] == pytest.approx(share * total, rel=0.35 if documents < 100 else 0.15)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 12), st.integers(0, 20), st.sampled_from(SKILLS)), min_size=1, max_size=80),
    st.sampled_from(["train=0.5,test=0.5", "train=0.9,validation=0.05,test=0.05"]),
)
def test_no_seed_is_ever_on_two_sides(drawn, shares):
    # Any seed may stand in any document: the same text in two files has one id.
    given_rows = [{"source": f"d{d}" if d else "", "seed_id": f"s{s}", "skill": k} for d, s, k in drawn]
    parts = parts_of(given_rows, Shares.parse(shares))
    sides = defaultdict(set)
    for row in given_rows:
        sides[row["seed_id"]].add(parts.of(row))
        if parts.by == "source" and row["source"]:
            sides["document", row["source"]].add(parts.of(row))
    assert max(map(len, sides.values())) == 1


def test_a_single_document_is_split_by_its_seeds():
    given_rows = [{"source": "book.pdf", "seed_id": f"s{n // 3}", "skill": SKILLS[n % 3]} for n in range(300)]
    parts = parts_of(given_rows, SHARES)
    assert parts.by == "seed_id"
    found = Counter(parts.of(row) for row in given_rows)
    assert found["test"] == pytest.approx(30, abs=6) and found["validation"] == pytest.approx(30, abs=6)


def test_documents_that_are_added_move_hardly_any_other():
    before, added = rows(1000), rows(100, first=5000)
    first, second = parts_of(before, SHARES), parts_of(before + added, SHARES)
    moved = {row["source"] for row in before if first.of(row) != second.of(row)}
    assert len(moved) <= 20
    assert parts_of(list(reversed(before)), SHARES).by == first.by


def test_the_parts_are_written_told_and_loaded(tmp_path):
    with Journal.open(tmp_path / "run", {}) as journal:
        for number in range(60):
            made = [
                record(number) | {"source": f"{number}.txt"},
                record(number, "tool_use", "tool_use", DIALOGUE, (TOOL,)) | {"source": f"{number}.txt"},
            ]
            journal.finish(f"{number:032x}", "fermi", str(number), made, [])
        options = Options.of(["messages", "sharegpt"], "train=0.8,validation=0.1,test=0.1", leaks="keep")
        done = export(journal, tmp_path / "out", options)
    sizes = {part: rows["rc"] for part, rows in done.parts.items()}
    assert sum(sizes.values()) == 60 and min(sizes.values()) >= 3
    cache = {"cache_dir": str(tmp_path / "cache")}
    for name, split in (("default", "rc"), ("tool_use", "tool_use")):
        loaded = load_dataset(str(done.folder), name, **cache)
        assert list(loaded) == ["train", "validation", "test"]
        for part in sizes:
            assert loaded[part].num_rows == sizes[part] == len(lines(done.folder / "data" / part / f"{split}.jsonl"))
            assert len(lines(done.folder / "sharegpt" / f"{part}.jsonl")) == 2 * sizes[part]
    seeds = {part: set(load_dataset(str(done.folder), **cache)[part]["seed_id"]) for part in sizes}
    assert (
        not seeds["train"] & seeds["test"] | seeds["train"] & seeds["validation"] | seeds["test"] & seeds["validation"]
    )
    text = (done.folder / "README.md").read_text()
    assert f"| rc | reading_comprehension | 60 | {sizes['train']} | {sizes['validation']} | {sizes['test']} |" in text
    assert "drawn by document" in text
