"""Two texts word by word: what stayed, what went, what came."""

import re
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal

_PIECE = re.compile(r"\s+|\w+|[^\w\s]")
MOST = 6000
"""Words of longer texts are not compared: the one is shown gone, the other come."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of text."""

    kind: Literal["same", "gone", "come"]
    text: str


def words_changed(before: str, after: str) -> list[Piece]:
    """The second text as a change of the first."""
    old, new = _PIECE.findall(before), _PIECE.findall(after)
    if len(old) + len(new) > MOST:
        return _pieces(("gone", before), ("come", after))
    pieces: list[Piece] = []
    for tag, i, j, k, end in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag == "equal":
            pieces += _pieces(("same", "".join(old[i:j])))
        else:
            pieces += _pieces(("gone", "".join(old[i:j])), ("come", "".join(new[k:end])))
    return pieces


def _pieces(*parts: tuple[Literal["same", "gone", "come"], str]) -> list[Piece]:
    return [Piece(kind, text) for kind, text in parts if text]
