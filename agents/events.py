"""What happens in a run, told to Python's logging: for a log file, or for whoever embeds a run.

    logging.getLogger("agentinstruct.events").addHandler(…)     record.event, record.fields, record.content

Retries, limits, failures and drops are told with what they concern, never with a text: prompts, seeds, replies and a
server's own words are in `content`, which a handler must ask for. Nothing is shown unless somebody listens.
"""

import logging
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from types import MappingProxyType
from typing import Any

LOGGER = "agentinstruct.events"
_STATUS = re.compile(r"HTTP (\d{3}):")
_log = logging.getLogger(LOGGER)
_log.addHandler(logging.NullHandler())  # else warnings would reach stderr by themselves
_concerned: ContextVar[Mapping[str, str]] = ContextVar("concerned", default=MappingProxyType({}))


def listening(level: int) -> bool:
    """Whether anybody hears events of this level: asked where an event is frequent or dear to describe."""
    return _log.isEnabledFor(level)


def tell(level: int, event: str, content: Mapping[str, Any] | None = None, **fields: Any) -> None:
    """Tell of an event.

    Args:
        level: As in `logging`.
        event: Its name.
        content: What holds texts of prompts, seeds, models or servers.
        fields: Everything else; what it concerns is added (see `concerning`).
    """
    if _log.isEnabledFor(level):
        told = {**_concerned.get(), **fields}
        words = " ".join((event, *(f"{key}={value}" for key, value in told.items())))
        _log.log(level, "%s", words, extra={"event": event, "fields": told, "content": content or {}})


def fault_of(error: BaseException) -> str:
    """The class of a fault, in words that repeat: the HTTP status, else its kind, else the exception's name."""
    status = _STATUS.match(str(error))
    return status[1] if status else getattr(error, "kind", type(error).__name__)


@contextmanager
def concerning(**names: str) -> Iterator[None]:
    """Events inside this block concern this run, skill or work item."""
    token = _concerned.set({**_concerned.get(), **names})
    try:
        yield
    finally:
        _concerned.reset(token)
