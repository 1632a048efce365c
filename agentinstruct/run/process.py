"""A worker as a process of its own on this machine, as the process that owns the run sees it.

    control: work, leases, stop →  ← outcomes, reports        rows: ← what the worker's journal has synced

Both are pairs of sockets, which close when either side dies: a worker without its owner ends at once, and an owner
hears of a dead worker by the same token. The worker also has the run folder's lock open, so that nobody else takes
the folder while any worker still writes to it.
"""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import suppress
from functools import partial
from socket import socketpair
from typing import Self

from agentinstruct.agents.errors import RunError
from agentinstruct.run.journal import Journal
from agentinstruct.run.pipe import Message, Pipe
from agentinstruct.run.slot import writer
from agentinstruct.run.upstream import batch_of

_LAST_S = 5.0
"""How long a process may take to end after it has closed its side."""


class Process:
    """One worker process. Started by `start`; whatever happens, `ended` waits for it in the end."""

    lost = False

    def __init__(
        self, process: subprocess.Popen[bytes], control: Pipe, rows: Pipe, journal: Journal, writer: str
    ) -> None:
        self._process = process
        self._control = control
        self._rows = rows
        self._journal = journal
        self._writer = writer
        self._fault: RunError | None = None
        self._keeping = asyncio.ensure_future(self._keep())

    @classmethod
    async def start(cls, journal: Journal, number: int) -> Self:
        """Start a worker of this journal's run in a slot; it waits to be told what to do."""
        (control, its_control), (rows, its_rows) = socketpair(), socketpair()
        with its_control, its_rows:
            handles = its_control.fileno(), its_rows.fileno(), journal.lock
            process = subprocess.Popen(  # noqa: S603, ASYNC220 - our own module; it returns once the process is begun
                [sys.executable, "-P", "-m", "agentinstruct.run.worker", *map(str, handles)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                pass_fds=handles,
                process_group=0,  # Ctrl-C in a terminal is for the owner, which then tells its workers
            )
        return cls(process, await Pipe.over(control), await Pipe.over(rows), journal, writer(number))

    def send(self, message: Message) -> None:
        """Tell the worker something; nothing happens when it is dead."""
        self._control.send(message)

    async def messages(self) -> AsyncIterator[Message]:
        """What the worker says, until it ends.

        Raises:
            RunError: its rows cannot be kept.
        """
        async for message in self._control.messages():
            yield message
        if self._fault:
            raise self._fault

    def kill(self) -> None:
        """End the process at once."""
        self._process.kill()

    async def ended(self) -> str:
        """Wait for its end, take over what it wrote, and say how it ended: empty where it was in order."""
        with suppress(subprocess.TimeoutExpired):
            await asyncio.to_thread(self._process.wait, _LAST_S)
        self.kill()
        status = await asyncio.to_thread(self._process.wait)
        await self._keeping
        await self._control.aclose()
        self._journal.adopt(self._writer)
        return f"ended by signal {-status}" if status < 0 else f"ended with status {status}" if status else ""

    async def _keep(self) -> None:
        """Enter the rows of the worker's journal as they come, and say so once they are in the ledger."""
        loop = asyncio.get_running_loop()
        try:
            async for rows in self._rows.messages():
                kept, batch = asyncio.Event(), batch_of(rows)
                batch.told.append(partial(loop.call_soon_threadsafe, kept.set))
                self._journal.enter(batch)
                while not kept.is_set():
                    with suppress(TimeoutError):
                        await asyncio.wait_for(kept.wait(), 1)
                    self._journal.check()
                self._rows.acknowledge()
        except RunError as fault:
            self._fault = fault
            self._control.close()
        finally:
            await self._rows.aclose()
