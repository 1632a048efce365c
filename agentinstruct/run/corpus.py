"""The run's code seeds as a corpus that flows can search: built once, before the first work item."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from itertools import islice

from agentinstruct.agents.errors import ModelError
from agentinstruct.agents.records import Seed
from agentinstruct.agents.skill import Skill
from agentinstruct.run.plan import RunConfig
from agentinstruct.seeds import read_seeds
from agentinstruct.tools.corpus import searching
from agentinstruct.tools.embeddings import embeddings
from agentinstruct.tools.retrieval import Index

LARGEST = 5000
"""Code chunks that are indexed: enough neighbours for any seed, in bounded memory and time."""


@asynccontextmanager
async def corpus(config: RunConfig, skills: Sequence[Skill]) -> AsyncIterator[None]:
    """Let the flows inside this block search the run's code; nothing is built when no skill retrieves.

    Raises:
        ModelError: the embeddings asked for cannot be had; says what to do.
    """
    if not any(skill.file.retrieves for skill in skills):
        yield
        return
    with searching(await asyncio.to_thread(_build, config)):
        yield


def _build(config: RunConfig) -> Index | None:
    found = read_seeds(config.paths, config.seeds)
    code = list(islice((s for s in found if isinstance(s, Seed) and s.modality == "code"), LARGEST))
    if not code:
        return None
    try:
        embed = embeddings(config.embeddings_spec())
        return Index.build([seed.text for seed in code], [seed.id for seed in code], embed)
    except ValueError as error:
        raise ModelError(f"--embeddings {config.embeddings_spec()}: {error}") from error
