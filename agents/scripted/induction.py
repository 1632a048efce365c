"""The scripted model's agents for few-shot reasoning: they read the examples, and look for rules that fit them all."""

import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING

from agentinstruct.agents.errors import SetupError
from agentinstruct.agents.gateway import Request
from agentinstruct.agents.scripted.reading import Said
from agentinstruct.agents.skill import load_skill
from agentinstruct.tools.rules import FAMILIES, Chains, Shot, answers, odd, read_block

if TYPE_CHECKING:
    from agentinstruct.agents.scripted import Script

_TRANSFORMS = ("inventory", "records", "statements", "log", "domain_shift", "glossary")
_SETTINGS = ("the log", "a list of the archive", "the notebook of a neighbour", "the weekly riddle")


def transform(request: Request) -> Said:
    """The source as it is: its words are all that rules need."""
    seed = request.inputs.get("seed")
    text = str(seed.get("text", "") if isinstance(seed, dict) else getattr(seed, "text", ""))
    return {"suitable": True, "reason": "", "text": text[:4000]}


def instruct(request: Request) -> Said:
    """A sentence that gives nothing away."""
    if not isinstance(request.inputs.get("material"), dict):
        return None
    words = re.findall(r"\b[a-z]{5,10}\b", str(request.inputs.get("passage", ""))) or ["things"]
    place = _SETTINGS[len(words) % len(_SETTINGS)]
    task = f"These lines about the {max(words[:40], key=len)} come from {place}. What belongs at the end of the last?"
    if "odd" in str(request.inputs.get("category")):
        task = f"These lines come from {place}, and one of them is wrong. Which?"
    return {"items": [{"task": task, "given": "Entry", "made": "Result"}]}


def suggest(request: Request) -> Said:
    """A setting for it."""
    count = int(request.inputs.get("count", 1))
    return {"suggestions": [f"Let it be an entry of another day, number {n}." for n in range(1, count + 1)]}


def edit(request: Request) -> Said:
    """The same question in other words."""
    wrong = "Which of these entries of another day is the wrong one?"
    task = "An entry of another day is not finished. What belongs at the end of the last line?"
    asked = wrong if "wrong" in str(request.inputs.get("item")) else task
    return {"item": {"task": asked, "given": "Entry", "made": "Result"}}


def answer(request: Request) -> Said:
    """The teacher: the rule from the examples of the user's turn alone."""
    form, turn = str(request.inputs.get("form", "")), str(request.inputs.get("request", ""))
    if form == "odd_one":
        number = _odd(request, turn)
        return {"explanation": "One rule makes all lines but this one.", "answer": number}
    if form not in ("induction", "imitation"):
        return None
    found = _found(request, turn)
    line = f"{_last(turn)} {found}"
    reasoning = "" if "only the completed line" in turn else _reasoning(request, turn)
    return {"reasoning": reasoning, "line": line}


def solve(request: Request) -> Said:
    """A solver: the same, from what it is shown."""
    block = str(request.inputs.get("options", ""))
    odd_one = request.inputs.get("form") == "odd_one"
    found = _odd(request, block) if odd_one else _found(request, block)
    return {"reasoning": "Rules that fit every line were tried.", "answerable": bool(found), "answer": found}


def _families(request: Request) -> Sequence[str]:
    skill, _, category = request.subject.partition("/")
    try:
        listed = load_skill(skill).categories[category].settings.get("families", [])
    except (SetupError, KeyError):
        return ()
    return [str(name) for name in listed] if isinstance(listed, list) else ()


def _found(request: Request, text: str) -> str:
    """What every rule that fits makes of the query; nothing when they do not agree."""
    shots, query = read_block(text)
    if query is None:
        return ""
    for family in _families(request):
        said = answers(family, shots, query.given)
        if len(said) == 1:
            return next(iter(said))
    return ""


def _reasoning(request: Request, text: str) -> str:
    """The steps in the form of the examples, where they show steps."""
    shots, query = read_block(text)
    for family in _families(request):
        rules = FAMILIES[family]
        if isinstance(rules, Chains) and query is not None:
            shown = re.findall(r"^\s*Steps: (.+)$", text, re.MULTILINE)
            pairs = [(shot.given, shot.made) for shot in shots]
            for spec in rules.fitting(pairs):
                if [rules.steps(spec, given) for given, _ in pairs] == shown:
                    return f"Steps: {rules.steps(spec, query.given)}"
    return "One rule fits every line, and it was applied to the last."


def _last(text: str) -> str:
    """The line that breaks off."""
    ended = re.compile(r".+(?: ->| =>| \|)$|\s*[\w ]{1,24}:$")
    lines = [line for line in text.splitlines() if ended.fullmatch(line.rstrip())]
    kept = [line for line in lines if line.strip() != "Examples:"]
    return kept[-1].strip() if kept else ""


def _odd(request: Request, text: str) -> str:
    """The number of the line that no rule of the others makes."""
    lines = re.findall(r"^(\d+)\. (.+?)(?: \((?:old|new|spare|own|late|early)\))? -> (.+)$", text, re.MULTILINE)
    shots = [Shot(given=given, made=made.strip()) for _, given, made in lines]
    for family in _families(request):
        numbers = odd(family, shots) if shots else frozenset()
        if len(numbers) == 1:
            return str(next(iter(numbers)))
    return ""


def judge(request: Request) -> Said:
    """The rubric: met by a response whose last line ends in the reference."""
    rubric, response = request.inputs.get("rubric"), str(request.inputs.get("response", "")).rstrip()
    met = bool(response) and response.endswith(str(request.inputs.get("reference", "")))
    names = list(rubric) if isinstance(rubric, Mapping) else ["right"]
    return {"criteria": [{"criterion": name, "evidence": response[-60:], "met": met} for name in names]}


SCRIPTS: Mapping[str, "Script"] = MappingProxyType(
    {
        **dict.fromkeys(_TRANSFORMS, transform),
        "instruct": instruct,
        "suggest": suggest,
        "edit": edit,
        "answer": answer,
        "solve": solve,
        "judge": judge,
    }
)
