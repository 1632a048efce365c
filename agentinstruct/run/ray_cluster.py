"""A Ray cluster as what starts a run's workers: each an actor of one CPU, wherever there is room.

The run folder stays on this machine, with all that must survive: nodes need no shared disk, and a worker whose run
has ended can write nothing. Nodes need this program, and the way to the model.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from importlib.metadata import version
from secrets import token_hex
from typing import TYPE_CHECKING, Any

from agentinstruct.agents.errors import RunError, SetupError
from agentinstruct.run import ray_actor
from agentinstruct.run.cache import call_store
from agentinstruct.run.engine import Engine
from agentinstruct.run.folder import CORPUS
from agentinstruct.run.logfile import Appended
from agentinstruct.run.outbox import pause_of
from agentinstruct.run.ray_actor import PRICES, Actor
from agentinstruct.run.ray_start import NAMESPACE, connect, heed_signals, last_words, loaded
from agentinstruct.run.slot import writer

if TYPE_CHECKING:
    from agentinstruct.run.journal import Journal
    from agentinstruct.run.plan import RunConfig
    from agentinstruct.run.ray_link import RayLink

PATIENCE_S = 15.0
"""After which an actor that has not begun is taken to wait for room."""
ATTEMPTS, AGAIN_S = 8, 1.0
"""How often a worker is started that ends before it has begun, and how much longer is waited each time."""
OLD_S = 60.0
"""How long the workers of a sitting before this one may take to end."""
_PASSED = ("OPENAI_", "OTEL_", "LANGSMITH_", "LANGCHAIN_", "AZURE_", "AWS_", "GOOGLE_", "ANTHROPIC_", "HF_")


@asynccontextmanager
async def connected(config: "RunConfig", journal: "Journal") -> AsyncIterator[Engine]:
    """Ray, as long as the block lasts.

    Raises:
        SetupError: it is not installed, or there is no such cluster.
    """
    ray = loaded()
    with last_words("what is done is kept."):
        await asyncio.to_thread(connect, ray, config.address)
        heed_signals()
        try:
            with _desk(config, journal) as desk:
                yield await _engine(ray, config, journal, desk)
        finally:
            await asyncio.to_thread(ray.shutdown)


async def _engine(ray: Any, config: "RunConfig", journal: "Journal", desk: Any) -> Engine:
    run = journal.manifest.run
    await _alone(ray, run)
    files = await asyncio.to_thread(ray.put, baggage(config))  # once, however many workers read them
    resources: dict[str, float] = await asyncio.to_thread(ray.cluster_resources)
    size = config.workers or max(1, int(resources.get("CPU", 1)))
    return Engine(size, Cluster(ray, run, desk, files, passed(), pause_of(size)).launch)


@contextmanager
def _desk(config: "RunConfig", journal: "Journal") -> Any:
    from agentinstruct.agents.limits import Statistics
    from agentinstruct.run.ray_link import Desk

    with ExitStack() as files:
        store = files.enter_context(call_store(journal, config.cache, Statistics(), lambda trouble: None))
        log = Appended(config.log) if config.log else None
        if log:
            files.callback(log.close)
        yield Desk(journal, store, log, asks=config.cache is not None or journal.counts().calls > 0)


async def _alone(ray: Any, run: str) -> None:
    """Wait for the end of the workers of an owner that was killed.

    Raises:
        RunError: they do not end.
    """
    for _ in range(int(OLD_S)):
        names = await asyncio.to_thread(ray.util.list_named_actors)
        if not any(name.startswith(run) for name in names):
            return
        await asyncio.sleep(1)
    raise RunError(
        f"the workers of this run's last sitting are still there after {OLD_S:.0f} s ({', '.join(names)} in Ray's "
        f"namespace {NAMESPACE}). End them, or wait, then give the same command again."
    )


def baggage(config: "RunConfig") -> dict[str, bytes]:
    """The files of this machine that workers read."""
    files = {f"{CORPUS}/{path.name}": path for path in sorted((config.out / CORPUS).glob("*")) if path.is_file()}
    if config.prices:
        files[PRICES] = config.prices
    return {name: path.read_bytes() for name, path in files.items()}


def passed() -> dict[str, str]:
    """What of this process's environment workers need: keys and addresses; what a node has set itself stays."""
    return {name: value for name, value in os.environ.items() if name.startswith(_PASSED) or name.endswith("_API_KEY")}


@dataclass
class Cluster:
    """Starts actors."""

    ray: Any
    run: str
    desk: Any
    files: Any
    """A reference to what `baggage` gives."""
    environment: dict[str, str] = field(repr=False)
    pause_s: float
    """Between two parcels to or from a worker."""

    async def launch(self, number: int, waits: Callable[[str], None]) -> "RayLink":
        """An actor that has begun, however long there is no room for one.

        Raises:
            SetupError: a node cannot start a worker. RunError: they die one after another before they begin.
        """
        from agentinstruct.run.ray_link import RayLink

        attempt = 0
        while True:
            attempt += 1
            actor = self._actor(number)
            try:
                await self._begun(actor, waits)
                return RayLink(actor, self.desk, self.pause_s)
            except (self.ray.exceptions.ActorUnavailableError, self.ray.exceptions.ActorDiedError) as error:
                self.ray.kill(actor, no_restart=True)
                self._give_up(error, attempt)
                await asyncio.sleep(attempt * AGAIN_S)  # its node has left before it began
            except BaseException:
                self.ray.kill(actor, no_restart=True)
                raise

    def _give_up(self, error: Exception, attempt: int) -> None:
        if "Error: " in str(error) and isinstance(error, self.ray.exceptions.ActorDiedError):
            raise SetupError(f"--engine ray: a node cannot start a worker: {_last(str(error))}") from error
        if attempt == ATTEMPTS:
            raise RunError(
                f"{attempt} workers died one after another before they had begun: {_last(str(error))[:300]} See the "
                "logs of Ray's nodes, then give the same command again: what is done is kept."
            ) from error

    def _check(self) -> None:
        """Raises `RunError` where Ray has ended on this machine, so that no worker can ever be started."""
        own = self.ray.get_runtime_context().get_node_id()
        if not any(node["NodeID"] == own and node["Alive"] for node in self.ray.nodes()):
            raise RunError(
                "Ray has ended on this machine (its raylet, or an agent of it, died). Start it, then give the same "
                "command again: what is done is kept."
            )

    def _actor(self, number: int) -> Any:
        """An actor of a name that no other has had: a dead one keeps its own for a while."""
        name = f"{self.run}-{writer(number)}-{token_hex(4)}"
        kind = self.ray.remote(Actor)
        return kind.options(name=name, num_cpus=1, max_restarts=0, max_task_retries=0).remote()

    async def _begun(self, actor: Any, waits: Callable[[str], None]) -> None:
        # As an argument of a call keys are neither logged nor kept by Ray, as its runtime_env would be.
        told = self.environment, self.files, ray_actor.SILENCE_S, self.pause_s
        begun = asyncio.ensure_future(_of(actor.begin.remote(*told)))
        try:
            while not (await asyncio.wait([begun], timeout=PATIENCE_S))[0]:
                waits("no node of the Ray cluster has a CPU free for another worker")
                await asyncio.to_thread(self._check)
            theirs = await begun
        finally:
            begun.cancel()
        if theirs != version("agentinstruct"):
            raise SetupError(
                f"--engine ray: a node has agentinstruct {theirs}, this machine another. Install the same."
            )


async def _of(reference: Any) -> Any:
    return await reference


def _last(trace: str) -> str:
    return trace.strip().splitlines()[-1]
