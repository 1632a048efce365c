"""Rules about verse: lines, stanzas, acrostics, rhyme, syllables, metre, refrains.

A title, section labels and Markdown marks are no verse. Rhyme and metre are judged for English, by a
pronouncing dictionary; where a word can be said in two ways, the one that fits counts.
"""

import re
from collections import Counter
from itertools import combinations

from agentinstruct.tools.constraints.rules import Constraint
from agentinstruct.tools.constraints.text import Text, bare, excerpt, tokens
from agentinstruct.tools.verse import beats, rhymes, stanzas_of, syllable_range

SHAPES = {"haiku": (5, 7, 5), "tanka": (5, 7, 5, 7, 7)}
_LAST_WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)?(?=[\W\d_]*$)")
_FEET = {"iambic": "01", "trochaic": "10"}
_BENT = 0.25
"""Lines of a metrical poem that may bend the metre: even strict poets vary it."""


def _lines(output: Text) -> list[str]:
    return [line for stanza in stanzas_of(output.raw) for line in stanza]


def lines(c: Constraint, source: Text, output: Text) -> str:
    """At least, at most or exactly so many lines of verse."""
    have = len(_lines(output))
    few, many = have < c.number and not c.kind.startswith("max"), have > c.number and not c.kind.startswith("min")
    return f"{have} lines, where {c.number} is the limit" if few or many else ""


def exact_stanzas(c: Constraint, source: Text, output: Text) -> str:
    """Exactly so many stanzas, with blank lines between them."""
    have = len(stanzas_of(output.raw))
    return f"{have} stanzas, not {c.number}" if have != c.number else ""


def lines_per_stanza(c: Constraint, source: Text, output: Text) -> str:
    """Every stanza has exactly so many lines."""
    for place, stanza in enumerate(stanzas_of(output.raw), 1):
        if len(stanza) != c.number:
            return f"stanza {place} has {len(stanza)} lines, not {c.number}: “{excerpt(stanza[0])}”"
    return ""


def acrostic(c: Constraint, source: Text, output: Text) -> str:
    """The first letters of the lines, read downwards, spell the word, no more and no less."""
    wanted = re.sub(r"[^\w]", "", bare("".join(c.words)))
    first = (re.search(r"\w", bare(line)) for line in _lines(output))
    found = "".join(letter[0] for letter in first if letter)
    return f"the first letters spell “{found[:60].upper()}”" if found != wanted else ""


def rhyme(c: Constraint, source: Text, output: Text) -> str:
    """Lines with the same letter of the scheme rhyme, in each stanza or, if it covers them, over the whole poem."""
    poem, scheme = stanzas_of(output.raw), re.sub(r"[^A-Z]", "", "".join(c.words).upper())
    whole = len(scheme) == sum(map(len, poem))
    blocks = [[line for stanza in poem for line in stanza]] if whole else poem
    for block in blocks:
        if not whole and len(block) % len(scheme):
            return f"{len(block)} lines in a stanza do not fit the scheme {scheme}: “{excerpt(block[0])}”"
        for at in range(0, len(block), len(scheme)):
            if fault := _unrhymed(block[at : at + len(scheme)], scheme):
                return fault
    return "" if blocks else "there are no lines of verse"


def _unrhymed(block: list[str], scheme: str) -> str:
    """Each letter's words rhyme with the first of them; letters that stand once, and X, rhyme with nothing."""
    ends = [found[0] if (found := _LAST_WORD.search(line)) else "" for line in block]
    for letter in dict.fromkeys(scheme.replace("X", "")):
        words = [word for word, own in zip(ends, scheme, strict=False) if own == letter]
        for first, second in combinations(words, 2):
            if not rhymes(first, second):
                return f"“{first}” and “{second}” do not rhyme ({letter} of {scheme})"
    return ""


def syllables_per_line(c: Constraint, source: Text, output: Text) -> str:
    """Each line has so many syllables; a haiku or tanka has its lines, and nothing besides."""
    poem = _lines(output)
    shape = SHAPES.get(c.style)
    if shape and len(poem) != len(shape):
        return f"{len(poem)} lines, where a {c.style} has {len(shape)}"
    for line, wanted in zip(poem, shape or [c.number] * len(poem), strict=True):
        low, high = syllable_range(line)
        if not low <= wanted <= high:
            said = str(low) if low == high else f"{low} to {high}"
            return f"{said} syllables, not {wanted}: “{excerpt(line)}”"
    return "" if poem else "there are no lines of verse"


def meter(c: Constraint, source: Text, output: Text) -> str:
    """Lines of `number` iambic or trochaic feet: stresses of longer words stand where the metre has them.

    One line in four may bend the metre, any line may begin with a turned foot or end on a syllable more or less.
    """
    poem, foot = _lines(output), _FEET[c.style]
    bent = [line for line in poem if not _scans(line, foot, c.number)]
    if len(bent) <= _BENT * len(poem):
        return "" if poem else "there are no lines of verse"
    return f"{len(bent)} of {len(poem)} lines do not scan, such as “{excerpt(bent[0])}”"


def _scans(line: str, foot: str, feet: int) -> bool:
    low, high = syllable_range(line)
    if high < 2 * feet - 1 or low > 2 * feet + 1:
        return False
    stresses = beats(line)
    if stresses is None:
        return True
    wrong = [at for at, beat in enumerate(stresses) if beat == "1" and foot[at % 2] == "0"]
    return len([at for at in wrong if at > 1]) == 0


def refrain(c: Constraint, source: Text, output: Text) -> str:
    """A line of three words or more, or each of those given, stands at least so many times (twice by default)."""
    often = Counter(" ".join(tokens(line)) for line in _lines(output))
    least = max(2, c.number)
    if c.words:
        short = next((word for word in c.words if output.counts(word) < least), "")
        return f"“{short}” stands {output.counts(short)} times, not {least}" if short else ""
    most = max((times for line, times in often.items() if len(line.split()) > 2), default=0)
    return f"no line stands {least} times; the most repeated one stands {most} times" if most < least else ""
