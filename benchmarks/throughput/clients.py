"""The clients that are compared, each in a process of its own: it does all its calls and tells what they took.

bare        aiohttp and uvloop, orjson both ways: sends the recorded bodies, reads the replies, does nothing else
ours        a whole run: seeds read, three skills, journal, export, summary
langgraph   the same graphs run by LangGraph, every call made by LangChain's ChatOpenAI; records appended to a file
"""

import asyncio
import gc
import os
import resource
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, cast

import orjson
import uvloop
from material import MODEL, NAME, SKILLS, config_of

Client = Callable[[dict[str, Any]], Awaitable[dict[str, Any]]]


def cpu_s() -> float:
    """User and system time of this process and of the children it has waited for."""
    own, theirs = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return own.ru_utime + own.ru_stime + theirs.ru_utime + theirs.ru_stime


def resident_mb() -> float:
    """Memory that this process holds now."""
    with Path("/proc/self/statm").open() as file:
        return int(file.read().split()[1]) * resource.getpagesize() / 2**20


async def bare(given: dict[str, Any]) -> dict[str, Any]:
    """The floor: what the calls alone cost."""
    import aiohttp

    bodies = recorded_bodies(Path(given["recorded"]))[: given.get("most")]
    waiting, url = iter(bodies), f"{given['url']}/chat/completions"
    headers, connector = {"content-type": "application/json"}, aiohttp.TCPConnector(limit=0)
    gc.freeze()
    begun = _begin()
    async with aiohttp.ClientSession(connector=connector, headers=headers) as session:

        async def work() -> None:
            for body in waiting:
                async with session.post(url, data=orjson.dumps(body)) as response:
                    reply = orjson.loads(await response.read())
                assert reply["choices"][0]["message"]["content"]

        await asyncio.gather(*(work() for _ in range(given["width"])))
    return _ended(begun, len(bodies))


def recorded_bodies(path: Path) -> list[dict[str, Any]]:
    """The bodies of the recorded requests."""
    with path.open("rb") as file:
        return [orjson.loads(line)["body"] for line in file]


async def ours(given: dict[str, Any]) -> dict[str, Any]:
    """The product."""
    from agentinstruct.agents.models import Endpoints
    from agentinstruct.run.execute import execute

    await warmed(given)
    places = Endpoints(base_url=given["url"], api_key="none")
    config = config_of(
        Path(given["seeds"]), Path(given["out"]), places, max_concurrency=given["width"], **given.get("settings", {})
    )
    first = first_call()
    begun = _begin()
    done = await execute(config)
    progress = done.progress
    told = {"records": sum(done.summary.accepted.values()), "items": progress.done, "resumed": progress.resumed}
    told["asked"] = progress.statistics.calls + progress.statistics.from_journal
    started_s = first[0] - given["spawned"] if first else 0.0
    return _ended(begun, progress.statistics.calls) | told | {"started_s": started_s}


async def warmed(given: dict[str, Any]) -> None:
    """A small run without a server first, unless the start is what is measured: imports, templates, reply types."""
    from material import record

    if given.get("warm", True):
        with TemporaryDirectory() as folder:
            await asyncio.to_thread(record, Path(given["seeds"]), Path(folder) / "recorded.jsonl", limit=12)


def first_call() -> list[float]:
    """Where the time of the first call will stand."""
    from agentinstruct.agents.endpoint import Endpoint

    send, times = Endpoint.complete, list[float]()

    async def noted(self: Endpoint, request: Any) -> Any:
        times.append(time.time())
        Endpoint.complete = send  # type: ignore[method-assign]
        return await send(self, request)

    Endpoint.complete = noted  # type: ignore[method-assign]
    return times


async def langgraph(given: dict[str, Any]) -> dict[str, Any]:
    """The same flow in the ordinary way."""
    from agentinstruct.agents.gateway import Gateway, using
    from agentinstruct.agents.records import Seed
    from agentinstruct.agents.routing import suits
    from agentinstruct.agents.skill import load_skill
    from agentinstruct.graphs.state import Context
    from agentinstruct.graphs.wiring import graph_of
    from agentinstruct.seeds import read_seeds

    await warmed(given)
    graphs = {name: graph_of(name) for name in SKILLS}
    door, turn = ChatOpenAIDoor(given["url"]), asyncio.Semaphore(given["width"])
    rows = Rows(Path(given["out"]))
    begun = _begin()

    async def one(seed: Seed, name: str) -> None:
        async with turn:
            state = await graphs[name].ainvoke({"seed": seed}, context=Context(model=MODEL))
        rows.write(state.get("records", ()))

    async with using(cast(Gateway, door)):
        seeds = [found for found in read_seeds([given["seeds"]]) if isinstance(found, Seed)][: given["limit"]]
        work = [(seed, name) for seed in seeds for name in SKILLS if suits(load_skill(name), seed)]
        await asyncio.gather(*(one(*pair) for pair in work))
    return _ended(begun, door.calls) | {"records": rows.accepted}


class Rows:
    """A file that records are appended to."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("wb", buffering=0)
        self.accepted = 0

    def write(self, records: Any) -> None:
        """Append a flow's records."""
        for record in records:
            self._file.write(orjson.dumps(record.row()) + b"\n")
            self.accepted += record.accepted


class ChatOpenAIDoor:
    """In the gateway's place: every request through ChatOpenAI, as its documentation shows it."""

    def __init__(self, url: str) -> None:
        from langchain_openai import ChatOpenAI

        self._model = ChatOpenAI(model=NAME, base_url=url, api_key="none", max_retries=2)  # type: ignore[arg-type]
        self.calls = 0

    async def complete(self, request: Any) -> Any:
        """The reply, as the gateway would give it."""
        from agentinstruct.agents.gateway import Completion

        extra: dict[str, Any] = {"temperature": request.temperature, "max_tokens": request.max_tokens}
        if request.schema is not None:
            schema = {"name": request.schema_name, "schema": request.schema, "strict": True}
            extra["response_format"] = {"type": "json_schema", "json_schema": schema}
        reply = await self._model.bind(**extra).ainvoke([(m["role"], m["content"]) for m in request.messages])
        self.calls += 1
        return Completion(text=str(reply.content))

    async def aclose(self) -> None:
        """Nothing to close."""


def _begin() -> tuple[float, float]:
    return time.perf_counter(), cpu_s()


def _ended(begun: tuple[float, float], calls: int) -> dict[str, Any]:
    wall, cpu = time.perf_counter() - begun[0], cpu_s() - begun[1]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"calls": calls, "wall_s": wall, "cpu_s": cpu, "peak_mb": peak, "rss_mb": resident_mb()}


CLIENTS: dict[str, Client] = {"bare": bare, "ours": ours, "langgraph": langgraph}


def main(name: str, given: dict[str, Any]) -> None:
    """Be this client, and print what it took."""
    os.environ |= {"LANGSMITH_TRACING": "false", "OPENAI_API_KEY": "none"}
    print(orjson.dumps(uvloop.run(CLIENTS[name](given))).decode())  # type: ignore[arg-type]
