"""The names in a text held against its data: none that is unknown, and none missing that the text was to have."""

import re
from collections.abc import Iterator, Sequence

from agentinstruct.tools.constraints.text import Text, plain
from agentinstruct.tools.quotes import fold
from agentinstruct.tools.tables.read import Data
from agentinstruct.tools.tables.scope import aliases

_NAME = re.compile(r"\b[A-Z][\w'’]*(?:(?:[ -]| of | de | van )[A-Z][\w'’]*)*")
_FREE = frozenset(
    [
        *("I", "January", "February", "March", "April", "May", "June", "July", "August", "September"),
        *("October", "November", "December", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday"),
        *("Saturday", "Sunday", "English", "UTC", "GMT", "USD", "EUR", "GBP", "CO2", "GDP", "AM", "PM"),
        *("Mr", "Mrs", "Ms", "Dr", "Data", "Note", "Table", "Figure", "Summary", "Conclusion"),
    ]
)
_HEADED = re.compile(r"(?m)^[ \t]*#+ .*$|^[ \t>*-]*\*\*[^*\n]{1,80}\*\*:?|^(?:[A-Z0-9][\w'’-]* ?){1,5}:")


def names_in(text: str, data: Data, given: str = "") -> list[str]:
    """Capitalised words, inside a sentence, that neither the data nor the request has."""
    known = set(re.findall(r"\w+", fold(f"{data.text} {given}")))
    unknown: dict[str, None] = {}
    for sentence in Text(_HEADED.sub("", plain(text))).sentences:
        for name in _inside(sentence):
            words = [word for word in re.findall(r"\w+", name) if word not in _FREE and word[0].isupper()]
            if words and not all(_known(word, known) for word in words):
                unknown[name] = None
    return list(unknown)


def _inside(sentence: str) -> Iterator[str]:
    """Names in a sentence; a capital at its head, after a colon or in a line of capitals means nothing."""
    words = re.findall(r"[^\W\d_]{4,}", sentence)
    if sum(word[0].isupper() for word in words) > 0.6 * len(words):
        return
    for match in _NAME.finditer(sentence):
        before = sentence[: match.start()].rstrip()
        head = not re.search(r"\w", before) or before.endswith(
            (":", "“", '"', "•", "-", "–", "—", "(", "*", "…", ".", "!", "?")
        )
        name = match[0].partition(" ")[2] if head else match[0]
        if name:
            yield name


def _known(word: str, known: set[str]) -> bool:
    """Whether the data has a word, inflection aside."""
    said = fold(word).removesuffix("'s").removesuffix("'")
    return (
        any(form in known for form in (said, said.removesuffix("s"), f"{said}s", said.removesuffix("es")))
        or len(said) < 2
    )


def uncovered(text: str, names: Sequence[str]) -> list[str]:
    """Those of the names that a text does not mention, in any of the ways to say them."""
    said = fold(text)
    return [
        n for n in names if not any(re.search(rf"(?<!\w){re.escape(a)}(?:s|es|'s)?(?!\w)", said) for a in aliases(n))
    ]
