"""Snippets: a text cut the way an index holds it, whole sentences at a time.

pieces(text)        snippets of about sixty words, fewer where the text is short, so that there are several
nearest(text, to)   the snippet of a text that shares most words with another
"""

import re
from collections import Counter

from agentinstruct.tools.constraints.text import Text
from agentinstruct.tools.quotes import fold

WORDS = 60
"""Words after which a snippet is full."""
_FEWEST, _SEVERAL = 12, 5
_RULE = re.compile(r"^[=~^*#_\"'+-]{3,}[ \t]*$", re.MULTILINE)
"""A line under a heading, or between parts."""
_WORD = re.compile(r"[^\W_]{4,}|\d+")


def pieces(text: str, words: int = WORDS) -> list[str]:
    """The text as snippets of whole sentences, without headings, each of so many words and what ends its last."""
    sentences = [" ".join(one.split()) for one in Text(_RULE.sub("", text)).sentences]
    full = max(_FEWEST, min(words, len(text.split()) // _SEVERAL))
    found: list[str] = []
    piece: list[str] = []
    for sentence in sentences:
        piece.append(sentence)
        if len(" ".join(piece).split()) >= full:
            found.append(" ".join(piece))
            piece = []
    return _joined([*found, *([" ".join(piece)] if piece else [])])


def _joined(found: list[str]) -> list[str]:
    """The snippets, a last one of a few words joined to the one before it."""
    if len(found) > 1 and len(found[-1].split()) < _FEWEST // 2:
        return [*found[:-2], f"{found[-2]} {found[-1]}"]
    return found


def nearest(text: str, to: str) -> str:
    """The snippet of a text that shares the most words with another; the first of equals."""
    wanted = set(substance(to))
    return max(pieces(text) or [text], key=lambda piece: sum(word in wanted for word in set(substance(piece))))


def substance(text: str) -> Counter[str]:
    """How often a text has each of its words of four letters or more, and its numbers."""
    return Counter(_WORD.findall(fold(text)))
