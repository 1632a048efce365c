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
_WORD = re.compile(r"[^\W_]{4,}|\d+")


def pieces(text: str, words: int = WORDS) -> list[str]:
    """The text as snippets of whole sentences, each of these many words and what ends its last sentence."""
    read = Text(text)
    spans, text = read.spans, read.plain  # spans count in the plain text
    full = max(_FEWEST, min(words, len(text.split()) // _SEVERAL))
    found: list[str] = []
    start = 0
    for place, (_, end) in enumerate(spans):
        last = place == len(spans) - 1
        if last or len(text[start:end].split()) >= full:
            found.append(" ".join(text[start:end].split()))
            start = end
    return _joined([piece for piece in found if any(map(str.isalnum, piece))])


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
