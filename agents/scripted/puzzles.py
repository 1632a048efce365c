"""The scripted model's agents for puzzles: each works from the words it is shown; only the writer knows a core."""

import re
from collections.abc import Callable, Mapping
from itertools import islice
from typing import Any

from agentinstruct.agents.forms import FORMS, final_answer
from agentinstruct.agents.gateway import Request
from agentinstruct.agents.scripted import reading
from agentinstruct.agents.scripted.puzzle_frames import FREE, Given, frame, freely_solved
from agentinstruct.agents.scripted.puzzle_reading import formalised, procedure, program, query
from agentinstruct.tools.puzzles.core import SUFFICIENT
from agentinstruct.tools.puzzles.worked import solved as worked_out
from agentinstruct.tools.quotes import bare
from agentinstruct.tools.solver import ProblemError, Query, Undecided, reply

Said = reading.Said


def transform(request: Request) -> Said:
    """A frame of the seed's own names, filled up from a stock."""
    if request.schema_name != "Frame":
        return None
    text = str(_field(request.inputs.get("seed"), "text"))
    nothing = {"setting": "", "people": [], "things": [], "places": [], "kinds": []}
    return frame(text) or {"suitable": False, "reason": "The source holds no sentence.", **nothing}


def instruct(request: Request) -> Said:
    """The core in plain words, or as many free puzzles as asked for."""
    material = request.inputs.get("material")
    if material:
        return {"items": [_worded(material["parts"])]}
    category = request.inputs.get("category")
    make = FREE.get(str(_field(category, "name")))
    if make is None:
        return None
    passage, count = str(request.inputs.get("passage", "")), int(request.inputs.get("count", 1))
    return {"items": list(islice(make(Given.of(passage)), count))}


def _worded(plain: Mapping[str, Any]) -> dict[str, Any]:
    rules = [f"{i}. {rule}" for i, rule in enumerate(plain["rules"], 1)]
    lines = [*plain["setting"], *rules, *plain["given"]]
    return {"puzzle": "\n".join(lines), "question": plain["question"], "options": plain["options"]}


def edit(request: Request) -> Said:
    """The harder core in words; a free puzzle with one more sentence."""
    material, view = request.inputs.get("material"), str(request.inputs.get("item", ""))
    if material:
        return {"item": _worded(material["parts"])}
    added = _added(request, view)
    options = re.findall(r"^([A-J])\. (.+)$", view, re.MULTILINE)
    key = re.search(r"^Key: (.+)$", view, re.MULTILINE)
    if key is None:
        return None
    if options:
        right = next(said for label, said in options if label == key[1])
        question = f"{added} {view.splitlines()[0]}"
        wrong = [said for _, said in options if said != right]
        return {"item": {"question": question, "right": right, "wrong": wrong, "why": "The step needs it."}}
    trick = re.search(r"^Trick: (.+)$", view, re.MULTILINE)
    question = f"{added} {view.partition(chr(10) + 'Key: ')[0]}"
    clue = re.split(r"[.?;]", view)[0]
    item = {"trick": trick[1] if trick else "It is read another way.", "answer": key[1], "clues": [clue]}
    return {"item": {**item, "question": question}}


def _added(request: Request, view: str) -> str:
    """What a suggestion adds: a remark that misleads, or one that closes a loophole."""
    people = Given.of(str(request.inputs.get("passage", ""))).people
    if _field(request.inputs.get("goal"), "name") == "misleading_cue":
        return (
            f"{people[0]} and {people[1]} have argued about this all week, and the weather has nothing to do with it."
        )
    return "Every word is meant in its usual sense, and nobody helps."


def formalise(request: Request) -> Said:
    """The words as a query; nonsense is refused."""
    found = query(str(request.inputs.get("question", "")), str(request.inputs.get("options", "")))
    return formalised(found) if found else None


def programmed(request: Request) -> Said:
    """The words as a program."""
    source = program(str(request.inputs.get("question", "")))
    return {"reading": "Sentence by sentence, as it stands.", "source": source} if source else None


def solved(text: str) -> str:
    """The answer to a puzzle, from its words; empty where it is not understood."""
    if found := procedure(text):
        return worked_out(*found)
    try:
        asked = query(text)
        return reply(asked) if asked else freely_solved(text)
    except (ProblemError, Undecided):
        return ""


def solve(request: Request) -> Said:
    """An independent solution."""
    found = solved(f"{request.inputs.get('question', '')}\n\n{request.inputs.get('options', '')}")
    reason = "Worked out from the rules." if found else "The rules do not decide it."
    return {"reasoning": reason, "answerable": bool(found), "answer": found}


def answer(request: Request) -> Said:
    """The teacher: rules, deductions and every option, or a short explanation; a program first, where it has one."""
    text, stepping = str(request.inputs.get("request", "")), request.schema_name.endswith("Step")
    offered = {tool["name"] for tool in request.inputs.get("tools", ())}
    if stepping and "run_python" in offered and not request.inputs.get("workings") and (source := program(text)):
        return {"tool": "run_python", "input": source, "reply": None}
    found = solved(text)
    if not found:
        return None
    if request.schema_name == "Deduced":
        asked = query(text)
        return _deduced(asked, found) if asked else None
    said = {"explanation": f"Taking the sentences one by one, only this is left: {found}.", "answer": found}
    return {"tool": "none", "input": "", "reply": said} if stepping else said


def _deduced(asked: Query, found: str) -> dict[str, Any]:
    labels = "ABCDE" if asked.wanted == "sufficient" else [choice.label for choice in asked.choices]
    claims = SUFFICIENT if asked.wanted == "sufficient" else [choice.claim for choice in asked.choices]
    ruled = [
        {
            "label": label,
            "why": f"{claim}: by the rules, this is {'' if label == found else 'not '}what is asked for.",
            "stands": label == found,
        }
        for label, claim in zip(labels, claims, strict=True)
    ]
    steps = [f"Under all the rules together, only {found} is what the question asks for."]
    return {"rules": list(asked.problem.constraints[:20]), "deductions": steps, "options": ruled, "answer": found}


def judge(request: Request) -> Said:
    """The rubric: met when the response ends in what solving the request gives."""
    rubric, response = request.inputs.get("rubric"), str(request.inputs.get("response", ""))
    found, final = solved(str(request.inputs.get("request", ""))), final_answer(response)
    form = "game" if len(found) == 1 else "puzzle"
    met = bool(found) and (bare(found) == bare(final) or FORMS[form].agrees(found, final) is True)
    names = list(rubric) if isinstance(rubric, dict) else ["right"]
    return {"criteria": [{"criterion": str(n), "evidence": final[:80] or "nothing", "met": met} for n in names]}


def rivals(request: Request) -> Said:
    """Another answer is never found as good where solving the puzzle gives the intended one."""
    question, intended = str(request.inputs.get("question", "")), str(request.inputs.get("answer", ""))
    fits = bare(solved(question)) == bare(intended)
    other = {"answer": "something else", "clues": "No clue speaks of it.", "as_good": False}
    return {"intended_fits": fits, "why": "" if fits else "It is not what the words come to.", "rivals": [other]}


def _field(value: object, name: str) -> Any:
    return value.get(name, "") if isinstance(value, Mapping) else getattr(value, name, "")


TRANSFORMS = (
    *("puzzle_frame", "duty_roster", "word_bank", "number_facts", "story_twist", "classic_skeleton"),
    *("rule_set", "table", "causal_chain", "clauses", "schedule", "argument_map", "assignment"),
)
SCRIPTS: Mapping[str, Callable[[Request], Said]] = {
    **dict.fromkeys(TRANSFORMS, transform),
    "instruct": instruct,
    "edit": edit,
    "formalise": formalise,
    "program": programmed,
    "solve": solve,
    "answer": answer,
    "judge": judge,
    "rivals": rivals,
}
