"""What 25 million accepted records take: measured on real runs of every skill's flow with the scripted model.

    python benchmarks/capacity.py --sample 10 > capacity.md

Calls and what prompts hold are the flows' own. What the stand-in writes is shorter than what a model writes, so tokens
written are also shown at `--longer` times as many, and tokens read with what that adds to later prompts.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from agentinstruct.tools.prices import price_date, price_table

ROOT = Path(__file__).parents[1]
MODELS = ("gpt-5-nano", "gpt-4o-mini", "gpt-5-mini", "gpt-4.1")
CACHED = (0.0, 0.5)
"""Shares of the tokens read that come from a cache of prefixes."""


def measured(sample: int, records: int, out: Path) -> dict[str, dict]:
    """The quote of `agentinstruct estimate`, as JSON."""
    command = [sys.executable, "-m", "agentinstruct.cli.main", "estimate", str(ROOT / "examples" / "seeds"), "--json"]
    command += ["--model", "scripted", "--mix", "all", "--sample", str(sample), "--at-scale", str(records)]
    done = subprocess.run([*command, "--out", str(out)], check=True, stdout=subprocess.PIPE, cwd=out.parent)
    return json.loads(done.stdout)


def by_skill(quote: dict[str, dict]) -> None:
    """Print what an accepted record of each skill takes."""
    print("| skill | items measured | calls | tokens read | tokens written | of all drafts accepted |")
    print("| --- " * 6 + "|")
    for skill, parts in sorted(quote["skills"].items()):
        accepted = parts["accepted"]["value"]
        each = [parts[name]["value"] / accepted for name in ("calls", "input_tokens", "output_tokens")]
        share = accepted / parts["drafts"]["value"]
        print(
            f"| {skill} | {quote['sampled'][skill]} | {each[0]:.1f} | {each[1]:,.0f} | {each[2]:,.0f} | {share:.0%} |"
        )


def costs(scale: dict[str, float], longer: float) -> None:
    """Print what all of them cost at list prices."""
    written = scale["written"] * longer
    read = scale["read"] + 2 * (written - scale["written"])  # what is written is read again: edited, answered, judged
    print(
        f"\n{scale['records']:,} records: {scale['calls'] / 1e6:,.0f} million calls, {read / 1e9:,.0f} G tokens read, ",
        end="",
    )
    print(f"{written / 1e9:,.1f} G written, {scale['journal_bytes'] / 1e9:,.0f} GB of journal, ", end="")
    print(f"{scale['cpu_hours']:,.0f} hours of client CPU. USD at list prices of {price_date()}:\n")
    names = [f"{share:.0%} cached{way}" for way in ("", ", by batch") for share in CACHED]
    print("| model | " + " | ".join(names) + " |\n" + "| --- " * (1 + len(names)) + "|")
    for model in MODELS:
        price = price_table()[model]
        usd = [price.of(int(read), int(read * share), int(written)) * part for part in (1, 0.5) for share in CACHED]
        print(f"| {model} | " + " | ".join(f"{one:,.0f}" for one in usd) + " |")


def main() -> None:
    """Measure and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sample", type=int, default=10)
    parser.add_argument("--records", type=int, default=25_000_000)
    parser.add_argument("--longer", type=float, default=3.0, help="how much more a real model writes")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        quote = measured(given.sample, given.records, Path(name) / "out")
    by_skill(quote)
    costs(quote["at_scale"], given.longer)


if __name__ == "__main__":
    main()
