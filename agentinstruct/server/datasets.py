"""Datasets as background jobs: documents in, a run of the teacher, records out as JSON lines.

    POST /datasets                {"documents": [{"text": …}], "settings": {…}}  →  {"dataset_id": …}
    GET  /datasets                the caller's
    GET  /datasets/ID             how far it is
    GET  /datasets/ID/records     what it has so far: ?offset=0&limit=100
    POST /datasets/ID/cancel      stop it; what it has stays
    POST /datasets/ID/resume      go on where it was stopped

A dataset is a thread of the server's own, on which the teacher runs. All is asked of the server's own API in the name
of the caller, so its owners, limits and durability are those of every thread.
"""

import asyncio
from collections import defaultdict
from typing import Any

import orjson
from httpx import AsyncClient
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from agentinstruct.agents.errors import SetupError
from agentinstruct.agents.records import Record
from agentinstruct.graphs.teacher import teacher
from agentinstruct.server.door import CALLER
from agentinstruct.server.inner import api_of, given
from agentinstruct.server.limits import server_limits
from agentinstruct.server.policy import RefusedError, server_policy

MARK = {"agentinstruct": "dataset"}
RUNNING = ("pending", "running")
MOST_AT_ONCE = 1000
"""Records in one answer."""
_turn: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
"""A user's datasets are begun one after the other, so that each finds those before it."""


async def start(request: Request) -> Response:
    """Begin a dataset."""
    run = await _asked(request)
    async with api_of(request) as api, _turn[request.scope[CALLER]]:
        await _room(api)
        thread = given(await api.post("/threads", json={"metadata": MARK}))["thread_id"]
        try:
            given(await api.post(f"/threads/{thread}/runs", json=run))
        except RefusedError:
            await api.delete(f"/threads/{thread}")
            raise
    return JSONResponse({"dataset_id": thread, "status": "pending"}, 202)


async def listed(request: Request) -> Response:
    """The caller's datasets, newest first."""
    async with api_of(request) as api:
        threads = given(await api.post("/threads/search", json={"metadata": MARK, "limit": 100}))
    return JSONResponse(
        [{"dataset_id": one["thread_id"], "status": one["status"], "created_at": one["created_at"]} for one in threads]
    )


async def status(request: Request) -> Response:
    """How far a dataset is."""
    async with api_of(request) as api:
        run, state = await _last_run(api, request), await _state(api, request)
        errors = [task["error"] for task in state.get("tasks") or () if task.get("error")]
        if run["status"] == "error" and not errors:  # before its first step
            thread = given(await api.get(f"/threads/{run['thread_id']}"))
            errors = [thread["error"]["message"]] if thread.get("error") else ["it ended with an error."]
    values = state["values"] or {}
    done, left = len(values.get("finished", ())), [*values.get("underway", ()), *values.get("waiting", ())]
    return JSONResponse(
        {
            "dataset_id": run["thread_id"],
            "status": run["status"],
            "done": done,
            "of": done + len(left),
            "records": len(values.get("records", ())),
            "dropped": len(values.get("dropped", ())),
            "summary": values.get("summary"),
            "errors": errors,
        }
    )


async def records(request: Request) -> Response:
    """Its records so far, one a line, as a run writes them to its data folder."""
    first, most = (_number(request, name, default) for name, default in (("offset", 0), ("limit", 100)))
    async with api_of(request) as api:
        found = ((await _state(api, request))["values"] or {}).get("records", [])
    rows = [Record.model_validate(one).row() for one in found[first : first + min(most, MOST_AT_ONCE)]]
    lines = b"".join(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE) for row in rows)
    return Response(lines, media_type="application/x-ndjson", headers={"x-total": str(len(found))})


async def cancel(request: Request) -> Response:
    """Stop it."""
    async with api_of(request) as api:
        run = await _last_run(api, request)
        if run["status"] in RUNNING:
            given(await api.post(f"/threads/{run['thread_id']}/runs/{run['run_id']}/cancel"))
    return JSONResponse({"dataset_id": run["thread_id"], "status": "cancelled"})


async def resume(request: Request) -> Response:
    """Go on after a stop, from the last work items that were finished; from the start if it had not begun."""
    async with api_of(request) as api, _turn[request.scope[CALLER]]:
        last, state = await _last_run(api, request), await _state(api, request)
        stepped = (state["checkpoint"] or {}).get("checkpoint_id")
        if last["status"] in RUNNING or (stepped and not state["next"]):
            raise RefusedError("nothing is left to do: it is under way or done.", 409)
        await _room(api, last["thread_id"])
        asked = last.get("kwargs") or last
        run = {"assistant_id": "teacher", "input": None, "context": asked["context"]}
        run |= {"checkpoint": state["checkpoint"]} if stepped else {"input": asked["input"]}
        given(await api.post(f"/threads/{last['thread_id']}/runs", json=run))
    return JSONResponse({"dataset_id": last["thread_id"], "status": "pending"}, 202)


async def _asked(request: Request) -> dict[str, Any]:
    """The run that a request asks for, if it can be run."""
    body = await _object(request)
    unknown = sorted(body.keys() - {"documents", "settings"})
    if unknown or "documents" not in body:
        raise RefusedError('give {"documents": [{"text": …}], "settings": {…}}' + f", not {unknown}" * bool(unknown))
    settings = body.get("settings") or {}
    if not isinstance(settings, dict):
        raise RefusedError("settings: give an object.")
    if settings.get("review"):
        raise RefusedError("review: a dataset waits for nobody. Run a skill on a thread for it.")
    run = {"assistant_id": "teacher", "input": {"documents": body["documents"]}, "context": settings}
    server_policy().check(run)
    try:
        teacher.builder.taken(run["input"])
    except SetupError as error:
        raise RefusedError(str(error)) from None
    return run


async def _room(api: AsyncClient, its: str = "") -> None:
    """Refuse a dataset more than a user may have made at the same time."""
    busy = given(await api.post("/threads/search", json={"metadata": MARK, "status": "busy", "limit": 100}))
    others = [one for one in busy if one["thread_id"] != its]
    if len(others) >= server_limits().datasets:
        raise RefusedError(f"{len(others)} datasets are being made; wait for one, or cancel one.", 429)


async def _object(request: Request) -> dict[str, Any]:
    body = orjson.loads(await request.body() or b"null")
    if not isinstance(body, dict):
        raise RefusedError("give a JSON object.")
    return body


def _number(request: Request, name: str, default: int) -> int:
    text = request.query_params.get(name, str(default))
    if not text.isdecimal():
        raise RefusedError(f"{name}: a whole number, not {text[:20]!r}.")
    return int(text[:9])


async def _last_run(api: AsyncClient, request: Request) -> dict[str, Any]:
    runs = given(await api.get(f"/threads/{request.path_params['dataset_id']}/runs", params={"limit": 1}))
    if not runs:
        raise RefusedError("no such dataset.", 404)
    return dict(runs[0])


async def _state(api: AsyncClient, request: Request) -> dict[str, Any]:
    return dict(given(await api.get(f"/threads/{request.path_params['dataset_id']}/state")))


async def refused(request: Request, error: Exception) -> Response:
    """Say why not, as the door does."""
    assert isinstance(error, RefusedError)
    return JSONResponse({"detail": str(error)}, error.status)


routes = [
    Route("/datasets", start, methods=["POST"]),
    Route("/datasets", listed, methods=["GET"]),
    Route("/datasets/{dataset_id:uuid}", status, methods=["GET"]),
    Route("/datasets/{dataset_id:uuid}/records", records, methods=["GET"]),
    Route("/datasets/{dataset_id:uuid}/cancel", cancel, methods=["POST"]),
    Route("/datasets/{dataset_id:uuid}/resume", resume, methods=["POST"]),
]
