"""A quote: what a run would take, measured on a few of its work items and extrapolated to all of them.

    all seeds are read and routed ─ a few work items of each skill, drawn by their ids ─ really run, in the run folder
    └─ items by skill ──────────────────────────────────── × what those took and gave, with a range (run/quote.py)

What was run stays in the folder: the run that follows into the same one has it already.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from heapq import nsmallest
from math import inf
from typing import Any

from agentinstruct.agents.batch import BatchOptions
from agentinstruct.agents.errors import SetupError
from agentinstruct.agents.records import content_id
from agentinstruct.dataset.spending import spent_on
from agentinstruct.run.execute import opened, told_of
from agentinstruct.run.jobs import Jobs
from agentinstruct.run.journal import Journal
from agentinstruct.run.plan import RunConfig, Work, work_for
from agentinstruct.run.progress import Progress
from agentinstruct.run.quote import Quote, Sampled, extrapolated
from agentinstruct.run.runner import Runner
from agentinstruct.run.source import Source
from agentinstruct.run.summary import STAGES
from agentinstruct.run.timing import Timed


async def estimate(config: RunConfig, sample: int, watch: Callable[[Progress], None] = lambda progress: None) -> Quote:
    """Run a few work items of each skill and say what all of them would take.

    Args:
        config: The run; its folder keeps what is run here.
        sample: Work items of each skill.
        watch: Called once with the live progress before work begins.

    Raises:
        SetupError: something to put right before the first call. ProviderDown: a model does not serve.
    """
    timed = Timed.over(config.endpoints)
    live = replace(config, endpoints=timed, target=None, engine="local", workers=1, batch=BatchOptions())
    with opened(live) as (plain, journal):
        if Jobs(journal).jobs():
            raise SetupError("--out: this run has batch jobs open. Resume it to collect them, or estimate elsewhere.")
        progress = Progress()
        items, works = _drawn(Source(plain, journal, progress, plain.able_skills()[0]), sample)
        watch(progress)
        runner = Runner(plain, journal, progress, only=works)
        async with told_of(runner) as report:
            await runner.run()
            progress.items, report.state = items.total(), "budget reached" if progress.spent else "estimated"
        timed.keep(journal.folder)
        done = _measured(journal, {work.id for work in works})
    quote = Quote(progress.seeds, dict(items), dict(Counter(one.skill for one in done)))
    quote.failed, quote.trouble, quote.notices = progress.failed, progress.trouble, progress.notices
    if progress.spent:
        quote.notices = [*quote.notices, f"the budget was reached while sampling: {progress.spent}"]
    if lacking := sorted(set(quote.items) - set(quote.sampled)):
        quote.notices = [*quote.notices, f"not measured, and in no total: {', '.join(lacking)}"]
    if config.route == "agent":
        quote.notices = [*quote.notices, "seeds were routed by their features here, not by the agent"]
    processes = config.workers or (inf if config.engine == "ray" else 1)
    return extrapolated(quote, done, config, timed.paces(config.max_concurrency, processes))


def _drawn(source: Source, sample: int) -> tuple[Counter[str], list[Work]]:
    """How many work items each skill has, and those of them that are run: any one is as likely as any other."""
    mix, count = source.mix(), Counter[str]()
    drawn: dict[str, list[tuple[str, Work]]] = {}
    for seed in source.read():
        for work in work_for(seed, mix.take(seed, mix.suitable(seed)), source.config.context.seed):
            count[work.skill] += 1
            kept = [*drawn.get(work.skill, ()), (content_id(work.id, "estimate"), work)]
            drawn[work.skill] = nsmallest(sample, kept, key=lambda pair: pair[0])
    return count, [work for pairs in drawn.values() for _, work in pairs]


def _measured(journal: Journal, items: set[str]) -> list[Sampled]:
    return [_sampled(one) for one in journal.outcomes() if one["item"] in items]


def _sampled(outcome: Mapping[str, Any]) -> Sampled:
    records = outcome["records"]
    spent = spent_on([*records, *outcome["dropped"]])
    drafts = len(records) + sum(row["stage"].partition("/")[0] in STAGES for row in outcome["dropped"])
    return Sampled(outcome["skill"], spent, drafts, len(records), sum(row["accepted"] for row in records))
