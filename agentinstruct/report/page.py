"""The page: one HTML file with no script, no picture and no address in it, which a policy in its head holds it to."""

from collections.abc import Callable, Sequence
from functools import lru_cache
from importlib.resources import files

from agentinstruct.report.cleaning import cleaning
from agentinstruct.report.costs import cost
from agentinstruct.report.covered import coverage
from agentinstruct.report.fairness import fairness
from agentinstruct.report.gather import Gathered
from agentinstruct.report.harder import difficulty
from agentinstruct.report.head import head, noteworthy
from agentinstruct.report.html import Html, tag
from agentinstruct.report.origin import provenance
from agentinstruct.report.rows import examples
from agentinstruct.report.section import Section
from agentinstruct.report.variety import diversity
from agentinstruct.report.yields import funnel, quality

POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
SECTIONS: tuple[Callable[[Gathered], Section | None], ...] = (
    funnel,
    coverage,
    quality,
    diversity,
    difficulty,
    cost,
    cleaning,
    fairness,
    examples,
    provenance,
)


def page(found: Gathered) -> str:
    """The whole report."""
    sections = [section for make in SECTIONS if (section := make(found))]
    links = [tag("li", tag("a", section.name.capitalize(), href=f"#{section.name}")) for section in sections]
    nav = tag("nav", tag("ol", links), aria_label="Sections")
    title = f"{found.view.folder.name} · dataset report"
    return document(title, [head(found), noteworthy(found), *(section.html() for section in sections)], nav)


def document(title: str, body: Sequence[Html | None], nav: Html | None = None) -> str:
    """A page that loads nothing."""
    metas = [
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=POLICY),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("meta", name="referrer", content="no-referrer"),
    ]
    top = tag("head", metas, tag("title", title), tag("style", style()))
    main = tag("main", body, id="top")
    foot = tag("footer", tag("p", "Made by AgentInstruct. Nothing on this page is loaded from anywhere."))
    skip = tag("a", "Skip to the report", href="#top", cls="skip")
    return "<!doctype html>\n" + tag("html", top, tag("body", skip, nav, main, foot), lang="en")


@lru_cache(maxsize=1)
def style() -> Html:
    """The page's style sheet."""
    return Html((files("agentinstruct.report") / "style.css").read_text(encoding="utf-8"))
