"""A coroutine run to its end from code that is not asynchronous, also where a loop is running, as in a notebook."""

import asyncio
import signal
import sys
import threading
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from contextvars import copy_context
from typing import Any, TypeVar

Done = TypeVar("Done")


def run_here(work: Coroutine[Any, Any, Done]) -> Done:
    """What the coroutine returns; Ctrl-C cancels it and is raised once it has ended.

    Where this thread's loop is running, which cannot wait for it, a thread with a loop of its own runs it.
    """
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return _run(work)
    return _run_beside(work)


def _run(work: Coroutine[Any, Any, Done]) -> Done:
    if sys.platform == "win32":
        return asyncio.run(work)
    import uvloop

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        try:
            return runner.run(work)
        except KeyboardInterrupt as stop:
            _note(stop, stop.__context__)
            raise


def _run_beside(work: Coroutine[Any, Any, Done]) -> Done:
    started: list[tuple[asyncio.AbstractEventLoop, asyncio.Task[Any] | None]] = []

    async def noted() -> Done:
        started.append((asyncio.get_running_loop(), asyncio.current_task()))
        return await work

    with _interruptible(), ThreadPoolExecutor(1, "agentinstruct") as pool:
        future = pool.submit(copy_context().run, _run, noted())
        try:
            return future.result()
        except KeyboardInterrupt as stop:
            for loop, task in started:
                if task and not future.done():
                    loop.call_soon_threadsafe(task.cancel)
            wait([future])
            _note(stop, future.exception())
            raise


def _note(stop: KeyboardInterrupt, ended: BaseException | None) -> None:
    """Hand on what was said of the work that was stopped, such as where it is kept."""
    for note in getattr(ended, "__notes__", ()):
        stop.add_note(note)


@contextmanager
def _interruptible() -> Iterator[None]:
    """Ctrl-C is raised here: asyncio's own handler would cancel the task that waits, which cannot notice."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
