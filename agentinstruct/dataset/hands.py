"""Who does the costly part of the work on a dataset's rows: this process, others of this machine, or a cluster.

    pieces ─ work, each piece by whoever is free ─→ results, in the order of the pieces

The work is a function of its piece alone, so the results are the same whoever does it. Only a few pieces a worker are
under way, so memory holds a few however many there are.
"""

import os
import pickle
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing import get_context, parent_process
from typing import Any, Protocol, TypeVar

from agentinstruct.agents.errors import RunError

AHEAD = 3
"""Pieces under way for each worker."""

Piece = TypeVar("Piece")
Result = TypeVar("Result")
Handle = TypeVar("Handle")


class Hands(Protocol):
    """Does work on pieces."""

    def __call__(self, work: Callable[[Piece], Result], pieces: Iterable[Piece]) -> Iterator[Result]:
        """The result of each piece, in their order. Work, pieces and results must be picklable."""


def here(work: Callable[[Piece], Result], pieces: Iterable[Piece]) -> Iterator[Result]:
    """Hands of this process."""
    return map(work, pieces)


def in_order(
    begin: Callable[[Piece], Handle], result: Callable[[Handle], Result], pieces: Iterable[Piece], ahead: int
) -> Iterator[Result]:
    """The results of pieces that are begun so far ahead."""
    begun: deque[Handle] = deque()
    for piece in pieces:
        begun.append(begin(piece))
        if len(begun) >= ahead:
            yield result(begun.popleft())
    while begun:
        yield result(begun.popleft())


@dataclass(frozen=True, slots=True)
class Processes:
    """Hands of other processes on this machine."""

    workers: int

    def __call__(self, work: Callable[[Piece], Result], pieces: Iterable[Piece]) -> Iterator[Result]:
        """As `Hands`. Raises `RunError` when a process dies."""
        pool = ProcessPoolExecutor(self.workers, get_context("spawn"), _begin, (pickle.dumps(work),))
        try:
            begin: Callable[[Piece], Future[Result]] = lambda piece: pool.submit(_do, piece)  # noqa: E731
            yield from in_order(begin, Future.result, pieces, AHEAD * self.workers)
        except BrokenProcessPool as problem:
            raise RunError(
                f"--workers {self.workers}: a worker process was killed or could not start. If memory is short, give "
                "fewer; then give the same command again."
            ) from problem
        except BaseException:  # Ctrl-C, which they do not hear, a fault, or no more is wanted: their work is of no use
            for process in list(pool._processes.values()):
                process.terminate()
            raise
        finally:
            pool.shutdown(cancel_futures=True)


_work: list[Callable[[Any], Any]] = []


def _begin(work: bytes) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that they work for
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _work.append(pickle.loads(work))  # noqa: S301 - from the process that started this one


def _end_with_parent() -> None:
    """A pool's process does not see that its parent was killed: it would wait for ever."""
    parent = parent_process()
    if parent:
        parent.join()
        os._exit(1)


def _do(piece: Any) -> Any:
    return _work[0](piece)
