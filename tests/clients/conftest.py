"""LangGraph's own server with all graphs, for clients in other languages and other processes."""

from collections.abc import Iterator

import pytest

from tests.conftest import langgraph_dev


@pytest.fixture(scope="package")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a `langgraph dev` that serves a copy of langgraph.json."""
    with langgraph_dev(tmp_path_factory.mktemp("served"), 8) as address:
        yield address
