"""The corpus a run searches: whose endpoint embeds it, what it costs, and what a fault of it does."""

import json
import os
import pickle
import shutil
from pathlib import Path

import pytest
from langchain_core.embeddings import Embeddings

from agentinstruct.agents.errors import ProviderDown, ProviderError, RunError
from agentinstruct.agents.models import Endpoints
from agentinstruct.agents.skill import load_skill
from agentinstruct.graphs.state import Context
from agentinstruct.run import corpus as module
from agentinstruct.run.corpus import Corpus, corpus
from agentinstruct.run.execute import execute
from agentinstruct.run.plan import RunConfig
from agentinstruct.seeds import SeedOptions
from agentinstruct.tools.corpus import current_corpus
from agentinstruct.tools.embeddings import EmbeddingsError

SEEDS = Path(__file__).parents[2] / "examples" / "seeds"
CODE = ("bisect.py", "colorsys.py", "heap.go")


@pytest.fixture
def code(tmp_path):
    """A folder of three source files."""
    for name in CODE:
        (tmp_path / "code").mkdir(exist_ok=True)
        shutil.copy(SEEDS / name, tmp_path / "code" / name)
    return tmp_path / "code"


@pytest.fixture
def no_weights(monkeypatch, tmp_path):
    monkeypatch.setenv("AGENTINSTRUCT_MODELS", str(tmp_path / "no models"))


@pytest.fixture
def no_key(monkeypatch):
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    monkeypatch.setenv("OPENAI_API_KEY", "from-the-environment")


def config(code, out, **settings):
    return RunConfig(paths=(str(code),), out=out, skills=("tool_use",), **settings)


def command(code, server, out, *more):
    return ["run", code, "-s", "tool_use", "-m", "openai:any", "--base-url", server.base_url, "--out", out, *more]


async def test_code_goes_to_the_runs_own_endpoint_with_its_key(openai_server, code, tmp_path, no_key):
    server = openai_server(key="of-the-run")
    places = Endpoints(base_url=server.base_url, api_key="of-the-run")
    async with corpus(config(code, tmp_path, embeddings="openai:e", endpoints=places), [load_skill("tool_use")]):
        index = current_corpus()
        [hit] = await index.asearch("def bisect_left(a, x)", 1)
    assert len(index) >= 3 and hit.text
    assert server.stats()["answered_ok"] >= 2


async def test_a_model_with_a_place_of_its_own_is_asked_there(openai_server, code, tmp_path, no_key):
    chat, own = openai_server(), openai_server()
    places = Endpoints(base_url=chat.base_url, by_model={"e": own.base_url})
    async with corpus(config(code, tmp_path, embeddings="openai:e", endpoints=places), [load_skill("tool_use")]):
        assert current_corpus()
    assert (chat.stats()["requests"], own.stats()["requests"]) == (0, 1)


async def test_an_endpoint_that_does_not_serve_is_a_provider_that_is_down(openai_server, code, tmp_path, no_key):
    server = openai_server(faults={"500": 1})
    settings = config(code, tmp_path, embeddings="openai:e", endpoints=Endpoints(base_url=server.base_url))
    with pytest.raises(ProviderDown, match=r"--embeddings openai:e: .* 500"):
        async with corpus(settings, [load_skill("tool_use")]):
            pass


def test_the_program_says_so_and_how_to_resume(program, openai_server, code, tmp_path):
    server, away = openai_server(), f"e=http://127.0.0.1:{1}/v1"
    failed = program(*command(code, server, tmp_path / "out", "--base-url", away, "--embeddings", "openai:e"))
    assert failed.returncode == 69, failed.stderr
    assert "--embeddings openai:e" in failed.stderr and "To resume" in failed.stderr


class Forgetful(Embeddings):
    """Embeds texts, but no query."""

    def embed_documents(self, texts):
        return [[1.0, float(place)] for place, _ in enumerate(texts)]

    def embed_query(self, text):
        raise EmbeddingsError("not today")


async def test_a_search_that_fails_leaves_the_work_for_later():
    index = Corpus.build(["a", "b"], ["1", "2"], Forgetful())
    with pytest.raises(ProviderError, match="not today"):
        await index.asearch("a", 1)


async def test_a_limit_bounds_what_is_read(code, tmp_path, monkeypatch):
    (code / "a.txt").write_text((SEEDS / "albedo.md").read_text())
    read = []

    def watched(*arguments, **options):
        for item in real(*arguments, **options):
            read.append(item)
            yield item

    real = RunConfig.read_seeds
    monkeypatch.setattr(RunConfig, "read_seeds", watched)
    assert await modalities(config(code, tmp_path, embeddings="hash", limit=1)) == ["prose"]
    assert len(read) == 1
    assert set(await modalities(config(code, tmp_path, embeddings="hash"))) == {"prose", "code"}


async def modalities(settings):
    async with corpus(settings, [load_skill("tool_use")]):
        return [hit.modality for hit in await current_corpus().asearch("def", 99)]


class Counting(Embeddings):
    """Embeds by length, and counts the texts."""

    def __init__(self):
        self.texts = []

    def embed_documents(self, texts):
        self.texts += texts
        return [[1.0, float(len(text))] for text in texts]

    def embed_query(self, text):
        return [1.0, float(len(text))]


@pytest.fixture
def counting(monkeypatch):
    embedder = Counting()
    monkeypatch.setattr(module, "embeddings", lambda *_, **__: embedder)
    return embedder


async def test_a_resume_embeds_only_what_is_new_and_forgets_what_is_gone(code, tmp_path, counting):
    settings = config(code, tmp_path / "out", embeddings="hash")
    before = await modalities(settings)
    assert len(counting.texts) == len(before)
    assert len(await modalities(settings)) == len(before) == len(counting.texts)
    (code / "a.txt").write_text((SEEDS / "four_freedoms.txt").read_text())
    (code / "heap.go").unlink()
    after = await modalities(settings)
    assert len(counting.texts) > len(before) and set(counting.texts[len(before) :]).isdisjoint(counting.texts[:2])
    async with corpus(settings, [load_skill("tool_use")]):
        hits = await current_corpus().asearch("def", 99)
    assert len(hits) == len(after)
    assert {Path(hit.source).name for hit in hits} == {"a.txt", "bisect.py", "colorsys.py"}
    assert all(hit.title for hit in hits if hit.source.endswith("a.txt"))


async def test_what_a_stranger_put_in_the_folder_is_made_anew_not_loaded(code, tmp_path, counting):
    settings = config(code, tmp_path / "out", embeddings="hash")
    before = await modalities(settings)
    for file in (tmp_path / "out" / "corpus").iterdir():
        file.write_bytes(pickle.dumps({"a": 1}))
    assert await modalities(settings) == before
    assert len(counting.texts) == 2 * len(before)


def test_what_a_failed_start_embedded_otherwise_is_made_anew(program, openai_server, code, tmp_path):
    server, out = openai_server(), tmp_path / "out"
    failed = program("run", code, "-s", "rag", "-s", "tool_use", "-m", "nosuch:x", "--embeddings", "hash", "--out", out)
    assert failed.returncode == 2 and (out / "corpus" / "vectors.faiss").stat().st_size
    for _ in range(2):  # and it stays good
        done = program(*command(code, server, out, "--embeddings", "openai:e"))
        assert done.returncode == 0, done.stderr
        kept = json.loads((out / "corpus" / "index.json").read_text())
        assert kept["embeddings"] == "openai:e"


async def test_an_index_of_another_model_with_vectors_alike_is_not_used(code, tmp_path, counting):
    before = await modalities(config(code, tmp_path / "out", embeddings="openai:a"))
    assert await modalities(config(code, tmp_path / "out", embeddings="openai:b")) == before
    assert len(counting.texts) == 2 * len(before)


async def test_a_model_that_changed_under_its_name_is_told_and_how_to_go_on(code, tmp_path, counting, monkeypatch):
    settings = config(code, tmp_path / "out", embeddings="openai:a")
    await modalities(settings)
    monkeypatch.setattr(counting, "embed_query", lambda _: [1.0, 1.0, 1.0])
    with pytest.raises(ProviderError, match=r"vectors of 2 numbers, the query 3\. .* delete corpus/"):
        await modalities(settings)


async def test_a_link_in_the_folders_place_is_refused(code, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "corpus").symlink_to(tmp_path / "code")
    with pytest.raises(RunError, match="corpus"):
        await modalities(config(code, tmp_path / "out", embeddings="hash"))


async def test_more_chunks_than_are_searched_are_told(code, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "LARGEST", 2)
    told = []
    async with corpus(config(code, tmp_path, embeddings="hash"), [load_skill("tool_use")], told.append):
        assert len(current_corpus()) == 2
    assert told == ["retrieval searches the first 2 chunks of the seeds"]


def test_without_weights_code_is_not_searched_and_the_summary_says_so(
    program, openai_server, code, tmp_path, no_weights
):
    server = openai_server()
    done = program(*command(code, server, tmp_path / "out", "--limit", 1))
    assert done.returncode == 0, done.stderr
    assert "seeds are not searched: `agentinstruct fetch minilm`" in done.stdout
    asked = program(*command(code, server, tmp_path / "other", "--limit", 1, "--embeddings", "local"))
    assert asked.returncode == 2
    assert "agentinstruct fetch minilm" in asked.stderr


def test_a_resume_keeps_the_embeddings_the_run_began_with(program, openai_server, code, tmp_path, monkeypatch):
    server, out = openai_server(), tmp_path / "out"

    def embeddings():
        return json.loads((out / "run.json").read_text())["settings"]["embeddings"]

    monkeypatch.setenv("AGENTINSTRUCT_MODELS", str(tmp_path / "no models"))
    assert program(*command(code, server, out, "--limit", 1)).returncode == 0
    assert embeddings() == "none"
    monkeypatch.delenv("AGENTINSTRUCT_MODELS")
    again = program(*command(code, server, out, "--limit", 2))
    assert again.returncode == 0, again.stderr
    assert embeddings() == "none" and "seeds are not searched" in again.stdout
    refused = program(*command(code, server, out, "--embeddings", "local"))
    assert refused.returncode == 2
    assert '"none" → "local"' in refused.stderr


def test_a_name_that_is_not_utf8_costs_nothing(program, openai_server, seeds, tmp_path):
    os.rename(seeds / "mill.txt", os.fsencode(seeds) + b"/caf\xe9.txt")
    given = ["run", seeds, "-s", "text_modification", "-m", "openai:any", "--base-url", openai_server().base_url]
    done = program(*given, "--verify", "annotate", "--out", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    dropped = [json.loads(line) for line in (tmp_path / "out" / "dropped.jsonl").read_text().splitlines()]
    made = [json.loads(x) for path in (tmp_path / "out" / "data").glob("*") for x in path.read_text().splitlines()]
    assert f"{seeds}/caf\\xe9.txt" in {row["source"] for row in made + dropped}


def test_an_export_that_cannot_be_written_says_what_is_in_the_way(program, seeds, tmp_path):
    command = ["run", seeds, "-s", "text_modification", "-m", "scripted", "--out", tmp_path / "out"]
    assert program(*command).returncode == 0
    shutil.rmtree(tmp_path / "out" / "data")
    (tmp_path / "out" / "data").write_text("mine")
    failed = program(*command)
    assert failed.returncode == 2
    assert f"{tmp_path}/out/data: " in failed.stderr and "in the way" in failed.stderr


async def test_a_run_from_python_settles_its_embeddings_too(code, tmp_path, no_weights):
    settings = config(code, tmp_path / "out", context=Context(model="scripted"), seeds=SeedOptions(), limit=1)
    done = await execute(settings)
    assert done.progress.seeds == 1
    assert json.loads((tmp_path / "out" / "run.json").read_text())["settings"]["embeddings"] == "hash"
