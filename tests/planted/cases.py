"""Planted items: deliberately wrong ones that must be rejected, and good ones that must not.

A file `<skill>.yaml` beside this one holds a list of cases, each one item through the skill's real graph under the
strict policy. What an agent `says` is fixed by the case (a list: one reply after another, the last repeats); agents
that it does not name reply by the scripts that ship, but the judge finds every criterion met, so that only the stronger
checks decide. `becomes` is `accepted`, or the reason (and stage) for which the item must be dropped.
"""

from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from ruamel.yaml import YAML

from agentinstruct.agents.gateway import Gateway, Request, using
from agentinstruct.agents.records import Modality, Seed
from agentinstruct.agents.scripted import Script, ScriptedModel
from agentinstruct.graphs import skills
from agentinstruct.graphs.state import Context

FOLDER = Path(__file__).parent


class Becomes(BaseModel):
    """How an item must end."""

    model_config = ConfigDict(extra="forbid")

    reason: str = ""
    stage: str = ""


class Case(BaseModel):
    """One planted item."""

    model_config = ConfigDict(extra="forbid")

    skill: str
    name: str
    category: str
    seed: str
    modality: Modality = "prose"
    language: str = ""
    transform: str = ""
    context: dict[str, Any] = {}
    says: dict[str, Any] = {}
    becomes: Becomes = Field(default_factory=Becomes)

    @property
    def good(self) -> bool:
        """Whether it must be accepted."""
        return not self.becomes.reason

    async def outcome(self) -> str:
        """What really becomes of it: `accepted`, or `stage: reason (evidence)` of the first item that was dropped."""
        seed = Seed(text=self.seed, modality=self.modality, language=self.language)
        chosen = {"rounds": 0, "instructions_per_category": 1, "transforms": self.transform} | self.context
        context = Context(model="scripted", categories=self.category, **chosen)
        scripts = {"judge": met} | {agent: said(replies) for agent, replies in self.says.items()}
        async with using(Gateway(lambda spec: ScriptedModel(scripts))):
            state = await getattr(skills, self.skill).ainvoke({"seed": seed}, context=context)
        if state.get("dropped"):
            lost = state["dropped"][0]
            return f"{lost.stage}: {lost.reason} ({lost.detail})"
        return "accepted" if state.get("records") else "nothing came of it"

    def fits(self, outcome: str) -> bool:
        """Whether an outcome is the one that must be."""
        if self.good:
            return outcome == "accepted"
        stage, _, rest = outcome.partition(": ")
        return rest.startswith(f"{self.becomes.reason} (") and (not self.becomes.stage or stage == self.becomes.stage)


def met(request: Request) -> dict[str, Any]:
    """A judge who finds every criterion met."""
    rubric = request.inputs["rubric"]
    return {"criteria": [{"criterion": name, "evidence": "as it should be", "met": True} for name in rubric]}


def said(replies: Any) -> Script:
    """A script that says one reply after another, and then the last again."""
    listed = replies if isinstance(replies, list) else [replies]
    place = iter([*range(len(listed) - 1)])

    def script(request: Request) -> Any:
        return listed[next(place, len(listed) - 1)]

    return script


def cases(skill: str) -> list[Case]:
    """The planted items of a skill."""
    path = FOLDER / f"{skill}.yaml"
    listed = YAML(typ="safe").load(path.read_text())
    return [Case(skill=skill, **{**case, "becomes": _becomes(case.pop("becomes"))}) for case in listed]


def _becomes(value: Any) -> dict[str, str]:
    return {} if value == "accepted" else value
