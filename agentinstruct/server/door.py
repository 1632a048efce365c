"""The one door of the server: every request is read here first, as far as the limits let it, and put to the policy.

From nobody who may call, too large, too deep, not JSON, or not allowed: refused before any route has seen it. What a
request makes the server ask of itself (MCP and A2A do so) comes by here again.
"""

from collections.abc import Awaitable, Callable
from typing import Any

import orjson
from langgraph_sdk import Auth
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from agentinstruct.server.auth import authenticate
from agentinstruct.server.policy import Policy, RefusedError

OPEN = ("/ok", "/health", "/live", "/ready")
"""What tells whether the server works, by the names that servers have for it."""
CLOSED = ("/deploy", "/internal", "/profile")
"""What a development server offers its developer alone."""
CALLER = "agentinstruct.caller"
"""Where a request says whose it is."""


class Door:
    """An ASGI middleware that lets in what the policy allows."""

    def __init__(self, app: ASGIApp, policy: Policy) -> None:
        self._app = app
        self._policy = policy
        self._most = int(policy.limits.body_mb * 1_000_000)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or say why not."""
        if scope["type"] != "http":
            await self._app(scope, self._checked(receive) if scope["type"] == "websocket" else receive, send)
            return
        try:
            await self._know(scope)
            if scope["method"] in ("POST", "PUT", "PATCH", "DELETE"):
                body = await self._read(scope, receive)
                self._look(body)
                receive = _once(body, receive)
        except RefusedError as error:
            answer = JSONResponse({"detail": str(error)}, error.status, headers={"connection": "close"})
            await answer(scope, receive, send)
            return
        await self._app(scope, receive, send)

    async def _know(self, scope: Scope) -> None:
        """Serve nobody unknown, on the server's own pages neither; whether it lives is told to all."""
        root = scope.get("root_path", "")
        path = scope["path"].removeprefix(root)  # where the server is mounted at a prefix, the path has it still
        inside = root == "/noauth" or root.startswith("/noauth/")
        if inside or path in OPEN or scope["method"] == "OPTIONS":
            return
        if self._policy.strangers and path.startswith(CLOSED):
            raise RefusedError("not here.", 404)
        try:
            scope[CALLER] = (await authenticate(dict(scope["headers"]), scope))["identity"]
        except Auth.exceptions.HTTPException as error:
            raise RefusedError(error.detail, error.status_code) from None

    def _look(self, body: bytes) -> None:
        if not body.strip():
            return
        try:
            value = orjson.loads(body)
        except orjson.JSONDecodeError as error:
            raise RefusedError(f"the body is not JSON: {error.msg}") from None
        if too_deep(value, self._policy.limits.depth):
            raise RefusedError(f"the body is nested deeper than {self._policy.limits.depth} levels.")
        self._policy.check(value)

    async def _read(self, scope: Scope, receive: Receive) -> bytes:
        """The body, given up as soon as it is, or says that it will be, too large."""
        large = RefusedError(f"a request of more than {self._policy.limits.body_mb:g} MB is not read.", 413)
        lengths = [value for name, value in scope["headers"] if name == b"content-length"]
        if any(not value.isdigit() or int(value[:20]) > self._most for value in lengths):
            raise large
        parts, size, more = [], 0, True
        while more:
            message = await receive()
            if message["type"] != "http.request":
                raise RefusedError("the request ended too early.", 400)
            parts.append(message.get("body", b""))
            size += len(parts[-1])
            if size > self._most:
                raise large
            more = message.get("more_body", False)
        return b"".join(parts)

    def _checked(self, receive: Receive) -> Receive:
        async def checked() -> Message:
            message = await receive()
            data: Any = message.get("text") or message.get("bytes") or ""
            try:
                if len(data) > self._most:
                    raise RefusedError("too large")
                self._look(data.encode() if isinstance(data, str) else data)
            except RefusedError:
                return {"type": "websocket.disconnect", "code": 1008}
            return message

        return checked


def _once(body: bytes, receive: Receive) -> Callable[[], Awaitable[Message]]:
    """What was read, once; then whatever else comes, such as the end of the connection."""
    left = [{"type": "http.request", "body": body, "more_body": False}]

    async def again() -> Message:
        return left.pop() if left else await receive()

    return again


def too_deep(value: Any, most: int) -> bool:
    """Whether lists and objects lie in each other more than so many levels."""
    level = [value]
    for _ in range(most):
        level = [inner for one in level if isinstance(one, (dict, list)) for inner in _inside(one)]
        if not level:
            return False
    return any(isinstance(one, (dict, list)) for one in level)


def _inside(value: dict[str, Any] | list[Any]) -> Any:
    return value.values() if isinstance(value, dict) else value
