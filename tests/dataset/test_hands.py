"""A cleaning shared out among processes, and cut into parts: the same bytes as by one process in one piece."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest

from agentinstruct.agents.errors import RunError
from agentinstruct.dataset import dedup_near
from agentinstruct.dataset.dedup import Deduplicator
from agentinstruct.dataset.dedup_rows import block
from agentinstruct.dataset.hands import Processes, here
from tests.dataset.test_dedup import changed, row, text

PROGRAM = [sys.executable, "-m", "agentinstruct.cli.main"]
ITEM = "Which of the four villages sent its grain by rail to the mill at the bend of the river?"


def planted(count):
    """Exact and near twins across blocks, a bucket larger than a window, benchmark items, defects."""
    rows, draw = [], random.Random(2)
    for number in range(count):
        rows.append(row(10 * number, text(number), text(-1 - number), depth=number % 2))
        if number % 4 == 0:
            rows.append(row(10 * number + 1, changed(number), text(-1 - number), accepted=number % 8 == 0))
        if number % 5 == 0:
            rows.append(row(10 * number + 2, text(number).title(), text(-1 - number)))
        if number % 20 == 0:
            rows.append(row(10 * number + 3, f"Tell me: {ITEM} {number}", text(-1 - number)))
            rows.append(row(10 * number + 4, changed(0, at=(number % 60, 31)), text(-1)))
            rows.append(row(10 * number + 5, text(number), "As an AI language model, I cannot know."))
    draw.shuffle(rows)
    return rows


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    rows = planted(900)
    (folder / "rows.jsonl").write_text("".join(json.dumps(one) + "\n" for one in rows[:1200]))
    (folder / "old.jsonl").write_text("".join(json.dumps(one) + "\n" for one in rows[1200:]))
    (folder / "quiz.txt").write_text(ITEM)
    return folder


def words_of(data, out, *more):
    options = ["--dedup", "--against", "old.jsonl", "--flags", "drop", "--decontaminate", "quiz.txt"]
    return [*PROGRAM, "clean", "rows.jsonl", "--out", str(out), *options, "--embeddings", "hash", *more]


def clean(data, out, *more):
    subprocess.run(words_of(data, out, *more), check=True, capture_output=True, cwd=data)
    return {path.name: path.read_bytes() for path in out.iterdir()}


@pytest.fixture(scope="module")
def alone(data, tmp_path_factory):
    return clean(data, tmp_path_factory.mktemp("alone") / "out")


def test_planted_rows_go_for_every_reason(alone):
    gone = json.loads(alone["clean.json"])
    assert gone["removed"].keys() == {"contaminated", "duplicate", "flagged"}
    assert gone["dedup"]["removed"].keys() >= {"exact", "minhash"} and gone["dedup"]["earlier"] > 100
    assert gone["rows"] == 1200


@pytest.mark.parametrize("workers", ["1", "3"])
def test_any_number_of_workers_gives_the_same_bytes(data, alone, tmp_path, workers):
    assert clean(data, tmp_path / "out", "--workers", workers) == alone


def found(rows, old=()):
    with Deduplicator() as dedup:
        dedup.earlier(old, "old")
        for one in rows:
            dedup.add(one)
        result = dedup.resolve()
        return result.kept.tolist(), result.stats, list(result.twins())


@pytest.mark.parametrize(("keys", "places"), [(50, 7), (1, 1), (10**6, 50)])
def test_any_number_of_parts_gives_the_same_twins(monkeypatch, keys, places):
    rows = planted(100)
    whole = found(rows[30:], rows[:30])
    assert whole[1]["removed"]["minhash"] > 10 < whole[1]["removed"]["exact"]
    monkeypatch.setattr(dedup_near, "KEYS", keys)
    monkeypatch.setattr(dedup_near, "PLACES", places)
    assert found(rows[30:], rows[:30]) == whole


def test_of_rows_without_ids_the_first_stays():
    said = [3, 1, 3, 2, 1, 3]
    rows = [{"messages": row(1, text(one), text(-one))["messages"]} for one in said]
    assert found(rows)[0] == [True, True, False, True, False, False]


def test_ids_that_begin_alike_are_preferred_by_the_rest_of_them_whatever_the_order():
    rows = [row(1, text(n // 3), text(7)) | {"id": f"{'0' * 20}{n}"} for n in range(12)]
    kept = {one["id"] for one, stays in zip(rows, found(rows)[0], strict=True) if stays}
    assert len(kept) == 4
    for seed in range(5):
        random.Random(seed).shuffle(rows)
        assert kept == {one["id"] for one, stays in zip(rows, found(rows)[0], strict=True) if stays}


def test_a_fault_in_a_worker_is_told_in_its_words():
    wrong = [[{"id": 7, "words": "hi"}]]
    with pytest.raises(RunError) as alone:
        list(here(partial(block, on="record"), wrong))
    with pytest.raises(RunError) as shared:
        list(Processes(2)(partial(block, on="record"), wrong))
    assert str(shared.value) == str(alone.value) and "holds no chat" in str(alone.value)


def test_a_worker_that_dies_ends_the_work_in_words():
    with pytest.raises(RunError, match="--workers 2: a worker process was killed"):
        list(Processes(2)(os._exit, [1, 1]))


def children(pid):
    found = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True).stdout.split()
    return [int(one) for one in found if b"spawn_main" in Path(f"/proc/{one}/cmdline").read_bytes()]


ENDLESS = """
import time
from agentinstruct.dataset.hands import Processes

for _ in Processes(2)(time.sleep, [0, 3600, 3600]):
    print("begun", flush=True)
    {then}
"""


@pytest.mark.parametrize("then", ["", "raise SystemExit", "time.sleep(3600)"])
def test_workers_do_not_end_what_nobody_waits_for(then):
    words = [sys.executable, "-c", ENDLESS.format(then=then)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        try:
            assert process.stdout and process.stdout.readline() == b"begun\n"
            if then != "raise SystemExit":
                process.send_signal(signal.SIGINT)
            process.wait(20)
        finally:
            process.kill()


@pytest.mark.skipif(not Path("/proc").exists(), reason="looks for processes in /proc")
def test_workers_end_with_a_command_that_is_killed(data, tmp_path):
    (tmp_path / "rows.jsonl").write_text((data / "rows.jsonl").read_text() * 30)
    words = [*PROGRAM, "clean", "rows.jsonl", "--out", "out", "--dedup", "--flags", "drop", "--workers", "2"]
    with subprocess.Popen(words, cwd=tmp_path, stdout=subprocess.DEVNULL) as process:
        while len(pids := children(process.pid)) < 2:
            assert process.poll() is None
            time.sleep(0.02)
        process.send_signal(signal.SIGKILL)
    deadline = time.monotonic() + 20
    while alive := [pid for pid in pids if Path(f"/proc/{pid}").exists()]:
        assert time.monotonic() < deadline, alive
        time.sleep(0.05)
