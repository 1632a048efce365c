"""A worker of a run: one process with a window of work, a gateway and a journal of its own.

It does what the run's owner tells it (`process.py` has the other end), tells each outcome once it is safe in its
segments, and ends the moment its owner is gone: what it has finished is then found at the next start.
"""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import asdict, dataclass, field
from functools import partial
from socket import socket
from typing import Any, Protocol

import uvloop

from agentinstruct.agents.events import concerning
from agentinstruct.agents.gateway import CallStore, Gateway, using
from agentinstruct.agents.skill import load_skill
from agentinstruct.run.cache import call_store
from agentinstruct.run.corpus import opened_corpus
from agentinstruct.run.journal import Journal
from agentinstruct.run.leases import REPORT_S, Lease, Tenant
from agentinstruct.run.logfile import logging_to
from agentinstruct.run.orders import Orders, orders_of, told_fault, told_outcome, work_of
from agentinstruct.run.pipe import Message, Pipe
from agentinstruct.run.progress import Progress
from agentinstruct.run.report import model_states
from agentinstruct.run.runner import load_graphs, make_gateway
from agentinstruct.run.telemetry import telemetry
from agentinstruct.run.upstream import Upstream
from agentinstruct.run.window import Outcome, Rows, Window

Elsewhere = Callable[[str], Awaitable[dict[str, Any] | None]]
_RESOURCE = "OTEL_RESOURCE_ATTRIBUTES"


class Voice(Protocol):
    """The way to the owner."""

    def send(self, message: Message) -> None:
        """Tell it something; to one who is gone, nothing."""


class Keep(Rows, CallStore, Protocol):
    """The worker's journal, or what stands for it where the run folder is on another machine."""

    def close(self) -> None:
        """Nothing more will come."""


@dataclass
class Worker:
    """The process's work, from its orders to its end."""

    voice: Voice
    window: Window
    gateway: Gateway
    tenant: Tenant
    progress: Progress
    _told: Message = field(default_factory=dict)
    _patient: bool = False

    async def work(self) -> None:
        """Do what is given until told to stop, or until it cannot go on."""
        reporting = asyncio.ensure_future(self._reporting())
        await self.window.halted()
        if self.window.fatal:
            self.voice.send(told_fault(self.window.fatal))
        await self.window.close()
        if self._patient:
            await self.gateway.drain()
        reporting.cancel()

    async def obey(self, messages: AsyncIterator[Message]) -> None:
        """Take in what the owner says; the end of its messages is the end of it, and of this process."""
        try:
            async for message in messages:
                for kind, value in message.items():
                    await self._heed(kind, value)
        except Exception as error:  # noqa: BLE001 - it ends the run, in its words
            self.window.stop(error)
            return
        os._exit(1)

    async def _heed(self, kind: str, value: Any) -> None:
        match kind:
            case "work":
                await self.window.put(work_of(value))
            case "lease":
                self.tenant.take(value)
            case "stop":
                self._patient = value["patient"]
                self.window.stop()

    async def _reporting(self) -> None:
        while True:
            await asyncio.sleep(REPORT_S)
            self.report()

    def report(self) -> None:
        """Tell what went through the gateway and what it needs, where that is new."""
        report = {
            "statistics": asdict(self.gateway.statistics),
            "models": [state.model_dump() for state in model_states(self.gateway)],
            "needs": self.tenant.report(),
            "troubles": list(self.progress.troubles),
        }
        if report != self._told:
            self._told = report
            self.voice.send({"report": report})


async def serve(control: socket, rows: socket) -> None:
    """Work for the owner at the other end until it says stop, or is gone."""
    pipe = await Pipe.over(control)
    messages = pipe.messages()
    first = await anext(messages, None)
    if first:
        await attend(orders_of(first), pipe, messages, partial(_join, rows))
    await pipe.aclose()


def _join(rows: socket, orders: Orders) -> Keep:
    return Journal.join(orders.config.out, Upstream(rows, orders.segments), orders.writer)


async def attend(
    orders: Orders,
    voice: Voice,
    messages: AsyncIterator[Message],
    keep: Callable[[Orders], Keep],
    elsewhere: Elsewhere | None = None,
) -> None:
    """Do what is ordered, and what is said after that, until told to stop.

    Args:
        orders: What to do.
        voice: Where to tell of it.
        messages: What the owner says.
        keep: Opens what keeps the results.
        elsewhere: Asks for a reply that the run has had and that this process cannot see.
    """
    try:
        await _serve(orders, voice, messages, keep(orders), elsewhere)
    except Exception as error:  # noqa: BLE001 - the owner is told, and ends the run in its words
        voice.send(told_fault(error))


async def _serve(
    orders: Orders, voice: Voice, messages: AsyncIterator[Message], journal: Keep, elsewhere: Elsewhere | None
) -> None:
    config, run = orders.config, orders.run
    skills = [load_skill(name) for name in orders.skills]
    budget = Lease(0.0, 0)
    _name_resource(orders.writer)
    progress = Progress()  # what is counted of a run, its owner tells
    with (
        logging_to(config.log),
        concerning(run=run, worker=orders.writer),
        call_store(journal, config.cache, progress.statistics, progress.troubles.append) as store,
    ):
        async with telemetry(run, Progress()) as traced:
            statistics, answered = progress.statistics, orders.answered
            gateway = make_gateway(config, store, budget, statistics, traced, answered=answered, elsewhere=elsewhere)
            tenant = Tenant(gateway, budget)
            tenant.take(orders.lease)
            contexts = {skill.name: config.context_for(skill) for skill in skills}
            # The owner counts what is in its workers' hands: here there is always room.
            window = Window(sys.maxsize, journal, load_graphs(skills), contexts, _teller(voice), traced)
            worker = Worker(voice, window, gateway, tenant, progress)
            async with using(gateway), opened_corpus(config, skills):
                voice.send({"ready": True})
                obeying = asyncio.ensure_future(worker.obey(messages))
                await worker.work()
    await asyncio.to_thread(journal.close)
    worker.report()
    obeying.cancel()


def _teller(voice: Voice) -> Callable[[Outcome], None]:
    return lambda outcome: voice.send(told_outcome(outcome))


def _name_resource(writer: str) -> None:
    """Metrics and traces of several processes are told apart by what OpenTelemetry calls their resource."""
    named = filter(None, (os.environ.get(_RESOURCE), f"agentinstruct.worker={writer}"))
    os.environ[_RESOURCE] = ",".join(named)


def main() -> None:
    """The process's entry: the numbers of its handles are its arguments."""
    control, rows, lock = map(int, sys.argv[1:])
    for handle in (control, rows, lock):
        os.set_inheritable(handle, False)
    for number in (signal.SIGINT, signal.SIGTERM):  # where they reach the whole group, they are the owner's to heed
        signal.signal(number, lambda *_: None)
    uvloop.run(serve(socket(fileno=control), socket(fileno=rows)))


if __name__ == "__main__":
    main()
