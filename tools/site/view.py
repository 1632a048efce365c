"""What a browser shows: lines of text and numbered elements, as an accessibility tree lists them.

    Page: Catalogue · Harbour Library
    URL: /catalogue
    Notice: The basket now holds “Sea Roads”.
    [1] link "Home"
    [6] textbox "Search": ""
    [7] combobox "language": "any" (any / English / Danish)
    [9] link "Sea Roads" | author: Ann Ib | price: 12.5
    Showing 1–5 of 12.
    (14 more lines below: scroll[down])

The text can be read back, so that who sees only the text knows as much as who holds the view.
"""

import re
from dataclasses import dataclass, field, replace

HEIGHT = 26
"""Lines of a page that are seen at once."""
Roles = {"link", "button", "textbox", "combobox", "checkbox"}
_ELEMENT = re.compile(
    r'\[(?P<id>\d+)\] (?P<role>link|button|textbox|combobox|checkbox) "(?P<name>[^"]*)"(?P<off> \(disabled\))?'
    r'(?P<must> \(required\))?(?:: "(?P<value>[^"]*)")?(?: \((?P<options>[^()]*(?:\([^()]*\)[^()]*)*)\))?(?P<rest>.*)'
)


@dataclass(frozen=True, slots=True)
class Element:
    """Something that can be acted on."""

    key: str
    """What it is, the same on every visit; only the browser knows it."""
    role: str
    name: str
    value: str | None = None
    options: tuple[str, ...] = ()
    disabled: bool = False
    required: bool = False
    number: int = 0


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a page: an element with what stands beside it, or text alone."""

    text: str = ""
    element: Element | None = None

    def shown(self) -> str:
        """The line as it is read."""
        one = self.element
        if one is None:
            return self.text
        value = "" if one.value is None else f': "{one.value}"'
        options = f" ({' / '.join(one.options)})" if one.options else ""
        off, must = " (disabled)" if one.disabled else "", " (required)" if one.required else ""
        return f'[{one.number}] {one.role} "{one.name}"{off}{must}{value}{options}{self.text}'


@dataclass(frozen=True, slots=True)
class View:
    """A page as it is seen: its title and address, what it has just told, and the lines in sight."""

    title: str
    url: str
    lines: tuple[Line, ...]
    notices: tuple[str, ...] = ()
    above: int = 0
    below: int = 0
    dialog: bool = field(default=False)

    def elements(self) -> list[Element]:
        """What can be acted on, from top to bottom."""
        return [line.element for line in self.lines if line.element]

    def text(self) -> str:
        """The view as agents read it."""
        head = [f"Page: {self.title}", f"URL: {self.url}", *(f"Notice: {notice}" for notice in self.notices)]
        above = [f"({self.above} more lines above: scroll[up])"] if self.above else []
        below = [f"({self.below} more lines below: scroll[down])"] if self.below else []
        return "\n".join([*head, *above, *(line.shown() for line in self.lines), *below])


def windowed(view: View, top: int) -> View:
    """The part of a page that is in sight."""
    top = max(0, min(top, len(view.lines) - HEIGHT))
    lines = view.lines[top : top + HEIGHT]
    return replace(view, lines=lines, above=top, below=len(view.lines) - top - len(lines))


def read_view(text: str) -> View:
    """The view that a text shows."""
    head: dict[str, str] = {}
    notices: list[str] = []
    lines: list[Line] = []
    more = {"above": 0, "below": 0}
    for line in text.splitlines():
        label, _, rest = line.partition(": ")
        scroll = re.fullmatch(r"\((\d+) more lines (above|below): scroll\[\w+\]\)", line)
        if scroll:
            more[scroll[2]] = int(scroll[1])
        elif label in ("Page", "URL") and label not in head:
            head[label] = rest
        elif label == "Notice" and not lines:
            notices.append(rest)
        else:
            lines.append(_read_line(line))
    dialog = any(line.text.startswith("Dialog: ") for line in lines)
    return View(head.get("Page", ""), head.get("URL", ""), tuple(lines), tuple(notices), **more, dialog=dialog)


def _read_line(line: str) -> Line:
    found = _ELEMENT.fullmatch(line)
    if not found:
        return Line(line)
    options = tuple(found["options"].split(" / ")) if found["options"] else ()
    off, must, number = bool(found["off"]), bool(found["must"]), int(found["id"])
    return Line(found["rest"], Element("", found["role"], found["name"], found["value"], options, off, must, number))
