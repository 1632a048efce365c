"""The battery on every backend that works here, as root and as a user; on none, it must succeed.

An interpreter below a private home (pyenv or uv of root) is out of reach for another uid. So the user's run has a mount
namespace of its own in which that home is an empty file system, with the interpreter bound back where it was.
"""

import json
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from agentinstruct.tools import userfolder
from agentinstruct.tools.sandbox import backends, bubblewrap

MAIN = Path(__file__).parent / "battery" / "main.py"
REPOSITORY = Path(__file__).parents[3]
USER = 61234

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the sandbox needs Linux")


@dataclass(frozen=True)
class Variant:
    """`reachable`: as root, the interpreter where another uid gets at it, so that jobs have a uid of their own."""

    backend: str
    user: bool = False
    reachable: bool = False
    options: tuple[str, ...] = ()
    least: int = 200

    def __str__(self) -> str:
        who = "user" if self.user else "root, job's own uid" if self.reachable else "root"
        abi = f" ABI {self.options[1]}" if "--abi" in self.options else ""
        return f"{self.backend}{abi} as {who}"


VARIANTS = [
    Variant("bwrap"),
    Variant("bwrap", user=True),
    Variant("landlock"),
    Variant("landlock", reachable=True),
    Variant("landlock", user=True),
    Variant("landlock", user=True, options=("--abi", "1", "--only", "files", "network", "kernel"), least=130),
    Variant("wasm", options=("--only", "files", "network", "resources", "language"), least=160),
]
NO_SANDBOX = Variant("none", least=70)


def reason_to_skip(variant: Variant) -> str:
    """Why a variant cannot run here, "" where it can."""
    if variant.backend == "wasm":
        return "" if backends()[2].works else f"WebAssembly does not work here: {backends()[2].reason}"
    if os.geteuid() != 0 and (variant.reachable or not variant.user):
        return "needs root; this is a user"
    if (variant.user or variant.reachable) and os.geteuid() == 0:
        if not shutil.which("unshare") or not shutil.which("setpriv"):
            return "needs unshare and setpriv (util-linux)"
        if subprocess.run(["unshare", "--mount", "true"], capture_output=True).returncode:
            return "this root may not make a mount namespace, so no user can be given the interpreter"
    if variant.backend == "bwrap" and not bubblewrap.executable():
        return "bubblewrap is not installed (apt-get install bubblewrap)"
    if variant.backend == "bwrap" and not variant.user:
        return "" if backends()[0].works else f"bubblewrap does not work here: {backends()[0].reason}"
    return ""


def command(variant: Variant, temp: Path) -> list[str]:
    battery = [sys.executable, str(MAIN), variant.backend, *variant.options]
    if os.geteuid() != 0 or not (variant.user or variant.reachable):
        return battery
    steps = ["set -e"]
    for number, home in enumerate(private_folders()):
        kept = [path for path in (Path(sys.base_prefix), REPOSITORY) if path.is_relative_to(home)]
        for index, path in enumerate(kept):
            steps += [
                f"mkdir {temp}/{number}-{index}",
                f"mount --bind {shlex.quote(str(path))} {temp}/{number}-{index}",
            ]
        steps.append(f"mount -t tmpfs -o mode=755 none {shlex.quote(str(home))}")
        for index, path in enumerate(kept):
            steps += [f"mkdir -p {shlex.quote(str(path))}"]
            steps += [f"mount --bind {temp}/{number}-{index} {shlex.quote(str(path))}"]
    drop = ["setpriv", f"--reuid={USER}", f"--regid={USER}", "--clear-groups"] if variant.user else []
    steps.append(f"exec {shlex.join([*drop, *battery])}")
    return ["unshare", "--mount", "--propagation", "private", "sh", "-c", "\n".join(steps)]


def private_folders() -> list[Path]:
    """The outermost folders above the interpreter and this repository that others may not pass."""
    found = []
    for path in (Path(sys.base_prefix), REPOSITORY):
        above = [folder for folder in reversed((path, *path.parents)) if not folder.stat().st_mode & 0o001]
        found += above[:1]
    return list(dict.fromkeys(found))


def run(variant: Variant) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="battery-temp-") as name:
        temp = Path(name)
        temp.chmod(0o755)
        mine = temp / "tmp"
        mine.mkdir()
        mine.chmod(0o777)
        environment = {
            "PATH": os.environ["PATH"],
            "TMPDIR": str(mine),
            "LANG": "C.UTF-8",
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONPATH": os.environ.get("PYTHONPATH", ""),
            "XDG_CACHE_HOME": str(userfolder.cache().parent),
        }
        done = subprocess.run(
            command(variant, temp), capture_output=True, text=True, timeout=300, env=environment, cwd="/"
        )
        assert done.returncode == 0, done.stderr[-2000:]
        report: dict[str, Any] = json.loads(done.stdout)
        report["left"] = os.listdir(mine)
    return report


@pytest.fixture(scope="module")
def reports() -> Iterator[dict[Variant, Future[dict[str, Any]]]]:
    """All variants, two at a time."""
    with ThreadPoolExecutor(2) as pool:
        runs = {
            variant: pool.submit(run, variant) for variant in [NO_SANDBOX, *VARIANTS] if not reason_to_skip(variant)
        }
        yield runs
        for started in runs.values():
            started.cancel()


@pytest.mark.parametrize("variant", VARIANTS, ids=str)
def test_no_attack_gets_through(variant: Variant, reports: dict[Variant, Future[dict[str, Any]]]) -> None:
    if reason := reason_to_skip(variant):
        pytest.skip(reason)
    report = reports[variant].result()
    leaks = {attack["name"]: attack["leak"] for attack in report["attacks"] if attack["leak"]}
    assert not leaks
    assert len(report["attacks"]) >= variant.least
    assert (report["uid"] != 0) == (variant.user or os.geteuid() != 0)
    assert (report["descriptors"], report["left"]) == (0, [])


def test_without_a_sandbox_the_attacks_succeed(reports: dict[Variant, Future[dict[str, Any]]]) -> None:
    if reason := reason_to_skip(NO_SANDBOX):
        pytest.skip(reason)
    report = reports[NO_SANDBOX].result()
    blocked = [attack["name"] for attack in report["attacks"] if not attack["leak"]]
    assert len(report["attacks"]) >= NO_SANDBOX.least
    assert blocked == []
