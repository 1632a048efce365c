"""The labels of options: in which style they are shown, and which of them an answer names.

A key tells its own style: `C`, `3`, `iv`, several with commas, or, where options have no labels, the option itself.
"""

import re
from collections.abc import Sequence
from string import ascii_uppercase
from typing import Literal

from agentinstruct.agents.forms.form import letter
from agentinstruct.tools.quotes import bare

Style = Literal["letters", "digits", "roman", "none"]
MOST = 10
"""Options an item may have."""
ROMAN = ("i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix", "x")
NAMES: dict[Style, tuple[str, ...]] = {
    "letters": tuple(ascii_uppercase[:MOST]),
    "digits": tuple(str(i) for i in range(1, MOST + 1)),
    "roman": ROMAN,
    "none": (),
}
MARKS: dict[Style, tuple[str, ...]] = {
    "letters": ("{}. ", "{}) ", "({}) ", "{}: "),
    "digits": ("{}. ", "{}) ", "({}) "),
    "roman": ("{}. ", "{}) ", "({}) "),
    "none": ("- ", "• ", "* "),
}
"""How a label is set before its option."""
_LABELS: dict[str, re.Pattern[str]] = {
    "letters": re.compile(r"(?<![\w'’])[A-J](?![\w'’])"),
    "digits": re.compile(r"(?<![\w.,])\d{1,2}(?![\w]|[.,]\d)"),
    "roman": re.compile(r"(?<![\w'’])[ivx]{1,4}(?![\w'’])"),
}
_NAMING = r"[\W_]*(?:(?:the )?(?:(?:correct|right|best) )?(?:answer|option|choice|number)(?: is)?[\W_]+)?"
_ALONE = r"(?!\)? ?(?:,|/|&|and\b|or\b) ?\(?(?:\d|[ivx]+\b))"
_FIRST: dict[str, re.Pattern[str]] = {
    "digits": re.compile(rf"{_NAMING}\(?(\d{{1,2}})(?![\w]|[.,]\d){_ALONE}", re.IGNORECASE),
    "roman": re.compile(rf"{_NAMING}\(?([ivx]{{1,4}})(?![\w]){_ALONE}(?:[).:]|\s*$|\s+[-–—(])", re.IGNORECASE),
}


def block(options: Sequence[str], style: Style, mark: str) -> str:
    """The options, one to a line, under labels of this style."""
    names = NAMES[style] or ("",) * len(options)
    return "\n".join(f"{mark.format(name)}{option}" for name, option in zip(names, options, strict=False))


def key_of(style: Style, options: Sequence[str], place: int) -> str:
    """The key that stands at this place: its label, or the option itself where there are none."""
    return NAMES[style][place] if NAMES[style] else options[place]


def style_of(key: str) -> Style:
    """The style of a key's labels."""
    parts = set(key.split(", "))
    return next((style for style, names in NAMES.items() if parts <= set(names)), "none")


def names_key(key: str, answer: str) -> bool | None:
    """Whether an answer names the option or options of the key; None when only a reader can tell."""
    style = style_of(key)
    if style == "none":
        said = bare(answer)
        return True if said == bare(key) or said.startswith(f"{bare(key)} ") else None
    if ", " in key:
        return set(_LABELS[style].findall(answer)) == set(key.split(", "))
    if style == "letters":
        return letter(answer) == key
    found = _FIRST[style].match(answer)
    return found is not None and found[1].casefold() == key
