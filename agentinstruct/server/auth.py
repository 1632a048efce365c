"""Who a request is from, and whose things it may touch: langgraph.json's `auth`.

Every thread, run, assistant and cron carries its owner in its metadata, and is there for nobody else: what is not
yours is not found. The graphs' own assistants are everybody's to read. In the store each user has a name space.
"""

import time
from collections import defaultdict, deque
from collections.abc import MutableMapping
from typing import Any
from urllib.parse import urlsplit

from langgraph_sdk import Auth

from agentinstruct.server.keys import VARIABLE, server_keys
from agentinstruct.server.limits import server_limits

auth = Auth()
LOOPBACK = ("127.0.0.1", "::1", "localhost")
STUDIO = ("https://smith.langchain.com", "https://eu.smith.langchain.com")
"""Where Studio's page is, which asks a server on its user's own machine."""
_starts: defaultdict[str, deque[float]] = defaultdict(deque)


@auth.authenticate
async def authenticate(headers: dict[Any, Any], scope: MutableMapping[str, Any] | None = None) -> dict[str, Any]:
    """The user whose key a request bears, in `x-api-key` or as a bearer token.

    Raises:
        HTTPException: 401 without a key that is known; 403 from elsewhere while the server has no keys.
    """
    given = {_text(name).casefold(): _text(value) for name, value in headers.items()}
    keys = server_keys()
    if keys is None:
        _refuse_strangers(given, scope)
        return {"identity": "local", "is_authenticated": True, "permissions": []}
    bearer = given.get("authorization", "").removeprefix("Bearer ").strip()
    user = keys.user_of(given.get("x-api-key", "") or bearer)
    if not user:
        raise Auth.exceptions.HTTPException(401, "A key of this server is needed, in the header x-api-key.")
    return {"identity": user, "is_authenticated": True, "permissions": []}


@auth.on
async def permit(ctx: Auth.types.AuthContext, value: dict[str, Any]) -> Any:
    """Mark what a user makes as theirs, and let them see what is marked so."""
    if server_keys() is None:
        return None
    user = ctx.user.identity
    if ctx.resource == "store":
        place = tuple(value.get("namespace") or ())
        value["namespace"] = place if place[:1] == (user,) else (user, *place)
        return None
    if ctx.action in ("create", "update", "create_run"):
        marks = value.get("metadata")
        value["metadata"] = marks = {} if marks is None else marks
        marks |= {"owner": user} | ({"created_by": user} if "created_by" in marks else {})
    if ctx.action == "create_run":
        _count(user)
    if ctx.resource == "assistants" and ctx.action in ("read", "search"):
        return {"$or": [{"owner": user}, {"created_by": "system"}]}
    return {"owner": user}


def _text(value: Any) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)


def _refuse_strangers(headers: dict[str, str], scope: MutableMapping[str, Any] | None) -> None:
    """A server without keys serves its own machine: no other, no tunnel, no web page but Studio's."""
    client = LOOPBACK if scope is None else scope.get("client") or ("",)  # without a scope, the door has looked
    origin = headers.get("origin", "")
    page = not origin or origin in STUDIO or _host(origin) in LOOPBACK
    if client[0] not in LOOPBACK or _host(f"//{headers.get('host', '')}") not in LOOPBACK or not page:
        raise Auth.exceptions.HTTPException(
            403, f"This server has no keys, and serves its own machine. Set {VARIABLE}."
        )


def _host(address: str) -> str | None:
    try:
        return urlsplit(address).hostname
    except ValueError:  # a bracket that is not closed
        return None


def _count(user: str) -> None:
    """Let a user start so many runs a minute, and no more."""
    now, most = time.monotonic(), server_limits().runs
    starts = _starts[user]
    while starts and starts[0] < now - 60:
        starts.popleft()
    if len(starts) >= most:
        raise Auth.exceptions.HTTPException(429, f"{most} runs a minute may be started; try again in a minute.")
    starts.append(now)
