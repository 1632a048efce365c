"""What can be counted in one record's words: length, readability, demands, reasoning; and the record cut down to it.

Readability is Flesch's reading ease, of English alone: about 90 is easily read at 11, 30 is a scientific paper. Demands
are words that constrain an answer (`must`, `exactly`, `at most` …) in what is asked; reasoning, the words of inference
(`because`, `therefore`, `step 2` …) in a response. Both are counts of words from a list: good for comparing groups
of records, not for judging one.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from importlib.util import find_spec
from statistics import fmean
from typing import Any

MOST = 3000
"""Characters of a request or a response that are kept of a sampled record."""
_WORD = re.compile(r"\w+(?:['’]\w+)*")
_SENTENCE = re.compile(r"[.!?]+(?:\s|$)|\n\s*\n|\n(?=\s*[-*\d])")
_VOWELS = re.compile(r"[aeiouy]+")
_DEMANDS = re.compile(
    r"\b(?:must(?: not)?|exactly|at (?:least|most)|no (?:more|fewer|less) than|only|without|do not|don't|never|avoid"
    r"|each|every|between \w+ and|in (?:one|two|three|\d+) (?:words?|sentences?|lines?|paragraphs?|steps?)|instead of"
    r"|unless|except|provided that|as (?:json|a table|bullet points|yaml|csv|xml)|in the format|rounded? to)\b",
    re.IGNORECASE,
)
_REASONING = re.compile(
    r"\b(?:because|therefore|thus|hence|since|so that|consequently|it follows|implies|which means|given that"
    r"|assum(?:e|ing)|suppose|if|then|first(?:ly)?|second(?:ly)?|finally|next|step \d+|however|but|whereas"
    r"|otherwise)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Features:
    """Numbers of one record."""

    asked_words: int
    context_words: int
    answered_words: int
    asked_tokens: int | None
    answered_tokens: int | None
    """WordPiece tokens (BERT's), where the extra `local` is installed."""
    demands: int
    reasoning: float
    """Words of inference in a hundred words of the response."""
    asked_ease: float | None
    answered_ease: float | None
    turns: int


@dataclass(frozen=True, slots=True)
class Slim:
    """What is kept of a sampled record."""

    id: str
    skill: str
    seed: str
    depth: int
    asked: str
    """The user's turns without the passage they are about."""
    answered: str
    features: Features


def slim(row: Mapping[str, Any]) -> Slim:
    """A record cut down to what is measured."""
    asked, answered = asked_in(row), answered_in(row)
    return Slim(
        row["id"],
        row["skill"],
        row["seed_id"],
        row["depth"],
        asked[:MOST],
        answered[:MOST],
        features(row, asked, answered),
    )


def asked_in(row: Mapping[str, Any]) -> str:
    """What the user says, less the passage; all of it where nothing else would be left."""
    whole = "\n\n".join(turn["content"] for turn in row["messages"] if turn["role"] == "user")
    context = row["context"].strip()
    return (whole.replace(context, " ").strip() or whole) if len(context) > 40 else whole


def answered_in(row: Mapping[str, Any]) -> str:
    """What the assistant says, tool calls with their arguments included."""
    parts = []
    for turn in row["messages"]:
        if turn["role"] == "assistant":
            parts += [turn["content"], *(str(call.get("function", "")) for call in turn.get("tool_calls", ()))]
    return "\n\n".join(part for part in parts if part)


def features(row: Mapping[str, Any], asked: str, answered: str) -> Features:
    """The numbers of one record."""
    words = count_words(answered)
    prose = row["language"] == "en"
    return Features(
        asked_words=count_words(asked),
        context_words=count_words(row["context"]),
        answered_words=words,
        asked_tokens=count_tokens(asked),
        answered_tokens=count_tokens(answered),
        demands=len(_DEMANDS.findall(asked)),
        reasoning=100 * len(_REASONING.findall(answered)) / words if words else 0.0,
        asked_ease=reading_ease(asked) if prose else None,
        answered_ease=reading_ease(answered) if prose else None,
        turns=sum(turn["role"] == "user" for turn in row["messages"]),
    )


def words_of(text: str) -> list[str]:
    """Its words, in lower case."""
    return [word.casefold() for word in _WORD.findall(text)]


def count_words(text: str) -> int:
    """How many words it has."""
    return len(_WORD.findall(text))


def count_tokens(text: str) -> int | None:
    """How many WordPiece tokens it has; None where nothing here can count them."""
    tokenizer = _tokenizer()
    return None if tokenizer is None else len(tokenizer.encode(text.encode("utf-8", "replace").decode()).ids) - 2


@lru_cache(maxsize=1)
def _tokenizer() -> Any:
    if not find_spec("tokenizers"):
        return None
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(files("agentinstruct.tools") / "minilm_tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


def reading_ease(text: str) -> float | None:
    """Flesch's reading ease of English; None below ten words."""
    words = [word for word in words_of(text[:MOST]) if word.isalpha()]
    if len(words) < 10:
        return None
    sentences = max(1, sum(1 for part in _SENTENCE.split(text[:MOST]) if _WORD.search(part)))
    return 206.835 - 1.015 * len(words) / sentences - 84.6 * fmean(map(_syllables, words))


def _syllables(word: str) -> int:
    count = len(_VOWELS.findall(word))
    if word.endswith("e") and not word.endswith(("le", "ee")) and count > 1:
        count -= 1
    return max(1, count)


def distinct(texts: list[str], n: int, tokens: int = 2000) -> tuple[float, int] | None:
    """Different n-grams over all n-grams of the first so many words, and how many there were: it falls with length."""
    grams: set[tuple[str, ...]] = set()
    total = 0
    for text in texts:
        words = words_of(text)
        for at in range(len(words) - n + 1):
            if total == tokens:
                return len(grams) / total, total
            grams.add(tuple(words[at : at + n]))
            total += 1
    return (len(grams) / total, total) if total else None
