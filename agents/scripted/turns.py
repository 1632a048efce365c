"""How the scripted teacher takes a user's turn apart: by the skill's own layouts, read backwards."""

import re
from functools import lru_cache

from agentinstruct.agents.errors import SetupError
from agentinstruct.agents.gateway import Request
from agentinstruct.agents.skill import load_skill

_PARTS = {"passage": r"(?P<passage>.+)", "options": r"(?P<options>.+?)", "demand": r"(?P<demand>.+?)"}


def parts_of(request: Request, form: str, question: str) -> dict[str, str]:
    """The parts of a turn whose question matches a pattern; none when the turn is in no layout of the form.

    Of several ways to read it, the one with the shortest passage is taken: a layout's own words are no part of it.
    """
    layouts, spoken = _known(request.subject.split("/")[0], form, question)
    turn = str(request.inputs.get("request", ""))
    turn = next((turn.removeprefix(said).strip() for said in spoken if turn.startswith(said)), turn)
    found = [match.groupdict() for layout in layouts if (match := layout.fullmatch(turn))]
    return min(found, key=lambda parts: len(parts["passage"]), default={})


@lru_cache(maxsize=32)
def _known(skill: str, form: str, question: str) -> tuple[tuple[re.Pattern[str], ...], tuple[str, ...]]:
    try:
        file = load_skill(skill).file
    except SetupError:
        return (), ()
    patterns = (_pattern(layout, question) for layout in file.layouts.get(form, ()))
    return tuple(re.compile(pattern, re.DOTALL) for pattern in patterns), file.system_messages


def _pattern(layout: str, question: str) -> str:
    pieces = re.split(r"\{\{\s*(\w+)\s*\}\}", layout.strip())
    named = {**_PARTS, "question": f"(?P<question>{question})"}
    return "".join(named.get(part, ".*") if i % 2 else re.escape(part) for i, part in enumerate(pieces))
