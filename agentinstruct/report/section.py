"""The parts that every section is made of."""

from collections.abc import Sequence
from dataclasses import dataclass

from agentinstruct.report.html import Child, Html, tag


@dataclass(frozen=True, slots=True)
class Section:
    """One chapter of the page: its anchor and word in the menu, its title, what it says in short, its body."""

    name: str
    title: str
    lead: Child
    body: Sequence[Html | None]

    def html(self) -> Html:
        """The section, with its heading."""
        head = tag("h2", self.title, id=f"{self.name}-title")
        lead = tag("p", self.lead, cls="lead") if self.lead else None
        return tag("section", head, lead, self.body, id=self.name, aria_labelledby=f"{self.name}-title")


def block(title: str, *body: Child, note: Child = None) -> Html:
    """A titled part of a section, with a note on how to read it."""
    said = tag("p", note, cls="note") if note else None
    return tag("div", tag("h3", title), said, body, cls="block")


def legend(*entries: tuple[str, str]) -> Html:
    """What colours mean: (class, words)."""
    items = [tag("li", tag("span", cls=f"key {colour}"), words) for colour, words in entries]
    return tag("ul", items, cls="legend")


def more(summary: str, *body: Child) -> Html:
    """Something to open."""
    return tag("details", tag("summary", summary), body)


def empty(words: str) -> Html:
    """What is said in the place of a plot that has nothing to show."""
    return tag("p", words, cls="empty")
