"""The skills as tools of a real MCP client."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx2
import pytest
from mcp import ClientSession, MCPError
from mcp.client.streamable_http import streamable_http_client

from agentinstruct.agents.skill import skill_names
from tests.server.conftest import CONTEXT, SEED, Served


@asynccontextmanager
async def session(server: Served, key: str) -> AsyncIterator[ClientSession]:
    async with (
        httpx2.AsyncClient(headers={"x-api-key": key}, timeout=60) as http,
        streamable_http_client(f"{server.url}/mcp", http_client=http) as (read, write, *_),
        ClientSession(read, write) as opened,
    ):
        await opened.initialize()
        yield opened


async def test_every_skill_is_a_tool_with_words_and_a_form(server: Served) -> None:
    async with session(server, server.keys["bob"]) as client:
        tools = {tool.name: tool for tool in (await client.list_tools()).tools}
    assert set(tools) == set(skill_names()) | {"teacher"}
    for name, tool in tools.items():
        assert tool.description and len(tool.description) > 60, name
        form = tool.input_schema
        assert form["required"] == ["documents" if name == "teacher" else "seed"]
        assert form["$defs"]["Document" if name == "teacher" else "Seed"]["properties"]["text"]["description"]
        settings = form["properties"]["settings"]["properties"]
        assert {"model", "rounds", "categories"} <= settings.keys() and not {"base_url", "api_key"} & settings.keys()
    assert "literal_comprehension" in str(tools["reading_comprehension"].input_schema)


async def test_a_tool_is_called_and_gives_records(server: Served) -> None:
    async with session(server, server.keys["bob"]) as client:
        answer = await client.call_tool("text_modification", {**SEED, "settings": CONTEXT})
    made = answer.structured_content
    assert not answer.is_error and made == json.loads(answer.content[0].text)
    assert made["records"][0]["messages"][-1]["role"] == "assistant" and set(made) == {"records", "dropped"}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"text": "a seed"}, "no 'seed'"),
        ({"seed": {"text": "a", "path": "/etc/passwd"}}, "path"),
        ({**SEED, "settings": {"model": "openai:gpt-9"}}, "not offered"),
        ({**SEED, "settings": {"categories": "haiku"}}, "no text_modification category"),
    ],
)
async def test_a_wrong_call_is_told_what_is_wrong(server: Served, arguments: dict[str, Any], words: str) -> None:
    async with session(server, server.keys["bob"]) as client:
        answer = await client.call_tool("text_modification", arguments)
    assert answer.is_error and words in answer.content[0].text


async def test_an_assistant_is_a_tool_of_its_maker_alone(server: Served) -> None:
    with server.http("alice") as http:
        made = http.post(
            "/assistants", json={"graph_id": "text_modification", "name": "hard ones", "context": CONTEXT}
        ).json()
    async with session(server, server.keys["alice"]) as client:
        answer = await client.call_tool("hard_ones", SEED)
        assert not answer.is_error and answer.structured_content
    async with session(server, server.keys["bob"]) as client:
        with pytest.raises(MCPError, match="no tool"):
            await client.call_tool("hard_ones", SEED)
    with server.http("alice") as http:
        http.delete(f"/assistants/{made['assistant_id']}")


def test_arguments_that_are_no_object_are_told_so(server: Served) -> None:
    call = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "fermi", "arguments": [1]}}
    with server.http("bob") as http:
        assert http.post("/mcp", json=call).json()["error"]["message"] == "arguments: give an object"


async def test_an_assistant_after_a_hundred_is_a_tool_too(server: Served) -> None:
    with server.http("alice") as http:
        body = {"graph_id": "text_modification", "context": CONTEXT}
        made = [http.post("/assistants", json=body | {"name": f"own {number}"}).json() for number in range(100)]
        try:
            async with session(server, server.keys["alice"]) as client:
                assert "own_99" in {tool.name for tool in (await client.list_tools()).tools}
                answer = await client.call_tool("own_99", SEED)
            assert not answer.is_error and answer.structured_content
        finally:
            for one in made:
                http.delete(f"/assistants/{one['assistant_id']}")


async def test_assistants_whose_tools_would_have_one_name_are_told_apart(server: Served) -> None:
    long = "a name that goes on and on, so that only its end tells it from others "
    names = [f"{long}{end}" for end in ("easy", "hard", "hard")] + ["fermi"]
    with server.http("alice") as http:
        body = {"graph_id": "text_modification", "context": CONTEXT}
        made = [http.post("/assistants", json=body | {"name": name}).json() for name in names]
        try:
            async with session(server, server.keys["alice"]) as client:
                tools = {tool.name: tool for tool in (await client.list_tools()).tools}
                assert sorted(tool.title for tool in tools.values() if tool.title in names) == sorted([*names, "fermi"])
                assert all(len(name) <= 64 for name in tools)
                assert set(tools["fermi"].input_schema["properties"]) == {"seed", "settings"}, "the graph keeps its own"
                last = next(name for name in tools if name.startswith("fermi_"))
                answer = await client.call_tool(last, SEED)
            assert answer.structured_content["records"][0]["skill"] == "text_modification"
        finally:
            for one in made:
                http.delete(f"/assistants/{one['assistant_id']}")


async def test_no_tools_without_a_key(server: Served) -> None:
    with server.http() as http:
        assert http.post("/mcp", json={"jsonrpc": "2.0", "id": 1, "method": "tools/list"}).status_code == 401
    with pytest.raises(BaseExceptionGroup):
        async with session(server, "nobody's"):
            pass
