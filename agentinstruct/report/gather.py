"""Reads a run, whatever its state, into all that a report shows; writes nothing.

run folder ─ observe (state, counts) ─ outcomes (one pass) ─┬─ measures
                                                            └─ examples          seeds ─ their texts ─┘
"""

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import orjson

from agentinstruct.dataset.measure import Embed, Measures, Measuring
from agentinstruct.report.examples import Examples
from agentinstruct.run.folder import CORPUS, open_file
from agentinstruct.run.observe import View, observe
from agentinstruct.run.reader import JournalReader
from agentinstruct.seeds.document import Document, SeedOptions
from agentinstruct.seeds.read import read_documents
from agentinstruct.tools.prices import Price

MOST_SEEDS = 400
"""Seeds whose texts are read."""
MOST_FILES = 60
"""Files that are read where the run keeps no texts of its seeds."""
MOST_CHARACTERS = 50_000
"""Characters of each of them."""


@dataclass(frozen=True, slots=True)
class Gathered:
    """Everything a report shows."""

    view: View
    measures: Measures
    examples: Examples
    prices: Mapping[str, Price]

    @property
    def settings(self) -> Mapping[str, Any]:
        """What the run was started with."""
        return self.view.manifest.settings


def gather(folder: Path, embed: Embed, embeddings: str, prices: Mapping[str, Price]) -> Gathered:
    """Read the run once and measure it.

    Args:
        folder: The run folder.
        embed: What makes unit vectors of texts.
        embeddings: Its name.
        prices: By model name.

    Raises:
        RunError: it is no run folder, or cannot be read; says what to do.
    """
    view = observe(folder)
    measuring, examples = Measuring(), Examples()
    with JournalReader.read(folder) as journal:
        for done in journal.outcomes():
            measuring.add(done)
            examples.add(done)
    skills = view.manifest.settings.get("skills", {})
    seeds = seed_texts(folder, sorted(measuring.counted.sources))
    asked = str(view.manifest.settings.get("context", {}).get("categories", ""))
    only = [name.strip() for name in asked.split(",") if name.strip()]
    return Gathered(view, measuring.result(skills, embed, embeddings, seeds, only), examples, prices)


def seed_texts(folder: Path, sources: Iterable[str]) -> Iterator[str]:
    """Texts of the run's seeds: from the corpus that it searches, else from the files they were read from."""
    path = folder / CORPUS / "chunks.jsonl"
    if not path.is_file() or path.is_symlink():
        yield from _documents(sources)
        return
    with os.fdopen(open_file(path, os.O_RDONLY), "rb") as lines:
        for line in islice(lines, MOST_SEEDS):
            try:
                yield str(orjson.loads(line)["text"])
            except (orjson.JSONDecodeError, KeyError, TypeError):  # cut off while it was written
                return


def _documents(sources: Iterable[str]) -> Iterator[str]:
    paths = list(islice((source for source in sources if Path(source).is_file()), MOST_FILES))
    if not paths:  # moved, or rows of a table
        return
    for document in read_documents(paths, SeedOptions()):
        if isinstance(document, Document):
            yield document.text[:MOST_CHARACTERS]
