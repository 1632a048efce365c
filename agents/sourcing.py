"""How the program puts the list of a retrieval-augmented item together, before and after its writer.

drawn       which documents, which of them the writer may use, and the format of the reply
assembled   what holds the evidence is gold; no other document may hold it, or the answer
altered     what a refinement changes in the list, as far as the program does it
"""

from collections.abc import Mapping, Sequence
from random import Random
from typing import Any

from agentinstruct.agents.asking import Asked, Support
from agentinstruct.agents.errors import ReplyError
from agentinstruct.agents.records import Passage
from agentinstruct.agents.sources import Document, distinct, holding, pool_of
from agentinstruct.tools.quotes import contains
from agentinstruct.tools.snippets import substance

FEWEST, MOST = 3, 9
"""Documents of a list."""
_LEFT = 0.4
"""The part of a list that must be left when the answer is taken out of it."""
_RIVALS = ("outdated", "side")
"""Parts of documents that answer as well, in another way."""
Material = dict[str, Any]


def drawn(settings: Mapping[str, Any], passage: Passage, draw: Random) -> Material | None:
    """The material of one item; None when the documents gathered for this seed do not carry its category."""
    pool, least = pool_of(passage), int(settings.get("gold", 1))
    kind, removes = str(settings["kind"]), bool(settings.get("removes"))
    leads = _leads(pool, kind, least, removes, draw)
    others = [one for one in pool if one not in leads]
    draw.shuffle(others)
    # What was written to tempt comes before what was merely found.
    others.sort(key=lambda one: one.part not in ("near", "gap", "outdated", "side"))
    shown = [*others, *([] if removes else leads)]
    if not leads or len(shown) < FEWEST:
        return None
    room = draw.randint(FEWEST + 1, MOST) - (0 if removes else len(leads))
    if removes:
        leads = [one.model_copy(update={"part": "removed"}) for one in leads]
    documents = [*leads, *(_left(one) for one in others[: max(room, FEWEST - len(leads))])]
    draw.shuffle(documents)
    named = [{**one.model_dump(), "name": chr(65 + place)} for place, one in enumerate(documents)]
    return {
        "kind": kind,
        "format": draw.choice(list(settings["formats"])),
        "documents": [{**one, "lead": document in leads} for one, document in zip(named, documents, strict=True)],
        "reserve": [_left(one).model_dump() for one in others[max(room, FEWEST - len(leads)) :]],
        "latest": bool(settings.get("latest")),
        "points": list(passage.data.get("points", ())),
        "hint": str(passage.data.get("question", "")),
        "least": least,
    }


def _leads(pool: Sequence[Document], kind: str, least: int, removes: bool, draw: Random) -> list[Document]:
    """The documents that the writer may draw evidence from; none when there are too few."""
    if kind == "conflict":
        return [one for one in pool if one.part == "side"]
    taken = [one for one in pool if one.part == "removed"]
    able = taken if removes and taken else [one for one in pool if one.part == "gold"]
    if len(able) < least:
        return []
    if removes:
        return taken or draw.sample(able, 1)
    return draw.sample(able, min(len(able), least + draw.randint(1, 2)))


def _left(document: Document) -> Document:
    """A document that is not drawn on: what could have been gold is one of the others."""
    return document.model_copy(update={"part": "other"}) if document.part == "gold" else document


def assembled(asked: Asked, material: Material) -> dict[str, Any]:
    """The fields of the item, its list put together.

    Raises:
        ReplyError: too few documents are left without those that give the answer away.
    """
    kind, removing = str(material["kind"]), bool(material.get("removing"))
    given = [(str(one["name"]), _document(one)) for one in material["documents"]]
    asked = _with_kept(asked, material.get("kept") or {})
    quotes = [one.quote for one in asked.support]
    proving = _proving(given, asked)
    removed = [one for _, one in given if one.part == "removed"] + (proving if removing else [])
    added = [one.document("near") for one in asked.added]
    rest = [_left(one) for _, one in given if one not in proving and one not in removed]
    rest = [one for one in rest if not _tells(one, kind, quotes, asked) and not (removing and one.part in _RIVALS)]
    gold = [] if removed else [one.model_copy(update={"part": "gold"}) for one in proving]
    documents = _in_order(given, [*gold, *rest]) + added
    if len(distinct(documents)) < FEWEST:
        raise ReplyError("distractors", f"{len(documents)} documents are left that do not give the answer away")
    return {
        "kind": "nothing" if removing else kind,
        "query": str(material.get("query") or asked.query).strip(),
        "documents": [one.model_dump() for one in distinct(documents)],
        "support": quotes,
        "answer": asked.answer.strip(),
        "answers": [part.strip() for part in asked.answers if part.strip()],
        "wrong": [option.strip() for option in asked.wrong if option.strip()],
        "missing": asked.missing.strip(),
        "least": int(material.get("least", 1)),
        "limit": int(material.get("limit", 0)),
        "ordered": bool(material.get("ordered")),
        "removed": [one.model_copy(update={"part": "removed"}).model_dump() for one in removed],
        "reserve": list(material.get("reserve", ())),
    }


def _with_kept(asked: Asked, kept: Mapping[str, Any]) -> Asked:
    """What was written, with what an edit may not change as it was."""
    if not kept:
        return asked
    support = tuple(Support(document="", quote=quote) for quote in kept["support"])
    return asked.model_copy(update={**kept, "support": support})


def _document(one: Mapping[str, Any]) -> Document:
    return Document.model_validate({name: one[name] for name in Document.model_fields if name in one})


def _proving(given: Sequence[tuple[str, Document]], asked: Asked) -> list[Document]:
    """For each quotation the document it is from: the one named if it stands there, else the first that has it."""
    proving: list[Document] = []
    for one in asked.support:
        holders = [(name, document) for name, document in given if contains(document.text, one.quote)]
        named = [document for name, document in holders if name == one.document.strip(" .()")]
        proving += [*named, *(document for _, document in holders)][:1]
    return list(dict.fromkeys(proving))


def _tells(document: Document, kind: str, quotes: Sequence[str], asked: Asked) -> bool:
    """Whether a document that is not gold holds the evidence, or a short answer itself."""
    if holding([document], asked.answer) and kind in ("fact", "nothing", "queries", "partial") and asked.answer.strip():
        return document.part not in _RIVALS
    return any(contains(document.text, quote) for quote in quotes)


def enough_left(documents: Sequence[Document]) -> bool:
    """Whether a list remains one when all that answers, rightly or not, is taken out: in number and in length."""
    left = [one for one in documents if one.part != "gold" and one.part not in _RIVALS]
    words = [sum(len(one.text.split()) for one in some) for some in (left, documents)]
    return len(left) >= FEWEST and words[0] >= _LEFT * words[1]


def _in_order(given: Sequence[tuple[str, Document]], kept: Sequence[Document]) -> list[Document]:
    """What is kept of a list, in the list's order."""
    texts = [one.text for _, one in given]
    return sorted(kept, key=lambda one: texts.index(one.text))


def altered(material: Material, goal: str, query: str, words: int) -> Material:
    """The material for an edit: what the program changes for a goal, and what stays as it is.

    Args:
        material: What the item was made from.
        goal: The goal's name.
        query: The item's query.
        words: How many words its answer has.
    """
    match goal:
        case "more_distractors":
            held = _named(material["reserve"][:2])
            return {**material, "documents": [*material["documents"], *held], "reserve": material["reserve"][2:]}
        case "require_citing":
            return {**material, "format": "cited"}
        case "strict_format":
            return {**material, "limit": 5 * (2 + words * 2 // 5)}
        case "remove_gold":
            return {**material, "removing": True, "query": query, "ordered": True}
        case "lower_rank":
            return {**material, "ranked": True}
    return material


def _named(reserve: Sequence[Material]) -> list[Material]:
    return [{**one, "name": f"X{place}", "lead": False} for place, one in enumerate(reserve, 1)]


def by_likeness(documents: Sequence[Document], query: str) -> list[Document]:
    """The documents in the order in which they share words with a query, those that answer after equals."""
    wanted = substance(query)

    def shared(one: Document) -> int:
        return sum((substance(f"{one.title} {one.text}") & wanted).values())

    return sorted(documents, key=lambda one: (-shared(one), one.part == "gold"))
