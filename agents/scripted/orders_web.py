"""The scripted model's plain speech for errands on a site: a goal as a message, and a message as an errand.

Whoever reads a message knows no more than it says: titles, labels and values stand in it in quotation marks.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Any

from agentinstruct.agents.forms.web import WebTask
from agentinstruct.tools.site import Condition, Errand, Query, Wanted, Where

_NEXT = "; then "
_Q = "“([^”]*)”"
_MATCHES = {
    "equals": "equal to",
    "contains": "containing",
    "at_least": "of at least",
    "at_most": "of at most",
    "differs": "other than",
}
_GIVES = {
    "count": "count them",
    "sum": "add up",
    "mean": "average",
    "list": "list every",
    "value": "give the",
    "records": "export as JSON",
}


def message(task: WebTask, list_page: str = "") -> str:
    """What a user says who wants this."""
    secret = {one.name for one in task.withheld}
    parts = [*_conditions(task.wanted.conditions, secret), *_question(task.wanted, list_page)]
    said = [f"Please {_NEXT.join(parts)}."]
    if task.facts:
        said.append(f"My user name is “{task.facts['User name']}” and my password “{task.facts['Password']}”.")
    said += [_forbidden(one) for one in task.never]
    return " ".join(said)


def _conditions(conditions: Sequence[Condition], secret: set[str]) -> Iterator[str]:
    for one in conditions:
        if one.kind == "cart":
            yield f"from the page “{one.page}”, take {one.value or 1} of “{one.field}”"
    for kind, verb, mark in (("entry", "send", "as"), ("setting", "set", "as")):
        for page in dict.fromkeys(one.page for one in conditions if one.kind == kind):
            fields = [one for one in conditions if one.kind == kind and one.page == page and one.field not in secret]
            yield f"on the page “{page}”, {verb} " + ", ".join(f"“{one.value}” {mark} “{one.field}”" for one in fields)
    for one in conditions:
        if one.kind == "at":
            yield (
                f"open the entry “{one.field}” on the page “{one.page}”" if one.field else f"open the page “{one.page}”"
            )
        elif one.kind == "choice":
            yield f"leave the dialog by “{one.field}”"


def _question(wanted: Wanted, list_page: str) -> Iterator[str]:
    if wanted.fact:
        yield f"look up “{wanted.fact.label}” on the page “{wanted.fact.page}”"
    query = wanted.query
    if query is None:
        return
    parts = [f"among the entries on the page “{list_page}”"]
    parts += [f"with “{_plain(one.field)}” {_MATCHES[one.match]} “{one.value}”" for one in query.where]
    if query.best:
        parts.append(f"at the {query.best} “{_plain(query.by)}”")
    fields = " and ".join(f"“{_plain(field)}”" for field in query.fields)
    yield f"{' '.join(parts)}, {_GIVES[query.give]} {fields}".strip()


def _plain(name: str) -> str:
    return name.replace("_", " ")


def _forbidden(one: Condition) -> str:
    if one.kind == "choice":
        return f"Never use “{one.field}”: I do not want that."
    if one.kind == "at":
        return f"Never go to the page “{one.page}”, I have had enough of it."
    return f"Never put “{one.value}” as “{one.field}”."


def errand(text: str) -> Errand:
    """What a message wants, as far as it says."""
    order = text.removeprefix("Please ").split(". My user name is ")[0].split(". Never ")[0].rstrip(".")
    conditions: list[Condition] = []
    query, page, fact = None, "", ""
    for part in order.split(_NEXT):
        if found := re.fullmatch(f"look up {_Q} on the page {_Q}", part):
            fact, page = found[1], found[2]
        elif part.startswith("among the entries"):
            query, page = _read_question(part)
        else:
            conditions += _read_conditions(part)
    account = re.search(f"My user name is {_Q} and my password {_Q}", text)
    known = {"User name": account[1], "Password": account[2]} if account else {}
    avoid = frozenset(re.findall(f"Never use {_Q}", text))
    return Errand(conditions, query, page, fact, "title", known, avoid)


def _read_conditions(part: str) -> Iterator[Condition]:
    if found := re.fullmatch(f"open the entry {_Q} on the page {_Q}", part):
        yield Condition(kind="at", page=found[2], field=found[1])
    elif found := re.fullmatch(f"open the page {_Q}", part):
        yield Condition(kind="at", page=found[1])
    elif found := re.fullmatch(rf"from the page {_Q}, take (\d+) of {_Q}", part):
        yield Condition(kind="cart", page=found[1], field=found[3], value=found[2])
    elif found := re.fullmatch(f"leave the dialog by {_Q}", part):
        yield Condition(kind="choice", field=found[1])
    elif found := re.match(f"on the page {_Q}, (send|set) ?", part):
        kind: Any = "entry" if found[2] == "send" else "setting"
        fields = re.findall(f"{_Q} as {_Q}", part[found.end() :])
        for value, field in fields or [("", "")]:
            yield Condition(kind=kind, page=found[1], field=field, value=value)


def _read_question(part: str) -> tuple[Query, str]:
    page = re.search(f"on the page {_Q}", part)
    matches = {words: match for match, words in _MATCHES.items()}
    where = [
        Where.model_validate({"field": field, "match": matches[words], "value": value})
        for field, words, value in re.findall(f"with {_Q} ({'|'.join(matches)}) {_Q}", part)
    ]
    best = re.search(f"at the (highest|lowest) {_Q}", part)
    give, words = next((give, words) for give, words in _GIVES.items() if f", {words}" in part)
    fields = re.findall(_Q, part.rpartition(f", {words}")[2])
    query = Query.model_validate(
        {
            "collection": "entries",
            "where": where,
            "best": best[1] if best else "",
            "by": best[2] if best else "",
            "give": give,
            "fields": fields,
        }
    )
    return query, page[1] if page else ""
