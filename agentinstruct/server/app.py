"""What the server has besides the graphs, langgraph.json's `http`: its door, its gateway to the models, its routes."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from agentinstruct.agents.budget import Budget
from agentinstruct.agents.gateway import Gateway, shared
from agentinstruct.server import datasets, mcp
from agentinstruct.server.door import Door
from agentinstruct.server.policy import RefusedError, server_policy

try:
    from fastapi import FastAPI as Application  # a server that is built on it takes no other
except ImportError:
    Application = Starlette

policy = server_policy()


@asynccontextmanager
async def lifespan(app: Starlette) -> AsyncIterator[None]:
    """One gateway for all runs of this process, whichever loop they run in: limits and budget hold for all together."""
    limits = policy.limits
    budget = Budget(usd=limits.usd, most_calls=limits.calls)
    async with shared(Gateway(policy.open, max_concurrency=limits.concurrency, budget=budget)) as gateway:
        app.state.gateway = gateway
        yield


async def models(request: Request) -> JSONResponse:
    """The models that callers may name, the first for those who name none; whether one that was asked answers."""
    asked = {lane.spec: not lane.health.open for lane in request.app.state.gateway.lanes()}
    return JSONResponse([{"model": name, "answers": asked.get(name)} for name in policy.models])


app = Application(
    routes=[Route("/models", models), *datasets.routes, *mcp.routes],
    lifespan=lifespan,
    middleware=[Middleware(Door, policy=policy)],
    exception_handlers={RefusedError: datasets.refused},
)
