"""Runs inside WebAssembly, behind entry.py: asyncio made to work without sockets, then the code.

WASI has no socket pair, by which an event loop is woken from other threads; it has no other threads either.
"""
# ruff: noqa: PTH123

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from agentinstruct.tools.sandbox.entry import run


class Loops:
    """On the way to the import of asyncio's loop: takes from it the pair that there cannot be."""

    @staticmethod
    def find_spec(name: str, path: object = None, target: object = None) -> None:
        """Finds nothing, ever: the module is then found as usual."""
        if name == "asyncio.unix_events":
            from asyncio import selector_events

            loop = selector_events.BaseSelectorEventLoop
            loop._csock = None  # type: ignore[attr-defined]
            loop._make_self_pipe = loop._close_self_pipe = lambda self: None  # type: ignore[attr-defined]


def main() -> None:
    """From the read-only folder into the work folder."""
    with open("/run/main.py", "rb") as stream:
        source = stream.read()
    sys.meta_path.insert(0, Loops)
    os.chdir("/work")
    run(source, [])
