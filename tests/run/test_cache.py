"""The call cache: what one run bought no other buys again, whoever is killed and whatever is damaged."""

import asyncio
import os
import re
import shutil
import signal
import sqlite3
import time
from collections import defaultdict
from contextlib import closing

import pytest

from agentinstruct.agents import skill as skills
from agentinstruct.agents.errors import RunError
from agentinstruct.graphs.state import Context
from agentinstruct.graphs.wiring import graph_of
from agentinstruct.run.cache import Cache
from agentinstruct.run.cachefile import CACHE, contents, prune
from agentinstruct.run.execute import execute
from agentinstruct.run.folder import refuse_network
from agentinstruct.run.journal import Journal
from agentinstruct.run.plan import RunConfig

KEY = "0123456789abcdef" * 2


def arguments(seeds, server, out, cache):
    command = ["run", seeds, "--model", "openai:any", "--base-url", server.base_url, "--out", out]
    command += ["-s", "text_modification"]
    return [*command, "--verify", "annotate", "--solvers", 1, "--cache", cache]


def data(out):
    """The dataset, but for how many tokens the server had cached."""
    files = [*out.glob("data/*.jsonl"), out / "dropped.jsonl"]
    return {path.name: re.sub(rb'"cached_tokens":\d+', b"", path.read_bytes()) for path in files}


def test_a_second_run_elsewhere_buys_nothing_and_is_whole_by_itself(program, openai_server, seeds, tmp_path):
    server, cache = openai_server(), tmp_path / "cache"
    first = program(*arguments(seeds, server, tmp_path / "a", cache))
    assert first.returncode == 0, first.stderr
    assert "from the cache" not in first.stdout
    asked = server.stats()["requests"]
    second = program(*arguments(seeds, server, tmp_path / "b", cache))
    assert server.stats()["requests"] == asked
    assert "\n0 calls this time" in second.stdout and "0 tokens in" in second.stdout
    found = int(second.stdout.split(" are from the cache")[0].split()[-1])
    assert found == contents(cache).entries > 0
    assert data(tmp_path / "a") == data(tmp_path / "b")
    shutil.rmtree(cache)
    with Journal.read(tmp_path / "b") as journal:
        assert journal.counts().calls == found
        calls = [call for row in [*journal.records(), *journal.dropped()] for call in row["calls"]]
        assert calls and all(journal.get_call(call["key"]) for call in calls)


@pytest.fixture
def prompts(tmp_path, monkeypatch):
    """A copy of the prompts that may be edited; the compiled skills are forgotten before and after."""
    copy = tmp_path / "prompts"
    shutil.copytree(skills.prompts_folder(), copy)
    monkeypatch.setattr(skills, "prompts_folder", lambda: copy)
    forget()
    yield copy
    forget()


def forget():
    skills.load_skill.cache_clear()
    graph_of.cache_clear()


def run(seeds, out, cache):
    context = Context(model="scripted", verify="annotate")
    config = RunConfig((str(seeds),), out, ("text_modification",), context, cache=cache)
    done = asyncio.run(execute(config))
    asked = defaultdict(set)
    with Journal.read(out) as journal:
        for row in [*journal.records(), *journal.dropped()]:
            for call in row["calls"]:
                asked[call["agent"]].add(call["key"])
    return done.progress.statistics, asked


def test_editing_one_prompt_buys_again_only_what_lies_downstream(seeds, tmp_path, prompts):
    first, before = run(seeds, tmp_path / "a", tmp_path / "cache")
    assert first.from_cache == 0
    edit = prompts / "text_modification" / "edit.md"
    edit.write_text(edit.read_text() + "\nKeep it short.\n")
    forget()
    second, after = run(seeds, tmp_path / "b", tmp_path / "cache")
    for upstream in ("instruct", "suggest"):
        assert after[upstream] == before[upstream] != set()
    assert not after["edit"] & before["edit"]
    everything = {key for keys in after.values() for key in keys}
    new = everything - {key for keys in before.values() for key in keys}
    assert second.calls == len(new) < first.calls
    assert after["edit"] <= new
    assert second.from_cache == len(everything - new) > 0


def test_two_processes_share_a_cache_and_one_is_killed(program, start, openai_server, seeds, tmp_path):
    server, cache = openai_server(latency="fixed:0.3"), tmp_path / "cache"
    runs = [start(*arguments(seeds, server, tmp_path / name, cache)) for name in "ab"]
    deadline = time.monotonic() + 30
    while server.stats()["requests"] < 20:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    time.sleep(0.3)
    assert runs[0].poll() is None
    os.killpg(runs[0].pid, signal.SIGKILL)
    assert runs[1].wait(60) == 0, runs[1].stderr.read()
    with closing(sqlite3.connect(cache / CACHE)) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    server.control(latency="fixed:0")
    asked = server.stats()["requests"]
    for name in "ac":
        assert program(*arguments(seeds, server, tmp_path / name, cache)).returncode == 0
    assert server.stats()["requests"] == asked, "all of it was known from the run that was left alone"
    assert data(tmp_path / "a") == data(tmp_path / "b") == data(tmp_path / "c")


def test_damaged_entries_are_bought_again_and_told_once(program, openai_server, seeds, tmp_path):
    server, cache = openai_server(), tmp_path / "cache"
    program(*arguments(seeds, server, tmp_path / "a", cache))
    bought = server.stats()["requests"]
    with closing(sqlite3.connect(cache / CACHE)) as database, database:
        spoilt = database.execute("UPDATE calls SET frame = zeroblob(40) WHERE rowid % 2").rowcount
        spoilt += database.execute("UPDATE calls SET frame = 'text' WHERE rowid = 2").rowcount
    again = program(*arguments(seeds, server, tmp_path / "b", cache))
    assert again.returncode == 0
    assert server.stats()["requests"] - bought == spoilt > 2
    assert again.stdout.count("is damaged in places") == 1
    assert data(tmp_path / "a") == data(tmp_path / "b")
    third = program(*arguments(seeds, server, tmp_path / "c", cache))
    assert "is damaged" not in third.stdout
    assert server.stats()["requests"] - bought == spoilt, "what was bought again took their places"


def test_a_cache_that_another_holds_to_the_end_is_not_called_full(tmp_path, monkeypatch):
    told = []
    monkeypatch.setattr(
        "agentinstruct.run.cache.connect", lambda path: sqlite3.connect(path, 0.1, isolation_level=None)
    )
    cache = Cache(tmp_path / "cache", told.append)
    with closing(sqlite3.connect(tmp_path / "cache" / CACHE)) as other:
        other.execute("BEGIN IMMEDIATE")
        cache.put(KEY, {"text": "paid for"})
        cache.close()
    assert len(told) == 1 and "another process holds it" in told[0] and "disk" not in told[0]


def test_a_folder_that_is_something_else_is_refused(program, openai_server, seeds, tmp_path):
    server = openai_server()
    refused = program(*arguments(seeds, server, tmp_path / "out", seeds))
    assert refused.returncode == 2 and "no call cache (it holds 'glass.txt')" in refused.stderr
    assert server.stats()["requests"] == 0
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / CACHE).write_text("not a database, though long enough to be looked at " * 20)
    with pytest.raises(RunError, match="delete it: it is only a cache"):
        Cache(tmp_path / "bad")
    (tmp_path / "link").mkdir()
    (tmp_path / "link" / CACHE).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(RunError, match="choose another --cache"):
        Cache(tmp_path / "link")
    assert not (tmp_path / "elsewhere").exists()
    mounts = tmp_path / "mounts"
    mounts.write_text("24 1 0:22 / / rw - nfs4 server:/ rw\n")
    with pytest.raises(RunError, match=r"Choose an --cache on a local disk\."):
        refuse_network(tmp_path, mounts, option="--cache")


def fill(folder, count, size=500):
    with closing(Cache(folder)) as cache:
        for number in range(count):
            cache.put(f"{number:032x}", {"text": os.urandom(size).hex()})


def test_replies_are_kept_by_the_thousand_and_taken_out_again(program, tmp_path):
    cache = tmp_path / "cache"
    fill(cache, 2000)
    held = contents(cache)
    assert held.entries == 2000 and held.size > 1_000_000
    shown = program("cache", cache)
    assert shown.stdout.startswith("2,000 replies, ") and " MB" in shown.stdout
    with closing(sqlite3.connect(cache / CACHE)) as database, database:
        database.execute("UPDATE calls SET made = made - 10 * 86400 WHERE rowid <= 500")
    assert program("cache", cache, "--older-than", 5).stdout.startswith("500 replies taken out\n1,500 replies")
    assert program("cache", cache, "--max-size", "400kB").returncode == 0
    held = contents(cache)
    assert 100 < held.entries < 1000 and 100_000 < held.size <= 400_000
    with closing(Cache(cache)) as reader:
        assert reader.get(f"{1999:032x}") and reader.get(f"{1:032x}") is None, "the oldest went"
    assert program("cache", tmp_path).returncode == 2
    wrong = program("cache", cache, "--max-size", "many")
    assert wrong.returncode == 2 and "500MB" in wrong.stderr


def test_pruning_while_a_run_uses_the_cache(tmp_path):
    fill(tmp_path / "cache", 50)
    with closing(Cache(tmp_path / "cache")) as cache:
        assert prune(tmp_path / "cache", before=time.time() + 9) == 50
        assert cache.get(f"{1:032x}") is None
        cache.put(KEY, {"text": "later"})
    with closing(Cache(tmp_path / "cache")) as cache:
        assert cache.get(KEY) == {"text": "later"}
