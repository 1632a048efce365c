"""What is measured, and in which order: the bare client beside ours each time, so that ratios are of one moment."""

import argparse
import asyncio
import statistics
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import material
import orjson

LEAN = {
    "context": {"rounds": 0, "categories_per_seed": 1, "instructions_per_category": 1, "verify": "off", "goals": "none"}
}
"""A run of few calls a seed, to see many seeds."""
HELP = """
import resource, sys
sys.argv = ["agentinstruct", "--help"]
try:
    from agentinstruct.cli.main import main
    main()
finally:
    taken = resource.getrusage(resource.RUSAGE_SELF)
    print(taken.ru_utime + taken.ru_stime)
"""
SEEDS_AT = {64: 45, 256: 0}
"""Seeds of a run with so many calls in flight at 200 ms: enough for a quarter of a minute; 0: all."""
Figures = dict[str, float]


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is measured."""

    seeds: int
    rounds: int
    compared: int
    """Seeds that LangGraph and ChatOpenAI get: they take twenty times as long for each."""
    sizes: tuple[int, ...]
    """Seeds of the runs whose memory is looked at."""
    resumed: int
    """Seeds of the run that is resumed."""

    @classmethod
    def of(cls, given: argparse.Namespace) -> "Plan":
        """What the command line asks for."""
        if given.quick:
            return cls(24, 1, 2, (300, 1000), 40)
        sizes = (1000, 10_000, 100_000) if given.full else (1000, 5000)
        return cls(given.seeds, given.rounds, 8, sizes, 3000 if given.full else 900)


@dataclass(slots=True)
class Found:
    """All figures."""

    cpu: dict[str, list[float]] = field(default_factory=dict)
    """ms of CPU a call, by client and setting, one for each round."""
    rate: dict[str, list[float]] = field(default_factory=dict)
    """Calls a second in the middle half, by client and setting."""
    ratio: dict[str, list[float]] = field(default_factory=dict)
    """Ratios of runs side by side."""
    sizes: list[Figures] = field(default_factory=list)
    resume: Figures = field(default_factory=dict)
    start: Figures = field(default_factory=dict)

    def note(self, kind: str, name: str, value: float) -> None:
        """Add one round's figure."""
        getattr(self, kind).setdefault(name, []).append(value)


@dataclass(frozen=True, slots=True)
class Bench:
    """The server, and the clients that are sent to it."""

    url: str
    folder: Path

    async def client(self, name: str, **given: Any) -> Figures:
        """Run a client to its end; what it took, with what the server counted."""
        base = {"url": self.url, "recorded": str(self.folder / "recorded.jsonl"), "out": str(self.folder / "out")}
        words = orjson.dumps({**base, "seeds": str(self.folder / "seeds.jsonl"), "spawned": time.time(), **given})
        process = await asyncio.create_subprocess_exec(
            sys.executable, str(Path(__file__).parent), "client", name, words.decode(), stdout=asyncio.subprocess.PIPE
        )
        said, _ = await process.communicate()
        if process.returncode:
            raise SystemExit(f"the client {name} failed")
        figures: Figures = orjson.loads(said.splitlines()[-1])
        served = self.ask("stats")
        print(
            f"  {name} {given.get('width', '')}: {per_call(figures):.3f} ms CPU a call, "
            f"{figures['calls']:.0f} calls, {served['unknown']} of them not recorded",
            flush=True,
        )
        return figures | {"rate": served["calls_per_s"]}

    def ask(self, path: str) -> dict[str, Any]:
        """Something of the server."""
        with urlopen(Request(f"{self.url.removesuffix('/v1')}/{path}"), timeout=10) as answer:
            told: dict[str, Any] = orjson.loads(answer.read())
        return told

    async def ours(self, **given: Any) -> Figures:
        """A whole run in a new folder."""
        out = self.folder / f"run-{time.monotonic_ns()}"
        return await self.client("ours", **{"out": str(out), **given})


async def measured(plan: Plan, folder: Path) -> Found:
    """Everything, in a few minutes."""
    found = Found()
    found.start = {"help_s": await help_s()}
    print(f"recording {plan.seeds} seeds on the scripted model …", flush=True)
    seeds = material.write_seeds(folder / "seeds.jsonl", plan.seeds)
    await asyncio.to_thread(material.record, seeds, folder / "recorded.jsonl")
    async with server(folder) as bench:
        for number in range(plan.rounds):
            print(f"round {number + 1}", flush=True)
            await at_once(bench, plan, found)
            for width in (64, 256):
                await at_latency(bench, width, found)
        bench.ask("latency/0")
        await resumed(bench, plan, found)
        await by_size(bench, plan, found)
    return found


async def help_s() -> float:
    """CPU seconds of `agentinstruct --help`: the least of five."""
    taken = []
    for _ in range(5):
        process = await asyncio.create_subprocess_exec(sys.executable, "-c", HELP, stdout=asyncio.subprocess.PIPE)
        said, _ = await process.communicate()
        taken.append(float(said.split()[-1]))
    return min(taken)


@asynccontextmanager
async def server(folder: Path) -> AsyncIterator[Bench]:
    """The server of the recorded replies."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(Path(__file__).parent),
        "serve",
        str(folder / "recorded.jsonl"),
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout
    try:
        yield Bench((await process.stdout.readline()).decode().strip(), folder)
    finally:
        process.kill()
        await process.wait()


async def at_once(bench: Bench, plan: Plan, found: Found) -> None:
    """CPU a call when answers come at once."""
    bench.ask("latency/0")
    before = await bench.client("bare", width=64)
    ours = await bench.ours(width=64)
    after = await bench.client("bare", width=64)
    bare = (per_call(before) + per_call(after)) / 2
    theirs = per_call(await bench.client("langgraph", width=64, limit=plan.compared))
    note_cpu(found, "at once", bare, per_call(ours))
    found.note("cpu", "langgraph, at once", theirs)
    found.note("ratio", "langgraph / ours", theirs / per_call(ours))


async def at_latency(bench: Bench, width: int, found: Found) -> None:
    """CPU a call and calls a second at 200 ms."""
    bench.ask("latency/0.2")
    name = f"200 ms, {width} in flight"
    limit = SEEDS_AT[width]
    ours = await bench.ours(width=width, settings={"limit": limit})
    bare = await bench.client("bare", width=width, most=int(ours["calls"]))
    note_cpu(found, name, per_call(bare), per_call(ours))
    found.note("rate", f"bare, {name}", bare["rate"])
    found.note("rate", f"ours, {name}", ours["rate"])
    found.note("ratio", f"throughput, {name}", ours["rate"] / bare["rate"])


def note_cpu(found: Found, setting: str, bare: float, ours: float) -> None:
    """One round of the bare client and ours in one setting."""
    found.note("cpu", f"bare, {setting}", bare)
    found.note("cpu", f"ours, {setting}", ours)
    found.note("ratio", f"CPU ours / bare, {setting}", ours / bare)


def per_call(figures: Figures) -> float:
    """ms of CPU a call."""
    return 1000 * figures["cpu_s"] / max(1, figures["calls"])


async def resumed(bench: Bench, plan: Plan, found: Found) -> None:
    """How long a run takes from the command to its first new call, when most of its work is done."""
    seeds = str(material.write_seeds(bench.folder / "more.jsonl", plan.resumed * 5 // 4 + 40))
    out = str(bench.folder / "resumed")
    first = await bench.client("ours", width=64, seeds=seeds, out=out, warm=False, settings={"limit": plan.resumed})
    again = await bench.client(
        "ours", width=64, seeds=seeds, out=out, warm=False, settings={"limit": plan.resumed + 20}
    )
    fresh = await bench.client("ours", width=64, seeds=seeds, out=out + "-new", warm=False, settings={"limit": 20})
    found.resume = {"calls": first["calls"], "resumed_s": again["started_s"], "fresh_s": fresh["started_s"]}


async def by_size(bench: Bench, plan: Plan, found: Found) -> None:
    """Memory and CPU a call of lean runs of more and more seeds.

    Calls are those that were asked for: repeated replies lead to requests that are alike, the more the longer it runs.
    """
    for size in plan.sizes:
        seeds = material.write_seeds(bench.folder / f"seeds-{size}.jsonl", size)
        taken = await bench.ours(width=64, seeds=str(seeds), settings=LEAN)
        found.sizes.append({"seeds": size, **taken, "cpu_ms": per_call(taken | {"calls": taken["asked"]})})


def middle(values: list[float]) -> float:
    """The median."""
    return statistics.median(values)
