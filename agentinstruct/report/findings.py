"""What of all figures is worth a look: the few sentences that somebody who knows them all would say first."""

from collections.abc import Iterator

from agentinstruct.report.gather import Gathered
from agentinstruct.report.words import counted, named, percent

FEW = 0.25
"""A yield below this is low."""
SURE = 0.01
MOST = 8


def findings(found: Gathered) -> list[tuple[str, str]]:
    """Sentences, each with the section that shows it."""
    told = [*_yield(found), *_coverage(found), *_refinement(found), *_variety(found), *_bias(found)]
    return told[:MOST]


def _yield(found: Gathered) -> Iterator[tuple[str, str]]:
    if found.view.counts.failed:
        yield "funnel", f"{counted(found.view.counts.failed, 'work item')} failed and wait for another try."
    counts, total = found.measures.counted, found.measures.counted.total
    if total.drafts and not total.accepted and counts.reasons:
        (_, stage, reason), most = counts.reasons.most_common(1)[0]
        yield (
            "examples",
            f"No draft passed; most were dropped for {stage}: {reason} ({most:,}). Read some: a stronger model writes "
            "what passes, and a run with “verify annotate” keeps what does not, with its verdicts.",
        )
        return
    low = [
        f"{named(skill)} ({percent(one.passed.value)})"
        for skill, one in counts.funnels.items()
        if one.passed.high is not None and one.passed.high < FEW
    ]
    if low:
        every = len(low) > 3 and len(low) == len(counts.funnels)
        yield "funnel", f"Few drafts pass in {'any skill' if every else ', '.join(low)}."
    checks = counts.checks.items()
    hard = sorted(((one.failed / one.asked, key, one) for key, one in checks if one.asked >= 20), reverse=True)
    if hard and hard[0][0] > 1 - FEW:
        _, (skill, check, _), one = hard[0]
        yield (
            "quality",
            f"{named(check)} stops {one.failed:,} of {one.asked:,} drafts of {named(skill)}: read some of them.",
        )


def _coverage(found: Gathered) -> Iterator[tuple[str, str]]:
    never = {skill: one.never for skill, one in found.measures.coverage.items() if one.never}
    count = sum(map(len, never.values()))
    if count and found.measures.counted.total.drafts:
        most = max(never, key=lambda skill: len(never[skill]))
        yield (
            "coverage",
            f"{counted(count, 'category', 'categories')} were never drawn, most in {named(most)}: more seeds draw "
            "more.",
        )


def _refinement(found: Gathered) -> Iterator[tuple[str, str]]:
    drop = found.measures.hardness.changes.get("accuracy")
    if drop and drop.value is not None and drop.low is not None and drop.low <= 0:
        yield (
            "difficulty",
            "Solvers do no worse on refined items than on their originals: refinement is not shown to add difficulty.",
        )


def _variety(found: Gathered) -> Iterator[tuple[str, str]]:
    repeated, total = found.measures.counted.repeated, found.measures.counted.total.records
    if repeated:
        yield (
            "diversity",
            f"{counted(repeated, 'record')} of {total:,} ask what another one asks, word for word: deduplicate.",
        )
    alike = [named(skill) for skill, one in found.measures.diversity.items() if skill and (one.far.low or 0) > FEW]
    if alike:
        yield (
            "diversity",
            f"Over a quarter of instructions have a near-duplicate of another seed in {', '.join(alike)}.",
        )
    for one in found.measures.keys:
        if one.enough and one.p < SURE:
            yield "diversity", f"With {one.options} options the right one stands unevenly (p = {one.p:.3f})."


def _bias(found: Gathered) -> Iterator[tuple[str, str]]:
    unlike = {one.kind: one for one in found.measures.bias.mentions if one.unlike}
    for one in unlike.values():
        yield (
            "bias",
            f"{one.kind}: {one.group} {percent(one.seeds.value)} of mentions in the seeds, "
            f"{percent(one.records.value)} in the records.",
        )
