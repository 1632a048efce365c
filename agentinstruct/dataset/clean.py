"""A clean dataset: one pass flags rows, holds them against benchmarks and finds duplicates; another gives them out.

    rows ─ flag ─ decontaminate ─ deduplicate ─→ Cleaned    which rows stay, with their flags; what went, and why

Memory holds a few bytes a row. The rows are read again when they are given out, so they must come in the same order.
"""

import tempfile
from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, Self

import orjson

from agentinstruct.dataset.benchmark import read_benchmark
from agentinstruct.dataset.decontaminate import Decontaminator, Hit
from agentinstruct.dataset.dedup import Deduplicator, Duplicates
from agentinstruct.dataset.dedup_close import Embed
from agentinstruct.dataset.dedup_rows import On
from agentinstruct.dataset.flag import Flag
from agentinstruct.dataset.flags import Choice, Flagged, flag
from agentinstruct.dataset.rows import Row, read_chats

_BLOCK = 512


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be done; nothing is the default."""

    dedup: bool = False
    similarity: float = 0.8
    on: On = "record"
    against: tuple[Path, ...] = ()
    """Earlier datasets: what they hold is a duplicate."""
    index: Path | None = None
    """A file that keeps what duplicates are looked for in."""
    name: str = ""
    """The dataset's own, in that file."""
    benchmarks: tuple[str, ...] = ()
    """Specs, as `read_benchmark` takes them."""
    flags: str = ""
    """As `Choice.of` takes it; empty: no flags are looked for."""
    embed: Embed | None = None
    """What finds duplicates and benchmark items by meaning, too."""

    @property
    def empty(self) -> bool:
        """Whether nothing is to be done."""
        return not (self.dedup or self.benchmarks or self.flags)


@dataclass(slots=True)
class Cleaned:
    """What came of it."""

    kept: bytearray = field(default_factory=bytearray)
    """For each row, in order, whether it stays."""
    flags: dict[int, tuple[str, ...]] = field(default_factory=dict)
    """The names of the flags of each row that has any."""
    stats: dict[str, Any] = field(default_factory=dict)
    """Counts, as JSON: `rows`, `kept`, `removed` by reason; `dedup`, `decontaminate`, `flags` where asked for."""
    flagging: bool = False
    log: BinaryIO = field(default_factory=tempfile.TemporaryFile)

    def rows(self, rows: Iterable[Row]) -> Iterator[Row]:
        """Those of the same rows that stay, with their flags if these were looked for."""
        for number, row in enumerate(rows):
            if self.kept[number]:
                yield row | {"flags": list(self.flags.get(number, ()))} if self.flagging else row

    def removed(self) -> Iterator[bytes]:
        """A JSON line for each row that went: `id`, `reason` and what shows it."""
        self.log.seek(0)
        yield from self.log

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.log.close()


def clean(rows: Callable[[], Iterable[Row]], plan: Plan) -> Cleaned:
    """Find what is to go, to be used in `with`. `rows` gives the rows, from the start, each time it is called.

    Raises:
        SetupError: a benchmark, an earlier dataset, the index or a name of a flag cannot be used.
    """
    with ExitStack() as held, ExitStack() as stack:
        work = _Work(plan, held.enter_context(Cleaned(flagging=bool(plan.flags))), stack)
        for row in rows():
            work.take(row)
        work.flush()
        if work.dedup:
            work.deduplicate(rows)
        held.pop_all()
        return work.finished()


class _Work:
    def __init__(self, plan: Plan, out: Cleaned, stack: ExitStack) -> None:
        self._plan, self.out = plan, out
        self._choice = Choice.of(plan.flags) if plan.flags else None
        self._flagged = Flagged()
        named = [read_benchmark(spec) for spec in plan.benchmarks]
        self._decontaminate = Decontaminator(named, embed=plan.embed) if named else None
        self.dedup: Deduplicator | None = None
        if plan.dedup:
            index = Deduplicator(plan.index, name=plan.name, similarity=plan.similarity, on=plan.on)
            self.dedup = stack.enter_context(index)
            for path in plan.against:
                self.dedup.earlier(read_chats(path), str(path))
        self._compared = array("Q")
        """The numbers of the rows that duplicates are looked for among."""
        self._block: list[Row] = []
        self._reasons: Counter[str] = Counter()
        self._stats: dict[str, Any] = {}

    def take(self, row: Row) -> None:
        self._block.append(row)
        if len(self._block) == _BLOCK:
            self.flush()

    def flush(self) -> None:
        block, self._block = self._block, []
        hits = self._decontaminate.check(block) if self._decontaminate else iter([[] for _ in block])
        for row, met in zip(block, hits, strict=True):
            self._one(row, met)

    def _one(self, row: Row, met: list[Hit]) -> None:
        number = len(self.out.kept)
        bad = self._flag(number, row)
        stays = not (bad or met)
        self.out.kept.append(stays)
        if bad:
            self._note({"id": row.get("id", ""), "reason": "flagged", "flags": [one._asdict() for one in bad]})
        elif met:
            self._note({"id": row.get("id", ""), "reason": "contaminated", "hits": [one.row() for one in met]})
        elif self.dedup:
            self._compared.append(number)
            self.dedup.add(row)

    def _flag(self, number: int, row: Row) -> list[Flag]:
        if self._choice is None:
            return []
        found = flag(row)
        self._flagged.add(found)
        if found:
            self.out.flags[number] = tuple(one.name for one in found)
        return self._choice.taken(found)

    def _note(self, entry: dict[str, Any]) -> None:
        self._reasons[entry["reason"]] += 1
        self.out.log.write(orjson.dumps(entry, default=str, option=orjson.OPT_APPEND_NEWLINE))

    def deduplicate(self, rows: Callable[[], Iterable[Row]]) -> None:
        assert self.dedup is not None
        found = self.dedup.resolve()
        self._apply(found)
        if self._plan.embed:
            stays = (row for number, row in enumerate(rows()) if self.out.kept[number])
            found = self.dedup.means_alike(stays, self._plan.embed)
            self._apply(found)
        for twin in found.twins():
            self._note({"id": twin.id, "reason": "duplicate", **asdict(twin)})
        self._stats["dedup"] = found.stats

    def _apply(self, found: Duplicates) -> None:
        for number, stays in zip(self._compared, found.kept.tolist(), strict=True):
            self.out.kept[number] = stays

    def finished(self) -> Cleaned:
        kept = sum(self.out.kept)
        removed = dict(sorted(self._reasons.items()))
        self.out.stats = {"rows": len(self.out.kept), "kept": kept, "removed": removed, **self._stats}
        if self._decontaminate:
            self.out.stats["decontaminate"] = self._decontaminate.stats()
        if self._choice is not None:
            self.out.stats["flags"] = self._flagged.stats() | {"drops": sorted(self._choice.drops)}
        return self.out
