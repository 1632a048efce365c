"""Exactly N: never one more or less, however often the run was killed; honest words when N is out of reach."""

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path
from random import Random
from types import SimpleNamespace

import pytest

from agentinstruct.agents.scripted import ScriptedModel
from agentinstruct.agents.skill import load_skill
from agentinstruct.graphs.state import Context
from agentinstruct.run.execute import execute
from agentinstruct.run.journal import Journal
from agentinstruct.run.plan import RunConfig
from agentinstruct.run.segment import SegmentReader
from agentinstruct.run.target import Target

MILL = """The tide mill stands where the creek meets the sea, and it has ground corn since 1742. Twice a day the pond
behind it fills with salt water. When the sea draws back, the miller opens the gate, and the stored water turns the
great oak wheel for about five hours. Storms broke the dam in 1816 and again in 1903, yet each time the village paid
for new stones. Today a volunteer named Ruth Hale keeps the machinery greased and grinds flour on Saturdays.
"""
SKILL = "text_modification"
OTHER = "reading_comprehension"


@pytest.fixture
def seeds(tmp_path):
    """Twelve documents: the scripted model makes the same of one however often it is asked."""
    folder = tmp_path / "seeds"
    folder.mkdir()
    for number in range(12):
        (folder / f"{number}.txt").write_text(
            MILL.replace("1742", str(1600 + number)).replace("Ruth", f"Ruth {number}")
        )
    return folder


def arguments(seeds, out, *more):
    return ["run", seeds, "--model", "scripted", "--out", out, "-s", SKILL, "--goals", "none", *more]


def records(folder):
    found = [json.loads(line) for path in folder.glob("data/*.jsonl") for line in path.read_text().splitlines()]
    assert len({row["id"] for row in found}) == len(found)
    return found


def accepted(folder):
    return [row for row in records(folder) if row["accepted"]]


class Models:
    """Where a run's models come from: the scripted one, whose judge refuses some categories."""

    by_model, base_url, api_key = {}, "", ""

    def __init__(self, *refused):
        self.refused = refused

    def open(self, spec):
        return ScriptedModel({f"{SKILL}/{one}/judge": self._no for one in self.refused})

    def _no(self, request):
        names = request.inputs["rubric"]
        return {"criteria": [{"criterion": str(name), "evidence": "none", "met": False} for name in names]}


def pursue(seeds, out, target, *, refused=(), categories="", verify="strict", skills=(SKILL,)):
    context = Context(model="scripted", verify=verify, goals="none", categories=categories)
    config = RunConfig((str(seeds),), out, skills, context, target=target, endpoints=Models(*refused))
    return asyncio.run(execute(config))


def test_exactly_so_many_then_more_then_fewer(program, seeds, tmp_path):
    out = tmp_path / "out"
    first = program(*arguments(seeds, out, "--target", 24))
    assert first.returncode == 0, first.stderr
    assert "Target 24 accepted records: 24 of 24" in first.stdout
    made = accepted(out)
    assert len(made) == 24
    assert len({(row["category"], row["item"]) for row in made}) == 24, "what two passes made alike counts once"
    kinds = Counter(row["category"] for row in made)
    assert len(kinds) >= 10 and max(kinds.values()) <= 4, "even over the categories"
    manifest = (out / "manifest.json").read_bytes()
    again = program(*arguments(seeds, out, "--target", 24))
    assert "\n0 calls this time" in again.stdout
    assert (out / "manifest.json").read_bytes() == manifest
    with Journal.read(out) as journal:
        held = sum(row["accepted"] for row in journal.records())
    assert held == 24 or f"{held - 24} more were accepted" in again.stdout
    assert not pursue(seeds, out, Target(30)).missing and len(accepted(out)) == 30
    assert not pursue(seeds, out, Target(7)).missing and len(accepted(out)) == 7
    assert program("export", out, "--to", tmp_path / "copy").returncode == 0
    assert records(tmp_path / "copy") == records(out)
    pursue(seeds, out, None)
    assert len(accepted(out)) >= 30, "without a target everything is given out"


@pytest.mark.parametrize("per", ["skill", "category"])
def test_exactly_so_many_of_each(seeds, tmp_path, per):
    out, known = tmp_path / "out", ["literal_comprehension", "text_capitalization", "text_styling"]
    done = pursue(seeds, out, Target(6, per), categories=",".join(known), skills=(SKILL, OTHER))
    assert not done.missing
    counts = Counter(row["split" if per == "skill" else "category"] for row in accepted(out))
    assert counts == dict.fromkeys(["rc", SKILL] if per == "skill" else known, 6)


def test_short_of_the_target_the_program_says_so_and_ends_with_a_status_of_its_own(program, seeds, tmp_path):
    one = seeds / "1.txt"
    done = program(*arguments(one, tmp_path / "out", "--categories", "text_capitalization", "--target", 50))
    assert done.returncode == 3, done.stderr
    have = len(accepted(tmp_path / "out"))
    assert 0 < have < 50 and f"{have} of 50  a whole pass over the seeds brought nothing new" in done.stdout


def test_what_many_categories_lack_alike_is_said_once(program, seeds, tmp_path):
    wanted = 2 * len(load_skill("tool_use").categories)
    words = ("--model", "scripted", "-s", "tool_use", "--target", 2, "--per", "category")
    done = program("run", seeds / "1.txt", "--out", tmp_path / "out", *words)
    assert done.returncode == 3, done.stderr
    line = rf"  tool_use, \d+ categories \(\w+(, \w+)+, \d+ more\): 0 of {wanted}  no seed suits it\n"
    assert re.search(line, done.stdout) and done.stdout.count("no seed suits it") == 1


def test_what_is_out_of_reach_is_said_with_its_reasons(seeds, tmp_path):
    kinds = "text_styling,text_capitalization"
    target = Target(5, "category")
    done = pursue(seeds, tmp_path / "out", target, refused=["text_styling"], categories=kinds)
    assert Counter(row["category"] for row in accepted(tmp_path / "out")) == {"text_capitalization": 5}
    (short,) = done.missing
    assert (short.group, short.accepted, short.wanted) == (f"{SKILL}/text_styling", 0, 5)
    assert "a whole pass over the seeds brought nothing new" in short.why
    assert short.reasons and short.reasons[0][0].startswith("verify: ")
    calls = done.progress.statistics.calls
    assert 0 < calls < 400, "it does not go on for ever"
    again = pursue(seeds, tmp_path / "out", target, refused=["text_styling"], categories=kinds)
    assert again.missing == done.missing
    assert again.progress.statistics.calls < calls / 2


class Stuck(ScriptedModel):
    """Says nothing about the first of the documents."""

    async def complete(self, request):
        if "1600" in str(request.messages):
            await asyncio.sleep(3600)
        return await super().complete(request)


def test_with_enough_it_waits_for_nothing_more_and_what_it_leaves_is_done_when_more_is_wanted(seeds, tmp_path):
    config = RunConfig((str(seeds),), tmp_path / "out", (SKILL,), Context(model="scripted", goals="none"))
    stuck = replace(
        config,
        target=Target(6),
        endpoints=SimpleNamespace(by_model={}, base_url="", api_key="", open=lambda _: Stuck()),
    )
    done = asyncio.run(asyncio.wait_for(execute(stuck), 60))
    assert not done.missing and len(accepted(tmp_path / "out")) == 6
    assert done.progress.items == done.progress.done, "nothing is told of that is not wanted"
    more = asyncio.run(execute(replace(config, target=Target(20))))
    assert not more.missing and len(accepted(tmp_path / "out")) == 20
    assert any(row["source"].endswith("/0.txt") for row in accepted(tmp_path / "out"))


def test_annotated_records_that_failed_stay_and_do_not_count(seeds, tmp_path):
    kinds = "text_styling,text_capitalization"
    pursue(seeds, tmp_path / "out", Target(9), refused=["text_styling"], categories=kinds, verify="annotate")
    assert len(accepted(tmp_path / "out")) == 9
    assert {row["category"] for row in accepted(tmp_path / "out")} == {"text_capitalization"}
    assert len(records(tmp_path / "out")) > 9


CHILD = """
import asyncio, sys
from pathlib import Path
from agentinstruct.agents.scripted import ScriptedModel
from agentinstruct.agents.skill import load_skill
from agentinstruct.graphs.state import Context
from agentinstruct.run.execute import execute
from agentinstruct.run.plan import RunConfig
from agentinstruct.run.target import Target

class Models:
    by_model, base_url, api_key = {}, "", ""
    def open(self, spec):
        return ScriptedModel(latency_s=0.03)

context = Context(model="scripted", goals="none")
config = RunConfig((sys.argv[1],), Path(sys.argv[2]), ("text_modification",), context, target=Target(30),
                   endpoints=Models(), max_concurrency=4)
sys.exit(len(asyncio.run(execute(config)).missing))
"""


def test_killed_over_and_over_it_ends_with_exactly_so_many(seeds, tmp_path):
    out, draw, kills = tmp_path / "out", Random(3), 0
    command = [sys.executable, "-c", CHILD, str(seeds), str(out)]
    for _ in range(4):
        process = subprocess.Popen(command, start_new_session=True, stderr=subprocess.PIPE)
        calls = out / "calls-0.seg"
        before = calls.stat().st_size if calls.exists() else 0
        deadline = time.monotonic() + 30
        while process.poll() is None and (not calls.exists() or calls.stat().st_size == before):
            assert time.monotonic() < deadline
            time.sleep(0.01)
        time.sleep(draw.uniform(0, 0.25))
        kills += process.poll() is None
        os.killpg(process.pid, signal.SIGKILL) if process.poll() is None else None
        assert b"Traceback" not in process.communicate()[1]
    assert kills >= 2
    done = subprocess.run(command, capture_output=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr.decode()
    assert len(accepted(out)) == 30
    segments = SegmentReader(Path(out))
    keys = [frame.value["key"] for frame in segments.scan("calls-0.seg", 0)]
    items = [frame.value["item"] for frame in segments.scan("items-0.seg", 0)]
    segments.close()
    assert len(set(keys)) == len(keys), "no call was bought twice"
    assert len(set(items)) == len(items), "no work item was finished twice"
