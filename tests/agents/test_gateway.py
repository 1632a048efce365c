"""The door to the models: one purchase per question, retries, limits, outages and what is kept, over real HTTP."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web

from agentinstruct.agents.budget import Budget
from agentinstruct.agents.errors import AgentInstructError, BudgetReached, ProviderDown, ProviderError, ReplyError
from agentinstruct.agents.gateway import (
    Completion,
    Gateway,
    Patience,
    Request,
    RetryableError,
    current_gateway,
    shared,
    using,
)
from agentinstruct.agents.models import Endpoints
from agentinstruct.agents.scripted import ScriptedModel
from agentinstruct.tools.prices import Price

KEY = "sk-very-secret-0123456789"
FRESH = {
    "faults": {}, "poison": [], "latency": "0", "max_concurrent": 0, "key": "", "models": "", "context": 0,
    "no_json_schema": False, "no_tools": False, "retry_after": 0.2, "down": False, "reset": True,
}  # fmt: skip
QUICK = Patience(attempts=4, base_s=0.01, outage_s=60)


class Journal:
    """A store of calls, empty and so false at first."""

    def __init__(self) -> None:
        self.calls: dict[str, dict[str, Any]] = {}

    def __len__(self) -> int:
        return len(self.calls)

    def get_call(self, key: str) -> dict[str, Any] | None:
        return self.calls.get(key)

    def put_call(self, key: str, value: Mapping[str, Any]) -> None:
        self.calls[key] = dict(value)


@pytest.fixture(scope="module")
def server(shared_openai_server: Any) -> Any:
    return shared_openai_server()


@asynccontextmanager
async def opened(server: Any, timeout_s: float = 20, **options: Any) -> AsyncIterator[Gateway]:
    """A gateway to the server, which is made right and then set as asked for."""
    own = {key: options.pop(key) for key in ("store", "max_concurrency", "patience") if key in options}
    server.control(**{**FRESH, **options})
    endpoints = Endpoints(server.base_url, KEY, timeout_s=timeout_s)
    async with using(Gateway(endpoints.open, **{"patience": QUICK, **own})) as gateway:
        yield gateway


async def arrived(server: Any, count: int = 1) -> None:
    """Wait until the server has seen so many requests."""
    for _ in range(500):
        if server.stats()["requests"] >= count:
            return
        await asyncio.sleep(0.01)
    raise AssertionError(f"the server never saw {count} requests")


def ask(text: str = "Why do bees dance?", **more: Any) -> Request:
    return Request("answer", "answer", "openai:mock", [{"role": "user", "content": text}], **more)


# --- One purchase -------------------------------------------------------------------------------------------------


async def test_equal_requests_at_once_are_one_purchase(server: Any) -> None:
    async with opened(server, latency="0.1") as gateway:
        replies = await asyncio.gather(*(gateway.complete(ask()) for _ in range(20)))
        other = await gateway.complete(ask(sample=1))
        assert len(set(replies)) == 1 and other.text
        assert server.stats()["requests"] == 2 == gateway.statistics.calls


async def test_a_caller_that_gives_up_spoils_nothing_for_the_others(server: Any) -> None:
    store = Journal()
    async with opened(server, latency="0.2", store=store) as gateway:
        first = asyncio.create_task(gateway.complete(ask()))
        await arrived(server)
        second = asyncio.create_task(gateway.complete(ask()))
        await asyncio.sleep(0.05)
        first.cancel()
        assert (await second).text == store.calls[ask().key]["text"]
    assert server.stats()["requests"] == 1


async def test_what_the_journal_holds_is_never_asked_again(server: Any) -> None:
    store = Journal()
    async with opened(server, store=store) as gateway:
        bought = await gateway.complete(ask())
    async with opened(server, store=store, down=True) as gateway:
        assert await gateway.complete(ask()) == bought
        assert (gateway.statistics.from_journal, gateway.statistics.calls) == (1, 0)
    assert server.stats()["requests"] == 0


def test_the_key_is_everything_that_shapes_the_answer_and_nothing_else() -> None:
    base = ask()
    others = [
        ask("Why?"), ask(temperature=0.1), ask(max_tokens=9), ask(schema={"type": "object"}), ask(sample=1),
        Request("answer", "answer", "openai:other", base.messages),
    ]  # fmt: skip
    assert len({base.key, *(other.key for other in others)}) == 7
    assert ask(subject="rc/short", inputs={"passage": "x"}).key == base.key


# --- Faults that may pass -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", ["429", "429_ms", "429_bare"])
async def test_rate_limits_are_waited_out(server: Any, fault: str) -> None:
    patience = Patience(attempts=50, base_s=0.01, longest_s=0.1)
    async with opened(server, faults={fault: 1}, retry_after=0.6, patience=patience) as gateway:
        started = time.monotonic()
        call = asyncio.create_task(gateway.complete(ask()))
        await arrived(server)
        await asyncio.sleep(0.1)
        seen = server.stats()["requests"]
        server.control(faults={})
        assert (await call).text
        assert gateway.statistics.retries >= 1
        if fault != "429_bare":
            assert seen == 1, "nothing is sent before the time the server names"
            assert time.monotonic() - started >= 0.6


@pytest.mark.parametrize("fault", ["429_bare", "503", "529"])
async def test_a_busy_server_is_not_down(server: Any, fault: str) -> None:
    patience = Patience(attempts=100, base_s=0.02, longest_s=0.05, outage_s=0.1, first_s=0.1)
    async with opened(server, faults={fault: 1}, retry_after=0.05, patience=patience) as gateway:
        calls = asyncio.gather(*(gateway.complete(ask(f"question {i}")) for i in range(20)))
        await arrived(server, 60)
        await asyncio.sleep(0.3)
        server.control(faults={})
        assert all(reply.text for reply in await calls)


async def test_a_rate_limit_until_a_date_is_waited_out(server: Any) -> None:
    async with opened(server, faults={"429_date": 1}, retry_after=2) as gateway:
        call = asyncio.create_task(gateway.complete(ask()))
        await arrived(server)
        await asyncio.sleep(0.5)
        assert server.stats()["requests"] == 1
        server.control(faults={})
        assert (await call).text


@pytest.mark.parametrize(
    "fault",
    ["500", "502", "503", "529", "408", "reset", "eof", "reset_body", "truncated", "garbage", "invalid_json", "html",
     "bad_utf8", "no_choices", "null_message"],
)  # fmt: skip
async def test_faults_that_pass_are_survived_and_lasting_ones_named(server: Any, fault: str) -> None:
    async with opened(server, faults={fault: 0.5}) as gateway:
        texts = [f"{fault}, question {i}" for i in range(12)]
        replies = await asyncio.gather(*(gateway.complete(ask(t)) for t in texts), return_exceptions=True)
        good = [reply for reply in replies if not isinstance(reply, BaseException)]
        assert len(good) >= 8 and all(reply.text for reply in good)
        assert gateway.statistics.retries >= 1
        stats = server.stats()
        assert stats["answered_ok"] == len(good) and stats["answered_ok_repeats"] == 0
    async with opened(server, faults={fault: 1}) as gateway:
        tries = 16 if fault in ("503", "529") else 4  # a server that is only busy is asked more often
        with pytest.raises(ProviderError, match=rf"openai:mock: .*\({tries} attempts\)") as caught:
            await gateway.complete(ask("always"))
        assert not isinstance(caught.value, ProviderDown)
        assert server.stats()["requests"] == tries


async def test_a_call_that_hangs_ends_at_its_deadline(server: Any) -> None:
    patience = Patience(attempts=2, base_s=0.01)
    async with opened(server, timeout_s=0.3, faults={"timeout": 1}, patience=patience) as gateway:
        started = time.monotonic()
        with pytest.raises(ProviderError, match="no answer within"):
            await gateway.complete(ask())
        assert 0.5 < time.monotonic() - started < 30


async def test_a_body_that_drips_ends_at_the_deadline_too(server: Any) -> None:
    patience = Patience(attempts=1)
    async with opened(server, timeout_s=0.5, faults={"drip": 1}, slow_s=30, patience=patience) as gateway:
        started = time.monotonic()
        with pytest.raises(ProviderError, match="no answer within"):
            await gateway.complete(ask())
        assert time.monotonic() - started < 15


@pytest.mark.parametrize("fault", ["no_usage", "surrogate"])
async def test_odd_answers_are_still_answers(server: Any, fault: str) -> None:
    async with opened(server, faults={fault: 1}) as gateway:
        reply = await gateway.complete(ask())
        assert reply.text and gateway.statistics.retries == 0
        assert reply.text.encode() and "\x00" not in reply.text
        assert (reply.input_tokens == 0) is (fault == "no_usage")


@asynccontextmanager
async def served(
    answer: Callable[[web.Request], dict[str, Any]], status: int = 200, **options: Any
) -> AsyncIterator[Gateway]:
    """A gateway to a server that gives these answers."""

    async def handle(request: web.Request) -> web.Response:
        return web.json_response(answer(request), status=status)

    app = web.Application()
    app.router.add_post("/v1/chat/completions", handle)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
    async with using(Gateway(Endpoints(url, KEY).open, patience=QUICK, **options)) as gateway:
        yield gateway
    await runner.cleanup()


def message(content: Any, **more: Any) -> dict[str, Any]:
    return {"choices": [{"message": {"role": "assistant", "content": content}, "finish_reason": None}], **more}


@pytest.mark.parametrize(
    "said",
    [
        message("Yes."),
        message("Yes.", usage="none"),
        message("Yes.", usage={"prompt_tokens": "7", "prompt_tokens_details": [], "completion_tokens": -1}),
        message([{"type": "text", "text": "Ye"}, {"type": "text", "text": "s."}]),
        message("<think>No?\n</think>\n\nYes."),
    ],
)
async def test_what_servers_make_of_the_format_is_understood(said: dict[str, Any]) -> None:
    async with served(lambda request: said) as gateway:
        reply = await gateway.complete(ask())
        assert (reply.text, reply.finish_reason) == ("Yes.", "stop")
        assert (reply.input_tokens, reply.cached_tokens, reply.output_tokens) == (0, 0, 0)


def called(function: Any) -> dict[str, Any]:
    return {"choices": [{"message": {"content": None, "tool_calls": function}, "finish_reason": "tool_calls"}]}


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({"arguments": '{"yes": true}'}, '{"yes": true}'),
        ({"name": "another", "arguments": {"yes": True}}, '{"yes":true}'),
        ({"arguments": "[1, 2"}, "[1, 2"),
        ({"arguments": None}, ""),
        ({"name": "item"}, ""),
    ],
)
async def test_11_the_arguments_of_a_tool_call_are_the_reply_however_they_are_given(given: Any, text: str) -> None:
    async with served(lambda request: called([{"id": "1", "type": "function", "function": given}])) as gateway:
        assert (await gateway.complete(ask())).text == text


@pytest.mark.parametrize("given", [[None], "none", 7, [{}], [{"function": None}], [{"function": "item"}]])
async def test_11_a_tool_call_that_is_none_is_asked_for_again_and_named(given: Any) -> None:
    async with served(lambda request: called(given)) as gateway:
        with pytest.raises(ProviderError, match="not a chat completion"):
            await gateway.complete(ask())
        assert gateway.statistics.retries == QUICK.attempts - 1


async def test_an_answer_without_end_is_refused() -> None:
    priced = {"prices": {"mock": Price(1, 1, 2)}, "budget": Budget(usd=1)}
    async with served(lambda request: message("word " * 2_000_000), **priced) as gateway:
        with pytest.raises(ReplyError, match="too long: the answer is over 8 MB"):
            await gateway.complete(ask())
        assert gateway.budget.spent == gateway.statistics.cost >= 2e-6 * ask().max_tokens, "the model has worked"


async def test_the_errors_a_large_body_explains_are_understood() -> None:
    said = {"error": {"message": "no", "note": "x" * 300_000, "code": "insufficient_quota"}}
    async with served(lambda request: said, status=429) as gateway:
        with pytest.raises(ProviderDown, match="quota"):
            await gateway.complete(ask())


async def test_what_a_server_repeats_of_a_request_is_no_word_of_its_own() -> None:
    said = {"detail": [{"msg": "too long", "input": {"code": "insufficient_quota"}}]}
    for status, error in ((422, ReplyError), (503, ProviderError), (429, ProviderError)):
        async with served(lambda request: said, status=status) as gateway:
            with pytest.raises(error):
                await gateway.complete(ask("The API answers with the code insufficient_quota."))


async def test_any_success_is_one() -> None:
    async with served(lambda request: message("Yes."), status=201) as gateway:
        assert (await gateway.complete(ask())).text == "Yes."


async def test_all_that_a_reply_says_can_be_kept() -> None:
    said = message(None)
    said["choices"][0]["message"]["refusal"] = "I will not \ud83d say"
    said["choices"][0]["finish_reason"] = "stop\ud83d"
    usage = {"prompt_tokens": 7, "prompt_tokens_details": {"cached_tokens": 32}, "completion_tokens": True}
    async with served(lambda request: said | {"usage": usage}) as gateway:
        reply = await gateway.complete(ask())
        assert (reply.refusal, reply.finish_reason) == ("I will not  say", "stop")
        assert (reply.cached_tokens, reply.output_tokens) == (7, 0)


# --- Faults that will not pass ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"key": "another"}, ["HTTP 401", "OPENAI_API_KEY"]),
        ({"faults": {"403": 1}}, ["HTTP 403", "OPENAI_API_KEY"]),
        ({"models": "a,b"}, ["HTTP 404", "--base-url", "model"]),
        ({"faults": {"quota": 1}}, ["HTTP 429", "quota"]),
    ],
)
async def test_what_no_retry_can_mend_stops_at_once(server: Any, options: dict[str, Any], words: list[str]) -> None:
    async with opened(server, max_concurrency=4, latency="0.02", **options) as gateway:
        started = time.monotonic()
        calls = (gateway.complete(ask(f"question {i}")) for i in range(200))
        errors = await asyncio.gather(*calls, return_exceptions=True)
        assert time.monotonic() - started < 20
        assert all(type(error) is ProviderDown for error in errors)
        for word in words:
            assert word in str(errors[0]) and word in str(errors[-1])
        assert server.stats()["requests"] <= 8, "calls that still waited must be spared the same refusal"
        assert gateway.statistics.retries == 0


async def test_a_model_found_down_may_be_tried_again_later(server: Any) -> None:
    async with opened(server, faults={"401": 1}, patience=Patience(outage_s=0.2)) as gateway:
        for _ in range(3):
            with pytest.raises(ProviderDown):
                await gateway.complete(ask())
        assert server.stats()["requests"] == 1
        server.control(faults={})
        await asyncio.sleep(0.25)
        assert (await gateway.complete(ask())).text


@pytest.mark.parametrize("schema", [None, {"type": "object", "properties": {}, "additionalProperties": False}])
async def test_a_request_that_is_too_long_concerns_itself_alone(server: Any, schema: dict[str, Any] | None) -> None:
    async with opened(server, context=500) as gateway:
        with pytest.raises(ReplyError, match=r"request refused.*context") as caught:
            await gateway.complete(ask("word " * 2000, schema=schema))
        assert caught.value.reason == "request refused"
        assert server.stats()["requests"] == 1, "the same again would be refused again"
        assert (await gateway.complete(ask(max_tokens=50))).text


async def test_one_refused_request_does_not_cost_the_others_their_json_mode(server: Any) -> None:
    schema = {"type": "object", "properties": {"x": {"type": "integer"}}, "required": ["x"]}
    async with opened(server, poison=["POISON=400"]) as gateway:
        assert (await gateway.complete(ask("first"))).text
        with pytest.raises(ReplyError, match="for a reason of its own"):
            await gateway.complete(ask("POISON", schema=schema))
        server.control(reset=True)
        assert '"x"' in (await gateway.complete(ask("good", schema=schema))).text
        assert server.stats()["requests"] == 1


@pytest.mark.parametrize(("answered", "first_s"), [(False, 0.5), (True, 60)])
async def test_when_nothing_gets_through_for_long_the_model_is_down(
    server: Any, answered: bool, first_s: float
) -> None:
    patience = Patience(attempts=50, base_s=0.02, longest_s=0.1, outage_s=0.5, first_s=first_s)
    async with opened(server, patience=patience) as gateway:
        if answered:
            await gateway.complete(ask("good"))
        server.control(down=True)
        started = time.monotonic()
        calls = (gateway.complete(ask(f"question {i}")) for i in range(30))
        errors = await asyncio.gather(*calls, return_exceptions=True)
        assert 0.4 < time.monotonic() - started < 20
        assert {type(error) for error in errors} == {ProviderDown}, errors
        assert "calls in a row failed" in str(errors[0])


async def test_a_short_outage_is_waited_out(server: Any) -> None:
    patience = Patience(attempts=50, base_s=0.02, longest_s=0.1, outage_s=30, first_s=30)
    async with opened(server, down=True, patience=patience) as gateway:
        calls = asyncio.gather(*(gateway.complete(ask(f"question {i}")) for i in range(10)))
        await asyncio.sleep(0.4)
        server.control(down=False)
        assert all(reply.text for reply in await calls)


async def test_a_server_that_is_not_there_is_named(openai_server: Any) -> None:
    server = openai_server()
    server.stop()
    gateway = Gateway(Endpoints(server.base_url).open, patience=Patience(attempts=2, base_s=0))
    async with using(gateway):
        with pytest.raises(ProviderError, match=rf"cannot reach {server.base_url}.*Check --base-url"):
            await gateway.complete(ask())


# --- Limits, closing, secrets -------------------------------------------------------------------------------------


async def test_no_more_calls_are_in_flight_than_allowed(server: Any) -> None:
    async with opened(server, max_concurrency=5, latency="0.02") as gateway:
        await asyncio.gather(*(gateway.complete(ask(f"question {i}")) for i in range(60)))
        assert server.stats()["max_in_flight"] == 5 == gateway.width("openai:mock")
        assert gateway.statistics.in_flight == 0


async def test_each_model_has_a_limit_of_its_own_and_its_own_width_counts() -> None:
    class Narrow(ScriptedModel):
        width = 2

    busy = {"scripted:narrow": 0, "scripted:wide": 0}
    most = dict(busy)

    def watching(spec: str) -> ScriptedModel:
        model = Narrow(latency_s=0.02) if "narrow" in spec else ScriptedModel(latency_s=0.02)
        complete = model.complete

        async def counted(request: Request) -> Any:
            busy[spec] += 1
            most[spec] = max(most[spec], busy[spec])
            try:
                return await complete(request)
            finally:
                busy[spec] -= 1

        model.complete = counted  # type: ignore[method-assign]
        return model

    async with using(Gateway(watching, max_concurrency=7)) as gateway:
        said = [{"role": "user", "content": "x"}]
        requests = [Request("answer", "answer", spec, said, sample=i) for spec in busy for i in range(20)]
        await asyncio.gather(*(gateway.complete(request) for request in requests))
    assert most == {"scripted:narrow": 2, "scripted:wide": 7}


async def test_closing_keeps_what_was_bought(server: Any) -> None:
    store = Journal()
    async with opened(server, latency="0.3", store=store) as gateway:
        waiting = [asyncio.create_task(gateway.complete(ask(f"question {i}"))) for i in range(5)]
        await arrived(server, 5)
        for task in waiting:
            task.cancel()
    assert len(store.calls) == 5 == server.stats()["answered_ok"]


async def test_closing_does_not_wait_for_ever(server: Any) -> None:
    server.control(**{**FRESH, "faults": {"timeout": 1}})
    gateway = Gateway(Endpoints(server.base_url).open)
    task = asyncio.create_task(gateway.complete(ask()))
    await arrived(server)
    started = time.monotonic()
    await gateway.aclose(grace_s=0.2)
    assert time.monotonic() - started < 20
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_closing_leaves_nobody_waiting_whose_call_had_not_begun() -> None:
    gateway = Gateway(lambda spec: ScriptedModel(latency_s=9))
    tasks = [asyncio.create_task(gateway.complete(ask())) for _ in range(2)]
    await asyncio.sleep(0)
    await gateway.aclose()
    done, _ = await asyncio.wait(tasks, timeout=2)
    assert len(done) == 2 and all(task.cancelled() for task in done)


async def test_a_call_that_fails_while_closing_is_not_tried_again(server: Any) -> None:
    patience = Patience(attempts=20, base_s=5, longest_s=5)
    server.control(**{**FRESH, "latency": "0.2", "faults": {"500": 1}})
    gateway = Gateway(Endpoints(server.base_url).open, patience=patience)
    task = asyncio.create_task(gateway.complete(ask()))
    await arrived(server)
    await gateway.aclose()
    assert isinstance(task.exception(), ProviderError)
    assert server.stats()["requests"] == 1


async def test_the_key_is_in_no_message(server: Any) -> None:
    errors: list[BaseException] = []
    async with opened(server, patience=Patience(attempts=1, outage_s=0)) as gateway:
        for fault in ("400", "401", "403", "404", "429", "quota", "500", "reset", "garbage", "html", "invalid_json"):
            server.control(faults={fault: 1})
            with pytest.raises(AgentInstructError) as caught:
                await gateway.complete(ask(f"{fault} {KEY}"))
            errors.append(caught.value)
        text = "".join(f"{e!r} {e} {e.__cause__!r} {e.__context__!r}" for e in errors)
        assert KEY not in text + repr(vars(gateway))


async def test_a_key_that_a_server_repeats_is_cut_out() -> None:
    async with served(lambda r: {"error": {"message": f"Bad {r.headers['authorization']}"}}, status=401) as gateway:
        with pytest.raises(ProviderDown, match="Bad Bearer …") as caught:
            await gateway.complete(ask())
    assert KEY not in str(caught.value)


async def test_where_no_gateway_is_set_one_serves_this_event_loop() -> None:
    default = current_gateway()
    assert current_gateway() is default
    async with using(Gateway(lambda spec: ScriptedModel())) as gateway:
        assert current_gateway() is gateway is not default
    assert current_gateway() is default
    assert (await default.complete(Request("answer", "answer", "scripted", [{"role": "user", "content": "x"}]))).text


async def test_a_run_still_at_work_when_its_server_stops_keeps_to_its_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agentinstruct.agents.gateway._SHARED", [])

    async def call(text: str) -> Completion:
        return await current_gateway().complete(Request("a", "answer", "m", [{"role": "user", "content": text}]))

    async with shared(Gateway(lambda spec: ScriptedModel(), budget=Budget(most_calls=1))):
        assert (await asyncio.to_thread(asyncio.run, call("In time."))).text
    with pytest.raises(BudgetReached, match="1 of 1 calls spent"):
        await asyncio.to_thread(asyncio.run, call("Late."))


async def test_a_model_that_takes_other_parameters_is_understood_once(openai_server: Any) -> None:
    server = openai_server(reasoning=True)
    async with using(Gateway(Endpoints(base_url=server.base_url).open)) as gateway:
        for number in range(3):
            said = [{"role": "user", "content": f"{number}"}]
            ask = Request(agent="a", role="judge", model="openai:o", messages=said)
            assert (await gateway.complete(ask)).text
    assert server.stats()["by_status"] == {"200": 3, "400": 2}


async def test_parameters_learnt_by_one_call_serve_the_calls_beside_it(openai_server: Any) -> None:
    server = openai_server(reasoning=True, latency="fixed:0.05")
    schema = {"type": "object", "properties": {"x": {"type": "integer"}}, "required": ["x"]}
    async with using(Gateway(Endpoints(base_url=server.base_url).open)) as gateway:
        asked = [ask(f"say {number}", schema=schema) for number in range(8)]
        answers = await asyncio.gather(*(gateway.complete(one) for one in asked))
        assert all('"x"' in answer.text for answer in answers)
        assert gateway.model(asked[0].model).mode == 0, "JSON mode is not given up for a parameter's name"  # type: ignore[attr-defined]


async def test_a_server_that_refuses_everything_is_down_and_costs_no_draft(server: Any) -> None:
    async with opened(server, faults={"400": 1.0}) as gateway:
        for number in range(7):
            with pytest.raises(ProviderError, match="before any request was answered"):
                await gateway.complete(ask(f"ask {number}"))
        with pytest.raises(ProviderDown, match="none answered"):
            await gateway.complete(ask("ask 8"))


async def test_time_in_the_queue_takes_nothing_from_a_calls_patience() -> None:
    """A call may wait for hours for its turn; its tries begin when it is sent."""
    tried: Counter[int] = Counter()

    class Once:
        width = 1

        async def complete(self, request: Request) -> Completion:
            tried[request.sample] += 1
            await asyncio.sleep(0.005)
            if tried[request.sample] == 1:
                raise RetryableError("HTTP 429", kind="busy")
            return Completion("fine")

        async def aclose(self) -> None:
            pass

    gateway = Gateway(lambda spec: Once(), patience=Patience(call_s=0.25, base_s=0.001), prices={})
    calls = [gateway.complete(Request("a", "solve", "m", [], sample=number)) for number in range(100)]
    assert {answer.text for answer in await asyncio.gather(*calls)} == {"fine"}
    await gateway.aclose()
