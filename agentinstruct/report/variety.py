"""How unlike each other the instructions are, how long everything is, and where the right options stand."""

from collections.abc import Mapping, Sequence

from agentinstruct.dataset.measure import Texts
from agentinstruct.dataset.measure_diversity import NEAR, Diversity
from agentinstruct.report.charts import Part, bar, box, cloud, histogram, lines_table, quantile, scatter
from agentinstruct.report.covered import keys
from agentinstruct.report.gather import Gathered
from agentinstruct.report.html import Child, Html, tag
from agentinstruct.report.section import Section, block, legend
from agentinstruct.report.words import counted, interval, named, number, percent

_BINS = 20
"""Bins of similarity; the last begins at NEAR."""
_CLOUD = "cloud"
_EMBEDDERS = {"hash": "hashed words and letters (only overlap of words)", "local": "all-MiniLM-L6-v2"}


def diversity(found: Gathered) -> Section | None:
    """Diversity and length."""
    measures = found.measures
    if not measures.sampled:
        return None
    whole = measures.diversity.get("") or next(iter(measures.diversity.values()))
    embedder = _EMBEDDERS.get(measures.embeddings, measures.embeddings)
    repeated = measures.counted.repeated or "none"
    lead = (
        f"Measured on a sample of {counted(measures.sampled, 'instruction')}, without the passages they are about, "
        f"embedded by {embedder}. Of all records {repeated} ask what another one asks, word for word."
    )
    body = [_spread(found), _map(found), _nearest(whole, len(measures.texts)), _lengths(measures.texts), keys(found)]
    return Section("diversity", "Diversity and length", lead, body)


def _spread(found: Gathered) -> Html:
    most = max((one.vendi.value or 1 for one in found.measures.diversity.values()), default=1)
    ranked = sorted(found.measures.diversity.items(), key=lambda pair: (pair[0] != "", -(pair[1].vendi.value or 0)))
    rows = [_line(skill, one, found.measures.by_depth.get(skill), most) for skill, one in ranked]
    note = (
        "The Vendi score says how many wholly different instructions would be as diverse as the sample; it grows with "
        f"the sample. A near-duplicate has a neighbour of cosine {NEAR} or more in the sample, its own original among "
        "them, or one made from another seed (with the interval of that). distinct-n is the share of different word "
        "sequences among the first 2,000. The last column is the Vendi score of as many originals as refined items."
    )
    return block("How diverse each skill is", lines_table("Diversity by skill", _SPREAD, rows), note=note)


_SPREAD = (
    "skill",
    "Vendi score",
    "",
    "sample",
    "mean similarity",
    "near-duplicates",
    "of another seed",
    "95 % interval",
    "distinct-1 · 2 · 3",
    "original → refined",
)


def _line(skill: str, one: Diversity, depths: tuple[Diversity, Diversity] | None, most: float) -> list[Child]:
    score = number(one.vendi.value)
    refined = f"{number(depths[0].vendi.value)} → {number(depths[1].vendi.value)}" if depths else "–"
    return [
        named(skill) or "all skills",
        bar([Part(one.vendi.value or 0, "good", score)], most),
        score,
        one.sampled,
        _similar(one),
        percent(one.near.value),
        percent(one.far.value),
        interval(one.far, shares=True),
        " · ".join(f"{value:.2f}" for _, value, _ in one.distinct),
        f"{refined} ({depths[0].sampled})" if depths else refined,
    ]


def _similar(one: Diversity) -> str:
    return "–" if one.similarity.value is None else f"{one.similarity.value:.2f}"


def _map(found: Gathered) -> Html | None:
    points = found.measures.map
    if len(points) < 10:
        return None
    use = tag("use", href=f"#{_CLOUD}")
    skills = list(found.measures.texts)
    panels = []
    for skill in skills:
        own = [(x, y, title) for name, x, y, title in points if name == skill]
        plot = scatter(
            own, use, f"{named(skill)} on the map", f"{len(own)} instructions of {named(skill)} among all sampled"
        )
        panels.append(tag("figure", plot, tag("figcaption", named(skill))))
    note = (
        "Every sampled instruction on the two main directions of its embedding (PCA): near each other means alike. "
        "Grey is "
        "all skills, coloured the skill named."
    )
    shape = cloud([(x, y) for _, x, y, _ in points], _CLOUD)
    return block("A map of the instructions", shape, tag("div", panels, cls="panels small"), note=note)


def _nearest(whole: Diversity, skills: int) -> Html | None:
    if len(whole.nearest) < 10:
        return None
    counts = [0] * _BINS
    for value in whole.nearest:
        counts[min(_BINS - 1, int(max(0.0, value) * _BINS))] += 1
    median = quantile(sorted(whole.nearest), 0.5)
    described = f"{percent(whole.near.value)} have a neighbour of {NEAR} or more; the median is {median:.2f}"
    plot = histogram(counts, "Similarity to the nearest neighbour", described, _BINS - 1)
    axis = tag("div", tag("span", "0 nothing alike"), tag("span", "1 the same"), cls="axis")
    where = "all skills" if skills > 1 else "the skill"
    return block(
        "How near the nearest neighbour is",
        plot,
        axis,
        tag("p", f"{described} (sample of {where}, {whole.sampled}).", cls="note"),
    )


def _lengths(texts: Mapping[str, Texts]) -> Html:
    high = max((max(pair) for one in texts.values() for pair in one.lengths), default=1)
    rows = []
    for skill, one in texts.items():
        asked, answered = ([pair[side] for pair in one.lengths] for side in (0, 1))
        rows.append(
            (
                named(skill),
                box(asked, 0, high, "seed"),
                _middle(asked),
                box(answered, 0, high, "good"),
                _middle(answered),
                f"{_whole(one, 'asked_tokens')} · {_whole(one, 'answered_tokens')}",
                _whole(one, "context_words"),
                f"{_whole(one, 'asked_ease')} · {_whole(one, 'answered_ease')}",
            )
        )
    heads = (
        "skill",
        "words asked",
        "median",
        "words answered",
        "median",
        "tokens, mean",
        "passage, words",
        "ease",
    )
    note = (
        "Bars span the middle half, lines 5 to 95 %, on a logarithmic axis that all share. Tokens (WordPiece), and "
        "Flesch’s reading ease of English (90 is easy, 30 a scientific paper), are of what is asked · of the response."
    )
    marks = legend(("seed", "instruction, without its passage"), ("good", "response"))
    return block(
        "How long and how readable",
        marks,
        lines_table("Length and readability by skill", heads, rows, cls="two"),
        note=note,
    )


def _whole(one: Texts, trait: str) -> str:
    return number(one.traits[trait].value, 0)


def _middle(values: Sequence[int]) -> str:
    return f"{quantile(sorted(values), 0.5):,.0f}"
