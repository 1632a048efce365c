"""The scripted model's agents for text modification: instructions it can carry out, and carrying them out.

The instruction names a change in words the teacher knows, with the demands that change meets on this text;
what would not meet them is never asked for.
"""

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from itertools import islice
from typing import Any

from agentinstruct.agents.errors import SetupError
from agentinstruct.agents.gateway import Request
from agentinstruct.agents.scripted.changes import asked_for, perform
from agentinstruct.agents.scripted.reading import Said
from agentinstruct.agents.scripted.tasks import EXTRAS, TASKS, Demand, Task, phrase, possible
from agentinstruct.agents.skill import load_skill
from agentinstruct.tools.constraints import Constraint
from agentinstruct.tools.constraints.text import Text, tokens


def instruct(request: Request) -> Said:
    """As many instructions of the category as asked for, all of which can be carried out on the text."""
    category = request.inputs.get("category")
    name = str(category.get("name", "")) if isinstance(category, dict) else ""
    text, count = str(request.inputs.get("passage", "")), int(request.inputs.get("count", 1))
    if name not in TASKS:
        return None
    known = list(islice(TASKS[name](text), 40))
    fitting = list(islice((task for task in known if possible(task, text)), count)) or known[:1]
    return {"items": [_item(task) for task in fitting]} if fitting else None


def _item(task: Task) -> dict[str, Any]:
    return {"instruction": task[0], "constraints": [_whole(demand) for demand in task[1]]}


def _whole(demand: Demand) -> dict[str, Any]:
    return Constraint.model_validate(demand).model_dump(mode="json")


def suggest(request: Request) -> Said:
    """As many further demands as asked for."""
    count = int(request.inputs.get("count", 1))
    return {"suggestions": [f"Add, way {way}: {EXTRAS[(way - 1) % len(EXTRAS)][0]}" for way in range(1, count + 1)]}


def edit(request: Request) -> Said:
    """The instruction with one more demand that the same text can meet."""
    text = str(request.inputs.get("passage", ""))
    instruction = str(request.inputs.get("item", "")).split("\n")[0].strip()
    found = re.search(r"way (\d+)", str(request.inputs.get("suggestion", "")))
    way = int(found[1]) - 1 if found else 0
    begun = (task for tasks in TASKS.values() for task in islice(tasks(text), 40) if instruction.startswith(task[0]))
    before = max(begun, key=lambda task: len(task[0]), default=None)
    if before is None:
        return None
    extras = [EXTRAS[(way + i) % len(EXTRAS)] for i in range(len(EXTRAS))]
    harder = (_joined(text, instruction, before, extra) for extra in extras if extra[0] not in instruction)
    return {"item": _item(next((task for task in harder if possible(task, text)), before))}


def _joined(text: str, instruction: str, before: Task, extra: Task) -> Task:
    """What was asked for, and one thing more."""
    asked = f"{instruction} {extra[0]}"
    demands = [*before[1], *(demand for added, more in EXTRAS if added in asked for demand in more)]
    if phrase("Give every sentence") in asked:
        demands.append({"kind": "exact_paragraphs", "number": len(Text(perform(text, asked)).paragraphs)})
    return asked, demands


def answer(request: Request) -> Said:
    """The teacher: the text in the user's turn, changed as the instruction says, and nothing besides."""
    instruction, text = _parts(request)
    return perform(text, instruction) if asked_for(instruction) else None


def judge(request: Request) -> Said:
    """The rubric: met when the response is, word for word, what carrying out the request gives."""
    if request.schema_name != "Judgement":
        return None
    rubric, response = request.inputs.get("rubric"), str(request.inputs.get("response", ""))
    instruction, text = _parts(request)
    wanted = tokens(perform(text, instruction)) if asked_for(instruction) else tokens(response)
    met = bool(response.strip()) and tokens(response) == wanted
    names = list(rubric) if isinstance(rubric, dict) else ["does_it"]
    return {"criteria": [{"criterion": str(n), "evidence": response[:80] or "nothing", "met": met} for n in names]}


def _parts(request: Request) -> tuple[str, str]:
    """Instruction and text of a user's turn, whichever of the skill's layouts it is in."""
    layouts, spoken = _known(request.subject.split("/")[0])
    turn = str(request.inputs.get("request", ""))
    turn = next((turn.removeprefix(said).strip() for said in spoken if turn.startswith(said)), turn)
    found = [match for layout in layouts if (match := layout.fullmatch(turn)) and asked_for(match["question"])]
    if not found:
        return turn, turn
    best = min(found, key=lambda match: len(match["question"]) + len(match["passage"]))
    return best["question"], best["passage"].strip()


@lru_cache(maxsize=16)
def _known(skill: str) -> tuple[tuple[re.Pattern[str], ...], tuple[str, ...]]:
    """A skill's layouts of the user's turn, as patterns, and its system messages; none for one that cannot be read."""
    try:
        file = load_skill(skill).file
    except SetupError:
        return (), ()
    layouts = file.layouts.get("revision", ())
    return tuple(re.compile(_pattern(layout), re.DOTALL) for layout in layouts), file.system_messages


def _pattern(layout: str) -> str:
    pieces = re.split(r"\{\{\s*(\w+)\s*\}\}", layout.strip())
    named = {"question": r"(?P<question>[^\n]+)", "passage": r"(?P<passage>.+)", "options": r"(?P<options>.*)"}
    return "".join(named.get(part, ".*") if i % 2 else re.escape(part) for i, part in enumerate(pieces))


SCRIPTS: Mapping[str, Callable[[Request], Said]] = {
    "instruct": instruct,
    "suggest": suggest,
    "edit": edit,
    "answer": answer,
    "judge": judge,
}
