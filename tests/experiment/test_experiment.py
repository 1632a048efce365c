"""Experiments from end to end: arms that differ in one thing, at the same calls, told as table, page and JSON."""

import json
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

PROGRAM = [sys.executable, "-m", "agentinstruct.cli.main", "experiment"]
PROMPTS = (
    "Explain to a beginner how tides work, why there are two of them a day, and what the moon has to do with it.",
    "What does a harbour master do on a day with heavy fog? Describe the morning, the calls and his decisions.",
    "Why does bread rise? Tell it as a baker would who teaches her first apprentice, step by step.",
)
DOCUMENTS = Path(__file__).parents[2] / "examples" / "seeds"


def experiment(folder, *more, paths=("albedo.md", "four_freedoms.txt", "the_blacksmith.txt")):
    command = [*PROGRAM, *(DOCUMENTS / path for path in paths), "--model", "scripted", "--out", folder / "out"]
    command += [
        "-s",
        "reading_comprehension",
        "--solvers",
        1,
        "--per-goal",
        1,
        "--categories-per-seed",
        1,
        "--per-category",
        1,
        *more,
    ]
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, cwd=folder)
    told = folder / "out" / "experiment.json"
    return done, json.loads(told.read_text()) if told.exists() else {}


@pytest.fixture(scope="module")
def ablation(tmp_path_factory):
    folder = tmp_path_factory.mktemp("ablation")
    done, told = experiment(folder, "--calls", 90, "--repeats", 2, "--max-concurrency", 2)
    return folder / "out", done, told


def test_each_arm_adds_one_step_of_the_flow(ablation):
    folder, done, told = ablation
    assert done.returncode == 0, done.stderr
    arms = {arm["name"]: arm for arm in told["arms"]}
    assert list(arms) == ["none", "+ transform", "+ taxonomy", "+ refine"]
    rows = {
        name: records(folder / place)
        for name, place in zip(arms, ("none", "transform", "taxonomy", "refine"), strict=True)
    }
    assert all(rows.values())
    assert {row["transform"] for row in rows["none"]} == {"identity"}
    assert {row["transform"] for row in rows["+ transform"]} - {"identity"}
    assert len({row["category"] for row in rows["none"] + rows["+ transform"]}) == 1
    assert len({row["category"] for row in rows["+ taxonomy"]}) > 1
    assert not any(row["depth"] for name in ("none", "+ transform", "+ taxonomy") for row in rows[name])
    assert any(row["depth"] for row in rows["+ refine"])
    for name, arm in arms.items():
        assert arm["records"] == sum(row["accepted"] for row in rows[name])
        assert 0 < arm["calls"] <= arm["bought"] <= 180
        assert arm["figures"]["yield"]["value"] == pytest.approx(100 * arm["records"] / arm["calls"])


def test_what_arms_ask_alike_is_bought_once_and_counts_for_each(ablation):
    folder, _, told = ablation
    bought = 0
    for repeat in ("0", "1"):
        with closing(sqlite3.connect(folder / "calls" / repeat / "calls.sqlite")) as cache:
            bought += cache.execute("SELECT count(*) FROM calls").fetchone()[0]
    assert bought < sum(arm["bought"] for arm in told["arms"])


def records(folder):
    files = [file for repeat in (0, 1) for file in (folder / str(repeat) / "data").glob("*.jsonl")]
    return [json.loads(line) for file in files for line in file.read_text().splitlines()]


def test_it_is_told_as_a_table_and_a_page_with_intervals(ablation):
    folder, done, told = ablation
    assert "Accepted per 100 calls" in done.stdout and "95 % interval" in done.stdout
    page = (folder / "experiment.html").read_text()
    assert page.count("<circle") >= 4 * 5 and "http" not in page.partition("<main")[2]
    passed = told["arms"][0]["figures"]["passed"]
    assert passed["low"] - 1e-9 <= passed["value"] <= passed["high"] + 1e-9
    assert set(told["arms"][0]["figures"]) == set(told["about"])


def test_given_again_it_asks_nothing_again(ablation):
    folder, _, told = ablation
    sizes = {path: path.stat().st_size for path in folder.rglob("*.seg")}
    done, again = experiment(folder.parent, "--calls", 90, "--repeats", 2, "--max-concurrency", 2)
    assert done.returncode == 0, done.stderr
    assert again == told and {path: path.stat().st_size for path in folder.rglob("*.seg")} == sizes


def test_depth_and_seeds_are_varied_too(tmp_path):
    done, told = experiment(tmp_path, "--vary", "depth", "--calls", 200, "--repeats", 1, "--max-concurrency", 1)
    assert done.returncode == 0, done.stderr
    assert [arm["name"] for arm in told["arms"]] == ["0 rounds", "1 round", "3 rounds"]
    (tmp_path / "prompts.jsonl").write_text("".join(json.dumps({"text": text}) + "\n" for text in PROMPTS))
    (tmp_path / "other").mkdir()
    more = ("--vary", "seeds", "--calls", 40, "--repeats", 1, "--max-concurrency", 1, "--goals", "none")
    done, told = experiment(tmp_path / "other", *more, "--prompts", tmp_path / "prompts.jsonl")
    assert [arm["name"] for arm in told.get("arms", ())] == ["documents", "prompts"], done.stderr


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--vary", "moods"), "--vary moods: choose"),
        (("--vary", "seeds"), "--prompts"),
        (("--vary", "ablation", "--goals", "none"), "leave out"),
        (("--max-calls", 3), "--calls"),
        (("--cache", "replies"), "--cache"),
        (("--calls", 2, "--repeats", 1), "more --calls"),
        (("-s", "tool_use"), "tool_use"),
    ],
)
def test_what_cannot_be_compared_is_told(tmp_path, options, told):
    done, _ = experiment(tmp_path, *options)
    assert done.returncode == 2 and told in done.stderr and "Traceback" not in done.stderr
