"""Chunks: spans of a text that fit a length, cut at the outermost border that makes them fit.

A text comes with levels of borders, coarse first (sections, paragraphs, sentences, lines, words; definitions,
members, statements). Neighbours are packed together while they fit; what does not fit is cut at the next level.
Spans are ordered, never overlap, and leave out nothing but white space.
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import pairwise

Span = tuple[int, int]
Level = Callable[[int, int], Sequence[int]]
"""Gives the borders that lie between two offsets."""

_BLOCK = 50_000
_HEADING = re.compile(r"^#{1,6} ", re.M)
_SENTENCE = re.compile(r"(?<=[.!?…])[\"'”’)\]]{0,3}\s+|(?<=[。！？])")
_LINE = re.compile(r"\n")
_WORD = re.compile(r"\s+")


def prose_chunks(text: str, max_chars: int, min_chars: int, markdown: bool = False) -> list[Span]:
    """Chunks cut at headings and paragraphs, else sentences, else words."""
    levels = _prose_levels(text)
    try:
        from semantic_text_splitter import MarkdownSplitter, TextSplitter
    except ImportError:
        spans = list(_pack(0, len(text), levels, max_chars))
    else:
        splitter = (MarkdownSplitter if markdown else TextSplitter)(max_chars)
        # The splitter's time grows with the square of a text without structure: it gets a block at a time.
        spans = [
            (start + offset, start + offset + len(chunk))
            for start, end in _pack(0, len(text), levels, max(_BLOCK, max_chars))
            for offset, chunk in splitter.chunk_indices(text[start:end])
        ]
    return _trimmed(text, _merged(spans, max_chars, min_chars))


def code_chunks(text: str, cuts: Sequence[Sequence[int]], max_chars: int, min_chars: int) -> list[Span]:
    """Chunks cut at the given syntax borders or, without any, where a line at indentation 0 follows a blank one."""
    syntax = [partial(_within, level) for level in cuts if level]
    spans = _pack(0, len(text), [*syntax, *_code_levels(text)], max_chars)
    return _trimmed(text, _merged(list(spans), max_chars, min_chars))


def _prose_levels(text: str) -> list[Level]:
    def sections(start: int, end: int) -> list[int]:
        return [match.start() for match in _HEADING.finditer(text, start, end)]

    def ends_of(pattern: re.Pattern[str]) -> Level:
        return lambda start, end: [match.end() for match in pattern.finditer(text, start, end)]

    return [sections, partial(_paragraphs, text), ends_of(_SENTENCE), ends_of(_LINE), ends_of(_WORD)]


def _code_levels(text: str) -> list[Level]:
    def outermost(start: int, end: int) -> list[int]:
        return [cut for cut in _paragraphs(text, start, end) if not text[cut].isspace()]

    def lines(start: int, end: int) -> list[int]:
        return [match.end() for match in _LINE.finditer(text, start, end)]

    return [outermost, partial(_paragraphs, text), lines]


def _paragraphs(text: str, start: int, end: int) -> list[int]:
    """Starts of the lines that follow a blank one."""
    found, after_blank = [], False
    for line in text[start:end].split("\n"):
        blank = not line or line.isspace()
        if after_blank and not blank:
            found.append(start)
        after_blank = blank
        start += len(line) + 1
    return found


def _within(cuts: Sequence[int], start: int, end: int) -> Sequence[int]:
    return cuts[bisect_right(cuts, start) : bisect_left(cuts, end)]


def _pack(start: int, end: int, levels: Sequence[Level], max_chars: int) -> Iterator[Span]:
    """Spans of at most `max_chars` that cover all from start to end, in order."""
    if end - start <= max_chars:
        if end > start:
            yield start, end
        return
    if not levels:
        yield from ((cut, min(cut + max_chars, end)) for cut in range(start, end, max_chars))
        return
    packed = start
    for piece, following in pairwise([start, *(cut for cut in levels[0](start, end) if start < cut < end), end]):
        if following - packed > max_chars:
            if piece > packed:
                yield packed, piece
            packed = piece
        if following - packed > max_chars:
            yield from _pack(packed, following, levels[1:], max_chars)
            packed = following
    if end > packed:
        yield packed, end


def _merged(spans: Sequence[Span], max_chars: int, min_chars: int) -> list[Span]:
    """Spans in which one shorter than `min_chars` is joined to a neighbour where both together fit."""
    merged: list[Span] = []
    for start, end in spans:
        short = merged and min(end - start, merged[-1][1] - merged[-1][0]) < min_chars
        if short and end - merged[-1][0] <= max_chars:
            merged[-1] = merged[-1][0], end
        else:
            merged.append((start, end))
    return merged


def _trimmed(text: str, spans: Sequence[Span]) -> list[Span]:
    """Spans without the blank lines before and the white space after their text; indentation stays."""
    trimmed = []
    for start, end in spans:
        chunk = text[start:end]
        if body := chunk.strip():
            indent = len(chunk) - len(chunk.lstrip())
            first = chunk.rfind("\n", 0, indent) + 1
            trimmed.append((start + first, start + indent + len(body)))
    return trimmed
