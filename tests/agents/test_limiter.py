"""How many calls a model gets: against simulated servers on a clock of their own, and against a real one."""

import asyncio
import math
import time
from collections.abc import Coroutine
from dataclasses import dataclass, field
from random import Random
from typing import Any

import pytest

from agentinstruct.agents.gateway import Gateway, Patience, Request, using
from agentinstruct.agents.limiter import Limiter
from agentinstruct.agents.limits import RetryableError
from agentinstruct.agents.models import Endpoints
from agentinstruct.agents.pace import Pace

BEGIN = 1000.0


class SkippingLoop(asyncio.SelectorEventLoop):
    """An event loop that never waits: its clock jumps to whatever comes next."""

    def __init__(self) -> None:
        super().__init__()
        self._now = BEGIN
        select = self._selector.select  # type: ignore[attr-defined]

        def skip(timeout: float | None = None) -> Any:
            self._now += timeout or 0
            return select(0)

        self._selector.select = skip  # type: ignore[attr-defined]

    def time(self) -> float:
        return self._now


def simulated(work: Coroutine[Any, Any, None]) -> None:
    loop = SkippingLoop()
    try:
        loop.run_until_complete(work)
    finally:
        loop.close()


@dataclass
class Server:
    """Refuses above `most` calls at once and `rate` a second; works on so many at a time, the others wait."""

    latency: float
    most: float = math.inf
    rate: float = math.inf
    after: float = 1.0
    desks: int = 1_000_000
    log: list[tuple[float, bool]] = field(default_factory=list)
    """When each call was answered or refused."""

    def __post_init__(self) -> None:
        self.draw, self.in_flight, self.at, self.left = Random(7), 0, BEGIN, self.rate
        self.free = asyncio.Semaphore(self.desks)

    def admits(self, now: float) -> bool:
        if self.rate < math.inf:
            self.left, self.at = min(self.left + (now - self.at) * self.rate, max(1.0, self.rate)), now
        if self.in_flight >= self.most or self.left < 1:
            return False
        self.left -= 1
        return True

    async def call(self) -> None:
        clock = asyncio.get_running_loop().time
        await asyncio.sleep(0.0005)
        if not self.admits(clock()):
            self.log.append((clock(), False))
            raise RetryableError("too many", self.after, kind="busy")
        self.in_flight += 1
        try:
            async with self.free:
                await asyncio.sleep(self.latency * math.exp(self.draw.gauss(0, 0.5)))
        finally:
            self.in_flight -= 1
        self.log.append((clock(), True))


async def pressed(server: Server, limiter: Limiter, seconds: float) -> None:
    """Twice as many callers as the ceiling allows, for so long."""
    clock = asyncio.get_running_loop().time
    end = clock() + seconds

    async def caller() -> None:
        while clock() < end:
            slot = limiter.slot("answer")
            for _ in range(100):
                try:
                    async with slot:
                        await server.call()
                    break
                except RetryableError as fault:
                    await asyncio.sleep(0 if fault.after else server.draw.uniform(0, 0.5))

    tasks = [asyncio.create_task(caller()) for _ in range(2 * limiter.ceiling)]
    await asyncio.sleep(seconds)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def later_half(server: Server, seconds: float) -> tuple[float, float]:
    """Answers a second, and the share of refusals, in the second half."""
    late = [answered for at, answered in server.log if at > BEGIN + seconds / 2]
    return sum(late) / (seconds / 2), 1 - sum(late) / len(late)


MEAN = math.exp(0.125)
"""Of a lognormal latency over its median, at the spread used here."""


@pytest.mark.parametrize(
    ("settings", "ideal"),
    [
        ({"latency": 0.2, "most": 16}, 16 / 0.2 / MEAN),
        ({"latency": 0.2, "most": 16, "after": 0}, 16 / 0.2 / MEAN),
        ({"latency": 0.03, "most": 16}, 16 / 0.03 / MEAN),
        ({"latency": 2, "most": 4}, 4 / 2 / MEAN),
        ({"latency": 2, "most": 100}, 100 / 2 / MEAN),
        ({"latency": 0.03, "rate": 50}, 50),
        ({"latency": 1, "rate": 50}, 50),
        ({"latency": 0.03, "rate": 6}, 6),
    ],
)
def test_a_hidden_limit_is_found_and_used(settings: dict[str, Any], ideal: float) -> None:
    server, limiter, seconds = Server(**settings), Limiter(128), 40 + 60 * settings["latency"]
    simulated(pressed(server, limiter, seconds))
    done, refused = later_half(server, seconds)
    assert refused < 0.05
    assert done >= 0.85 * ideal
    if "most" in settings:
        assert limiter.limit <= 1.1 * settings["most"]


def test_without_a_hidden_limit_the_ceiling_is_reached_soon() -> None:
    server, limiter = Server(latency=0.2), Limiter(256)
    simulated(pressed(server, limiter, 10))
    assert limiter.limit == 256
    assert sum(answered for _, answered in server.log) >= 0.9 * 10 * 256 / 0.2 / MEAN


@pytest.mark.parametrize("desks", [8, 40])
def test_more_in_flight_that_only_take_longer_are_not_sent(desks: int) -> None:
    server, limiter = Server(latency=0.05, desks=desks), Limiter(512)
    simulated(pressed(server, limiter, 30))
    assert later_half(server, 30)[0] >= 0.95 * desks / 0.05 / MEAN
    assert desks <= limiter.limit <= 4 * max(desks, 16)


def test_a_round_trip_of_refusals_is_one_cut_and_one_is_the_floor() -> None:
    pace = Pace(64)
    sent = [pace.sent(BEGIN, number + 1) for number in range(32)]
    for one in sent[16:]:
        pace.refused(one, BEGIN + 0.1, 0.0)
    assert pace.limit == 16
    for step in range(20):
        pace.refused(pace.sent(BEGIN + step, 1), BEGIN + step, 0.0)
    assert pace.limit == 1


def test_a_pause_stops_one_model_and_no_other() -> None:
    async def work() -> None:
        clock, paused, other = asyncio.get_running_loop().time, Limiter(8), Limiter(8)
        with pytest.raises(RetryableError):
            async with paused.slot("answer"):
                raise RetryableError("too many", 3.0, kind="busy")
        async with other.slot("answer"):
            assert clock() - BEGIN < 0.1
        async with paused.slot("answer"):
            assert clock() - BEGIN >= 3

    simulated(work())


def test_the_ceiling_can_be_changed_while_calls_wait() -> None:
    async def work() -> None:
        limiter, inside, done = Limiter(2), 0, asyncio.Event()

        async def call() -> None:
            nonlocal inside
            async with limiter.slot("answer"):
                inside += 1
                await done.wait()

        tasks = [asyncio.create_task(call()) for _ in range(20)]
        await asyncio.sleep(1)
        assert inside == 2
        limiter.ceiling = 5
        await asyncio.sleep(1)
        assert inside == 5
        limiter.ceiling = 1
        done.set()
        await asyncio.gather(*tasks)
        assert limiter.limit == 1

    simulated(work())


def test_later_stages_go_first_and_nobody_starves() -> None:
    order: list[str] = []

    async def call(limiter: Limiter, role: str) -> None:
        async with limiter.slot(role):
            order.append(role)
            await asyncio.sleep(1)

    async def work() -> None:
        limiter = Limiter(1)
        roles = ["answer", *["transform"] * 12, *["answer"] * 12, *["judge"] * 12]
        await asyncio.gather(*(call(limiter, role) for role in roles))

    simulated(work())
    assert order[:12].count("judge") >= 8
    assert order[:12].count("transform") >= 2, "whoever has waited longest has a turn now and then"
    assert order[-6:].count("judge") == 0
    assert len(order) == 37


def test_a_retry_goes_before_its_like() -> None:
    order: list[str] = []

    async def call(limiter: Limiter, name: str, faults: int = 0) -> None:
        slot = limiter.slot("answer")
        for attempt in range(faults + 1):
            try:
                async with slot:
                    order.append(name)
                    await asyncio.sleep(1)
                    if attempt < faults:
                        raise RetryableError("broken")
            except RetryableError:
                continue

    async def work() -> None:
        limiter = Limiter(1)
        await asyncio.gather(call(limiter, "retried", 1), *(call(limiter, f"{number}") for number in range(8)))

    simulated(work())
    assert order[:3] == ["retried", "0", "retried"]


def test_callers_that_give_up_leave_no_slot_behind() -> None:
    async def work() -> None:
        limiter, draw = Limiter(4), Random(3)

        async def call() -> None:
            async with limiter.slot("answer"):
                await asyncio.sleep(draw.uniform(0, 2))

        tasks = [asyncio.create_task(call()) for _ in range(300)]
        for _ in range(200):
            await asyncio.sleep(draw.uniform(0, 0.5))
            for task in draw.sample(tasks, 2):
                task.cancel()  # some wait, some are at it, some have just been given a slot
        await asyncio.gather(*tasks, return_exceptions=True)
        assert (limiter.in_flight, limiter.waiting) == (0, 0)

    simulated(work())


def test_a_slot_given_at_the_very_moment_its_caller_gives_up_goes_to_the_next() -> None:
    async def work() -> None:
        limiter, done = Limiter(1), asyncio.Event()

        async def call() -> None:
            async with limiter.slot("answer"):
                await done.wait()

        first = asyncio.create_task(call())
        await asyncio.sleep(0)
        second, third = asyncio.create_task(call()), asyncio.create_task(call())
        await asyncio.sleep(0)
        done.set()
        await asyncio.sleep(0)  # the first is about to leave, and gives its slot to the second
        second.cancel()
        await asyncio.gather(first, second, third, return_exceptions=True)
        assert second.cancelled() and not third.cancelled()
        assert (limiter.in_flight, limiter.waiting) == (0, 0)

    simulated(work())


# --- Over real HTTP -----------------------------------------------------------------------------------------------


async def goodput(server: Any, ceiling: int, calls: int) -> tuple[float, float]:
    """Answers a second and the share of refusals, in the second half of so many calls."""
    asked = [
        Request("answer", "answer", "openai:mock", [{"role": "user", "content": f"{ceiling} {number}"}])
        for number in range(calls)
    ]
    answered, middle = 0, (0.0, 0)
    gateway = Gateway(Endpoints(server.base_url).open, max_concurrency=ceiling, patience=Patience(base_s=0.05))
    async with using(gateway):

        async def call(request: Request) -> None:
            nonlocal answered, middle
            await gateway.complete(request)
            answered += 1
            if answered == calls // 2:
                middle = time.monotonic(), gateway.statistics.refused

        await asyncio.gather(*map(call, asked))
    refused = gateway.statistics.refused - middle[1]
    return calls / 2 / (time.monotonic() - middle[0]), refused / (refused + calls / 2)


@pytest.mark.parametrize(
    "limit",
    [{"max_concurrent": 16}, {"rpm": 6000}, {"tpm": 60_000}],
    ids=["16 at once", "100 a second", "1000 tokens a second"],
)
async def test_a_real_server_with_a_hidden_limit_is_used_as_well_as_if_it_were_known(
    openai_server: Any, limit: dict[str, int]
) -> None:
    server = openai_server(latency="lognormal:0.05,0.4", retry_after=0.3, **limit)
    calls = 800 if "max_concurrent" in limit else 400
    rate, refused = await goodput(server, 128, calls)
    assert refused < 0.05
    if "max_concurrent" in limit:
        known, none = await goodput(server, 16, calls)
        assert none == 0
        assert rate >= 0.85 * known
    else:
        assert rate >= 0.85 * (100 if "rpm" in limit else 1000 / 3)
