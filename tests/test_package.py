"""What is installed: every file of the package, under its one name, importable without a warning."""

import json
import subprocess
import sys
import zipfile
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MAPPED = {name: f"agentinstruct/{name}" for name in ("agents", "graphs", "prompts", "tools")} | {
    "agentinstruct": "agentinstruct"
}
TOPS = set(MAPPED) - {"agentinstruct"}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel of the files that git knows or would take, built from a copy of them."""
    source, target = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    for name in listed("."):
        if name.split("/")[0] in {*MAPPED, "pyproject.toml", "README.md", "LICENSE", "NOTICE"}:
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            (source / name).write_bytes((ROOT / name).read_bytes())
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "-w", target, source]
    if new_enough("setuptools", 77):
        command += ["--no-build-isolation", "--no-index"]
    built = subprocess.run(command, capture_output=True, text=True)
    assert built.returncode == 0, built.stderr
    (path,) = target.glob("*.whl")
    return path


def new_enough(name, wanted):
    try:
        return int(version(name).split(".")[0]) >= wanted
    except PackageNotFoundError:
        return False


def listed(folder):
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", folder]
    names = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    return [name for name in names if (ROOT / name).is_file()]


def test_the_wheel_holds_the_whole_package_and_nothing_beside_it(wheel):
    wanted = {
        mapped + name.removeprefix(folder)
        for folder, mapped in MAPPED.items()
        for name in listed(folder)
        if Path(name).name not in (".gitignore", "README.md", "AGENTS.md")
    }
    with zipfile.ZipFile(wheel) as archive:
        found = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert found == wanted
    assert {"agentinstruct/py.typed", "agentinstruct/prompts/tool_use/skill.yaml"} <= found


def test_the_wheel_brings_its_command_and_its_licence(wheel):
    with zipfile.ZipFile(wheel) as archive:
        (folder,) = {name.split("/")[0] for name in archive.namelist() if ".dist-info/" in name}
        points = archive.read(f"{folder}/entry_points.txt").decode()
        metadata = archive.read(f"{folder}/METADATA").decode()
        tops = archive.read(f"{folder}/top_level.txt").decode().split()
        names = archive.namelist()
    assert "agentinstruct = agentinstruct.cli.main:main" in points
    assert tops == ["agentinstruct"]
    assert "Requires-Python: <3.14,>=3.11" in metadata
    assert any(name.endswith("licenses/LICENSE") for name in names)


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    """The wheel unpacked, as pip would."""
    folder = tmp_path_factory.mktemp("installed")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    return folder


def test_every_module_imports_without_a_warning_and_under_its_one_name(installed, tmp_path):
    script = """
import importlib.util, json, pkgutil, sys
import agentinstruct
names = [found.name for found in pkgutil.walk_packages(agentinstruct.__path__, "agentinstruct.")]
with_ray = importlib.util.find_spec("ray") is not None
for name in names:
    if ".run.ray_" in name and not with_ray:
        continue
    importlib.import_module(name)
print(json.dumps({"names": names, "place": agentinstruct.__file__, "tops": [m.split(".")[0] for m in sys.modules]}))
"""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", script],
        capture_output=True, text=True, cwd=tmp_path, env={"PYTHONPATH": str(installed)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert Path(said["place"]).is_relative_to(installed)
    modules = {name.removesuffix(".py").replace("/", ".") for name in modules_of(installed)}
    assert {name for name in modules if not name.endswith("__init__")} <= set(said["names"])
    assert TOPS.isdisjoint(said["tops"])


def modules_of(installed):
    return [str(path.relative_to(installed)) for path in (installed / "agentinstruct").rglob("*.py")]


def test_it_works_from_where_it_was_installed(installed, tmp_path):
    (tmp_path / "graphs").mkdir()
    (tmp_path / "agents.py").write_text("raise SystemExit('somebody else, of the same name')\n")
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "agentinstruct.cli.main", "skills"],
        capture_output=True, text=True, cwd=tmp_path, env={"PYTHONPATH": str(installed), "COLUMNS": "200"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "reading_comprehension" in done.stdout
