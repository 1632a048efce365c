"""The scripted model's agents for reading comprehension; each sees only what its prompt is given.

A script is a function of a request that gives what the agent says: a reply of its type, as a dict, or text.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from random import Random
from typing import Any

from agentinstruct.agents.forms import FORMS, UNANSWERABLE, Form, final_answer, says_unanswerable
from agentinstruct.agents.gateway import Request
from agentinstruct.agents.scripted.edits import harder, turned, without_answer
from agentinstruct.agents.scripted.items import WRITERS, Brief, items, written_item
from agentinstruct.agents.scripted.passages import passage
from agentinstruct.agents.scripted.problem import Problem, asked, posed, seen
from agentinstruct.agents.scripted.solver import Solved, holding, solve
from agentinstruct.agents.scripted.world import world
from agentinstruct.tools.quotes import bare, overlap

Said = dict[str, Any] | str | None
"""What an agent says; None where the script does not know this kind of request."""

_TERSE = re.compile(
    r"nothing (?:more|else)|letter only|\b(?:only|just) the\b|letter alone|no explanation", re.IGNORECASE
)


def transform(request: Request) -> Said:
    """The seed's sentences in the transform's frame; declined when there are none."""
    if request.schema_name != "Rewritten":
        return None
    text = passage(request.agent, str(_field(request.inputs.get("seed"), "text")))
    reason = "" if text else "The source holds no sentence that could be kept."
    return {"suitable": bool(text), "reason": reason, "text": text}


def instruct(request: Request) -> Said:
    """As many items as asked for whose keys hold; one that does not, when the passage allows none."""
    category = request.inputs.get("category")
    form, title = str(_field(category, "form")), str(_field(category, "title"))
    if form not in WRITERS:
        return None
    text, count = str(request.inputs.get("passage", "")), int(request.inputs.get("count", 1))
    brief = Brief(world(text), Random(f"{title}/{text}"), title=re.sub(r"[^\w\s,-]", "", title).strip())
    sound = (item for item in items(form, brief) if _sound(item, FORMS[form], text))
    found = list(islice(_distinct(sound), count))
    return {"items": found} if found else None


def _distinct(found: Iterator[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    known: list[dict[str, Any]] = []
    for item in found:
        if item not in known:
            known.append(item)
            yield item


def _sound(item: dict[str, Any], form: type[Form], text: str) -> bool:
    """What a careful writer sees for himself: the item is complete, and its key is what the text says."""
    try:
        written = form.model_validate(item)
    except ValueError:
        return False
    arranged = written.arrange(Random(0))
    solved = solve(posed(form.name, arranged.question, text, arranged.options))
    agrees = solved is not None and (not form.definite or form.agrees(arranged.key, solved.answer))
    return bool(agrees) and not any(written.faults(text))


def suggest(request: Request) -> Said:
    """As many ways as asked for, told apart by their numbers."""
    if request.schema_name != "Suggestions":
        return None
    title = _field(request.inputs.get("goal"), "title") or "Refine the item"
    count = int(request.inputs.get("count", 1))
    return {"suggestions": [f"{title}, way {way}, at the place the key rests on." for way in range(1, count + 1)]}


def edit(request: Request) -> Said:
    """The passage, the item or both, as the goal asks."""
    goal, view = request.inputs.get("goal"), str(request.inputs.get("item", ""))
    form = next((n for n, f in FORMS.items() if request.schema_name == f"{f.__name__}Edit"), "")
    problem = seen(view, str(request.inputs.get("passage", "")), form)
    if problem.form not in WRITERS:
        return None
    way = _way(str(request.inputs.get("suggestion", "")))
    outcome, changes = _field(goal, "outcome"), _field(goal, "changes")
    text, item = problem.text.text, written_item(problem)
    if outcome == "flipped":
        text, item = turned(problem, way)
    elif outcome == "unanswerable":
        text = without_answer(problem, way)
    elif changes != "passage":
        item = harder(problem, way) or item
    if changes == "passage":
        return {"passage": text}
    edited = {"item": item, "passage": text} if changes == "both" else {"item": item}
    return edited if item else None


def _way(suggestion: str) -> int:
    """Which of several suggestions this is: they must not all lead to the same edit."""
    found = re.search(r"way (\d+)", suggestion)
    return int(found[1]) - 1 if found else len(suggestion)


def solver(request: Request) -> Said:
    """An independent solution, from the passage alone."""
    inputs = {name: str(request.inputs.get(name, "")) for name in ("form", "question", "passage", "options")}
    solved = solve(posed(**inputs))
    if solved is None:
        return {"reasoning": "The passage does not say.", "answerable": False, "answer": UNANSWERABLE}
    return {"reasoning": _reasons(solved), "answerable": True, "answer": solved.answer}


def answer(request: Request) -> Said:
    """The teacher: the same solution, from the user's turn alone."""
    if request.schema and request.schema_name != "Explained":
        return None
    turn, form = str(request.inputs.get("request", "")), str(request.inputs.get("form", ""))
    problem = asked(turn, form) or Problem(form, _question_in(turn), world(turn))
    solved = solve(problem)
    if form == "essay" and solved:
        points = " ".join(f'It says: "{part}"' for part in solved.parts)
        return f"The text supports the statement by what it goes on to say. {points} Taken together, this bears it out."
    if solved is None:
        return f"The text does not say what would decide this.\n\nAnswer: {UNANSWERABLE.capitalize()}"
    if _TERSE.search(turn) and form != "number":
        return f"Answer: {solved.answer}"
    return f"{_reasons(solved)}\n\nAnswer: {solved.answer}"


def _question_in(turn: str) -> str:
    """The question in a turn that none of our writers wrote."""
    asking = [line for line in turn.splitlines() if "?" in line]
    return asking[-1] if asking else turn[-200:]


def _reasons(solved: Solved) -> str:
    if not solved.because:
        return "The text neither says this nor denies it."
    return f'The text says: "{solved.because[0]}"'


def options(request: Request) -> Said:
    """Each option by itself: does it hold in the passage, or not, where the odd one is asked for?"""
    question, block = str(request.inputs.get("question", "")), str(request.inputs.get("options", ""))
    form = "blank" if re.search(r"_{2,}", question) else "choice"
    problem = posed(form, question, str(request.inputs.get("passage", "")), block)
    judged = [
        {"label": chr(65 + i), "why": "As the passage has it." if holds else "Not what is asked for.", "correct": holds}
        for i, holds in enumerate(holding(problem))
    ]
    return {"options": judged} if len(judged) > 1 else None


def agree(request: Request) -> Said:
    """Two answers mean the same when they share most of their words."""
    first, second = (str(request.inputs.get(name, "")) for name in ("first", "second"))
    return {"why": "Their words were compared.", "same": _same(first, second)}


def _same(first: str, second: str) -> bool:
    return bare(first) == bare(second) or overlap(first, second) >= 0.8


def judge(request: Request) -> Said:
    """The rubric: met when the response gives what solving the request gives, or deals with every point."""
    if request.schema_name != "Judgement":
        return None
    rubric, reference = request.inputs.get("rubric"), str(request.inputs.get("reference", ""))
    turn, response = str(request.inputs.get("request", "")), str(request.inputs.get("response", ""))
    met, evidence = _holds(asked(turn), response, reference)
    names = list(rubric) if isinstance(rubric, dict) else re.findall(r"[\w ]+", str(rubric))[:1]
    return {"criteria": [{"criterion": str(name), "evidence": evidence, "met": met} for name in names]}


def _holds(problem: Problem | None, response: str, reference: str) -> tuple[bool, str]:
    final = final_answer(response)
    if problem is None or problem.form == "essay":
        points = [line[2:] for line in reference.splitlines() if line.startswith("- ")]
        missing = next((point for point in points if not world(response).stands(point)), "")
        return bool(response.strip()) and not missing, missing or response[:80]
    solved = solve(problem)
    if solved is None:
        return says_unanswerable(final), final
    agrees = FORMS[problem.form].agrees(solved.answer, final)
    return bool(_same(solved.answer, final) if agrees is None else agrees), final


def _field(value: object, name: str) -> Any:
    """A field of a mapping or of a value; empty where there is none."""
    return value.get(name, "") if isinstance(value, dict) else getattr(value, name, "")


def harder_of_two(request: Request) -> Said:
    """The longer of two versions, wherever it stands; neither when they say the same."""
    first, second = (str(request.inputs.get(name, "")) for name in ("first", "second"))
    longer = "first" if len(first.split()) > len(second.split()) else "second"
    return {"why": "Their demands were counted.", "harder": "neither" if first == second else longer}


SCRIPTS: Mapping[str, Callable[[Request], Said]] = {
    "role:transform": transform,
    "instruct": instruct,
    "suggest": suggest,
    "edit": edit,
    "answer": answer,
    "solve": solver,
    "options": options,
    "agree": agree,
    "harder": harder_of_two,
    "judge": judge,
}
"""Its agents' scripts; those of other skills that have none of their own, too."""
