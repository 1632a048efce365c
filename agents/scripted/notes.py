"""The scripted model's closed book: questions that quote a sentence as a note, so that they hold all one needs.

    Somebody notes: "…" How does the note open? How many words has it?

Who asks takes the sentence from the text; who answers has the note in the question, and counts.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from random import Random

from agentinstruct.agents.checks.standing import points_outside
from agentinstruct.agents.scripted.world import world
from agentinstruct.agents.shapes_mistakes import FACT, MISTAKE
from agentinstruct.tools.quotes import bare, numbers

NOTES = 'Somebody notes: "{}"'
_NOTE = re.compile(r'(?:Somebody notes: |Since the note )"([^"\n]+)"')
_EDGES = ".,;:!?()[]'’"


@dataclass(frozen=True)
class Note:
    """A sentence as somebody noted it down."""

    text: str

    @property
    def words(self) -> list[str]:
        """Its words, with their points."""
        return self.text.split()

    def longest(self) -> int:
        """The place of its longest word, the first of several."""
        lengths = [len(word.strip(_EDGES)) for word in self.words]
        return lengths.index(max(lengths))

    def windows(self, size: int, start: int = 0) -> list[str]:
        """All runs of so many of its words."""
        words = self.words
        return [" ".join(words[at : at + size]).strip(_EDGES) for at in range(start, len(words) - size + 1)]

    def holds(self, words: str, start: int = 0) -> bool:
        """Whether these words stand in it one after another, from some word on."""
        return f" {bare(words)} " in f" {bare(' '.join(self.words[start:]))} "


def notes(text: str, draw: Random, least: int = 6) -> list[Note]:
    """The sentences of a text that can be noted down, in a drawn order."""
    true = [s.removeprefix(FACT) for s in world(text).telling if not s.startswith(MISTAKE)]
    found = [Note(s) for s in true if least <= len(s.split()) <= 60 and not points_outside(s)]
    return draw.sample(found, len(found))


def noted(text: str) -> Note | None:
    """The note that a question quotes."""
    found = _NOTE.search(text)
    return Note(found[1]) if found else None


def _opening(note: Note) -> str:
    return f'The note opens with "{" ".join(note.words[:2]).strip(_EDGES)}".'


def _ending(note: Note) -> str:
    return f'It ends with "{" ".join(note.words[-2:]).strip(_EDGES)}".'


def _count(note: Note) -> str:
    return f"It has {len(note.words)} words."


def _without_longest(note: Note) -> str:
    longest = note.words[note.longest()].strip(_EDGES)
    return f'Its longest word is "{longest}", and {len(note.words) - 1} words are left without it.'


def _after_longest(note: Note) -> str:
    at = note.longest() + 1
    after = note.words[at].strip(_EDGES) if at < len(note.words) else ""
    return f'After its longest word comes "{after}".' if after else "No word comes after its longest one."


def _for_beginner(note: Note) -> str:
    return f'A beginner would start with the word "{note.words[0].strip(_EDGES)}".'


ASKS: Mapping[str, Callable[[Note], str]] = {
    "How does the note open?": _opening,
    "How does it end?": _ending,
    "How many words has it?": _count,
    "Which is its longest word, and how many are left without it?": _without_longest,
    "Which word comes after its longest one?": _after_longest,
    "With which word should a beginner start to read it?": _for_beginner,
}
"""What can be asked about a note, and what a full answer says."""
PLAIN = tuple(ASKS)[:3]
FURTHER = {
    "constraint": "Which is its longest word, and how many are left without it?",
    "two_hop": "Which word comes after its longest one?",
    "audience": "With which word should a beginner start to read it?",
}
HINT = " (Hint: the count of spaces helps.)"


def said_of(question: str) -> list[str]:
    """What a full answer to a question about a note says, one sentence for each thing asked."""
    note = noted(question)
    return [answer(note) for ask, answer in ASKS.items() if ask in question] if note else []


def hidden(note: Note) -> tuple[int, str] | None:
    """A word that stands once in a note and can be hidden: its place, and the word."""
    words = [word.strip(_EDGES) for word in note.words]
    known = [word.casefold() for word in words]
    text = note.text.casefold()
    fit = [
        place
        for place, word in enumerate(words)
        if word.isalpha() and word.isascii() and len(word) > 4 and known[place] != known[place][::-1]
        and text.count(known[place]) == 1
    ]  # fmt: skip
    return (fit[0], words[fit[0]]) if fit else None


def scrambled(word: str, turned: bool) -> str:
    """A word read backwards, with its first letter put last before that where it is turned."""
    moved = word[1:] + word[:1] if turned else word
    return moved[::-1]


def unscrambled(said: str, turned: bool) -> str:
    """The word that was scrambled so."""
    moved = said[::-1]
    return moved[-1:] + moved[:-1] if turned else moved


def copies(note: Note, draw: Random) -> Iterator[int]:
    """Numbers of copies of a note, none of which it states itself."""
    known = {*numbers(note.text), float(len(note.words))}
    yield from (n for n in draw.sample(range(3, 40), 37) if float(n) not in known)
