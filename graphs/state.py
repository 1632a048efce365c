"""What flows between nodes, and what a caller may set."""

import os
from collections.abc import Sequence
from typing import Annotated, Any, Literal, TypeVar, get_args

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
NO_PASSAGE = Passage(text="", transform="")
"""What a transform that declined its seed leaves: no transform is named in it."""
One = TypeVar("One")


Count = Annotated[int, Field(ge=0, le=50)]


def _model(title: str, what: str) -> Any:
    """The model of a role; a graph adds the nodes that it serves."""
    return Field(title=title, description=what, examples=["openai:gpt-4.1-mini"])


@dataclass(frozen=True, kw_only=True, config={"extra": "forbid"})
class Context:
    """The settings of a flow, the same in Studio, on a server, in a script and in a run; checked when it is made."""

    model: Annotated[
        str,
        Field(
            title="Model",
            description="Model of every role that has none of its own: local, openai:NAME, PROVIDER:NAME, or scripted, "
            "a stand-in for a first look. Empty: AGENTINSTRUCT_MODEL, else local.",
            examples=["scripted", "local", "openai:gpt-4.1-mini"],
        ),
    ] = ""
    transform_model: Annotated[str, _model("Transform model", "Model that rewrites seeds.")] = ""
    instruct_model: Annotated[str, _model("Instruct model", "Model that writes instructions.")] = ""
    suggest_model: Annotated[str, _model("Suggest model", "Model that suggests refinements.")] = ""
    edit_model: Annotated[str, _model("Edit model", "Model that applies them.")] = ""
    answer_model: Annotated[str, _model("Answer model", "Model that answers: the teacher.")] = ""
    solve_model: Annotated[
        str, _model("Solve model", "Model that solves items to test their keys; the judge's when empty.")
    ] = ""
    judge_model: Annotated[str, _model("Judge model", "Model that judges in verification.")] = ""
    verify: Annotated[
        Literal["strict", "annotate", "off"],
        Field(
            title="Verify",
            description="strict: only drafts whose checks pass; annotate: all, with verdicts; off: no model checks.",
        ),
    ] = "strict"
    review: Annotated[
        bool,
        Field(
            title="Review",
            description="Stop after verification until a person has accepted, edited or rejected each record. "
            "Needs a thread.",
        ),
    ] = False
    transforms: Annotated[
        str, Field(title="Transforms", description="Only these transforms, by comma; empty for all.")
    ] = ""
    categories: Annotated[
        str, Field(title="Categories", description="Only these categories, by comma; empty for all.")
    ] = ""
    without: Annotated[
        str,
        Field(
            title="Without",
            description="Not these categories, by comma: where one is drawn, another takes its place.",
        ),
    ] = ""
    goals: Annotated[
        str,
        Field(
            title="Goals",
            description="Only these refinement goals, by comma; empty for all, none for no refinement.",
        ),
    ] = ""
    categories_per_seed: Annotated[
        Count,
        Field(title="Categories per seed", description="Categories drawn for a seed; 0 for the skill's own number."),
    ] = 0
    instructions_per_category: Annotated[
        Count,
        Field(
            title="Instructions per category", description="Instructions per category; 0 for the skill's own number."
        ),
    ] = 0
    suggestions_per_goal: Annotated[
        Count,
        Field(title="Suggestions per goal", description="Suggestions per item and goal; 0 for the goal's own number."),
    ] = 0
    rounds: Annotated[
        int,
        Field(ge=-1, le=10, title="Rounds", description="Rounds of refinement; -1: the skill's own, 0: none."),
    ] = -1
    solvers: Annotated[
        int, Field(ge=1, le=15, title="Solvers", description="Independent solvers that vote on a key.")
    ] = 3
    seed: Annotated[
        int, Field(title="Random seed", description="Random seed: the same one makes the same choices.")
    ] = 0

    def model_of(self, role: Role) -> str:
        """The model that plays a role."""
        own: str = getattr(self, f"{role}_model") or (self.judge_model if role == "solve" else "")
        return own or self.model or os.environ.get("AGENTINSTRUCT_MODEL", "") or DEFAULT_MODEL

    def models(self) -> dict[str, str]:
        """The model of each role."""
        return {role: self.model_of(role) for role in ROLES}


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
    review: bool = False
    """Whether a person looks at the records: here since a branch may read nothing but the state."""
    work_id: str
    sample: int = 0
    """Which of a writer's possible replies is asked for: another run seed asks for another."""


def joined(before: Sequence[One], more: Sequence[One]) -> list[One]:
    """What several nodes add to; a tuple begins it anew, since a thread may be run on another input."""
    return list(more) if isinstance(more, tuple) else [*before, *more]


class FlowInput(TypedDict):
    """One seed: a piece of a document or of source code. Its text is all that must be given."""

    seed: Annotated[Seed, Field(title="Seed", description="The text to make instructions from, and where it is from.")]


class FlowOutput(TypedDict):
    """What a flow makes of its input."""

    records: Annotated[list[Record], Field(title="Records", description="Rows of the dataset, with their lineage.")]
    dropped: Annotated[
        list[Dropped], Field(title="Dropped", description="What did not make it, with stage and reason.")
    ]


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
    records: list[Record]
    dropped: Annotated[list[Dropped], joined]


def fresh(seed: Seed, plan: Plan) -> FlowState:
    """The state at the start of a flow: nothing of what the thread may have been run on before."""
    nothing: Any = ()
    return {
        "seed": seed,
        "plan": plan,
        "passage": NO_PASSAGE,
        "samples": {},
        "drafts": [],
        "suggestions": [],
        "exchange": [],
        "records": [],
        "dropped": nothing,
    }


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
