"""Whether refinement made items harder: by depth, and each item against the one it refines."""

from agentinstruct.dataset.measure_depth import Hardness
from agentinstruct.dataset.measure_figures import Figure
from agentinstruct.report.charts import lines_table, trend
from agentinstruct.report.gather import Gathered
from agentinstruct.report.html import Html, tag
from agentinstruct.report.section import Section, block
from agentinstruct.report.words import counted, interval, number, percent

TITLES = {
    "asked_words": "Words asked",
    "demands": "Demands in what is asked",
    "asked_ease": "Reading ease of what is asked",
    "answered_words": "Words answered",
    "reasoning": "Words of reasoning in 100 answered",
    "answered_ease": "Reading ease of the response",
    "accuracy": "Solvers’ accuracy",
}


def difficulty(found: Gathered) -> Section | None:
    """Originals against refined items."""
    hardness = found.measures.hardness
    if not any(one.depth for one in hardness.depths):
        return None
    panels = [_panel("Drafts accepted", [(one.depth, one.passed) for one in hardness.depths], shares=True)]
    panels.append(_panel(TITLES["accuracy"], [(one.depth, one.accuracy) for one in hardness.depths], shares=True))
    for trait in (name for name in TITLES if name != "accuracy"):
        panels.append(_panel(TITLES[trait], [(one.depth, one.traits[trait]) for one in hardness.depths]))
    note = "Means with 95 % intervals. Depth counts the refinements between an item and its original."
    body = [_changes(hardness), block("By depth", tag("div", [one for one in panels if one], cls="panels"), note=note)]
    return Section("difficulty", "Did refinement make items harder?", verdict(hardness), body)


def verdict(hardness: Hardness) -> str:
    """What the figures say, in words."""
    drop, harder = hardness.changes["accuracy"], hardness.harder
    said = []
    if drop.value is not None and drop.low is not None and drop.high is not None:
        told = (
            f"falls by {percent(drop.value)} from an item to its refinement"
            if drop.low > 0
            else f"rises by {percent(-drop.value)} from an item to its refinement"
            if drop.high < 0
            else "does not differ between an item and its refinement beyond chance"
        )
        said.append(
            f"The accuracy of independent solvers {told} ({interval(drop, shares=True)}, {counted(drop.of, 'pair')})."
        )
    else:
        said.append("No item and its refinement were both given to solvers, so their accuracy cannot be compared.")
    if harder.value is not None:
        said.append(
            f"A judge found {percent(harder.value)} of {counted(harder.of, 'refined draft')} harder, in both orders."
        )
    return " ".join(said)


def _panel(title: str, points: list[tuple[int, Figure]], *, shares: bool = False) -> Html | None:
    if not any(figure.value is not None for _, figure in points):
        return None
    return tag("figure", tag("figcaption", title), trend(points, title, shares=shares))


def _changes(hardness: Hardness) -> Html:
    rows = []
    for name, title in TITLES.items():
        change = hardness.changes[name]
        if change.value is None or change.low is None or change.high is None:
            continue
        sign = -1 if name == "accuracy" else 1
        low, high = sorted((sign * change.low, sign * change.high))
        figure = Figure(sign * change.value, low, high, change.of)
        write = percent if name == "accuracy" else number
        plus = "+" if (figure.value or 0) > 0 else ""
        clear = change.low > 0 or change.high < 0
        said = f"{write(figure.low)} to {write(figure.high)}"
        rows.append((title, f"{plus}{write(figure.value)}", said, "yes" if clear else "no", change.of))
    heads = ("per pair of original and refinement", "change", "95 % interval", "beyond chance", "pairs")
    return block("Each item against the one it refines", lines_table("What refinement changed", heads, rows))
