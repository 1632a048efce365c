"""Citations in a reply: the ids it names in square brackets, sentence by sentence, or in a JSON object.

cited_sentences("It sank in 1931 [2]. Nobody drowned [1, 3].")   →  It sank in 1931: {2};  Nobody drowned: {1, 3}
json_reply('{"answer": "1931", "sources": [2]}')                 →  ("1931", [2])
"""

import json
import re
from dataclasses import dataclass
from typing import Any

from agentinstruct.tools.constraints.text import Text

_IDS = re.compile(r"[ \t]*\[([1-9]\d{0,2}(?:[ \t]*(?:,|;|and|&)[ \t]*[1-9]\d{0,2})*)\]")
"""Ids begin at 1: what stands before a `[0]` is a piece of code."""
_MOVED = re.compile(r"((?<![.!?…])[.!?…]+[\"'”’)]*)((?:[ \t]*\[\d[^\]\n]{0,40}\])+)")
"""Ids behind the full stop of the sentence that they belong to."""
_LABEL = re.compile(r"^[ \t>*_#-]*sources?[*_]*[ \t]*[:：](.*)$", re.IGNORECASE | re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Statement:
    """A sentence without its citations, and the ids that it cites."""

    text: str
    ids: frozenset[int]


def cited_sentences(text: str) -> list[Statement]:
    """The sentences of a reply, each with what it cites, whether before or behind its full stop."""
    inside = Text(_MOVED.sub(lambda found: f"{found[2]}{found[1]}", text))
    found = [Statement(uncited(part), cited_ids(part)) for part in inside.sentences]
    return [one for one in found if any(map(str.isalnum, one.text))]


def cited_ids(text: str) -> frozenset[int]:
    """Every id that a text names in square brackets."""
    return frozenset(int(number) for found in _IDS.finditer(text) for number in re.findall(r"\d+", found[1]))


def uncited(text: str) -> str:
    """The text without its citations."""
    return " ".join(_IDS.sub("", text).split())


def named_sources(text: str) -> list[int] | None:
    """The ids on the last line that begins with `Sources:`; None without such a line, empty for `none`."""
    lines = _LABEL.findall(text)
    return [int(number) for number in re.findall(r"\d+", lines[-1])] if lines else None


def json_reply(text: str) -> tuple[str, list[int]] | None:
    """The answer and the ids of a JSON reply that has one text and one list of whole numbers; None for all else."""
    found = json_object(text)
    if found is None or len(found) != 2:
        return None
    answers = [value for value in found.values() if isinstance(value, str)]
    lists = [value for value in found.values() if isinstance(value, list)]
    if len(answers) != 1 or len(lists) != 1 or not all(type(one) is int for one in lists[0]):
        return None
    return answers[0], lists[0]


def json_object(text: str) -> dict[str, Any] | None:
    """The JSON object that a text is, with nothing around it; None when it is none, or names a key twice."""
    try:
        found = json.loads(text, object_pairs_hook=_once)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(dict(pairs)) < len(pairs):
        raise ValueError("a key is there twice")
    return dict(pairs)
