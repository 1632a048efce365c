"""Records that hold items of a benchmark, found in the published ways, each hit with both texts.

    8gram       more than half of an item's words stand in runs of eight words that one turn of the record has too
                (as Llama 2 and Tülu 3 did; an item of four to seven words must be a whole turn)
    13gram      a run of thirteen words, if it stands in at most ten items (as GPT-3 did)
    embedding   the prompt means nearly the same as the item (cosine): a second pass for what is put otherwise
    seed        the record is of a seed that the held-out set has records of too

System messages are not looked at.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, get_args

import numpy

from agentinstruct.agents.errors import SetupError
from agentinstruct.dataset.benchmark import Benchmark, Item
from agentinstruct.dataset.ngrams import Ngrams
from agentinstruct.dataset.rows import Row, parts, turns

Method = Literal["8gram", "13gram", "embedding", "seed"]
Embed = Callable[[list[str]], list[list[float]]]

METHODS: tuple[Method, ...] = get_args(Method)
COVERED = 0.5
CLOSE = 0.85
_LEAST = 4
_COMMON = 10
_EXCERPT = 1000
_BLOCK = 512


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


@dataclass(slots=True)
class Decontamination:
    """What was found so far."""

    records: int = 0
    hit: Counter[str] = field(default_factory=Counter)
    """Records by method; one may count under several."""
    per_benchmark: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    items: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))
    """The numbers of the items of each benchmark that were met; a seed is no item."""

    def stats(self, benchmarks: Iterable[Benchmark]) -> dict[str, Any]:
        """As JSON."""
        return {
            "records": self.records,
            "hit": dict(sorted(self.hit.items())),
            "benchmarks": {
                one.name: {
                    "items": len(one.items),
                    "items_met": len(self.items[one.name]),
                    "records": dict(sorted(self.per_benchmark[one.name].items())),
                }
                for one in benchmarks
            },
        }


class Decontaminator:
    """Checks records against benchmarks, in blocks."""

    def __init__(
        self,
        benchmarks: Sequence[Benchmark],
        *,
        methods: Iterable[str] = ("8gram", "13gram", "seed"),
        embed: Embed | None = None,
        close: float = CLOSE,
    ) -> None:
        """With `embed`, the second pass is made too. Raises `SetupError` for a method that there is not."""
        self.methods = {*methods, *(["embedding"] if embed else [])}
        if unknown := sorted(self.methods - set(METHODS)):
            raise SetupError(f"no way to decontaminate is called {unknown[0]!r}; there are {', '.join(METHODS)}.")
        self.benchmarks = benchmarks
        self.found = Decontamination()
        self._owners = [(one, item) for one in benchmarks for item in one.items]
        texts = [(number, text) for number, (_, item) in enumerate(self._owners) for text in item.texts()]
        self._item_of = [number for number, _ in texts]
        self._eight = Ngrams([text for _, text in texts], 8, least=_LEAST)
        self._thirteen = Ngrams([text for _, text in texts], 13, least=13, most_common=_COMMON)
        self._close = _Close([item.whole for _, item in self._owners], embed, close) if embed else None

    def check(self, rows: Iterable[Row]) -> Iterator[list[Hit]]:
        """The hits of each row, in the order of the rows."""
        block: list[Row] = []
        for row in rows:
            block.append(row)
            if len(block) == _BLOCK:
                yield from self._block(block)
                block = []
        yield from self._block(block)

    def stats(self) -> dict[str, Any]:
        """What was found so far, as JSON."""
        return {"methods": sorted(self.methods), **self.found.stats(self.benchmarks)}

    def _block(self, rows: list[Row]) -> list[list[Hit]]:
        hits: list[list[Hit]] = [[] for _ in rows]
        seen = set()
        for number, item, method, score, text in self._all(rows):
            if (number, item, method) not in seen:
                seen.add((number, item, method))
                benchmark, one = self._owners[item]
                hits[number].append(_hit(rows[number], benchmark, one, method, score, text))
                if method != "seed":
                    self.found.items[benchmark.name].add(item)
        for row_hits in hits:
            self._count(row_hits)
        return hits

    def _count(self, hits: list[Hit]) -> None:
        self.found.records += 1
        self.found.hit.update({hit.method for hit in hits})
        for name, method in {(hit.benchmark, hit.method) for hit in hits}:
            self.found.per_benchmark[name][method] += 1

    def _all(self, rows: list[Row]) -> Iterator[tuple[int, int, Method, float, str]]:
        said = [(number, turn.text) for number, row in enumerate(rows) for turn in turns(row) if turn.role != "system"]
        texts = [text for _, text in said]
        ways: tuple[tuple[Method, Ngrams, float], ...] = (
            ("8gram", self._eight, COVERED),
            ("13gram", self._thirteen, 0),
        )
        for method, ngrams, least in ways:
            if method in self.methods and texts:
                for text, held, coverage in ngrams.shared(texts):
                    if coverage > least:
                        yield said[text][0], self._item_of[held], method, coverage, texts[text]
        if "seed" in self.methods:
            yield from self._of_seed(rows)
        if self._close and rows:
            yield from self._close.to([parts(row).prompt for row in rows])

    def _of_seed(self, rows: list[Row]) -> Iterator[tuple[int, int, Method, float, str]]:
        first = 0
        for benchmark in self.benchmarks:
            for number, row in enumerate(rows):
                if str(row.get("seed_id") or "") in benchmark.seeds:
                    yield number, first, "seed", 1.0, parts(row).prompt
            first += len(benchmark.items)


def _hit(row: Row, benchmark: Benchmark, item: Item, method: Method, score: float, text: str) -> Hit:
    where = f"a record of seed {row['seed_id']}" if method == "seed" else item.whole
    name = "" if method == "seed" else item.id
    return Hit(str(row.get("id", "")), benchmark.name, name, method, round(score, 3), text[:_EXCERPT], where[:_EXCERPT])


class _Close:
    """Prompts that mean what an item means."""

    def __init__(self, items: list[str], embed: Embed, least: float) -> None:
        import faiss

        self._embed, self._least = embed, least
        vectors = self._unit(items)
        self._index = faiss.IndexFlatIP(vectors.shape[1])
        self._index.add(vectors)

    def _unit(self, texts: list[str]) -> Any:
        vectors = numpy.array(self._embed(texts), numpy.float32)
        return vectors / numpy.maximum(numpy.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)

    def to(self, prompts: list[str]) -> Iterator[tuple[int, int, Method, float, str]]:
        """The prompts whose nearest item is near enough."""
        scores, nearest = self._index.search(self._unit(prompts), 1)
        for number in numpy.flatnonzero(scores[:, 0] >= self._least).tolist():
            yield number, int(nearest[number, 0]), "embedding", float(scores[number, 0]), prompts[number]
