"""The formats in which replies about documents are asked for, and how a reply in one of them is read.

json      {"…": "answer", "…": [ids]}, both keys as the request names them
short     Answer: … and Sources: …, on lines of their own
cited     prose with [ids] at its sentences
choice    reasons with [ids], and a letter after Answer:
queries   {"missing": "…", "queries": ["…", …]}
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from agentinstruct.agents.forms.form import final_answer, letter
from agentinstruct.agents.records import Draft
from agentinstruct.tools.citations import (
    Statement,
    cited_ids,
    cited_sentences,
    json_object,
    json_reply,
    named_sources,
    uncited,
)
from agentinstruct.tools.quotes import fold

_SOURCES = (
    "(?:documents?|snippets?|sources?|(?:search )?results?|contexts?|passages?|materials?|texts?|list|information|"
    "evidence|excerpts?|articles?|pages?)"
)
_TOLD = (
    "(?:stated|mentioned|specified|provided|contained|covered|addressed|answered|answerable|found|given|said|told|"
    "described|explained|disclosed|included|reported|discussed|known|clear)"
)
_DECLINES = re.compile(
    rf"(?:\bnot|n't) (?:\w+ )?(?:in|among|from|by|within) (?:(?:any|one) of )?(?:(?:the|these|those|this|your) )?"
    rf"(?:\w+ ){{0,2}}{_SOURCES}\b"
    rf"|(?:\bnot|n't) (?:\w+ )?{_TOLD}\b"
    rf"|\b{_SOURCES}\b[^.]{{0,60}}?(?:\b(?:not|nothing|no|none|silent|lacks?|nowhere|never)\b"
    r"|n't|\bleaves? (?:\w+ ){0,4}open)"
    rf"|\b(?:no|none of the|none of these|neither) (?:\w+ ){{0,3}}(?:{_SOURCES}|mention|answer|word|statement|figure)\b"
    r"|\b(?:cannot|can't|could not|couldn't) (?:be )?(?:answer|answered|determined?|found|established|told?|derived?)\b"
    r"|\b(?:unanswerable|unanswered|unstated|unspecified|unmentioned)\b"
)
_MOST_QUERIES = 3


@dataclass(frozen=True, slots=True)
class Given:
    """A reply as its format holds it: the answer without ids, the ids, and in prose each sentence with its own."""

    answer: str = ""
    ids: frozenset[int] = frozenset()
    statements: tuple[Statement, ...] = ()
    queries: tuple[str, ...] = ()
    fault: str = ""


def given(draft: Draft) -> Given:
    """The reply of a draft, read by the format of its form."""
    return READERS[draft.item.form](draft.response.strip(), draft.request)


def declines(text: str) -> bool:
    """Whether a text says that the documents do not tell something."""
    return bool(_DECLINES.search(fold(text)))


def _json(response: str, request: str) -> Given:
    found = json_reply(response)
    if found is None:
        return Given(fault="not a JSON object of an answer and a list of ids, with nothing around it")
    keys = list(json_object(response) or {})
    if unknown := [key for key in keys if f'"{key}"' not in request]:
        return Given(*_sorted(found), fault=f"the request names no key {unknown[0]!r}")
    return Given(*_sorted(found))


def _sorted(found: tuple[str, list[int]]) -> tuple[str, frozenset[int]]:
    return found[0].strip(), frozenset(found[1])


def _short(response: str, request: str) -> Given:
    answer, ids = final_answer(response.partition("\nSources")[0]), named_sources(response)
    if not answer or ids is None:
        return Given(answer=answer or response, fault="no line Answer: with a line Sources: below it")
    return Given(uncited(answer), frozenset(ids))


def _cited(response: str, request: str) -> Given:
    statements = tuple(cited_sentences(response))
    if not statements:
        return Given(fault="the reply holds no sentence")
    return Given(uncited(response), cited_ids(response), statements)


def _choice(response: str, request: str) -> Given:
    answer = final_answer(response)
    reasons = response.rpartition("\n")[0]
    if not letter(answer):
        return Given(answer=answer, ids=cited_ids(response), fault="no letter after Answer: on the last line")
    cited = tuple(one for one in cited_sentences(reasons) if one.ids)
    return Given(letter(answer), cited_ids(reasons), cited)


def _queries(response: str, request: str) -> Given:
    found = json_object(response) or {}
    missing, queries = found.get("missing"), found.get("queries")
    if set(found) != {"missing", "queries"} or not isinstance(missing, str) or not isinstance(queries, list):
        return Given(answer=response, fault="not a JSON object with missing and queries")
    if not 1 <= len(queries) <= _MOST_QUERIES or not all(isinstance(one, str) and one.strip() for one in queries):
        return Given(answer=missing, fault=f"{len(queries)} queries, not one to three texts")
    return Given(answer=missing, queries=tuple(queries))


READERS: Mapping[str, Callable[[str, str], Given]] = MappingProxyType(
    {
        "retrieved_json": _json,
        "retrieved_short": _short,
        "retrieved_cited": _cited,
        "retrieved_choice": _choice,
        "retrieved_queries": _queries,
    }
)
