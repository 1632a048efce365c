"""Where drafts went: the funnel, by skill, by reason and by check."""

from collections import Counter

from agentinstruct.dataset.measure_yield import STAGES, Funnel
from agentinstruct.report.charts import Part, bar, dots, lines_table, ribbon
from agentinstruct.report.gather import Gathered
from agentinstruct.report.html import Html, tag
from agentinstruct.report.section import Section, block, empty, legend, more
from agentinstruct.report.words import counted, interval, named, percent

REASONS = 12
CHECKS = 20
_COLOUR = {"instruct": "loss1", "edit": "loss2", "answer": "loss3", "verify": "loss4", "review": "loss5"}


def funnel(found: Gathered) -> Section:
    """From drafts to accepted records."""
    total = found.measures.counted.total
    if not total.drafts:
        body = [empty("No draft has been written yet."), _faults(found)]
        return Section("funnel", "From drafts to records", None, body)
    lead = (
        f"{total.passed.value:.0%} of {counted(total.drafts, 'draft')} became accepted records "
        f"(95 % interval {interval(total.passed, shares=True)}). Nothing disappears: every loss has a stage and a "
        "reason."
    )
    return Section(
        "funnel", "From drafts to records", lead, [_stream(total), _faults(found), _skills(found), _reasons(found)]
    )


def _stream(total: Funnel) -> Html:
    steps = total.steps()
    before = [steps[0][1], *(count for _, count in steps)]
    cells = []
    for (name, count), last in zip(steps, before, strict=False):
        lost = last - count
        gone = tag("span", f"−{lost:,}" if lost else "\N{NO-BREAK SPACE}", cls="gone")
        what = tag("span", name, cls="step")
        cells.append(tag("li", what, tag("strong", count), gone))
    more_lost = [
        f"{counted(total.declined, 'seed')} declined by a transform, before there was a draft"
        if total.declined
        else "",
        f"{counted(total.unsuggested, 'suggestion')} failed" if total.unsuggested else "",
    ]
    beside = "Besides: " + "; ".join(filter(None, more_lost)) + "." if any(more_lost) else None
    stream = ribbon([count for _, count in steps])
    return tag(
        "div", stream, tag("ol", cells, cls="steps"), tag("p", beside, cls="note") if beside else None, cls="block"
    )


def _faults(found: Gathered) -> Html | None:
    """Work items that failed and wait: a run of failures only has nothing else to show."""
    if not found.view.faults:
        return None
    rows = [(fault.error, fault.items, tag("span", fault.message[:300])) for fault in found.view.faults[:8]]
    table = lines_table(
        "Work items that failed, by error", ("error", "work items", "what the last of them met"), rows, cls="words"
    )
    return block(
        "Work that failed",
        table,
        note=f"{counted(found.view.counts.failed, 'work item')} wait for another try: the same command resumes them.",
    )


def _skills(found: Gathered) -> Html:
    funnels = found.measures.counted.funnels
    rows = []
    for skill, one in sorted(funnels.items(), key=lambda pair: -(pair[1].passed.value or 0)):
        if not one.drafts:
            continue
        parts = [Part(one.accepted, "good", f"accepted: {one.accepted:,}")]
        parts += [
            Part(one.records - one.accepted, "half", f"records that failed a check: {one.records - one.accepted:,}")
        ]
        parts += [Part(one.lost[stage], _COLOUR[stage], f"dropped at {stage}: {one.lost[stage]:,}") for stage in STAGES]
        shares = dots([(one.passed, "good", percent(one.passed.value))])
        figures = (percent(one.passed.value), interval(one.passed, shares=True))
        rows.append((named(skill), bar(parts, one.drafts), one.accepted, one.drafts, shares, *figures))
    heads = ("skill", "what became of its drafts", "accepted", "drafts", "yield, 0 to 100 %", "", "95 % interval")
    keys = [("good", "accepted")]
    keys += (
        [("half", "record, but a check failed")] if any(one.records > one.accepted for one in funnels.values()) else []
    )
    keys += [
        (_COLOUR[stage], f"dropped at {stage}") for stage in STAGES if any(one.lost[stage] for one in funnels.values())
    ]
    return block("By skill", legend(*keys), lines_table("Drafts and yield by skill", heads, rows, cls="two"))


def _reasons(found: Gathered) -> Html | None:
    reasons = Counter[tuple[str, str]]()
    skills: dict[tuple[str, str], Counter[str]] = {}
    for (skill, stage, reason), count in found.measures.counted.reasons.items():
        reasons[stage, reason] += count
        skills.setdefault((stage, reason), Counter())[skill] += count
    if not reasons:
        return None
    most = max(reasons.values())
    rows = []
    for (stage, reason), count in reasons.most_common(REASONS):
        where = ", ".join(f"{named(skill)} {n:,}" for skill, n in skills[stage, reason].most_common(3))
        colour = _COLOUR.get(stage, "half")
        rows.append((f"{stage}: {reason}", bar([Part(count, colour, f"{count:,}")], most), count, tag("span", where)))
    table = lines_table("Drops by reason", ("stage: reason", "", "drafts", "mostly in"), rows, cls="reasons")
    rest = len(reasons) - REASONS
    return block(
        "Why drafts were dropped",
        table,
        tag("p", f"and {counted(rest, 'reason')} more", cls="note") if rest > 0 else None,
    )


def quality(found: Gathered) -> Section | None:
    """What the checks found, and how their voters agreed."""
    checks: dict[tuple[str, str], list[int]] = {}
    for (_, check, kind), one in found.measures.counted.checks.items():
        sums = checks.setdefault((check, kind), [0, 0])
        sums[0] += one.asked
        sums[1] += one.failed
    if not checks:
        return None
    ranked = sorted(checks.items(), key=lambda pair: (-pair[1][1], -pair[1][0], pair[0]))
    most = max(1, min(CHECKS, sum(bool(failed) for _, (_, failed) in ranked)))
    kinds = Counter(kind for _, kind in checks)
    said = {"exact": "exact", "run": "by running code or a solver", "model": "by asking a model"}
    lead = (
        f"{counted(len(checks), 'check')} were asked: "
        + ", ".join(f"{n} {said.get(k, k)}" for k, n in kinds.most_common())
        + "."
    )
    shown, rest = ranked[:most], ranked[most:]
    body = [
        block("What failed", legend(("good", "passed"), ("loss4", "failed")), _checks("Checks that failed most", shown))
    ]
    if rest:
        body.append(more(f"The other {counted(len(rest), 'check')}", _checks("The other checks", rest)))
    return Section("quality", "Checks and judges", lead, [*body, _agreement(found)])


def _checks(caption: str, ranked: list[tuple[tuple[str, str], list[int]]]) -> Html:
    rows = []
    for (check, kind), (asked, failed) in ranked:
        parts = [
            Part(asked - failed, "good", f"passed: {asked - failed:,}"),
            Part(failed, "loss4", f"failed: {failed:,}"),
        ]
        rows.append(
            (named(check), tag("span", kind, cls="kind"), bar(parts, asked), failed, asked, percent(failed / asked))
        )
    return lines_table(caption, ("check", "kind", "drafts it was asked about", "failed", "asked", "share"), rows)


def _agreement(found: Gathered) -> Html | None:
    several = [one for one in found.measures.agreement if one.unanimous.of]
    if not several:
        return None
    rows = [
        (
            named(one.check),
            dots([(one.unanimous, "good", percent(one.unanimous.value))]),
            percent(one.unanimous.value),
            interval(one.unanimous, shares=True),
            percent(one.pairs.value),
            "–" if one.kappa is None else f"{one.kappa:.2f}",
            one.drafts,
        )
        for one in several
    ]
    heads = ("check", "unanimous, 0 to 100 %", "", "95 % interval", "pairs that agree", "kappa", "drafts")
    note = (
        "Where several independent models judged one draft: how often all said the same, how often two of them did, "
        "and Fleiss’ "
        "kappa, which takes away what chance would give (1 perfect, 0 chance, – where all votes are alike)."
    )
    return block("How far voters agreed", lines_table("Agreement of voters by check", heads, rows), note=note)
