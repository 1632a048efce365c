"""The embedded language model: a GGUF file served inside this process, with no port and no key.

    chat(body) → FIFO queue, one request at a time → llama.cpp (its own threads) → OpenAI-shaped reply

Replies to a JSON schema are constrained token by token, so they parse unless they were cut off.
"""

import asyncio
import os
import secrets
import sys
import tempfile
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from agentinstruct.agents.local_request import RequestError, check_enforced, constrained, inert
from agentinstruct.agents.wire import LOOP_WINDOW, loops

_LOOP_EVERY = 24
"""After how many tokens a reply is looked at."""


class LocalModelError(ValueError):
    """The model cannot be loaded: no engine, no file, or not a file the engine reads."""


def ensure_passive_omp() -> None:
    """Let the engine's idle threads sleep instead of spin; call it before anything loads OpenMP.

    No re-exec is needed: OpenMP reads the variable when its library is loaded. Spinning is a third faster
    on an idle machine and several times slower on a busy one; a value that the user set is kept.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")


@dataclass(slots=True)
class _Reply:
    """A reply as it streams in; `take` returns True to stop the generation."""

    stops: tuple[threading.Event, ...]
    pieces: list[str] = field(default_factory=list)
    finish: str = ""
    timings: dict[str, Any] = field(default_factory=dict)
    error: str = ""

    def take(self, chunk: dict[str, Any]) -> bool:
        if "error" in chunk:
            self.error = str(chunk["error"].get("message", chunk["error"]))
            return True
        self.timings = chunk.get("timings", self.timings)
        for choice in chunk["choices"]:
            self.pieces.append(choice["delta"].get("content") or "")
            self.finish = choice["finish_reason"] or self.finish
        return any(stop.is_set() for stop in self.stops) or self._loops()

    def _loops(self) -> bool:
        if self.finish or len(self.pieces) % _LOOP_EVERY:
            return False
        return loops("".join(self.pieces[-LOOP_WINDOW:]))

    def completion(self, model: str) -> dict[str, Any]:
        """The OpenAI chat completion; a loop that was cut has finish_reason `length`."""
        message = {"role": "assistant", "content": "".join(self.pieces)}
        choice = {"index": 0, "message": message, "finish_reason": self.finish or "length"}
        cached, read, written = (self.timings.get(key, 0) for key in ("cache_n", "prompt_n", "predicted_n"))
        usage = {"prompt_tokens": cached + read, "completion_tokens": written}
        usage |= {"total_tokens": cached + read + written, "prompt_tokens_details": {"cached_tokens": cached}}
        return {"object": "chat.completion", "model": model, "choices": [choice], "usage": usage}


class LocalModel:
    """One GGUF file, loaded at the first request; usable from any event loop.

    `n_ctx` is the context in tokens, prompt and reply together. Requests that follow each other and begin
    with the same text share the work of reading it.
    """

    def __init__(self, path: Path, *, n_ctx: int = 8192, n_parallel: int = 1, threads: int = 0) -> None:
        self._path = Path(path)
        self._n_ctx, self.n_parallel, self._threads = n_ctx, n_parallel, threads or _cores()
        self._pool = ThreadPoolExecutor(n_parallel, thread_name_prefix="local-model")
        self._loading = threading.Lock()
        self._closed = threading.Event()
        self._server: Any = None

    async def chat(self, body: dict[str, Any]) -> dict[str, Any]:
        """Answer an OpenAI chat-completion body.

        Cancelling the awaiting task stops the generation at its next token. Raises `LocalModelError` when
        the model cannot be loaded and `RequestError` when this request cannot be served.
        """
        if self._closed.is_set():
            raise LocalModelError(f"{self._path.name} was closed")
        stop = threading.Event()
        future = self._pool.submit(self._serve, inert(body), stop)
        try:
            return await asyncio.wrap_future(future)
        except asyncio.CancelledError:
            stop.set()
            raise

    async def aclose(self) -> None:
        """Stop what is running, drop what waits, and free the memory."""
        self._closed.set()
        await asyncio.to_thread(self._pool.shutdown, cancel_futures=True)
        self._server = None

    def _serve(self, request: dict[str, Any], stop: threading.Event) -> dict[str, Any]:
        server = self._loaded()
        reply = _Reply((stop, self._closed))
        try:
            server.handle_chat_completions(constrained(request), reply.take)
        except (ValueError, RuntimeError) as error:
            reply.error = str(error)
        if reply.error:
            raise RequestError(f"{self._path.name} refused the request: {reply.error}")
        completion = reply.completion(self._path.name)
        check_enforced(request, completion["choices"][0])
        return completion

    def _loaded(self) -> Any:
        with self._loading:
            if self._server is None:
                self._server = self._load()
            return self._server

    def _load(self) -> Any:
        _check_gguf(self._path)
        engine = _engine()
        with _address() as (host, key):
            params = self._params(engine)
            params.hostnames, params.api_keys = [host], [key]
            try:
                return engine.Server(params)
            except RuntimeError as error:
                raise LocalModelError(
                    f"the engine cannot load {self._path}: the file is damaged, its architecture is newer than "
                    "the engine, or memory is short; check it, or: pip install -U xllamacpp"
                ) from error

    def _params(self, engine: Any) -> Any:
        params = engine.CommonParams()
        params.model.path = str(self._path)
        params.n_ctx, params.n_parallel, params.kv_unified = self._n_ctx, self.n_parallel, True
        params.cpuparams.n_threads = params.cpuparams_batch.n_threads = self._threads
        params.n_batch, params.n_ubatch = 512, 256
        params.cache_ram_mib = 1024
        params.warmup, params.verbosity, params.fit_params = False, 0, False
        # Repacked copies of the weights cost 0.6 GB on the 1.5B model and gain no speed.
        params.no_extra_bufts = True
        params.ui, params.endpoint_slots = False, False
        return params


def _engine() -> Any:
    ensure_passive_omp()
    try:
        import xllamacpp
    except ImportError as error:
        raise LocalModelError(
            f"the embedded engine is not usable ({error}); run: pip install 'agentinstruct[local]'"
            " (on Linux it also needs the system library libgomp1)"
        ) from error
    return xllamacpp


def _check_gguf(path: Path) -> None:
    try:
        with path.open("rb") as handle:
            magic = handle.read(4)
    except OSError as error:
        raise LocalModelError(f"cannot read the model file {path}: {error.strerror}") from error
    if magic != b"GGUF":
        raise LocalModelError(f"{path} is not a GGUF file; give a llama.cpp model that ends in .gguf")


@contextmanager
def _address() -> Iterator[tuple[str, str]]:
    """Where the engine listens, as it must, although nobody calls it: a socket file that is deleted at once.

    Windows, and a temporary folder whose name is too long for a socket, get a loopback port with a secret key.
    """
    with tempfile.TemporaryDirectory(prefix="ai-", ignore_cleanup_errors=True) as folder:
        socket = f"{folder}/s.sock"
        fits = sys.platform != "win32" and len(socket.encode()) < 100
        yield (socket if fits else "127.0.0.1"), secrets.token_hex(32)


def _cores() -> int:
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return min(usable or 2, 16)
