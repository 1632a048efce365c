"""How fresh a set of pieces is: how evenly it spreads over openings and names, and what it wears out.

python benchmarks/freshness.py runs/mine/data/creative_content.jsonl
"""

import argparse
import json
import re
from collections import Counter
from pathlib import Path

from agentinstruct.tools.freshness import evenness, opening_of, worn_names, worn_opening, worn_phrases

_NAME = re.compile(r"(?<=[a-z,;] )[A-Z][a-z]{2,}")


def main(paths: list[str]) -> None:
    """Print the statistics of each file."""
    for path in paths:
        rows = [json.loads(line) for line in Path(path).read_text(encoding="utf-8").splitlines()]
        pieces = [row["messages"][-1]["content"] for row in rows]
        openings = [opening_of(piece) for piece in pieces]
        names = [name for piece in pieces for name in dict.fromkeys(_NAME.findall(piece))]
        print(f"{path}: {len(pieces)} pieces")
        print(f"  openings: evenness {evenness(openings):.2f}; most often {_most(openings)}")
        print(f"  names: evenness {evenness(names):.2f}; most often {_most(names)}")
        worn = [
            word for piece in pieces for word in (worn_opening(piece), *worn_phrases(piece), *worn_names(piece)) if word
        ]
        print(f"  worn: {len(worn)} in all; most often {_most(worn)}")


def _most(values: list[str]) -> str:
    return ", ".join(f"{value!r} {times}" for value, times in Counter(values).most_common(5)) or "none"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+", metavar="FILE", help="JSON lines of records")
    main(parser.parse_args().files)
