"""The scripted model's readers of documents: what a statement goes on with, in whichever document it stands."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from agentinstruct.agents.forms.retrieved import NOTHING
from agentinstruct.agents.gateway import Request
from agentinstruct.agents.reply_formats import declines
from agentinstruct.agents.scripted.queries import OTHERWISE, WRITING, Found, asked, beginning, documents
from agentinstruct.agents.scripted.sources import TRANSFORMS
from agentinstruct.tools.quotes import contains

Said = dict[str, Any]
_KEYS = re.compile(r'"([a-z_]+)"')
_PREFIX = "One reads: "
_OPTION = re.compile(r"^([A-J])\. (.*)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Solved:
    """What the documents say to a query."""

    kind: str
    found: tuple[Found, ...]
    answer: str


def solved(query: str, text: str) -> Solved | None:
    """The answer that the documents of a text give to a query; None where they give none."""
    kind, heads = asked(query)
    listed = documents(text)
    if kind == "decision":
        return _decided(heads[0], listed)
    found = [beginning(head, listed) for head in heads]
    if not found or not all(found):
        return None
    flat = tuple(one for some in found for one in some)
    rests = [one.rest for one in flat]
    return Solved(kind, flat, rests[-1] if kind == "hop" else "; ".join(rests))


def _decided(statement: str, listed: Sequence[tuple[int, str, str]]) -> Solved | None:
    for number, date, snippet in listed:
        if contains(snippet, statement):
            return Solved("decision", (Found(number, date, statement, ""),), "yes")
    head = statement.removesuffix(f" {OTHERWISE}")
    found = tuple(beginning(head, listed))
    return Solved("decision", found, "no") if found else None


def answer(request: Request) -> Any:
    """The teacher's reply in the format asked for, after a search where it may search."""
    turn, form = request.inputs["request"], request.inputs["form"]
    if request.schema_name.endswith("Step"):
        if not request.inputs.get("workings"):
            return {"tool": "search_chunks", "input": " ".join(asked(turn)[1]), "reply": None}
        return {"tool": "none", "input": "", "reply": {"text": REPLIES[form](turn)}}
    return REPLIES[form](turn)


def _json(turn: str) -> str:
    text, ids = list(dict.fromkeys(key for key in _KEYS.findall(turn)))[:2]
    told = solved(turn, turn)
    answer, numbers = (told.answer, _ids(told)) if told else ("That is not in the documents.", [])
    return orjson.dumps({text: answer, ids: numbers}).decode()


def _ids(told: Solved) -> list[int]:
    return sorted({one.number for one in told.found})


def _short(turn: str) -> str:
    told = solved(turn, turn)
    if not told:
        return f"Answer: {NOTHING}\nSources: none"
    more = " (who wrote it down first is not in the documents)" if told.kind == "partial" else ""
    return f"Answer: {told.answer}{more}\nSources: {', '.join(f'[{number}]' for number in _ids(told))}"


def _cited(turn: str) -> str:
    told = solved(turn, turn)
    if not told:
        return "That is not in the documents."
    parts = [f"{_PREFIX}{one.sentence} [{one.number}]." for one in told.found]
    if told.kind == "decision":
        parts = [f"{told.answer.capitalize()}, one reads {one.sentence} [{one.number}]." for one in told.found]
    if told.kind == "partial":
        parts.append("The documents do not say who wrote it down first.")
    return " ".join(parts)


def _choice(turn: str) -> str:
    told, options = solved(turn, turn), _OPTION.findall(turn)
    right = next((label for label, text in options if told and contains(told.answer, text)), "A")
    reasons = " ".join(f"{_PREFIX}{one.sentence} [{one.number}]." for one in told.found) if told else ""
    return orjson.dumps({"explanation": reasons, "answer": right}).decode()


def _queries(turn: str) -> str:
    heads = asked(turn)[1]
    queries = [*heads, " ".join(" ".join(heads).split()[:6])]
    return orjson.dumps({"missing": "The documents do not say how it goes on.", "queries": queries[:3]}).decode()


REPLIES = {
    "retrieved_json": _json,
    "retrieved_short": _short,
    "retrieved_cited": _cited,
    "retrieved_choice": _choice,
    "retrieved_queries": _queries,
}


def solve(request: Request) -> Said:
    """A reader's solution from the documents alone."""
    told, options = solved(request.inputs["question"], request.inputs["passage"]), request.inputs["options"]
    if not told:
        return {"reasoning": "No document says it.", "answerable": False, "answer": ""}
    right = next((label for label, text in _OPTION.findall(options) if contains(told.answer, text)), "A")
    answer = right if options else told.answer
    return {"reasoning": told.found[0].sentence, "answerable": True, "answer": answer}


def recall(request: Request) -> Said:
    """Nothing is known by heart."""
    return {"reasoning": "This is not known.", "answerable": False, "answer": ""}


def entail(request: Request) -> Said:
    """A statement follows when its words stand in its documents."""
    question = request.inputs["question"]
    return {"statements": [_judged(one, question) for one in request.inputs["claims"]]}


def _judged(claim: Mapping[str, Any], question: str) -> Said:
    said, texts = str(claim["statement"]), str(claim["documents"])
    decided = re.match(r"(yes|no)\b,?(?: one reads)?", said, re.IGNORECASE)
    if decided and asked(question)[0] == "decision":
        follows = contains(texts, asked(question)[1][0]) is (decided[1].casefold() == "yes")
    else:
        parts = said.removeprefix(_PREFIX).partition(" (")[0].split("; ")
        follows = declines(said) or all(contains(texts, part) for part in parts)
    return {"number": claim["number"], "evidence": texts[:80] or "nothing", "follows": follows}


def judge(request: Request) -> Said:
    """Met when it declines just where the reference does."""
    reference, response = request.inputs["reference"], request.inputs["response"]
    met = bool(response.strip()) and (NOTHING not in reference or declines(response))
    names = list(request.inputs["rubric"])
    return {"criteria": [{"criterion": name, "evidence": response[:80], "met": met} for name in names]}


SCRIPTS = {
    **TRANSFORMS,
    **WRITING,
    "answer": answer,
    "solve": solve,
    "recall": recall,
    "entail": entail,
    "judge": judge,
}
