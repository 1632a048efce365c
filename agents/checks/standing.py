"""Checks that an item can stand alone, where its user never sees the passage it was written from."""

import re
from collections.abc import Iterator

from agentinstruct.agents.checks.check import Bench, exact
from agentinstruct.agents.forms.form import Fault
from agentinstruct.agents.records import Draft

_TEXTS = (
    "(?:passage|text|article|excerpt|document|source|author|writer|paragraph|section|chapter|story|poem|transcript)s?"
)
_SAYS = "says?|states?|mentions?|describes?|argues?|explains?|gives?|claims?|suggests?|notes?|lists?|shows?|provides?"
_ABOVE = "above|given|provided|following"
_ON_THE_TEXT = re.compile(
    rf"\b(?:the|this|that|{_ABOVE}) (?:\w+ )?{_TEXTS}\b.{{0,30}}\b(?:{_SAYS})\b"
    rf"|\b(?:according to|in|from|based on|by|per) (?:the|this|that) (?:(?:{_ABOVE}) )?{_TEXTS}\b"
    r"|\b(?:mentioned|described|stated|given|shown|listed|discussed|explained) (?:above|below|earlier|previously)\b"
    r"|\bas (?:explained|described|shown|stated|mentioned) in (?:the|this)\b"
    r"|\b(?:figure|fig\.|table|equation|section|chapter|appendix|listing) \d",
    re.IGNORECASE,
)


_CODE = re.compile(r"^```.*?^```[ \t]*$", re.DOTALL | re.MULTILINE)
_NAMED = re.compile(r"`([^`\n]+)`")


def points_outside(text: str) -> str:
    """The words that point to a text the reader has not got; empty when there are none.

    Code in fences points nowhere, and "in the text" is plain where `text` is the name of something in code.
    """
    prose = _CODE.sub("", text)
    named = set(re.findall(r"\w+", " ".join(_NAMED.findall(prose)).lower()))
    pointing = (found[0] for found in _ON_THE_TEXT.finditer(prose))
    return next((words for words in pointing if not named & set(re.findall(r"\w+", words.lower()))), "")


def _self_contained(draft: Draft, bench: Bench) -> Iterator[Fault] | None:
    if not bench.skill.file.closed_book:
        return None
    return _outward(f"{draft.item.question}\n{draft.item.options}")


def _outward(asked: str) -> Iterator[Fault]:
    if words := points_outside(asked):
        yield "self_contained", f"the item points to a text its user has not got: {words!r}"


def _no_source(draft: Draft, bench: Bench) -> Iterator[Fault] | None:
    if not bench.skill.file.closed_book:
        return None
    words = points_outside(draft.response)
    return iter([("no_source", f"the response points to a text nobody has seen: {words!r}")] if words else [])


CHECKS = (
    exact("self_contained", "The item can be understood without its source.", "item", _self_contained),
    exact("no_source", "The response speaks of no text that its user has not got.", "response", _no_source),
)
