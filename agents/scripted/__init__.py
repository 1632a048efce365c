"""The scripted model: a stand-in that needs no model, for dry runs, tests and a first look at a new skill.

It replies what a good agent could have replied, out of the text it was given, and the same request always
gets the same reply. Checks know nothing of it: what it says passes or fails them like anything else.

Scripts are found by the most particular name: `skill/category/agent`, `skill/agent`, `agent`, `role:role`.
Agents nobody has written a script for get a reply that fits their schema, made of the words they were given.
"""

import asyncio
import re
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType

import orjson
from pydantic import BaseModel

from agentinstruct.agents.gateway import Completion, Request
from agentinstruct.agents.scripted import (
    asking,
    coding,
    creative,
    data,
    examining,
    extraction,
    fermi,
    induction,
    labelling,
    puzzles,
    quizzes,
    reading,
    retrieved,
    revision,
    talk,
    tools,
    web,
)
from agentinstruct.agents.scripted.schema import instance, words_of
from agentinstruct.agents.tokens import sink

Reply = BaseModel | Mapping[str, object] | str | Completion | None
Script = Callable[[Request], Reply]
"""What an agent says to a request: typed, as JSON values, as text, or a whole completion; None for `not mine`."""

SKILLS: Mapping[str, Mapping[str, Script]] = {
    "data_to_text": data.SCRIPTS,
    "fermi": fermi.SCRIPTS,
    "multiple_choice": quizzes.SCRIPTS,
    "open_domain_qa": asking.SCRIPTS,
    "coding": coding.SCRIPTS,
    "few_shot_reasoning": induction.SCRIPTS,
    "conversation": talk.SCRIPTS,
    "creative_content": creative.SCRIPTS,
    "text_classification": labelling.SCRIPTS,
    "text_extraction": extraction.SCRIPTS,
    "text_modification": revision.SCRIPTS,
    "tool_use": tools.SCRIPTS,
    "brain_teaser": puzzles.SCRIPTS,
    "analytical_reasoning": puzzles.SCRIPTS,
    "rag": retrieved.SCRIPTS,
    "web_agent": web.SCRIPTS,
}
"""The scripts of each skill that has some of its own, by agent: one more skill is a line here."""
SCRIPTS: Mapping[str, Script] = {
    **reading.SCRIPTS,
    **examining.SCRIPTS,
    **{f"{skill}/{agent}": script for skill, scripts in SKILLS.items() for agent, script in scripts.items()},
}
"""The scripts that ship."""


class ScriptedModel:
    """Answers by script; `scripts` go before those that ship, under the same names."""

    width = 0

    def __init__(self, scripts: Mapping[str, Script] = MappingProxyType({}), latency_s: float = 0.0) -> None:
        self._scripts = dict(scripts)
        self._latency_s = latency_s

    async def complete(self, request: Request) -> Completion:
        """The scripted reply; tokens are counted as words. Raises what a script raises."""
        if self._latency_s:
            await asyncio.sleep(self._latency_s)
        reply = _said(self._scripts, request)
        completion = _completion(request, scripted_reply(request) if reply is None else reply)
        if told := sink():
            for word in re.findall(r"\S+\s*|\s+", completion.text):
                told(word)
        return completion

    async def aclose(self) -> None:
        """Nothing to close."""


def scripted_reply(request: Request) -> Reply:
    """What the scripts that ship say to a request."""
    reply = _said(SCRIPTS, request)
    if reply is not None:
        return reply
    words = words_of(request.inputs)
    value = instance(request.schema, words) if request.schema else " ".join(words[:60])
    return value if isinstance(value, dict) else str(value)


def _said(scripts: Mapping[str, Script], request: Request) -> Reply:
    named = dict.fromkeys(scripts[name] for name in _names(request) if name in scripts)
    replies = (script(request) for script in named)
    return next((reply for reply in replies if reply is not None), None)


def _names(request: Request) -> Iterator[str]:
    skill = request.subject.split("/")[0]
    yield from (f"{request.subject}/{request.agent}", f"{skill}/{request.agent}", request.agent, f"role:{request.role}")


def _completion(request: Request, reply: Reply) -> Completion:
    if isinstance(reply, Completion):
        return reply
    if isinstance(reply, BaseModel):
        text = reply.model_dump_json(by_alias=True)
    else:
        text = reply if isinstance(reply, str) else orjson.dumps(reply).decode()
    read = sum(len(message["content"].split()) for message in request.messages)
    return Completion(text, input_tokens=read, output_tokens=len(text.split()))
