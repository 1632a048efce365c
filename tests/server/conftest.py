"""A real `langgraph dev` with keys, and clients of two users."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from langgraph_sdk import get_client
from langgraph_sdk.client import LangGraphClient

from agentinstruct.server.keys import new_key
from tests.conftest import ROOT, OpenAIServer, langgraph_dev, servers

SEED = {"seed": {"text": (ROOT / "examples" / "seeds" / "albedo.md").read_text()[:1500]}}
CONTEXT = {"verify": "annotate", "transforms": "identity", "categories_per_seed": 1, "rounds": 1}
PROVIDER_KEY = "sk-canary-0f3b7d52c1"


@dataclass(frozen=True)
class Served:
    """A running server: where it is, where its files are, what it logs, and its users' keys."""

    url: str
    folder: Path
    keys: dict[str, str]

    @property
    def log(self) -> str:
        return (self.folder / "server.log").read_text()

    def http(self, user: str = "") -> httpx.Client:
        headers = {"x-api-key": self.keys[user]} if user else {}
        return httpx.Client(base_url=self.url, headers=headers, timeout=60)


@contextmanager
def running(folder: Path, keys: dict[str, str], **settings: str) -> Iterator[Served]:
    """`langgraph dev` on a copy of langgraph.json, with users' keys and a canary in the place of the provider's."""
    given = {"AGENTINSTRUCT_MODEL": "scripted", "OPENAI_API_KEY": PROVIDER_KEY, **settings}
    with langgraph_dev(folder, 8, **given) as address:
        yield Served(address, folder, keys)


@pytest.fixture(scope="session")
def keyed() -> tuple[dict[str, str], str]:
    """The keys of alice and bob, and the lines that let a server know them."""
    made = {user: new_key(user) for user in ("alice", "bob")}
    return {user: key for user, (key, _) in made.items()}, ",".join(line for _, line in made.values())


@pytest.fixture(scope="session")
def refusing() -> Iterator[OpenAIServer]:
    """A provider that knows no key."""
    made = servers()
    yield next(made)(faults={"401": 1})
    next(made, None)


@pytest.fixture(scope="session")
def server(
    tmp_path_factory: pytest.TempPathFactory, keyed: tuple[dict[str, str], str], refusing: OpenAIServer
) -> Iterator[Served]:
    """One server with keys for all tests of this folder."""
    keys, lines = keyed
    given = {
        "AGENTINSTRUCT_SERVER_KEYS": lines,
        "AGENTINSTRUCT_SERVER_MODELS": "openai:refusing",
        "OPENAI_BASE_URL": refusing.base_url,
        "LOG_LEVEL": "debug",
    }
    with running(tmp_path_factory.mktemp("server"), keys, **given) as served:
        yield served


@pytest.fixture
async def client(server: Served) -> AsyncIterator[Callable[[str], LangGraphClient]]:
    """A user's client."""
    opened: list[LangGraphClient] = []

    def connect(user: str) -> LangGraphClient:
        opened.append(get_client(url=server.url, api_key=server.keys[user]))
        return opened[-1]

    yield connect
    for one in opened:
        await one.aclose()


def run(context: dict[str, Any] | None = None, seed: Any = SEED, **more: Any) -> dict[str, Any]:
    """The body of a run."""
    return {"assistant_id": "text_modification", "input": seed, "context": CONTEXT | (context or {}), **more}
