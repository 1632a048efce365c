"""Seeds from object storage, and a dataset to it: by fsspec's own storage in memory and on disk."""

import json

import pytest

from agentinstruct.agents.errors import SeedError, SetupError
from agentinstruct.agents.records import Seed
from agentinstruct.dataset.upload import upload
from agentinstruct.seeds import Skipped, read_seeds
from tests.run.conftest import GLASS, MILL

fsspec = pytest.importorskip("fsspec", reason="runs with the extra `remote` only")


@pytest.fixture
def memory():
    storage = fsspec.filesystem("memory")
    storage.pipe("/bucket/docs/mill.txt", MILL.encode())
    storage.pipe("/bucket/docs/deep/rows.jsonl", json.dumps({"text": GLASS}).encode())
    storage.pipe("/bucket/docs/photo.xyz", b"\x00")
    yield storage
    storage.rm("/bucket", recursive=True)


def found(*paths):
    items = list(read_seeds(paths))
    return [item.source for item in items if isinstance(item, Seed)], [
        (item.source, item.reason) for item in items if isinstance(item, Skipped)
    ]


def test_a_url_is_an_object_a_folder_or_a_pattern(memory):
    seeds, skipped = found("memory://bucket/docs")
    assert {source.partition("#")[0] for source in seeds} == {
        "memory:///bucket/docs/mill.txt",
        "memory:///bucket/docs/deep/rows.jsonl:1",
    }
    assert skipped == [("memory:///bucket/docs/photo.xyz", "unknown format")]
    assert found("memory://bucket/docs/*.txt")[0] == ["memory:///bucket/docs/mill.txt"]
    assert found("memory://bucket/docs/mill.txt")[0] == ["memory://bucket/docs/mill.txt"]


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("memory://bucket/none", "no such object"),
        ("memory://bucket/docs/*.md", "matches nothing"),
        ("what://bucket/docs", "needs `pip install .agentinstruct.remote.."),
    ],
)
def test_what_is_not_there_is_said_before_anything_is_read(memory, url, words):
    with pytest.raises(SeedError, match=words):
        read_seeds([url])


def test_a_dataset_is_copied_with_its_manifest_last(tmp_path, memory):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "rc.jsonl").write_text("{}\n")
    (tmp_path / "manifest.json").write_text(json.dumps({"files": {"data/rc.jsonl": {}}}))
    upload(tmp_path, "memory://bucket/set")
    assert memory.cat("/bucket/set/data/rc.jsonl") == b"{}\n"
    assert memory.exists("/bucket/set/manifest.json")
    with pytest.raises(SetupError, match="--out what://"):
        upload(tmp_path, "what://bucket/set")


def exported(folder, *names):
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)
    (folder / "manifest.json").write_text(json.dumps({"files": {name: {} for name in names}}))
    return folder


def test_a_dataset_takes_the_place_of_the_one_before_even_of_one_half_copied(tmp_path, memory):
    url = "memory://bucket/set"
    upload(exported(tmp_path / "one", "data/rc.jsonl", "parquet/rc-0.parquet"), url)
    memory.pipe("/bucket/set/data/yours.jsonl", b"{}\n")
    memory.pipe("/bucket/data.txt", b"beside it")
    half = exported(tmp_path / "half", "data/validation/rc.jsonl", "trl/train.jsonl")
    (half / "trl" / "train.jsonl").unlink()
    with pytest.raises(SetupError):
        upload(half, url)
    assert not memory.exists("/bucket/set/manifest.json") and memory.exists("/bucket/set/data/validation/rc.jsonl")
    upload(exported(tmp_path / "two", "data/train/rc.jsonl", "data/test/rc.jsonl"), url)
    left = {path.removeprefix("/bucket/set/") for path in memory.find("/bucket/set")}
    assert left == {"data/train/rc.jsonl", "data/test/rc.jsonl", "data/yours.jsonl", "manifest.json"}
    memory.pipe("/bucket/set/manifest.json", json.dumps({"files": ["../data.txt", "/bucket/data.txt"]}).encode())
    upload(tmp_path / "two", url)
    assert memory.exists("/bucket/data.txt")
