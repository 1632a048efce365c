"""A flag: something in a row that a reader would stumble over, with the words that show it; and what rules look at."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

from agentinstruct.dataset.rows import Turn, parts, turns

_EVIDENCE = 100
_FENCED = re.compile(r"^[ \t]*(```|~~~).*?(?:^[ \t]*\1|\Z)", re.M | re.S)
_INLINE = re.compile(r"`[^`\n]+`")
_CODE_LINE = re.compile(
    r"^[ \t]*+(?:def |class \w|import \w|from \w[\w.]* import|func |fn |public |private |#include|return\b.*[;(]"
    r"|[\w.\]\[]+ ?\([^)\n]*\);?$"
    r"|(?:const|let|var) \w+ ?=|SELECT\b.*\bFROM\b|.*[;{}][ \t]*$)",
    re.M,
)


class Flag(NamedTuple):
    """What was found."""

    name: str
    where: str
    """prompt, context, response or chat."""
    evidence: str
    """The words that show it; of what must not be told, only a part."""


class View:
    """A row as the rules see it; what several of them need is made once."""

    def __init__(self, row: Mapping[str, Any]) -> None:
        self.row = row
        self.chat: list[Turn] = turns(row)
        self.prompt, self.context, self.response = parts(row)

    @cached_property
    def last(self) -> str:
        """The last turn, if it is the assistant's."""
        return self.chat[-1].text if self.chat and self.chat[-1].role == "assistant" else ""

    @property
    def last_asked(self) -> str:
        """The last thing that the user says."""
        return next((turn.text for turn in reversed(self.chat) if turn.role == "user"), "")

    @cached_property
    def asked(self) -> str:
        """All that the assistant was given: what users, tools and system messages say."""
        return "\n".join(turn.text for turn in self.chat if turn.role != "assistant")

    @cached_property
    def prose(self) -> str:
        """What the assistant says, without code."""
        return without_code(self.response)

    @cached_property
    def prompt_prose(self) -> str:
        """What the user says, without the context and without code."""
        return without_code(self.prompt)

    def said(self) -> Iterator[tuple[str, str]]:
        """Each part that is not empty, by name."""
        for name in ("prompt", "context", "response"):
            if text := getattr(self, name):
                yield name, text


Find = Callable[[View], Iterator[tuple[str, str]]]
"""Gives (where, evidence) of each place in which a rule is broken."""


@dataclass(frozen=True, slots=True)
class Rule:
    """Something that is looked for in rows."""

    name: str
    proves: str
    find: Find
    drops: bool = True
    """Whether `--flags drop` takes away rows with it; else only `drop:all` or its name does."""

    def flag(self, view: View) -> Flag | None:
        """The first place where the row breaks the rule."""
        for where, evidence in self.find(view):
            return Flag(self.name, where, " ".join(evidence.split())[:_EVIDENCE])
        return None


def without_code(text: str) -> str:
    """A text without its fenced blocks and inline code."""
    return _INLINE.sub(" ", _FENCED.sub("\n", text)) if "`" in text or "~~~" in text else text


def has_code(text: str) -> bool:
    """Whether a text shows code: a fence, or lines that look like some."""
    return "```" in text or "~~~" in text or len(_CODE_LINE.findall(text)) >= 2


def found(where: str, pattern: re.Pattern[str], text: str) -> Iterator[tuple[str, str]]:
    """Where a text holds a pattern."""
    for match in pattern.finditer(text):
        yield where, match[0]


def new_in_response(pattern: re.Pattern[str]) -> Find:
    """A rule's `find`: what stands in the response, outside of code, and was not given to the assistant."""

    def find(view: View) -> Iterator[tuple[str, str]]:
        for match in pattern.finditer(view.prose):
            if match[0] not in view.asked:
                yield "response", match[0]

    return find
