"""The text that a record was made from, read again from the documents that the viewer was given."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from agentinstruct.agents.errors import SeedError
from agentinstruct.seeds.document import Document, Skipped
from agentinstruct.seeds.files import find_files
from agentinstruct.seeds.read import read_documents

MOST = 50_000
"""Documents of a file that are looked through."""


class Sources:
    """The documents of a run. Only files that a person has named are ever opened, whatever a record says."""

    def __init__(self, paths: Sequence[str]) -> None:
        found = find_files(paths) if paths else ()
        self._files = frozenset(one[0] for one in found if not isinstance(one, Skipped))

    def text(self, record: Mapping[str, Any]) -> str:
        """The span that a record was made from; empty where its file was not given, or is not what it was."""
        source = str(record["source"])
        file = next((known for known in (source, source.rpartition(":")[0]) if known in self._files), "")
        if not file or "start" not in record:
            return ""
        whole = _documents(file).get(source, "")
        return whole[record["start"] : record["end"]]


@lru_cache(maxsize=4)
def _documents(file: str) -> dict[str, str]:
    found: dict[str, str] = {}
    try:
        for document in read_documents([file]):
            if isinstance(document, Document):
                found[document.source] = document.text
            if len(found) >= MOST:
                break
    except SeedError:
        return found
    return found
