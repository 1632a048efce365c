"""A worker of a run: one process with a window of work, a gateway and journal segments of its own.

It does what the run's owner tells it (`process.py` has the other end), tells each outcome once it is safe in its
segments, and ends the moment its owner is gone: what it has finished is then found at the next start.
"""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from dataclasses import asdict, dataclass, field
from socket import socket
from typing import Any

import uvloop

from agentinstruct.agents.events import concerning
from agentinstruct.agents.gateway import Gateway, using
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
from agentinstruct.run.window import Outcome, Window

_RESOURCE = "OTEL_RESOURCE_ATTRIBUTES"


@dataclass
class Worker:
    """The process's work, from its orders to its end."""

    pipe: Pipe
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
            self.pipe.send(told_fault(self.window.fatal))
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
            self.pipe.send({"report": report})


async def serve(control: socket, rows: socket) -> None:
    """Work for the owner at the other end until it says stop, or is gone."""
    pipe = await Pipe.over(control)
    messages = pipe.messages()
    first = await anext(messages, None)
    if first:
        try:
            await _serve(orders_of(first), pipe, messages, rows)
        except Exception as error:  # noqa: BLE001 - the owner is told, and ends the run in its words
            pipe.send(told_fault(error))
    await pipe.aclose()


async def _serve(orders: Orders, pipe: Pipe, messages: AsyncIterator[Message], rows: socket) -> None:
    config = orders.config
    journal = Journal.join(config.out, Upstream(rows, orders.segments), orders.writer)
    skills = [load_skill(name) for name in orders.skills]
    budget, run = Lease(0.0, 0), journal.manifest.run
    _name_resource(orders.writer)
    progress = Progress()  # what is counted of a run, its owner tells
    with (
        logging_to(config.log),
        concerning(run=run, worker=orders.writer),
        call_store(journal, config.cache, progress.statistics, progress.troubles.append) as store,
    ):
        async with telemetry(run, Progress()) as traced:
            gateway = make_gateway(config, store, budget, progress.statistics, traced, answered=orders.answered)
            tenant = Tenant(gateway, budget)
            tenant.take(orders.lease)
            contexts = {skill.name: config.context_for(skill) for skill in skills}
            # The owner counts what is in its workers' hands: here there is always room.
            window = Window(sys.maxsize, journal, load_graphs(skills), contexts, _teller(pipe), traced)
            worker = Worker(pipe, window, gateway, tenant, progress)
            async with using(gateway), opened_corpus(config, skills):
                pipe.send({"ready": True})
                obeying = asyncio.ensure_future(worker.obey(messages))
                await worker.work()
    await asyncio.to_thread(journal.close)
    worker.report()
    obeying.cancel()


def _teller(pipe: Pipe) -> Callable[[Outcome], None]:
    return lambda outcome: pipe.send(told_outcome(outcome))


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
