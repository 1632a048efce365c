"""What the scripted model's users ask for, in words, and how its assistant reads those words again.

An order is one function and its values; a value that begins with `$` comes from an earlier call and is said
as `it`. Saying and reading are each other's inverse, but for what a sentence leaves out.
"""

import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from agentinstruct.agents.scripted.library import kind_of, noun_of
from agentinstruct.agents.scripted.signatures import words
from agentinstruct.tools.simulator import Api, ApiParameter

_NAME = r"(?-i:[A-Z][\w'-]+ [A-Z][\w'-]+)"
_VALUE = r"\"[^\"]*\"|\[[^\]]*\]|-?\d+(?:\.\d+)?|true|false"
_WHICH = r"(?:N (?P<job_id>[A-Z]+-\d+)|(?P<it>it)\b|(?P<all>all of them)\b|my N)"
_READ = {
    "find": rf"find the (?:(?P<status>open|running|done|cancelled) )?Ns?(?: of (?P<owner>{_NAME}))?",
    "add": rf"add an? N called “(?P<name>[^”]+)” for (?P<owner>{_NAME})(?: with priority (?P<priority>\d+))?",
    "reassign": rf"hand {_WHICH} over to (?:(?P<owner>{_NAME})|somebody else)",
    "count": rf"tell me how many Ns (?P<owner>{_NAME}) has",
    "cancel": rf"cancel {_WHICH}",
    "get": rf"look up {_WHICH}",
}
ELSE = "If that does not work,"
"""What a user says between a first choice and the second one."""
ABSENT = {
    "send_email": "e-mail {} to my manager",
    "print_document": "print two copies of {}",
    "export_spreadsheet": "export {} to a spreadsheet",
    "add_reminder": "put a reminder about {} into my calendar",
    "translate_text": "translate {} into Danish",
}
"""Functions that no library of the scripted model has, and how a user asks for them."""


@dataclass(frozen=True, slots=True)
class Order:
    """One thing to do: a function and the values known for it."""

    api: Api
    values: Mapping[str, Any]

    @property
    def missing(self) -> list[ApiParameter]:
        """Required parameters it has no value for."""
        return [one for one in self.api.parameters if one.required and one.name not in self.values]


def said(order: Order, noun: str) -> str:
    """The order as part of a sentence; what it has no value for is passed over."""
    values, kind, thing = order.values, kind_of(order.api, noun), words(noun)
    if kind == "plain":
        return _said_plainly(order)
    held = values.get("job_id", "")
    which = (
        "all of them"
        if held == "$*"
        else "it"
        if held.startswith("$")
        else f"{thing} {held}"
        if held
        else f"my {thing}"
    )
    owner = values.get("owner", "")
    return {
        "find": " ".join(["find the", *_given(values, "status"), f"{thing}s", *([f"of {owner}"] if owner else [])]),
        "add": f"add a {thing} called “{values.get('name')}” for {owner}"
        + (f" with priority {values['priority']}" if "priority" in values else ""),
        "reassign": f"hand {which} over to {owner or 'somebody else'}",
        "count": f"tell me how many {thing}s {owner} has",
        "cancel": f"cancel {which}",
        "get": f"look up {which}",
    }[kind]


def read(text: str, apis: Sequence[Api]) -> list[Order]:
    """The orders a text holds, in its order; `it` is the value `$`, `all of them` is `$*`."""
    noun = noun_of(apis)
    found = [(match, api) for api in apis for match in re.finditer(_pattern(api, noun), text, re.IGNORECASE)]
    found.sort(key=lambda pair: (pair[0].start(), -pair[0].end()))
    ends = [match.start() for match, _ in found[1:]] + [len(text)]
    pairs = zip(found, ends, strict=False)
    return [Order(api, _values(match, api, text[match.end() : end])) for (match, api), end in pairs]


def refused(text: str) -> list[str]:
    """The parts of a text that ask for what no function does."""
    patterns = (re.escape(phrase).replace(r"\{\}", r"[\w -]{1,60}?") for phrase in ABSENT.values())
    # A pattern that ends with what it is about takes all of it.
    return [match[0] for pattern in patterns for match in re.finditer(rf"{pattern}(?![\w-]| \w)", text)]


def replied(text: str, parameter: ApiParameter) -> Any:
    """The value that a user's reply gives for a parameter, or None."""
    found = re.search(rf"\bthe {re.escape(words(parameter.name))} is (.+?)(?:\.(?:\s|$)|, the |$)", text, re.IGNORECASE)
    return typed(found[1], parameter) if found else None


def shown(value: Any) -> str:
    """A value as it stands in a sentence."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def typed(text: str, parameter: ApiParameter) -> Any:
    """What stands in a sentence as a value of the parameter's type."""
    if parameter.type == "string":
        return text.strip().strip('"')
    try:
        return json.loads(text)
    except ValueError:
        return None


def listing(parts: Collection[str]) -> str:
    """Several parts as one: `a, b and c`."""
    *most, last = parts or [""]
    return f"{', '.join(most)} and {last}" if most else last


def _given(values: Mapping[str, Any], name: str) -> list[str]:
    return [str(values[name])] if name in values else []


def _spoken(api: Api) -> str:
    name = words(api.name)
    return f"convert {name}" if " to " in name else f"carry out “{name}”"


def _said_plainly(order: Order) -> str:
    parts = [f"{words(name)} {json.dumps(value, ensure_ascii=False)}" for name, value in order.values.items()]
    return f"{_spoken(order.api)} with {listing(parts)}" if parts else _spoken(order.api)


def _pattern(api: Api, noun: str) -> str:
    kind = kind_of(api, noun)
    if kind == "plain":
        return rf"{re.escape(_spoken(api))}(?!\w)"
    return rf"\b{_READ.get(kind, r'(?!)')}".replace("N", re.escape(words(noun))) if kind in _READ else r"(?!)"


def _values(match: re.Match[str], api: Api, rest: str) -> dict[str, Any]:
    groups = {name: value for name, value in match.groupdict().items() if value}
    for word, reference in (("it", "$"), ("all", "$*")):
        if groups.pop(word, ""):
            groups["job_id"] = reference
    return dict(_typed(groups, rest, api, plain=not match.re.groupindex))


def _typed(groups: Mapping[str, str], rest: str, api: Api, plain: bool) -> Iterator[tuple[str, Any]]:
    for one in api.parameters:
        inline = re.search(rf"\b{re.escape(words(one.name))} ({_VALUE})", rest) if plain else None
        text = groups.get(one.name) or (inline[1] if inline else "")
        if text:
            yield one.name, typed(text, one)
