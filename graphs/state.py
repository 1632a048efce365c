"""What flows between nodes, and what a caller may set."""

import operator
import os
from dataclasses import field
from typing import Annotated, Any, Literal, get_args

from langchain_core.messages import AnyMessage
from langgraph.runtime import Runtime
from pydantic import Field
from pydantic.dataclasses import dataclass
from typing_extensions import TypedDict

from agentinstruct.agents.errors import SetupError
from agentinstruct.agents.files import nearest
from agentinstruct.agents.records import Draft, Dropped, Frozen, Passage, Record, Role, Seed, Suggestion

DEFAULT_MODEL = "local"
NONE = "none"
"""The filter that leaves nothing, such as `goals="none"`: no refinement."""
ROLES: tuple[Role, ...] = get_args(Role)


def _setting(default: Any, description: str) -> Any:
    return field(default=default, metadata={"description": description})


Count = Annotated[int, Field(ge=0, le=50)]


@dataclass(frozen=True, kw_only=True, config={"extra": "forbid"})
class Context:
    """The settings of a flow, the same in Studio, on a server, in a script and in a run; checked when it is made."""

    model: str = _setting("", "Model of every role that has none of its own: local, openai:<name>, scripted …")
    transform_model: str = _setting("", "Model that rewrites seeds.")
    instruct_model: str = _setting("", "Model that writes instructions.")
    suggest_model: str = _setting("", "Model that suggests refinements.")
    edit_model: str = _setting("", "Model that applies them.")
    answer_model: str = _setting("", "Model that answers: the teacher.")
    solve_model: str = _setting("", "Model that solves items to test their keys; the judge's when empty.")
    judge_model: str = _setting("", "Model that judges in verification.")
    verify: Literal["strict", "annotate", "off"] = _setting(
        "strict", "strict: only drafts whose checks pass; annotate: all, with verdicts; off: no model checks."
    )
    transforms: str = _setting("", "Only these transforms, by comma; empty for all.")
    categories: str = _setting("", "Only these categories, by comma; empty for all.")
    without: str = _setting("", "Not these categories, by comma: where one is drawn, another takes its place.")
    goals: str = _setting("", "Only these refinement goals, by comma; empty for all, none for no refinement.")
    categories_per_seed: Count = _setting(0, "Categories drawn for a seed; 0 for the skill's own number.")
    instructions_per_category: Count = _setting(0, "Instructions per category; 0 for the skill's own number.")
    suggestions_per_goal: Count = _setting(0, "Suggestions per item and goal; 0 for the goal's own number.")
    rounds: Annotated[int, Field(ge=-1, le=10)] = _setting(-1, "Rounds of refinement; -1 for the skill's own.")
    solvers: Annotated[int, Field(ge=1, le=15)] = _setting(3, "Independent solvers that vote on a key.")
    seed: int = _setting(0, "Random seed: the same one makes the same choices.")

    def model_of(self, role: Role) -> str:
        """The model that plays a role."""
        own: str = getattr(self, f"{role}_model") or (self.judge_model if role == "solve" else "")
        return own or self.model or os.environ.get("AGENTINSTRUCT_MODEL", "") or DEFAULT_MODEL


class Plan(Frozen):
    """What was decided for a seed before any model was asked."""

    transform: str
    categories: tuple[str, ...]
    goals: tuple[str, ...]
    instructions: int
    suggestions: int
    rounds: int
    """Rounds of refinement still to come."""
    verify: Literal["strict", "annotate", "off"]
    work_id: str
    sample: int = 0
    """Which of a writer's possible replies is asked for: another run seed asks for another."""


class FlowInput(TypedDict):
    """One seed: a piece of a document or of source code."""

    seed: Seed


class FlowState(TypedDict, total=False):
    """A seed on its way: every step's work can be read here."""

    seed: Seed
    plan: Plan
    passage: Passage
    samples: dict[str, list[dict[str, Any]]]
    """For each category of a sampled form, what the program decided of its items."""
    drafts: list[Draft]
    suggestions: list[Suggestion]
    exchange: list[AnyMessage]
    """What the teacher asked of its tools, and then what they gave back."""
    records: Annotated[list[Record], operator.add]
    dropped: Annotated[list[Dropped], operator.add]


def settings(runtime: Runtime[Context]) -> Context:
    """The caller's settings; all defaults when none were given (LangGraph then passes None)."""
    return runtime.context or Context()


def chosen(listed: str, known: list[str], what: str) -> list[str]:
    """The names of a comma list, all of which must be known; all names when it is empty.

    Raises:
        SetupError: one is not known; says which and the nearest one.
    """
    if listed.strip() == NONE:
        return []
    names = [name.strip() for name in listed.split(",") if name.strip()]
    for name in names:
        if name not in known:
            raise SetupError(f"no {what} {name!r}.{nearest(name, known)}")
    return names or known
