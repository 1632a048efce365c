"""HTML that is escaped by construction: text becomes markup only through `tag`, which escapes all that is not `Html`.

Records hold what strangers and models wrote, so there is no way to put a string on the page as it is.
"""

from collections.abc import Iterable
from html import escape
from unicodedata import category

_UNSEEN = "\N{REPLACEMENT CHARACTER}"
_VOID = frozenset({"meta", "br", "hr", "rect", "circle", "line", "path", "use", "col"})


class Html(str):
    """Markup that may stand on the page as it is."""

    __slots__ = ()


Child = str | int | Html | None | Iterable["Child"]


def tag(name: str, /, *children: Child, **attributes: str | float | bool | None) -> Html:
    """An element; `cls` is `class`, `_` in a name is `-`, None and False leave an attribute out."""
    written = "".join(
        f" {_named(key)}" if value is True else f' {_named(key)}="{escape(_shown(value))}"'
        for key, value in attributes.items()
        if value is not None and value is not False
    )
    if name in _VOID and not children:
        return Html(f"<{name}{written}/>")
    return Html(f"<{name}{written}>{joined(children)}</{name}>")


def joined(children: Child) -> Html:
    """Children one after another, text escaped."""
    if children is None:
        return Html("")
    if isinstance(children, Html):
        return children
    if isinstance(children, str):
        return Html(escape(_visible(children)))
    if isinstance(children, int):
        return Html(f"{children:,}")
    return Html("".join(joined(child) for child in children))


def cut(text: str, most: int) -> str:
    """At most so many characters of a text, and how many are left out."""
    return text if len(text) <= most else f"{text[:most]} … ({len(text) - most:,} more characters)"


def _named(key: str) -> str:
    return "class" if key == "cls" else key.rstrip("_").replace("_", "-")


def _shown(value: str | float) -> str:
    return _visible(value) if isinstance(value, str) else f"{value:.2f}".rstrip("0").rstrip(".")


def _visible(text: str) -> str:
    """Without what no page may hold (halves of surrogate pairs, control characters) or what turns text around."""
    kept = (char if char.isprintable() or char in "\n\t" or category(char) == "Zs" else _UNSEEN for char in text)
    return text if text.isprintable() else "".join(kept)
