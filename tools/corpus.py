"""The corpus of the current run, for flows that search it: an index behind a context variable.

A graph's input and settings are plain values, so an index cannot travel in them; where none is set
(Studio, a server, a script) a flow does without.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from agentinstruct.tools.retrieval import Index

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
