"""The server's own API, asked by its routes in the name of their caller: owners, limits and durability are as ever."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from httpx import ASGITransport, AsyncClient, Response
from starlette.requests import Request

from agentinstruct.server.policy import RefusedError

HEADERS = ("x-api-key", "authorization", "host", "origin")
"""By which the door knows a caller."""


@asynccontextmanager
async def api_of(request: Request) -> AsyncIterator[AsyncClient]:
    """The API as this caller has it."""
    headers = {name: value for name in HEADERS if (value := request.headers.get(name))}
    client = request.client or ("", 0)
    transport = ASGITransport(request.app, raise_app_exceptions=False, client=(client[0], client[1]))
    async with AsyncClient(transport=transport, base_url="http://inside", headers=headers, timeout=None) as api:  # noqa: S113
        yield api


def given(response: Response) -> Any:
    """What the API gave.

    Raises:
        RefusedError: it refused; its own words.
    """
    if response.is_success:
        return response.json() if response.content else None
    told = response.json() if response.headers.get("content-type", "").startswith("application/json") else {}
    raise RefusedError(str(told.get("detail") or told.get("message") or "not served"), response.status_code)
