import hashlib
import json
import pickle
import subprocess
import sys

import pytest

from agentinstruct.tools.embeddings import embeddings
from agentinstruct.tools.retrieval import Index, IndexDamaged, search_tool

TEXTS = [
    "def sort_rows(rows): ...",
    "def open_socket(host): ...",
    "the cat sat on the mat",
    "def sort_columns(table): ...",
]
IDS = ["sort", "socket", "cat", "columns"]


@pytest.fixture
def index() -> Index:
    return Index.build(TEXTS, IDS, embeddings("hash"))


def ids(index: Index, query: str, k: int, **options: object) -> list[str]:
    return [hit.id for hit in index.search(query, k, **options)]


def test_the_nearest_come_first_with_their_cosine(index):
    hits = index.search("def sort_rows(rows): ...", 4)
    assert [hit.id for hit in hits][:2] == ["sort", "columns"]
    assert (hits[0].text, hits[0].score) == (TEXTS[0], pytest.approx(1, abs=1e-5))
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)
    assert len(index.search("anything", 99)) == len(index) == 4


def test_excluded_chunks_make_room_for_others(index):
    assert ids(index, TEXTS[0], 1, exclude=["sort"]) == ["columns"]
    assert ids(index, TEXTS[0], 4, exclude=IDS) == []


def test_equal_scores_are_ordered_by_id_even_across_many():
    names = [f"{number:03}" for number in range(200)]
    index = Index.build(["same text"] * 200, names[::-1], embeddings("hash"))
    assert ids(index, "same text", 3) == ["000", "001", "002"]
    assert ids(index, "same text", 2, exclude=["000"]) == ["001", "002"]


def test_chunks_can_be_added_but_not_twice(index):
    index.add(["a poem on the autumn moon"], ["poem"])
    assert ids(index, "autumn moon", 1) == ["poem"]
    with pytest.raises(ValueError, match="differ"):
        index.add(["other"], ["poem"])
    with pytest.raises(ValueError, match="differ"):
        index.add(["x", "y"], ["new", "new"])
    with pytest.raises(ValueError, match="2 texts but 1 ids"):
        index.add(["x", "y"], ["new"])
    assert len(index) == 5


def test_an_empty_index_finds_nothing_and_is_kept(tmp_path):
    index = Index.build([], [], embeddings("hash"))
    index.save(tmp_path)
    loaded = Index.load(tmp_path, embeddings("hash"))
    assert loaded.search("x", 3) == []
    loaded.add(["first"], ["1"])
    assert ids(loaded, "first", 1) == ["1"]


def test_a_saved_index_searches_the_same(index, tmp_path):
    index.add(["line\nbreak \u2028 and \u0000"], ["odd"])
    index.save(tmp_path / "new" / "index")
    loaded = Index.load(tmp_path / "new" / "index", embeddings("hash"))
    for query in (*TEXTS, "break"):
        assert loaded.search(query, 5) == index.search(query, 5)
    loaded.add(["more"], ["more"])
    loaded.save(tmp_path / "new" / "index")
    assert len(Index.load(tmp_path / "new" / "index", embeddings("hash"))) == 6


def test_files_that_do_not_belong_together_are_refused(index, tmp_path):
    index.save(tmp_path)
    manifest = json.loads((tmp_path / "index.json").read_text())
    chunks = b'["not", "a", "chunk"]\n'
    (tmp_path / "chunks.jsonl").write_bytes(chunks)
    manifest["chunks.jsonl"] = hashlib.sha256(chunks).hexdigest()
    (tmp_path / "index.json").write_text(json.dumps(manifest))
    with pytest.raises(IndexDamaged, match="build it again"):
        Index.load(tmp_path, embeddings("hash"))


@pytest.mark.parametrize("name", ["vectors.faiss", "chunks.jsonl", "index.json"])
@pytest.mark.parametrize("damage", ["gone", "cut", "flipped"])
def test_a_damaged_index_is_refused(index, tmp_path, name, damage):
    index.save(tmp_path)
    file, data = tmp_path / name, (tmp_path / name).read_bytes()
    if damage == "gone":
        file.unlink()
    else:
        middle = len(data) // 2
        flipped = data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :]
        file.write_bytes(data[:-3] if damage == "cut" else flipped)
    with pytest.raises(IndexDamaged, match="build it again"):
        Index.load(tmp_path, embeddings("hash"))


def test_foreign_files_are_refused_and_pickles_never_run(index, tmp_path):
    class Bomb:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return pytest.fail, ("a pickle was loaded",)

    for name in ("vectors.faiss", "chunks.jsonl", "index.json", "index.pkl"):
        (tmp_path / name).write_bytes(pickle.dumps(Bomb()))
    with pytest.raises(IndexDamaged):
        Index.load(tmp_path, embeddings("hash"))
    (tmp_path / "index.json").write_text(json.dumps({"format": "another"}))
    with pytest.raises(IndexDamaged, match="another program"):
        Index.load(tmp_path, embeddings("hash"))


def test_other_embeddings_than_the_index_was_made_with_are_noticed(index, tmp_path):
    index.save(tmp_path)
    with pytest.raises(IndexDamaged, match="512 numbers, the query 384"):
        Index.load(tmp_path, embeddings("local")).search("x", 1)


async def test_search_off_the_event_loop_and_as_a_tool(index):
    assert await index.asearch("sort the rows", 2) == index.search("sort the rows", 2)
    tool = search_tool(index, "Finds code like the query.", k=2)
    assert list(tool.args) == ["query"]
    found = await tool.ainvoke({"query": TEXTS[1]})
    assert found[0]["id"] == "socket" and len(found) == 2


def test_code_is_found_by_meaning():
    index = Index.build(TEXTS, IDS, embeddings("local"))
    assert ids(index, "connect to a server over the network", 1) == ["socket"]


def test_importing_is_light():
    heavy = "{'faiss', 'numpy', 'langchain_core', 'onnxruntime', 'xllamacpp', 'tokenizers'}"
    program = f"""
import sys
import agentinstruct.agents.local, agentinstruct.tools.embeddings, agentinstruct.tools.retrieval
print({heavy} & set(sys.modules))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
