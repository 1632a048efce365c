"""The run's code seeds as a corpus that flows can search: built once, before the first work item."""

import asyncio
from collections.abc import AsyncIterator, Collection, Iterator, Sequence
from contextlib import asynccontextmanager
from itertools import islice
from typing import TYPE_CHECKING

from agentinstruct.agents.errors import ModelError, ProviderDown, ProviderError
from agentinstruct.agents.records import Seed
from agentinstruct.agents.skill import Skill
from agentinstruct.run.plan import UNSEARCHED, RunConfig
from agentinstruct.seeds import read_seeds
from agentinstruct.tools.corpus import searching
from agentinstruct.tools.embeddings import EmbeddingsDown, embeddings
from agentinstruct.tools.retrieval import Hit, Index

if TYPE_CHECKING:
    from langchain_core.embeddings import Embeddings

LARGEST = 5000
"""Code chunks that are indexed: enough neighbours for any seed, in bounded memory and time."""


class Corpus(Index):
    """An index whose faults are the endpoint's: a search that fails leaves its work item for a later try."""

    async def asearch(self, query: str, k: int, exclude: Collection[str] = ()) -> list[Hit]:
        """As `Index.asearch`; raises `ProviderError` when the query cannot be embedded."""
        try:
            return await super().asearch(query, k, exclude)
        except ValueError as error:
            raise ProviderError(f"--embeddings: {error}") from error


@asynccontextmanager
async def corpus(config: RunConfig, skills: Sequence[Skill]) -> AsyncIterator[None]:
    """Let the flows inside this block search the run's code; nothing is built when no skill retrieves.

    Raises:
        ModelError: the embeddings asked for cannot be had; says what to do.
        ProviderDown: their endpoint does not serve.
    """
    if config.embeddings_spec() == UNSEARCHED or not any(skill.file.retrieves for skill in skills):
        yield
        return
    with searching(await asyncio.to_thread(_build, config)):
        yield


def _build(config: RunConfig) -> Index | None:
    code = list(islice(_code(config), LARGEST))
    if not code:
        return None
    spec = config.embeddings_spec()
    try:
        return Corpus.build([seed.text for seed in code], [seed.id for seed in code], _embeddings(config, spec))
    except EmbeddingsDown as error:
        raise ProviderDown(f"--embeddings {spec}: {error}") from error
    except ValueError as error:
        raise ModelError(f"--embeddings {spec}: {error}") from error


def _code(config: RunConfig) -> Iterator[Seed]:
    """The code among the run's seeds; a limit counts all of them, so no more than those are read."""
    if not config.limit:
        found = read_seeds(config.paths, config.seeds, only_code=True)
        return (seed for seed in found if isinstance(seed, Seed))
    seeds = (seed for seed in read_seeds(config.paths, config.seeds) if isinstance(seed, Seed))
    return (seed for seed in islice(seeds, config.limit) if seed.modality == "code")


def _embeddings(config: RunConfig, spec: str) -> "Embeddings":
    places = config.endpoints
    url = places.by_model.get(spec.partition(":")[2]) or places.base_url
    return embeddings(spec, base_url=url, api_key=places.api_key)
