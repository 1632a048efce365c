"""Items of benchmarks that rows hold word for word, or by their seed: a pure function of rows, for any process.

rows ─ Search ─→ for each row what it holds: Met(hit, number of the item)
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal, NamedTuple

from agentinstruct.dataset.benchmark import Benchmark, Item
from agentinstruct.dataset.ngrams import Ngrams
from agentinstruct.dataset.rows import Row, parts, turns

Method = Literal["8gram", "13gram", "embedding", "seed"]

COVERED = 0.5
_LEAST = 4
_COMMON = 10
_EXCERPT = 1000


@dataclass(frozen=True, slots=True)
class Hit:
    """A record that holds an item."""

    id: str
    benchmark: str
    item: str
    method: Method
    score: float
    """Share of the item's words (8gram, 13gram), or cosine (embedding)."""
    text: str
    """The turn of the record, at most 1,000 characters."""
    item_text: str

    def row(self) -> dict[str, Any]:
        """The hit as written to `removed.jsonl`."""
        return asdict(self)


class Met(NamedTuple):
    """A hit, and the number of its item among those of all benchmarks."""

    hit: Hit
    item: int


Place = tuple[int, int, Method, float, str]
"""Row, item, how it was found, score, text."""


class Search:
    """Looks for the items of benchmarks in rows."""

    def __init__(self, benchmarks: Sequence[Benchmark], methods: Iterable[str]) -> None:
        self._benchmarks = benchmarks
        self._methods = frozenset(methods)
        self.items = [(one, item) for one in benchmarks for item in one.items]
        """Every item with its benchmark, by number."""
        texts = [(number, text) for number, (_, item) in enumerate(self.items) for text in item.texts()]
        self._item_of = [number for number, _ in texts]
        self._eight = Ngrams([text for _, text in texts], 8, least=_LEAST)
        self._thirteen = Ngrams([text for _, text in texts], 13, least=13, most_common=_COMMON)

    def of(self, rows: Sequence[Row]) -> list[list[Met]]:
        """What each row holds."""
        return self.told(rows, self._all(rows))

    def told(self, rows: Sequence[Row], places: Iterable[Place]) -> list[list[Met]]:
        """The places as hits of each row, each item once by each method."""
        met: list[list[Met]] = [[] for _ in rows]
        seen = set()
        for number, item, method, score, text in places:
            if (number, item, method) not in seen:
                seen.add((number, item, method))
                met[number].append(Met(_hit(rows[number], *self.items[item], method, score, text), item))
        return met

    def _all(self, rows: Sequence[Row]) -> Iterator[Place]:
        said = [(number, turn.text) for number, row in enumerate(rows) for turn in turns(row) if turn.role != "system"]
        texts = [text for _, text in said]
        ways: tuple[tuple[Method, Ngrams, float], ...] = (
            ("8gram", self._eight, COVERED),
            ("13gram", self._thirteen, 0),
        )
        for method, ngrams, least in ways:
            if method in self._methods and texts:
                for text, held, coverage in ngrams.shared(texts):
                    if coverage > least:
                        yield said[text][0], self._item_of[held], method, coverage, texts[text]
        if "seed" in self._methods:
            yield from self._of_seed(rows)

    def _of_seed(self, rows: Sequence[Row]) -> Iterator[Place]:
        first = 0
        for benchmark in self._benchmarks:
            for number, row in enumerate(rows):
                if str(row.get("seed_id") or "") in benchmark.seeds:
                    yield number, first, "seed", 1.0, parts(row).prompt
            first += len(benchmark.items)


def _hit(row: Row, benchmark: Benchmark, item: Item, method: Method, score: float, text: str) -> Hit:
    where = f"a record of seed {row['seed_id']}" if method == "seed" else item.whole
    name = "" if method == "seed" else item.id
    return Hit(str(row.get("id", "")), benchmark.name, name, method, round(score, 3), text[:_EXCERPT], where[:_EXCERPT])
