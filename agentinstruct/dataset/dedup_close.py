"""Records that mean the same, found by FAISS among the vectors of an index: up to 50,000 in full, then in cells."""

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any

import numpy

from agentinstruct.dataset.dedup_index import DedupIndex
from agentinstruct.dataset.rows import Row, parts
from agentinstruct.dataset.shingles import U64, Array

Embed = Callable[[list[str]], list[list[float]]]

_BATCH = 256
_LONGEST = 1200
"""Characters; of longer texts the small model reads only the beginning, and templates begin alike."""
_FLAT = 50_000
_PROBES = 32
_TRAIN = 200_000


def keep_vectors(index: DedupIndex, numbers: Iterable[int], rows: Iterable[Row], embed: Embed) -> None:
    """Embed prompt and response of these records, which are in the index under these numbers; not those too long."""
    texts = ((number, "\n".join(parts(row)[::2])) for number, row in zip(numbers, rows, strict=True))
    whole = ((number, text) for number, text in texts if len(text) <= _LONGEST)
    while batch := list(islice(whole, _BATCH)):
        vectors = numpy.array(embed([text for _, text in batch]), numpy.float32)
        lengths = numpy.linalg.norm(vectors, axis=1, keepdims=True)
        index.set_vectors([number for number, _ in batch], vectors / numpy.maximum(lengths, 1e-9))


def close_pairs(index: DedupIndex, place: Array, least: float) -> tuple[Array, Array]:
    """Pairs of places, packed as in `dedup_pairs`, of which one is new and whose cosine is at least so much, and it."""
    numbers, vectors = _held(index)
    if not len(numbers):
        return numpy.empty(0, U64), numpy.empty(0)
    searched, place = _searched(vectors), place.astype(U64)
    pairs, cosines = [numpy.empty(0, U64)], [numpy.empty(0)]
    new = numpy.flatnonzero(numbers >= index.settled)
    for start in range(0, len(new), _BATCH):
        rows = new[start : start + _BATCH]
        limits, cosine, other = searched.range_search(vectors[rows].astype(numpy.float32), least)
        one = numpy.repeat(place[numbers[rows]], numpy.diff(limits).astype(numpy.int64))
        two = place[numbers[other]]
        apart = one != two
        pairs.append((numpy.minimum(one, two)[apart] << U64(32)) | numpy.maximum(one, two)[apart])
        cosines.append(cosine[apart])
    found, first = numpy.unique(numpy.concatenate(pairs), return_index=True)
    return found, numpy.concatenate(cosines)[first]


def _held(index: DedupIndex) -> tuple[Array, Array]:
    numbers, vectors = [], []
    for number, vector in index.vectors():
        numbers.append(number)
        vectors.append(vector)
    return numpy.array(numbers, numpy.int64), numpy.array(vectors, numpy.float16)


def _searched(vectors: Array) -> Any:
    import faiss

    width = vectors.shape[1]
    searched: Any = faiss.IndexFlatIP(width)
    if len(vectors) > _FLAT:
        cells = int(4 * len(vectors) ** 0.5)
        kind = faiss.ScalarQuantizer.QT_8bit
        searched = faiss.IndexIVFScalarQuantizer(searched, width, cells, kind, faiss.METRIC_INNER_PRODUCT)
        searched.nprobe = _PROBES
        searched.train(vectors[:: max(len(vectors) // _TRAIN, 1)].astype(numpy.float32))
    for piece in _pieces(vectors):
        searched.add(piece.astype(numpy.float32))
    return searched


def _pieces(vectors: Array) -> Iterator[Array]:
    for start in range(0, len(vectors), 1 << 14):
        yield vectors[start : start + (1 << 14)]
