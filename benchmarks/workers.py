"""Does throughput grow with `--workers`, and what does it cost? Against the mock server, at a fixed latency.

    python benchmarks/workers.py --each 16 --seconds 15 --workers 1 2 4 [--engine ray]

Each run is allowed `--each` calls at once per worker, so that an ideal run makes each · workers / latency calls a
second. It is measured once all workers are at work, and then stopped. CPU is that of all the run's processes; on Ray,
where two nodes are started on this machine, Ray's own processes are not counted.
"""

import argparse
import itertools
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.request import urlopen

HERE = Path(__file__).parent
LATENCY_S = 0.2
TICK = os.sysconf("SC_CLK_TCK")


def stats(url: str) -> dict[str, int]:
    """The server's counts."""
    with urlopen(f"{url.removesuffix('/v1')}/stats") as answer:
        return json.loads(answer.read())


def family(pid: int, *, ray: bool) -> list[int]:
    """A process and its workers: its children, or the actors of this machine."""
    listed = subprocess.run(["ps", "-Ao", "pid=,ppid=,args="], capture_output=True, text=True)
    found = [line.split(maxsplit=2) for line in listed.stdout.splitlines() if len(line.split(maxsplit=2)) == 3]
    mine = (one for one, parent, said in found if (said.startswith("ray::Actor") if ray else parent == str(pid)))
    return [pid, *map(int, mine)]


@contextmanager
def engine(name: str) -> Iterator[list[str]]:
    """The options that choose an engine, as long as it is there."""
    if name == "local":
        yield []
        return
    child = [sys.executable, str(HERE.parent / "tests" / "run" / "ray_child.py")]
    with subprocess.Popen(child, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as nodes:
        assert nodes.stdout
        yield ["--engine", "ray", "--address", nodes.stdout.readline().split()[0]]


def cpu(pids: list[int]) -> float:
    """Seconds of CPU these processes have used."""
    fields = (Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split() for pid in pids)
    return sum(int(one[11]) + int(one[12]) for one in fields) / TICK


def seeds(folder: Path, count: int) -> Path:
    """Documents that all differ: halves of the example seeds, combined and numbered."""
    found = sorted(path.read_text() for path in (HERE.parent / "examples" / "seeds").glob("*.txt"))
    halves = [text[:1200] for text in found] + [text[1200:2400] for text in found if len(text) > 2400]
    folder.mkdir()
    for number, (one, other) in enumerate(itertools.islice(itertools.cycle(itertools.permutations(halves, 2)), count)):
        (folder / f"{number}.txt").write_text(f"Record {number}. {one}\n\n{other}")
    return folder


def measure(
    url: str, documents: Path, out: Path, workers: int, given: argparse.Namespace, options_of_engine: list[str]
) -> tuple[float, float]:
    """Calls a second and ms of CPU per call, while a run is at full speed."""
    options = ["--model", "openai:any", "--base-url", url, "--verify", "annotate", "-s", "text_modification"]
    command = [sys.executable, "-m", "agentinstruct.cli.main", "run", str(documents), "--out", str(out), *options]
    command += ["--max-concurrency", str(given.each * workers), "--workers", str(workers), *options_of_engine]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    while stats(url)["in_flight"] < given.each * workers * 0.9:
        assert process.poll() is None, "the run ended before it was at full speed: give it more --seeds"
        time.sleep(0.05)
    time.sleep(2)
    pids = family(process.pid, ray=bool(options_of_engine))
    assert len(pids) == (1 if workers == 1 and not options_of_engine else workers + 1), pids
    before, used, begun = stats(url)["answered_ok"], cpu(pids), time.monotonic()
    time.sleep(given.seconds)
    calls, took, used = stats(url)["answered_ok"] - before, time.monotonic() - begun, cpu(pids) - used
    assert process.poll() is None, "the run ended while it was measured: give it more --seeds"
    process.send_signal(signal.SIGTERM)
    process.wait()
    return calls / took, 1000 * used / calls


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2, 4])
    parser.add_argument("--each", type=int, default=16, help="calls at once per worker")
    parser.add_argument("--seconds", type=float, default=15)
    parser.add_argument("--seeds", type=int, default=3000)
    parser.add_argument("--engine", choices=["local", "ray"], default="local")
    given = parser.parse_args()
    server = [
        sys.executable,
        str(HERE / "mock_server.py"),
        "--parent",
        str(os.getpid()),
        f"--latency=fixed:{LATENCY_S}",
    ]
    with (
        tempfile.TemporaryDirectory() as name,
        subprocess.Popen(server, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as mock,
        engine(given.engine) as chosen,
    ):
        assert mock.stdout
        url, documents = mock.stdout.readline().strip(), seeds(Path(name) / "seeds", given.seeds)
        print("| workers | calls at once | calls/s | of the ideal | ms CPU/call |\n| --- | --- | --- | --- | --- |")
        for workers in given.workers:
            rate, cost = measure(url, documents, Path(name) / f"out{workers}", workers, given, chosen)
            ideal = given.each * workers / LATENCY_S
            print(f"| {workers} | {given.each * workers} | {rate:.0f} | {rate / ideal:.0%} | {cost:.2f} |", flush=True)
        mock.terminate()


if __name__ == "__main__":
    main()
