"""What somebody makes out on a page that is shown: where it is, what it says, what can be clicked."""

from collections.abc import Iterator

from agentinstruct.tools.quotes import fold
from agentinstruct.tools.site.browser import Action
from agentinstruct.tools.site.view import Element, Line, View


def title_of(view: View) -> str:
    """The page's own title."""
    return view.title.rpartition(" · ")[0] or view.title


def element(view: View, name: str, role: str = "") -> Element | None:
    """The first element of this name."""
    wanted = fold(name)
    return next((one for one in view.elements() if fold(one.name) == wanted and role in ("", one.role)), None)


def click(one: Element) -> Action:
    """A click on an element."""
    return Action(do="click", element=one.number)


def heading(view: View) -> str:
    """The row that a page is about, folded; empty on other pages."""
    return next((fold(line.text[2:]) for line in view.lines if line.text.startswith("# ")), "")


def says(view: View, words: str) -> bool:
    """Whether a line begins with these words."""
    return any(line.text.startswith(words) for line in view.lines)


def figure(view: View, label: str) -> str | None:
    """The value that stands beside a label."""
    for line in view.lines:
        name, colon, value = line.text.partition(": ")
        if colon and line.element is None and fold(name) == fold(label):
            return value
    return None


def page_links(view: View) -> Iterator[Element]:
    """Links that lead to other pages, not to rows or to more of a list."""
    for line in view.lines:
        one = line.element
        if one and one.role == "link" and not line.text and one.name not in ("Next", "Previous"):
            yield one


def row_lines(view: View) -> Iterator[tuple[Element, dict[str, str]]]:
    """The rows of a list that are in sight, each by its link and with its cells."""
    for line in view.lines:
        if line.element and line.element.role == "link" and line.text.startswith(" | "):
            yield line.element, _cells(line)


def _cells(line: Line) -> dict[str, str]:
    parts = (part.partition(": ") for part in line.text.removeprefix(" | ").split(" | "))
    return {name: value for name, _, value in parts}


def row_page(view: View) -> dict[str, str]:
    """The cells on a row's own page, by column."""
    lines = [line.text for line in view.lines if line.element is None]
    start = next((place for place, text in enumerate(lines) if text.startswith("# ")), len(lines))
    return {name: value for name, colon, value in (text.partition(": ") for text in lines[start + 1 :]) if colon}
