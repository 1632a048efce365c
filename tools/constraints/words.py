"""Rules about letters, words, sentences and lengths of the new text.

Tolerances: words are counted as an editor counts them; title case leaves small words free; letters are
compared without accents; `must stand in the text` ignores case; syllables are guessed from vowel groups.
"""

import re
import unicodedata

from agentinstruct.tools.constraints.rules import Constraint
from agentinstruct.tools.constraints.text import (
    Text,
    bare,
    excerpt,
    listed,
    plain,
    syllables,
)

_EASY_GRADE = 4.0  # a text this easy need not become easier still
_PART = re.compile(r"[^\W\d_]+")


def case(c: Constraint, source: Text, output: Text) -> str:
    """The whole text is upper, lower, title, capitalized (every word) or sentence case."""
    if c.style in ("upper", "lower"):
        return _letters_case(output, c.style)
    if c.style == "sentence":
        return _sentence_case(output)
    return _title_case(output, strict=c.style == "capitalized")


def _letters_case(output: Text, style: str) -> str:
    text = output.plain
    wanted = text.upper() if style == "upper" else text.lower()
    if text == wanted:
        return ""
    for i, letter in enumerate(text):
        if letter != (letter.upper() if style == "upper" else letter.lower()):
            return f"not {style} case: “{excerpt(text, i, 20)}”"
    return ""


def _title_case(output: Text, strict: bool) -> str:
    first = {opening.split(maxsplit=1)[0] for opening in output.openings if opening}
    shouted = 0
    for word in output.words:
        core = word.lstrip("\"'([{*_~`#").rstrip("\"')]}*_~`.,;:!?…")
        free = not strict and core.lower() in listed("small_words") and word not in first
        if core[:1].islower() and not free and not any(map(str.isupper, core)):
            return f"begins with a small letter: “{word[:60]}”"
        shouted += len(core) > 1 and core.isupper()
    return "every word is in capitals" if shouted > len(output.words) / 2 else ""


def _sentence_case(output: Text) -> str:
    inner = capitals = 0
    for opening in output.openings:
        if opening[:1].islower():
            return f"sentence begins with a small letter: “{excerpt(opening)}”"
        for word in opening.split()[1:]:
            inner += word[:1].isalpha()
            capitals += word[:1].isupper()
    return f"{capitals} of {inner} inner words begin with a capital" if inner >= 4 and capitals > inner / 2 else ""


def _begins(word: str, c: Constraint) -> bool:
    letters = bare(word).lstrip("\"'([{*_~`„«-")
    if c.style == "vowel" or c.style == "consonant":
        return letters[:1].isalpha() and (letters[0] in "aeiou") == (c.style == "vowel")
    return any(_starts(letters, bare(plain(want)).strip()) for want in c.words)


def _starts(text: str, want: str) -> bool:
    """A single letter is a first letter; anything longer is a whole word or phrase."""
    if not want or not text.startswith(want):
        return False
    return len(want) == 1 or not text[len(want) : len(want) + 1].isalnum()


def sentence_starts(c: Constraint, source: Text, output: Text) -> str:
    """Every sentence begins with one of the letters, words or phrases, or with a vowel or consonant."""
    wrong = next((o for o in output.openings if not _begins(o[:200], c)), None)
    return f"sentence begins otherwise: “{excerpt(wrong)}”" if wrong is not None else ""


def word_starts(c: Constraint, source: Text, output: Text) -> str:
    """Every word, or every n-th, begins with one of the letters or letter groups."""
    step = max(1, c.number)
    for i in range(step - 1, len(output.words), step):
        letters = bare(output.words[i]).lstrip("\"'([{*_~`„«-")
        if not (_begins(letters, c) or any(w and letters.startswith(bare(plain(w))) for w in c.words)):
            return f"word {i + 1} is “{output.words[i][:60]}”"
    return ""


def forbid_letters(c: Constraint, source: Text, output: Text) -> str:
    """None of the letters occurs, with or without accents."""
    letters = {letter for word in c.words for letter in bare(word) if letter.isalnum()}
    if not letters & set(bare(output.plain)):
        return ""
    word = next((w for w in output.plain.split() if letters & set(bare(w))), "")
    return f"forbidden letter in “{word[:60]}”"


def forbid_words(c: Constraint, source: Text, output: Text) -> str:
    """None of the words or phrases stands in the text; other forms of a word are other words."""
    for word in c.words:
        at = next(output.places(word), None)
        if at is not None:
            return f"“{word}” stands in “{excerpt(output.flat, at)}”"
    return ""


def require_words(c: Constraint, source: Text, output: Text) -> str:
    """Each of the words or phrases stands in the text, at least `number` times (once by default)."""
    for word in c.words:
        found = output.counts(word)
        if found < max(1, c.number):
            return f"“{word}” stands {found} times, not {max(1, c.number)}"
    return ""


def count(c: Constraint, source: Text, output: Text) -> str:
    """Each of the strings stands in the text exactly `number` times, letter for letter."""
    for word in c.words:
        found = output.plain.count(plain(word)) if plain(word) else 0
        if found != c.number:
            return f"“{word}” stands {found} times, not {c.number}"
    return ""


def words_in_all(c: Constraint, source: Text, output: Text) -> str:
    """At least, at most or exactly so many words; for percentages, of the source's words."""
    have, number = len(output.words), c.number
    if c.kind.endswith("percent"):
        number = round(len(source.words) * c.number / 100)
    wrong = (have < number and not c.kind.startswith("max")) or (have > number and not c.kind.startswith("min"))
    return f"{have} words, where {number} is the limit" if wrong else ""


def max_sentences(c: Constraint, source: Text, output: Text) -> str:
    """No more sentences than this."""
    have = len(output.sentences)
    return f"{have} sentences; one too many: “{excerpt(output.sentences[c.number])}”" if have > c.number else ""


def exact_sentences(c: Constraint, source: Text, output: Text) -> str:
    """Exactly so many sentences; headings are none, a list item is one."""
    have = len(output.sentences)
    return f"{have} sentences, not {c.number}: “… {excerpt(output.flat[-60:])}”" if have != c.number else ""


def exact_paragraphs(c: Constraint, source: Text, output: Text) -> str:
    """Exactly so many paragraphs, with blank lines between them."""
    have = len(output.paragraphs)
    return f"{have} paragraphs, not {c.number}" if have != c.number else ""


def max_sentence_words(c: Constraint, source: Text, output: Text) -> str:
    """No sentence is longer than this."""
    for sentence in output.sentences:
        have = len(Text(sentence).words)
        if have > c.number:
            return f"{have} words in “{excerpt(sentence)}”"
    return ""


def max_word_length(c: Constraint, source: Text, output: Text) -> str:
    """No word has more letters; the parts of a hyphenated word count on their own."""
    long = next((m for m in _PART.finditer(output.plain) if len(m[0]) > c.number), None)
    return f"{len(long[0])} letters in “{long[0][:60]}”" if long else ""


def max_syllables(c: Constraint, source: Text, output: Text) -> str:
    """No word has more syllables; an English heuristic."""
    long = next((m[0] for m in _PART.finditer(output.plain) if syllables(m[0][:60]) > c.number), "")
    return f"“{long[:60]}” has {syllables(long[:60])} syllables" if long else ""


def starts_with(c: Constraint, source: Text, output: Text) -> str:
    """The text opens with one of these strings."""
    text = " ".join(output.plain[:2000].split()).lstrip("\"'*_# ").lower()
    fits = any(text.startswith(" ".join(plain(word).lower().split())) for word in c.words)
    return "" if fits else f"opens with “{excerpt(output.plain.lstrip())}”"


def ends_with(c: Constraint, source: Text, output: Text) -> str:
    """The text closes with one of these strings; a final full stop or quote is not looked at."""
    text = _unstopped(" ".join(output.plain[-2000:].split()))
    fits = any(text.endswith(_unstopped(" ".join(plain(word).split()))) for word in c.words)
    return "" if fits else f"closes with “{excerpt(output.plain.rstrip()[-60:], 60, 60)}”"


def _unstopped(text: str) -> str:
    return unicodedata.normalize("NFC", text).lower().rstrip(".!?…\"'*_ ")


def readability_drops(c: Constraint, source: Text, output: Text) -> str:
    """The Flesch–Kincaid grade falls by at least `number`, or is that of a text for young readers."""
    if output.grade <= _EASY_GRADE or output.grade < source.grade - c.number:
        return ""
    return f"school grade {output.grade:.1f}, the original's is {source.grade:.1f}"
