"""Runs every arm as often as was asked, one after another; each is a run folder of its own, so all can be resumed."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import orjson

from agentinstruct.agents.errors import SetupError
from agentinstruct.dataset.measure import Embed
from agentinstruct.dataset.writing import replacing
from agentinstruct.experiment.arms import Arm
from agentinstruct.experiment.figures import ABOUT, Gathering, Result, compared
from agentinstruct.run.execute import Finished
from agentinstruct.run.plan import RunConfig
from agentinstruct.run.reader import JournalReader

Run = Callable[[RunConfig], Finished]
SPENT = 0.67
"""The share of its calls that an arm must have put into finished work to count as having spent them."""
MORE = (
    "Give more --calls, or make work items smaller (--categories-per-seed 1, --per-category 1, --per-goal 1, "
    "--solvers 1) or fewer at once (--max-concurrency)."
)


def conduct(arms: Sequence[Arm], calls: int, repeats: int, run: Run, tell: Callable[[str], None]) -> bool:
    """Run all arms; whether they came to their end, and were not stopped.

    Args:
        arms: What is compared.
        calls: Model calls that each arm may make in each repeat: what is spent alike.
        repeats: Runs of each arm, with other random choices.
        run: Runs one of them.
        tell: Told of each before it begins.
    """
    for repeat in range(repeats):
        for arm in arms:
            tell(f"{arm.name}, repeat {repeat + 1} of {repeats}")
            done = run(replace(arm.repeated(repeat), max_calls=calls))
            accepted, drafts = sum(done.summary.accepted.values()), done.summary.drafts
            tell(f"  {accepted} accepted of {drafts} drafts{' · stopped' if done.interrupted else ''}")
            if done.interrupted:
                return False
    return True


def results(arms: Sequence[Arm], repeats: int, embed: Embed) -> list[Result]:
    """The figures of the runs there are.

    Raises:
        RunError: a run cannot be read. SetupError: no arm has finished anything.
    """
    found = {arm.name: _read(arm, repeats) for arm in arms}
    if not any(arm.bought for arm in found.values()):
        raise SetupError("none of the seeds gives any work. Look at them with `agentinstruct preview`.")
    if not any(arm.yields.count for arm in found.values()):
        raise SetupError(f"nothing was finished with so many calls. {MORE}")
    return compared(found, embed, {arm.name: arm.about for arm in arms})


def _read(arm: Arm, repeats: int) -> Gathering:
    found = Gathering()
    for repeat in range(repeats):
        with JournalReader.read(arm.repeated(repeat).out) as journal:
            found.bought += journal.counts().calls
            for done in journal.outcomes():
                found.add(done)
    return found


def doubts(found: Sequence[Result], calls: int) -> list[str]:
    """What is to be said of arms that cannot be compared: without records, or without calls put into finished work."""
    unfinished = [one.name for one in found if one.bought >= SPENT * calls > one.calls]
    unspent = [one.name for one in found if one.bought < SPENT * calls]
    told = []
    if not any(one.records for one in found):
        told.append(
            "No arm has an accepted record. Read what was dropped (`agentinstruct view` an arm's folder): a stronger "
            "model passes more, and with --verify annotate what fails is kept, so that texts can be compared."
        )
    if unfinished:
        told.append(
            f"{', '.join(unfinished)}: over a third of the calls went into work that they did not finish. {MORE}"
        )
    if unspent:
        told.append(
            f"{', '.join(unspent)}: the seeds were used up before the calls. Give more seeds, or fewer --calls."
        )
    return told


def write_json(path: Path, settings: dict[str, Any], found: Sequence[Result]) -> None:
    """All figures as JSON."""
    told = {"settings": settings, "about": ABOUT, "arms": [asdict(one) for one in found]}
    with replacing(path) as temporary:
        temporary.write_bytes(orjson.dumps(told, option=orjson.OPT_INDENT_2))
