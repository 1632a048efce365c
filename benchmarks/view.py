"""How quick the viewer is over a run of so many made-up records: the index, the first page, filters, search, a row.

python benchmarks/view.py --records 1000000
"""

import argparse
import resource
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

from agentinstruct.run.journal import Journal
from agentinstruct.tools.prices import price_table
from agentinstruct.view.index import NAME, ViewIndex
from agentinstruct.view.labels import NAME as LABELS
from agentinstruct.view.labels import Labels
from agentinstruct.view.lineage import lineage
from agentinstruct.view.query import Query, facet, find

WORDS = [
    f"{a}{b}" for a in ("river", "stone", "harbour", "light", "engine", "table", "winter", "letter") for b in range(500)
]
SKILLS = [f"skill_{n}" for n in range(17)]
EACH = 8
"""Rows of a work item: a few originals with what was refined from them, and a drop."""


def main() -> None:
    """Make a run, then look at it."""
    given = argparse.ArgumentParser(description=__doc__)
    given.add_argument("--records", type=int, default=100_000)
    with TemporaryDirectory(prefix="view-") as folder:
        measured(Path(folder) / "run", given.parse_args().records)


def measured(folder: Path, records: int) -> None:
    """All figures, as they come."""
    begun = time.perf_counter()
    with Journal.open(folder, {"made": "up"}) as journal:
        for item, rows in enumerate(items(records)):
            journal.finish(f"{item:032x}", rows[0]["skill"], f"seed{item}", rows[:-1], rows[-1:])
    print(f"{records:,} rows, {size_mb(folder):,.0f} MB, made in {time.perf_counter() - begun:.0f} s")
    index, begun = ViewIndex.open(folder, "bench", price_table(), folder / NAME), time.perf_counter()
    first = index.update()
    print(f"first {first:,} rows to be seen after {time.perf_counter() - begun:.2f} s")
    while index.update():
        pass
    taken, size = time.perf_counter() - begun, (folder / NAME).stat().st_size >> 20
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
    print(f"index: {taken:.0f} s, {records / taken:,.0f} rows a second, {size} MB; peak memory {peak} MB")
    Labels(folder / LABELS).close()
    index.connection.execute("ATTACH ? AS labels", (str(folder / LABELS),))
    asked = {
        "first page": {},
        "one skill": {"skill": "skill_3"},
        "one skill, dropped": {"skill": "skill_3", "state": "dropped"},
        "refined twice": {"depth": "2"},
        "a common word": {"q": "river7"},
        "three words": {"q": "river7 stone12 letter3"},
        "a word and a filter": {"q": "river7", "skill": "skill_3"},
        "dearest first": {"order": "cost"},
        "page 2,000": {"page": "2000"},
    }
    for name, given in asked.items():
        query, begun = Query.of(given), time.perf_counter()
        found = find(index, query)
        for kind in ("state", "skill", "category", "depth"):
            facet(index, query.kinds, kind)
        print(f"{name}: {found.count:,} rows, {1000 * (time.perf_counter() - begun):.0f} ms")
    begun = time.perf_counter()
    row = find(index, Query.of({"depth": "2"})).rows[0]
    whole = lineage(index, row, lambda record: "")
    print(f"a row with {len(whole.steps)} steps: {1000 * (time.perf_counter() - begun):.0f} ms")
    index.close()


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
        **{"skill": skill, "split": skill, "category": f"category_{draw.randrange(12)}", "transform": "identity"},
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
        "goal": "harder" if depth else "",
        "suggestion": "Make it harder." if depth else "",
        **{"accepted": passed, "trace": [], "calls": [call(draw)]},
        "verdicts": [{"check": "grounded", "passed": passed, "kind": "exact", "evidence": ""}],
    }


def dropped(draw: Random, skill: str, item: int) -> dict[str, Any]:
    """A drop."""
    reason = draw.choice(["declined", "wrong shape", "solvers disagree"])
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
    return " ".join(draw.choices(WORDS, k=words))


def size_mb(folder: Path) -> float:
    """What the segments take."""
    return sum(path.stat().st_size for path in folder.glob("*.seg")) / 2**20


if __name__ == "__main__":
    main()
