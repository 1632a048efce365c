"""The scripted model's documents: the seed's own sentences, spread, changed at one place, or one of them left out."""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from agentinstruct.agents.gateway import Request
from agentinstruct.agents.scripted.world import world
from agentinstruct.tools.quotes import contains

Said = dict[str, Any]
LONGEST = 40
"""Words of a sentence that is asked about."""
TAIL = 4
"""Words at the end of a sentence that are asked for."""
_NEIGHBOURS = (
    (
        "A neighbouring subject",
        "Whoever looks into this subject finds much on its neighbours. They are not treated here.",
    ),
    ("How to read such pages", "Pages of this kind are written for visitors in a hurry. They keep to what is general."),
    ("About this collection", "The collection was begun by volunteers. It is looked after by a small office today."),
    ("What others ask", "Many letters reach the office every week. Most of them are answered by telephone."),
    ("On visiting", "The rooms are open in the morning. Guides wait at the door for those who wish to be led round."),
    ("Thanks", "The editors thank all who sent corrections. Without them these pages would have remained a draft."),
)


def plain(text: str) -> list[str]:
    """The sentences of a text that can be taken apart: without a stop inside, neither short nor very long."""
    found = [sentence for sentence in world(text).telling if 7 <= len(sentence.split()) <= LONGEST]
    return [one for one in found if one.endswith((".", "!", "?")) and not any(f"{stop} " in one for stop in ".!?")]


def cut(sentence: str) -> tuple[str, str]:
    """A sentence as what it begins with and its last words."""
    words = sentence.rstrip(" .!?").split()
    return " ".join(words[:-TAIL]), " ".join(words[-TAIL:])


def neighbours(count: int, known: Sequence[str] = ()) -> list[Said]:
    """Documents that say nothing to any purpose, other than those that are known."""
    return [{"title": title, "text": text} for title, text in _NEIGHBOURS if text not in known][:count]


def searches(request: Request) -> Said:
    """The first words of several sentences."""
    found = plain(request.inputs["seed"].text)
    queries = [" ".join(cut(sentence)[0].split()[:8]) for sentence in found[:: max(1, len(found) // 5)]][:5]
    return _reply(bool(queries), queries=queries)


def spread(request: Request) -> Said:
    """The sentences in three documents, beside neighbours that hold none."""
    documents = _documents(plain(request.inputs["seed"].text), 3)
    fit = len(documents) > 1
    return _reply(fit, answering=documents if fit else [], near_misses=neighbours(2) if fit else [])


def contradiction(request: Request) -> Said:
    """One sentence told with two ends."""
    return _differing(request)


def versions(request: Request) -> Said:
    """One sentence with the end it had before."""
    changed = _differing(request)
    # The first version is the earlier one: it has the other end.
    points = [{**one, "first": one["second"], "second": one["first"]} for one in changed["points"]]
    dates = {"first_date": "2019-03-01", "second_date": "2023-06-15"}
    return {**changed, "first": changed["second"], "second": changed["first"], "points": points, **dates}


def _differing(request: Request) -> Said:
    found = plain(request.inputs["seed"].text)
    if len(found) < 5:
        empty = {"title": "", "text": ""}
        return _reply(False, first=empty, second=empty, points=[], others=[])
    told = _single(found)
    given, *more = (one for one in found if one != told)
    other = f"{cut(told)[0]} {cut(more[-1])[1]}."
    texts = [(" ".join([told, given]), "One account"), (f"{other} {_NEIGHBOURS[0][1]}", "Another account")]
    first, second = ({"title": title, "text": text} for text, title in texts)
    point = {"matter": "how it goes on", "first": told, "second": other}
    return _reply(True, first=first, second=second, points=[point], others=_documents(more[:-1], 3))


def gap(request: Request) -> Said:
    """The sentences without one of them."""
    found = plain(request.inputs["seed"].text)
    if len(found) < 5:
        return _reply(False, taken="", question="", rewritten=[])
    taken = _single(found)
    question = f'How does the statement that begins "{cut(taken)[0]}" go on?'
    return _reply(True, taken=taken, question=question, rewritten=_documents([s for s in found if s != taken], 3))


def _single(sentences: Sequence[str]) -> str:
    """A sentence whose last words no other has."""
    return next((s for s in sentences if sum(contains(o, cut(s)[1]) for o in sentences) == 1), sentences[0])


def _documents(sentences: Sequence[str], count: int) -> list[Said]:
    """The sentences in as many documents, each titled by its first words."""
    size = max(1, -(-len(sentences) // count))
    parts = [sentences[at : at + size][:4] for at in range(0, len(sentences), size)]
    return [{"title": " ".join(part[0].split()[:4]), "text": " ".join(part)} for part in parts]


def _reply(suitable: bool, **fields: Any) -> Said:
    reason = "" if suitable else "The source has too few plain sentences."
    return {"suitable": suitable, "reason": reason, **fields}


TRANSFORMS: Mapping[str, Callable[[Request], Said]] = MappingProxyType(
    {
        "queries": searches,
        "split": spread,
        "near_miss": spread,
        "contradiction": contradiction,
        "outdated": versions,
        "gap": gap,
    }
)
