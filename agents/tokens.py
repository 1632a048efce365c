"""Replies as they are being written, for whoever watches: a model that can stream hands its pieces over here."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

Sink = Callable[[str], None]
_SINK: ContextVar[Sink | None] = ContextVar("tokens", default=None)


def sink() -> Sink | None:
    """Where to hand pieces of the reply to; None where nobody watches, as in every run."""
    return _SINK.get()


@contextmanager
def watching(told: Sink) -> Iterator[None]:
    """Calls begun in this block hand their pieces over."""
    token = _SINK.set(told)
    try:
        yield
    finally:
        _SINK.reset(token)
