"""The corpus of the current run, for flows that search it: an index behind a context variable.

A graph's input and settings are plain values, so an index cannot travel in them. Where none is set (Studio, a
server, a script) a flow searches what it has itself: the chunks of its own seed, and what it wrote.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

from agentinstruct.tools.embeddings import embeddings
from agentinstruct.tools.retrieval import Chunk, Hit, Index

if TYPE_CHECKING:
    from langchain_core.tools import BaseTool

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


def _told(hit: Hit) -> str:
    """A hit as a teacher reads it: its id, where it is from, its text."""
    origin = f" {hit.title}" if hit.title else ""
    return f"[{hit.id}]{origin}\n{hit.text}"


def search_corpus_tool() -> "BaseTool":
    """The run's corpus as a LangChain tool `search_chunks(query)`; it finds nothing where there is none."""
    from langchain_core.tools import tool

    @tool
    async def search_chunks(query: str) -> str:
        """Search the documents of this run; returns the passages most like the query, with their ids."""
        corpus = current_corpus()
        hits = [] if corpus is None else await corpus.asearch(query, 3)
        return "\n\n".join(_told(hit) for hit in hits) or "Nothing was found."

    return search_chunks
