"""The scripted model's small world: a text is its sentences, and what stands in it is true.

A sentence is white space apart from the text: a quotation of it is found again in any layout of the text.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache

from agentinstruct.tools.quotes import bare, fold, numbers

_MARKER = re.compile(r"^(?:[-*+•]|\d{1,3}[.)]|#{1,6}|>)\s+")
_ENDS_LINE = (".", "!", "?", ":", ";", "…")
_STOP = re.compile(r"[.!?…。！？]+[\"'”’)\]]*\s+(?=[^a-z\s])")
_LONGEST, _SLICE = 48, 24
_CUTS = ((1, 2), (2, 3), (1, 3), (3, 4))


@dataclass(frozen=True)
class World:
    """A text, its sentences worked out on first use."""

    text: str

    @cached_property
    def folded(self) -> str:
        """The text as quotations are compared with it."""
        return fold(self.text)

    @cached_property
    def sentences(self) -> tuple[str, ...]:
        """Its sentences, each on one line and without list markers; what runs on without end is cut."""
        found = [piece for block in _blocks(self.text.splitlines()) for piece in _cut(block)]
        return tuple(dict.fromkeys(piece for piece in found if any(map(str.isalnum, piece))))

    @cached_property
    def telling(self) -> tuple[str, ...]:
        """The sentences one can ask about: four words or more, without quotation marks."""
        return tuple(s for s in self.sentences if len(s.split()) >= 4 and not set(s) & set('"“”«»'))

    def pieces(self, wanted: int) -> list[str]:
        """That many statements of at least four words, sentences or, in a short text, parts of them."""
        found = list(self.telling)
        while len(found) < wanted:
            longest = max(found, key=lambda piece: len(piece.split()), default="")
            if len(longest.split()) < 8:
                break
            at = found.index(longest)
            found[at : at + 1] = halves(longest)
        return found

    def stands(self, statement: str) -> bool:
        """Whether the text says this, word for word."""
        wanted = fold(statement).strip(" \"'.;,…")
        return bool(wanted) and wanted in self.folded

    def place(self, statement: str) -> int:
        """Where the text says it; -1 where it does not."""
        return self.folded.find(fold(statement).strip(" \"'.;,…"))

    def beginning(self, head: str) -> str:
        """The one sentence that begins so; empty when there is none, or more than one."""
        wanted = fold(head)
        found = [s for s in self.sentences if fold(s).startswith(wanted) and fold(s) != wanted]
        return found[0] if len(found) == 1 else ""

    def after(self, sentence: str) -> str:
        """The sentence that follows this one, if any does."""
        at = self.sentences.index(sentence) + 1 if sentence in self.sentences else len(self.sentences)
        return self.sentences[at] if at < len(self.sentences) else ""

    def figure(self, lead: str) -> str:
        """The word with a number in it that follows these words; empty unless there is exactly one."""
        after = set(re.findall(rf"(?<!\S){_spaced(lead)}\s+(\S+)", self.text))
        found = [word for word in after if len(numbers(word)) == 1]
        return found[0] if len(found) == 1 else ""

    def replaced(self, old: str, new: str) -> str:
        """The text with every occurrence of some words replaced."""
        return re.sub(_spaced(old), lambda _: new, self.text)


@lru_cache(maxsize=256)
def world(text: str) -> World:
    """The world of a text, made once."""
    return World(text)


def halves(sentence: str, cut: tuple[int, int] = (1, 2)) -> tuple[str, str]:
    """A sentence in two, cut after this share of its words."""
    words = sentence.split()
    at = min(max(1, len(words) * cut[0] // cut[1]), len(words) - 1) if len(words) > 1 else 1
    return " ".join(words[:at]), " ".join(words[at:])


def crossings(around: World, about: str, close: bool) -> Iterator[str]:
    """Statements the text does not make: the beginning of one sentence with the end of another.

    Close ones differ from `about` in their last words only.
    """
    seen = {bare(about)}
    for statement in _crossed(around, about, close):
        if bare(statement) not in seen and not around.stands(statement):
            seen.add(bare(statement))
            yield statement


def _crossed(around: World, about: str, close: bool) -> Iterator[str]:
    others = [piece for piece in around.pieces(4) if piece != about]
    if close:
        for other in others:
            yield f"{halves(about, (3, 4))[0]} {halves(other, (3, 4))[1]}"
    for cut in _CUTS:
        for other in others:
            yield f"{halves(about, cut)[0]} {halves(other, cut)[1]}"
            yield f"{halves(other, cut)[0]} {halves(about, cut)[1]}"
    words = about.split()
    for turn in range(1, len(words)):
        yield " ".join(words[turn:] + words[:turn])


def _spaced(words: str) -> str:
    return r"\s+".join(map(re.escape, words.split()))


def _blocks(lines: Iterable[str]) -> Iterator[str]:
    """Runs of lines that belong together: hard-wrapped prose is joined, lists and headings are not."""
    block: list[str] = []
    for line in (*lines, ""):
        text = line.strip()
        item = _MARKER.match(text)
        if block and (item or not any(map(str.isalnum, text))):
            yield " ".join(block)
            block = []
        text = text[item.end() :] if item else text
        if any(map(str.isalnum, text)):
            block += text.split()
        if block and text.endswith(_ENDS_LINE):
            yield " ".join(block)
            block = []


def _cut(block: str) -> Iterator[str]:
    start = 0
    for stop in (*(match.end() for match in _STOP.finditer(block)), len(block)):
        words = block[start:stop].split()
        start = stop
        step = _SLICE if len(words) > _LONGEST else max(1, len(words))
        for at in range(0, len(words), step):
            yield " ".join(words[at : at + step])
