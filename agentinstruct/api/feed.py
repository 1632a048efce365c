"""What a piece of work tells on its way, as a stream.

The work has a task of its own. What it sets for itself, such as its gateway, is then not seen by whoever reads the
stream, and a reader who leaves ends the work in order: an asynchronous generator alone is only ever closed elsewhere.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import suppress
from typing import Any, TypeVar

Told = TypeVar("Told")


async def fed(work: Callable[[Callable[[Told], None]], Coroutine[Any, Any, Any]]) -> AsyncGenerator[Told]:
    """All that the work hands to the function it is given, until it has ended; what it raises is raised here."""
    told: asyncio.Queue[tuple[Told] | None] = asyncio.Queue()
    task = asyncio.ensure_future(work(lambda one: told.put_nowait((one,))))
    task.add_done_callback(lambda _: told.put_nowait(None))
    try:
        while (one := await told.get()) is not None:
            yield one[0]
        await task
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await asyncio.wait([task])
