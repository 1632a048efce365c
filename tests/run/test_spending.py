"""Money and calls that several processes spend: never more than there is, and it always comes to an end."""

import asyncio
from collections import deque
from random import Random

import pytest

from agentinstruct.agents.budget import worst_case
from agentinstruct.agents.calls import Request
from agentinstruct.agents.errors import BudgetReached
from agentinstruct.run.leases import NANO, Landlord, Lease
from agentinstruct.run.shares import Spending
from agentinstruct.tools.prices import Price

PATIENCE = 6000
"""Turns after which it is taken never to end; the slowest of 30,000 draws took 151."""


def request(tokens):
    return Request("a", "teacher", "m", [], max_tokens=tokens)


class Process:
    """One that works off items of several calls each, and whose messages take their time in both directions."""

    def __init__(self, draw, items, price):
        self.draw, self.price = draw, price
        self.lease, self.number = Lease(0.0, 0), 0
        self.inbox, self.outbox, self.told = deque(), deque(), None
        self.items = [list(calls) for calls in items]
        self.tasks = [asyncio.ensure_future(self.work(calls)) for calls in self.items]

    async def work(self, calls):
        while calls:
            most, really = calls[0]
            try:
                hold = await self.lease.reserve(self.price, request(most))
            except BudgetReached:
                return
            await self.pause(12)
            self.lease.settle(hold, worst_case(self.price, request(really)))
            calls.pop(0)
            await self.pause(self.draw.choice((0, 0, 1, 8)))

    async def pause(self, most):
        for _ in range(self.draw.randint(0, most)):
            await asyncio.sleep(0)

    def step(self):
        while self.inbox and self.draw.random() < 0.6:
            lease = self.inbox.popleft()
            self.number = lease["number"]
            self.lease.grant(lease["usd"], lease["calls"], lease["spent"])
        report = {"number": self.number, "slots": {}, "pauses": {}, "under_way": self.lease.under_way}
        report |= self.lease.needs()
        if report != self.told and self.draw.random() < 0.5:
            self.told = report
            self.outbox.append(report)

    @property
    def used(self):
        uses = self.lease.needs()
        return uses["usd"][0], uses["calls"][0]

    @property
    def left(self):
        return [calls for calls in self.items if calls]

    @property
    def over(self):
        return all(task.done() for task in self.tasks)

    def die(self):
        for task in self.tasks:
            task.cancel()
        return self.used


class Run:
    """A few processes, their owner, and what happens to them."""

    def __init__(self, seed):
        self.draw = draw = Random(seed)
        size, self.price = draw.randint(1, 5), Price(0, 0, draw.choice((10, 1, 0.1, 0.3, 7)))
        scale = draw.choice((1, 1, 100))
        self.works = {who: [self.item(scale) for _ in range(draw.randint(1, 8))] for who in range(size)}
        calls = [call for items in self.works.values() for item in items for call in item]
        money = int(sum(most for most, _ in calls) * draw.choice((0.1, 0.3, 0.5, 1)) * self.price.output * NANO / 1e6)
        few = max(1, int(len(calls) * draw.choice((0.2, 0.5, 0.9))))
        limits = draw.choice(("usd", "calls", "both", "both"))
        self.usd = Spending(money, size) if limits != "calls" else None
        self.calls = Spending(few, size) if limits != "usd" else None
        self.total = money if self.usd else 1e99, few if self.calls else 1e99
        self.owner, self.processes, self.gone = Landlord({}, self.usd, self.calls), {}, []
        self.deaths = draw.choice((0, 0, 2, 5))

    def item(self, scale):
        most = [scale * self.draw.randint(1, 40) for _ in range(self.draw.randint(1, 6))]
        return [(tokens, self.draw.choice((tokens, self.draw.randint(0, tokens)))) for tokens in most]

    def share(self):
        for who, lease in self.owner.leases({}).items():
            if who in self.processes:
                self.processes[who].inbox.append(lease)

    def step(self):
        for who in self.works.keys() - self.processes.keys():
            if self.draw.random() < 0.1:
                self.owner.join(who)
                self.processes[who] = Process(self.draw, self.works[who], self.price)
                self.share()
        for who, process in self.processes.items():
            process.step()
            while process.outbox and self.draw.random() < 0.6:
                self.owner.report(who, process.outbox.popleft(), 0.0)
                self.share()
        if self.processes and self.deaths and self.draw.random() < 0.01:
            self.kill(self.draw.choice(list(self.processes)))

    def kill(self, who):
        self.deaths -= 1
        process = self.processes.pop(who)
        self.gone.append(process.die())
        self.works[who] = process.left
        if self.draw.random() < 0.5:  # there is no room for another one for the time being
            self.owner.leave(who)

    @property
    def used(self):
        parts = [*self.gone, *(process.used for process in self.processes.values())]
        return [sum(part) for part in zip(*parts, strict=True)] or [0, 0]

    @property
    def over(self):
        return len(self.processes) == len(self.works) and all(process.over for process in self.processes.values())


@pytest.mark.parametrize("seed", range(150))
def test_it_is_never_overspent_and_always_ends(seed):
    async def live():
        run = Run(seed)
        for _ in range(PATIENCE):
            run.step()
            for _ in range(run.draw.randint(1, 4)):
                await asyncio.sleep(0)
            assert all(used <= total for used, total in zip(run.used, run.total, strict=True)), "overspent"
            if run.over:
                return run
        raise AssertionError(f"it never ends: {[process.lease for process in run.processes.values()]}")

    asyncio.run(live())


def test_what_one_cannot_use_for_lack_of_the_other_goes_to_one_that_can():
    owner, leases = Landlord({}, Spending(100, 2), Spending(4, 2)), {}

    def say(who, usd, calls):
        told = {"slots": {}, "pauses": {}, "under_way": 0, "usd": usd, "calls": calls}
        owner.report(who, {"number": leases[who]["number"], **told}, 0.0)
        leases.update(owner.leases({}))

    def settle(needs):
        before = None
        while leases != before:
            before = dict(leases)
            for who, need in needs.items():
                say(who, *need)

    for who in (0, 1):
        owner.join(who)
        leases.update(owner.leases({}))
    settle({0: ([0, 70, 70], [0, 1, 1]), 1: ([50, 60, 60], [3, 4, 4])})
    assert not leases[0]["spent"] and leases[1]["usd"] >= 60 and leases[1]["calls"] == 4, "the other lacks 20 of its 70"
    settle({0: ([0, 70, 70], [0, 1, 1]), 1: ([60, 60, 0], [4, 4, 0])})
    assert leases[0]["spent"] and leases[1]["spent"]
