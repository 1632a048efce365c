"""How each skill is verified, as a table: what it has, which kinds of checks it runs, and what planted items show.

    python benchmarks/verification.py

The planted items are those of tests/planted: deliberately wrong ones that must be rejected, good ones that must not.
"""

import argparse
import asyncio
import importlib.util
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from agentinstruct.agents.checks import CHECKS
from agentinstruct.agents.skill import Skill, load_skill, skill_names

CASES = Path(__file__).parents[1] / "tests" / "planted" / "cases.py"
HEAD = ("skill", "categories", "transforms", "goals", "exact", "run", "model", "wrong rejected", "good accepted")


def planted() -> Any:
    """The module that reads and runs planted items."""
    spec = importlib.util.spec_from_file_location("planted_cases", CASES)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules["planted_cases"] = module
    spec.loader.exec_module(module)
    return module


def kinds(skill: Skill) -> Counter[str]:
    """How many checks of each kind a skill's policy and its categories name."""
    names = {name for category in skill.categories for name in skill.checks_of(category)}
    return Counter(CHECKS[name].cost for name in names)


async def row(skill: Skill, module: Any) -> tuple[str, ...]:
    """One line of the table."""
    path = module.FOLDER / f"{skill.name}.yaml"
    cases = module.cases(skill.name) if path.exists() else []
    outcomes = [(case.good, case.fits(await case.outcome())) for case in cases]
    good, wrong = [held for is_good, held in outcomes if is_good], [held for is_good, held in outcomes if not is_good]
    counts = kinds(skill)
    sizes = (len(skill.categories), len(skill.file.transforms), len(skill.goals))
    checks = (counts["exact"], counts["run"], counts["model"])
    shares = (f"{sum(wrong)} of {len(wrong)}", f"{sum(good)} of {len(good)}")
    return (skill.name, *map(str, (*sizes, *checks)), *shares)


async def table() -> list[tuple[str, ...]]:
    """All lines, and their sums."""
    module = planted()
    rows = [await row(load_skill(name), module) for name in skill_names()]
    total = sum(int(line[1]) for line in rows)
    return [HEAD, ("---",) * len(HEAD), *rows, (f"{len(rows)} skills", str(total), *[""] * (len(HEAD) - 2))]


if __name__ == "__main__":
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    for line in asyncio.run(table()):
        print(f"| {' | '.join(line)} |")
