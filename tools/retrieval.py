"""A FAISS index over text chunks: exact cosine search, kept as a FAISS file beside JSON lines.

Nothing is ever pickled: an index made elsewhere can be refused, but it cannot run code.
"""

import asyncio
import json
import os
from collections.abc import Collection, Sequence
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

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
    """A piece of text under its id."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    text: str


class Hit(Chunk):
    """A chunk that was found; `score` is the cosine similarity to the query, -1 to 1."""

    score: float


class Index:
    """Chunks and their vectors. Not safe for `add` while a search runs."""

    def __init__(self, embeddings: "Embeddings", faiss_index: Any, ids: list[str], texts: list[str]) -> None:
        self._embeddings, self._faiss = embeddings, faiss_index
        self._ids, self._texts = ids, texts

    @classmethod
    def build(cls, texts: Sequence[str], ids: Sequence[str], embeddings: "Embeddings") -> "Index":
        """An index of the texts under their ids, which must differ from each other."""
        index = cls(embeddings, None, [], [])
        index.add(texts, ids)
        return index

    def __len__(self) -> int:
        return len(self._ids)

    def add(self, texts: Sequence[str], ids: Sequence[str]) -> None:
        """Add chunks; `ValueError` for an id that is already there."""
        if len(texts) != len(ids):
            raise ValueError(f"{len(texts)} texts but {len(ids)} ids")
        if len({*ids, *self._ids}) != len(ids) + len(self):
            raise ValueError("ids of an index must differ from each other")
        if not texts:
            return
        import faiss

        vectors = _unit(self._embeddings.embed_documents(list(texts)))
        if self._faiss is None:
            self._faiss = faiss.IndexFlatIP(vectors.shape[1])
        self._faiss.add(vectors)
        self._ids += ids
        self._texts += texts

    def search(self, query: str, k: int, exclude: Collection[str] = ()) -> list[Hit]:
        """The k chunks most like the query, best first, equal scores by id; without the excluded ids."""
        if not self._ids or k <= 0:
            return []
        vector = _unit([self._embeddings.embed_query(query)])
        if vector.shape[1] != self._faiss.d:
            raise IndexDamaged(f"the index has vectors of {self._faiss.d} numbers, the query {vector.shape[1]}")
        return self._best(vector, min(k, len(self)), set(exclude))

    def _best(self, vector: "Matrix", k: int, exclude: set[str]) -> list[Hit]:
        # FAISS breaks ties by position, so look on until the last score is clearly below the k-th kept one.
        wide = min(len(self), k + len(exclude) + 16)
        while True:
            scores, rows = self._faiss.search(vector, wide)
            found = [(round(float(s), 6), self._ids[r], r) for s, r in zip(scores[0], rows[0], strict=True)]
            kept = sorted((-score, name, row) for score, name, row in found if name not in exclude)[:k]
            complete = len(kept) == k and -kept[-1][0] > found[-1][0]
            if complete or wide == len(self):
                return [Hit(id=name, text=self._texts[row], score=-score) for score, name, row in kept]
            wide = min(len(self), wide * 4)

    async def asearch(self, query: str, k: int, exclude: Collection[str] = ()) -> list[Hit]:
        """`search` in a thread."""
        return await asyncio.to_thread(self.search, query, k, exclude)

    def save(self, folder: Path) -> None:
        """Write the index; a reader sees the old one or the new one, or is told that it is damaged."""
        import faiss

        folder.mkdir(parents=True, exist_ok=True)
        rows = zip(self._ids, self._texts, strict=True)
        # Escaped to ASCII: no character of a text can then end its line, not even a lone surrogate.
        chunks = "".join(json.dumps({"id": name, "text": text}) + "\n" for name, text in rows).encode()
        vectors = b"" if self._faiss is None else faiss.serialize_index(self._faiss).tobytes()
        manifest = {"format": _FORMAT, _VECTORS: _digest(vectors), _CHUNKS: _digest(chunks)}
        for name, data in ((_VECTORS, vectors), (_CHUNKS, chunks), (_MANIFEST, json.dumps(manifest).encode())):
            _write(folder / name, data)

    @classmethod
    def load(cls, folder: Path, embeddings: "Embeddings") -> "Index":
        """The index of a folder; `IndexDamaged` when it is not one, or not whole."""
        vectors, chunks = _read(folder)
        try:
            rows = [Chunk.model_validate_json(line) for line in chunks.splitlines()]
        except ValueError as error:
            raise IndexDamaged(f"{folder / _CHUNKS} holds no chunks; build it again") from error
        ids, texts = [row.id for row in rows], [row.text for row in rows]
        return cls(embeddings, _faiss_index(folder, vectors, len(rows)), ids, texts)


def search_tool(index: Index, description: str, *, k: int = 3) -> "BaseTool":
    """The index as a LangChain tool `search_chunks(query)` that an agent may call."""
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


def _read(folder: Path) -> tuple[bytes, bytes]:
    """The bytes of vectors and chunks, once their digests are those the manifest names."""
    try:
        manifest = json.loads((folder / _MANIFEST).read_bytes())
        vectors, chunks = (folder / _VECTORS).read_bytes(), (folder / _CHUNKS).read_bytes()
    except (OSError, ValueError) as error:
        raise IndexDamaged(f"{folder} holds no readable index ({error}); build it again") from error
    if not isinstance(manifest, dict) or manifest.get("format") != _FORMAT:
        raise IndexDamaged(f"{folder} holds an index of another program or version; build it again")
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
