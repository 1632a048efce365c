"""The battery as a program: every attack in one sandbox, or the harmless ones in none; a JSON report at the end.

python main.py landlock [--abi 1] [--only GROUP/NAME …]        python main.py wasm        python main.py none
"""

import argparse
import json
import os
import secrets
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

from attack import PRELUDE, Attack  # noqa: E402
from attacks_files import FILES  # noqa: E402
from attacks_kernel import SYSTEM  # noqa: E402
from attacks_language import LANGUAGE  # noqa: E402
from attacks_network import NETWORK  # noqa: E402
from attacks_resources import RESOURCES  # noqa: E402
from world import World  # noqa: E402

ATTACKS = [*FILES, *NETWORK, *SYSTEM, *RESOURCES, *LANGUAGE]


def sandboxed(source: str, attack: Attack, options: argparse.Namespace) -> Any:
    from agentinstruct.tools.sandbox import Limits, Sandbox

    sandbox = Sandbox(backend=options.backend, landlock_abi=options.abi)
    return sandbox.run(source, limits=Limits(**attack.limits))


def bare(source: str, attack: Attack, options: argparse.Namespace) -> Any:
    """No sandbox at all: the attacks chosen for this are harmless beyond the world they are given."""
    with tempfile.TemporaryDirectory() as folder:
        result = subprocess.run(
            [sys.executable, "-c", source], cwd=folder, capture_output=True, timeout=60, start_new_session=True
        )
    out, err = result.stdout.decode("utf-8", "replace"), result.stderr.decode("utf-8", "replace")
    return SimpleNamespace(stdout=out, stderr=err, artifacts=(), status="ok", returncode=result.returncode)


def attacked(attack: Attack, world: World, options: argparse.Namespace) -> dict[str, Any]:
    world.reset()
    run = bare if options.backend == "none" else sandboxed
    source = f"R = {world.reach()!r}\n{PRELUDE}\n{attack.source}\n"
    started = time.monotonic()
    result = run(source, attack, options)
    shown = result.stdout + result.stderr + "".join(str(artifact) for artifact in result.artifacts)
    problems = [world.harm(shown)]
    if options.backend != "none" and result.status != "unsupported":  # that is a refusal too
        problems.append(attack.judge(result))
        problems.append("" if result.status in attack.statuses else f"ended as {result.status}: {result.stderr[-300:]}")
    return {
        "name": f"{attack.group}/{attack.name}",
        "leak": "; ".join(filter(None, problems)),
        "status": result.status,
        "seconds": round(time.monotonic() - started, 3),
        "last": result.stderr[-120:],
    }


def main() -> None:
    if "BATTERY_SECRET" not in os.environ:  # from the start, so that /proc shows it too
        os.execve(sys.executable, [sys.executable, *sys.argv], {**os.environ, "BATTERY_SECRET": secrets.token_hex(16)})
    parser = argparse.ArgumentParser()
    parser.add_argument("backend", choices=["bwrap", "landlock", "wasm", "none"])
    parser.add_argument("--abi", type=int)
    parser.add_argument("--only", nargs="*", help="groups, or GROUP/NAME")
    options = parser.parse_args()
    chosen = [attack for attack in ATTACKS if options.backend != "none" or attack.bare]
    if options.only:
        chosen = [attack for attack in chosen if {attack.group, f"{attack.group}/{attack.name}"} & {*options.only}]
    open_before = len(os.listdir("/proc/self/fd"))
    world = World()
    try:
        report = [attacked(attack, world, options) for attack in chosen]
    finally:
        world.close()
    json.dump(
        {"uid": os.geteuid(), "attacks": report, "descriptors": len(os.listdir("/proc/self/fd")) - open_before},
        sys.stdout,
    )


if __name__ == "__main__":
    main()
