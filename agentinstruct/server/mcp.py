"""The skills as tools of MCP clients (Streamable HTTP, without sessions), in the place of the server's own /mcp.

That one tells a client neither a skill's settings nor what was wrong with a call, and gives the whole state as Python
writes it. Here each graph, and each assistant of the caller's, is a tool that takes the graph's input and its settings
and gives records.
"""

import asyncio
import re
from collections.abc import Collection
from typing import Any

import orjson
from httpx import AsyncClient
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from agentinstruct.agents.records import Record
from agentinstruct.server.inner import api_of, given
from agentinstruct.server.policy import RefusedError

VERSIONS = ("2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05")
UNKNOWN_METHOD, WRONG_PARAMETERS = -32601, -32602
HINTS = {"readOnlyHint": True, "destructiveHint": False, "idempotentHint": False, "openWorldHint": False}
PAGE = 100
LONGEST = 64
"""Characters of a tool's name, for most clients."""
Told = dict[str, Any]


async def answer(request: Request) -> Response:
    """One message of a client: a request is answered, a notification taken note of."""
    message = orjson.loads(await request.body() or b"null")
    if not isinstance(message, dict) or message.get("jsonrpc") != "2.0":
        raise RefusedError("no JSON-RPC 2.0 message.", 400)
    if message.get("id") is None or "method" not in message:
        return Response(status_code=202)
    parameters = message.get("params")
    told = await _answer(request, str(message["method"]), parameters if isinstance(parameters, dict) else {})
    return JSONResponse({"jsonrpc": "2.0", "id": message["id"], **told})


async def _answer(request: Request, method: str, parameters: Told) -> Told:
    if method == "initialize":
        asked = parameters.get("protocolVersion")
        return {
            "result": {
                "protocolVersion": asked if asked in VERSIONS else VERSIONS[0],
                "capabilities": {"tools": {"listChanged": False}},
                "serverInfo": {"name": "AgentInstruct", "version": "1"},
            }
        }
    if method == "ping":
        return {"result": {}}
    if method not in ("tools/list", "tools/call"):
        return {"error": {"code": UNKNOWN_METHOD, "message": f"no method {method[:80]!r}"}}
    async with api_of(request) as api:
        return await (_list(api) if method == "tools/list" else _call(api, parameters))


async def _assistants(api: AsyncClient) -> dict[str, Told]:
    """The graphs and the caller's own assistants, by the name of the tool that each is."""
    asked = {"limit": PAGE, "sort_by": "created_at", "sort_order": "asc"}
    named: dict[str, Told] = {}
    page: list[Told] = []
    at = 0
    while at == 0 or len(page) == PAGE:
        page = given(await api.post("/assistants/search", json=asked | {"offset": at}))
        at += PAGE
        for one in page:
            named[_tool_name(one, named)] = one
    return named


def _tool_name(assistant: Told, taken: Collection[str]) -> str:
    """A name that clients allow; where an older assistant has it, with the assistant's id, so that none is hidden."""
    name = re.sub(r"[^a-zA-Z0-9_.-]+", "_", assistant["name"])[:LONGEST]
    own = f"_{assistant['assistant_id']}"
    return name if name not in taken else name[: LONGEST - len(own)] + own


async def _list(api: AsyncClient) -> Told:
    """The tools; the assistants of a graph have its form, which is asked for once."""
    named = await _assistants(api)
    graphs = {one["graph_id"]: one["assistant_id"] for one in named.values()}
    forms = dict(zip(graphs, await asyncio.gather(*(_form(api, its) for its in graphs.values())), strict=True))
    return {"result": {"tools": [_tool(name, one, forms[one["graph_id"]]) for name, one in named.items()]}}


async def _form(api: AsyncClient, assistant: str) -> Told:
    schemas = given(await api.get(f"/assistants/{assistant}/schemas"))
    form: Told = schemas["input_schema"]
    form["properties"]["settings"] = schemas["context_schema"] | {"description": "Settings; all may be left out."}
    form["$defs"] = form.get("$defs", {}) | form["properties"]["settings"].pop("$defs", {})
    return form


def _tool(name: str, assistant: Told, form: Told) -> Told:
    return {
        "name": name,
        "title": assistant["name"],
        "description": assistant.get("description") or f"Records as {assistant['graph_id']} makes them.",
        "inputSchema": form,
        "annotations": HINTS,
    }


async def _call(api: AsyncClient, parameters: Told) -> Told:
    name, arguments = parameters.get("name"), parameters.get("arguments") or {}
    assistant = (await _assistants(api)).get(str(name))
    if not assistant:
        return {"error": {"code": WRONG_PARAMETERS, "message": f"no tool {str(name)[:80]!r}"}}
    if not isinstance(arguments, dict):
        return {"error": {"code": WRONG_PARAMETERS, "message": "arguments: give an object"}}
    values = {key: value for key, value in arguments.items() if key != "settings"}
    run = {"assistant_id": assistant["assistant_id"], "input": values, "context": arguments.get("settings") or {}}
    try:
        state = given(await api.post("/runs/wait", json=run))
    except RefusedError as error:
        return _wrong(str(error))
    if "__error__" in state:
        return _wrong(state["__error__"]["message"])
    made = {
        "records": [Record.model_validate(one).row() for one in state["records"]],
        "dropped": [{key: one[key] for key in ("stage", "reason", "detail", "category")} for one in state["dropped"]],
    }
    return {"result": {"content": [{"type": "text", "text": orjson.dumps(made).decode()}], "structuredContent": made}}


def _wrong(words: str) -> Told:
    return {"result": {"isError": True, "content": [{"type": "text", "text": words}]}}


async def no_stream(request: Request) -> Response:
    """Nothing is sent of its own accord, and no session is kept."""
    return Response(status_code=405, headers={"allow": "POST"})


routes = [
    Route("/mcp", answer, methods=["POST"]),
    Route("/mcp", no_stream, methods=["GET", "DELETE"]),
    Route("/mcp/", answer, methods=["POST"]),
]
