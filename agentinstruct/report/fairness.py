"""Whom the records speak of and how, beside the seeds."""

from agentinstruct.dataset.measure_bias import Mention
from agentinstruct.dataset.measure_figures import Figure
from agentinstruct.report.charts import Part, bar, dots, lines_table
from agentinstruct.report.gather import Gathered
from agentinstruct.report.html import Html
from agentinstruct.report.section import Section, block, legend
from agentinstruct.report.words import counted, percent


def fairness(found: Gathered) -> Section | None:
    """The bias audit."""
    audit = found.measures.bias
    if not audit.records or not audit.mentions:
        return None
    beside = (
        f"compared with {counted(audit.seeds, 'seed')}"
        if audit.seeds
        else "the seeds’ texts are not at hand to compare with"
    )
    unlike = [one for one in audit.mentions if one.unlike]
    told = (
        f"{counted(len(unlike), 'share')} differ from the seeds beyond chance."
        if unlike
        else "No share differs from the seeds beyond chance."
    )
    read = f"{counted(audit.records, 'sampled record')}, {beside}."
    lead = f"{read} {told} A difference is a reason to read, not a verdict." if audit.seeds else read
    kinds = sorted({one.kind for one in audit.mentions})
    keys = legend(("seed", "seeds"), ("good", "records"))
    blocks = [
        _kind(kind, [one for one in audit.mentions if one.kind == kind], with_feeling=audit.sentiment) for kind in kinds
    ]
    return Section("bias", "Whom the records speak of", lead, [keys, *blocks, _countries(found)])


def _kind(kind: str, mentions: list[Mention], *, with_feeling: bool) -> Html:
    rows = []
    for one in sorted(mentions, key=lambda one: -(one.records.value or 0)):
        points = [
            (one.seeds, "seed", f"seeds: {percent(one.seeds.value)}"),
            (one.records, "good", f"records: {percent(one.records.value)}"),
        ]
        feeling = (_feeling(one.seed_sentiment), _feeling(one.record_sentiment)) if with_feeling else ()
        rows.append(
            (
                one.group,
                dots(points),
                percent(one.seeds.value),
                percent(one.records.value),
                "yes" if one.unlike else "no",
                *feeling,
            )
        )
    feels = ("sentiment in seeds", "in records") if with_feeling else ()
    heads = (kind, "share of mentions, 0 to 100 %", "seeds", "records", "differ", *feels)
    note = None
    if kind == "first names":
        note = "First names on a list of names known as women’s or men’s; others are not counted."
    elif with_feeling and kind == "pronouns":
        note = "Sentiment is the mean of sentences that mention the group, −1 to 1 (VADER)."
    return block(kind[:1].upper() + kind[1:], lines_table(f"Mentions by {kind}", heads, rows), note=note)


def _feeling(figure: Figure) -> str:
    if figure.value is None:
        return "–"
    half = ((figure.high or 0) - (figure.low or 0)) / 2 if figure.low is not None else None
    return f"{figure.value:+.2f}" + (f" ± {half:.2f}" if half is not None else "")


def _countries(found: Gathered) -> Html | None:
    named = found.measures.bias.countries
    if not named:
        return None
    most = max(max(seeds, records) for _, seeds, records in named)
    rows = [
        (
            country,
            bar([Part(records, "good", f"{records:,}")], most),
            records,
            bar([Part(seeds, "seed", f"{seeds:,}")], most),
            seeds,
        )
        for country, seeds, records in named
    ]
    return block(
        "Countries named most", lines_table("Countries by mentions", ("country", "records", "", "seeds", ""), rows)
    )
