"""What the writer of a classification fills in, and what the program decides of it."""

from typing import Any, Literal

from pydantic import Field

from agentinstruct.agents.records import Frozen


class Label(Frozen):
    """A label and what decides for it."""

    name: str = Field(min_length=2, max_length=60, description="One to four words, lower case, underscores.")
    definition: str = Field(min_length=12, max_length=400, description="What a text must say or do to get it.")


class Shot(Frozen):
    """An example that comes before the text."""

    text: str = Field(min_length=8, max_length=400)
    label: str


class LabellingTask(Frozen):
    """What a writer fills in."""

    about: str = Field(max_length=300, description="The aspect, claim or statement asked about; empty for none.")
    right: tuple[Label, ...] = Field(min_length=1, max_length=4, description="What applies to this text.")
    wrong: tuple[Label, ...] = Field(min_length=1, max_length=9, description="What does not, though it is near.")
    question: str = Field(min_length=12, alias="task", description="What the user asks for, without a format.")
    evidence: tuple[str, ...] = Field(min_length=1, max_length=3, description="Exact quotations from the text.")
    why: str = Field(min_length=12, description="What meets the definition, and what rules out the nearest others.")
    shots: tuple[Shot, ...] = Field(max_length=6, description="Labelled examples; empty unless they are asked for.")


class Drawn(Frozen):
    """What the program decides of a classification."""

    output: Literal["label", "reason", "json", "labels", "labels_json"]
    labels: int = Field(ge=2, le=10)
    place: int = Field(0, ge=0, description="Where among the labels the (first) right one stands.")
    several: int = Field(0, description="How many labels apply, where more than one may.")
    names: str = Field("", description="The names, by comma, where they are fixed.")
    aim: str = Field("", description="The name that must be the right one.")
    about: str = Field("", description="What kind of thing is asked about, if not the whole text.")
    none: Literal["", "right", "wrong"] = ""
    tree: bool = False
    shots: int = 0

    @property
    def material(self) -> dict[str, Any]:
        """As a writer is shown it."""
        return {**self.model_dump(), "others": self.labels - (self.several or 1)}
