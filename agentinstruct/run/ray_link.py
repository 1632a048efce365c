"""A worker that is a Ray actor, as the process that owns the run sees it.

    send ─→ waiting ─ hear ─→ actor ─ said ─→ frames: into the journal · asked for: answered · the rest: `messages`

Both ways carry plain bytes that hold JSON and frames (`outbox.py`), one parcel at a time, however much has gathered.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from ray.exceptions import RayError, RayTaskError

from agentinstruct.agents.gateway import CallStore
from agentinstruct.run import ray_actor
from agentinstruct.run.journal import Journal
from agentinstruct.run.load import Load
from agentinstruct.run.outbox import Turn, packed, unpacked
from agentinstruct.run.pipe import Message


@dataclass
class Desk:
    """What the owner has for its workers: the journal, the replies, the log file."""

    journal: Journal
    store: CallStore
    log: Any = None
    asks: bool = False
    """Whether a worker may need a reply that another one has had: the run was resumed, or one has died."""


class RayLink:
    """One actor that has begun."""

    def __init__(self, actor: Any, desk: Desk, pause_s: float) -> None:
        import ray

        self._ray = ray
        self._actor = actor
        self._desk = desk
        self._waiting: list[Message] = []
        self._turn = Turn(ray_actor.BEAT_S, pause_s)
        self._answered = time.monotonic()
        """When it was last known to live."""
        self._how = "ended without a word"
        self._fault: BaseException | None = None
        self.lost = False
        self._sending = asyncio.ensure_future(self._send())

    def send(self, message: Message) -> None:
        """Tell the worker something; nothing happens when it is dead."""
        if "work" in message and message["work"]["draw"] is not None:  # a further pass over the same seeds
            self._desk.asks = True
        self._waiting.append(message)
        self._turn.fill()

    async def _send(self) -> None:
        """Say what there is to say, and every few seconds that the owner is there."""
        with suppress(RayError):  # whoever asks what it said, hears of that too
            while True:
                await self._turn.come()
                waiting, self._waiting = self._waiting, []
                await self._actor.hear.remote(packed([*([{"asks": True}] if self._desk.asks else []), *waiting]))

    async def messages(self) -> AsyncIterator[Message]:
        """What the worker says, until it ends.

        Raises:
            RunError: what it made cannot be kept. RayTaskError: a bug.
        """
        try:
            while True:
                parcel = await self._actor.said.remote()
                self._answered = time.monotonic()
                for message in self._heard(*unpacked(parcel)):
                    if "end" in message:
                        self._how = ""
                        return
                    yield message
        except RayTaskError:  # a bug: it ends the run
            raise
        except RayError as error:
            self._how, self.lost = how(error)
            self._desk.asks = True

    def _heard(self, messages: list[Message], frames: bytes) -> list[Message]:
        """What of it is for the pool; the rest is done here."""
        rest, known = [], {}
        for message in messages:
            match message:
                case {"load": told}:
                    self._desk.journal.take(Load.of(told, frames))
                case {"ask": key}:
                    known[key] = self._desk.store.get_call(key)
                case {"failed": failure}:
                    self._desk.journal.fail(*failure)
                case {"log": line}:
                    self._desk.log.write(line.encode())
                case _:
                    rest.append(message)
        if known:
            self.send({"known": known})
        return rest

    def kill(self) -> None:
        """End the worker at once."""
        self._ray.kill(self._actor, no_restart=True)

    async def ended(self) -> str:
        """Wait for its end, and say how it ended: empty where it was in order."""
        self._sending.cancel()
        with suppress(asyncio.CancelledError):
            await self._sending
        self.kill()
        if self.lost:  # nobody has seen its process end: by now it has given itself up
            await asyncio.sleep(self._answered + ray_actor.SILENCE_S + ray_actor.BEAT_S - time.monotonic())
        self._desk.journal.flush()
        return self._how


def how(error: RayError) -> tuple[str, bool]:
    """How an actor ended, in words, and whether its machine may be what ended."""
    text = " ".join(str(error).split())
    if "worker process has died" in text or "killed by `ray.kill`" in text:
        return "ended with its process", False
    if "node" in text:
        return "was lost with its node", True
    return f"was lost ({text[:200]})", True
