"""Rules about Markdown (and the few HTML tags people use for it): present, well formed, on the right words.

Delimiters are paired by one pass from left to right, so unclosed marks cost no backtracking.
"""

import re
from dataclasses import dataclass

from agentinstruct.tools.constraints.rules import Constraint
from agentinstruct.tools.constraints.text import Text, excerpt

_TAGS = {
    "bold": ("b", "strong"),
    "italic": ("i", "em"),
    "underline": ("u", "ins"),
    "strikethrough": ("s", "del", "strike"),
    "code": ("code",),
}
_MARKS = {
    "bold": r"\*\*|(?<!\w)__(?=\S)|(?<=\S)__(?!\w)",
    "italic": r"\*|(?<!\w)_(?=\S)|(?<=\S)_(?!\w)",
    "strikethrough": r"~~",
    "code": r"`",
}
_LINES = {
    "bullets": re.compile(r"[ \t]{0,100}[-*+•‣]\s+(?=\S)"),
    "numbered": re.compile(r"[ \t]{0,100}(\d{1,4})[.)]\s+(?=\S)"),
    "headings": re.compile(r" {0,3}#{1,6}\s+(?=\S)|<h[1-6]>(?=\S)"),
    "quote": re.compile(r" {0,3}>\s?(?=\S)"),
}
_RULE = re.compile(r"\s{0,100}:?-{1,100}:?\s{0,100}")


@dataclass(frozen=True, slots=True)
class _Marked:
    """The marked pieces of a text, or what is ill-formed about them."""

    items: list[str]
    fault: str = ""


def markup(c: Constraint, source: Text, output: Text) -> str:
    """The markup is there and well formed; `words` are marked and, for inline styles, nothing else is.

    With `number`, exactly so many pieces: marked spans, list items, headings, or rows under a table's head.
    """
    inline = c.style in _TAGS
    if inline:
        marked = _inline(output, c.style)
    elif c.style == "table":
        marked = _table(output.plain.split("\n"))
    else:
        marked = _lines(output.plain.split("\n"), c.style)
    return marked.fault or _fits(c, marked.items, inline)


def _fits(c: Constraint, items: list[str], inline: bool) -> str:
    texts = [Text(item) for item in items]
    missing = next((w for w in c.words if not any(True for t in texts for _ in t.places(w))), None)
    if missing is not None:
        return f"“{missing}” is not marked as {c.style}"
    if inline and c.words:
        extra = next((t for t in texts if not any(True for w in c.words for _ in t.places(w))), None)
        if extra:
            return f"“{excerpt(extra.raw)}” is {c.style} too"
    have = len(items) - (c.style == "table")
    if have < 1 or (c.number and have != c.number):
        return f"{max(0, have)} pieces in {c.style}, not {c.number or 'one or more'}"
    return ""


def _inline(output: Text, style: str) -> _Marked:
    text = re.sub(r"(?m)^[ \t]*+[*+-](?=\s)|```", "", output.plain)
    if style == "italic":
        text = re.sub(_MARKS["bold"], "", text)
    found: list[str] = []
    if style in _MARKS:
        cuts = [m.span() for m in re.finditer(_MARKS[style], text)]
        paired = _paired(text, cuts)
        if paired.fault:
            return paired
        found += paired.items
    tags = list(re.finditer(rf"<(/?)(?:{'|'.join(_TAGS[style])})>", text, re.IGNORECASE))
    crossed = next((m for i, m in enumerate(tags) if bool(m[1]) != bool(i % 2)), None)
    if crossed:
        return _Marked([], f"a tag out of place: “{excerpt(text, crossed.start())}”")
    paired = _paired(text, [m.span() for m in tags])
    return _Marked(found + paired.items, paired.fault)


def _paired(text: str, cuts: list[tuple[int, int]]) -> _Marked:
    """What stands between the 1st and 2nd mark, the 3rd and 4th, and so on."""
    if len(cuts) % 2:
        return _Marked([], f"a mark is not closed: “{excerpt(text, cuts[-1][0])}”")
    spans = [(left[1], right[0]) for left, right in zip(cuts[::2], cuts[1::2], strict=True)]
    items = [text[a:b] for a, b in spans]
    for item, (start, _) in zip(items, spans, strict=True):
        if not item.strip() or "\n\n" in item:
            return _Marked([], f"marks around nothing, or around a paragraph break: “{excerpt(text, start)}”")
    return _Marked(items)


def _lines(lines: list[str], style: str) -> _Marked:
    items, due = [], 1
    for line in lines:
        m = _LINES[style].match(line)
        if not m:
            continue
        if style == "numbered":
            if int(m[1]) not in (1, due):
                return _Marked([], f"number {due} is due at “{excerpt(line)}”")
            due = int(m[1]) + 1
        items.append(line[m.end() :])
    return _Marked(items)


def _table(lines: list[str]) -> _Marked:
    """The rows of the first table, its head first: a head, a rule of dashes, rows of as many cells."""
    at = next((i for i, line in enumerate(lines) if i and "-" in line and _ruled(line)), 0)
    if not at:
        return _Marked([], "no table with a line of dashes under its head")
    width = len(_cells(lines[at]))
    rows = [lines[at - 1]]
    for line in lines[at + 1 :]:
        if "|" not in line:
            break
        rows.append(line)
    uneven = next((row for row in rows if len(_cells(row)) != width), None)
    return _Marked(rows, f"not {width} cells: “{excerpt(uneven)}”" if uneven is not None else "")


def _ruled(line: str) -> bool:
    return "|" in line and all(_RULE.fullmatch(cell) for cell in _cells(line))


def _cells(line: str) -> list[str]:
    return re.split(r"(?<!\\)\|", line.strip().removeprefix("|").removesuffix("|"))
