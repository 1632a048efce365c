"""What several worker processes do together with the rest: a target, retrieval, batch jobs, tracing."""

import json
from collections import Counter
from pathlib import Path

import pytest

DOCUMENTS = Path(__file__).parents[2] / "examples" / "seeds"


def rows(out):
    files = [*sorted((out / "data").glob("*.jsonl")), out / "dropped.jsonl"]
    return [json.loads(line) for file in files for line in file.read_text().splitlines()]


@pytest.fixture
def many(tmp_path, seeds):
    """Twelve documents that differ in a name."""
    text = (seeds / "mill.txt").read_text()
    folder = tmp_path / "many"
    folder.mkdir()
    for number in range(12):
        (folder / f"{number}.txt").write_text(text.replace("Ruth", f"Ruth {number}"))
    return folder


def test_exactly_so_many_records_whatever_the_number_of_workers(program, many, tmp_path):
    out = tmp_path / "out"
    command = ["run", many, "--model", "scripted", "-s", "text_modification", "--goals", "none", "--out", out]
    for wanted, workers in ((20, 3), (24, 1)):
        done = program(*command, "--target", wanted, "--workers", workers)
        assert done.returncode == 0, done.stderr
        assert f"Target {wanted} accepted records: {wanted} of {wanted}" in done.stdout
        made = [row for row in rows(out) if row.get("accepted")]
        assert len({(row["category"], row["item"]) for row in made}) == len(made) == wanted
        assert max(Counter(row["category"] for row in made).values()) <= 4, "even over the categories"


def test_no_work_towards_a_target_is_done_twice_by_workers(program, many, openai_server, tmp_path):
    server, out, log = openai_server(latency="0.02"), tmp_path / "out", tmp_path / "log"
    command = ["run", many, "--model", "openai:any", "--base-url", server.base_url, "--verify", "off", "--out", out]
    command += ["--log-file", log, "--log-level", "debug"]
    done = program(*command, "-s", "text_modification", "--goals", "none", "--target", 8, "--workers", 3)
    assert "Target 8 accepted records: 8 of 8" in done.stdout
    assert sum(bool(row.get("accepted")) for row in rows(out)) == 8
    items = [event["item"] for event in map(json.loads, log.read_text().splitlines()) if event["event"] == "item done"]
    assert items and len(items) == len(set(items))


def test_retrieval_finds_for_workers_what_it_finds_for_one_process(program, tmp_path):
    found = []
    for workers in (1, 2):
        out = tmp_path / f"out{workers}"
        command = ["run", DOCUMENTS / "albedo.md", DOCUMENTS / "the_blacksmith.txt", "-s", "rag", "--model", "scripted"]
        done = program(
            *command, "--embeddings", "hash", "--limit", 2, "--rounds", 0, "--out", out, "--workers", workers
        )
        assert done.returncode == 0, done.stderr
        assert done.stderr == ""
        found.append(rows(out))
    assert found[0] and found[0] == found[1]


def test_batch_jobs_are_one_process_work_and_workers_are_refused_before_anything_is_begun(
    program, openai_server, seeds, tmp_path
):
    server = openai_server()
    command = ["run", seeds, "--model", "openai:any", "--base-url", server.base_url, "--out", tmp_path / "out"]
    refused = program(*command, "--batch", "all", "--workers", 2)
    assert refused.returncode == 2
    assert (
        "--workers 2" in refused.stderr and "--batch" in refused.stderr and "Leave one of the two out" in refused.stderr
    )
    assert server.stats()["requests"] == 0 and not (tmp_path / "out").exists()


def test_an_address_without_the_engine_that_has_one_is_refused(program, seeds, tmp_path):
    for command in (
        ["run", seeds, "--model", "scripted", "--out", tmp_path / "out"],
        ["clean", seeds / "mill.txt", "--dedup", "--out", tmp_path / "out"],
    ):
        refused = program(*command, "--address", "head:6379")
        assert refused.returncode == 2 and "Add --engine ray" in refused.stderr
        assert not (tmp_path / "out").exists()
