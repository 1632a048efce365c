"""A run on a Ray cluster of two nodes on this machine, against one process: the same dataset, the same limit.

    python benchmarks/cluster.py --seeds 20000 --concurrency 64

Both make the same calls to a mock server that answers after 50 ms; its own count of calls in flight is shown.
"""

import argparse
import hashlib
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from urllib.request import Request, urlopen

from workers import HERE, seeds, stats

CHILD = HERE.parent / "tests" / "run" / "ray_child.py"
FEW = ["--categories-per-seed", "1", "--goals", "none", "--rounds", "0", "--transforms", "identity", "--solvers", "1"]


def reset(url: str) -> None:
    """Forget the server's counts."""
    body = json.dumps({"reset": True}).encode()
    urlopen(Request(f"{url.removesuffix('/v1')}/control", data=body)).close()


def ids(out: Path) -> str:
    """The hash of all records' ids."""
    found = sorted(json.loads(line)["id"] for path in (out / "data").glob("*.jsonl") for line in path.open())
    return f"{len(found)} records, {hashlib.sha256(chr(10).join(found).encode()).hexdigest()[:12]}"


def measure(url: str, documents: Path, out: Path, concurrency: int, *engine: str) -> str:
    """One run from start to end, as a row of the table."""
    reset(url)
    options = ["--model", "openai:any", "--base-url", url, "--verify", "off", "-s", "text_modification", *FEW]
    command = [sys.executable, "-m", "agentinstruct.cli.main", "run", str(documents), "--out", str(out), *options]
    begun = time.monotonic()
    subprocess.run([*command, "--max-concurrency", str(concurrency), *engine], check=True, stdout=subprocess.DEVNULL)
    took, seen = time.monotonic() - begun, stats(url)
    counts = f"{seen['answered_ok']} | {seen['answered_ok_repeats']} | {seen['max_in_flight']}"
    return f"{took:.0f} | {seen['answered_ok'] / took:.0f} | {counts} | {ids(out)}"


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=20_000)
    parser.add_argument("--concurrency", type=int, default=64)
    parser.add_argument("--latency", type=float, default=0.05)
    given = parser.parse_args()
    server = [sys.executable, str(HERE / "mock_server.py"), "--parent", str(os.getpid())]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with (
        tempfile.TemporaryDirectory() as name,
        subprocess.Popen([*server, f"--latency=fixed:{given.latency}"], **pipes) as mock,
        subprocess.Popen([sys.executable, str(CHILD)], **pipes) as nodes,
    ):
        url, documents = mock.stdout.readline().strip(), seeds(Path(name) / "seeds", given.seeds)
        address = nodes.stdout.readline().split()[0]
        print("| engine | seconds | calls/s | calls | repeated | most in flight | dataset |\n" + "| --- " * 7 + "|")
        ray = ("--engine", "ray", "--address", address)
        for label, engine in (("one process", ()), ("Ray, 4 workers on 2 nodes", (*ray, "--workers", "4"))):
            row = measure(url, documents, Path(name) / label.split()[0].rstrip(","), given.concurrency, *engine)
            print(f"| {label} | {row} |", flush=True)
        nodes.stdin.close()
        mock.terminate()


if __name__ == "__main__":
    main()
