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
from dataclasses import dataclass, field
from typing import Any, get_args

import numpy

from agentinstruct.agents.errors import SetupError
from agentinstruct.dataset.benchmark import Benchmark
from agentinstruct.dataset.overlap import Hit, Met, Method, Place, Search
from agentinstruct.dataset.rows import Row, blocks, parts

__all__ = ["METHODS", "Decontaminator", "Hit"]

Embed = Callable[[list[str]], list[list[float]]]

METHODS: tuple[Method, ...] = get_args(Method)
CLOSE = 0.85
_BLOCK = 512


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
        self.search = Search(benchmarks, self.methods)
        """What may be done elsewhere; the rest is `settle`."""
        self._close = _Close([item.whole for _, item in self.search.items], embed, close) if embed else None

    def check(self, rows: Iterable[Row]) -> Iterator[list[Hit]]:
        """The hits of each row, in the order of the rows."""
        for block in blocks(rows, _BLOCK):
            yield from self.settle(block, self.search.of(block))

    def settle(self, rows: list[Row], met: list[list[Met]]) -> list[list[Hit]]:
        """The hits of each of these rows, of which `search` met those: adds what means the same, and counts."""
        if self._close and rows:
            close = self.search.told(rows, self._close.to([parts(row).prompt for row in rows]))
            met = [[*one, *more] for one, more in zip(met, close, strict=True)]
        for one in met:
            self._count(one)
        return [[hit for hit, _ in one] for one in met]

    def stats(self) -> dict[str, Any]:
        """What was found so far, as JSON."""
        return {"methods": sorted(self.methods), **self.found.stats(self.benchmarks)}

    def _count(self, met: list[Met]) -> None:
        self.found.records += 1
        self.found.hit.update({hit.method for hit, _ in met})
        for name, method in {(hit.benchmark, hit.method) for hit, _ in met}:
            self.found.per_benchmark[name][method] += 1
        for hit, item in met:
            if hit.method != "seed":
                self.found.items[hit.benchmark].add(item)


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

    def to(self, prompts: list[str]) -> Iterator[Place]:
        """The prompts whose nearest item is near enough."""
        scores, nearest = self._index.search(self._unit(prompts), 1)
        for number in numpy.flatnonzero(scores[:, 0] >= self._least).tolist():
            yield number, int(nearest[number, 0]), "embedding", float(scores[number, 0]), prompts[number]
