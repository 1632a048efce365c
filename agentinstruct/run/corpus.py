"""The run's seeds as a corpus that flows can search: made before the first work item, kept in the run folder.

    seeds ─ the first LARGEST ─ those the folder's index lacks are embedded, those no longer there forgotten ─ saved

A resumed run embeds only what is new. The index is FAISS's own format beside JSON lines, each checked by its
digest: whatever else lies in that folder is never loaded, and a damaged index, or one of other embeddings, is made
anew.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from contextlib import asynccontextmanager, closing
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from agentinstruct.agents.errors import ModelError, ProviderDown, ProviderError, RunError
from agentinstruct.agents.records import Seed
from agentinstruct.agents.skill import Skill
from agentinstruct.run.folder import CORPUS, storage_error, subfolder
from agentinstruct.run.plan import UNSEARCHED, RunConfig
from agentinstruct.tools.corpus import searching
from agentinstruct.tools.embeddings import EmbeddingsDown, embeddings
from agentinstruct.tools.retrieval import Chunk, Hit, Index, IndexDamaged

if TYPE_CHECKING:
    from langchain_core.embeddings import Embeddings

LARGEST = 5000
"""Seed chunks that are indexed, in reading order: enough neighbours for any seed, in bounded memory and time."""
_BATCH = 256


class Corpus(Index):
    """An index whose faults are the endpoint's: a search that fails leaves its work item for a later try."""

    async def asearch(self, query: str, k: int, exclude: Collection[str] = (), modality: str = "") -> list[Hit]:
        """As `Index.asearch`; raises `ProviderError` when the query cannot be embedded."""
        try:
            return await super().asearch(query, k, exclude, modality)
        except IndexDamaged as error:
            mend = f"Another model goes by this name now: delete {CORPUS}/ in the run folder, and it is made anew"
            raise ProviderError(f"--embeddings: {error}. {mend}") from error
        except ValueError as error:
            raise ProviderError(f"--embeddings: {error}") from error


@asynccontextmanager
async def corpus(
    config: RunConfig, skills: Sequence[Skill], told: Callable[[str], None] = lambda notice: None
) -> AsyncIterator[None]:
    """Let the flows inside this block search the run's seeds; nothing is built when no skill retrieves.

    Args:
        config: Where the seeds are, what embeds them, and the run folder.
        skills: Those of the run.
        told: Called with a sentence when not all chunks could be taken in.

    Raises:
        ModelError: the embeddings asked for cannot be had; says what to do.
        ProviderDown: their endpoint does not serve.
        RunError: the run folder cannot take the index.
    """
    if not _wanted(config, skills):
        yield
        return
    index, more = await asyncio.to_thread(_build, config)
    if more:
        told(f"retrieval searches the first {len(index):,} chunks of the seeds")
    with searching(index if len(index) else None):
        yield


@asynccontextmanager
async def opened_corpus(config: RunConfig, skills: Sequence[Skill]) -> AsyncIterator[None]:
    """Let the flows inside this block search the corpus that the run's owner has built.

    Raises:
        ModelError: the embeddings asked for cannot be had.
        RunError: the corpus cannot be read.
    """
    index = await asyncio.to_thread(_load, config) if _wanted(config, skills) else None
    with searching(index):
        yield


def _wanted(config: RunConfig, skills: Sequence[Skill]) -> bool:
    return config.embeddings_spec() != UNSEARCHED and any(skill.file.retrieves for skill in skills)


def _load(config: RunConfig) -> Corpus | None:
    folder, spec = config.out / CORPUS, config.embeddings_spec()
    try:
        index = Corpus.load(folder, _embeddings(config, spec), spec)
    except IndexDamaged as problem:
        raise RunError(f"{folder}: {problem}. Give the same command again.") from problem
    except ValueError as error:
        raise ModelError(f"--embeddings {spec}: {error}") from error
    return index if len(index) else None


def _build(config: RunConfig) -> tuple[Corpus, bool]:
    spec = config.embeddings_spec()
    chunks, more = _chunks(config)
    try:
        return _grown(config.out / CORPUS, chunks, _embeddings(config, spec), spec), more
    except EmbeddingsDown as error:
        raise ProviderDown(f"--embeddings {spec}: {error}") from error
    except ValueError as error:
        raise ModelError(f"--embeddings {spec}: {error}") from error
    except OSError as problem:
        raise storage_error(Path(problem.filename or config.out), problem) from problem


def _grown(folder: Path, chunks: dict[str, Chunk], embedder: "Embeddings", spec: str) -> Corpus:
    """The folder's index, brought to hold just these chunks; saved as it grows."""
    subfolder(folder.parent)
    subfolder(folder)
    try:
        index = Corpus.load(folder, embedder, spec)
        current = index.ids <= chunks.keys()
        index.retain(chunks.keys())
        _fill(index, chunks, folder, spec)
    except IndexDamaged:  # not there yet, cut off while it was written, or made by other embeddings
        index, current = Corpus(embedder, None, []), False
        _fill(index, chunks, folder, spec)
    if not current:  # workers read what is there
        index.save(folder, spec)
    return index


def _fill(index: Corpus, chunks: dict[str, Chunk], folder: Path, spec: str) -> None:
    known = index.ids
    new = iter([chunk for name, chunk in chunks.items() if name not in known])
    while batch := list(islice(new, _BATCH)):
        index.extend(batch)
        index.save(folder, spec)


def _chunks(config: RunConfig) -> tuple[dict[str, Chunk], bool]:
    """The first chunks of the run's seeds by id, and whether there are more; a limit counts them."""
    most = min(config.limit or LARGEST, LARGEST)
    with closing(config.read_seeds()) as found:
        seeds = (seed for seed in found if isinstance(seed, Seed))
        chunks = {seed.id: chunk_of(seed) for seed in islice(seeds, most)}
        return chunks, most == LARGEST and next(seeds, None) is not None


def chunk_of(seed: Seed) -> Chunk:
    """A seed as a chunk of the corpus."""
    return Chunk(id=seed.id, text=seed.text, source=seed.source, title=seed.title, modality=seed.modality)


def _embeddings(config: RunConfig, spec: str) -> "Embeddings":
    places = config.endpoints
    url = places.by_model.get(spec.partition(":")[2]) or places.base_url
    return embeddings(spec, base_url=url, api_key=places.api_key)
