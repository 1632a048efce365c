"""Records that mean the same, found by FAISS among the vectors of an index: up to 50,000 in full, then in cells.

A small model reads what a text is like rather than what it says: two puzzles of one form with other people and numbers
are as close to it as one puzzle in two wordings, and share more words. What tells them apart are their specifics:
numbers, names, signs, which a rewording keeps. So a vector ends with some numbers for those, and twins agree on both.
Names are told by their capitals, so only where these tell something: not in scripts without case, nor in German.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from typing import Any
from zlib import crc32

import numpy

from agentinstruct.dataset.dedup_index import DedupIndex
from agentinstruct.dataset.dedup_pairs import packed
from agentinstruct.dataset.rows import Row, blocks, parts
from agentinstruct.dataset.shingles import U64, Array

Embed = Callable[[list[str]], list[list[float]]]

_BATCH = 256
_LONGEST = 1200
"""Characters; of longer texts the small model reads only the beginning, and templates begin alike."""
_NUMBER = re.compile(r"\d+(?:[.,/:]\d+)*")
_WORD = re.compile(r"\b[^\W\d_]\w*")
_SIGN = re.compile(r"[^\w\s|]")
_BEGINS = re.compile(r"(?:^|[.!?:]\s|\n)\W*(?:\d+[.)]\W+)?\w")
_GERMAN = frozenset(
    ("der", "das", "und", "ist", "nicht", "ein", "eine", "den", "dem", "im", "mit", "von", "wie", "auf", "vor")
)
"""Small words of the language that begins every noun with a capital; two of them tell it."""
_SPECIFICS, _AGREE = 128, 0.85
"""The numbers they are hashed into, and the cosine from which those of two records are the same."""
_FLAT = 50_000
_PROBES = 32
_TRAIN = 200_000


def keep_vectors(index: DedupIndex, numbers: Iterable[int], rows: Iterable[Row], embed: Embed, embedder: str) -> None:
    """Embed prompt and response of these records, which are in the index under these numbers; not those too long.

    Raises:
        RunError: the index has vectors of another embedder.
    """
    texts = ((number, "\n".join(parts(row)[::2])) for number, row in zip(numbers, rows, strict=True))
    whole = ((number, text) for number, text in texts if len(text) <= _LONGEST)
    for batch in blocks(whole, _BATCH):
        vectors = numpy.array(embed([text for _, text in batch]), numpy.float32)
        index.embedded_by(f"{embedder} {vectors.shape[1]}".lstrip())
        lengths = numpy.linalg.norm(vectors, axis=1, keepdims=True)
        told = numpy.array([_specifics(text) for _, text in batch], numpy.float32)
        index.set_vectors([number for number, _ in batch], numpy.hstack([vectors / numpy.maximum(lengths, 1e-9), told]))


def _specifics(text: str) -> Array:
    """Numbers, names and signs of a text as a unit vector; texts without any have the same."""
    found = numpy.zeros(_SPECIFICS, numpy.float32)
    found[0] = 1.0
    signs = (sign for sign in _SIGN.findall(text) if sign in "%&@" or unicodedata.category(sign).startswith("S"))
    for word in {*_NUMBER.findall(text), *signs, *_names(text)}:
        hashed = crc32(word.encode("utf-8", "surrogatepass"))
        found[1 + hashed % (_SPECIFICS - 1)] += 1.0 if hashed >> 31 else -1.0
    return found / numpy.linalg.norm(found)


def _names(text: str) -> list[str]:
    """Words with a capital within a sentence, where most have none."""
    words = _WORD.findall(_BEGINS.sub(lambda begin: begin[0].lower(), text))
    found = [word for word in words if word[0].isupper()]
    small = sum(word[0].islower() for word in words)
    return found if small > len(found) and len(_GERMAN.intersection(words)) < 2 else []


def close_pairs(index: DedupIndex, place: Array, least: float) -> tuple[Array, Array]:
    """Pairs of places, packed as in `dedup_pairs`, of which one is new and whose cosine is at least so much, and it."""
    numbers, vectors, specifics = _held(index)
    if not len(numbers):
        return numpy.empty(0, U64), numpy.empty(0)
    searched, place = _searched(vectors), place.astype(U64)
    pairs, cosines = [numpy.empty(0, U64)], [numpy.empty(0)]
    new = numpy.flatnonzero(numbers >= index.settled)
    for start in range(0, len(new), _BATCH):
        rows = new[start : start + _BATCH]
        limits, cosine, other = searched.range_search(vectors[rows].astype(numpy.float32), least)
        each = numpy.repeat(rows, numpy.diff(limits).astype(numpy.int64))
        one, two = place[numbers[each]], place[numbers[other]]
        agree = numpy.einsum("ij,ij->i", specifics[each], specifics[other], dtype=numpy.float32) >= _AGREE
        apart = (one != two) & agree
        pairs.append(packed(numpy.minimum(one, two)[apart], numpy.maximum(one, two)[apart]))
        cosines.append(cosine[apart])
    found, first = numpy.unique(numpy.concatenate(pairs), return_index=True)
    return found, numpy.concatenate(cosines)[first]


def _held(index: DedupIndex) -> tuple[Array, Array, Array]:
    numbers, vectors = [], []
    for number, vector in index.vectors():
        numbers.append(number)
        vectors.append(vector)
    held = numpy.array(vectors, numpy.float16) if vectors else numpy.empty((0, _SPECIFICS), numpy.float16)
    return numpy.array(numbers, numpy.int64), held[:, :-_SPECIFICS], held[:, -_SPECIFICS:]


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
