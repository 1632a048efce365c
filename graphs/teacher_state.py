"""The teacher's documents, settings and state: what its form asks for and its steps show."""

from typing import Annotated, Literal

from langgraph.runtime import Runtime
from pydantic import Field
from pydantic.dataclasses import dataclass
from typing_extensions import TypedDict

from agentinstruct.agents.records import Dropped, Frozen, Record, Seed
from agentinstruct.agents.skill import skill_names
from agentinstruct.graphs.state import Context, joined
from agentinstruct.seeds import FORMATS

MOST_DOCUMENTS, LONGEST = 200, 1_000_000
"""Documents at once, and characters of one: a server may allow less, not more."""


@dataclass(frozen=True, kw_only=True, config={"extra": "forbid"})
class TeacherContext(Context):
    """The settings of the teacher: which skills teach, how much, and everything a skill's own graph may be told."""

    skills: Annotated[
        str,
        Field(
            title="Skills",
            description=f"Only these skills, by comma; empty for all. There are: {', '.join(skill_names())}.",
            examples=["reading_comprehension,fermi"],
        ),
    ] = ""
    mix: Annotated[
        str,
        Field(
            title="Mix",
            description="The skills' shares: released (as in the released AgentInstruct data), even, all (every skill "
            "on every seed it suits) or NAME=SHARE by comma. Empty: released, or all where skills are named.",
            examples=["released", "even", "all", "fermi=2,coding=1"],
        ),
    ] = ""
    skills_per_seed: Annotated[
        int,
        Field(ge=1, le=17, title="Skills per seed", description="Skills a seed gets at most, by the mix."),
    ] = 3
    most_seeds: Annotated[
        int, Field(ge=1, le=1000, title="Most seeds", description="Seeds that are used at most, from the first on.")
    ] = 10
    at_once: Annotated[
        int, Field(ge=1, le=100, title="At once", description="Work items (a skill on a seed) that run side by side.")
    ] = 16
    seed_chars: Annotated[
        int, Field(ge=500, le=20_000, title="Seed length", description="Characters that a seed has at most.")
    ] = 3000


class Document(Frozen):
    """A document or source file, as its text."""

    text: str = Field(
        min_length=1,
        max_length=LONGEST,
        title="Text",
        description="All of it: it is cut into seeds here.",
    )
    title: str = Field("", max_length=300, title="Title", description="Its title; else its first heading.")
    source: str = Field(
        "",
        max_length=1000,
        title="Source",
        description="Where it is from: a label, nothing is read from it.",
    )
    format: Literal[FORMATS] = Field(  # type: ignore[valid-type]
        "text", title="Format", description="text, markdown, or the programming language of source code."
    )
    licence: str = Field("", max_length=200, title="Licence", description="Its licence; else what the text says of it.")


class Job(Frozen):
    """A skill to be applied to a seed."""

    skill: str
    seed: str


class Tally(Frozen):
    """What a skill made."""

    seeds: int
    records: int
    accepted: int
    dropped: dict[str, int] = Field(description="How many, by stage and reason.")


class Summary(Frozen):
    """What became of the documents."""

    seeds: int
    left_out: dict[str, int] = Field(description="Pieces of documents that are no seeds, by reason.")
    skills: dict[str, Tally]
    unable: dict[str, str] = Field(description="Skills that cannot run here, and what they lack.")


class TeacherInput(TypedDict):
    """Documents and source files to make instructions from, as texts. A text is all that must be given of each."""

    documents: Annotated[
        list[Document],
        Field(
            title="Documents",
            min_length=1,
            max_length=MOST_DOCUMENTS,
            examples=[[{"text": "# Albedo\n\nAlbedo is the share of light that …", "format": "markdown"}]],
        ),
    ]


class TeacherOutput(TypedDict):
    """What the teacher makes of documents."""

    records: Annotated[list[Record], Field(title="Records", description="Rows of the dataset, with their lineage.")]
    dropped: Annotated[
        list[Dropped], Field(title="Dropped", description="What did not make it, with stage and reason.")
    ]
    summary: Annotated[Summary, Field(title="Summary", description="What each skill made, and what was dropped.")]


class TeacherState(TypedDict, total=False):
    """Documents on their way; what happens to one seed can be read in the state of its skill's graph."""

    documents: list[Document]
    seeds: dict[str, Seed]
    left_out: dict[str, int]
    unable: dict[str, str]
    waiting: list[Job]
    underway: list[Job]
    finished: list[Job]
    records: Annotated[list[Record], joined]
    dropped: Annotated[list[Dropped], joined]
    summary: Summary


def told_of(runtime: Runtime[TeacherContext]) -> TeacherContext:
    """The caller's settings; all defaults when none were given."""
    return runtime.context or TeacherContext()
