"""Verse cut into stanzas and lines, without what is no verse: a title, section labels, Markdown marks."""

import re

from agentinstruct.tools.constraints.text import plain

_MARKS = re.compile(r"^[ \t]*(?:>[ \t]?)*|[ \t]*(?:\\|<br ?/?>)?[ \t]*$")
_HEADING = re.compile(r"#{1,6}[ \t]+(.+)")
_LABEL = re.compile(
    r"[\[(*_#\s]*(?:intro|verse|chorus|refrain|bridge|pre-chorus|hook|outro|stanza|coda)\b[ \w]{0,12}[\])*_:\s]*",
    re.IGNORECASE,
)
_BOLD = re.compile(r"(?:\*\*|__)(.+?)(?:\*\*|__)")
_RULE = re.compile(r"[-*_]{3,}")


def _blocks(text: str) -> list[list[str]]:
    blocks: list[list[str]] = [[]]
    for raw in plain(text).splitlines():
        line = _MARKS.sub("", raw).strip()
        if line and not _RULE.fullmatch(line):
            blocks[-1].append(line)
        elif blocks[-1]:
            blocks.append([])
    return [block for block in blocks if block]


def title_of(text: str) -> str:
    """The title a text opens with: a heading, a line in bold, or a short line by itself without a full stop."""
    blocks = _blocks(text)
    if not blocks:
        return ""
    first = blocks[0][0]
    if found := _HEADING.fullmatch(first) or _BOLD.fullmatch(first):
        return found[1].strip(" *_")
    named = re.fullmatch(r"(?:title|headline|subject):[ \t]*(.+)", first, re.IGNORECASE)
    if named:
        return named[1].strip(' *_"')
    alone = len(blocks) > 1 and len(blocks[0]) == 1 and len(blocks[1]) + len(blocks) > 2
    short = len(first.split()) <= 10 and first[-1] not in ".,;:" and not _LABEL.fullmatch(first)
    return first.strip('*_"') if alone and short else ""


def stanzas_of(text: str) -> list[list[str]]:
    """The lines of verse, by stanza."""
    blocks, title = _blocks(text), title_of(text)
    if title and blocks:
        blocks[0] = blocks[0][1:]
    kept = [[line.strip("*_") for line in block if not _dropped(line)] for block in blocks]
    return [block for block in kept if block]


def _dropped(line: str) -> bool:
    return bool(_HEADING.fullmatch(line) or _LABEL.fullmatch(line))
