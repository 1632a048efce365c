"""The scripted model's agents for creative content: briefs on two words of the material, stock pieces that meet them.

A piece has those two words in it: it shows what passes through the pipeline and is no literature.
Every piece is told by an I, so that it stays right when a refined brief asks for that.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from agentinstruct.agents.forms.piece import matter
from agentinstruct.agents.gateway import Request
from agentinstruct.agents.scripted.pieces import ORDERS, PIECES
from agentinstruct.agents.scripted.reading import Said
from agentinstruct.agents.scripted.world import world
from agentinstruct.tools.constraints import Constraint
from agentinstruct.tools.constraints.text import tokens
from agentinstruct.tools.freshness import worn_names

_FRAMES = {
    "premise": ("By Friday it must be settled, and only the clerk knows why.", "Whoever is late loses the key."),
    "setting": ("Behind the gate lies a yard with a bell nobody rings.", "At noon the shutters close."),
    "news_to_fiction": ("Brandt held the lamp while the others counted.", "Nobody had said which door."),
}
_SHEETS: Mapping[str, Mapping[str, Any]] = {
    "character_sheet": {"name": "Odalys Brandt", "says": ["Not on a Tuesday.", "Whose boot is that?"]},
    "conflict": {"urgency": "By Monday one of them must move."},
    "imagery": {},
    "brand_brief": {"name": "Quay and Crumb", "taboo": ["never cosy", "no bargains"], "proof": ["it opens at six"]},
    "lesson_outline": {"learners": "24 pupils of eleven, 45 minutes."},
}
EXTRAS: dict[str, tuple[tuple[str, Mapping[str, Any]], ...]] = {
    "form_constraint": (
        ("Put a title over it.", {"kind": "titled"}),
        ("It has at least 10 words.", {"kind": "min_words", "number": 10}),
    ),
    "point_of_view": (("It is told in the first person.", {"kind": "point_of_view", "style": "first"}),),
    "forbidden_words": (
        ('The words "dream" and "destiny" may not occur.', {"kind": "forbid_words", "words": ["dream", "destiny"]}),
    ),
    "mixed_genres": (("Let it read like a weather report as well.", {}),),
    "audience": (("It is for lighthouse keepers who have heard everything.", {}),),
    "emotional_arc": (("It goes from boredom by way of envy to relief.", {}),),
}


def transform(request: Request) -> Said:
    """The seed's sentences between two lines of the transform's kind, or in the fields of its sheet."""
    telling = world(str(getattr(request.inputs.get("seed"), "text", ""))).telling
    whole = {"suitable": bool(telling), "reason": "" if telling else "There is nothing to draw on."}
    if request.agent in _SHEETS:
        return whole | _filled(request, telling)
    opening, closing = _FRAMES.get(request.agent, ("", ""))
    return whole | {"text": "\n".join((opening, " ".join(telling), closing)) if telling else ""}


def _filled(request: Request, telling: Sequence[str]) -> dict[str, Any]:
    """A sheet whose fields hold the sentences by turns; for images, their pieces."""
    if request.agent == "imagery":
        words = " ".join(telling).split()
        pieces = [" ".join(words[at : at + 6]) for at in range(0, min(len(words), 60), 6)]
        more = (f"{n} rusty nails in a tin" for n in range(6 - len(pieces)))
        return {"images": [*pieces, *more], "tension": "the rope and the rust"}
    fields = [name for name in (request.schema or {}).get("properties", {}) if name not in ("suitable", "reason")]
    said = [" ".join(telling[place :: len(fields)]) or "a thing not told" for place in range(len(fields))]
    lists = {"proof", "taboo", "says"} | ({"matter"} if request.agent == "lesson_outline" else set())
    sheet = {name: [text] if name in lists else text for name, text in zip(fields, said, strict=True)}
    return sheet | dict(_SHEETS[request.agent])


def instruct(request: Request) -> Said:
    """As many briefs as asked for, each on two words of its own."""
    category = request.inputs.get("category")
    name = str(category.get("name", "")) if isinstance(category, dict) else ""
    text, count = str(request.inputs.get("passage", "")), int(request.inputs.get("count", 1))
    found = [_order(name, pair) for pair in islice(_pairs(text), count)] if name in ORDERS else []
    return {"items": found} if found else None


def _pairs(text: str) -> Iterator[tuple[str, str]]:
    names = {part for name in worn_names(text) for part in name.split()}
    known = [w for w in dict.fromkeys(tokens(text)) if len(w) > 5 and w.isalpha() and matter(w)]
    words = [word for word in known if word not in names] or ["silence", "distance"]
    for place in range(len(words)):
        yield words[place], words[(place + 1) % len(words)]


def _order(name: str, pair: tuple[str, str]) -> dict[str, Any]:
    brief, constraints = ORDERS[name]
    return {"brief": brief.format(*pair), "constraints": [_whole(one) for one in constraints]}


def _whole(constraint: Mapping[str, Any]) -> dict[str, Any]:
    return Constraint.model_validate(constraint).model_dump(mode="json")


def suggest(request: Request) -> Said:
    """As many further demands as asked for."""
    goal, count = request.subject.rpartition("/")[2], int(request.inputs.get("count", 1))
    known = EXTRAS.get(goal, EXTRAS["audience"])
    return {"suggestions": [f"Way {way}: {known[(way - 1) % len(known)][0]}" for way in range(1, count + 1)]}


def edit(request: Request) -> Said:
    """The brief with one more demand that the same piece meets."""
    goal, brief = request.subject.rpartition("/")[2], str(request.inputs.get("item", ""))
    begun = next(((name, pair) for name in ORDERS if (pair := _asked(name, brief))), None)
    if begun is None:
        return None
    order = _order(*begun)
    asked = brief.split("\nConstraint: ")[0].strip()
    stated = [one for _, one in _said_extras(asked) if one]
    kinds = {one["kind"] for one in (*order["constraints"], *stated)}
    fresh = (extra for extra in EXTRAS[goal] if extra[0] not in asked and extra[1].get("kind") not in kinds)
    more, demand = next(fresh, ("It must be read twice to be understood.", {}))
    constraints = [*order["constraints"], *(_whole(one) for one in (*stated, demand) if one)]
    return {"item": {"brief": f"{asked} {more}", "constraints": constraints}}


def _said_extras(brief: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    yield from (extra for extras in EXTRAS.values() for extra in extras if extra[0] in brief)


def _asked(name: str, text: str) -> tuple[str, str] | None:
    """The two words of a brief of this category in a text, if there is one."""
    parts = re.split(r"\{[01]\}", ORDERS[name][0])
    found = re.search(r"(\w+)".join(map(re.escape, parts)), text)
    return (found[1], found[2]) if found else None


def answer(request: Request) -> Said:
    """The category's stock piece, about the brief's two words."""
    name, turn = request.subject.rpartition("/")[2], str(request.inputs.get("request", ""))
    pair = _asked(name, turn) if name in ORDERS else None
    if pair is None:
        return None
    piece = PIECES[name].format(*pair)
    return f"# On the {pair[0].capitalize()}\n\n{piece}" if EXTRAS["form_constraint"][0][0] in turn else piece


def judge(request: Request) -> Said:
    """The rubric: met when the response is more than the brief said back."""
    if request.schema_name != "Judgement":
        return None
    rubric, response = request.inputs.get("rubric"), str(request.inputs.get("response", ""))
    met = len(response.split()) > 5 and response.strip() not in str(request.inputs.get("request", ""))
    names = list(rubric) if isinstance(rubric, dict) else ["obeys"]
    return {"criteria": [{"criterion": str(n), "evidence": response[:80] or "nothing", "met": met} for n in names]}


SCRIPTS: Mapping[str, Callable[[Request], Said]] = {
    **dict.fromkeys((*_FRAMES, *_SHEETS), transform),
    "instruct": instruct,
    "suggest": suggest,
    "edit": edit,
    "answer": answer,
    "judge": judge,
}
