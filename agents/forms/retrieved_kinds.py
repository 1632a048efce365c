"""What an answer from documents must be, by its kind, and when a given answer is the key."""

import re
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Literal

from agentinstruct.agents.forms.form import Fault, Form, letter, repeated
from agentinstruct.agents.forms.open import Listing, Short
from agentinstruct.tools.quotes import contains, numbers, overlap

Kind = Literal["fact", "list", "conflict", "decision", "choice", "open", "nothing", "partial", "queries"]
_DECIDES = re.compile(r"\W*(?:(?:the )?answer is )?(yes|no)\b", re.IGNORECASE)
_LONG = 12
"""Words of which a short answer has no more."""


class Keyed(Form):
    """A query and its key, whatever its kind."""

    kind: Kind
    query: str
    answer: str = ""
    answers: tuple[str, ...] = ()
    wrong: tuple[str, ...] = ()
    missing: str = ""

    def kind_faults(self, gold: str) -> Iterator[Fault]:
        """What an item of its kind lacks, given the text of the documents that answer."""
        yield from FAULTS[self.kind](self, gold)

    def holds(self, answer: str) -> bool | None:
        """Whether an answer is the key; None when only a reader can tell."""
        return HOLDS[self.kind](self, answer) if self.kind in HOLDS else None


def _fact(item: Keyed, gold: str) -> Iterator[Fault]:
    if not item.answer:
        yield "form", "there is no answer"
    if len(item.answer.split()) > 2 * _LONG:
        yield "form", f"the answer has {len(item.answer.split())} words: it is not a short one"
    if item.answer and (contains(item.query, item.answer) or overlap(item.answer, item.query) > 0.9):
        yield "form", f"the answer stands in the query: {item.answer!r}"
    if unknown := [value for value in numbers(item.answer) if value not in numbers(gold)]:
        yield "grounded", f"no document that answers states {unknown[0]:g}"


def _parts(item: Keyed, gold: str) -> Iterator[Fault]:
    if len(item.answers) < 2:
        yield "form", f"the answer has {len(item.answers)} parts, not several"
    yield from repeated(item.answers, "parts of the answer")


def _listed(item: Keyed, gold: str) -> Iterator[Fault]:
    yield from _parts(item, gold)
    for part in item.answers:
        if not contains(gold, part):
            yield "grounded", f"no document that answers names {part!r}"


def _decided(item: Keyed, gold: str) -> Iterator[Fault]:
    if not _DECIDES.fullmatch(item.answer.strip(" .")):
        yield "form", f"the answer is {item.answer!r}, not yes or no"


def _chosen(item: Keyed, gold: str) -> Iterator[Fault]:
    if not item.answer or len(item.wrong) < 2:
        yield "form", f"an answer and {len(item.wrong)} wrong options are no choice"
    yield from repeated((item.answer, *item.wrong), "options")


def _pointed(item: Keyed, gold: str) -> Iterator[Fault]:
    if not item.answers:
        yield "form", "there is no point that a full answer must make"
    yield from repeated(item.answers, "points")


def _lacking(item: Keyed, gold: str) -> Iterator[Fault]:
    if not item.missing:
        yield "form", "it is not said what the documents leave open"


def _partly(item: Keyed, gold: str) -> Iterator[Fault]:
    yield from _fact(item, gold)
    yield from _lacking(item, gold)


def _nothing(item: Keyed, gold: str) -> Iterator[Fault]:
    yield from ()


FAULTS: Mapping[str, Callable[[Keyed, str], Iterator[Fault]]] = MappingProxyType(
    {
        "fact": _fact,
        "list": _listed,
        "conflict": _parts,
        "decision": _decided,
        "choice": _chosen,
        "open": _pointed,
        "nothing": _nothing,
        "partial": _partly,
        "queries": _lacking,
    }
)


def _is_fact(item: Keyed, answer: str) -> bool | None:
    if contains(answer, item.answer):
        return True
    if stated := numbers(item.answer):
        return None if set(stated) <= set(numbers(answer)) else False
    return None if len(answer.split()) > _LONG else Short.agrees(item.answer, answer)


def _is_list(item: Keyed, answer: str) -> bool | None:
    if all(contains(answer, part) for part in item.answers):
        return True
    return Listing.agrees("; ".join(item.answers), answer) if len(answer.split()) <= _LONG else None


def _is_conflict(item: Keyed, answer: str) -> bool | None:
    if all(contains(answer, part) for part in item.answers):
        return True
    stated = {value for part in item.answers for value in numbers(part)}
    return None if stated <= set(numbers(answer)) else False


def _is_decision(item: Keyed, answer: str) -> bool | None:
    said, wanted = _DECIDES.match(answer), _DECIDES.match(item.answer)
    return said[1].casefold() == wanted[1].casefold() if said and wanted else None


def _is_partial(item: Keyed, answer: str) -> bool | None:
    return True if contains(answer, item.answer) else None


HOLDS: Mapping[str, Callable[[Keyed, str], bool | None]] = MappingProxyType(
    {
        "fact": _is_fact,
        "list": _is_list,
        "conflict": _is_conflict,
        "decision": _is_decision,
        "partial": _is_partial,
    }
)
"""How an answer is compared with the key; a choice is compared by its letter."""


def chosen(answer: str, key: str) -> bool:
    """Whether an answer names the option that the key names."""
    return bool(letter(answer)) and letter(answer) == key[:1]
