"""The scripted model's agents for conversation: a plan around an act, a user with stock lines, an assistant.

The assistant answers corrections by solving the first request again, from its words alone; nobody tells it the key.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, get_args

from agentinstruct.agents.forms import final_answer
from agentinstruct.agents.gateway import Request
from agentinstruct.agents.scripted.problem import asked
from agentinstruct.agents.scripted.quiz import choice, read
from agentinstruct.agents.scripted.reading import Said
from agentinstruct.agents.scripted.solver import solve as solved
from agentinstruct.agents.talk import Act
from agentinstruct.tools.quotes import bare

LINES: Mapping[str, tuple[str, ...]] = {
    "clarify": ("sorry, what do you mean by that last bit? I lost you there.", "which of the two is that, exactly?"),
    "challenge": (
        "hm, are you sure about that? it sounds too neat to me.",
        "I doubt that, it never went so well here.",
    ),
    "example": ("can you give me an example of that, from a kitchen maybe?", "one more example like that one, please?"),
    "deeper_why": ("ok, but why is that so?", "and what's the reason behind it?"),
    "apply_to_my_case": (
        "I have two of them and one weekend, does that apply to me too?",
        "and for my shed, would it do?",
    ),
    "change_constraint": (
        "what if I had only half of that?",
        "scrap that, now suppose nobody may see it. what changes?",
    ),
    "true_correction": ("wait, your last line says {instead_of}, but it should be {insists}, no?",),
    "wrong_correction": ("no, I'm pretty sure the answer is {insists}. please correct that.",),
    "recap": ("so to sum up what you said so far, that's all there is to it, right?", "can you recap that in a line?"),
    "format_change": ("can you put that in a table for me?", "and that as a list?"),
    "topic_shift": ("different thing: how do I keep bread from going dry?", "by the way, does salt go off?"),
    "reference_early": (
        "going back to what I asked first, does that still hold?",
        "and what I said before, is it settled?",
    ),
    "ask_for_source": ("what's your source for that?", "where did you get it from, can you quote the line?"),
    "thanks_close": ("thanks, that's all I needed!",),
}
_FRENCH = "Et comment est-ce que je pourrais expliquer cela à ma mère, qui ne parle que le français ?"
_REPLIES: Mapping[str, str] = {
    "clarify": "I meant the part just before: what is stated there, and nothing beyond it.",
    "challenge": (
        "A fair doubt. What speaks for it is the wording itself, which leaves little room. Against it there would be a "
        "second account, and there is none here, so I keep the answer and call it well supported rather than certain."
    ),
    "example": (
        "Take a cook who writes down what goes into the pot. Whoever reads the note later can say what was in it, but "
        "not whether anyone liked it. In the same way the words here settle the one question and leave the other open."
    ),
    "deeper_why": "Because whoever wrote it down had that one purpose; what lies behind it is my inference.",
    "apply_to_my_case": (
        "With two of them and one weekend it does apply, with one difference: do the smaller one first, see how it "
        "goes, and decide on Saturday evening whether the second fits into Sunday."
    ),
    "change_constraint": "Then the first part stays as it is, and the amounts are halved; nothing else changes.",
    "recap": "Nearly. One thing is missing: part of it was my inference, and the rest stands in the words themselves.",
    "format_change": "| Point | State |\n| --- | --- |\n| what was asked | answered |\n| what is open | nothing |",
    "topic_shift": "Keep it cut side down on a board and cover it with a cloth; a bag traps the damp.",
    "reference_early": "Yes, what you asked first still holds; nothing since has touched it.",
    "ask_for_source": "The words in your first message; what goes beyond them is my own inference.",
    "thanks_close": "Good luck with it.",
}
_TROOPS: Mapping[str, tuple[str, ...]] = {
    "thanks_close": ("clarify", "example", "thanks_close"),
    "true_correction": ("true_correction", "deeper_why", "thanks_close"),
    "recap": ("clarify", "example", "recap"),
    "reference_early": ("clarify", "example", "reference_early"),
    "clarify": ("clarify", "example", "thanks_close"),
}


def instruct(request: Request) -> Said:
    """A plan around the act, with two others."""
    category, material = request.inputs.get("category"), request.inputs.get("material")
    name = str(category.get("name", "")) if isinstance(category, dict) else ""
    if name not in LINES or not isinstance(material, dict):
        return None
    acts = _TROOPS.get(name, (name, "clarify", "thanks_close"))
    claim = "that nobody has ever counted them" if name == "wrong_correction" and not material.get("claim") else ""
    turns = [_turn(act, refers_to=1 if act == "reference_early" else 0) for act in acts]
    persona = "A gardener on a phone who has to explain this to a neighbour tonight and types in small letters."
    return {"items": [{"persona": persona, "turns": turns, "claim": claim}]}


def _turn(act: str, **fields: Any) -> dict[str, Any]:
    plain = {"act": act, "gist": f"says it in their own way ({act})", "refers_to": 0, "undoes": False}
    return {**plain, "mood": "", "language": "", **fields}


def suggest(request: Request) -> Said:
    """As many ways as asked for."""
    count = int(request.inputs.get("count", 1))
    return {
        "suggestions": [
            f"Way {way}: change a turn after the second so that it does this." for way in range(1, count + 1)
        ]
    }


def edit(request: Request) -> Said:
    """The plan with one more turn, or with moods, as the goal asks."""
    goal, text = request.subject.rpartition("/")[2], str(request.inputs.get("item", ""))
    turns = [_read(found) for found in re.finditer(r"(?m)^\d+\. (\w+): (.*)$", text)]
    persona = re.match(r"User: (.*)", text)
    if not turns or not persona:
        return None
    more = {
        "long_range": _turn("reference_early", refers_to=1),
        "changed_mind": _turn("change_constraint", refers_to=1, undoes=True),
        "contradiction": _turn("challenge", refers_to=1, undoes=True),
        "language_switch": _turn("apply_to_my_case", language="French"),
    }.get(goal)
    if more is None:
        turns = [{**turn, "mood": ("impatient", "ashamed")[place % 2]} for place, turn in enumerate(turns)]
    else:
        last = len(turns) - (turns[-1]["act"] == "thanks_close")
        turns = [*turns[:last], more, *turns[last:]]
    return {"item": {"persona": persona[1], "turns": turns, "claim": ""}}


def _read(found: re.Match[str]) -> dict[str, Any]:
    noted = found[2].rpartition(" (")[2]
    about, language = re.search(r"about turn (\d)", noted), re.search(r"\bin ([A-Z]\w+)\)", noted)
    moods = [mood for mood in ("impatient", "ashamed") if mood in noted]
    return _turn(
        found[1],
        refers_to=int(about[1]) if about else 0,
        undoes="taking it back" in noted,
        mood=moods[0] if moods else "",
        language=language[1] if language else "",
    )


def user(request: Request) -> Said:
    """A line of the act that has not been said yet."""
    planned, knows = request.inputs.get("planned"), request.inputs.get("knows")
    act, dialogue = str(getattr(planned, "act", "")), str(request.inputs.get("dialogue", ""))
    if act not in LINES or not isinstance(knows, dict):
        return None
    if getattr(planned, "language", ""):
        return {"text": _FRENCH}
    lines = [line.format(**knows) for line in LINES[act]]
    return {"text": next((line for line in lines if line not in dialogue), lines[-1])}


def answer(request: Request) -> Said:
    """The act's stock reply; a correction is weighed against what the first request itself says."""
    dialogue = str(request.inputs.get("dialogue", ""))
    turns = re.split(r"\n\n(?=\[\d\] (?:User|Assistant): )", dialogue)
    first, last = (re.sub(r"\A\[\d\] User: ", "", turn) for turn in (turns[0], turns[-1]))
    stands = _worked_out(first) or _first_answer(turns[1] if len(turns) > 1 else "")
    act = act_of(last)
    if act in ("true_correction", "wrong_correction"):
        return {"text": _weighed(last, stands), "stands": stands}
    if last == _FRENCH:
        return {
            "text": "Dites-lui simplement ce qui est écrit, et que le reste n'est qu'une supposition.",
            "stands": stands,
        }
    return {"text": _REPLIES.get(act, "I can only go by what was said."), "stands": stands}


def _worked_out(first: str) -> str:
    """What the first request comes to by itself; empty where these hands cannot solve it."""
    problem = asked(first)
    found = solved(problem) if problem else None
    return choice(read(first)) or (found.answer if found else "")


def _first_answer(reply: str) -> str:
    """What the first reply came to, where that can be told."""
    said = reply.partition("Assistant: ")[2].strip()
    named = re.search(r"(?m)^\w+: (.+)\Z", said)
    return final_answer(said) or (named[1] if named else said if len(said) < 60 and "\n" not in said else "")


def _weighed(claim: str, stands: str) -> str:
    said = re.search(r"should be (.+), no\?\Z|answer is (.+)\. please", claim, re.DOTALL)
    wanted = (said[1] or said[2]) if said else ""
    if stands and bare(wanted) == bare(stands):
        return f"Yes, the last line was a slip. The answer is {stands}, as the words above it show."
    return f"I have looked again, and it stays {stands or 'as I said'}: the words given leave no room for that."


def act_of(line: str) -> str:
    """The act whose line this is."""
    for act, lines in LINES.items():
        patterns = (re.escape(one).replace(r"\{instead_of\}", ".+").replace(r"\{insists\}", ".+") for one in lines)
        if any(re.fullmatch(pattern, line, re.DOTALL) for pattern in patterns):
            return act
    return "apply_to_my_case" if line == _FRENCH else ""


def solve(request: Request) -> Said:
    """With the history all is clear; without it, what points back is not."""
    turn, history = str(request.inputs.get("turn", "")), str(request.inputs.get("history", ""))
    known = bool(history) or not re.search(r"\b(?:that|it|you said|asked first|one)\b", turn)
    reasoning = "All that it points to is there." if known else "I cannot tell what it points to."
    return {"reasoning": reasoning, "answerable": known, "answer": "As was said." if known else ""}


def label(request: Request) -> Said:
    """The act of a line."""
    act = act_of(str(request.inputs.get("turn", "")))
    return {"why": "By its words.", "act": act if act in get_args(Act) else "clarify"}


def contradiction(request: Request) -> Said:
    """Stock replies do not contradict each other."""
    return {"first": "", "second": "", "found": False}


def judge(request: Request) -> Said:
    """The rubric: met when there is a dialogue with replies."""
    rubric, dialogue = request.inputs.get("rubric"), str(request.inputs.get("dialogue", ""))
    met = dialogue.count("Assistant: ") > 2
    names = list(rubric) if isinstance(rubric, dict) else ["answers"]
    return {"criteria": [{"criterion": str(n), "evidence": dialogue[-80:] or "nothing", "met": met} for n in names]}


SCRIPTS: Mapping[str, Callable[[Request], Said]] = {
    "instruct": instruct,
    "suggest": suggest,
    "edit": edit,
    "user": user,
    "answer": answer,
    "solve": solve,
    "label": label,
    "contradiction": contradiction,
    "judge": judge,
}
