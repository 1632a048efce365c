"""Rules about the language a text is in, by a small bundled fastText model (ISO 639-1, 176 languages).

Closely related written forms count as one, and a text of under twenty letters is too short to tell.
"""

import re
from functools import lru_cache

from agentinstruct.tools.constraints.rules import Constraint
from agentinstruct.tools.constraints.text import Text, excerpt, lists
from agentinstruct.tools.detector import detector

_SAME = {"bs": "hr", "sr": "hr", "sh": "hr", "nb": "no", "nn": "no", "ms": "id", "arz": "ar", "wuu": "zh", "yue": "zh"}
_WINDOW = 5  # words looked at together when languages alternate
_WINDOWS = 400  # of them at most
_LETTERS = 20
_UNSPACED = re.compile(r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff]")
_SIGNS = 2  # of such a script, to an English word
_LONG = 12
_LEAST = 3


def code(language: str) -> str:
    """The ISO 639-1 code for a language's English name or code; empty when it is not known."""
    name = " ".join(language.lower().split())
    known = lists()["languages"]
    found = known.get(name) or (name.split("-")[0] if name.split("-")[0] in known.values() else "")
    return _SAME.get(found, found)


@lru_cache(maxsize=256)
def detect(text: str) -> tuple[str, float]:
    """The language of a text, and how sure that is (0–1)."""
    clean = text[:4000].encode("utf-8", "replace").decode().replace("\n", " ").strip()
    if not any(map(str.isalpha, clean)):
        return "", 0.0
    best = detector().detect(clean, model="lite")[0]
    found = str(best["lang"])
    return _SAME.get(found, found), float(best["score"])


def language(c: Constraint, source: Text, output: Text) -> str:
    """The text as a whole is in the one language named, and no long sentence stayed in the original's."""
    wanted = code(c.words[0])
    if sum(map(str.isalpha, output.plain[:1000])) < _LETTERS:
        return ""
    found, score = detect(output.flat)
    if found != wanted:
        return f"reads as {found or 'no language'} ({score:.2f}), not {wanted}: “{excerpt(output.flat)}”"
    original = detect(source.flat)[0]
    for sentence in output.sentences[:_WINDOWS] if original != wanted else []:
        if len(sentence) > 60 and detect(sentence)[0] == original and detect(sentence)[1] > 0.8:
            return f"still in {original}: “{excerpt(sentence)}”"
    return ""


def shortened(source: Text, output: Text) -> str:
    """Whether so little of a longer text is left that it cannot all be there; scripts without blanks by their signs."""
    was, left = (len(text.words) + len(_UNSPACED.findall(text.plain)) // _SIGNS for text in (source, output))
    return f"only {left} words for the original's {was}" if was >= _LONG and left * _LEAST < was else ""


def two_languages(c: Constraint, source: Text, output: Text) -> str:
    """At least two languages alternate, the named ones if any: each in a tenth of the text and twice at least."""
    words = output.words
    starts = range(0, max(1, len(words) - _WINDOW // 2), max(_WINDOW // 2, len(words) // _WINDOWS))
    seen: dict[str, int] = {}
    for start in starts:
        found, score = detect(" ".join(words[start : start + _WINDOW]))
        if score >= 0.6:
            seen[found] = seen.get(found, 0) + 1
    enough = {found for found, times in seen.items() if times >= max(2, len(starts) / 10)}
    missing = {code(name) for name in c.words} - enough
    if missing or len(enough) < 2:
        return f"languages found: {', '.join(sorted(enough)) or 'none'}; “{excerpt(output.flat)}”"
    return ""
