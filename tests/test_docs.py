"""What the documents tell a reader to type works as they say."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
COMMANDS = [
    line.partition("#")[0].strip()
    for block in re.findall(r"```bash\n(.*?)```", README, re.DOTALL)
    for line in block.splitlines()
    if line.strip()
]


def run(command: list[str], tmp_path: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=240, env={**os.environ, "TMPDIR": str(tmp_path)}
    )


@pytest.mark.parametrize("command", [c for c in COMMANDS if c.startswith("agentinstruct")])
def test_the_readmes_commands_work(command: str, tmp_path: Path) -> None:
    words = shlex.split(command.replace("runs/", f"{tmp_path}/"))
    done = run([sys.executable, "-m", "agentinstruct.cli.main", *words[1:]], tmp_path)
    assert done.returncode == 0, done.stderr
    if "--out" in words:
        assert list(Path(words[words.index("--out") + 1]).glob("data/*.jsonl"))


def test_every_make_target_the_documents_name_exists() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    documents = README + (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    named = set(re.findall(r"^make (\w+)", documents, re.MULTILINE))
    assert {"demo", "test", "check", "serve"} <= named
    for target in named:
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


def test_the_readmes_python_runs_and_prints_a_record(tmp_path: Path) -> None:
    (snippet,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    done = run([sys.executable, "-W", "error", "-c", snippet], tmp_path)
    assert done.returncode == 0, done.stderr
    assert "→" in done.stdout


ON_A_SERVER = "remote.py"  # tests/clients


@pytest.mark.parametrize(
    "script", sorted(set(ROOT.glob("examples/*.py")) - {ROOT / "examples" / ON_A_SERVER}), ids=lambda path: path.name
)
def test_examples_run_and_are_short(script: Path, tmp_path: Path) -> None:
    text = script.read_text(encoding="utf-8").replace("runs/example", f"{tmp_path}/run")
    copy = tmp_path / script.name
    copy.write_text(text, encoding="utf-8")
    done = run([sys.executable, "-W", "error", str(copy)], tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() and not done.stderr.strip()
    assert len(text.splitlines()) < 60


def test_links_between_documents_lead_somewhere() -> None:
    for name in ("README.md", "ARCHITECTURE.md", "CONTRIBUTING.md"):
        for target in re.findall(r"\]\((?!https?:)([^)#]+)", (ROOT / name).read_text(encoding="utf-8")):
            assert (ROOT / target).exists(), f"{name}: {target}"
