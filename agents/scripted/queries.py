"""The scripted model's queries about documents: which statement begins so, and how does it go on?"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from types import MappingProxyType
from typing import Any

from agentinstruct.agents.gateway import Request
from agentinstruct.agents.scripted.sources import cut, neighbours, plain
from agentinstruct.agents.scripted.world import world
from agentinstruct.tools.quotes import bare, contains

Said = dict[str, Any]
_DOCUMENT = re.compile(
    r"Document Id: (\d+)\n(?:Title: [^\n]*\n)?(?:Url: [^\n]*\n)?(?:Date: ([^\n]*)\n)?Snippet: ([^\n]*)"
)
_H = r'"([^"\n]+)"'
_ASKS = {
    "hop": re.compile(rf"Seeing that something begins {_H}, how does the statement that begins {_H} go on"),
    "list": re.compile(rf"How do the statements that begin {_H} and {_H} go on"),
    "partial": re.compile(rf"How does the statement that begins {_H} go on, and who wrote it down first"),
    "decision": re.compile(rf"Is this stated: {_H}"),
    "open": re.compile(rf"Explain what is said in the statements that begin {_H} and {_H}"),
    "fact": re.compile(rf"how does the statement that begins {_H} go on", re.IGNORECASE),
}
_STORY = (
    "Yesterday evening somebody mentioned during supper that neighbours, cousins, bakers, painters, sailors, barbers, "
    "gardeners, plumbers and florists wonder constantly whether anybody remembers."
)
OTHERWISE = "in another way altogether"
"""An end that no statement has."""
_SEVERAL = ("list", "open", "conflict")


@dataclass(frozen=True, slots=True)
class Found:
    """Where a statement stands, and what it goes on with."""

    number: int
    date: str
    sentence: str
    rest: str


def documents(text: str) -> list[tuple[int, str, str]]:
    """The numbered documents of a text: id, date, snippet."""
    return [(int(number), date or "", snippet) for number, date, snippet in _DOCUMENT.findall(text)]


def beginning(head: str, listed: Sequence[tuple[int, str, str]]) -> list[Found]:
    """The documents that have a statement with this beginning: of dated ones the newest, else all."""
    found = []
    for number, date, snippet in listed:
        if sentence := world(snippet).beginning(head):
            rest = " ".join(sentence.split()[len(head.split()) :]).rstrip(" .!?")
            found.append(Found(number, date, sentence.rstrip(" .!?"), rest))
    newest = max((one.date for one in found), default="")
    return [one for one in found if one.date == newest]


def asked(text: str) -> tuple[str, tuple[str, ...]]:
    """What kind of thing one of our queries asks, and the beginnings it quotes."""
    for kind, pattern in _ASKS.items():
        if match := pattern.search(text):
            return kind, match.groups()
    return "", ()


def instruct(request: Request) -> Said | None:
    """One query of the kind the material is for, from the documents to write from."""
    material = request.inputs["material"]
    draw = Random(f"{request.subject}/{[one['text'] for one in material['documents']]}")
    found = list(_usable(material))
    draw.shuffle(found)
    kind, used = str(material["kind"]), _used(found, str(material["kind"]), int(material["least"]))
    if not used:
        return None
    support = [{"document": name, "quote": sentence.rstrip(" .!?")} for name, sentence in used]
    blank = {"answer": "", "answers": [], "wrong": [], "missing": "", "added": []}
    sentences = [sentence for _, sentence in used]
    kind = "hop" if kind == "fact" and len(used) > 1 else kind
    return {"items": [{**blank, "support": support, **ASKING.get(kind, _fact)(sentences, draw)}]}


def _usable(material: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Sentences to ask about, each with the letter of its document: what is disputed where that is the point."""
    disputed = [quote for point in material["points"] for quote in (point["first"], point["second"])]
    for one in material["documents"]:
        others = [other["text"] for other in material["documents"] if other is not one]
        for sentence in plain(one["text"]) if one["lead"] else ():
            head, rest = cut(sentence)
            alone = not any(contains(other, head) or contains(other, rest) for other in others)
            if sentence in disputed if material["kind"] == "conflict" or material["latest"] else alone:
                yield one["name"], sentence


def _used(found: Sequence[tuple[str, str]], kind: str, least: int) -> list[tuple[str, str]]:
    """One sentence, or two where the query needs them: of different documents, where it needs those."""
    if not found:
        return []
    first, other = found[0], [one for one in found[1:] if least < 2 or one[0] != found[0][0]]
    if least < 2 and kind not in _SEVERAL:
        return [first]
    return [first, other[0]] if other else []


def _heads(sentences: Sequence[str]) -> list[str]:
    return [cut(sentence)[0] for sentence in sentences]


def _tails(sentences: Sequence[str]) -> list[str]:
    return [cut(sentence)[1] for sentence in sentences]


def _fact(sentences: Sequence[str], draw: Random) -> Said:
    head, rest = cut(sentences[0])
    return {"query": f'How does the statement that begins "{head}" go on?', "answer": rest}


def _hop(sentences: Sequence[str], draw: Random) -> Said:
    first, second = _heads(sentences)
    query = f'Seeing that something begins "{first}", how does the statement that begins "{second}" go on?'
    return {"query": query, "answer": _tails(sentences)[1]}


def _list(sentences: Sequence[str], draw: Random) -> Said:
    first, second = _heads(sentences)
    query = f'How do the statements that begin "{first}" and "{second}" go on?'
    return {"query": query, "answers": _tails(sentences)}


def _conflict(sentences: Sequence[str], draw: Random) -> Said:
    return {**_fact(sentences, draw), "answer": "", "answers": _tails(sentences)}


def _decision(sentences: Sequence[str], draw: Random) -> Said:
    yes, whole = draw.random() < 0.5, sentences[0].rstrip(" .!?")
    statement = whole if yes else f"{_heads(sentences)[0]} {OTHERWISE}"
    return {"query": f'Is this stated: "{statement}"?', "answer": "yes" if yes else "no"}


def _choice(sentences: Sequence[str], draw: Random) -> Said:
    asking = _fact(sentences, draw)
    words = asking["answer"].split()
    mixed = [" ".join(draw.sample(words, len(words))) for _ in range(9)]
    wrong = [one for one in {bare(one): one for one in mixed}.values() if bare(one) != bare(asking["answer"])]
    return {**asking, "wrong": [*wrong, OTHERWISE, "as nobody expected", "so far as one can tell"][:3]}


def _open(sentences: Sequence[str], draw: Random) -> Said:
    first, second = _heads(sentences)
    query = f'Explain what is said in the statements that begin "{first}" and "{second}".'
    return {"query": query, "answers": list(sentences)}


def _partial(sentences: Sequence[str], draw: Random) -> Said:
    asking = _fact(sentences, draw)
    query = f"{asking['query'][:-1]}, and who wrote it down first?"
    return {**asking, "query": query, "missing": "who wrote it down first"}


def _search(sentences: Sequence[str], draw: Random) -> Said:
    return {**_fact(sentences, draw), "missing": "How the statement goes on."}


ASKING: Mapping[str, Callable[[Sequence[str], Random], Said]] = MappingProxyType(
    {
        "hop": _hop,
        "list": _list,
        "conflict": _conflict,
        "decision": _decision,
        "choice": _choice,
        "open": _open,
        "partial": _partial,
        "queries": _search,
    }
)


def suggest(request: Request) -> Said:
    """As many ways as asked for."""
    title, count = request.inputs["goal"].title, int(request.inputs["count"])
    return {"suggestions": [f"{title}, way {way}." for way in range(1, count + 1)]}


def edit(request: Request) -> Said:
    """The query as the goal asks for it; documents are added where they are wanted."""
    goal, material = request.inputs["goal"].name, request.inputs["material"]
    view = request.inputs["item"]
    query = re.split(r"\n(?:[A-J]\. |Key: |Evidence: |Missing: )", view, maxsplit=1)[0].strip()
    edited = {"support": [], "answer": "", "answers": [], "wrong": [], "missing": "", "added": []}
    texts = [one["text"] for one in material["documents"]]
    if goal == "more_distractors":
        return {"item": {**edited, "query": f"Please: {query}", "added": neighbours(2, texts)}}
    if goal == "lower_rank":
        away = max((one["text"] for one in material["documents"] if not one["lead"]), key=len)
        return {"item": {**edited, "query": f"{_unquoted(away)} {_shorter(query, material)}"}}
    more = {
        "paraphrase_query": f"{_STORY} {query}",
        "require_citing": f"{query} Please explain it in full sentences.",
        "strict_format": f"{query} No more than {material['limit']} words, please.",
    }
    return {"item": {**edited, "query": more.get(goal, query)}}


def _unquoted(text: str) -> str:
    return " ".join(text.replace('"', " ").split()[:60])


def _shorter(query: str, material: Mapping[str, Any]) -> str:
    """The query with its quotations cut to as few words as still name one statement each."""
    texts = [(0, "", one["text"]) for one in material["documents"]]
    kind, heads = asked(query)
    for head in heads if kind != "decision" else ():
        words = head.split()
        for size in range(2, len(words)):
            part = " ".join(words[:size])
            if len([f for text in texts for f in beginning(part, [text])]) == len(
                [f for text in texts for f in beginning(head, [text])]
            ):
                query = query.replace(f'"{head}"', f'"{part}"')
                break
    return query


WRITING = {"instruct": instruct, "suggest": suggest, "edit": edit}
