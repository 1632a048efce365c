"""The place of one worker in a pool: the process in it may change, its segments and the work in hand stay."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Protocol

from agentinstruct.run.orders import told_work
from agentinstruct.run.pipe import Message
from agentinstruct.run.plan import Work


class Link(Protocol):
    """A worker as its owner sees it, wherever it runs."""

    @property
    def lost(self) -> bool:
        """Whether it has ended with its machine, so that nothing it did is to blame."""

    def send(self, message: Message) -> None:
        """Tell it something; nothing happens when it is dead."""

    def messages(self) -> AsyncIterator[Message]:
        """What it says, until it ends."""

    def kill(self) -> None:
        """End it at once."""

    async def ended(self) -> str:
        """Wait for its end, take over what it wrote, and say how it ended; empty where it was in order."""


@dataclass(slots=True)
class Slot:
    """The place of one worker."""

    number: int
    starting: "asyncio.Future[Link] | None" = None
    link: Link | None = None
    ready: bool = False
    held: dict[str, Work] = field(default_factory=dict)
    suspects: deque[Work] = field(default_factory=deque)
    """Processes died with these in hand: they are done one at a time, with nothing beside them."""
    alone: bool = False
    waits: bool = False
    """Whether there is no room for a process just now."""

    @property
    def open(self) -> bool:
        """Whether it takes other work."""
        return not self.suspects and not self.alone and not self.waits

    def has(self, work: Work) -> bool:
        """Whether a work item is in its hands."""
        return work.id in self.held or work in self.suspects

    def give(self, work: Work) -> None:
        """Hand over a work item, at once or as soon as there is a process to do it."""
        self.held[work.id] = work
        if self.link:
            self.link.send(told_work(work))

    def go_on(self) -> None:
        """Give the next suspect its turn."""
        if not self.held:
            self.alone = bool(self.suspects)
            if self.suspects:
                self.give(self.suspects.popleft())


def writer(number: int) -> str:
    """The name under which the worker of a slot writes its segments."""
    return f"w{number}"
