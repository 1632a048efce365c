"""The throughput benchmark in small: what was recorded is what both clients send, and the run makes its records."""

import json
import subprocess
import sys
from pathlib import Path

PROGRAM = str(Path(__file__).parents[2] / "benchmarks" / "throughput")
RECORD = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
import material
where = Path(sys.argv[2])
print(material.record(material.write_seeds(where / "seeds.jsonl", 2), where / "recorded.jsonl"))
"""


def run(*arguments: str) -> str:
    done = subprocess.run([sys.executable, *arguments], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()[-1]


def test_a_run_and_the_bare_client_make_the_recorded_calls(tmp_path: Path) -> None:
    recorded = int(run("-c", RECORD, PROGRAM, str(tmp_path)))
    files = {"seeds": str(tmp_path / "seeds.jsonl"), "recorded": str(tmp_path / "recorded.jsonl"), "spawned": 0}
    command = [sys.executable, PROGRAM, "serve", files["recorded"]]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            url = server.stdout.readline().strip()
            for client in ("bare", "ours"):
                given = {**files, "url": url, "width": 8, "out": str(tmp_path / "out")}
                told = json.loads(run(PROGRAM, "client", client, json.dumps(given)))
                assert told["calls"] == recorded > 100
                assert told["cpu_s"] > 0
            assert told["records"] > 10
        finally:
            server.kill()
