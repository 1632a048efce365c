"""LangGraph's own server with all graphs, offline: started once for the modules that ask for it."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from langgraph_sdk import get_client
from langgraph_sdk.client import LangGraphClient

from tests.conftest import langgraph_dev


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """`langgraph dev` on a copy of langgraph.json: its address, and its log."""
    folder = tmp_path_factory.mktemp("server")
    with langgraph_dev(folder, 16) as address:
        yield address, folder / "server.log"


@pytest.fixture
async def client(server: tuple[str, Path]) -> AsyncIterator[LangGraphClient]:
    async with get_client(url=server[0], api_key=None) as connected:
        yield connected
