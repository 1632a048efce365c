"""Text to unit vectors, behind LangChain's `Embeddings`.

local           all-MiniLM-L6-v2 (int8 ONNX) on this machine: 384 numbers a text, no network
openai:NAME     an OpenAI-compatible endpoint
hash            hashed words and character trigrams: no model, only word overlap; for tests and dry runs
"""

import http.client
import json
import math
import os
import re
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from hashlib import blake2b
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agentinstruct.tools.weights import WeightsMissing, path

if TYPE_CHECKING:
    from langchain_core.embeddings import Embeddings
    from numpy import ndarray

    Matrix = ndarray[Any, Any]

_LONGEST_PIECE = 256
_HASH_WIDTH = 512
_TRIES = 4
_PASSING = frozenset({408, 425, 429})


class EmbeddingsError(ValueError):
    """The embeddings cannot be made; the message says what to change."""


class EmbeddingsDown(EmbeddingsError):
    """Their endpoint did not serve, several times in a row: it may do so later."""


def local_ready() -> bool:
    """Whether `local` can be used: its weights are on this machine, and the packages that run them."""
    with suppress(WeightsMissing, OSError):
        return bool(path("minilm")) and all(find_spec(name) for name in ("onnxruntime", "tokenizers"))
    return False


def embeddings(spec: str, *, base_url: str = "", api_key: str = "") -> "Embeddings":
    """The embeddings a spec names: `local`, `openai:NAME` or `hash`.

    `base_url` and `api_key` are for `openai:` and default to OPENAI_BASE_URL and OPENAI_API_KEY.
    Raises `EmbeddingsError`, and `WeightsMissing` for `local` before `agentinstruct fetch minilm`.
    """
    kind, _, name = spec.partition(":")
    if spec == "local":
        return _lang_chain(MiniLM(path("minilm")))
    if spec == "hash":
        return _lang_chain(Hashed())
    if kind == "openai" and name:
        base_url = base_url or os.environ.get("OPENAI_BASE_URL", "") or "https://api.openai.com/v1"
        return _lang_chain(Endpoint(name, base_url, api_key or os.environ.get("OPENAI_API_KEY", "")))
    raise EmbeddingsError(f"no embeddings are called {spec!r}; use local, openai:NAME or hash")


def _lang_chain(embedder: "MiniLM | Endpoint | Hashed") -> "Embeddings":
    from langchain_core.embeddings import Embeddings

    class Adapter(Embeddings):
        """An embedder of this module as LangChain's type, whose import is slow."""

        def embed_documents(self, texts: list[str]) -> list[list[float]]:
            return embedder.embed(texts)

        def embed_query(self, text: str) -> list[float]:
            return embedder.embed([text])[0]

    return Adapter()


class MiniLM:
    """all-MiniLM-L6-v2 on onnxruntime: mean-pooled, normalised; text past 256 tokens is not read."""

    def __init__(self, model: Path, *, threads: int = 2, batch: int = 32) -> None:
        try:
            import onnxruntime
            from tokenizers import Tokenizer
        except ImportError as error:
            raise EmbeddingsError(f"{error}; run: pip install 'agentinstruct[local]'") from error
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.log_severity_level = 3
        # Threads that spin while they wait would starve the language model beside them.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self._session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        self._inputs = {given.name for given in self._session.get_inputs()}
        self._tokenizer = Tokenizer.from_file(str(Path(__file__).with_name("minilm_tokenizer.json")))
        self._tokenizer.enable_truncation(_LONGEST_PIECE)
        self._tokenizer.enable_padding()
        self._batch, self._lock = batch, threading.Lock()

    def embed(self, texts: list[str]) -> list[list[float]]:
        """One vector of 384 numbers a text."""
        vectors: list[list[float]] = [[] for _ in texts]
        # Texts of like length share a batch, so that little of it is padding.
        order = sorted(range(len(texts)), key=lambda index: len(texts[index]))
        for start in range(0, len(order), self._batch):
            chosen = order[start : start + self._batch]
            for index, vector in zip(chosen, self._run([texts[i] for i in chosen]), strict=True):
                vectors[index] = vector.tolist()
        return vectors

    def _run(self, texts: list[str]) -> "Matrix":
        import numpy

        with self._lock:
            encoded = self._tokenizer.encode_batch([_readable(text) for text in texts])
        ids = numpy.array([text.ids for text in encoded], dtype=numpy.int64)
        mask = numpy.array([text.attention_mask for text in encoded], dtype=numpy.int64)
        feed = {"input_ids": ids, "attention_mask": mask, "token_type_ids": numpy.zeros_like(ids)}
        hidden = self._session.run(None, {k: v for k, v in feed.items() if k in self._inputs})[0]
        if hidden.ndim == 3:
            hidden = (hidden * mask[..., None]).sum(1) / mask.sum(1, keepdims=True)
        unit: Matrix = hidden / numpy.linalg.norm(hidden, axis=1, keepdims=True)
        return unit


def _readable(text: str) -> str:
    return text.encode("utf-8", "replace").decode()


class Endpoint:
    """The `/embeddings` route of an OpenAI-compatible server."""

    def __init__(self, model: str, base_url: str, api_key: str, *, batch: int = 64, timeout: float = 120) -> None:
        """`timeout` is in seconds."""
        if not base_url.startswith(("http://", "https://")):
            raise EmbeddingsError(f"the embeddings' base URL must start with http:// or https://: {base_url!r}")
        self._model, self._url = model, base_url.rstrip("/") + "/embeddings"
        self._headers = {"Content-Type": "application/json"}
        if api_key:
            self._headers["Authorization"] = f"Bearer {api_key}"
        self._batch, self._timeout = batch, timeout

    def embed(self, texts: list[str]) -> list[list[float]]:
        """One vector a text, all of one width, in the order of the texts."""
        starts = range(0, len(texts), self._batch)
        vectors = [vector for start in starts for vector in self._ask(texts[start : start + self._batch])]
        if len({len(vector) for vector in vectors}) > 1:
            raise EmbeddingsError(f"{self._url} sent vectors of different widths for {self._model}")
        return vectors

    def _ask(self, texts: list[str]) -> list[list[float]]:
        # An empty text is refused by some servers.
        body = {"model": self._model, "input": [_readable(text) or " " for text in texts]}
        reply = self._post(json.dumps(body | {"encoding_format": "float"}).encode())
        try:
            rows = sorted(json.loads(reply)["data"], key=lambda row: int(row["index"]))
            vectors = [[float(number) for number in row["embedding"]] for row in rows]
        except (ValueError, KeyError, TypeError) as error:
            raise EmbeddingsError(f"{self._url} did not send embeddings: {reply[:200]!r}") from error
        if [row["index"] for row in rows] != list(range(len(texts))):
            raise EmbeddingsError(f"{self._url} sent {len(rows)} vectors for {len(texts)} texts, or misnumbered")
        if not all(vector and all(map(math.isfinite, vector)) and any(vector) for vector in vectors):
            raise EmbeddingsError(f"{self._url} sent an empty, zero or non-finite vector for {self._model}")
        return vectors

    def _post(self, body: bytes) -> bytes:
        """The reply; what may pass is tried again after half a second, one and two."""
        for tried in range(1, _TRIES):
            with suppress(EmbeddingsDown):
                return self._send(body)
            time.sleep(2**tried / 4)
        return self._send(body)

    def _send(self, body: bytes) -> bytes:
        request = urllib.request.Request(self._url, body, self._headers)  # noqa: S310  (checked: http or https)
        try:
            with urllib.request.urlopen(request, timeout=self._timeout) as reply:  # noqa: S310
                return bytes(reply.read())
        except urllib.error.HTTPError as error:
            with error:
                detail = _start(error)
            kind = EmbeddingsDown if error.code >= 500 or error.code in _PASSING else EmbeddingsError
            raise kind(f"{self._url} answered {error.code} {error.reason}: {detail}") from error
        except (OSError, http.client.HTTPException) as error:
            raise EmbeddingsDown(f"cannot reach {self._url}: {error}; check --base-url and the server") from error


def _start(error: urllib.error.HTTPError) -> str:
    with suppress(OSError, http.client.HTTPException):
        return error.read(300).decode("utf-8", "replace")
    return "(its words were cut off)"


class Hashed:
    """A deterministic bag of hashed words and character trigrams, 512 numbers a text."""

    def embed(self, texts: list[str]) -> list[list[float]]:
        """One unit vector a text."""
        return [self._one(text) for text in texts]

    def _one(self, text: str) -> list[float]:
        vector = [0.0] * _HASH_WIDTH
        for feature, weight in self._features(text):
            code = int.from_bytes(blake2b(feature.encode("utf-8", "replace"), digest_size=8).digest(), "big")
            # One bit of the hash is the sign: collisions then cancel instead of adding up.
            vector[code % _HASH_WIDTH] += weight if code >> 63 else -weight
        norm = math.sqrt(sum(number * number for number in vector))
        return [number / norm for number in vector] if norm else [1.0, *vector[1:]]

    @staticmethod
    def _features(text: str) -> Iterator[tuple[str, float]]:
        for word in re.findall(r"\w+", text.casefold()):
            yield word, 1.0
            padded = f" {word} "
            yield from ((f"#{padded[i : i + 3]}", 0.3) for i in range(len(padded) - 2))
