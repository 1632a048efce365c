"""What the scripted model asks for in text modification: changes it can carry out, with what they meet on a text."""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

from agentinstruct.agents.scripted.changes import CHANGES, OPINIONS, perform, sentences
from agentinstruct.agents.scripted.words import synonym
from agentinstruct.tools.constraints import Constraint, check, faults
from agentinstruct.tools.constraints.formats import personal
from agentinstruct.tools.constraints.text import Text

Demand = dict[str, Any]
Task = tuple[str, list[Demand]]
"""An instruction and what it demands."""
Tasks = Callable[[str], Iterator[Task]]

SAME: Demand = {"kind": "same_words"}


def _fixed(*tasks: Task) -> Tasks:
    return lambda text: iter(tasks)


def _frequent(text: str) -> list[str]:
    """Its words of four letters or more, by frequency, those with a synonym first."""
    found = Counter(word for word in re.findall(r"(?<![^\W_])[^\W\d_]{4,}(?![^\W_])", text) if word.islower())
    return sorted(found, key=lambda word: (not synonym(word), -found[word], word))


def _replacing(text: str) -> Iterator[Task]:
    for word in _frequent(text):
        new = synonym(word) or "matter"
        swap = {"old": word, "new": new}
        yield (
            f'Replace the word "{word}" by "{new}" wherever it stands, and change nothing else.',
            [{"kind": "replace_words", "swaps": [swap]}],
        )


def _removing(text: str) -> Iterator[Task]:
    found = sentences(text)
    for sentence in found if len(found) > 1 else []:
        if '"' not in sentence and sentence in text:
            yield (
                f'Remove the sentence "{sentence}" and leave the rest word for word.',
                [{"kind": "remove", "words": [sentence]}],
            )
    for word in _frequent(text):
        yield (
            f'Remove the word "{word}" wherever it stands and leave the rest word for word.',
            [{"kind": "remove", "words": [word]}],
        )


def _styling(text: str) -> Iterator[Task]:
    for word in _frequent(text):
        yield (
            f'Set the word "{word}" in bold wherever it stands, and nothing else.',
            [
                {"kind": "markup", "style": "bold", "words": [word]},
                SAME,
            ],
        )


def _annotating(text: str) -> Iterator[Task]:
    for mark in ("[Note:", "[Comment:", "[Remark:"):
        yield (
            f'Keep the text and add after each sentence a remark that opens with "{mark}" and ends with a bracket.',
            [{"kind": "count", "words": [mark], "number": len(sentences(text))}],
        )


def _expanding(text: str) -> Iterator[Task]:
    for percent in (140, 130, 120):
        yield (
            f"{phrase('Expand the text')} Bring it to at least {percent} per cent of its length.",
            [{"kind": "min_percent", "number": percent}],
        )


def _hiding(text: str) -> Iterator[Task]:
    if found := list(dict.fromkeys(what for _, what in personal(Text(text)))):
        yield (
            "Mask all personal names, e-mail addresses and telephone numbers.",
            [{"kind": "no_pii", "words": found[:8]}],
        )
    for name in dict.fromkeys(re.findall(r"(?<=[a-z,] )[A-Z][a-z]{3,}", text)):
        yield f'Mask the name "{name}" wherever it stands.', [{"kind": "no_pii", "words": [name]}]
    for word in _frequent(text):
        yield f'Mask the name "{word}" wherever it stands.', [{"kind": "no_pii", "words": [word]}]


def _normalising(text: str) -> Iterator[Task]:
    for style in ("iso", "long"):
        yield f'Write all full dates in the form "{style}".', [{"kind": "dates", "style": style}]
    for style in ("24h", "12h"):
        yield f'Write all times of day in the form "{style}".', [{"kind": "times", "style": style}]
    for style in ("digits", "words", "thousands"):
        yield f'Write all numbers in the form "{style}".', [{"kind": "numbers", "style": style}]
    for style in ("american", "british"):
        yield f'Use the "{style}" spelling throughout.', [{"kind": "spelling", "style": style}]
    for word in _frequent(text):
        swap = {"old": word, "new": word.upper()}
        yield f'Write the term "{word}" in capitals wherever it stands.', [{"kind": "replace_words", "swaps": [swap]}]


def _settling(text: str) -> Iterator[Task]:
    for i, statement in enumerate(OPINIONS):
        verb = "entails" if i < 2 else "contradicts"
        yield (
            f'Change the text so that it {verb} the statement "{statement}"',
            [
                {"kind": "forbid_words", "words": [statement]},
                {"kind": "contains_source"},
            ],
        )


def _limiting(text: str) -> Iterator[Task]:
    yield phrase("Let every sentence begin with a vowel."), [{"kind": "sentence_starts", "style": "vowel"}]
    for word in ("Indeed", "Now", "Well"):
        yield f'Let every sentence begin with the word "{word}".', [{"kind": "sentence_starts", "words": [word]}]


def phrase(start: str) -> str:
    """The known phrase that begins so."""
    return next(phrase for phrase in CHANGES if phrase.startswith(start))


def _rewording(text: str) -> Iterator[Task]:
    asked = phrase("Say the same")
    yield asked, [{"kind": "keep_numbers"}, {"kind": "low_overlap", "number": 25}]
    yield f"{asked} Do not shorten it.", [{"kind": "min_percent", "number": 100}]


TASKS: dict[str, Tasks] = {
    "paraphrasing": _rewording,
    "text_simplification": _fixed(
        (phrase("Simplify"), [{"kind": "max_sentence_words", "number": 7}]),
        (f"{phrase('Simplify')} Keep it short.", [{"kind": "max_percent", "number": 100}]),
    ),
    "text_expansion": _expanding,
    "text_translation": _fixed(
        (phrase("Translate"), [{"kind": "language", "words": ["Greek"]}]),
        (
            f"{phrase('Translate')} Keep all figures.",
            [{"kind": "language", "words": ["Greek"]}, {"kind": "keep_numbers"}],
        ),
    ),
    "text_formatting": _fixed(
        (phrase("Turn the text into"), [{"kind": "markup", "style": "bullets"}]),
        (phrase("Set the text as"), [{"kind": "markup", "style": "quote"}]),
    ),
    "sentiment_modification": _fixed(
        (phrase("Make the text sound glad"), [{"kind": "require_words", "words": ["wonderful", "delightful"]}]),
        (phrase("Make the text sound sad"), [{"kind": "require_words", "words": ["sorrowful", "dismal"]}]),
    ),
    "text_annotation": _annotating,
    "keyword_replacement": _replacing,
    "text_removing": _removing,
    "text_capitalization": _fixed(
        (phrase("Put the whole text in capital"), [{"kind": "case", "style": "upper"}]),
        (phrase("Put the whole text in small"), [{"kind": "case", "style": "lower"}]),
        (phrase("Begin every word"), [{"kind": "case", "style": "capitalized"}]),
    ),
    "text_styling": _styling,
    "content_rewriting": _fixed(
        (phrase("Rewrite the text as a letter"), [{"kind": "starts_with", "words": ["Dear reader"]}]),
        (phrase("Rewrite the text as a diary"), [{"kind": "starts_with", "words": ["Dear diary"]}]),
    ),
    "data_normalization": _normalising,
    "plagiarism_rewording": _rewording,
    "code_switching": _fixed(
        (phrase("Tell the text"), [{"kind": "two_languages", "words": ["English", "Greek"]}]),
        (f"{phrase('Tell the text')} Keep all figures.", [{"kind": "two_languages"}, {"kind": "keep_numbers"}]),
    ),
    "text_obfuscation": _hiding,
    "textual_entailment": _settling,
    "vocabulary_limitations": _limiting,
}
EXTRAS: tuple[Task, ...] = (
    (phrase("Give every sentence"), []),
    (phrase("Set the text as"), [{"kind": "markup", "style": "quote"}]),
    (phrase("Turn the text into"), [{"kind": "markup", "style": "bullets"}]),
    (phrase("Put the whole text in capital"), [{"kind": "case", "style": "upper"}]),
    (phrase("Put the whole text in small"), [{"kind": "case", "style": "lower"}]),
    ("Return nothing but the new text.", [{"kind": "only_output"}]),
)


def possible(task: Task, text: str) -> bool:
    """Whether the text can be asked for this, and the change meets what is demanded."""
    demands = [Constraint.model_validate(demand) for demand in task[1]]
    done = perform(text, task[0])
    met = all(finding.passed for finding in check(demands, text, done))
    return met and done.split() != text.split() and not faults(demands, text)
