"""A worker as a Ray actor: the very worker of `worker.py`, spoken to by two methods that carry parcels of bytes.

    owner ─ hear(parcel) ─→ orders, work, leases, stop        said() ─→ parcel: frames, outcomes, reports ─→ owner

The owner's words come every few seconds at least. When none come for `SILENCE_S` it is gone, or cannot be reached and
counts this worker as gone: the process ends, in the middle of whatever it does, so that nobody calls a model unseen.
"""

import asyncio
import os
import threading
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory

from agentinstruct.run.logfile import JsonLines, LogFile, logging_by
from agentinstruct.run.orders import Orders, orders_of, told_fault
from agentinstruct.run.outbox import Outbox, unpacked
from agentinstruct.run.pipe import Message
from agentinstruct.run.worker import attend

SILENCE_S = 20.0
"""As the owner has it: workers are told."""
BEAT_S = 2.0
"""How often the owner says something, be it nothing."""
PRICES = "prices.json"


class Actor:
    """What Ray makes an actor of: `ray.remote(Actor)`."""

    def __init__(self) -> None:
        self._heard = time.monotonic()
        self._outbox = Outbox()
        self._inbox: asyncio.Queue[Message] = asyncio.Queue()
        self._working: asyncio.Task[None] | None = None
        self._folder = TemporaryDirectory(prefix="agentinstruct-", ignore_cleanup_errors=True)

    def _watch(self, silence_s: float) -> None:
        while (left := self._heard + silence_s - time.monotonic()) > 0:
            time.sleep(min(left, 1.0))
        with suppress(Exception):  # nothing may keep it from its end
            self._folder.cleanup()
        os._exit(1)

    async def begin(
        self, environment: dict[str, str], files: dict[str, bytes], silence_s: float, pause_s: float
    ) -> str:
        """Take what the owner's machine has and this one lacks; gives the version of the program here.

        From here on the owner must be heard, not before: the files may take their time to come.
        """
        self._heard = time.monotonic()
        self._outbox.turn.pause_s = pause_s
        threading.Thread(target=self._watch, args=(silence_s,), name="watch", daemon=True).start()
        for name, value in environment.items():
            os.environ.setdefault(name, value)
        self._working = asyncio.ensure_future(self._work(files))
        return version("agentinstruct")

    async def hear(self, parcel: bytes) -> None:
        """Take in what the owner says."""
        self._heard = time.monotonic()
        for message in unpacked(parcel)[0]:
            match message:
                case {"known": replies}:
                    self._outbox.told(replies)
                case {"asks": True}:
                    self._outbox.asks = True
                case _:
                    self._inbox.put_nowait(message)

    async def said(self) -> bytes:
        """What the worker has to say; its last word is `end`. Asking means that all that was said before is kept."""
        return await self._outbox.take()

    async def _work(self, files: dict[str, bytes]) -> None:
        try:
            with self._folder as folder:
                await self._attend(await self._orders(Path(folder), files))
        except Exception as error:  # noqa: BLE001 - the owner is told, and ends the run in its words
            self._outbox.send(told_fault(error))
        self._outbox.send({"end": True})

    async def _attend(self, orders: Orders) -> None:
        outbox = self._outbox
        with logging_by(Told(orders.config.log, outbox) if orders.config.log else None):
            here = replace(orders, config=replace(orders.config, log=None))
            await attend(here, outbox, self._messages(), lambda _: outbox, outbox.elsewhere)

    async def _orders(self, folder: Path, files: dict[str, bytes]) -> Orders:
        """The owner's orders, with its files in a folder of this machine."""
        for name, content in files.items():
            path = folder / name
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(content)
        orders = orders_of(await self._inbox.get())
        prices = folder / PRICES if PRICES in files else None
        return replace(orders, config=replace(orders.config, out=folder, prices=prices, cache=None))

    async def _messages(self) -> AsyncIterator[Message]:
        while True:
            yield await self._inbox.get()


class Told(JsonLines):
    """The log of a worker whose log file is on the owner's machine: each line is said."""

    def __init__(self, file: LogFile, outbox: Outbox) -> None:
        super().__init__(file)
        self._outbox = outbox
        self._loop = asyncio.get_running_loop()

    def write(self, line: bytes) -> None:
        """Say a line, from whichever thread."""
        self._loop.call_soon_threadsafe(self._outbox.send, {"log": line.decode()})
