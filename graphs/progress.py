"""Progress for whoever watches a graph: one event per finished item, on LangGraph's `custom` stream.

    {"node": "answer", "done": 2, "of": 6}        with "fault": "wrong shape" where the item has one

A walk (`walk.py`) is watched by nobody, so there it costs one look a stage.
"""

from collections.abc import Callable
from typing import Any

from langchain_core.runnables.config import var_child_runnable_config
from langgraph.config import get_stream_writer

Tell = Callable[[str], None]


def _nobody(fault: str) -> None:
    """A watcher there is none of."""


def progress(of: int) -> Tell:
    """What to call as each of so many items is done, with what is wrong with it or nothing."""
    config = var_child_runnable_config.get()
    if config is None:
        return _nobody
    write, node = get_stream_writer(), config.get("metadata", {}).get("langgraph_node", "")
    done = 0

    def tell(fault: str) -> None:
        nonlocal done
        done += 1
        event: dict[str, Any] = {"node": node, "done": done, "of": of}
        write({**event, "fault": fault} if fault else event)

    return tell
