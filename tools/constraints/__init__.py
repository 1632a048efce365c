"""Holds a modified text against what its instruction demanded, exactly and without a model.

constraints + source ─ faults ─ can this be asked of this text at all?
constraints + source + output ─ check ─ one finding per constraint, with the first offending place
"""

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache

from agentinstruct.tools.constraints import edits, formats, pieces, verse, words
from agentinstruct.tools.constraints import language as languages
from agentinstruct.tools.constraints.markup import markup
from agentinstruct.tools.constraints.rules import STYLES, Constraint, EditKind, Finding, Kind, Rule, Swap
from agentinstruct.tools.constraints.text import Text, tokens

__all__ = ["Constraint", "EditKind", "Finding", "Kind", "Swap", "check", "faults", "unsound"]

_RULES: dict[Kind, Rule] = {
    "case": words.case,
    "sentence_starts": words.sentence_starts,
    "word_starts": words.word_starts,
    "forbid_letters": words.forbid_letters,
    "forbid_words": words.forbid_words,
    "require_words": words.require_words,
    "count": words.count,
    "replace_words": edits.replace_words,
    "remove": edits.remove,
    "same_words": edits.same_words,
    "contains_source": edits.contains_source,
    "unchanged_elsewhere": edits.unchanged_elsewhere,
    "low_overlap": edits.low_overlap,
    "min_words": words.words_in_all,
    "max_words": words.words_in_all,
    "exact_words": words.words_in_all,
    "min_percent": words.words_in_all,
    "max_percent": words.words_in_all,
    "max_sentences": words.max_sentences,
    "exact_sentences": words.exact_sentences,
    "max_sentence_words": words.max_sentence_words,
    "exact_paragraphs": words.exact_paragraphs,
    "max_word_length": words.max_word_length,
    "max_syllables": words.max_syllables,
    "starts_with": words.starts_with,
    "ends_with": words.ends_with,
    "readability_drops": words.readability_drops,
    "dates": formats.dates,
    "times": formats.times,
    "numbers": formats.numbers,
    "keep_numbers": edits.keep_numbers,
    "spelling": formats.spelling,
    "markup": markup,
    "language": languages.language,
    "two_languages": languages.two_languages,
    "no_pii": formats.no_pii,
    "only_output": edits.only_output,
    "acrostic": verse.acrostic,
    "min_lines": verse.lines,
    "max_lines": verse.lines,
    "exact_lines": verse.lines,
    "exact_stanzas": verse.exact_stanzas,
    "lines_per_stanza": verse.lines_per_stanza,
    "rhyme": verse.rhyme,
    "syllables_per_line": verse.syllables_per_line,
    "meter": verse.meter,
    "refrain": verse.refrain,
    "dialogue": pieces.dialogue,
    "screenplay": pieces.screenplay,
    "sections": pieces.sections,
    "letter": pieces.letter,
    "min_characters": pieces.characters,
    "max_characters": pieces.characters,
    "hashtags": pieces.hashtags,
    "exact_items": pieces.exact_items,
    "max_item_words": pieces.max_item_words,
    "point_of_view": pieces.point_of_view,
    "anaphora": pieces.anaphora,
    "titled": pieces.titled,
}
_NEED_WORDS: frozenset[Kind] = frozenset(
    {
        *("forbid_letters", "forbid_words", "require_words", "count", "starts_with", "ends_with", "language"),
        *("acrostic", "rhyme", "sections", "anaphora"),
    }
)
_LIMITS = re.compile(r"(?:min|max|exact)_|lines_per_stanza|meter")
EMPHASIS = ("bold", "italic", "underline", "strikethrough", "code")
_KEEPS_WORDS: frozenset[Kind] = frozenset(
    {"case", "same_words", "unchanged_elsewhere", "markup", "exact_paragraphs", "only_output"}
)
_SHORTENS: frozenset[Kind] = frozenset(
    {"max_words", "exact_words", "max_percent", "max_sentences", "exact_sentences", "remove"}
)
# pointless when the text already is that way
_CHANGES: frozenset[Kind] = frozenset(
    {
        "case",
        "sentence_starts",
        "word_starts",
        "forbid_letters",
        "replace_words",
        "remove",
        "dates",
        "times",
        "numbers",
        "spelling",
        "markup",
        "language",
        "two_languages",
    }
)


_source = lru_cache(maxsize=64)(Text)
"""A text that many outputs are held against is taken apart once."""


def check(constraints: Iterable[Constraint], source: str, output: str) -> list[Finding]:
    """One finding per constraint, in order; a constraint that makes no sense, or an empty output, fails."""
    old, new = _source(source), Text(output)
    asked = list(constraints)
    return [_finding(c, old, new, asked) for c in asked]


def faults(constraints: Sequence[Constraint], source: str) -> list[str]:
    """Why this text cannot sensibly be asked for these changes; empty when it can.

    Finds malformed constraints, words that do not stand in the text, limits that contradict each other,
    and changes that leave nothing to do.
    """
    text = _source(source)
    found = unsound(constraints) or list(filter(None, (_absent(c, text) for c in constraints)))
    if not found:
        idle = [c for c in constraints if c.kind in _CHANGES and _finding(c, text, text, constraints).passed]
        found = [f"{c}: the text already is that way" for c in idle]
    return found


def unsound(constraints: Sequence[Constraint]) -> list[str]:
    """Why no text at all can be held against these: malformed constraints, and limits that contradict each other."""
    return [*filter(None, map(_malformed, constraints)), *_contradictions(constraints)]


def _finding(c: Constraint, source: Text, output: Text, asked: Sequence[Constraint]) -> Finding:
    offence = _malformed(c) or ("" if output.tokens else "the output is empty") or _offence(c, source, output, asked)
    return Finding(constraint=str(c), passed=not offence, evidence=offence)


def _offence(c: Constraint, source: Text, output: Text, asked: Sequence[Constraint]) -> str:
    if c.scope == "text" or c.kind == "unchanged_elsewhere":
        return _RULES[c.kind](c, source, output) or _implied(c, source, output, asked)
    old, new = edits.pieces(c, source, output)
    return _RULES[c.kind](c, old, new) if new.tokens else f"the output has no {c.scope} {c.position}"


def _implied(c: Constraint, source: Text, output: Text, asked: Sequence[Constraint]) -> str:
    """What a demand on the whole text means besides its rule, unless another one beside it asks for something else.

    Another case keeps the words, unless something is asked for that could change them; another language keeps the
    length, unless a limit is set.
    """
    if c.kind == "case" and all(map(_keeps_words, asked)):
        return edits.same_words(c, source, output)
    if c.kind == "language" and not any(other.kind in _SHORTENS for other in asked):
        return languages.shortened(source, output)
    return ""


def _keeps_words(c: Constraint) -> bool:
    return c.kind in _KEEPS_WORDS and (c.kind != "markup" or c.style not in ("headings", "table"))


def _malformed(c: Constraint) -> str:
    """What a constraint lacks to mean anything, or an empty string."""
    if c.kind in STYLES and c.style not in STYLES[c.kind]:
        return f"{c.kind} needs a style: {', '.join(filter(None, STYLES[c.kind]))}"
    named = bool(c.words) and all(any(map(_visible, word)) for word in c.words)
    either = c.kind in ("sentence_starts", "word_starts", "remove") and not c.style
    if (c.kind in _NEED_WORDS or either or c.words) and not named:
        return f"{c.kind} names no words"
    if c.number < bool(_LIMITS.match(c.kind)):
        return f"{c.kind} needs a number above 0"
    if c.kind == "replace_words" and not (c.swaps and all(tokens(swap.old) for swap in c.swaps)):
        return "replace_words names no words to replace"
    if fault := _unshaped(c):
        return fault
    placed = c.scope == "text" or c.position != 0
    return "" if placed and (c.kind != "unchanged_elsewhere" or c.scope != "text") else f"{c.kind} names no place"


def _unshaped(c: Constraint) -> str:
    """What a demand on language or form lacks, or an empty string."""
    if c.kind == "language" and not languages.code(c.words[0]):
        return f"“{c.words[0]}” is not a language this check knows"
    if c.kind == "rhyme" and not re.fullmatch(
        r"(?=.*([A-W]).*\1)[A-X]{2,40}", re.sub(r"[ ,/|-]", "", "".join(c.words))
    ):
        return f"“{' '.join(c.words)}” is no rhyme scheme such as ABAB"
    if c.kind == "syllables_per_line" and not (c.style or c.number):
        return "syllables_per_line needs a number or a shape"
    return "hashtags names none and no number" if c.kind == "hashtags" and not (c.words or c.number) else ""


def _visible(letter: str) -> bool:
    return not letter.isspace() and letter.isprintable()


def _absent(c: Constraint, source: Text) -> str:
    """A word to replace, remove or mark, or a paragraph or sentence, that the text does not have."""
    if c.scope != "text" and edits.part(source, c.scope, c.position) is None:
        return f"{c}: the text has no {c.scope} {c.position}"
    lost = next((word for word in _named(c) if not source.counts(word)), None)
    return f"{c}: “{lost}” does not stand in the text" if lost is not None else ""


def _named(c: Constraint) -> Sequence[str]:
    """What the text must hold for the change to have an object."""
    if c.kind == "replace_words":
        return [swap.old for swap in c.swaps]
    return c.words if c.kind == "remove" or (c.kind == "markup" and c.style in EMPHASIS) else ()


def _contradictions(constraints: Sequence[Constraint]) -> list[str]:
    """Pairs that no text can satisfy: a floor above a ceiling, a word both required and forbidden, two cases."""
    whole = [c for c in constraints if c.scope == "text"]
    found = []
    for unit in ("words", "percent", "sentences", "lines", "characters"):
        floors = [c.number for c in whole if c.kind in (f"min_{unit}", f"exact_{unit}")]
        ceilings = [c.number for c in whole if c.kind in (f"max_{unit}", f"exact_{unit}")]
        if floors and ceilings and max(floors) > min(ceilings):
            found.append(f"at least {max(floors)} and at most {min(ceilings)} {unit}")
    required = {word.lower() for c in whole if c.kind == "require_words" for word in c.words}
    forbidden = {word.lower() for c in whole if c.kind in ("forbid_words", "remove") for word in c.words}
    found += [f"“{word}” is both required and forbidden" for word in sorted(required & forbidden)]
    if len({c.style for c in whole if c.kind == "case"}) > 1:
        found.append("two different cases for the whole text")
    return found
