"""The scripted model's judges of questions and responses that stand alone."""

import re
from collections.abc import Callable, Mapping
from itertools import islice
from typing import Any

from agentinstruct.agents.gateway import Request
from agentinstruct.agents.scripted.world import crossings, world
from agentinstruct.tools.quotes import bare, contains, contradicts, overlap

Said = dict[str, Any] | str | None
_DENIES = re.compile(r"\b(?:not|no|never|isn['’]t|doesn['’]t|wasn['’]t|didn['’]t)\b", re.IGNORECASE)


def told_enough(request: Request) -> Said:
    """A question that quotes its note, or names what it is about, lacks nothing."""
    return {"missing": [], "enough": True}


def covers(request: Request) -> Said:
    """Each point that a sentence of the response says, in whole or for the most part."""
    response = str(request.inputs.get("response", ""))
    points = re.findall(r"^(\d+)\. (.+)$", str(request.inputs.get("points", "")), re.MULTILINE)
    marks = [_marked(int(number), point, response) for number, point in points]
    return {"points": marks} if marks else None


def _marked(number: int, point: str, response: str) -> dict[str, Any]:
    if contains(response, point):
        return {"number": number, "quote": point, "said": "full"}
    share, sentence = max(((overlap(point, s), s) for s in world(response).sentences), default=(0.0, ""))
    if share > 0.45 and not contradicts(point, sentence):
        return {"number": number, "quote": sentence, "said": "full"}
    return {"number": number, "quote": "", "said": "against" if share > 0.6 else "no"}


def premise(request: Request) -> Said:
    """Whether a sentence of the response denies something and says what is so."""
    response, correction = (str(request.inputs.get(name, "")) for name in ("response", "correction"))
    denial = next((s for s in world(response).sentences if _DENIES.search(s)), "")
    corrected = any(overlap(s, correction) > 0.3 for s in world(response).sentences)
    return {"quote": denial, "denied": bool(denial), "corrected": corrected, "goes_along": not denial}


def grounded_answer(request: Request) -> Said:
    """What the text has to say of each sentence of the response."""
    passage, response = (str(request.inputs.get(name, "")) for name in ("passage", "response"))
    claims = [_found(sentence, passage) for sentence in world(response).sentences[:10]]
    return {"claims": claims} if claims else None


def _found(claim: str, passage: str) -> dict[str, Any]:
    quoted = next((q for q in re.findall(r'"([^"\n]+)"', claim) if contains(passage, q)), "")
    if quoted:
        return {"claim": claim, "quote": quoted, "finding": "supported"}
    share, sentence = max(((overlap(claim, s), s) for s in world(passage).sentences), default=(0.0, ""))
    near = share > 0.4
    finding = ("contradicted" if contradicts(claim, sentence) else "supported") if near else "silent"
    if not near and (word := next((w for w in bare(claim).split() if len(w) > 4 and contains(passage, w)), "")):
        return {"claim": claim, "quote": word, "finding": "supported"}
    return {"claim": claim, "quote": sentence if near else "", "finding": finding}


def misconceptions(request: Request) -> Said:
    """The seed's sentences as facts, and crossings of them as what people believe; declined where there are too few."""
    if request.schema_name != "Mistakes":
        return None
    around = world(str(getattr(request.inputs.get("seed"), "text", "")))
    why = "Both halves are familiar."
    points = [
        {"fact": fact, "mistakes": [{"belief": belief, "tempting": why} for belief in islice(beliefs, 1)]}
        for fact in around.telling[:4]
        if (beliefs := [b for b in islice(crossings(around, fact, close=True), 3) if b != fact])
    ]
    suitable = len(points) > 1
    reason = "" if suitable else "The source says too little that one could be wrong about."
    besides = list(around.telling[4:12])
    return {"suitable": suitable, "reason": reason, "points": points if suitable else [], "besides": besides}


JUDGES: Mapping[str, Callable[[Request], Said]] = {
    "misconceptions": misconceptions,
    "told_enough": told_enough,
    "covers": covers,
    "premise": premise,
    "grounded_answer": grounded_answer,
}
