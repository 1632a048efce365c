"""The files that servers are configured by say what is meant, and lead to what is there."""

import json
import runpy
import subprocess
import sys
from pathlib import Path

from tests.server.conftest import ROOT

OURS = json.loads((ROOT / "langgraph.json").read_text())


def test_aegra_serves_the_same_graphs() -> None:
    command = [sys.executable, "-m", "agentinstruct.server.aegra"]
    config = json.loads(subprocess.run(command, check=True, capture_output=True, cwd=ROOT).stdout)
    assert list(config["graphs"]) == list(OURS["graphs"])
    assert config["auth"]["path"] == OURS["auth"]["path"] and config["http"]["app"] == OURS["http"]["app"]
    files = [graph["path"].partition(":")[::2] for graph in config["graphs"].values()]
    loaded = {path: runpy.run_path(path) for path in {path for path, _ in files}}
    assert [loaded[path][name].name for path, name in files] == list(config["graphs"])


def test_studio_has_no_way_around_a_key() -> None:
    assert OURS["auth"]["disable_studio_auth"] and OURS["http"]["enable_custom_route_auth"]
    assert OURS["http"]["middleware_order"] == "auth_first"


def test_an_image_is_made_with_the_graphs_the_door_and_what_skills_need(tmp_path: Path) -> None:
    command = [str(Path(sys.executable).with_name("langgraph")), "dockerfile", "-c", str(ROOT / "langgraph.json")]
    subprocess.run([*command, str(tmp_path / "Dockerfile")], check=True, capture_output=True)
    image = (tmp_path / "Dockerfile").read_text()
    for told in ("ADD . /deps/", OURS["auth"]["path"], OURS["http"]["app"], "pint z3-solver", "graphs.teacher:teacher"):
        assert told in image
    assert ">=" not in image, "an unquoted version would redirect the shell's output"
