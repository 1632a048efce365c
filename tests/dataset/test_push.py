"""Pushing to the Hub: the real client against a fake server; what is refused, resumed, deleted and kept quiet."""

import json
import os
import subprocess
import sys
from hashlib import sha256

import pytest
from typer.testing import CliRunner

from agentinstruct.cli.main import app
from agentinstruct.dataset.export import export
from agentinstruct.run.journal import Journal
from tests.dataset.hub import Hub
from tests.dataset.test_export import item, record

TOKEN = "hf_abcdefghijklmnopqrstuvwxyz"


@pytest.fixture
def hub():
    with Hub(TOKEN) as server:
        yield server
        server.shutdown()


@pytest.fixture
def folder(tmp_path):
    with Journal.open(tmp_path / "run", {}) as journal:
        for number in range(4):
            work, rows, dropped = item(number)
            journal.finish(work, "reading_comprehension", str(number), rows, dropped)
        return export(journal, tmp_path / "data").folder


@pytest.fixture
def push(hub, tmp_path):
    """The command, in a process of its own, with a home of its own."""

    def run(*arguments, token=TOKEN, verbosity="warning"):
        environment = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": os.environ.get("PYTHONPATH", ""),
            "PYTHONSAFEPATH": "1",
            "HOME": str(tmp_path / "home"),
            "HF_ENDPOINT": hub.url,
            "HF_HUB_DISABLE_XET": "1",
            "HF_HUB_VERBOSITY": verbosity,
        } | ({"HF_TOKEN": token} if token else {})
        command = [sys.executable, "-m", "agentinstruct.cli.main", "push", *map(str, arguments)]
        return subprocess.run(command, env=environment, capture_output=True, text=True, cwd=tmp_path)

    return run


def refused(folder):
    """The command in this process: it is refused before the client is even loaded."""
    done = CliRunner().invoke(app, ["push", str(folder), "me/mine"])
    assert done.exit_code == 2
    return done.stderr


def licensed(tmp_path, licence):
    row = record(1) | {"licence": licence}
    with Journal.open(tmp_path / "licensed run", {}) as journal:
        journal.finish("ab" * 16, "reading_comprehension", "1", [row], [])
        return export(journal, tmp_path / "licensed").folder


def test_a_dataset_is_pushed_whole_private_and_in_one_commit(push, hub, folder):
    done = push(folder, "me/mine", verbosity="debug")
    assert done.returncode == 0, done.stderr
    assert f"{hub.url}/datasets/me/mine (private)" in done.stdout
    local = {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert hub.files("me/mine") == {name: body for name, body in local.items() if name != "dropped.jsonl"}
    assert (hub.repos["me/mine"]["private"], hub.repos["me/mine"]["commits"]) == (True, 1)
    assert TOKEN not in done.stdout + done.stderr


def test_what_was_cleaned_away_stays_at_home(push, hub, tmp_path):
    with Journal.open(tmp_path / "run", {}) as journal:
        for number in range(4):
            journal.finish(item(number)[0], "reading_comprehension", str(number), [record(number)], [])
    done = CliRunner().invoke(app, ["export", str(tmp_path / "run"), "--out", str(tmp_path / "clean"), "--dedup"])
    assert done.exit_code == 0 and (tmp_path / "clean" / "removed.jsonl").stat().st_size
    assert push(tmp_path / "clean", "me/mine").returncode == 0
    there = hub.files("me/mine").keys()
    assert "data/rc.jsonl" in there and "clean.json" in there and not {"removed.jsonl", "dropped.jsonl"} & there


def test_what_was_uploaded_before_a_failure_is_not_uploaded_again(push, hub, folder):
    hub.fails_at = "/commit/"
    failed = push(folder, "me/mine")
    assert failed.returncode == 69
    assert "the moon is in the way" in failed.stderr and "same command again" in failed.stderr
    assert hub.files("me/mine") == {}
    uploads = len(hub.blobs)
    assert uploads == 4
    hub.fails_at, hub.asked = "", []
    assert push(folder, "me/mine").returncode == 0
    assert not [path for method, path in hub.asked if method == "PUT"]
    assert len(hub.files("me/mine")) == len([path for path in folder.rglob("*") if path.is_file()]) - 1


def test_a_second_push_takes_away_its_old_files_and_nothing_of_yours(push, hub, folder, tmp_path):
    assert push(folder, "me/mine").returncode == 0
    hub.files("me/mine")["data/yours.jsonl"] = b"{}\n"
    with Journal.open(tmp_path / "other run", {}) as journal:
        journal.finish("ab" * 16, "fermi", "9", [record(9, "fermi", "fermi")], [])
        export(journal, folder)
    assert push(folder, "me/mine").returncode == 0
    assert {name for name in hub.files("me/mine") if "/" in name} == {
        "data/fermi.jsonl",
        "data/yours.jsonl",
        "parquet/fermi.parquet",
    }


@pytest.mark.parametrize("token", ["hf_zyxwvutsrqponmlkjihgfedcba", ""])
def test_without_a_right_token_the_hubs_refusal_is_told_and_no_token(push, folder, token):
    done = push(folder, "me/mine", token=token)
    assert done.returncode == 69
    assert "HF_TOKEN" in done.stderr
    assert "Traceback" not in done.stderr
    assert not token or token not in done.stderr + done.stdout


def test_a_licence_that_forbids_it_is_refused_with_the_way_out(tmp_path):
    told = refused(licensed(tmp_path, "CC-BY-NC-ND-4.0"))
    assert "CC-BY-NC-ND-4.0 (1 records)" in told
    assert "--without-licence 'CC-BY-NC-ND-4.0'" in told


def test_an_unknown_licence_is_told_and_pushed(push, hub, tmp_path):
    done = push(licensed(tmp_path, "unknown"), "mine", "--public")
    assert done.returncode == 0
    assert "1 records come from sources of unknown licence" in done.stderr
    assert hub.repos["me/mine"]["private"] is False


def test_a_changed_file_and_a_folder_without_a_dataset_are_refused(folder, tmp_path):
    with (folder / "data" / "rc.jsonl").open("a") as file:
        file.write("{}\n")
    assert "rc.jsonl: not as it was exported" in refused(folder)
    assert "agentinstruct export" in refused(tmp_path)


def test_a_file_outside_the_folder_is_never_read(folder, tmp_path):
    (tmp_path / "mine.txt").write_text("secret")
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["files"]["../mine.txt"] = {"bytes": 6, "sha256": sha256(b"secret").hexdigest()}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    assert "mine.txt: not as it was exported" in refused(folder)


def test_a_hub_that_is_not_there_is_told(push, hub, folder):
    hub.shutdown()
    hub.server_close()
    done = push(folder, "me/mine")
    assert done.returncode == 69
    assert "Traceback" not in done.stderr
    assert "same command again" in done.stderr
