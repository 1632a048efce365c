"""A clean dataset: one pass flags rows, holds them against benchmarks and finds duplicates; another gives them out.

    rows ─ flag ─ decontaminate ─ deduplicate ─→ Cleaned    which rows stay, with their flags; what went, and why
           └──── examined by block, by any process ────┘

Memory holds a few bytes a row. The rows are read again when they are given out, so they must come in the same order.
"""

from array import array
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack, nullcontext
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy

from agentinstruct.dataset.benchmark import read_benchmark
from agentinstruct.dataset.decontaminate import Decontaminator, Hit
from agentinstruct.dataset.dedup import Deduplicator, Duplicates
from agentinstruct.dataset.dedup_close import Embed
from agentinstruct.dataset.dedup_rows import NOTHING, On
from agentinstruct.dataset.examine import BLOCK, Examined, Examiner
from agentinstruct.dataset.flag import Flag
from agentinstruct.dataset.flags import Choice, Flagged
from agentinstruct.dataset.hands import Hands, here
from agentinstruct.dataset.logged import Logged
from agentinstruct.dataset.rows import Row, blocks, called, read_chats


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
    """What finds duplicates and benchmark items by meaning, too: in this process, whoever does the rest."""
    embedder: str = ""
    """Its name, which the index keeps."""
    hands: Callable[[], AbstractContextManager[Hands]] = lambda: nullcontext(here)
    """Who looks at the rows."""

    @property
    def empty(self) -> bool:
        """Whether nothing is to be done."""
        return not (self.dedup or self.benchmarks or self.flags)


@dataclass(slots=True)
class Cleaned(Logged):
    """What came of it; told of each row that went: `id`, `reason` and what shows it."""

    kept: bytearray = field(default_factory=bytearray)
    """For each row, in order, whether it stays."""
    flags: dict[int, tuple[str, ...]] = field(default_factory=dict)
    """The names of the flags of each row that has any."""
    stats: dict[str, Any] = field(default_factory=dict)
    """Counts, as JSON: `rows`, `kept`, `removed` by reason; `dedup`, `decontaminate`, `flags` where asked for."""
    flagging: bool = False

    def rows(self, rows: Iterable[Row]) -> Iterator[Row]:
        """Those of the same rows that stay, with their flags if these were looked for."""
        for number, row in enumerate(rows):
            if self.kept[number]:
                yield row | {"flags": list(self.flags.get(number, ()))} if self.flagging else row


def clean(rows: Callable[[], Iterable[Row]], plan: Plan) -> Cleaned:
    """Find what is to go, to be used in `with`. `rows` gives the rows, from the start, each time it is called.

    Raises:
        SetupError: a benchmark, an earlier dataset, the index or a name of a flag cannot be used.
    """
    with ExitStack() as held, ExitStack() as stack:
        work = _Work(plan, held.enter_context(Cleaned(flagging=bool(plan.flags))), stack)
        work.look(rows())
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
        self._hands = stack.enter_context(plan.hands())
        self.dedup: Deduplicator | None = None
        if plan.dedup:
            index = Deduplicator(plan.index, name=plan.name, similarity=plan.similarity, on=plan.on)
            self.dedup = stack.enter_context(index)
            for path in plan.against:
                self.dedup.earlier(read_chats(path), str(path), self._hands)
        self._compared = array("Q")
        """The numbers of the rows that duplicates are looked for among."""
        self._named: dict[tuple[str, ...], tuple[str, ...]] = {}
        """The same names are held once, however many rows have them."""
        self._reasons: Counter[str] = Counter()
        self._stats: dict[str, Any] = {}

    def look(self, rows: Iterable[Row]) -> None:
        """Look at every row by itself."""
        waiting: deque[list[Row]] = deque()

        def given() -> Iterator[list[Row]]:
            for block in blocks(rows, BLOCK):
                waiting.append(block)
                yield block

        search = self._decontaminate.search if self._decontaminate else None
        on, known = (self._plan.on, self.dedup.known) if self.dedup else (None, NOTHING)
        examiner = Examiner(self._choice is not None, search, on, known)
        for found in self._hands(examiner, given()):
            self._take(waiting.popleft(), found)

    def _take(self, block: list[Row], found: Examined) -> None:
        hits: list[list[Hit]] = [[] for _ in block]
        if self._decontaminate:
            hits = self._decontaminate.settle(block, found.met)
        begun = len(self.out.kept)
        for row, flags, met in zip(block, found.flags, hits, strict=True):
            self.out.kept.append(self._stays(row, flags, met))
        if self.dedup and found.compared:
            stays = numpy.frombuffer(bytes(self.out.kept[begun:]), bool)
            self._compared.extend((begun + numpy.flatnonzero(stays)).tolist())
            self.dedup.take(found.compared.only(stays))

    def _stays(self, row: Row, flags: list[Flag], met: list[Hit]) -> bool:
        bad = self._flag(flags)
        if bad:
            self._note({"id": called(row), "reason": "flagged", "flags": [one._asdict() for one in bad]})
        elif met:
            self._note({"id": called(row), "reason": "contaminated", "hits": [one.row() for one in met]})
        return not (bad or met)

    def _flag(self, found: list[Flag]) -> list[Flag]:
        """Note the flags of the next row; those that take it away."""
        if self._choice is None:
            return []
        self._flagged.add(found)
        if found:
            names = tuple(one.name for one in found)
            self.out.flags[len(self.out.kept)] = self._named.setdefault(names, names)
        return self._choice.taken(found)

    def _note(self, entry: dict[str, Any]) -> None:
        self._reasons[entry["reason"]] += 1
        self.out.note(entry)

    def deduplicate(self, rows: Callable[[], Iterable[Row]]) -> None:
        assert self.dedup is not None
        found = self.dedup.resolve()
        self._apply(found)
        if self._plan.embed:
            stays = (row for number, row in enumerate(rows()) if self.out.kept[number])
            found = self.dedup.means_alike(stays, self._plan.embed, embedder=self._plan.embedder)
            self._apply(found)
        for twin in found.twins():
            self._note({"id": twin.id, "reason": "duplicate", **asdict(twin)})
        self._stats["dedup"] = found.stats

    def _apply(self, found: Duplicates) -> None:
        numpy.frombuffer(self.out.kept, bool)[numpy.frombuffer(self._compared, "Q")] = found.kept

    def finished(self) -> Cleaned:
        kept = sum(self.out.kept)
        removed = dict(sorted(self._reasons.items()))
        self.out.stats = {"rows": len(self.out.kept), "kept": kept, "removed": removed, **self._stats}
        if self._decontaminate:
            self.out.stats["decontaminate"] = self._decontaminate.stats()
        if self._choice is not None:
            self.out.stats["flags"] = self._flagged.stats() | {"drops": sorted(self._choice.drops)}
        return self.out
