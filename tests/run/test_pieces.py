"""A resumed run judges no piece of its seeds again, and decides the same."""

from pathlib import Path

import pytest

from agentinstruct.agents.mix import Mix, weights_of
from agentinstruct.agents.records import Seed
from agentinstruct.agents.skill import load_skill, skill_names
from agentinstruct.run import pieces
from agentinstruct.run.journal import Journal
from agentinstruct.run.pieces import Pieces
from agentinstruct.seeds import SeedOptions, read_seeds

EXAMPLES = str(Path(__file__).parents[2] / "examples" / "seeds")
SKILLS = [load_skill(name) for name in skill_names()]
SHORT = SeedOptions(max_chars=900)


@pytest.fixture
def journal(tmp_path):
    with Journal.open(tmp_path / "run", {}) as journal:
        yield journal


@pytest.fixture
def paths(tmp_path):
    (tmp_path / "bad.txt").write_text("The ferry left at nine in the morning.\n" * 12)
    (tmp_path / "odd.jsonl").write_bytes(b'{"text": "\\ud800 A lone half of a pair stands here: no seed."}')
    return [EXAMPLES, str(tmp_path / "bad.txt"), str(tmp_path / "odd.jsonl")]


def read(found, paths):
    """What is read, and which skills each seed gets, as a run asks for it: features right after the seed."""
    mix, items, taken = Mix(SKILLS, weights_of("released", SKILLS), 3, 0, found.features), [], []
    with found.judging() as judge:
        for item in read_seeds(paths, SHORT, judge):
            items.append(item)
            if isinstance(item, Seed):
                taken.append([skill.name for skill in mix.take(item, mix.suitable(item))])
    return items, taken


def refuse(*asked):
    raise AssertionError(f"asked again: {asked}")


def test_what_was_found_once_is_not_looked_for_again(journal, paths, monkeypatch):
    first = read(Pieces(journal, True), paths)
    assert first[0] == list(read_seeds(paths, SHORT))
    assert {"Seed", "Skipped"} == {type(item).__name__ for item in first[0]}
    journal.flush()
    for name in ("judgement", "features"):
        monkeypatch.setattr(pieces, name, refuse)
    assert read(Pieces(journal, True), paths) == first


def test_only_new_pieces_are_judged(journal, paths, monkeypatch):
    read(Pieces(journal, True), paths[:1])
    journal.flush()
    asked, rules = [], pieces.judgement
    monkeypatch.setattr(pieces, "judgement", lambda *piece: asked.append(piece[0]) or rules(*piece))
    items, _ = read(Pieces(journal, True), paths)
    assert items == list(read_seeds(paths, SHORT))
    assert len(asked) == 1  # the other file holds nothing that the program can read


def test_a_ledger_made_again_costs_the_findings_only(journal, paths, tmp_path):
    first = read(Pieces(journal, True), paths)
    journal.close()
    (tmp_path / "run" / "ledger.sqlite").unlink()
    with Journal.open(tmp_path / "run", {}) as again:
        assert read(Pieces(again, True), paths) == first
