"""How much CPU and memory a run takes beside the bare calls, and beside the same flow on LangGraph and ChatOpenAI.

    python benchmarks/throughput                a table, and docs/benchmarks.md and docs/benchmarks.svg
    python benchmarks/throughput --full         memory up to 100,000 seeds
    python benchmarks/throughput --quick        a look, in a minute

Every client is a process of its own against a server of its own that repeats recorded replies (`replies.py`). Ratios
are of runs side by side; each figure is the median of the rounds.
"""

import argparse
import asyncio
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import orjson

FOLDER = Path(__file__).parent
sys.path.insert(0, str(FOLDER))  # where PYTHONSAFEPATH leaves it out


def options() -> argparse.Namespace:
    """The command line."""
    given = argparse.ArgumentParser(prog="python benchmarks/throughput", description=__doc__)
    given.add_argument("--seeds", type=int, default=200, help="seeds of the common workload (125 calls each)")
    given.add_argument("--rounds", type=int, default=3)
    given.add_argument("--full", action="store_true", help="memory up to 100,000 seeds instead of 5,000")
    given.add_argument("--quick", action="store_true", help="few seeds, one round")
    given.add_argument("--out", type=Path, default=FOLDER.parents[1] / "docs", help="where table and plot go")
    given.add_argument("part", nargs="*", help=argparse.SUPPRESS)
    return given.parse_args()


def main() -> None:
    """Measure, or be one of the processes that are measured."""
    given = options()
    if given.part[:1] == ["serve"]:
        import replies
        import uvloop

        uvloop.run(replies.serve(Path(given.part[1])))
    elif given.part[:1] == ["client"]:
        import clients

        clients.main(given.part[1], orjson.loads(given.part[2]))
    else:
        import measure
        import report

        with TemporaryDirectory(prefix="throughput-") as folder:
            plan = measure.Plan.of(given)
            found = asyncio.run(measure.measured(plan, Path(folder)))
        report.write(found, given.out)


if __name__ == "__main__":
    main()
