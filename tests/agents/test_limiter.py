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
from agentinstruct.run.leases import Lease, Tenant

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
    """Refuses above `most` calls at once and `rate` a second, and a share by `chance`; works on so many at a time."""

    latency: float
    most: float = math.inf
    rate: float = math.inf
    after: float = 1.0
    chance: float = 0.0
    desks: int = 1_000_000
    log: list[tuple[float, bool]] = field(default_factory=list)
    """When each call was answered or refused."""

    def __post_init__(self) -> None:
        self.draw, self.in_flight, self.at, self.left = Random(7), 0, BEGIN, self.rate
        self.free = asyncio.Semaphore(self.desks)

    def admits(self, now: float) -> bool:
        if self.rate < math.inf:
            self.left, self.at = min(self.left + (now - self.at) * self.rate, max(1.0, self.rate)), now
        if self.in_flight >= self.most or self.left < 1 or self.draw.random() < self.chance:
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
        ({"latency": 0.2, "rate": 1, "after": 5}, 1),
        ({"latency": 2, "rate": 1, "after": 5}, 1),
        ({"latency": 0.2, "rate": 10, "after": 5}, 10),
    ],
)
def test_a_hidden_limit_is_found_and_used(settings: dict[str, Any], ideal: float) -> None:
    pause = settings.get("after", 1)
    server, limiter, seconds = Server(**settings), Limiter(128), 60 * (settings["latency"] + pause)
    simulated(pressed(server, limiter, seconds))
    done, refused = later_half(server, seconds)
    assert refused < 0.05
    assert done >= 0.85 * ideal
    if "most" in settings:
        assert limiter.limit <= 1.1 * settings["most"]


@pytest.mark.parametrize(("share", "after"), [(0.1, 0), (0.1, 1), (0.3, 0), (0.3, 1), (0.5, 1)])
def test_refusals_by_chance_cost_themselves_and_no_more(share: float, after: float) -> None:
    """Beside a limiter that never gives way, and keeps to the pauses that it is asked for as well."""
    done = []
    for limiter in (Limiter(64), Limiter(64, fixed=True)):
        server = Server(latency=0.5, chance=share, after=after)
        simulated(pressed(server, limiter, 60))
        done.append(later_half(server, 60)[0])
    assert done[0] >= 0.9 * done[1]


@pytest.mark.parametrize("after", [0, 1])
def test_a_hidden_limit_is_found_beside_refusals_by_chance(after: float) -> None:
    server, limiter = Server(latency=0.2, most=16, chance=0.1, after=after), Limiter(128)
    simulated(pressed(server, limiter, 60))
    best = Server(latency=0.2, most=16, chance=0.1, after=after)
    simulated(pressed(best, Limiter(16, fixed=True), 60))
    assert later_half(server, 60)[0] >= 0.8 * later_half(best, 60)[0]


def test_a_fault_that_ends_is_forgotten() -> None:
    server, limiter = Server(latency=0.2, chance=0.3), Limiter(128)

    async def ended() -> None:
        await asyncio.sleep(30)
        server.chance, server.most = 0.0, 16

    async def both() -> None:
        await asyncio.gather(pressed(server, limiter, 120), ended())

    simulated(both())
    done, refused = later_half(server, 120)
    assert refused < 0.05 and done >= 0.85 * 16 / 0.2 / MEAN


@pytest.mark.parametrize("after", [0, 5])
def test_a_gap_that_became_far_too_wide_closes_in_minutes(after: float) -> None:
    """Another run has ended, or a tier was raised: the number of calls has to follow, too."""
    server, limiter = Server(latency=2, rate=1, after=after), Limiter(128)

    async def raised() -> None:
        await asyncio.sleep(600)
        server.rate = 20

    async def both() -> None:
        await asyncio.gather(pressed(server, limiter, 1500), raised())

    simulated(both())
    assert sum(answered for at, answered in server.log if BEGIN + 600 < at < BEGIN + 1200) >= 9 * 600
    late = [answered for at, answered in server.log if at > BEGIN + 1200]
    assert sum(late) >= 0.85 * 20 * 300 and len(late) - sum(late) < 0.02 * len(late)


def test_time_without_work_says_nothing_of_how_fast_a_server_is() -> None:
    limiter, took = Limiter(64), 0.0

    async def call(fault: bool = False) -> None:
        async with limiter.slot("answer"):
            if fault:
                raise RetryableError("too many", kind="busy")
            await asyncio.sleep(0.5)

    async def work() -> None:
        nonlocal took
        await asyncio.gather(*[call() for _ in range(100)])
        await asyncio.sleep(3600)
        begin = asyncio.get_running_loop().time()
        with pytest.raises(RetryableError):
            await call(fault=True)
        await asyncio.gather(*[call() for _ in range(200)])
        took = asyncio.get_running_loop().time() - begin

    simulated(work())
    assert took < 30


@pytest.mark.parametrize(
    ("settings", "ceiling"),
    [
        ({"latency": 1, "rate": 0.5, "after": 0}, 4),
        ({"latency": 1, "rate": 1 / 6, "after": 0}, 8),
        ({"latency": 0.2, "rate": 1, "after": 5}, 1),
    ],
)
def test_a_rate_below_one_call_at_a_time_is_kept(settings: dict[str, Any], ceiling: int) -> None:
    server, limiter = Server(**settings), Limiter(ceiling)
    simulated(pressed(server, limiter, 900))
    done, refused = later_half(server, 900)
    assert refused < 0.1
    assert done >= 0.85 * server.rate


def test_a_lease_that_grants_more_and_tells_of_a_pause_sends_nothing_meanwhile() -> None:
    async def work() -> None:
        clock, sent = asyncio.get_running_loop().time, []
        tenant = Tenant(Gateway(Endpoints("http://127.0.0.1:1").open), Lease())
        limiter = tenant.gateway.lane("openai:mock").limiter
        limiter.ceiling = 1

        async def call() -> None:
            async with limiter.slot("answer"):
                sent.append(clock() - BEGIN)
                await asyncio.sleep(1)

        calls = [asyncio.create_task(call()) for _ in range(3)]
        await asyncio.sleep(0.5)
        lease = {"number": 1, "slots": {"openai:mock": 3}, "pauses": {"openai:mock": 5.0}}
        tenant.take({**lease, "usd": None, "calls": None, "spent": False})
        await asyncio.gather(*calls)
        assert sent == pytest.approx([0.0, 5.5, 5.5])

    simulated(work())


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
        pace.refused(one, BEGIN + 0.1, 0.0, 31)
    assert pace.limit == 16
    for step in range(20):
        pace.refused(pace.sent(BEGIN + step, 1), BEGIN + step, 0.0, 0)
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


def test_calls_that_are_spaced_go_on_at_once_when_a_pause_is_ended() -> None:
    async def work() -> None:
        limiter, loop = Limiter(8), asyncio.get_running_loop()
        limiter._pace._spacing.gap = 0.5

        async def call() -> None:
            async with limiter.slot("answer"):
                await asyncio.sleep(0.1)

        limiter.pause(100)
        calls = [asyncio.ensure_future(call()) for _ in range(4)]
        await asyncio.sleep(1)
        limiter.resume()
        begun = loop.time()
        await asyncio.gather(*calls)
        assert loop.time() - begun < 10

    simulated(work())


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


async def goodput(server: Any, ceiling: int, calls: int, *, fixed: bool = False) -> tuple[float, float]:
    """Answers a second and the share of refusals, in the second half of so many calls; `fixed`: never fewer at once."""

    def opened(spec: str) -> Any:
        endpoint: Any = Endpoints(server.base_url).open(spec)
        endpoint.width = ceiling if fixed else 0
        return endpoint

    asked = [
        Request("answer", "answer", "openai:mock", [{"role": "user", "content": f"{ceiling} {number} {fixed}"}])
        for number in range(calls)
    ]
    answered, middle = 0, (0.0, 0)
    gateway = Gateway(opened, max_concurrency=ceiling, patience=Patience(attempts=100, base_s=0.05))
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
    ("fault", "ceiling"),
    [({"max_concurrent": 16, "retry_after": 0.3}, 16), ({"faults": {"429": 0.3}, "retry_after": 0.2}, 32)],
    ids=["16 at once", "30 % by chance"],
)
async def test_a_real_server_is_used_nearly_as_well_as_if_what_it_bears_were_known(
    openai_server: Any, fault: dict[str, Any], ceiling: int
) -> None:
    """A ratio of two runs on a machine that others may use meanwhile; exact shares are those of the clock above."""
    server = openai_server(latency="lognormal:0.1,0.4", **fault)
    rate, refused = await goodput(server, 128 if ceiling == 16 else 32, 500)
    known, _ = await goodput(server, ceiling, 400, fixed=True)
    assert rate >= 0.7 * known
    assert refused < 0.05 if ceiling == 16 else 0.2 < refused < 0.4


@pytest.mark.parametrize("limit", [{"rpm": 6000}, {"tpm": 24_000}], ids=["100 a second", "400 tokens a second"])
async def test_a_real_server_that_counts_calls_or_tokens_refuses_few(openai_server: Any, limit: dict[str, int]) -> None:
    """Few beside what it refuses somebody who does not learn, on the same machine, whatever else that has to do."""
    server = openai_server(latency="lognormal:0.1,0.4", retry_after=0.3, **limit)
    _, careless = await goodput(server, 128, 300, fixed=True)
    _, refused = await goodput(server, 128, 400)
    assert refused < careless / 2
    assert server.stats()["answered_ok"] == 700
