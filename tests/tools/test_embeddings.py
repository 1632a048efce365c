import asyncio
import json
import math
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from agentinstruct.tools.embeddings import EmbeddingsDown, EmbeddingsError, embeddings, local_ready
from agentinstruct.tools.weights import WeightsMissing

PASSAGES = [
    "Leaves close their stomata in dry heat, which keeps water in but lets no carbon dioxide enter.",
    "The river floods each spring when the snow in the mountains melts.",
    "A stack returns the element that was added last; a queue the one added first.",
    "The court held that the contract was void because one party was a minor.",
]
QUESTIONS = [
    "Why do plants shut tiny pores when it is hot?",
    "What makes the stream overflow after winter?",
    "Which data structure is last in, first out?",
    "Why could the agreement not be enforced by law?",
]


def cosine(a: list[float], b: list[float]) -> float:
    return sum(x * y for x, y in zip(a, b, strict=True))


def best(query: list[float], vectors: list[list[float]]) -> int:
    return max(range(len(vectors)), key=lambda index: cosine(query, vectors[index]))


def test_minilm_finds_paraphrases_and_gives_unit_vectors():
    minilm = embeddings("local")
    vectors = minilm.embed_documents(PASSAGES)
    assert {len(vector) for vector in vectors} == {384}
    assert all(math.isclose(cosine(vector, vector), 1, abs_tol=1e-5) for vector in vectors)
    assert [best(minilm.embed_query(question), vectors) for question in QUESTIONS] == [0, 1, 2, 3]


def test_minilm_matches_known_values():
    """The unquantised model's similarities of two sentence pairs (int8 is within 0.02)."""
    a, b, c = embeddings("local").embed_documents(
        ["That is a happy person", "That is a happy dog", "Today is a sunny day"]
    )
    assert cosine(a, b) == pytest.approx(0.695, abs=0.02)
    assert cosine(a, c) == pytest.approx(0.257, abs=0.02)


def test_a_text_has_one_vector_whatever_its_batch():
    minilm = embeddings("local")
    texts = ["short", "word " * 2000, "", "lone \ud800 surrogate", *PASSAGES * 9]
    together = minilm.embed_documents(texts)
    for index in (0, 1, 2, 3, 11):
        assert cosine(together[index], minilm.embed_query(texts[index])) == pytest.approx(1, abs=1e-3)


def test_minilm_serves_threads():
    minilm = embeddings("local")

    async def both() -> list[list[list[float]]]:
        return await asyncio.gather(*(minilm.aembed_documents(PASSAGES) for _ in range(4)))

    assert all(vectors == minilm.embed_documents(PASSAGES) for vectors in asyncio.run(both()))


def test_without_weights_the_command_is_named(monkeypatch, tmp_path):
    monkeypatch.setenv("AGENTINSTRUCT_MODELS", str(tmp_path))
    with pytest.raises(WeightsMissing, match="agentinstruct fetch minilm"):
        embeddings("local")


def test_hash_is_the_same_in_every_process_and_follows_words():
    hashed = embeddings("hash")
    near, far = hashed.embed_documents(["the cat sat on a mat", "quarterly revenue rose sharply"])
    query = hashed.embed_query("a cat on the mat")
    assert cosine(query, near) > 0.7 > 0.2 > cosine(query, far)
    assert cosine(hashed.embed_query(""), hashed.embed_query("")) == 1
    program = "from agentinstruct.tools.embeddings import embeddings; print(embeddings('hash').embed_query('a cat'))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == hashed.embed_query("a cat")


@pytest.mark.parametrize("spec", ["", "openai", "openai:", "minilm", "hash:3"])
def test_an_unknown_spec_lists_what_there_is(spec):
    with pytest.raises(EmbeddingsError, match="use local, openai:NAME or hash"):
        embeddings(spec)


class Server(HTTPServer):
    """An embeddings endpoint whose reply each test writes."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.seen: list[tuple[str, str, dict]] = []
        self.faults: list[int] = []
        self.status, self.reply = 200, lambda texts: {"data": rows([[len(text), 1.0] for text in texts])[::-1]}

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v1/"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.seen.append((self.path, self.headers.get("Authorization", ""), body))
        self.send_response(self.server.faults.pop(0) if self.server.faults else self.server.status)
        self.end_headers()
        self.wfile.write(json.dumps(self.server.reply(body["input"])).encode())

    def log_message(self, *_: object) -> None:
        pass


def rows(vectors: list[list[float]]) -> list[dict]:
    return [{"index": index, "embedding": vector} for index, vector in enumerate(vectors)]


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def test_the_endpoint_gets_batches_and_its_answers_are_put_in_order(server):
    remote = embeddings("openai:any-model", base_url=server.url, api_key="secret")
    texts = ["x" * length for length in range(1, 101)]
    assert remote.embed_documents(texts) == [[float(len(text)), 1.0] for text in texts]
    assert [len(body["input"]) for _, _, body in server.seen] == [64, 36]
    path, key, body = server.seen[0]
    assert (path, key, body["model"]) == ("/v1/embeddings", "Bearer secret", "any-model")
    assert remote.embed_documents([]) == []


def test_the_endpoint_is_taken_from_the_environment(server, monkeypatch):
    monkeypatch.setenv("OPENAI_BASE_URL", server.url)
    monkeypatch.setenv("OPENAI_API_KEY", "from-env")
    assert embeddings("openai:m").embed_query("four") == [4.0, 1.0]
    assert server.seen[0][1] == "Bearer from-env"


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (rows([[1.0, 2.0]]), "1 vectors for 2 texts"),
        ([{"index": 0, "embedding": [1.0]}] * 2, "misnumbered"),
        (rows([[1.0, 2.0], [1.0]]), "different widths"),
        (rows([[1.0, 2.0], [float("nan"), 1.0]]), "non-finite"),
        (rows([[1.0, 2.0], [0.0, 0.0]]), "zero"),
        (rows([[], []]), "empty"),
        ("nonsense", "did not send embeddings"),
    ],
)
def test_what_an_endpoint_must_not_send(server, data, message):
    server.reply = lambda texts: {"data": data}
    with pytest.raises(EmbeddingsError, match=message):
        embeddings("openai:m", base_url=server.url).embed_documents(["a", "b"])


@pytest.fixture
def waits(monkeypatch) -> list[float]:
    """The seconds that were waited between tries; none really are."""
    waited: list[float] = []
    monkeypatch.setattr(time, "sleep", waited.append)
    return waited


@pytest.mark.parametrize("fault", [429, 500, 503])
def test_a_fault_that_passes_is_tried_again(server, waits, fault):
    server.faults = [fault, fault]
    assert embeddings("openai:m", base_url=server.url).embed_query("four") == [4.0, 1.0]
    assert (len(server.seen), waits) == (3, [0.5, 1.0])


def test_a_fault_that_stays_is_told_as_one_that_may_pass_and_a_refusal_is_not(server, waits):
    server.status = 503
    with pytest.raises(EmbeddingsDown, match="503"):
        embeddings("openai:m", base_url=server.url).embed_query("a")
    assert (len(server.seen), waits) == (4, [0.5, 1.0, 2.0])
    server.status = 401
    with pytest.raises(EmbeddingsError) as refused:
        embeddings("openai:m", base_url=server.url).embed_query("a")
    assert len(server.seen) == 5 and not isinstance(refused.value, EmbeddingsDown)


def test_local_is_ready_with_its_weights_only(monkeypatch, tmp_path):
    assert local_ready()
    monkeypatch.setenv("AGENTINSTRUCT_MODELS", str(tmp_path))
    assert not local_ready()


def test_an_endpoint_that_refuses_or_is_away_is_named(server, waits):
    server.status, server.reply = 401, lambda texts: {"error": "bad key"}
    with pytest.raises(EmbeddingsError, match=r"401 .*bad key"):
        embeddings("openai:m", base_url=server.url).embed_query("a")
    with pytest.raises(EmbeddingsError, match="cannot reach"):
        embeddings("openai:m", base_url="http://127.0.0.1:9/v1").embed_query("a")
    with pytest.raises(EmbeddingsError, match="must start with http"):
        embeddings("openai:m", base_url="file:///etc")
