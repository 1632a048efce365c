"""Where the workers of a run are: processes of this machine, or actors of a Ray cluster. All else is the same."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Protocol

from agentinstruct.agents.errors import SetupError
from agentinstruct.run.journal import Journal
from agentinstruct.run.plan import RunConfig
from agentinstruct.run.process import Process
from agentinstruct.run.slot import Link, writer


class Launch(Protocol):
    """Starts the worker of a slot."""

    def __call__(self, number: int, waits: Callable[[str], None]) -> Awaitable[Link]:
        """The worker, once it is there to be spoken to; `waits` is told, in words, when that may take long."""


@dataclass(frozen=True, slots=True)
class Engine:
    """What starts workers, and how many it is good for."""

    size: int
    launch: Launch


@asynccontextmanager
async def started(config: RunConfig, journal: Journal) -> AsyncIterator[Engine]:
    """The engine that a run asks for, as long as the block lasts.

    Raises:
        SetupError: it cannot be had; says what to do.
    """
    if config.engine == "ray":
        from agentinstruct.run.ray_cluster import connected

        async with connected(config, journal) as engine:
            yield engine
    else:
        yield Engine(config.workers, lambda number, waits: Process.start(journal, number))


def check_address(engine: str, address: str) -> None:
    """Raise `SetupError` where an address is given to an engine that has none."""
    if address and engine != "ray":
        raise SetupError(f"--address {address}: only a Ray cluster has one. Add --engine ray.")


def writers(config: RunConfig) -> list[str]:
    """The writers that a run's workers join it as.

    Raises:
        SetupError: the run cannot be shared out.
    """
    check_address(config.engine, config.address)
    if config.workers == 1 and config.engine == "local":
        return []
    if config.batch.roles:
        raise SetupError(
            f"{_asked(config)}: calls by batch job (--batch) are sent and collected by one process, which waits for "
            "the provider and never for its own core: more of them would only split the jobs. Leave one of the two out."
        )
    for role, model in config.models().items():
        if model.partition(":")[0] == "local":
            raise SetupError(
                f"{_asked(config)}: the model of role {role} is the embedded one ({model}), which answers "
                "one request at a time on all cores: more processes would only load it again. Leave that out, "
                "or give a model that is served (openai:NAME with --base-url)."
            )
    return [writer(number) for number in range(1, config.workers + 1)] if config.engine == "local" else []


def _asked(config: RunConfig) -> str:
    return f"--workers {config.workers}" if config.engine == "local" else f"--engine {config.engine}"
