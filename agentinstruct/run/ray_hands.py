"""The machines of a Ray cluster as what does the costly part of the work on a dataset's rows: see `dataset/hands.py`.

Each piece is a task of one CPU. Ray gives the task of a worker or node that is lost to another, by itself.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from agentinstruct.agents.errors import RunError
from agentinstruct.dataset.hands import AHEAD, Hands, Piece, Result, in_order
from agentinstruct.run.ray_start import connect, heed_signals, last_words, loaded


@contextmanager
def cluster(address: str, workers: int) -> Iterator[Hands]:
    """The hands of a cluster; `workers`: at most so many at once, 0: one for each CPU.

    Raises:
        SetupError: Ray is not installed, or there is no such cluster.
    """
    ray = loaded()
    with last_words("no rows were written."):
        connect(ray, address)
        heed_signals()
        try:
            yield Tasks(ray, workers or max(1, int(ray.cluster_resources().get("CPU", 1))))
        finally:
            ray.shutdown()


@dataclass(frozen=True, slots=True)
class Tasks:
    """Hands that are tasks of Ray."""

    ray: Any
    workers: int

    def __call__(self, work: Callable[[Piece], Result], pieces: Iterable[Piece]) -> Iterator[Result]:
        """As `Hands`. Raises `RunError` when a piece is lost again and again."""
        done, held = self.ray.remote(_done), self.ray.put(work)
        try:
            yield from in_order(lambda piece: done.remote(held, piece), self.ray.get, pieces, AHEAD * self.workers)
        except self.ray.exceptions.RayTaskError as error:  # what the work itself raised
            raise error.cause from None
        except self.ray.exceptions.RayError as error:
            raise RunError(
                f"--engine ray: a piece of the work was lost ({str(error).strip().splitlines()[-1][:300]}). See the "
                "logs of Ray's nodes, then give the same command again."
            ) from error


def _done(work: Callable[[Piece], Result], piece: Piece) -> Result:
    return work(piece)
