"""A FAISS index over text chunks: exact cosine search, kept as a FAISS file beside JSON lines.

Nothing is ever pickled: an index made elsewhere can be refused, but it cannot run code.
"""

import asyncio
import json
import os
from collections.abc import Collection, Iterable, Sequence
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from pydantic import BaseModel, ConfigDict

if TYPE_CHECKING:
    from langchain_core.embeddings import Embeddings
    from langchain_core.tools import BaseTool
    from numpy import ndarray

    Matrix = ndarray[Any, Any]

_VECTORS, _CHUNKS, _MANIFEST = "vectors.faiss", "chunks.jsonl", "index.json"
_FORMAT = "agentinstruct-index-1"


class IndexDamaged(ValueError):
    """A folder holds no index, a damaged one, or one made with other embeddings."""


class Chunk(BaseModel):
    """A piece of text under its id, and where it comes from, as far as that is known."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    text: str
    source: str = ""
    title: str = ""
    modality: str = ""


class Hit(Chunk):
    """A chunk that was found; `score` is the cosine similarity to the query, -1 to 1."""

    score: float


class Index:
    """Chunks and their vectors. Not safe for `extend` while a search runs."""

    def __init__(self, embeddings: "Embeddings", faiss_index: Any, chunks: list[Chunk]) -> None:
        self._embeddings, self._faiss, self._chunks = embeddings, faiss_index, chunks

    @classmethod
    def build(cls, texts: Sequence[str], ids: Sequence[str], embeddings: "Embeddings") -> Self:
        """An index of the texts under their ids, which must differ from each other."""
        index = cls(embeddings, None, [])
        index.add(texts, ids)
        return index

    @classmethod
    def of(cls, chunks: Iterable[Chunk], embeddings: "Embeddings") -> Self:
        """An index of chunks, whose ids must differ from each other."""
        index = cls(embeddings, None, [])
        index.extend(list(chunks))
        return index

    def __len__(self) -> int:
        return len(self._chunks)

    @property
    def ids(self) -> frozenset[str]:
        """The ids of its chunks."""
        return frozenset(chunk.id for chunk in self._chunks)

    def add(self, texts: Sequence[str], ids: Sequence[str]) -> None:
        """Add texts under their ids; `ValueError` for an id that is already there."""
        if len(texts) != len(ids):
            raise ValueError(f"{len(texts)} texts but {len(ids)} ids")
        self.extend([Chunk(id=name, text=text) for name, text in zip(ids, texts, strict=True)])

    def extend(self, chunks: Sequence[Chunk]) -> None:
        """Add chunks; only they are embedded. `ValueError` for an id that is already there."""
        if len({chunk.id for chunk in chunks} | self.ids) != len(chunks) + len(self):
            raise ValueError("ids of an index must differ from each other")
        if not chunks:
            return
        import faiss

        vectors = _unit(self._embeddings.embed_documents([chunk.text for chunk in chunks]))
        if self._faiss is None:
            self._faiss = faiss.IndexFlatIP(vectors.shape[1])
        if vectors.shape[1] != self._faiss.d:
            raise IndexDamaged(f"the index has vectors of {self._faiss.d} numbers, new chunks {vectors.shape[1]}")
        self._faiss.add(vectors)
        self._chunks += chunks

    def retain(self, ids: Collection[str]) -> None:
        """Forget all chunks but these; nothing is embedded again."""
        kept = [row for row, chunk in enumerate(self._chunks) if chunk.id in ids]
        if len(kept) == len(self):
            return
        import faiss

        vectors = self._faiss.reconstruct_n(0, len(self))[kept]
        self._faiss = faiss.IndexFlatIP(self._faiss.d)
        self._faiss.add(vectors)
        self._chunks = [self._chunks[row] for row in kept]

    def search(self, query: str, k: int, exclude: Collection[str] = (), modality: str = "") -> list[Hit]:
        """The k chunks most like the query, best first, equal scores by id.

        Args:
            query: What to look for.
            k: How many at most.
            exclude: Ids that are not wanted.
            modality: Only chunks of this one, if any is named.
        """
        if not self._chunks or k <= 0:
            return []
        vector = _unit([self._embeddings.embed_query(query)])
        if vector.shape[1] != self._faiss.d:
            raise IndexDamaged(f"the index has vectors of {self._faiss.d} numbers, the query {vector.shape[1]}")
        unwanted = set(exclude)
        if modality:
            unwanted |= {chunk.id for chunk in self._chunks if chunk.modality != modality}
        return self._best(vector, min(k, len(self)), unwanted)

    def _best(self, vector: "Matrix", k: int, exclude: set[str]) -> list[Hit]:
        # FAISS breaks ties by position, so look on until the last score is clearly below the k-th kept one.
        wide = min(len(self), k + len(exclude) + 16)
        while True:
            scores, rows = self._faiss.search(vector, wide)
            found = [(round(float(s), 6), self._chunks[r]) for s, r in zip(scores[0], rows[0], strict=True)]
            kept = [(score, chunk) for score, chunk in found if chunk.id not in exclude]
            kept = sorted(kept, key=lambda pair: (-pair[0], pair[1].id))[:k]
            complete = len(kept) == k and kept[-1][0] > found[-1][0]
            if complete or wide == len(self):
                return [Hit(**chunk.model_dump(), score=score) for score, chunk in kept]
            wide = min(len(self), wide * 4)

    async def asearch(self, query: str, k: int, exclude: Collection[str] = (), modality: str = "") -> list[Hit]:
        """`search` in a thread."""
        return await asyncio.to_thread(self.search, query, k, exclude, modality)

    def save(self, folder: Path, spec: str = "") -> None:
        """Write the index of the embeddings `spec`; a reader sees the old or the new one, or is told it is damaged."""
        import faiss

        folder.mkdir(parents=True, exist_ok=True)
        # Escaped to ASCII: no character of a text can then end its line, not even a lone surrogate.
        rows = (json.dumps(chunk.model_dump(exclude_defaults=True)) for chunk in self._chunks)
        chunks = "".join(f"{row}\n" for row in rows).encode()
        vectors = b"" if self._faiss is None else faiss.serialize_index(self._faiss).tobytes()
        manifest = {"format": _FORMAT, "embeddings": spec, _VECTORS: _digest(vectors), _CHUNKS: _digest(chunks)}
        for name, data in ((_VECTORS, vectors), (_CHUNKS, chunks), (_MANIFEST, json.dumps(manifest).encode())):
            _write(folder / name, data)

    @classmethod
    def load(cls, folder: Path, embeddings: "Embeddings", spec: str = "") -> Self:
        """The index of a folder; `IndexDamaged` when it is not one, not whole, or of other embeddings than `spec`."""
        vectors, lines = _read(folder, spec)
        try:
            chunks = [Chunk.model_validate_json(line) for line in lines.splitlines()]
        except ValueError as error:
            raise IndexDamaged(f"{folder / _CHUNKS} holds no chunks; build it again") from error
        return cls(embeddings, _faiss_index(folder, vectors, len(chunks)), chunks)


def search_tool(index: Index, description: str, *, k: int = 3) -> "BaseTool":
    """The index as a LangChain tool `search_chunks(query)` that an agent may call; each hit says where it is from."""
    from langchain_core.tools import StructuredTool

    async def search_chunks(query: str) -> list[dict[str, Any]]:
        return [hit.model_dump() for hit in await index.asearch(query, k)]

    return StructuredTool.from_function(
        coroutine=search_chunks, name="search_chunks", description=description, infer_schema=True
    )


def _unit(vectors: list[list[float]]) -> "Matrix":
    import numpy

    matrix = numpy.asarray(vectors, dtype=numpy.float32)
    norms = numpy.linalg.norm(matrix, axis=1, keepdims=True)
    if not numpy.isfinite(norms).all() or not norms.all():
        raise ValueError("the embeddings hold a zero or non-finite vector")
    unit: Matrix = matrix / norms
    return unit


def _digest(data: bytes) -> str:
    return sha256(data).hexdigest()


def _write(path: Path, data: bytes) -> None:
    temporary = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    temporary.write_bytes(data)
    temporary.replace(path)


def _read(folder: Path, spec: str) -> tuple[bytes, bytes]:
    """The bytes of vectors and chunks, once their digests are those the manifest names."""
    try:
        manifest = json.loads((folder / _MANIFEST).read_bytes())
        vectors, chunks = (folder / _VECTORS).read_bytes(), (folder / _CHUNKS).read_bytes()
    except (OSError, ValueError) as error:
        raise IndexDamaged(f"{folder} holds no readable index ({error}); build it again") from error
    if not isinstance(manifest, dict) or manifest.get("format") != _FORMAT:
        raise IndexDamaged(f"{folder} holds an index of another program or version; build it again")
    if (made := manifest.get("embeddings")) != spec:
        raise IndexDamaged(f"{folder} holds an index of other embeddings ({made} → {spec}); build it again")
    if manifest.get(_VECTORS) != _digest(vectors) or manifest.get(_CHUNKS) != _digest(chunks):
        raise IndexDamaged(f"the index in {folder} is damaged (its files do not belong together); build it again")
    return vectors, chunks


def _faiss_index(folder: Path, data: bytes, count: int) -> Any:
    if not data:
        return None
    import faiss
    import numpy

    try:
        index = faiss.deserialize_index(numpy.frombuffer(data, dtype=numpy.uint8))
    except RuntimeError as error:
        raise IndexDamaged(f"FAISS cannot read {folder / _VECTORS}: build the index again") from error
    if not isinstance(index, faiss.IndexFlatIP) or index.ntotal != count:
        raise IndexDamaged(f"{folder / _VECTORS} is not the index of {folder / _CHUNKS}; build it again")
    return index
