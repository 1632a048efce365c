"""How examples are written, in one of several styles, and how they are read again.

A style writes an example, and the query as an example that breaks off; its completed last line is the answer.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from agentinstruct.tools.rules.puzzles import Shot

STYLES = ("lines", "arrow", "double", "bar", "numbered")
BOTH = "Lines marked [A] follow one rule, lines marked [B] another; [A][B] asks for the first, then the second."
_MARK = re.compile(r"^(?:\[(?P<mark>A|B)\](?:\[B\])? )?(?P<rest>.*)$")
_TAG = re.compile(r" \((?P<tag>old|new|spare|own|late|early)\)$")


@dataclass(frozen=True, slots=True)
class Style:
    """A way to write examples; `name` is one of `STYLES`, the other two name input and output."""

    name: str
    given: str = "Input"
    made: str = "Output"

    def block(self, shots: Sequence[Shot], query: Shot, steps: Sequence[str] = ()) -> str:
        """The examples, and the query that breaks off where the output belongs."""
        written = [self._shot(i, shot, steps[i - 1] if steps else "") for i, shot in enumerate(shots, 1)]
        last = self._query(len(shots) + 1, query)
        head = [BOTH] if any(shot.mark for shot in shots) else []
        joint = "\n\n" if self.name in ("lines", "numbered") or steps else "\n"
        return "\n\n".join([*head, joint.join([*self._header(), *written, last])])

    def completed(self, query: Shot, key: str) -> str:
        """The last line of the query, completed."""
        return f"{self._query(1, query).splitlines()[-1].strip()} {key}"

    def _header(self) -> list[str]:
        return [f"{self.given} | {self.made}"] if self.name == "bar" else []

    def _shot(self, number: int, shot: Shot, steps: str) -> str:
        first, last = self._query(number, shot).rpartition("\n")[::2]
        middle = [f"Steps: {steps}"] if steps else []
        return "\n".join([*filter(None, [first]), *middle, f"{last} {shot.made}"])

    def _query(self, number: int, shot: Shot) -> str:
        given = f"{shown_mark(shot)}{shot.given}{f' ({shot.tag})' if shot.tag else ''}"
        match self.name:
            case "arrow":
                return f"{given} ->"
            case "double":
                return f"{given} =>"
            case "bar":
                return f"{given} |"
            case "numbered":
                return f"{number}. {self.given}: {given}\n   {self.made}:"
        return f"{self.given}: {given}\n{self.made}:"


def shown_mark(shot: Shot) -> str:
    """The mark in front of an input; a query with an empty output carries both."""
    if not shot.mark:
        return ""
    return f"[{shot.mark}] " if shot.made else "[A][B] "


def read_block(text: str) -> tuple[list[Shot], Shot | None]:
    """The examples and the query in a text, whichever style they are in."""
    lines = [line.strip() for line in text.splitlines()]
    found = list(_arrows(lines)) or list(_labelled(lines))
    shots = [shot for shot in found if shot.made]
    return shots, next((shot for shot in found if not shot.made), None)


def _arrows(lines: Sequence[str]) -> list[Shot]:
    found = []
    for line in lines:
        parts = re.match(r"(?P<given>.+?) (?:->|=>|\|)(?: (?P<made>.*))?$", line)
        if parts:
            found.append(_shot(parts["given"], parts["made"] or ""))
    if found and any(re.fullmatch(r".+ \|", line) for line in lines):
        del found[0]  # the header of a table
    return found if any(not shot.made for shot in found) else []


def _labelled(lines: Sequence[str]) -> list[Shot]:
    found, given = [], ""
    for line in lines:
        parts = re.match(r"(?:\d+\. )?(?P<label>[\w ]{1,30}):(?: (?P<rest>.*))?$", line)
        if not parts or parts["label"] == "Steps":
            continue
        if given:
            found.append(_shot(given, parts["rest"] or ""))
            given = ""
        else:
            given = parts["rest"] or ""
    return found


def _shot(given: str, made: str) -> Shot:
    marked = _MARK.match(given)
    rest = marked["rest"] if marked else given
    tag = _TAG.search(rest)
    return Shot(
        given=_TAG.sub("", rest),
        made=made.strip(),
        mark=(marked["mark"] if marked else "") or "",
        tag=tag["tag"] if tag else "",
    )
