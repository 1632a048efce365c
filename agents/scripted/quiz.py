"""How the scripted model reads and works out a multiple-choice question about a note, from the question alone."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from agentinstruct.agents.scripted.notes import Note, noted
from agentinstruct.agents.scripted.riddles import calculation
from agentinstruct.tools.calculate import evaluate
from agentinstruct.tools.quotes import bare, numbers

AFTER = 'Which of these words come right after "{}" in the note?'
STANDS = "Which of these words stand in the note?"
LATER = "Which of these words stand in the note after its first word?"
EXCEPT = "Each of these stands in the note EXCEPT which?"
LATER_EXCEPT = "Each of these stands in the note after its first word EXCEPT which?"
ORDER = "In which order do these words stand in the note?"
BACKWARDS = "In which order do these words stand in the note, read from its end?"
ASSERTION = 'The words "{}" stand in the note "{}".'
ASSERTION_LATER = 'After its first word, the words "{}" stand in the note "{}".'
REASON = 'The longer words "{}" stand in the note as well.'
_AFTER = re.compile(r'right after (?:"([^"\n]+)"|its (first two) words)')
_ASSERTED = re.compile(r'[Tt]he words "([^"\n]+)" stand in the note "([^"\n]+)"\.')
_REASONED = re.compile(r'The longer words "([^"\n]+)" stand in the note as well')
_LINE = re.compile(
    r"^(?:\(?(?P<label>[A-J]|\d{1,2}|[ivx]{1,4}|I{2,3}|IV|VI?)[.):]|[-•*]) (?P<text>\S.*)$", re.MULTILINE
)
_COMBINED = re.compile(r"(?:(?:I{1,3}|IV|VI?)(?:, | and )?)+(?: only)?")
_SEQUENCE = re.compile(r"\d(?:, \d)+")
NUMERALS: Mapping[str, int] = {"I": 0, "II": 1, "III": 2, "IV": 3, "V": 4, "VI": 5}


@dataclass(frozen=True)
class Question:
    """A question with its options, and the lines that these refer to."""

    text: str
    options: tuple[tuple[str, str], ...]
    """Label and text of each."""
    listed: tuple[str, ...] = ()
    """Numbered statements or entries above the options."""

    @property
    def note(self) -> Note | None:
        """The note it is about."""
        if asserted := _ASSERTED.search(self.text):
            return Note(asserted[2])
        return noted(self.text)

    @property
    def after_first(self) -> int:
        """The first word that counts."""
        return 1 if "after its first word" in self.text.casefold() else 0

    def holds(self, words: str) -> bool:
        """Whether one option is right by itself."""
        note = self.note
        if note is None:
            return False
        if after := _AFTER.search(self.text):
            lead = after[1] or " ".join(note.words[:2])
            return note.holds(f"{lead} {words}")
        return note.holds(words, self.after_first) != ("EXCEPT" in self.text)


def read(text: str) -> Question:
    """The question in a text, whatever stands around it."""
    lines = [(found["label"] or "", found["text"].strip()) for found in _LINE.finditer(text)]
    for pattern in (_COMBINED, _SEQUENCE):
        referring = [line for line in lines if pattern.fullmatch(line[1])]
        if len(referring) > 2:
            return Question(text, tuple(referring), tuple(line[1] for line in lines if line not in referring))
    return Question(text, tuple(lines))


def choice(question: Question) -> str:
    """The answer: a label, several, or the words of an option without one; empty where nothing can be said."""
    if not question.options or question.note is None:
        return ""
    right = _right(question)
    return ", ".join(question.options[place][0] or question.options[place][1] for place in right)


def _right(question: Question) -> list[int]:
    texts = [text for _, text in question.options]
    if _REASONED.search(question.text):
        return [_case(question)] if len(texts) == 5 else []
    if question.listed and _SEQUENCE.fullmatch(texts[0]):
        return _ordered(question, texts)
    if question.listed:
        return _combination(question, texts)
    if expression := calculation(question.text):
        value = evaluate(expression)
        return [i for i, text in enumerate(texts) if numbers(text)[:1] == [float(value)]]
    return _single(question, texts)


def _single(question: Question, texts: list[str]) -> list[int]:
    last = bare(texts[-1])
    everything = last in ("all of above", "all of these")
    nothing = last in ("none of above", "none of these")
    judged = [question.holds(text) for text in (texts[:-1] if everything or nothing else texts)]
    if everything and all(judged):
        return [len(texts) - 1]
    if nothing and not any(judged):
        return [len(texts) - 1]
    return [i for i, holds in enumerate(judged) if holds]


def _case(question: Question) -> int:
    note, asserted, reasoned = question.note, _ASSERTED.search(question.text), _REASONED.search(question.text)
    if note is None or asserted is None or reasoned is None:
        return 0
    first, second = note.holds(asserted[1], question.after_first), note.holds(reasoned[1])
    if first and second:
        return 0 if Note(reasoned[1]).holds(asserted[1]) else 1
    return 2 if first else 3 if second else 4


def _combination(question: Question, texts: list[str]) -> list[int]:
    true = {i for i, statement in enumerate(question.listed) if question.holds(statement)}
    named = [{NUMERALS[n] for n in re.findall(r"\b(?:I{1,3}|IV|VI?)\b", text)} for text in texts]
    return [i for i, some in enumerate(named) if some == true]


def _ordered(question: Question, texts: list[str]) -> list[int]:
    note = question.note
    if note is None:
        return []
    folded = bare(" ".join(note.words))
    order = sorted(range(len(question.listed)), key=lambda i: folded.find(bare(question.listed[i])))
    order = order[::-1] if "from its end" in question.text else order
    wanted = ", ".join(str(i + 1) for i in order)
    return [i for i, text in enumerate(texts) if text == wanted]
