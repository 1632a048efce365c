"""The scripted model's agents for open-domain question answering; each sees only what its prompt is given."""

import re
from collections.abc import Callable, Mapping
from itertools import islice
from random import Random
from typing import Any

from agentinstruct.agents.forms import FORMS, final_answer
from agentinstruct.agents.gateway import Request
from agentinstruct.agents.scripted.closed_book import JUDGES, Said
from agentinstruct.agents.scripted.notes import ASKS, FURTHER, HINT, Note, copies, noted, said_of
from agentinstruct.agents.scripted.riddles import (
    WRITERS,
    Wanted,
    calculation,
    definite_item,
    figures,
    open_item,
    premise_item,
    quantity_item,
    solved,
)
from agentinstruct.agents.scripted.world import world
from agentinstruct.tools.calculate import CalculateError
from agentinstruct.tools.quotes import bare

TERSE = re.compile(r"just the answer|only the result|(?:choice|answer) only|and nothing else|without an", re.IGNORECASE)
_FALSE = re.compile(r'Since the note "[^"\n]+" has (\d+) words')


def instruct(request: Request) -> Said:
    """As many items as asked for that a careful writer would find sound."""
    category, text = request.inputs.get("category"), str(request.inputs.get("passage", ""))
    form, title = (str(_field(category, name)) for name in ("form", "title"))
    if form not in WRITERS:
        return None
    wanted = Wanted(text, Random(f"{title}/{text}"), re.sub(r"[^\w\s,-]", "", title).strip())
    sound = (item for item in WRITERS[form](wanted) if _sound(form, item, text))
    found = list(islice(sound, int(request.inputs.get("count", 1))))
    return {"items": found} if found else None


def _sound(form: str, item: dict[str, Any], text: str) -> bool:
    try:
        return not any(FORMS[form].model_validate(item).faults(text))
    except ValueError:
        return False


def edit(request: Request) -> Said:
    """The item refined as its goal says, from what the item shows."""
    goal = str(_field(request.inputs.get("goal"), "name"))
    view, passage = str(request.inputs.get("item", "")), str(request.inputs.get("passage", ""))
    question = view.partition("\nEvidence: ")[0]
    evidence = next((line[10:] for line in view.splitlines() if line.startswith("Evidence: ")), "")
    note = Note(evidence) if evidence else None
    if note is None or not world(passage).stands(note.text) or not noted(question):
        return None
    item = _refined(goal, question, note, Random(f"{goal}/{view}"))
    return {"item": item} if item else None


def _refined(goal: str, question: str, note: Note, draw: Random) -> dict[str, Any] | None:
    lead = question.partition("Somebody notes")[0]
    if goal == "false_premise":
        return premise_item(note, 3 + draw.randrange(9))
    if goal == "computation":
        known = figures(question)[:2]
        return quantity_item(note, lead, [*known, *islice((n for n in copies(note, draw) if n not in known), 1)])
    if "the missing word is" in question:
        turned = goal == "two_hop" or "put last" in question
        return definite_item(note, lead, turned=turned, hint=goal != "giveaway" and "Hint" in question)
    if goal == "giveaway" and (known := figures(question)):
        return quantity_item(note, lead, known)
    if goal == "giveaway":
        return open_item(question.replace(HINT, ""), note)
    return open_item(f"{question.replace(HINT, '')} {FURTHER.get(goal, tuple(ASKS)[-1])}", note)


def solve(request: Request) -> Said:
    """An independent solution from the question alone."""
    answer = solved(str(request.inputs.get("question", "")))
    why = "It was worked out from the question." if answer else "The question does not say enough."
    return {"reasoning": why, "answerable": bool(answer), "answer": answer}


def answer(request: Request) -> Said:
    """The teacher: from the user's turn alone, with the calculator where it is given one."""
    turn, expression = str(request.inputs.get("request", "")), calculation(str(request.inputs.get("request", "")))
    if "tool" in (request.schema or {}).get("properties", {}):
        return step(request, expression, replied(turn, solved(turn)))
    if answer := solved(turn):
        return replied(turn, answer)
    if found := _FALSE.search(turn):
        note = noted(turn)
        count = len(note.words) if note else 0
        return " ".join([f"The note does not have {found[1]} words: it has {count}.", *said_of(turn)])
    said = said_of(turn)
    return " ".join([*said, "So much can be read off the note itself."]) if said else None


def step(request: Request, expression: str, reply: dict[str, str]) -> Said:
    """One step of a teacher who may calculate: first the calculation, then the answer."""
    worked = request.inputs.get("workings") or [] if expression else [1]
    if not worked:
        return {"tool": "calculator", "input": expression, "reply": None}
    return {"tool": "none", "input": "", "reply": reply} if reply["answer"] else None


def replied(turn: str, answer: str) -> dict[str, str]:
    """An answer with its explanation, without one where the user wants none."""
    explanation = "" if TERSE.search(turn) else "This follows from what the question itself says, taken step by step."
    return {"explanation": explanation, "answer": answer}


def harder(request: Request) -> Said:
    """The one that asks for more things, in more steps, with fewer hints."""
    first, second = (_demand(str(request.inputs.get(name, ""))) for name in ("first", "second"))
    found = "neither" if first == second else "first" if first > second else "second"
    return {"why": f"The first asks for {first}, the second for {second}.", "harder": found}


def _demand(view: str) -> int:
    steps = sum(len(re.findall(r"[-+*/]", line)) for line in view.splitlines() if line.startswith("Calculation: "))
    traps = 6 * view.count("False premise: ") + 3 * view.count("put last")
    return 2 * view.count("Point: ") + 4 * (steps + view.count("Calculation: ")) + traps - view.count("(Hint:")


def judge(request: Request) -> Said:
    """The rubric: met when the response answers as working out the request does, or says all there is to say."""
    rubric: Any = request.inputs.get("rubric")
    turn, response = (str(request.inputs.get(name, "")) for name in ("request", "response"))
    expected = solved(turn)
    try:
        met = bare(expected) == bare(final_answer(response)) if expected else all(s in response for s in said_of(turn))
    except CalculateError:
        met = False
    names = list(rubric) if isinstance(rubric, dict) else re.findall(r"[\w ]+", str(rubric))[:1]
    evidence = response[:80]
    return {"criteria": [{"criterion": str(n), "evidence": evidence, "met": bool(met and evidence)} for n in names]}


def _field(value: object, name: str) -> Any:
    """A field of a mapping or of a value; empty where there is none."""
    return value.get(name, "") if isinstance(value, dict) else getattr(value, name, "")


SCRIPTS: Mapping[str, Callable[[Request], Said]] = {
    "instruct": instruct,
    "edit": edit,
    "solve": solve,
    "answer": answer,
    "harder": harder,
    "judge": judge,
    **JUDGES,
}
