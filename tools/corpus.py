"""The corpus of the current run, for flows that search it: an index behind a context variable.

A graph's input and settings are plain values, so an index cannot travel in them. Where none is set (Studio, a
server, a script) a flow searches what it has itself: the chunks of its own seed, and what it wrote.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from agentinstruct.tools.embeddings import embeddings
from agentinstruct.tools.retrieval import Chunk, Index

_CURRENT: ContextVar[Index | None] = ContextVar("corpus", default=None)


def current_corpus() -> Index | None:
    """The index of the current run, if it has one."""
    return _CURRENT.get()


@contextmanager
def searching(index: Index | None) -> Iterator[None]:
    """Let flows inside this block search the index."""
    token = _CURRENT.set(index)
    try:
        yield
    finally:
        _CURRENT.reset(token)


def small_index(chunks: Iterable[Chunk]) -> Index:
    """An index in memory of a few chunks, by the words they share: needs no model and is the same everywhere."""
    distinct = {chunk.id: chunk for chunk in chunks if any(map(str.isalnum, chunk.text))}
    return Index.of(distinct.values(), embeddings("hash"))
