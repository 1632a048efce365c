"""How quick the viewer is over a run of so many made-up records: from its start, while it reads, and afterwards.

python benchmarks/view.py --records 1000000

A real `agentinstruct view` is asked by HTTP, whole pages with all their counts: when first asked for, and the median of
five more. CPU is the server's; it depends less on what else the machine does.
"""

import argparse
import os
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from itertools import accumulate
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

import httpx

from agentinstruct.run.journal import Journal
from agentinstruct.view.index import NAME

WORDS = [
    f"{a}{b}" for b in range(2500) for a in ("river", "stone", "harbour", "light", "engine", "table", "winter", "oak")
]
COMMON = list(accumulate(1 / place for place in range(1, len(WORDS) + 1)))
"""Words are as common as in real texts: the second half as often as the first, and so on."""
SKILLS = [f"skill_{n}" for n in range(17)]
REASONS = ["declined", "wrong shape", "solvers disagree", "not grounded", "too long", "unchanged", "no JSON", "refused"]
EACH = 8
"""Rows of a work item: a few originals with what was refined from them, and a drop."""
ASKED = {
    "first page": {},
    "one skill": {"skill": "skill_3"},
    "one skill, dropped": {"skill": "skill_3", "state": "dropped"},
    "four filters, few rows": {"skill": "skill_3", "category": "category_7", "goal": "goal_2", "state": "failed"},
    "refined twice": {"depth": "2"},
    "a word in nearly every row": {"q": "river0"},
    "a word in 1 row of 10": {"q": "stone20"},
    "a rare word": {"q": "oak2499"},
    "three words": {"q": "stone2 engine12 table30"},
    "the beginning of many words": {"q": "river"},
    "a word and a filter": {"q": "stone20", "skill": "skill_3"},
    "dearest first": {"order": "cost"},
    "most refined first": {"order": "depth"},
    "labelled": {"label": "any"},
    "not labelled": {"label": "none"},
}


def main() -> None:
    """Make a run, unless one is given, then look at it."""
    given = argparse.ArgumentParser(description=__doc__)
    given.add_argument("--records", type=int, default=100_000)
    given.add_argument("--folder", type=Path, help="Where the run is or is to be, and stays; else a temporary one.")
    asked = given.parse_args()
    with TemporaryDirectory(prefix="view-") as folder:
        run = asked.folder or Path(folder) / "run"
        if not run.exists():
            make(run, asked.records)
        measured(run)


def make(folder: Path, records: int) -> None:
    """The run."""
    begun = time.perf_counter()
    with Journal.open(folder, {"made": "up"}) as journal:
        for item, rows in enumerate(items(records)):
            journal.finish(f"{item:032x}", rows[0]["skill"], f"seed{item}", rows[:-1], rows[-1:])
    print(f"{records:,} rows, {size_mb(folder):,.0f} MB, made in {time.perf_counter() - begun:.0f} s", flush=True)


def measured(run: Path) -> None:
    """All figures, as they come."""
    for left in run.glob(f"{NAME}*"):
        left.unlink()
    begun = time.perf_counter()
    command = [sys.executable, "-m", "agentinstruct.cli.main", "view", str(run), "--no-browser"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        try:
            address = server.stdout.readline().split()[2]
            with httpx.Client(base_url=address, timeout=600) as client:
                client.get("/")
                print(f"first page after {time.perf_counter() - begun:.2f} s", flush=True)
                rows = while_read(client)
                told(rows, run, server.pid, time.perf_counter() - begun)
                afterwards(client, rows, server.pid)
                print(f"peak memory of the pages {peak_mb(server.pid)} MB")
        finally:
            server.terminate()


def while_read(client: httpx.Client) -> int:
    """Pages until all is read; how many rows that was."""
    taken = dict[str, list[float]]()
    while (now := client.get("/progress").json())["read"] < now["size"]:
        for name in ("first page", "one skill", "three words"):
            taken.setdefault(name, []).append(timed(client, ASKED[name])[0])
        time.sleep(1)
    for name, each in taken.items():
        print(f"  while it is read, {name}: median {statistics.median(each):.0f} ms, at most {max(each):.0f} ms")
    return int(now["rows"])


def told(rows: int, run: Path, server: int, taken: float) -> None:
    """What the index took."""
    size = sum(path.stat().st_size for path in run.glob(f"{NAME}*")) >> 20
    peak, spent = (sum(map(figure, children(server))) for figure in (peak_mb, cpu_s))
    speed = f"{rows / taken:,.0f} rows a second, {rows / max(spent, 0.01):,.0f} a second of CPU"
    print(f"index: {taken:.0f} s, {spent:.0f} s of CPU: {speed}; {size:,} MB; peak memory {peak} MB", flush=True)


def afterwards(client: httpx.Client, rows: int, server: int) -> None:
    """Every kind of page of the whole run."""
    first = client.get("/").text
    token = {"x-token": str(re.search(r'name="token" content="([^"]+)"', first)[1])}  # type: ignore[index]
    for n in range(1, rows, max(1, rows // 1000)):
        client.post("/label", json={"n": n, "label": "accept", "note": ""}, headers=token)
    last = {"page": str(rows // 50 - 1)}
    for name, query in {**ASKED, "last page": last, "last page, dearest first": {**last, "order": "cost"}}.items():
        spent = cpu_s(server)
        first_ms, again_ms, count = timed(client, query)
        of_cpu = 1000 * (cpu_s(server) - spent)
        times = f"{first_ms:.0f} ms, again {again_ms:.0f} ms"
        print(f"{name}: {count} rows, {times}; CPU of all six {of_cpu:.0f} ms", flush=True)
    row = re.search(r'href="(/row/\d+)', client.get("/", params={"depth": "2"}).text)
    begun = time.perf_counter()
    client.get(str(row and row[1])).raise_for_status()
    print(f"a row refined twice, with its lineage: {1000 * (time.perf_counter() - begun):.0f} ms")


def timed(client: httpx.Client, query: dict[str, str]) -> tuple[float, float, str]:
    """Milliseconds of a page when it is first asked for, the median of five more, and what it counts."""
    taken = []
    for _ in range(6):
        begun = time.perf_counter()
        text = client.get("/", params=query).raise_for_status().text
        taken.append(1000 * (time.perf_counter() - begun))
    count = re.search(r"<h1>([\d,]+)", text)
    return taken[0], statistics.median(taken[1:]), count[1] if count else "?"


def peak_mb(process: int) -> int:
    """The most memory that a process has had; 0 where the system does not tell."""
    try:
        status = Path(f"/proc/{process}/status").read_text()
    except OSError:
        return 0
    return int(status.partition("VmHWM:")[2].split()[0]) >> 10


def cpu_s(process: int) -> float:
    """The CPU that a process has taken; 0 where the system does not tell."""
    try:
        return sum(map(int, Path(f"/proc/{process}/stat").read_text().split()[13:15])) / os.sysconf("SC_CLK_TCK")
    except OSError:
        return 0.0


def children(process: int) -> list[int]:
    """The processes that a process has started."""
    try:
        return [int(one) for one in Path(f"/proc/{process}/task/{process}/children").read_text().split()]
    except OSError:
        return []


def items(records: int) -> Iterator[list[dict[str, Any]]]:
    """Work items of made-up rows."""
    draw = Random(0)
    for item in range(records // EACH):
        skill = draw.choice(SKILLS)
        rows = [record(draw, skill, item, place) for place in range(EACH - 1)]
        yield [*rows, dropped(draw, skill, item)]


def record(draw: Random, skill: str, item: int, place: int) -> dict[str, Any]:
    """A record; of every three the second refines the first, and the third the second."""
    depth = place % 3
    passed = draw.random() < 0.9
    return {
        "id": f"{item:028x}{place:04x}",
        "messages": [{"role": "user", "content": text(draw, 60)}, {"role": "assistant", "content": text(draw, 120)}],
        **{
            "skill": skill,
            "split": skill,
            "category": f"category_{draw.randrange(30)}",
            "transform": f"way_{draw.randrange(6)}",
        },
        **{
            "form": "open",
            "item": "",
            "seed_id": f"seed{item}",
            "source": f"file{item % 1000}.txt",
            "start": 0,
            "end": 9,
        },
        **{"licence": "unknown", "language": "en", "context": "", "key": "", "depth": depth},
        "parent": f"{item:028x}{place - 1:04x}" if depth else "",
        "goal": f"goal_{draw.randrange(5)}" if depth else "",
        "suggestion": "Make it harder." if depth else "",
        **{"accepted": passed, "trace": [], "calls": [call(draw)]},
        "verdicts": [{"check": "grounded", "passed": passed, "kind": "exact", "evidence": ""}],
    }


def dropped(draw: Random, skill: str, item: int) -> dict[str, Any]:
    """A drop."""
    reason = draw.choice(REASONS)
    at = {"skill": skill, "seed_id": f"seed{item}", "stage": "verify", "reason": reason, "detail": text(draw, 20)}
    more = {"category": f"category_{draw.randrange(12)}", "transform": "identity", "draft_id": f"{item:028x}d000"}
    return {**at, **more, "parent": "", "source": f"file{item % 1000}.txt", "verdicts": [], "calls": [call(draw)]}


def call(draw: Random) -> dict[str, Any]:
    """A model call."""
    told = {
        "agent": "answer",
        "role": "answer",
        "prompt": "shared/answer.md@0",
        "model": "openai:gpt-4.1-mini",
        "key": "",
    }
    return {**told, "input_tokens": draw.randrange(3000), "cached_tokens": 0, "output_tokens": 300, "repairs": 0}


def text(draw: Random, words: int) -> str:
    """So many words."""
    return " ".join(draw.choices(WORDS, cum_weights=COMMON, k=words))


def size_mb(folder: Path) -> float:
    """What the segments take."""
    return sum(path.stat().st_size for path in folder.glob("*.seg")) / 2**20


if __name__ == "__main__":
    main()
