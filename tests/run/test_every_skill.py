"""All skills in one run, as a user starts it with nothing chosen, and against an endpoint that talks nonsense."""

import json
from collections import Counter
from pathlib import Path

import pytest

from agentinstruct.agents import needs
from agentinstruct.agents.errors import SetupError
from agentinstruct.agents.skill import load_skill, skill_names
from agentinstruct.run.journal import Journal

SEEDS = Path(__file__).parents[2] / "examples" / "seeds"
CODE = '''"""Prices."""


def net(price, rate):
    """The price without its tax."""
    return round(price / (1 + rate), 2)


def gross(price, rate):
    """The price with its tax."""
    return round(price * (1 + rate), 2)
'''


def lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_a_run_without_choices_makes_accepted_records_of_every_skill(program, tmp_path):
    done = program("run", SEEDS, "--model", "scripted", "--out", tmp_path / "out", "--limit", 10, timeout=300)
    assert done.returncode == 0, done.stderr
    records = [row for path in (tmp_path / "out" / "data").glob("*.jsonl") for row in lines(path)]
    assert set(Counter(row["skill"] for row in records if row["accepted"])) == set(skill_names())
    assert all(row["accepted"] for row in records)
    for row in records:
        skill = load_skill(row["skill"])
        assert row["split"] == skill.file.split and row["category"] in skill.categories
        assert {verdict["check"] for verdict in row["verdicts"]} >= {"judge"}
        assert not any(message["role"] == "system" and not message["content"] for message in row["messages"])
    assert "Checks" in done.stdout


def test_nonsense_is_accounted_for_and_next_to_none_of_it_is_accepted(program, openai_server, seeds, tmp_path):
    (seeds / "prices.py").write_text(CODE)
    url = openai_server().base_url
    done = program(
        *("run", seeds, "--model", "openai:any", "--base-url", url, "--out", tmp_path / "out", "--mix", "all"),
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    records = [row for path in (tmp_path / "out" / "data").glob("*.jsonl") for row in lines(path)]
    dropped = lines(tmp_path / "out" / "dropped.jsonl")
    with Journal.read(tmp_path / "out") as journal:
        counts = journal.counts()
    assert counts.failed == 0
    accounted = {(row["skill"], row["seed_id"]) for row in records + dropped}
    assert len(accounted) == counts.done
    assert {skill for skill, _ in accounted} == set(skill_names())
    assert len(records) <= len(dropped) / 100, Counter((row["skill"], row["category"]) for row in records)


def test_a_skill_that_cannot_run_here_is_left_out_unless_it_was_asked_for(monkeypatch):
    skills = [load_skill(name) for name in ("reading_comprehension", "coding")]
    monkeypatch.setattr(needs, "unavailable", lambda: "No sandbox works here")
    kept, lacking = needs.able(skills, named=False)
    assert [skill.name for skill in kept] == ["reading_comprehension"]
    assert "No sandbox works" in lacking["coding"]
    with pytest.raises(SetupError, match="coding runs generated code: No sandbox works"):
        needs.able(skills, named=True)
