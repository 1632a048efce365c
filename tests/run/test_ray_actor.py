"""An actor and its start without a cluster: what goes wrong on a node is told, and nothing waits for ever."""

import asyncio
import os
import subprocess
import sys
from types import SimpleNamespace

import pytest

from agentinstruct.agents.errors import RunError
from agentinstruct.run import ray_cluster

exceptions = pytest.importorskip("ray.exceptions", reason="runs with the extra `ray` only")
RayLink = pytest.importorskip("agentinstruct.run.ray_link").RayLink
FAILS = """
import asyncio
from agentinstruct.run.outbox import packed, unpacked
from agentinstruct.run.ray_actor import Actor

async def main():
    actor = Actor()
    await actor.begin({}, {"no/such/place": b"1"}, 20.0, 0.03)  # stands for a disk that is full
    await actor.hear(packed([{}]))
    said = []
    while not any("end" in message for message in said):
        said += unpacked(await actor.said())[0]
    print([message["fatal"]["kind"] for message in said if "fatal" in message])

asyncio.run(main())
"""
SILENT = """
import asyncio
from agentinstruct.run import ray_actor

async def main():
    actor = ray_actor.Actor()
    await asyncio.sleep(1.5)  # its node fetches the files
    await actor.begin({}, {"prices.json": b"{}"}, 0.5, 0.03)
    await asyncio.sleep(0.1)
    print("begun", flush=True)
    await asyncio.sleep(30)

asyncio.run(main())
"""


def child(program, folder):
    words = [sys.executable, "-c", program]
    environment = {**os.environ, "TMPDIR": str(folder)}
    return subprocess.run(words, capture_output=True, text=True, env=environment, timeout=20)


def test_a_worker_that_cannot_keep_its_files_says_so_and_ends(tmp_path):
    done = child(FAILS, tmp_path)
    assert (done.returncode, done.stdout) == (0, "['FileNotFoundError']\n"), done.stderr
    assert not list(tmp_path.iterdir())


def test_silence_counts_from_where_it_begins_and_leaves_nothing_on_the_node(tmp_path):
    done = child(SILENT, tmp_path)
    assert (done.returncode, done.stdout) == (1, "begun\n"), done.stderr
    assert not list(tmp_path.iterdir())


def test_workers_that_die_before_they_begin_end_the_run_in_words(monkeypatch):
    monkeypatch.setattr(ray_cluster, "AGAIN_S", 0.0)
    started, killed = [], []

    class Doomed:
        def __init__(self):
            self.begin = SimpleNamespace(remote=self._begin)

        async def _begin(self, *_):
            raise exceptions.ActorDiedError

        def remote(self):
            started.append(self)
            return self

    ray = SimpleNamespace(
        exceptions=exceptions,
        remote=lambda _: SimpleNamespace(options=lambda **_: Doomed()),
        kill=lambda actor, **_: killed.append(actor),
    )
    cluster = ray_cluster.Cluster(ray, "run", None, None, {}, 0.03)
    with pytest.raises(RunError, match="before they had begun"):
        asyncio.run(cluster.launch(0, lambda _: None))
    assert len(started) == ray_cluster.ATTEMPTS and killed == started


def test_a_link_ends_though_it_was_told_something_in_the_same_turn(monkeypatch):
    heard, killed = [], []
    monkeypatch.setattr("ray.kill", lambda actor, **_: killed.append(actor))

    class Calm:
        def __init__(self):
            self.hear = SimpleNamespace(remote=self._hear)

        async def _hear(self, parcel):
            heard.append(parcel)

    async def ended():
        desk = SimpleNamespace(asks=False, journal=SimpleNamespace(flush=lambda: None))
        link = RayLink(Calm(), desk, 0.03)
        await asyncio.sleep(0.01)  # it waits for something to say
        link.send({"lease": {}})
        async with asyncio.timeout(10):
            return await link.ended()

    assert asyncio.run(ended()) == "ended without a word"
    assert len(killed) == 1 and not heard
