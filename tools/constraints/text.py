"""A text cut into paragraphs, sentences, words and syllables, once, for all the rules that read it.

Everything here is linear in the length of the text: patterns are possessive or bounded, because the
text is a model's output and may be a megabyte of full stops.
"""

import json
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from importlib.resources import files
from typing import Any

_PLAIN = {
    **{"’": "'", "‘": "'", "ʼ": "'", "“": '"', "”": '"', "\u00a0": " ", "\u202f": " ", "\u2009": " ", "İ": "I"},
    **dict.fromkeys("\u00ad\u200b\u200d\ufeff\r", ""),
}
_BORDER = re.compile(
    r"""(?<![.!?…])[.!?…]++["')\]}*_»]*+(?=\s|\Z)|[。！？]++[」』”"]*+|\n""",
)
_MARKER = re.compile(r"[ \t]*+(?:[-*+•‣]\s|\d{1,3}[.)]\s|#{1,6}\s|[|>])")
_HEADING = re.compile(r"[ \t\n]{0,100}+[#|]")
_LEAD = re.compile(r"(?:[\s>#|]|[-*+•‣–—]\s|\d{1,3}[.)]\s)*+[\"'(\[{*_~`«„¿¡]*+")
_TOKEN = re.compile(r"[^\W_]+")


@lru_cache(maxsize=1)
def lists() -> dict[str, Any]:
    """The word lists the rules use: abbreviations, small words, names, languages, spellings."""
    text = (files("agentinstruct.tools.constraints") / "words.json").read_text(encoding="utf-8")
    return dict(json.loads(text))


@lru_cache(maxsize=32)
def listed(name: str) -> frozenset[str]:
    """One of the word lists as a set."""
    return frozenset(lists()[name])


def plain(text: str) -> str:
    """The text with one spelling for quotes, blanks and accents, so that equal looks are equal strings."""
    if text.isascii():
        return text.replace("\r", "")
    for mark, usual in _PLAIN.items():
        if mark in text:
            text = text.replace(mark, usual)
    return unicodedata.normalize("NFC", text)


def tokens(text: str) -> list[str]:
    """Runs of letters and digits, caseless: what 'word for word' is compared on."""
    return _TOKEN.findall(plain(text).casefold())


def bare(text: str) -> str:
    """The letters without case and accents: é counts as e."""
    return "".join(c for c in unicodedata.normalize("NFD", text.casefold()) if not unicodedata.combining(c))


def excerpt(text: str, start: int = 0, around: int = 40) -> str:
    """A short quotation of the text around a place, on one line."""
    left = max(0, start - around)
    piece = " ".join(text[left : start + around].split())
    return f"{'…' if left else ''}{piece}{'…' if start + around < len(text) else ''}"


@lru_cache(maxsize=50_000)
def syllables(word: str) -> int:
    """Syllables of an English word, guessed from its vowel groups; at least 1."""
    letters = re.sub(r"[^a-z]", "", bare(word))
    count = len(re.findall(r"[aeiouy]+", letters))
    if re.search(r"[^aeiouylr]es?$|[aeiouylr][lr]es?$|[^aeiouydt]ed$|(?<=..)ely$", letters):
        count -= 1
    return max(1, count + bool(re.search(r"i[ao](?!us$|n)|[^q]ua[^r]|eo[^u]", letters)))


@dataclass(frozen=True)
class Text:
    """One text, its parts worked out on first use."""

    raw: str

    @cached_property
    def plain(self) -> str:
        """See `plain`."""
        return plain(self.raw)

    @cached_property
    def flat(self) -> str:
        """`plain` on one line with single blanks."""
        return " ".join(self.plain.split())

    @cached_property
    def _small(self) -> str:
        return self.flat.lower()

    def places(self, phrase: str) -> Iterator[int]:
        """Where in `flat` a word or phrase stands as whole words, whatever its case and line breaks."""
        hay, needle = self._small, " ".join(plain(phrase).split()).lower()
        at = hay.find(needle) if needle else -1
        while at >= 0:
            end = at + len(needle)
            inside = at and hay[at - 1].isalnum() and needle[0].isalnum()
            if not inside and not (end < len(hay) and hay[end].isalnum() and needle[-1].isalnum()):
                yield at
            at = hay.find(needle, end)

    def counts(self, phrase: str) -> int:
        """How often a word or phrase stands in the text."""
        return sum(1 for _ in self.places(phrase))

    @cached_property
    def tokens(self) -> list[str]:
        """See `tokens`."""
        return tokens(self.raw)

    @cached_property
    def words(self) -> list[str]:
        """Words as an editor counts them: split at blanks and dashes, list numbers not counted."""
        text = re.sub(r"(?m)^[ \t]*+\d{1,3}[.)](?=\s)", " ", self.plain)
        return [word for word in re.split(r"[\s—]+|--+", text) if any(map(str.isalnum, word))]

    @cached_property
    def grade(self) -> float:
        """Flesch–Kincaid school grade (Kincaid et al. 1975); meaningful for English only."""
        count = len(self.words) or 1
        spoken = sum(map(syllables, self.words))
        return 0.39 * count / (len(self.sentences) or 1) + 11.8 * spoken / count - 15.59

    @cached_property
    def paragraphs(self) -> list[tuple[int, int]]:
        """Spans in `plain` between blank lines; without any, lines that all end a sentence count."""
        spans = _trimmed(self.plain, [m.span() for m in re.finditer(r"\n[ \t]*+\n", self.plain)])
        if len(spans) > 1:
            return spans
        lines = _trimmed(self.plain, [m.span() for m in re.finditer(r"\n", self.plain)])
        return lines if all(self.plain[end - 1] in ".!?…:;\"')" for _, end in lines) else spans

    @cached_property
    def spans(self) -> list[tuple[int, int]]:
        """Spans of the sentences in `plain`; headings are none."""
        ends = _trimmed(self.plain, list(self._borders()))
        return [(a, b) for a, b in ends if self.plain[a] not in "#|" and _TOKEN.search(self.plain, a, b)]

    @cached_property
    def sentences(self) -> list[str]:
        """The sentences, list markers included."""
        return [self.plain[a:b] for a, b in self.spans]

    @cached_property
    def openings(self) -> list[str]:
        """The sentences without the markers, quotes and brackets they open with."""
        return [sentence[m.end() :] for sentence in self.sentences if (m := _LEAD.match(sentence))]

    def _borders(self) -> Iterator[tuple[int, int]]:
        text, start = self.plain, 0
        lowercase = not any(map(str.isupper, text))
        for mark in _BORDER.finditer(text):
            line = mark[0] == "\n"
            if _line_ends(text, start, mark.end()) if line else _stops(text, start, mark, lowercase):
                start = mark.end()
                yield start, start


def _trimmed(text: str, gaps: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """The non-blank stretches between gaps, without their outer blanks."""
    starts, ends = [0, *(b for _, b in gaps)], [*(a for a, _ in gaps), len(text)]
    spans = []
    for a, b in zip(starts, ends, strict=True):
        piece = text[a:b]
        left = len(piece) - len(piece.lstrip())
        if left < len(piece):
            spans.append((a + left, a + len(piece.rstrip())))
    return spans


def _line_ends(text: str, start: int, at: int) -> bool:
    """Whether a line break ends the sentence: a blank line, a list item next, or a heading before."""
    after = text[at : at + 80].lstrip(" \t")
    heading = _HEADING.match(text, start)
    return after[:1] in ("", "\n") or bool(heading) or bool(_MARKER.match(text, at))


def _stops(text: str, start: int, mark: re.Match[str], lowercase: bool) -> bool:
    """Whether this punctuation ends a sentence: not after Mr., e.g., an initial or a list number."""
    following = text[mark.end() : mark.end() + 12].lstrip()
    small = not lowercase and following[:1].islower()
    if mark[0][0] != "." or len(mark[0]) > 1:
        return not small
    before = text[max(start, mark.start() - 24) : mark.start()].lstrip()
    word = before.split()[-1].lstrip("\"'([{*_") if before.strip() else ""
    if word.isdigit() and len(word) <= 3 and not text[start : mark.start()].strip()[: -len(word)]:
        return False
    if word.lower() in listed("abbreviations"):
        return False
    initial = len(word) == 1 and word.isupper() and word.isalpha() and word != "I"
    if initial or word.lower() in listed("closing_abbreviations"):
        return not following or _opens(following, initial)
    return True


def _opens(following: str, initial: bool) -> bool:
    """Whether what follows an ambiguous full stop looks like the start of a new sentence."""
    word = re.split(r"\W", following, maxsplit=1)[0]
    if initial:
        return word.lower() in listed("sentence_openers") or following[0] in "\n"
    return not following[0].islower() and not following[0].isdigit()
