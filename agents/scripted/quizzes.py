"""The scripted model's agents for multiple-choice questions; each sees only what its prompt is given."""

import re
from collections.abc import Callable, Mapping
from itertools import islice
from random import Random
from typing import Any

from agentinstruct.agents.checks.options import betrayals
from agentinstruct.agents.errors import ReplyError
from agentinstruct.agents.forms import FORMS, Above, Optioned, Single, final_answer
from agentinstruct.agents.gateway import Request
from agentinstruct.agents.scripted.asking import replied, step
from agentinstruct.agents.scripted.closed_book import JUDGES, Said
from agentinstruct.agents.scripted.quiz import choice, read
from agentinstruct.agents.scripted.quiz_edits import refined
from agentinstruct.agents.scripted.quizmaster import WRITERS
from agentinstruct.agents.scripted.riddles import Wanted, calculation
from agentinstruct.tools.quotes import bare


def instruct(request: Request) -> Said:
    """As many items as asked for that a careful writer would find sound."""
    category, text = request.inputs.get("category"), str(request.inputs.get("passage", ""))
    form, title = (str(_field(category, name)) for name in ("form", "title"))
    decided: Any = request.inputs.get("material") or {}
    if form not in WRITERS or not isinstance(decided, Mapping):
        return None
    wanted = Wanted(text, Random(f"{title}/{text}/{sorted(map(str, decided.items()))}"), _plain(title))
    sound = (item for item in WRITERS[form](wanted, decided) if _sound(form, item, text, decided))
    found = list(islice(sound, int(request.inputs.get("count", 1))))
    return {"items": found} if found else None


def _plain(title: str) -> str:
    """A title without signs, and without words that belong to an option."""
    return re.sub(r"\s*/.*|[^\w\s,-]|\b(?:All|None) of the Above", "", title).strip()


def _sound(form: str, written: dict[str, Any], text: str, decided: Mapping[str, Any]) -> bool:
    """What a careful writer sees: everything asked for is there, and the question leads to the key."""
    kind = FORMS[form]
    try:
        item: Any = kind.model_validate({**written, **{name: decided.get(name) for name in _decided(kind)}})
        if item.lack():
            return False
        arranged = item.arrange(Random(0))
    except (ValueError, ReplyError, IndexError):
        return False
    answer = choice(read(f"{arranged.question}\n\n{arranged.options}"))
    fair = not isinstance(item, Single | Above) or not any(betrayals(item))
    return fair and not any(item.faults(text)) and bool(kind.agrees(arranged.key, answer))


def _decided(kind: type[Any]) -> tuple[str, ...]:
    return kind.decided if issubclass(kind, Optioned) else ()


def edit(request: Request) -> Said:
    """The item as its goal wants it."""
    goal, decided = str(_field(request.inputs.get("goal"), "name")), request.inputs.get("material") or {}
    form = next((n for n, f in FORMS.items() if request.schema_name == f"{f.__name__}Edit"), "")
    if form not in WRITERS or not isinstance(decided, Mapping):
        return None
    view, passage = str(request.inputs.get("item", "")), str(request.inputs.get("passage", ""))
    item = refined(form, goal, view, passage, decided)
    return {"item": item} if item else None


def solve(request: Request) -> Said:
    """An independent solution from question and options alone."""
    found = choice(read(f"{request.inputs.get('question', '')}\n\n{request.inputs.get('options', '')}"))
    why = "The note was read word by word." if found else "The question does not say enough."
    return {"reasoning": why, "answerable": bool(found), "answer": found}


def answer(request: Request) -> Said:
    """The teacher: from the user's turn alone, with the calculator where it is given one."""
    turn = str(request.inputs.get("request", ""))
    found = choice(read(turn))
    if "tool" in (request.schema or {}).get("properties", {}):
        return step(request, calculation(turn), replied(turn, found))
    return replied(turn, found) if found else None


def options(request: Request) -> Said:
    """Each option by itself."""
    question = read(f"{request.inputs.get('question', '')}\n\n{request.inputs.get('options', '')}")
    judged = [
        {"label": label, "why": "The note was read word by word.", "correct": question.holds(text)}
        for label, text in question.options
    ]
    return {"options": judged} if len(judged) > 1 and question.note else None


def guess(request: Request) -> Said:
    """Another option at each try: without the question there is nothing to go by."""
    shown = read(str(request.inputs.get("options", ""))).options
    label, text = shown[request.sample % len(shown)] if shown else ("", "nothing")
    return {"clue": "nothing", "answer": label or text}


def harder(request: Request) -> Said:
    """The one with more steps, more particulars and closer options."""
    first, second = (_demand(str(request.inputs.get(name, ""))) for name in ("first", "second"))
    found = "neither" if first == second else "first" if first > second else "second"
    return {"why": f"The first asks for {first}, the second for {second}.", "harder": found}


def _demand(view: str) -> int:
    question = read(view.partition("\nKey: ")[0])
    steps = ("after its first", "from its end", "words more", "a clerk files")
    known = set(bare(question.note.text).split()) if question.note else set()
    near = sum(word in known for _, text in question.options for word in bare(text).split())
    slips = len(re.findall(r"^Slip \d+ \* \([\d(]+ ?[-+*]", view, re.MULTILINE))
    crossed = sum(len(re.findall(r"[-+*]", line)) for line in view.splitlines() if line.startswith("Calculation: "))
    return 20 * sum(step in view.casefold() for step in steps) + near + crossed - 2 * slips


def judge(request: Request) -> Said:
    """The rubric: met when the response chooses what working out the request does."""
    rubric: Any = request.inputs.get("rubric")
    turn, response = (str(request.inputs.get(name, "")) for name in ("request", "response"))
    met = bool(response) and bare(choice(read(turn))) == bare(final_answer(response))
    names = list(rubric) if isinstance(rubric, dict) else re.findall(r"[\w ]+", str(rubric))[:1]
    return {"criteria": [{"criterion": str(n), "evidence": response[:80], "met": met} for n in names]}


def _field(value: object, name: str) -> Any:
    """A field of a mapping or of a value; empty where there is none."""
    return value.get(name, "") if isinstance(value, dict) else getattr(value, name, "")


SCRIPTS: Mapping[str, Callable[[Request], Said]] = {
    "instruct": instruct,
    "edit": edit,
    "solve": solve,
    "answer": answer,
    "options": options,
    "guess": guess,
    "harder": harder,
    "judge": judge,
    "misconceptions": JUDGES["misconceptions"],
    "told_enough": JUDGES["told_enough"],
}
