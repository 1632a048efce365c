"""Replies that are watched while they are written: in pieces, and in the end the same as in one."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from threading import Event
from typing import Any

import orjson
import pytest
from aiohttp import web
from langchain_core.callbacks import AsyncCallbackHandler
from langchain_core.runnables import RunnableLambda

from agentinstruct.agents.endpoint import Endpoint
from agentinstruct.agents.errors import ReplyError
from agentinstruct.agents.gateway import Completion, Gateway, Request, RetryableError, current_gateway, shared, using
from agentinstruct.agents.scripted import ScriptedModel
from agentinstruct.agents.shown import shown, watched
from agentinstruct.agents.tokens import sink, watching

ASKED = Request("answer", "answer", "openai:mock", [{"role": "user", "content": "Tell me of bees, at some length."}])
SCHEMA = {
    "type": "object",
    "properties": {"text": {"type": "string"}},
    "required": ["text"],
    "additionalProperties": False,
}
TYPED = Request("judge", "judge", "openai:mock", ASKED.messages, schema=SCHEMA)


@asynccontextmanager
async def served(answer: Callable[[web.Request], Any]) -> AsyncIterator[Endpoint]:
    app = web.Application()
    app.router.add_post("/v1/chat/completions", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    endpoint = Endpoint("mock", f"http://127.0.0.1:{site._server.sockets[0].getsockname()[1]}/v1", timeout_s=10)  # type: ignore[union-attr]
    try:
        yield endpoint
    finally:
        await endpoint.aclose()
        await runner.cleanup()


async def told_of(endpoint: Endpoint, request: Request) -> tuple[list[str], Completion]:
    pieces: list[str] = []
    with watching(pieces.append):
        return pieces, await endpoint.complete(request)


@pytest.mark.parametrize("request_", [ASKED, TYPED], ids=["spoken", "typed"])
@pytest.mark.parametrize("options", [{}, {"no_json_schema": True}], ids=["schema", "tool"])
async def test_pieces_add_up_to_the_reply(openai_server: Any, request_: Request, options: dict[str, bool]) -> None:
    endpoint = Endpoint("mock", openai_server(**options).base_url)
    try:
        pieces, completion = await told_of(endpoint, request_)
    finally:
        await endpoint.aclose()
    assert len(pieces) > 3 and "".join(pieces) == completion.text
    assert completion.finish_reason in ("stop", "tool_calls") and completion.input_tokens and completion.output_tokens
    assert request_ is ASKED or set(orjson.loads(completion.text)) == {"text"}


@pytest.mark.parametrize("fault", ["stream_cut", "stream_error", "no_choices"])
async def test_a_stream_that_breaks_is_tried_again_and_is_no_reply(openai_server: Any, fault: str) -> None:
    endpoint = Endpoint("mock", openai_server(faults={fault: 1}).base_url)
    try:
        with pytest.raises(RetryableError):
            await told_of(endpoint, ASKED)
    finally:
        await endpoint.aclose()


async def test_a_server_that_cannot_stream_is_asked_once() -> None:
    asked = []

    async def answer(request: web.Request) -> web.Response:
        body = await request.json()
        asked.append("stream" in body)
        if "stream" in body:
            return web.json_response({"error": {"message": "stream is not supported"}}, status=400)
        message = {"role": "assistant", "content": "Bees dance."}
        return web.json_response({"choices": [{"message": message, "finish_reason": "stop"}]})

    async with served(answer) as endpoint:
        for _ in range(2):
            pieces, completion = await told_of(endpoint, ASKED)
            assert completion.text == "Bees dance." and pieces == []
    assert asked == [True, False, False]


async def test_an_endless_stream_is_cut_off() -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        reply = web.StreamResponse(headers={"content-type": "text/event-stream"})
        await reply.prepare(request)
        event = b"data: " + orjson.dumps({"choices": [{"delta": {"content": "b" * 100_000}}]}) + b"\n\n"
        try:
            while True:
                await reply.write(event)
        except ConnectionError:
            return reply

    async with served(answer) as endpoint:
        with pytest.raises(ReplyError, match="over 8 MB"):
            await told_of(endpoint, ASKED)


class Listener(AsyncCallbackHandler):
    def __init__(self) -> None:
        self.heard: list[str] = []

    async def on_chat_model_start(self, serialized: Any, messages: Any, **kwargs: Any) -> None:
        self.heard.append(f"asked {kwargs['metadata']['agent']}: {messages[0][-1].content}")

    async def on_llm_end(self, response: Any, **kwargs: Any) -> None:
        self.heard.append(f"said {response.generations[0][0].text}")


async def test_a_call_is_a_chat_models_only_for_those_who_listen() -> None:
    async def call(_: Any) -> str:
        completion = await (shown(ASKED) if watched() else current_gateway().complete(ASKED))
        return completion.text

    listener = Listener()
    async with using(Gateway(lambda spec: ScriptedModel({"answer": lambda request: "They dance."}))):
        assert await call(None) == "They dance." and listener.heard == []
        said = await RunnableLambda(call).ainvoke(None, config={"callbacks": [listener]})
    assert said == "They dance."
    assert listener.heard == [f"asked answer: {ASKED.messages[0]['content']}", "said They dance."]


async def test_what_a_watched_call_meets_is_its_callers_to_handle() -> None:
    def refuse(request: Request) -> Any:
        raise ReplyError("refusal", "no")

    async def call(_: Any) -> Completion:
        return await shown(ASKED)

    async with using(Gateway(lambda spec: ScriptedModel({"answer": refuse}))):
        with pytest.raises(ReplyError, match="refusal: no"):
            await RunnableLambda(call).ainvoke(None, config={"callbacks": [Listener()]})


async def test_pieces_reach_a_watcher_in_another_threads_loop_as_they_come(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agentinstruct.agents.gateway._SHARED", [])  # what serves a process serves it to its end
    heard = Event()

    class Slow(ScriptedModel):
        async def complete(self, request: Request) -> Completion:
            hear = sink()
            assert hear
            hear("They ")
            assert await asyncio.to_thread(heard.wait, 5), "the first piece comes before the reply has ended"
            hear("dance.")
            return Completion("They dance.")

    async def call(_: Any) -> Completion:
        return await shown(ASKED)

    async def watch() -> list[str]:
        said = []
        async for event in RunnableLambda(call).astream_events(None):
            if event["event"] == "on_chat_model_stream":
                said.append(event["data"]["chunk"].content)
                heard.set()
        return said

    async with shared(Gateway(lambda spec: Slow())):
        assert [piece for piece in await asyncio.to_thread(asyncio.run, watch()) if piece] == ["They ", "dance."]
