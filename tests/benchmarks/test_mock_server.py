"""The mock server: seen through a real HTTP client, each fault does what its name says, and all else is valid."""

import asyncio
import importlib.util
import json
import math
import os
import random
import re
import signal
import socket
import subprocess
import sys
import time
from datetime import UTC, date, datetime
from email.utils import parsedate_to_datetime
from enum import StrEnum
from pathlib import Path
from types import SimpleNamespace
from typing import Annotated, Literal
from uuid import UUID

import aiohttp
import jsonschema_rs
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field

PATH = Path(__file__).parents[2] / "benchmarks" / "mock_server.py"


def load():
    spec = importlib.util.spec_from_file_location("mock_server", PATH)
    module = importlib.util.module_from_spec(spec)
    sys.modules["mock_server"] = module
    spec.loader.exec_module(module)
    return module


mock = load()

SCHEMA = {
    "type": "object",
    "properties": {"question": {"type": "string"}, "label": {"enum": ["True", "False"]}},
    "required": ["question", "label"],
    "additionalProperties": False,
}
FORMAT = {"type": "json_schema", "json_schema": {"name": "item", "schema": SCHEMA, "strict": True}}
TOOLS = [{"type": "function", "function": {"name": "add_item", "parameters": SCHEMA}}]


def ask(text="hello", **more):
    return {"model": "any", "messages": [{"role": "user", "content": text}], **more}


@pytest.fixture(scope="module")
def shared(shared_openai_server):
    """One server for all tests that need no option at its start."""
    return shared_openai_server(hang_s=0.4, slow_s=0.3, retry_after=2)


@pytest.fixture
def server(shared):
    """The shared server in its first state."""
    shared.control(
        faults={}, poison=[], script=[], latency="fixed:0", max_concurrent=0, rpm=0, tpm=0, key="", models=[],
        context=0, no_json_schema=False, no_tools=False, down=False, seed=0, hang_s=0.4, reset=True,
    )  # fmt: skip
    yield shared
    assert shared.stats()["internal_errors"] == 0


@pytest.fixture
async def http():
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=30)) as session:
        yield session


async def post(http, server, body, path="/chat/completions", **options):
    async with http.post(server.base_url + path, json=body, **options) as answer:
        return answer.status, answer.headers, await answer.read()


async def said(http, server, body):
    status, _, raw = await post(http, server, body)
    assert status == 200, raw
    return orjson.loads(raw)


async def settled(server):
    """The counts once the server has noticed that its clients are gone."""
    for _ in range(500):
        stats = server.stats()
        if stats["in_flight"] == 0:
            break
        await asyncio.sleep(0.02)
    return stats


def choice(answer):
    return answer["choices"][0]


def text_of(answer):
    return choice(answer)["message"]["content"]


# --- answers -------------------------------------------------------------------------------------------------------


async def test_plain_prose(http, server):
    answer = await said(http, server, ask())
    assert answer["object"] == "chat.completion"
    assert answer["model"] == "any"
    assert choice(answer)["finish_reason"] == "stop"
    assert len(text_of(answer).split()) >= 15
    assert text_of(answer).endswith(".")
    usage = answer["usage"]
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"]
    assert usage["completion_tokens"] == math.ceil(len(text_of(answer)) / 4)


async def test_the_answer_is_a_function_of_the_body(http, server, openai_server):
    other = openai_server(seed=5, latency="lognormal:0.001,0.5")
    for body in (ask(), ask(response_format=FORMAT), ask(tools=TOOLS, tool_choice="required"), ask(n=3)):
        _, _, first = await post(http, server, body)
        _, _, second = await post(http, server, body)
        _, _, elsewhere = await post(http, other, body)
        assert first == second == elsewhere
    assert text_of(await said(http, server, ask("a"))) != text_of(await said(http, server, ask("b")))


async def test_a_schema_is_obeyed(http, server):
    for number in range(30):
        content = text_of(await said(http, server, ask(f"{number}", response_format=FORMAT)))
        assert jsonschema_rs.is_valid(SCHEMA, json.loads(content))


async def test_json_object_is_an_object_and_follows_a_schema_in_the_prompt(http, server):
    mode = {"type": "json_object"}
    assert isinstance(json.loads(text_of(await said(http, server, ask(response_format=mode)))), dict)
    prompt = f"Use this {{schema}}:\n```json\n{json.dumps(SCHEMA, indent=1)}\n``` Answer in JSON."
    for more in ({"response_format": mode}, {}):
        assert jsonschema_rs.is_valid(SCHEMA, json.loads(text_of(await said(http, server, ask(prompt, **more)))))


async def test_tools(http, server):
    forced = {"type": "function", "function": {"name": "add_item"}}
    for tool_choice in (forced, "required"):
        answer = choice(await said(http, server, ask(tools=TOOLS, tool_choice=tool_choice)))
        assert answer["finish_reason"] == "tool_calls"
        assert answer["message"]["content"] is None
        for call in answer["message"]["tool_calls"]:
            assert call["function"]["name"] == "add_item"
            assert jsonschema_rs.is_valid(SCHEMA, json.loads(call["function"]["arguments"]))
    assert "tool_calls" not in choice(await said(http, server, ask(tools=TOOLS, tool_choice="none")))["message"]
    free = [choice(await said(http, server, ask(f"{n}", tools=TOOLS)))["finish_reason"] for n in range(20)]
    assert set(free) == {"stop", "tool_calls"}


async def test_a_tool_result_is_answered_with_text(http, server):
    for number in range(10):
        body = ask(f"{number}", tools=TOOLS)
        body["messages"].append({"role": "tool", "tool_call_id": "x", "content": "3"})
        assert choice(await said(http, server, body))["finish_reason"] == "stop"


async def test_max_tokens_cuts(http, server):
    answer = await said(http, server, ask(max_tokens=3))
    assert choice(answer)["finish_reason"] == "length"
    assert len(text_of(answer)) == 12


async def test_n_choices_differ(http, server):
    answer = await said(http, server, ask(n=3))
    assert [each["index"] for each in answer["choices"]] == [0, 1, 2]
    assert len({each["message"]["content"] for each in answer["choices"]}) == 3


async def events(http, server, body):
    _, headers, raw = await post(http, server, body | {"stream": True})
    assert headers["Content-Type"] == "text/event-stream"
    *lines, last = [line.removeprefix("data: ") for line in raw.decode().split("\n\n") if line]
    assert last == "[DONE]"
    return [json.loads(line) for line in lines]


async def test_streams_say_the_whole_text(http, server):
    chunks = await events(http, server, ask(response_format=FORMAT, stream_options={"include_usage": True}))
    deltas = [choice(chunk)["delta"] for chunk in chunks[:-1]]
    assert jsonschema_rs.is_valid(SCHEMA, json.loads("".join(delta.get("content", "") for delta in deltas)))
    assert len(deltas) > 4
    assert choice(chunks[-2])["finish_reason"] == "stop"
    assert chunks[-1]["choices"] == []
    assert chunks[-1]["usage"]["completion_tokens"] > 0
    assert "usage" not in (await events(http, server, ask()))[-1]


async def test_streamed_tool_calls(http, server):
    forced = {"type": "function", "function": {"name": "add_item"}}
    chunks = await events(http, server, ask(tools=TOOLS, tool_choice=forced))
    calls = [call for chunk in chunks for call in choice(chunk)["delta"].get("tool_calls", ())]
    assert calls[0]["function"]["name"] == "add_item"
    assert jsonschema_rs.is_valid(SCHEMA, json.loads("".join(call["function"]["arguments"] for call in calls)))
    assert choice(chunks[-1])["finish_reason"] == "tool_calls"


async def vectors(http, server, body):
    status, _, raw = await post(http, server, {"model": "e", **body}, "/embeddings")
    assert status == 200, raw
    return json.loads(raw)["data"]


async def test_embeddings_depend_on_their_text_alone(http, server):
    both = await vectors(http, server, {"input": ["one", "two"]})
    alone = await vectors(http, server, {"input": "two"})
    assert [each["index"] for each in both] == [0, 1]
    assert both[1]["embedding"] == alone[0]["embedding"] != both[0]["embedding"]
    assert len(alone[0]["embedding"]) == 256
    assert math.isclose(math.hypot(*alone[0]["embedding"]), 1)
    assert len((await vectors(http, server, {"input": [[5, 6], [7]], "dimensions": 8}))[1]["embedding"]) == 8
    coded = await vectors(http, server, {"input": "two", "encoding_format": "base64"})
    assert isinstance(coded[0]["embedding"], str)


async def test_cached_tokens_grow_in_steps(http, server):
    async def cached(text):
        return (await said(http, server, ask(text)))["usage"]["prompt_tokens_details"]["cached_tokens"]

    prefix = "p" * 4 * 1400
    assert await cached(prefix + "first") == 0
    assert await cached(prefix + "second") == 1024 + 2 * 128
    assert await cached("other " + prefix) == 0
    assert await cached("short") == await cached("short") == 0


# --- faults --------------------------------------------------------------------------------------------------------

STATUSES = {
    "429": (429, "rate_limit_exceeded"), "429_date": (429, "rate_limit_exceeded"),
    "429_ms": (429, "rate_limit_exceeded"), "429_bare": (429, "rate_limit_exceeded"),
    "quota": (429, "insufficient_quota"), "400": (400, None), "401": (401, "invalid_api_key"),
    "403": (403, "forbidden"), "404": (404, "model_not_found"), "408": (408, None), "500": (500, None),
    "503": (503, None), "529": (529, None),
}  # fmt: skip


@pytest.mark.parametrize("fault", STATUSES)
async def test_faults_with_a_status(http, server, fault):
    server.control(faults={fault: 1})
    status, headers, raw = await post(http, server, ask())
    assert (status, json.loads(raw)["error"]["code"]) == STATUSES[fault]
    assert headers.get("retry-after-ms") == ("2000" if fault == "429_ms" else None)
    if fault == "429_date":
        wait = parsedate_to_datetime(headers["Retry-After"]) - datetime.now(UTC)
        assert 0 < wait.total_seconds() <= 3
    else:
        assert headers.get("Retry-After") == ("2" if fault in ("429", "503") else None)
    assert server.stats()["by_fault"] == {fault: 1}


async def test_502_is_a_web_page(http, server):
    server.control(faults="502")
    status, headers, raw = await post(http, server, ask())
    assert (status, headers["Content-Type"]) == (502, "text/html")
    assert raw.startswith(b"<!DOCTYPE html>")


BROKEN_CONNECTIONS = {
    "reset": aiohttp.ClientOSError, "reset_body": aiohttp.ClientError, "eof": aiohttp.ServerDisconnectedError,
    "truncated": aiohttp.ClientPayloadError, "garbage": aiohttp.ClientResponseError,
    "timeout": TimeoutError, "stream_cut": aiohttp.ClientPayloadError, "stream_stall": TimeoutError,
}  # fmt: skip


@pytest.mark.parametrize("fault", BROKEN_CONNECTIONS)
async def test_faults_of_the_connection(http, server, fault):
    server.control(faults={fault: 1}, hang_s=600)
    impatient = aiohttp.ClientTimeout(total=0.3 if BROKEN_CONNECTIONS[fault] is TimeoutError else 30)
    with pytest.raises(BROKEN_CONNECTIONS[fault]) as caught:
        await post(http, server, ask(stream="stream" in fault), timeout=impatient)
    assert isinstance(caught.value, TimeoutError) == (fault in ("timeout", "stream_stall"))
    stats = await settled(server)
    assert stats["by_fault"] == {fault: 1}
    assert (stats["answered_ok"], stats["in_flight"]) == (0, 0)
    server.control(faults={})
    assert text_of(await said(http, server, ask()))


async def test_a_hang_ends_in_a_reset(http, server):
    server.control(faults="timeout")
    start = time.monotonic()
    with pytest.raises(aiohttp.ClientError):
        await post(http, server, ask())
    assert time.monotonic() - start >= 0.4


async def test_partial_answers_arrive_before_the_break(http, server):
    for fault, body in (("truncated", ask()), ("reset_body", ask()), ("stream_cut", ask(stream=True))):
        server.control(faults={fault: 1})
        async with http.post(server.base_url + "/chat/completions", json=body) as answer:
            assert answer.status == 200
            assert await answer.content.readany()
            with pytest.raises((aiohttp.ClientError, ConnectionResetError)):
                await answer.content.read()


async def test_slow_and_drip_take_their_time_and_are_whole(http, server):
    _, _, quick = await post(http, server, ask())
    for fault in ("slow", "drip"):
        server.control(faults={fault: 1})
        start = time.monotonic()
        _, _, late = await post(http, server, ask())
        assert time.monotonic() - start >= 0.25
        assert late == quick
    assert server.stats()["answered_ok_repeats"] == 2


async def test_drip_comes_in_many_parts(http, server):
    server.control(faults="drip")
    async with http.post(server.base_url + "/chat/completions", json=ask()) as answer:
        parts = [part async for part, _ in answer.content.iter_chunks()]
    assert len(parts) > 50


@pytest.mark.parametrize("stream", [False, True])
async def test_bodies_that_cannot_be_read(http, server, stream):
    body = ask(stream=stream)
    server.control(faults="invalid_json")
    status, _, raw = await post(http, server, body)
    assert status == 200
    with pytest.raises(json.JSONDecodeError):
        json.loads(raw.decode().partition("\n\n")[0].removeprefix("data: "))
    server.control(faults="bad_utf8")
    status, _, raw = await post(http, server, body)
    assert status == 200
    with pytest.raises(UnicodeDecodeError):
        raw.decode()
    server.control(faults="html")
    status, headers, raw = await post(http, server, body)
    assert (status, headers["Content-Type"]) == (200, "text/html")


async def test_faults_of_the_shape(http, server):
    server.control(faults="no_choices")
    assert (await said(http, server, ask()))["choices"] == []
    server.control(faults="null_message")
    assert choice(await said(http, server, ask()))["message"] is None
    server.control(faults="no_usage")
    assert "usage" not in await said(http, server, ask())
    server.control(faults="stream_error")
    _, _, raw = await post(http, server, ask(stream=True))
    last = raw.decode().strip().split("\n\n")[-1]
    assert json.loads(last.removeprefix("data: "))["error"]["type"] == "server_error"


@pytest.mark.parametrize("fault", ["null_content", "empty", "whitespace", "filtered", "refusal", "refusal_text"])
@pytest.mark.parametrize("more", [{}, {"response_format": FORMAT}, {"tools": TOOLS, "tool_choice": "required"}])
async def test_nothing_is_said(http, server, fault, more):
    server.control(faults={fault: 1})
    answer = choice(await said(http, server, ask(**more)))
    message = answer["message"]
    assert "tool_calls" not in message
    assert answer["finish_reason"] == ("content_filter" if fault == "filtered" else "stop")
    assert bool(message["refusal"]) == (fault == "refusal")
    content = message["content"]
    if fault in ("null_content", "refusal"):
        assert content is None
    elif fault == "refusal_text":
        assert content.startswith("I'm sorry, but I can't")
    else:
        assert content.strip() == ""
        assert bool(content) == (fault == "whitespace")


async def test_length_cuts_the_json(http, server):
    server.control(faults="length")
    answer = choice(await said(http, server, ask(response_format=FORMAT)))
    assert answer["finish_reason"] == "length"
    assert answer["message"]["content"].startswith("{")
    with pytest.raises(json.JSONDecodeError):
        json.loads(answer["message"]["content"])


async def test_faults_of_asked_json(http, server):
    body = ask(response_format=FORMAT)
    good = text_of(await said(http, server, body))
    server.control(faults="content_json")
    with pytest.raises(json.JSONDecodeError):
        json.loads(text_of(await said(http, server, body)))
    server.control(faults="fenced")
    fenced = text_of(await said(http, server, body))
    assert re.search(r"```json\n(.*)\n```", fenced, re.DOTALL).group(1) == good
    server.control(faults="wrong_schema")
    assert not jsonschema_rs.is_valid(SCHEMA, json.loads(text_of(await said(http, server, body))))
    server.control(faults={"content_json": 0.4, "fenced": 0.3, "wrong_schema": 0.3}, reset=True)
    assert text_of(await said(http, server, ask())).endswith(".")
    assert server.stats()["by_fault"] == {}


async def test_faults_of_tool_calls(http, server):
    body = ask(tools=TOOLS, tool_choice="required")

    async def called():
        return choice(await said(http, server, body))["message"]["tool_calls"][0]["function"]

    server.control(faults="unknown_tool")
    assert (await called())["name"] == "no_such_tool"
    for fault in ("bad_tool_args", "content_json"):
        server.control(faults={fault: 1})
        with pytest.raises(json.JSONDecodeError):
            json.loads((await called())["arguments"])
    server.control(faults="wrong_schema")
    assert not jsonschema_rs.is_valid(SCHEMA, json.loads((await called())["arguments"]))


@pytest.mark.parametrize("more", [{}, {"response_format": FORMAT}])
async def test_degenerate_texts(http, server, more):
    for fault, mark in (("repeat", "the answer is the answer"), ("huge", "word word"), ("surrogate", "\ud800")):
        server.control(faults={fault: 1})
        _, _, raw = await post(http, server, ask(**more))
        content = text_of(json.loads(raw))
        assert mark in content or mark in json.loads(content)["question"]
        assert (len(content) > 4_000_000) == (fault == "huge")


async def test_faults_of_embeddings(http, server):
    body = {"input": ["a", "b", "c"]}
    good = [each["embedding"] for each in await vectors(http, server, body)]
    server.control(faults="emb_short")
    assert len(await vectors(http, server, body)) == 2
    server.control(faults="emb_nan")
    assert math.isnan((await vectors(http, server, body))[0]["embedding"][0])
    server.control(faults="emb_dim")
    assert len((await vectors(http, server, body))[0]["embedding"]) == len(good[0]) + 8
    server.control(faults="emb_order")
    turned = await vectors(http, server, body)
    assert [each["index"] for each in turned] == [2, 1, 0]
    assert turned[2]["embedding"] == good[0]


def test_every_fault_is_tested():
    text = Path(__file__).read_text(encoding="utf-8")
    assert [fault for fault in mock.FAULTS if f'"{fault}"' not in text] == []


async def test_faults_follow_body_and_attempt(http, server, openai_server):
    async def pattern(where):
        bodies = [ask(f"{number}") for number in range(40)]
        return [(await post(http, where, body))[0] for _ in range(3) for body in bodies]

    faults = {"500": 0.3, "429": 0.2}
    server.control(faults=faults)
    first = await pattern(server)
    server.control(reset=True)
    assert await pattern(server) == first
    assert await pattern(openai_server(faults=faults)) == first
    assert 0.15 < first.count(500) / 120 < 0.45
    assert 0.08 < first.count(429) / 120 < 0.35
    assert any(a == 500 and b == 200 for a, b in zip(first[:40], first[40:80], strict=True))
    server.control(reset=True, seed=1)
    assert await pattern(server) != first


async def test_poison_strikes_always_and_only_there(http, server):
    server.control(poison=["SEED-13=500", "a=b=content_json"])
    for _ in range(3):
        assert (await post(http, server, ask("about SEED-13.")))[0] == 500
    assert (await post(http, server, ask("about SEED-14.")))[0] == 200
    with pytest.raises(json.JSONDecodeError):
        json.loads(text_of(await said(http, server, ask("a=b", response_format=FORMAT))))


async def test_scripted_answers(http, openai_server, tmp_path):
    fixed = {"question": "Why?", "label": "True"}
    rules = [{"contains": "weather", "content": "It rains."}, {"contains": "item", "content": fixed}]
    (tmp_path / "rules.json").write_text(json.dumps(rules))
    server = openai_server(script=tmp_path / "rules.json")
    assert text_of(await said(http, server, ask("the weather?"))) == "It rains."
    assert json.loads(text_of(await said(http, server, ask("an item", response_format=FORMAT)))) == fixed
    called = choice(await said(http, server, ask("an item", tools=TOOLS, tool_choice="required")))
    assert json.loads(called["message"]["tool_calls"][0]["function"]["arguments"]) == fixed


# --- limits, switches, counts --------------------------------------------------------------------------------------


async def test_fallback_switches(http, openai_server):
    server = openai_server(no_json_schema=True, no_tools=True)
    status, _, raw = await post(http, server, ask(response_format=FORMAT))
    assert (status, json.loads(raw)["error"]["message"]) == (400, "response_format json_schema not supported")
    status, _, raw = await post(http, server, ask(tools=TOOLS))
    assert (status, json.loads(raw)["error"]["message"]) == (400, "tools not supported")
    assert (await post(http, server, ask(response_format={"type": "json_object"})))[0] == 200
    server.control(no_json_schema=False, no_tools=False)
    assert (await post(http, server, ask(response_format=FORMAT, tools=TOOLS)))[0] == 200


async def test_key_models_and_context(http, openai_server):
    server = openai_server(key="right", models="a,b", context=100)
    right = {"headers": {"Authorization": "Bearer right"}}
    for wrong in ({}, {"headers": {"Authorization": "Bearer wrong"}}):
        status, _, raw = await post(http, server, ask(), **wrong)
        assert (status, json.loads(raw)["error"]["code"]) == (401, "invalid_api_key")
    status, _, raw = await post(http, server, ask(), **right)
    assert (status, json.loads(raw)["error"]["code"]) == (404, "model_not_found")
    assert (await post(http, server, ask(model="b"), **right))[0] == 200
    status, _, raw = await post(http, server, ask("x" * 404, model="b"), **right)
    assert (status, json.loads(raw)["error"]["code"]) == (400, "context_length_exceeded")
    async with http.get(server.base_url + "/models", **right) as answer:
        assert [each["id"] for each in (await answer.json())["data"]] == ["a", "b"]
    async with http.get(server.base_url + "/models/c", **right) as answer:
        assert answer.status == 404
    assert "right" not in json.dumps(server.control())


async def test_max_concurrent(http, server):
    server.control(max_concurrent=4, latency="fixed:0.2")
    answers = await asyncio.gather(*[post(http, server, ask(f"{number}")) for number in range(10)])
    assert sorted(status for status, _, _ in answers) == [200] * 4 + [429] * 6
    assert {headers.get("Retry-After") for status, headers, _ in answers if status == 429} == {"2"}
    stats = server.stats()
    assert (stats["max_in_flight"], stats["in_flight"]) == (4, 0)


async def test_rates(http, server):
    server.control(rpm=6, reset=True)  # the next one is 10 s away
    assert [(await post(http, server, ask()))[0] for _ in range(3)] == [200, 429, 429]
    server.control(rpm=0, tpm=60, reset=True)
    assert [(await post(http, server, ask("x" * 800)))[0] for _ in range(3)] == [200, 429, 429]


def test_a_bucket_fills_with_time_and_holds_a_second(monkeypatch):
    clock = SimpleNamespace(monotonic=lambda: now)
    monkeypatch.setattr(mock, "time", clock)
    now = 100.0
    bucket = mock.Bucket()
    assert [bucket.take(120, 1) for _ in range(3)] == [True, True, False]
    now += 0.45
    assert not bucket.take(120, 1)
    now += 0.1
    assert [bucket.take(120, 1) for _ in range(2)] == [True, False]
    now += 60
    assert [bucket.take(120, 1) for _ in range(3)] == [True, True, False]
    assert bucket.take(0, 1), "no limit"


async def test_latency(http, server):
    server.control(latency="fixed:0.15", reset=True)
    start = time.monotonic()
    await asyncio.gather(*[post(http, server, ask(f"{number}")) for number in range(20)])
    assert time.monotonic() - start >= 0.15
    assert server.stats()["max_in_flight"] > 1, "they wait together"


def test_latencies_are_spread_as_asked():
    settings = mock.Settings(latency=mock.read_latency("lognormal:0.05,0.8"))
    drawn = sorted(settings.delay(number, 1) for number in range(400))
    assert 0.04 < drawn[200] < 0.06
    assert drawn[336] / drawn[200] == pytest.approx(math.exp(0.8), rel=0.25)  # one standard deviation above


async def test_stats_count_what_was_answered(http, server):
    server.control(poison=["bad=500"])
    for text in ("one", "two", "one", "one", "bad"):
        await post(http, server, ask(text))
    await post(http, server, {"model": "e", "input": "one"}, "/embeddings")
    await post(http, server, {"no": "request"})
    stats = server.stats()
    assert (stats["requests"], stats["answered_ok"], stats["answered_ok_repeats"]) == (7, 5, 2)
    assert stats["by_status"] == {"200": 5, "500": 1, "400": 1}
    assert stats["tokens"]["prompt"] == 5
    assert stats["tokens"]["completion"] > 50
    assert server.control(reset=True)["poison"] == [["bad", "500"]]
    assert server.stats()["requests"] == 0


async def test_an_answer_that_nobody_waited_for_is_not_answered(http, server):
    server.control(latency="fixed:30", reset=True)
    asked = asyncio.create_task(post(http, server, ask(), timeout=aiohttp.ClientTimeout(total=60)))
    for _ in range(1000):
        if (await asyncio.to_thread(server.stats))["in_flight"]:
            break
        await asyncio.sleep(0.01)
    asked.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asked
    stats = await settled(server)
    assert (stats["requests"], stats["answered_ok"], stats["in_flight"]) == (1, 0, 0)
    assert stats["by_status"] == {"499": 1}


async def test_down_and_up_again(http, server):
    server.control(latency="fixed:1")
    waiting = asyncio.create_task(post(http, server, ask()))
    await asyncio.sleep(0.1)
    await asyncio.to_thread(server.control, down=True)
    with pytest.raises(aiohttp.ClientError):
        await waiting
    with pytest.raises(aiohttp.ClientError):
        await post(http, server, ask())
    server.control(down=False, latency="fixed:0")
    assert (await post(http, server, ask()))[0] == 200


@pytest.mark.parametrize(
    "settings",
    [{"faults": {"451": 1}}, {"faults": {"500": 1.5}}, {"latency": "normal:1"}, {"no_such": 1}, {"down": "yes"}, [1]],
)
async def test_control_refuses_what_cannot_be(http, server, settings):
    root = server.base_url.removesuffix("/v1")
    async with http.post(root + "/control", json=settings) as answer:
        assert answer.status == 400
        assert (await answer.json())["error"]["message"]
    assert server.control()["faults"] == {}


async def test_log(http, openai_server, tmp_path):
    server = openai_server(log=tmp_path / "requests.jsonl", faults={"503": 1})
    await post(http, server, ask())
    server.control(faults={})
    await post(http, server, ask())
    first, second = [json.loads(line) for line in (tmp_path / "requests.jsonl").read_text().splitlines()]
    assert (first["status"], first["fault"], first["attempt"]) == ("503", "503", 1)
    assert (second["status"], second["fault"], second["attempt"]) == ("200", None, 2)
    assert first["hash"] == second["hash"]
    assert 0 <= second["time"] - first["time"] < 60


# --- robustness ----------------------------------------------------------------------------------------------------


def raw_exchange(server, data, wait=2.0):
    port = int(server.base_url.split(":")[2].split("/")[0])
    with socket.create_connection(("127.0.0.1", port), timeout=wait) as sock:
        for part in data if isinstance(data, list) else [data]:
            sock.sendall(part)
            time.sleep(0.01)
        sock.shutdown(socket.SHUT_WR)
        got = b""
        while part := sock.recv(65_536):
            got += part
    return got


HEAD = b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
BODY = json.dumps(ask()).encode()


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"\x16\x03\x01 hello\r\n\r\n", 400),
        (b"GET / HTTP/2.0\r\n\r\n", 400),
        (b"GET /v1/models HTTP/1.1\r\nno colon\r\n\r\n", 400),
        (b"A" * 70_000, 431),
        (HEAD + b"Content-Length: -5\r\n\r\n", 400),
        (HEAD + b"Content-Length: 99999999999\r\n\r\n", 413),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n", 400),
        (HEAD + b"Content-Length: 3\r\n\r\n{{{", 400),
        (HEAD + b"Content-Length: 4\r\n\r\nnull", 400),
        (HEAD + b"Content-Length: 0\r\n\r\n", 400),
        (b"GET /nothing HTTP/1.1\r\n\r\n", 404),
        (b"DELETE /v1/chat/completions HTTP/1.1\r\n\r\n", 405),
    ],
)
def test_malformed_requests_get_a_status(server, data, status):
    answer = raw_exchange(server, data)
    assert answer.startswith(f"HTTP/1.1 {status} ".encode()), answer[:100]
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["error"]["message"]


@pytest.mark.parametrize(
    "more",
    [
        {"messages": "hi"}, {"messages": [1]}, {"messages": [{}]}, {"tools": [1]}, {"tools": [{"type": "function"}]},
        {"tools": TOOLS, "tool_choice": {"type": "function"}}, {"response_format": {"type": "json_schema"}},
        {"response_format": {"type": "json_schema", "json_schema": {"schema": {"$ref": "#/no"}}}},
        {"response_format": {"type": "json_schema", "json_schema": {"schema": {"$ref": "#"}}}},
        {"response_format": {"type": "json_schema", "json_schema": {"schema": {"type": "array", "minItems": 10**9}}}},
        {"response_format": {"type": "json_schema", "json_schema": {"schema": {"properties": 3, "required": 4}}}},
        {"n": "x"}, {"max_tokens": []}, {"stream": "yes"}, {"model": None},
    ],
)  # fmt: skip
async def test_requests_that_mean_nothing_get_400(http, server, more):
    status, _, raw = await post(http, server, ask() | more)
    assert status == 400
    assert json.loads(raw)["error"]["type"] == "invalid_request_error"


def test_bodies_arrive_in_any_pieces(server):
    whole = HEAD + b"Content-Length: %d\r\n\r\n" % len(BODY) + BODY
    first = raw_exchange(server, whole)
    assert first.startswith(b"HTTP/1.1 200")
    assert raw_exchange(server, [whole[:30], whole[30:150], whole[150:]]) == first
    chunks = b"5\r\n%s\r\n%x;x=y\r\n%s\r\n0\r\nTrailer: x\r\n\r\n" % (BODY[:5], len(BODY) - 5, BODY[5:])
    assert raw_exchange(server, HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + chunks) == first
    assert raw_exchange(server, whole * 3) == first * 3
    expecting = [HEAD + b"Expect: 100-continue\r\nContent-Length: %d\r\n\r\n" % len(BODY), BODY]
    assert raw_exchange(server, expecting) == b"HTTP/1.1 100 Continue\r\n\r\n" + first


def test_random_bytes_never_break_it(server):
    rng = random.Random(7)
    whole = HEAD + b"Content-Length: %d\r\n\r\n" % len(BODY) + BODY
    for _ in range(150):
        damaged = bytearray(whole)
        for _ in range(rng.randint(1, 8)):
            at = rng.randrange(len(damaged))
            damaged[at : at + rng.randint(0, 4)] = rng.randbytes(rng.randint(0, 4))
        port = int(server.base_url.split(":")[2].split("/")[0])
        with socket.create_connection(("127.0.0.1", port)) as sock:
            sock.sendall(damaged)
    assert raw_exchange(server, whole).startswith(b"HTTP/1.1 200")


async def test_a_nasty_soak(http, server):
    server.control(faults="nasty", hang_s=0.2)
    bodies = [ask(f"{n}", stream=n % 3 == 0, **({"response_format": FORMAT} if n % 2 else {})) for n in range(600)]
    outcomes = await asyncio.gather(*[post(http, server, body) for body in bodies], return_exceptions=True)
    assert sum(isinstance(outcome, tuple) and outcome[0] == 200 for outcome in outcomes) > 300
    stats = await settled(server)
    assert stats["requests"] >= 600
    assert stats["in_flight"] == 0
    assert len(stats["by_fault"]) > 20


def start_bare(*more):
    command = [sys.executable, str(PATH), *more]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_it_ends_on_sigterm_and_when_stdin_closes():
    for end in (lambda server: server.send_signal(signal.SIGTERM), lambda server: server.stdin.close()):
        with start_bare("--parent", str(os.getpid())) as server:
            assert re.fullmatch(r"http://127\.0\.0\.1:\d+/v1\n", server.stdout.readline())
            end(server)
            assert server.wait(3) == 0


def test_it_ends_with_its_parent():
    code = (
        "import os, subprocess, sys\n"
        f"server = subprocess.Popen([sys.executable, {str(PATH)!r}, '--parent', str(os.getpid())], stdin=0, text=True,"
        " stdout=subprocess.PIPE)\n"
        "print(server.pid, server.stdout.readline(), flush=True)\n"
        "os.kill(os.getpid(), 9)\n"
    )
    command = [sys.executable, "-S", "-c", code]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, timeout=20)
    pid = int(done.stdout.split()[0])
    deadline = time.monotonic() + 15
    while Path(f"/proc/{pid}/cmdline").exists() and Path(f"/proc/{pid}/cmdline").read_bytes():
        assert time.monotonic() < deadline, "the server outlived its parent"
        time.sleep(0.05)


@pytest.mark.parametrize(
    "wrong",
    [("--faults", "451=1"), ("--latency", "often"), ("--poison", "x"), ("--script", "/no/file"), ("--host", "0.0.0.0")],
)
def test_wrong_options_are_named(wrong):
    with start_bare(*wrong) as server:
        _, message = server.communicate(timeout=5)
    assert server.returncode == 2
    assert wrong[0].lstrip("-") in message.splitlines()[-1]


# --- the schema generator ------------------------------------------------------------------------------------------


class Label(StrEnum):
    TRUE = "True"
    FALSE = "False"


class Leaf(BaseModel):
    model_config = ConfigDict(extra="forbid")
    kind: Literal["leaf"]
    value: Annotated[int, Field(gt=3, lt=9, multiple_of=2)]


class Sum(BaseModel):
    model_config = ConfigDict(extra="forbid")
    kind: Literal["sum"]
    left: "Node"
    right: "Node"


Node = Annotated[Leaf | Sum, Field(discriminator="kind")]


class Everything(BaseModel):
    model_config = ConfigDict(extra="forbid")
    title: Annotated[str, Field(min_length=40, max_length=50)]
    code: Annotated[str, Field(pattern=r"^[A-Z]{2}-\d{3,5}(x|y)?$")]
    label: Label
    maybe: int | None
    either: int | list[str] | Leaf
    share: Annotated[float, Field(gt=0, le=1)]
    pair: tuple[int, str]
    names: Annotated[list[str], Field(min_length=2, max_length=3)]
    numbers: set[Annotated[int, Field(ge=0, le=5)]]
    scores: dict[str, float]
    born: date
    at: datetime
    key: UUID
    tree: Node
    sure: bool = True


def test_instances_of_pydantic_models():
    schema = Everything.model_json_schema()
    depths = set()
    for seed in range(300):
        value = mock.Instances(schema, random.Random(seed)).make(schema)
        made = Everything.model_validate_json(json.dumps(value))
        depths.add(made.tree.kind)
        assert 3 <= len(made.names[0].split()) <= 25
    assert depths == {"leaf", "sum"}


SCALARS = st.one_of(
    st.builds(lambda low, more: {"type": "string", "minLength": low, "maxLength": low + more},
              st.integers(0, 30), st.integers(0, 200)),
    st.builds(lambda low, more: {"type": "integer", "minimum": low, "maximum": low + more},
              st.integers(-(10**6), 10**6), st.integers(0, 100)),
    st.builds(lambda low, more: {"type": "number", "exclusiveMinimum": low, "maximum": low + more},
              st.integers(-(10**6), 10**6), st.integers(1, 100)),
    st.builds(lambda values: {"enum": values}, st.lists(st.none() | st.booleans() | st.text(max_size=5), min_size=1)),
    st.builds(lambda value: {"const": value}, st.text(max_size=5) | st.integers(-9, 9)),
    st.sampled_from([
        {"type": "boolean"}, {"type": "null"}, {"type": ["string", "null"]}, {}, True, {"type": "integer"},
        {"type": "string", "pattern": "^(ab|c[0-9]+)\\w*-?$"}, {"type": "string", "format": "uuid"},
        {"type": "string", "format": "date-time"}, {"type": "string", "format": "email"}, {"$ref": "#/$defs/tree"},
        {"type": "integer", "multipleOf": 7, "minimum": 1},
    ]),
)  # fmt: skip


def objects(inner):
    return st.builds(
        lambda parts, needed, closed: {
            "type": "object",
            "properties": parts,
            "required": sorted(parts)[:needed],
            "additionalProperties": not closed,
        },
        st.dictionaries(st.text("abcdef", min_size=1, max_size=4), inner, max_size=4),
        st.integers(0, 4),
        st.booleans(),
    )


def composed(inner):
    return st.one_of(
        objects(inner),
        st.builds(lambda items, low: {"type": "array", "items": items, "minItems": low, "maxItems": low + 2},
                  inner, st.integers(0, 3)),
        st.builds(lambda parts: {"type": "array", "prefixItems": parts, "items": False, "minItems": len(parts)},
                  st.lists(inner, min_size=1, max_size=3)),
        st.builds(lambda parts: {"anyOf": parts}, st.lists(inner, min_size=1, max_size=3)),
        st.builds(lambda one, two: {"allOf": [one, {"title": "x"}, two]},
                  objects(SCALARS), st.just({"required": ["new"], "properties": {"new": {"type": "integer"}}})
                  ).map(lambda schema: {**schema, "allOf": [
                      {**part, "additionalProperties": True} if "type" in part else part for part in schema["allOf"]]}),
        st.builds(lambda values: {"type": "object", "additionalProperties": values, "minProperties": 2}, inner),
    )  # fmt: skip


TREE = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "parts": {"type": "array", "items": {"$ref": "#/$defs/tree"}}},
    "required": ["name", "parts"],
}


@settings(max_examples=150, deadline=None, derandomize=True)
@given(st.recursive(SCALARS, composed, max_leaves=12), st.integers(0, 2**32))
def test_instances_of_any_schema_are_valid(schema, seed):
    root = {"$defs": {"tree": TREE}, "allOf": [schema]}
    value = mock.Instances(root, random.Random(seed)).make(root)
    assert jsonschema_rs.is_valid(root, json.loads(json.dumps(value)))


def test_unique_items_and_contains():
    schema = {
        "type": "array",
        "items": {"enum": [1, 2, 3, "x"]},
        "uniqueItems": True,
        "minItems": 3,
        "contains": {"const": "x"},
    }
    for seed in range(50):
        assert jsonschema_rs.is_valid(schema, mock.Instances(schema, random.Random(seed)).make(schema))


@pytest.mark.parametrize(
    "schema",
    [False, {"type": "no"}, {"minimum": 2, "maximum": 1}, {"$ref": "other.json"}, {"allOf": [{"$ref": "#"}]},
     {"type": "object", "properties": {"me": {"$ref": "#"}}, "required": ["me"]}],
)  # fmt: skip
def test_schemas_without_instances_are_refused(schema):
    with pytest.raises(mock.SchemaError):
        mock.Instances(schema, random.Random(0)).make(schema)


# --- real clients, and the guard -----------------------------------------------------------------------------------


class Item(BaseModel):
    question: str
    label: Label


async def test_langchain_openai(server, monkeypatch):
    import openai
    from langchain_openai import ChatOpenAI

    monkeypatch.setenv("LANGSMITH_TRACING", "false")
    async with openai.DefaultAsyncHttpxClient() as client:
        model = ChatOpenAI(
            model="any", base_url=server.base_url, api_key="key", max_retries=0, timeout=5, http_async_client=client
        )
        answer = await model.ainvoke("hello")
        assert len(answer.content.split()) > 10
        assert answer.usage_metadata["output_tokens"] > 0
        for method in ("json_schema", "function_calling"):
            item = await model.with_structured_output(Item, method=method).ainvoke("an item")
            assert isinstance(item, Item)
        assert len([part async for part in model.astream("hello")]) > 3


def test_the_guard_fails_tests_that_leave_this_machine(tmp_path):
    (tmp_path / "conftest.py").write_text((Path(__file__).parents[1] / "conftest.py").read_text())
    (tmp_path / "test_it.py").write_text(
        "import asyncio, contextlib, socket\n"
        "import pytest, uvloop\n"
        "def test_raises():\n"
        "    socket.create_connection(('192.0.2.1', 80), timeout=1)\n"
        "def test_swallows():\n"
        "    with contextlib.suppress(OSError):\n"
        "        socket.socket().connect_ex(('192.0.2.1', 80))\n"
        "@pytest.mark.parametrize('run', [asyncio.run, uvloop.run])\n"
        "def test_loops(run):\n"
        "    with contextlib.suppress(OSError):\n"
        "        run(asyncio.wait_for(asyncio.open_connection('192.0.2.1', 80), 1))\n"
        "def test_local(tmp_path):\n"
        "    with socket.create_server(('127.0.0.1', 0)) as server:\n"
        "        socket.create_connection(server.getsockname()).close()\n"
        "    with socket.socket(socket.AF_UNIX) as server, socket.socket(socket.AF_UNIX) as client:\n"
        "        server.bind('s')\n"
        "        server.listen()\n"
        "        client.connect('s')\n"
    )
    command = [sys.executable, "-m", "pytest", "-q", "--rootdir=.", "-p", "no:cacheprovider", "test_it.py"]
    bare = os.environ | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    done = subprocess.run(command, cwd=tmp_path, env=bare, capture_output=True, text=True, timeout=60)
    summary = done.stdout.splitlines()[-1]
    assert "2 passed" not in summary
    for name in ("test_raises", "test_swallows", "test_loops[run0]", "test_loops[run1]"):
        assert re.search(rf"(FAILED|ERROR) test_it.py::{re.escape(name)}", done.stdout), done.stdout
    assert "test_local" not in done.stdout
