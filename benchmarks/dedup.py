"""Deduplication at size: what it finds of planted duplicates, what it takes away wrongly, time and memory.

    python benchmarks/dedup.py --records 100000 --workers 1 2 [--flags] [--folder FOLDER]

Records have a context shared by several, a prompt, a response and a key. Planted among them, each with a record that it
is made from: exact copies (other case, spacing, system message), near copies (some words exchanged), and what is alike
but no duplicate: the same question of another context, another answer to the same question, a text alike by half. The
similarity of each near copy is computed here, on whole sets of words, three at a time. `--flags`: defects are looked
for too, which is most of the work of a whole cleaning. `--folder` keeps the records, to be used again.

    python benchmarks/dedup.py --join --records 4000000

The join alone, for more records than there is time to read: random numbers stand for their texts, one in ten repeats
another.
"""

import argparse
import itertools
import json
import random
import re
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

Row = dict[str, Any]

SHARES = {"exact": 0.05, "near": 0.06, "other context": 0.02, "other answer": 0.02, "half alike": 0.02}
LETTERS = "etaoinshrdlucmfwypvbgk"
LAYOUTS = ("{q}\n\n{c}", "Read this.\n\n{c}\n\n{q}", "{c}\n\n---\n{q}", "Here is a text:\n{c}\n\nNow: {q}")
_draw = random.Random(7)
VOCABULARY = ["".join(_draw.choices(LETTERS, k=_draw.randint(2, 9))) for _ in range(30_000)]
WEIGHTS = list(itertools.accumulate(1 / (rank + 5) for rank in range(len(VOCABULARY))))


def written(draw: random.Random, least: int, most: int) -> list[str]:
    """Words as often as in a language."""
    return draw.choices(VOCABULARY, cum_weights=WEIGHTS, k=draw.randint(least, most))


def base(number: int) -> Row:
    """The record of a number, as if made from scratch: one in four of those that share a context."""
    draw = random.Random(number)
    return {
        "question": written(draw, 12, 60),
        "context": " ".join(written(random.Random(-1 - number // 4), 80, 200)),
        "response": written(draw, 20, 120),
        "layout": draw.randrange(len(LAYOUTS)),
        "key": draw.choice(VOCABULARY),
    }


def exchanged(draw: random.Random, words: list[str], share: float) -> list[str]:
    """The words with some of them exchanged for others."""
    return [draw.choice(VOCABULARY) if draw.random() < share else word for word in words]


def planted(kind: str, number: int) -> tuple[Row, int]:
    """A record of a kind, and the number of that which it is made from."""
    draw = random.Random(f"{kind} {number}")
    source = draw.randrange(number)
    while kind_of(source) != "unique":
        source = draw.randrange(number)
    row = base(source)
    if kind == "near":
        share = draw.choice((0.005, 0.01, 0.02, 0.03, 0.05))
        row["question"], row["response"] = (exchanged(draw, row[name], share) for name in ("question", "response"))
    elif kind == "other context":
        row["context"] = " ".join(written(draw, 80, 200))
    elif kind == "other answer":
        row["key"] = f"key{number}"
        row["response"] = ["answer", row["key"]]
    elif kind == "half alike":
        row["question"], row["response"] = (exchanged(draw, row[name], 0.12) for name in ("question", "response"))
    return row, source


def kind_of(number: int) -> str:
    """What the record of a number is to be."""
    if not number:
        return "unique"
    shares = {"unique": 1 - sum(SHARES.values()), **SHARES}
    return random.Random(f"kind {number}").choices(list(shares), weights=list(shares.values()))[0]


def grams(row: Row) -> set[tuple[str, ...]]:
    """The words of prompt and response, three at a time."""
    asked = re.findall(r"\w+", LAYOUTS[row["layout"]].format(q=" ".join(row["question"]), c="").lower())
    sides = (("question", asked), ("response", row["response"]))
    return {(name, *gram) for name, words in sides for gram in zip(words, words[1:], words[2:], strict=False)}


def similarity(first: Row, second: Row) -> float:
    """Jaccard, on the whole sets."""
    a, b = grams(first), grams(second)
    return len(a & b) / len(a | b)


def rows(count: int) -> Iterator[Row]:
    """The records of the benchmark."""
    for number in range(count):
        draw, kind = random.Random(f"row {number}"), kind_of(number)
        if kind == "unique":
            yield told(base(number), number, "unique", draw)
            continue
        row, source = planted(kind, number)
        if kind in ("near", "half alike"):
            value = similarity(base(source), row)
            kind = "near 0.9 and more" if value >= 0.9 else "near 0.8 to 0.9" if value >= 0.8 else "alike below 0.8"
        yield told(row, number, kind, draw)


def told(row: Row, number: int, kind: str, draw: random.Random) -> Row:
    """The record as a dataset has it."""
    question, response = " ".join(row["question"]), " ".join(row["response"])
    context = row["context"]
    if kind == "exact":
        question, response = question.upper(), response.replace(" ", "  ", 3)
    layout = LAYOUTS[row["layout"]]
    messages = [
        *([{"role": "system", "content": " ".join(written(draw, 5, 12))}] if draw.random() < 0.6 else []),
        {"role": "user", "content": layout.format(q=question, c=context)},
        {"role": "assistant", "content": response},
    ]
    copied = kind != "unique"
    name = f"{draw.getrandbits(120):032x}"
    return {"id": name, "kind": kind, "messages": messages, "context": context, "key": row["key"], "depth": int(copied)}


def measure(path: Path, workers: int, flags: bool) -> Row:
    """Deduplicate the file; what was found, by kind."""
    from agentinstruct.dataset.dedup import Deduplicator
    from agentinstruct.dataset.examine import BLOCK, Examiner
    from agentinstruct.dataset.hands import Processes, here
    from agentinstruct.dataset.rows import blocks, read_rows

    index = path.with_suffix(".dedup")
    index.unlink(missing_ok=True)
    kinds: list[str] = []

    def noted() -> Iterator[Row]:
        for row in read_rows(path):
            kinds.append(sys.intern(row["kind"]))
            yield row

    hands, begun = Processes(workers) if workers > 1 else here, time.perf_counter()
    with Deduplicator(index) as dedup:
        for found in hands(Examiner(flags, on="record"), blocks(noted(), BLOCK)):
            dedup.take(found.compared)
        read = time.perf_counter()
        found = dedup.resolve()
        done = time.perf_counter()
    gone = Counter(kind for kind, stays in zip(kinds, found.kept, strict=True) if not stays)
    own, theirs = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return {
        "kinds": {kind: [gone[kind], count] for kind, count in sorted(Counter(kinds).items())},
        "stats": found.stats,
        "add_s": round(read - begun, 1),
        "resolve_s": round(done - read, 1),
        "cpu_s": round(own.ru_utime + own.ru_stime, 1),
        "workers_cpu_s": round(theirs.ru_utime + theirs.ru_stime, 1),
        "peak_mb": peak_mb(),
        "worker_mb": theirs.ru_maxrss // 1024,
        "index_mb": index.stat().st_size >> 20,
        "data_mb": path.stat().st_size >> 20,
    }


def join(count: int, index: Path) -> Row:
    """Time and memory of finding the twins among so many records, whose texts are not there."""
    import numpy

    from agentinstruct.dataset.dedup import Deduplicator
    from agentinstruct.dataset.dedup_index import Block, Sketches
    from agentinstruct.dataset.shingles import BANDS

    draw, size = numpy.random.default_rng(7), 1 << 14
    with Deduplicator(index) as dedup:
        for first in range(0, count, size):
            columns = {name: draw.integers(0, 1 << 63, size, "u8") for name in ("exact", "name", "key", "rank")}
            bands = draw.integers(0, 1 << 63, (BANDS, size), "u8")
            said = numpy.sort(draw.integers(0, 1 << 32, (size, 8), "u4"))
            for held in (columns["key"], bands.T, said):
                held[size - size // 10 :] = held[: size // 10]
            sketches = [Sketches(one.tobytes(), b"", one[:2].tobytes()) for one in said]
            dedup.take(Block([f"{first + at:x}" for at in range(size)], columns, bands, sketches))
        before, begun, used = peak_mb(), time.perf_counter(), time.process_time()
        found = dedup.resolve()
        times = time.perf_counter() - begun, time.process_time() - used
    return {"stats": found.stats, "times": times, "mb": (before, peak_mb()), "index_mb": index.stat().st_size >> 20}


def peak_mb() -> int:
    """What this process has held at most."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def show(found: Row) -> None:
    """Recall and precision."""
    kinds = found["kinds"]
    twins = {kind: pair for kind, pair in kinds.items() if kind.startswith(("exact", "near 0"))}
    right, planted_ = (sum(pair[at] for pair in twins.values()) for at in (0, 1))
    wrong = sum(pair[0] for kind, pair in kinds.items() if kind not in twins)
    print(f"{found['stats']['records']:,} records, {found['data_mb']:,} MB of JSON lines")
    for kind, (gone, count) in kinds.items():
        print(f"  {kind:20} {count:9,} planted  {gone:9,} removed  {gone / count:8.3%}")
    print(f"recall {right / planted_:.5f} of what is alike by 0.8 and more, precision {right / (right + wrong):.5f}")
    print(f"{found['stats']['pairs_compared']:,} pairs compared, index on disk {found['index_mb']} MB\n")
    print("| workers | s to add | s to find | µs of CPU a record: this process | workers | peak MB | of a worker |")
    print("| --- " * 7 + "|")


def main() -> None:
    """The command."""
    options = argparse.ArgumentParser(description="Recall, precision, time and memory of deduplication.")
    options.add_argument("--records", type=int, default=20_000)
    options.add_argument("--workers", type=int, nargs="+", default=[1])
    options.add_argument("--flags", action="store_true", help="look for defects too")
    options.add_argument("--folder", type=Path, help="keeps the records")
    options.add_argument("--join", action="store_true", help="only find the twins, among random numbers")
    options.add_argument("--measure", type=Path, help=argparse.SUPPRESS)
    given = options.parse_args()
    if given.measure:
        print(json.dumps(measure(given.measure, given.workers[0], given.flags)))
        return
    with tempfile.TemporaryDirectory() as temporary:
        if given.join:
            found = join(given.records, Path(temporary) / "join.dedup")
            (s, cpu), (before, after), stats = found["times"], found["mb"], found["stats"]
            print(
                f"{stats['records']:,} records, {stats['records'] - stats['kept']:,} twins: {s:.0f} s, {cpu:.0f} of CPU"
            )
            print(f"peak memory {before} MB while they are added, {after} MB in all; index {found['index_mb']} MB")
            return
        path = (given.folder or Path(temporary)) / f"records-{given.records}.jsonl"
        if not path.exists():
            with path.open("w") as file:
                file.writelines(json.dumps(row) + "\n" for row in rows(given.records))
        for number, workers in enumerate(given.workers):
            # Another process, so that what making the records took does not count.
            command = [sys.executable, __file__, "--measure", str(path), "--workers", str(workers)]
            command += ["--flags"] if given.flags else []
            found = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
            if not number:
                show(found)
            own, theirs = (found[name] / given.records * 1e6 for name in ("cpu_s", "workers_cpu_s"))
            memory = f"{found['peak_mb']} | {found['worker_mb'] if workers > 1 else '-'}"
            print(
                f"| {workers} | {found['add_s']} | {found['resolve_s']} | {own:.0f} | {theirs:.0f} | {memory} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
