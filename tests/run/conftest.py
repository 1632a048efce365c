"""The program as its users start it: a process of its own, with a key that must not turn up anywhere."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from agentinstruct.run.journal import Journal
from agentinstruct.run.plan import Work
from agentinstruct.run.segment import SegmentReader

KEY = "sk-never-to-be-seen-5f2a91"
PROGRAM = [sys.executable, "-m", "agentinstruct.cli.main"]
QUIET = {"OPENAI_API_KEY": KEY, "LANGSMITH_TRACING": "false", "PYTHONWARNINGS": "error"}


MILL = """The tide mill stands where the creek meets the sea, and it has ground corn since 1742. Twice a day the pond
behind it fills with salt water. When the sea draws back, the miller opens the gate, and the stored water turns the
great oak wheel for about five hours. Storms broke the dam in 1816 and again in 1903, yet each time the village paid
for new stones. Today a volunteer named Ruth Hale keeps the machinery greased, grinds flour on Saturdays, and explains
to visitors why a mill that runs on the moon never needs rain.
"""
GLASS = """Mei Tanaka opened her glass works in an old bakery because its brick oven still held heat. She melts sand,
soda and lime at 1,400 degrees, gathers the glow on an iron pipe, and blows until a bottle hangs at its end. Cooling
takes a whole night: glass that cools too fast carries hidden strain and may shatter weeks later on a shelf. Her first
hundred bottles cracked that way. She blamed the sand, then the fuel, and only in spring found a draught under the door.
"""


@pytest.fixture
def seeds(tmp_path: Path) -> Path:
    """A folder of two short documents; each is one work item of each skill that takes prose."""
    folder = tmp_path / "seeds"
    folder.mkdir()
    (folder / "mill.txt").write_text(MILL)
    (folder / "glass.txt").write_text(GLASS)
    return folder


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start the program with these arguments, in a process group of its own."""
    started: list[subprocess.Popen[str]] = []

    def popen(*arguments: object, **options: object) -> subprocess.Popen[str]:
        options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, "cwd": tmp_path} | options
        environment = {name: value for name, value in os.environ.items() if not name.startswith("OPENAI_")}
        command = [*options.pop("program", PROGRAM), *map(str, arguments)]
        started.append(subprocess.Popen(command, env=environment | QUIET, start_new_session=True, **options))
        return started[-1]

    yield popen
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate()


@pytest.fixture
def program(start: Callable[..., subprocess.Popen[str]]) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run the program to its end. Whatever it does, it says nothing of its key and shows no traceback."""

    def run(*arguments: object, timeout: float = 90) -> subprocess.CompletedProcess[str]:
        process = start(*arguments)
        out, err = process.communicate(timeout=timeout)
        assert KEY not in out + err
        assert "Traceback" not in out + err, err
        return subprocess.CompletedProcess(process.args, process.returncode, out, err)

    return run


def contents(folder: Path) -> bytes:
    """Every byte below a folder, and what the frames of its segments say."""
    plain = b"".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())
    segments = SegmentReader(folder)
    frames = [str(frame.value) for path in folder.glob("*.seg") for frame in segments.scan(path.name, 0)]
    segments.close()
    return plain + "\n".join(frames).encode("utf-8", "replace")


@pytest.fixture
def keyless() -> Callable[[Path], None]:
    """Assert that a run folder holds no key."""

    def check(folder: Path) -> None:
        assert KEY.encode() not in contents(folder)

    return check


@dataclass(frozen=True)
class Dataset:
    """A run folder's dataset, read as its users read it."""

    folder: Path

    def lines(self, name: str) -> list[dict[str, Any]]:
        return [json.loads(line) for line in (self.folder / name).read_bytes().decode("utf-8").splitlines()]

    @property
    def manifest(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.folder / "manifest.json").read_text())
        return found

    @property
    def records(self) -> list[dict[str, Any]]:
        return [row for name in self.manifest["records"] for row in self.lines(f"data/{name}.jsonl")]

    @property
    def dropped(self) -> list[dict[str, Any]]:
        return self.lines("dropped.jsonl")

    @property
    def contents(self) -> dict[str, Any]:
        """Each record by its id, but for its calls, whose tokens may have been cached."""
        return {row["id"]: {key: row[key] for key in row if key != "calls"} for row in self.records}


def _intact(folder: Path, work: list[Work], server: Any) -> Dataset:
    dataset, ids = Dataset(folder), [row["id"] for row in Dataset(folder).records]
    for name, file in dataset.manifest["files"].items():
        assert sha256((folder / name).read_bytes()).hexdigest() == file["sha256"], f"I4: {name}"
    assert sum(dataset.manifest["records"].values()) == len(ids), "I4"
    assert not list(folder.rglob("*.partial")), "I4"
    assert len(set(ids)) == len(ids), "I2: an id twice"
    with Journal.read(folder) as journal:
        failed = {failure.item for failure in journal.failures()}
        done = {one.id for one in work if journal.is_done(one.id)}
        calls = journal.counts().calls
    assert done | failed == {one.id for one in work} and not done & failed, "I1: each item ends in exactly one way"
    told = {(row["skill"], row["seed_id"]) for row in dataset.records + dataset.dropped}
    assert told == {(one.skill, one.seed.id) for one in work if one.id in done}, "I1: each done item left its rows"
    stats = server.stats()
    assert stats["answered_ok_repeats"] == 0, "I5: paid for twice"
    assert stats["answered_ok"] <= calls, "I5: paid for and not kept"
    assert KEY.encode() not in contents(folder), "I7"
    return dataset


@pytest.fixture
def intact() -> Callable[..., Dataset]:
    """The dataset of a run folder, found whole: nothing lost, doubled, bought twice or corrupt."""
    return _intact
