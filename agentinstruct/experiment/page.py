"""The comparison as a page: a plot of each figure, the arms under one another with their intervals."""

from collections.abc import Sequence

from agentinstruct.dataset.measure_figures import Figure
from agentinstruct.experiment.figures import ABOUT, SHARES, Result
from agentinstruct.report.charts import dots, lines_table
from agentinstruct.report.html import Html, tag
from agentinstruct.report.page import document
from agentinstruct.report.section import Section, block
from agentinstruct.report.words import counted, interval, number, percent

TITLES = {
    "yield": "Accepted per 100 calls",
    "passed": "Drafts accepted",
    "vendi": "Diversity (Vendi)",
    "similarity": "Likeness of instructions",
    "distinct": "Different word pairs",
    "categories": "Categories",
    "asked": "Words asked",
    "demands": "Demands asked for",
    "answered": "Words answered",
    "reasoning": "Reasoning in answers",
    "accuracy": "Solvers with the key",
}


def page(title: str, lead: str, found: Sequence[Result], warnings: Sequence[str] = ()) -> str:
    """The whole page."""
    warned = [tag("p", words, cls="why") for words in warnings]
    head = tag("header", tag("h1", title), tag("p", lead, cls="lead"), warned)
    sizes = lines_table(
        "What each arm made",
        ("arm", "what it does", "calls", "of finished work", "work items finished", "accepted records"),
        [(one.name, tag("span", one.about), one.bought, one.calls, one.items, one.records) for one in found],
    )
    plots = [_plot(name, found) for name in TITLES]
    body = [block("What each arm made", sizes), *plots]
    section = Section(
        "comparison", "The arms beside one another", "A dot is the figure, its line the 95 % interval.", body
    )
    return document(title, [head, section.html()])


def _plot(name: str, found: Sequence[Result]) -> Html | None:
    figures = [one.figures[name] for one in found]
    if all(figure.value is None for figure in figures):
        return None
    ends = [end for figure in figures for end in (figure.low, figure.high, figure.value) if end is not None]
    low, high = (0.0, 1.0) if name in SHARES else (0.0, max(ends) * 1.08 or 1.0)
    rows = [
        (
            one.name,
            dots([(figure, "good", one.name)], low, high),
            said(name, figure),
            between(name, figure),
        )
        for one, figure in zip(found, figures, strict=True)
    ]
    heads = ("arm", f"{_written(name, low)} to {_written(name, high)}", "value", "interval")
    table = lines_table(TITLES[name], heads, rows, cls="arms")
    return block(TITLES[name], table, note=ABOUT[name])


def said(name: str, figure: Figure) -> str:
    """A figure as people read it."""
    return "–" if figure.value is None else _written(name, figure.value)


def between(name: str, figure: Figure) -> str:
    """Its interval, or nothing where there is none."""
    return interval(figure, shares=name in SHARES)


def _written(name: str, value: float) -> str:
    return percent(value) if name in SHARES else number(value)


def lead_of(calls: int, repeats: int) -> str:
    """What all arms have in common."""
    each = f" in each of {repeats} repeats" if repeats > 1 else ""
    shared = "What several arms ask alike was bought once, and counts as a call of each."
    return f"{counted(calls, 'model call')} for each arm{each}. {shared}"
