"""How the scripted model writes questions that hold all one needs, and works them out again.

open: what can be read off a note. definite: a word of it that is missing. quantity: words in copies of it.
premise: a wrong count of its words, taken for granted.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from random import Random
from typing import Any

from agentinstruct.agents.scripted.notes import (
    HINT,
    NOTES,
    PLAIN,
    Note,
    copies,
    hidden,
    notes,
    said_of,
    scrambled,
    unscrambled,
)
from agentinstruct.tools.calculate import evaluate

_SCRAMBLED = re.compile(r'Read backwards(, with its first letter put last before)?, the missing word is "(\w+)"')
_COPIES = re.compile(
    r"note of (\d+) words is copied (\d+) times(?:, and every copy gets (\d+) words more)?"
    r"(?:, and (\d+) copies are lost)?"
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What an item is to be: in which text, of which title, as hard as what."""

    text: str
    draw: Random
    title: str = ""

    @property
    def lead(self) -> str:
        """How its questions begin."""
        return f"{self.title}. " if self.title else ""


def _open(wanted: Wanted) -> Iterator[dict[str, Any]]:
    for note in notes(wanted.text, wanted.draw):
        yield open_item(f"{wanted.lead}{NOTES.format(note.text)} {' '.join(PLAIN)}{HINT}", note)


def open_item(question: str, note: Note) -> dict[str, Any]:
    """An open item on a note, its points worked out."""
    return {"evidence": [note.text], "question": question, "points": said_of(question)}


def _definite(wanted: Wanted) -> Iterator[dict[str, Any]]:
    for note in notes(wanted.text, wanted.draw):
        if item := definite_item(note, wanted.lead, turned=False, hint=True):
            yield item


def definite_item(note: Note, lead: str, *, turned: bool, hint: bool) -> dict[str, Any] | None:
    """An item that asks for a word hidden in a note."""
    found = hidden(note)
    if not found:
        return None
    place, word = found
    gapped = " ".join([*note.words[:place], "____", *note.words[place + 1 :]])
    way = ", with its first letter put last before" if turned else ""
    more = f" (Hint: it has {len(word)} letters.)" if hint else ""
    asked = f'Read backwards{way}, the missing word is "{scrambled(word, turned)}". Which word is it?{more}'
    return {"evidence": [note.text], "question": f"{lead}{NOTES.format(gapped)} {asked}", "answer": word}


def _quantity(wanted: Wanted) -> Iterator[dict[str, Any]]:
    for note in notes(wanted.text, wanted.draw):
        yield quantity_item(note, wanted.lead, list(islice(copies(note, wanted.draw), 1)), HINT)


def quantity_item(note: Note, lead: str, figures: list[int], hint: str = "") -> dict[str, Any]:
    """A problem on copies of a note: of its words, of more words in each, of copies that are lost."""
    length, (times, *more) = len(note.words), figures
    parts = [f"The note of {length} words is copied {times} times"]
    parts += [f"and every copy gets {more[0]} words more"] if more else []
    parts += [f"and {more[1]} copies are lost"] if len(more) > 1 else []
    question = f"{lead}{NOTES.format(note.text)} {', '.join(parts)}. How many words are there in all?{hint}"
    expression = calculation(question)
    return {
        "evidence": [note.text],
        "question": question,
        "expression": expression,
        "answer": evaluate(expression),
        "unit": "words",
    }


def calculation(question: str) -> str:
    """The arithmetic that a problem on copies asks for; empty for other questions."""
    found = _COPIES.search(question)
    if not found:
        return ""
    length, times, more, lost = found.groups()
    each = f"({length} + {more})" if more else length
    return f"{each} * ({times} - {lost})" if lost else f"{each} * {times}"


def _premise(wanted: Wanted) -> Iterator[dict[str, Any]]:
    for note in notes(wanted.text, wanted.draw):
        yield premise_item(note, 3 + wanted.draw.randrange(9))


def premise_item(note: Note, off: int) -> dict[str, Any]:
    """A question that rests on a wrong count of a note's words."""
    count = len(note.words)
    question = f'Since the note "{note.text}" has {count + off} words, it takes long to read. {PLAIN[0]} {PLAIN[1]}'
    return {
        "evidence": [note.text],
        "premise": f'The note "{note.text}" has {count + off} words.',
        "correction": f"The note does not have {count + off} words: it has {count}.",
        "question": question,
        "points": [f"The note does not have {count + off} words: it has {count}.", *said_of(question)],
    }


def figures(question: str) -> list[int]:
    """The numbers of a problem on copies, without the note's length."""
    found = _COPIES.search(question)
    return [int(figure) for figure in found.groups()[1:] if figure] if found else []


def solved(question: str) -> str:
    """The answer to a definite question or a problem; empty when it is none of ours."""
    if found := _SCRAMBLED.search(question):
        return unscrambled(found[2], bool(found[1]))
    if expression := calculation(question):
        return f"{evaluate(expression):.10g} words"
    return ""


WRITERS: Mapping[str, Callable[[Wanted], Iterator[dict[str, Any]]]] = {
    "open": _open,
    "definite": _definite,
    "quantity": _quantity,
    "premise": _premise,
}
