"""One run per folder, one writer per run, and plain words when the folder will not do."""

import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from agentinstruct.agents.errors import RunError
from agentinstruct.run.folder import filesystem, refuse_network
from agentinstruct.run.journal import Journal

SETTINGS = {"skills": ["rc"], "seed": 7, "model": {"name": "scripted", "temperature": 0.5}}


def refuse(folder, settings=SETTINGS):
    with pytest.raises(RunError) as refusal:
        Journal.open(folder, settings).close()
    return str(refusal.value)


@pytest.fixture
def folder(tmp_path):
    with Journal.open(tmp_path / "run", SETTINGS) as journal:
        journal.put_call("ab" * 16, {"text": "paid for"})
    return tmp_path / "run"


def test_all_is_the_owners_only(folder):
    assert folder.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}


def test_a_second_writer_is_told_who_is_first(folder):
    with Journal.open(folder, SETTINGS):
        message = refuse(folder)
    assert f"process {os.getpid()} on " in message
    assert str(folder) in message
    assert "another --out" in message
    Journal.open(folder, SETTINGS).close()


def test_of_many_starters_exactly_one_runs(tmp_path):
    script = (
        "import sys, time; from pathlib import Path; from agentinstruct.run.journal import Journal\n"
        "from agentinstruct.agents.errors import RunError\n"
        "try: journal = Journal.open(Path(sys.argv[1]), {})\n"
        "except RunError as refusal: print(refusal)\n"
        "else: print('runs', flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", script, str(tmp_path / "run")]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    starters = [subprocess.Popen(command, **pipes) for _ in range(4)]
    lines = [starter.stdout.readline() for starter in starters]
    for starter in starters:
        starter.communicate()
    assert sorted("in use by" in line for line in lines) == [False, True, True, True]
    assert lines.count("runs\n") == 1


def test_other_settings_are_refused_key_by_key(folder):
    message = refuse(
        folder, {"skills": ["rc", "fermi"], "model": {"name": "scripted", "temperature": 1}, "limit": None}
    )
    for line in (
        'skills: ["rc"] → ["rc","fermi"]',
        "seed: 7 → (not set)",
        "model.temperature: 0.5 → 1",
        "limit: (not set) → null",
    ):
        assert line in message
    assert "model.name" not in message
    assert "another --out" in message
    assert "old values" in message


def test_other_skills_are_told_by_name_and_not_by_their_fingerprints(tmp_path):
    skills = {name: {"prompts": "f00"} for name in ("rc", "fermi", "coding", "rag")}
    with Journal.open(tmp_path / "run", {"skills": skills}) as journal:
        journal.put_call("ab" * 16, {"text": "paid for"})
    message = refuse(tmp_path / "run", {"skills": {"coding": {"prompts": "f00"}}})
    assert "skills: 4 of them → coding\n" in message and "f00" not in message
    message = refuse(tmp_path / "run", {"skills": skills | {"rag": {"prompts": "ba5"}}})
    assert 'skills.rag.prompts: "f00" → "ba5"' in message


def test_a_run_that_has_nothing_yet_takes_other_settings(tmp_path):
    Journal.open(tmp_path / "run", SETTINGS).close()
    with Journal.open(tmp_path / "run", {"seed": 8}) as journal:
        journal.put_call("ab" * 16, {})
    assert "seed: 8 → 9" in refuse(tmp_path / "run", {"seed": 9})
    with Journal.read(tmp_path / "run") as reader:
        assert reader.manifest.settings == {"seed": 8}


@pytest.mark.parametrize(("schema", "word"), [(99, "newer"), (0, "older"), ("x", "older")])
def test_another_schema_is_refused(folder, schema, word):
    stored = json.loads((folder / "run.json").read_text())
    (folder / "run.json").write_text(json.dumps({**stored, "schema": schema}))
    assert word in refuse(folder)
    with pytest.raises(RunError, match=word):
        Journal.read(folder)


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"schema": 1}', '{"schema": 1, "run": "", "created": "", "settings": 3}']
)
def test_a_broken_manifest_is_refused(folder, text):
    (folder / "run.json").write_text(text)
    assert "run.json" in refuse(folder)


def test_a_folder_of_other_things_is_refused_and_left_alone(tmp_path):
    (tmp_path / "thesis.tex").write_text("x")
    assert "thesis.tex" in refuse(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


def test_a_start_that_died_before_its_manifest_is_taken_over(tmp_path):
    (tmp_path / "run.lock").write_text("")
    (tmp_path / "run.json.tmp").write_text('{"sch')
    Journal.open(tmp_path, SETTINGS).close()


def test_a_file_in_its_place_is_refused(tmp_path):
    (tmp_path / "run").write_text("x")
    assert "in the way" in refuse(tmp_path / "run")


def test_reading_where_no_run_is(tmp_path):
    with pytest.raises(RunError, match="no run here"):
        Journal.read(tmp_path)


@pytest.mark.parametrize(
    "name",
    ["run.lock", "calls-0.seg", "items-0.seg", "ledger.sqlite", "ledger.sqlite-wal", "quarantine", "run.json.tmp"],
)
def test_a_planted_symlink_is_refused_and_its_target_untouched(folder, tmp_path, name):
    target = tmp_path / "precious"
    target.write_text("precious")
    (folder / name).unlink(missing_ok=True)
    (folder / name).symlink_to(target)
    if name == "quarantine":
        with (folder / "items-0.seg").open("ab") as segment:
            segment.write(b"torn")
    if name == "run.json.tmp":
        (folder / "run.json").unlink()
        for leftover in ("ledger.sqlite", "calls-0.seg", "items-0.seg"):
            (folder / leftover).unlink()
    refuse(folder)
    assert target.read_text() == "precious"


MOUNTS = """\
22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
30 22 0:40 / /home rw shared:2 - nfs4 server:/home rw
31 30 0:41 / /home/me/fast\\040disk rw - xfs /dev/vdb rw
32 22 0:42 / /mnt/both rw - ext4 /dev/vdc rw
33 32 0:43 / /mnt/both rw shared:5 master:3 - fuse.sshfs host: rw
"""


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/data/run", "ext4"),
        ("/home/me/run", "nfs4"),
        ("/homestead/run", "ext4"),
        ("/home/me/fast disk/run", "xfs"),
        ("/mnt/both", "fuse.sshfs"),
    ],
)
def test_the_file_system_of_a_folder(path, kind):
    assert filesystem(Path(path), MOUNTS) == kind


def test_network_file_systems_are_refused(tmp_path):
    (tmp_path / "mounts").write_text(MOUNTS)
    with pytest.raises(RunError, match=r"network file system \(nfs4\).*local disk"):
        refuse_network(Path("/home/me/run"), tmp_path / "mounts")
    refuse_network(Path("/data/run"), tmp_path / "mounts")


@pytest.fixture
def small_disk():
    """A file system of 512 kB of its own."""
    place = tempfile.mkdtemp()
    mount = shutil.which("mount")
    if (
        not mount
        or subprocess.run([mount, "-t", "tmpfs", "-o", "size=512k", "tmpfs", place], capture_output=True).returncode
    ):
        os.rmdir(place)
        pytest.skip("mounting needs root")
    yield Path(place)
    subprocess.run(["umount", place], check=True)
    os.rmdir(place)


def fill_up(folder):
    journal, stored = Journal.open(folder, SETTINGS), []
    with pytest.raises(RunError, match=r"(?i)free some space"):
        while True:
            number = len(stored)
            journal.finish(f"item {number}", "rc", "s", [{"id": number, "text": os.urandom(600).hex()}], [])
            stored.append(number)
    with contextlib.suppress(RunError):  # the ledger may not fit any more; the segments hold all
        journal.close()
    return stored


def test_a_full_disk_is_told_and_costs_nothing_finished(small_disk):
    (small_disk / "ballast").write_bytes(b"\0" * 200_000)
    stored = fill_up(small_disk / "run")
    assert len(stored) > 20
    (small_disk / "ballast").unlink()
    with Journal.open(small_disk / "run", SETTINGS) as journal:
        journal.finish("one more", "rc", "s", [{"id": -1}], [])
        assert sorted(record["id"] for record in journal.records()) == [-1, *stored]


def test_a_disk_full_from_the_start_is_told(small_disk):
    with pytest.raises(OSError), (small_disk / "ballast").open("wb", buffering=0) as file:
        while True:
            if file.write(b"\0" * 4096) < 4096:
                raise OSError
    assert "space" in refuse(small_disk / "run")


def test_a_read_only_disk_is_told_but_can_be_read(small_disk):
    with Journal.open(small_disk / "run", SETTINGS) as journal:
        journal.finish("item", "rc", "s", [{"id": 1}], [])
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    assert "read-only" in refuse(small_disk / "run")
    assert "read-only" in refuse(small_disk / "new")
    with Journal.read(small_disk / "run") as reader:
        assert list(reader.records()) == [{"id": 1}]
