"""Batch jobs below the gateway: what becomes of single calls, and of servers that answer what nobody asked."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

import orjson
import pytest
from aiohttp import web

from agentinstruct.agents.batch import Batches, BatchOptions
from agentinstruct.agents.batch_answers import Books
from agentinstruct.agents.batch_job import Job
from agentinstruct.agents.budget import worst_case
from agentinstruct.agents.errors import BudgetReached, ProviderDown, ProviderError, ReplyError
from agentinstruct.agents.gateway import Budget, Completion, Gateway, Request, Statistics, using
from agentinstruct.agents.models import Endpoints
from agentinstruct.run.cache import CachedCalls
from agentinstruct.tools.prices import Price

KEY = "sk-very-secret-0123456789"
FRESH = {
    "faults": {}, "poison": [], "key": "", "models": "", "context": 0, "no_json_schema": False, "no_tools": False,
    "batch_latency": "0.05", "batch_faults": {}, "batch_fates": [], "batch_enqueued": 0, "down": False, "reset": True,
}  # fmt: skip
ALL = frozenset({"answer", "judge"})


class Journal:
    """A store of calls."""

    def __init__(self) -> None:
        self.calls: dict[str, dict[str, Any]] = {}

    def get_call(self, key: str) -> dict[str, Any] | None:
        return self.calls.get(key)

    def put_call(self, key: str, value: Mapping[str, Any]) -> None:
        assert "cost" not in self.calls.get(key, {}), "an answer is written once"
        self.calls[key] = dict(value)


class Shared:
    """What other runs have had."""

    def __init__(self) -> None:
        self.replies: dict[str, dict[str, Any]] = {}

    def get(self, key: str) -> dict[str, Any] | None:
        return self.replies.get(key)

    def put(self, key: str, value: Mapping[str, Any]) -> None:
        self.replies[key] = dict(value)


class Memory:
    """A store of jobs."""

    run = "run"

    def __init__(self, folder: Path, *jobs: Job) -> None:
        self.folder = folder
        self.open = {job.id: job for job in jobs}

    def jobs(self) -> list[Job]:
        return list(self.open.values())

    def write(self, job: Job, lines: Any) -> Path:
        path = self.folder / f"{job.id}.jsonl"
        path.write_bytes(b"".join(lines))
        return path

    def remember(self, job: Job) -> None:
        self.open[job.id] = job

    def forget(self, job: Job) -> None:
        del self.open[job.id]


@asynccontextmanager
async def opened(url: str, journal: Journal, jobs: Memory, **options: Any) -> AsyncIterator[Gateway]:
    """A gateway whose calls go by batch."""
    price = options.pop("price", 1)
    endpoints, prices = Endpoints(url, KEY, timeout_s=5), {"mock": Price(price, price, price)}
    store = options.pop("store", journal)
    books = Books(journal, store, Statistics(), prices, options.pop("budget", Budget()))
    batches = Batches(endpoints.open, jobs, books, books, BatchOptions(options.pop("roles", ALL), 0.05, **options))
    gateway = Gateway(endpoints.open, store=store, statistics=books.statistics, batch=batches)
    async with using(gateway):
        batches.start()
        yield gateway


@pytest.fixture(scope="module")
def shared(shared_openai_server: Any) -> Any:
    return shared_openai_server()


@pytest.fixture
def server(shared: Any) -> Any:
    shared.control(**FRESH)
    return shared


def ask(text: str = "Why do bees dance?", **more: Any) -> Request:
    return Request("answer", "answer", "openai:mock", [{"role": "user", "content": text}], **more)


async def all_of(gateway: Gateway, requests: list[Request]) -> list[Any]:
    return await asyncio.gather(*map(gateway.complete, requests), return_exceptions=True)


async def until(met: Callable[[], bool]) -> None:
    for _ in range(500):
        if met():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it never came")


async def test_equal_calls_are_one_line_and_answers_are_those_of_live_calls(server: Any, tmp_path: Path) -> None:
    requests = [ask(f"Question {number % 10}") for number in range(30)]
    async with opened(server.base_url, Journal(), Memory(tmp_path)) as gateway:
        by_batch = await all_of(gateway, requests)
        assert gateway.statistics.batched == gateway.statistics.jobs == 0
    assert server.stats()["batches"]["lines"] == 9, "one of the ten was made live"
    async with opened(server.base_url, Journal(), Memory(tmp_path), roles=frozenset()) as gateway:
        assert [one.text for one in await all_of(gateway, requests)] == [one.text for one in by_batch]


async def test_a_call_that_is_refused_is_no_matter_for_the_others(server: Any, tmp_path: Path) -> None:
    server.control(context=100)
    requests = [ask(f"Question {number}") for number in range(10)] + [ask("long " * 500)]
    async with opened(server.base_url, Journal(), Memory(tmp_path)) as gateway:
        *fine, refused = await all_of(gateway, requests)
    assert all(one.text for one in fine)
    assert isinstance(refused, ReplyError) and "maximum context length" in refused.detail


@pytest.mark.parametrize("fault", ["400", "500"])
async def test_where_nothing_is_answered_the_endpoint_is_to_blame(server: Any, tmp_path: Path, fault: str) -> None:
    server.control(batch_faults={fault: 1}, faults={"500": 1})
    async with opened(server.base_url, Journal(), Memory(tmp_path)) as gateway:
        ends = await all_of(gateway, [ask(f"Question {number}") for number in range(20)])
        assert all(isinstance(end, ProviderDown) for end in ends)
        assert "no call of 20 answered; " in str(ends[0]) and f"HTTP {fault}" in str(ends[0])
        with pytest.raises(ProviderDown):
            await gateway.complete(ask("one more"))


async def test_a_refusal_before_any_answer_may_be_the_endpoints_and_drops_nothing(server: Any, tmp_path: Path) -> None:
    server.control(batch_faults={"400": 1}, faults={"500": 1})
    async with opened(server.base_url, Journal(), Memory(tmp_path)) as gateway:
        ends = await all_of(gateway, [ask(f"Question {number}") for number in range(3)])
        assert all(type(end) is ProviderError and "before any call was answered" in str(end) for end in ends)


async def test_a_call_is_sent_three_times_and_then_given_up(server: Any, tmp_path: Path) -> None:
    server.control(batch_faults={"expired": 1}, faults={"500": 1})
    async with opened(server.base_url, Journal(), Memory(tmp_path)) as gateway:
        (end,) = await all_of(gateway, [ask()])
        assert isinstance(end, ProviderError) and str(end).endswith("could not be executed. (3 batch jobs)")
        assert gateway.statistics.failed == 1
    assert server.stats()["batches"]["lines"] == 3


async def test_an_account_without_room_for_a_single_call_is_told(server: Any, tmp_path: Path) -> None:
    server.control(batch_enqueued=1, batch_latency="0.2")
    async with opened(server.base_url, Journal(), Memory(tmp_path)) as gateway:
        assert all(one.text for one in await all_of(gateway, [ask(f"Question {number}") for number in range(6)]))
    server.control(batch_fates=["stuck"], batch_enqueued=1)
    async with opened(server.base_url, Journal(), Memory(tmp_path)) as gateway:
        stuck = [asyncio.ensure_future(gateway.complete(ask(f"Stuck {number}"))) for number in range(2)]
        await until(lambda: server.stats()["batches"]["jobs_by_status"].get("in_progress") == 1)
        jobs = Memory(tmp_path)
        async with opened(server.base_url, Journal(), jobs) as other:
            ends = await all_of(other, [ask(f"Question {number}") for number in range(3)])
        assert {type(end) for end in ends[1:]} == {ProviderDown} and "token limit reached" in str(ends[-1])
        assert not jobs.open
        for one in stuck:
            one.cancel()
        await asyncio.gather(*stuck, return_exceptions=True)


async def test_a_caller_that_gives_up_leaves_its_answer_to_the_journal(server: Any, tmp_path: Path) -> None:
    server.control(batch_latency="0.3")
    journal, jobs = Journal(), Memory(tmp_path)
    async with opened(server.base_url, journal, jobs) as gateway:
        await gateway.complete(ask("the one that is made live"))
        leaving = asyncio.ensure_future(gateway.complete(ask()))
        await until(lambda: any(job.batch for job in jobs.open.values()))
        leaving.cancel()
        await until(lambda: not jobs.open)
        assert ask().key in journal.calls
        assert gateway.statistics.calls == 2
        assert (await gateway.complete(ask())).text
        assert gateway.statistics.from_journal == 1


async def test_no_job_costs_more_than_is_left(server: Any, tmp_path: Path) -> None:
    journal, requests = Journal(), [ask(f"Question {number}", max_tokens=200) for number in range(40)]
    left, price = Budget(usd=7), 1e6 / 250  # of a million tokens: a call of 250, about the most, costs a dollar
    async with opened(server.base_url, journal, Memory(tmp_path), budget=left, price=price) as gateway:
        ends = await all_of(gateway, requests)
    reached = [end for end in ends if isinstance(end, BudgetReached)]
    assert 5 < len(reached) < 38
    assert len(journal.calls) == 40 - len(reached) == left.calls
    assert left.spent == pytest.approx(sum(call["cost"] for call in journal.calls.values()))
    assert 6 < left.spent <= 7
    assert server.stats()["requests"] == 0


async def test_what_an_earlier_sitting_has_sent_is_held_until_its_answers_are_paid(server: Any, tmp_path: Path) -> None:
    server.control(batch_latency="0.5")
    journal, jobs, requests = Journal(), Memory(tmp_path), [ask(f"Question {number}") for number in range(4)]
    async with opened(server.base_url, journal, jobs, budget=Budget(usd=1e9)) as gateway:
        asking = asyncio.gather(*map(gateway.complete, requests))
        await until(lambda: any(job.batch for job in jobs.open.values()))
        asking.cancel()
    (job,) = jobs.open.values()
    assert job.worst > 0 and not journal.calls
    async with opened(server.base_url, journal, jobs, budget=(left := Budget(usd=job.worst * 1.1))) as gateway:
        first, other = await all_of(gateway, [requests[0], ask("Another", max_tokens=10**6)])
        assert first.text and isinstance(other, BudgetReached)
        await until(lambda: not jobs.open)
    assert left.calls == 4 == len(journal.calls)
    assert 0 < left.spent < job.worst


@pytest.mark.parametrize("sitting", ["the same", "a later one"])
async def test_what_another_run_has_had_meanwhile_is_paid_all_the_same(
    server: Any, tmp_path: Path, sitting: str
) -> None:
    server.control(batch_latency="0.4")
    journal, jobs, cache = Journal(), Memory(tmp_path), Shared()
    store = CachedCalls(journal, cast(Any, cache), Statistics())
    requests = [ask(f"Question {number}") for number in range(4)]
    others = {one.key: Completion("another run's", cost=1.0).row() for one in requests}
    async with opened(server.base_url, journal, jobs, store=store, budget=(left := Budget(usd=1e9))) as gateway:
        asking = asyncio.gather(*map(gateway.complete, requests))
        await until(lambda: any(job.batch for job in jobs.open.values()))
        cache.replies |= others
        if sitting == "the same":
            assert (await gateway.complete(requests[0])).text == "another run's"
            assert {(await asking)[0].text} == {"another run's"}
        else:
            asking.cancel()
    if sitting != "the same":
        async with opened(server.base_url, journal, jobs, store=store, budget=(left := Budget(usd=1e9))) as gateway:
            await until(lambda: not jobs.open)
    assert left.calls == 4 == server.stats()["batches"]["lines"] == gateway.statistics.calls
    assert left.spent == pytest.approx(sum(call["cost"] for call in journal.calls.values()))


async def test_routing_is_asked_live(server: Any, tmp_path: Path) -> None:
    async with opened(server.base_url, Journal(), Memory(tmp_path)) as gateway:
        for number in range(3):
            await gateway.complete(
                Request("route", "answer", "openai:mock", [{"role": "user", "content": f"{number}"}])
            )
    assert server.stats()["batches"]["jobs"] == 0


# --- A server that is not to be trusted ---------------------------------------------------------------------------


def hostile(results: bytes, status: str = "completed") -> web.Application:
    """A server whose jobs are over at once, with these results; `KEY` stands for the first line's custom id."""
    held: dict[str, bytes] = {}

    async def chat(request: web.Request) -> web.Response:
        return web.json_response({"error": {"message": f"no {KEY} here"}}, status=503)

    async def upload(request: web.Request) -> web.Response:
        form = await request.post()
        held["in"] = form["file"].file.read()  # type: ignore[union-attr]
        return web.json_response({"id": "../../file?x=1"})

    async def job(request: web.Request) -> web.Response:
        answer = {"id": "b/../1", "status": status, "output_file_id": "o", "error_file_id": None}
        return web.json_response(answer | {"metadata": [3], "created_at": "now", "errors": {"data": [3]}})

    async def content(request: web.Request) -> web.Response:
        key = json.loads(held["in"].splitlines()[0])["custom_id"].encode()
        return web.Response(body=results.replace(b"KEY", key))

    app = web.Application(client_max_size=1 << 24)
    app.router.add_post("/v1/chat/completions", chat)
    app.router.add_post("/v1/files", upload)
    app.router.add_route("*", "/v1/batches", job)
    app.router.add_get("/v1/batches/{id}", job)
    app.router.add_get("/v1/files/{id}/content", content)
    return app


@asynccontextmanager
async def serving(app: web.Application) -> AsyncIterator[str]:
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
    await runner.cleanup()


def line(key: Any, text: Any, status: Any = 200) -> bytes:
    body = {"choices": [{"message": {"content": text}, "finish_reason": "stop"}]}
    return json.dumps({"custom_id": key, "response": {"status_code": status, "body": body}}).encode() + b"\n"


GOOD = line("KEY", "good")


def spoilt(usage: bytes) -> bytes:
    return b'{"custom_id": "KEY", "response": {"status_code": 200, "body": {"choices": [], "usage": %b}}}' % usage


@pytest.mark.parametrize(
    "results",
    [
        GOOD + line("KEY", "a second one"),
        line("somebody else's", "x") + line(["KEY"], "x") + line(None, "x") + GOOD,
        b"\n\n[]\n3\nnot json\n\xff\xfe\n" + GOOD + b'{"custom_id": "KEY", "resp',
        GOOD.rstrip(b"\n"),
    ],
)
async def test_only_the_first_answer_to_a_call_of_the_job_counts(tmp_path: Path, results: bytes) -> None:
    journal = Journal()
    async with serving(hostile(results)) as url, opened(url, journal, Memory(tmp_path)) as gateway:
        assert (await gateway.complete(ask())).text == "good"
    assert journal.calls.keys() == {ask().key}


@pytest.mark.parametrize(
    "results",
    [
        b"",
        b'{"custom_id": "KEY", "response": null, "error": null}',
        b'{"custom_id": "KEY", "response": {"status_code": 200, "body": null}}',
        b'{"custom_id": "KEY", "response": {"status_code": "200", "body": {}}}',
        b'{"custom_id": "KEY", "response": {"status_code": 503, "body": "<html>"}, "error": 7}',
        rb'{"custom_id": "KEY", "response": {"status_code": 503, "body": {"error": {"message": "\ud83d"}}}}',
        rb'{"custom_id": "KEY", "response": null, "error": {"message": "half \ud83d a pair"}}',
        b'{"custom_id": "KEY", "response": {"status_code": 503, "body": ' + 1000 * b"[" + 1000 * b"]" + b"}}",
    ],
)
async def test_what_is_no_answer_is_asked_for_again_and_given_up(tmp_path: Path, results: bytes) -> None:
    async with serving(hostile(results)) as url, opened(url, Journal(), Memory(tmp_path)) as gateway:
        with pytest.raises(ProviderError, match="3 batch jobs") as caught:
            await gateway.complete(ask())
    assert KEY not in str(caught.value)


@pytest.mark.parametrize(
    ("results", "told"),
    [
        (spoilt(b'{"prompt_tokens": 30, "completion_tokens": 20}'), 50),
        (spoilt(b"null"), 0),
        (spoilt(b"null")[:60], 0),
        (GOOD.replace(b"KEY", b"another"), 0),
        (b"", 0),
    ],
)
async def test_an_answer_that_cannot_be_read_is_paid_each_time(tmp_path: Path, results: bytes, told: int) -> None:
    worst = worst_case(Price(1, 1, 1), ask())
    once, journal = told / 1e6 or worst, Journal()
    left = Budget(usd=1)
    async with serving(hostile(results)) as url, opened(url, journal, Memory(tmp_path), budget=left) as gateway:
        with pytest.raises(ProviderError, match="3 batch jobs"):
            await gateway.complete(ask())
        assert gateway.statistics.cost == pytest.approx(left.spent)
    assert left.spent == pytest.approx(3 * once) == sum(row["cost"] for row in journal.calls.values())
    assert left.calls == 0
    left = Budget(usd=worst + once / 2)
    async with serving(hostile(results)) as url, opened(url, Journal(), Memory(tmp_path), budget=left) as gateway:
        with pytest.raises(BudgetReached):
            await gateway.complete(ask())
    assert left.spent == pytest.approx(once), "it is not asked for again where that might cost more than is left"


@pytest.mark.parametrize("status", ["expired", "cancelled", "failed"])
async def test_where_a_job_was_not_completed_a_call_without_a_line_costs_nothing(tmp_path: Path, status: str) -> None:
    left = Budget(usd=1)
    async with (
        serving(hostile(b"", status)) as url,
        opened(url, Journal(), Memory(tmp_path), budget=left) as gateway,
    ):
        with pytest.raises(ProviderError):
            await gateway.complete(ask())
    assert left.spent == 0


async def test_what_is_said_in_half_a_character_is_an_answer(tmp_path: Path) -> None:
    message = rb'{"content": "half \ud83d a pair", "refusal": "\ud83d"}'
    body = rb'{"choices": [{"message": %b, "finish_reason": "stop\ud83d"}]}' % message
    results, journal = b'{"custom_id": "KEY", "response": {"status_code": 200, "body": %b}}' % body, Journal()
    async with serving(hostile(results)) as url, opened(url, journal, Memory(tmp_path)) as gateway:
        assert (await gateway.complete(ask())).text == "half  a pair"
    assert orjson.loads(orjson.dumps(journal.calls[ask().key]))["finish_reason"] == "stop"


async def test_an_answer_that_cannot_be_read_is_paid_once_however_often_it_is_looked_at(tmp_path: Path) -> None:
    results = b'{"custom_id": "KEY", "response": {"status_code": 200, "body": {}}}\n'
    journal, left = Journal(), Budget()
    async with serving(hostile(results * 2)) as url, opened(url, journal, Memory(tmp_path), budget=left) as gateway:
        with pytest.raises(ProviderError, match="3 batch jobs"):
            await gateway.complete(ask())
    assert left.spent == pytest.approx(3 * worst_case(Price(1, 1, 1), ask())) and len(journal.calls) == 3
