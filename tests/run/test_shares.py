"""Limits that several processes share, with messages that are late: never exceeded, and never left lying idle."""

from collections import deque
from random import Random

import pytest

from agentinstruct.run.leases import Landlord
from agentinstruct.run.shares import Slots, Spending

SLOTS, CALLS = 11, 400


class Process:
    """One that makes calls as far as it may, and whose messages take their time in both directions."""

    def __init__(self, draw):
        self.draw = draw
        self.inbox, self.outbox = deque(), deque()
        self.number, self.ceiling, self.most, self.gone = 0, 1, 0, False
        self.in_flight, self.bought, self.wanted = 0, 0, 0

    def step(self, idle):
        for _ in range(self.draw.randint(0, 2)):
            if self.inbox:
                lease = self.inbox.popleft()
                self.number, self.gone = lease["number"], lease["spent"]
                self.ceiling, self.most = lease["slots"]["m"], lease["calls"]
        for _ in range(self.draw.randint(0, self.in_flight)):
            self.in_flight, self.bought = self.in_flight - 1, self.bought + 1
        self.wanted = 0 if idle else max(self.wanted, self.draw.randint(0, 12))
        while self.wanted and self.in_flight < self.ceiling and self.bought + self.in_flight < self.most:
            self.wanted, self.in_flight = self.wanted - 1, self.in_flight + 1
        self.outbox.append(self.report())

    def report(self):
        used, stuck = self.bought + self.in_flight, self.wanted and self.bought + self.in_flight >= self.most
        return {
            "number": self.number,
            "slots": {"m": [self.in_flight, self.in_flight + self.wanted]},
            "usd": [0, 0, 0],
            "calls": [used, used + self.wanted, used + 1 if stuck else 0],
            "under_way": self.in_flight,
            "pauses": {},
        }


def share(landlord, processes, pauses=None):
    for who, lease in landlord.leases(pauses or {}).items():
        processes[who].inbox.append(lease)


def landlord(size):
    return Landlord({"m": Slots(SLOTS, size)}, None, Spending(CALLS, size))


@pytest.mark.parametrize("seed", range(60))
def test_calls_at_once_and_calls_in_all_stay_within_the_limits(seed):
    draw = Random(seed)
    size = draw.randint(2, 5)
    owner, processes, dead = landlord(size), {}, 0
    for time in range(3000):
        if len(processes) < size and draw.random() < 0.1:
            who = len(processes)
            processes[who] = Process(draw)
            owner.join(who)
            share(owner, processes)
        for who, process in processes.items():
            process.step(idle=(time // 40 + who) % 3 == 0)
            while process.outbox and draw.random() < 0.7:
                share(owner, processes, owner.report(who, process.outbox.popleft(), 0.0))
        assert sum(process.in_flight for process in processes.values()) <= SLOTS
        bought = dead + sum(process.bought + process.in_flight for process in processes.values())
        assert bought <= CALLS
        if processes and draw.random() < 0.002:  # one dies, its calls in flight with it, and another takes its place
            who = draw.choice(list(processes))
            dead += processes[who].bought + processes[who].in_flight
            processes[who] = Process(draw)
            owner.join(who)
            share(owner, processes)
        if all(process.gone for process in processes.values()) and processes:
            break
    assert all(process.gone for process in processes.values()), "what is left is found to be none"
    unused = sum(max(0, holder.granted - holder.need.uses) for holder in owner.calls.holders.values())
    assert owner.calls.total - sum(holder.need.uses for holder in owner.calls.holders.values()) < 1
    assert unused < 1, "what one did not need went to another"


def test_one_that_idles_leaves_its_slots_to_the_others():
    owner, processes = landlord(3), {who: Process(Random(who)) for who in range(3)}
    for who in processes:
        owner.join(who)
    share(owner, processes)

    def settled(wants):
        for _ in range(4):
            for who, process in processes.items():
                while process.inbox:
                    lease = process.inbox.popleft()
                    process.number, process.ceiling = lease["number"], lease["slots"]["m"]
                process.in_flight = min(process.in_flight, process.ceiling)
                process.wanted = wants[who]
                share(owner, processes, owner.report(who, process.report(), 0.0))
        return [process.ceiling for process in processes.values()]

    assert sorted(settled([9, 9, 9])) == [3, 4, 4]
    assert settled([9, 0, 0]) == [9, 1, 1]
    assert sorted(settled([20, 20, 20])) == [3, 4, 4]


def test_a_server_that_asks_one_for_a_pause_gets_it_from_all():
    owner, processes = landlord(2), {0: Process(Random(0)), 1: Process(Random(1))}
    for who in processes:
        owner.join(who)
    share(owner, processes)
    for process in processes.values():
        process.inbox.clear()
    told = owner.report(0, processes[0].report() | {"pauses": {"m": 10.0}}, 100.0)
    assert told == {1: {"m": 10.0}}
    assert owner.leases(told)[1]["pauses"] == {"m": 10.0}
    assert owner.report(1, processes[1].report() | {"pauses": {"m": 9.9}}, 100.2) == {}, "an echo is no news"
    assert owner.report(1, processes[1].report() | {"pauses": {"m": 30.0}}, 101.0) == {0: {"m": 30.0}}
