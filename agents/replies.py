"""The types of the replies that the shared agents give; field descriptions are part of what a model reads."""

from typing import ClassVar, Literal

from pydantic import Field

from agentinstruct.agents.records import Frozen


class Reshaped(Frozen):
    """A transform's reply, or why the seed cannot carry one; a shape adds its fields and says what they make."""

    TOLD_LAST: ClassVar = ("suitable", "reason")
    """Where a model fills in a reply in order: having made the passage, it knows whether it could be made."""

    suitable: bool = Field(description="False when the source cannot carry such a passage.")
    reason: str = Field(description="Why not, in one sentence; empty when suitable.")

    @property
    def passage_text(self) -> str:
        """The passage that the fields make, as the prompts that follow show it."""
        raise NotImplementedError

    def unfit(self) -> str:
        """Why a reply that calls itself suitable cannot be used; empty when it can."""
        return "" if self.passage_text else "the passage is empty"


class Rewritten(Reshaped):
    """The plainest shape: a text."""

    text: str = Field(description="The passage alone; empty when not suitable.")

    @property
    def passage_text(self) -> str:
        """The text."""
        return self.text.strip()


class Suggestions(Frozen):
    """A suggester's reply."""

    suggestions: tuple[str, ...] = Field(min_length=1, max_length=8)


class PassageEdit(Frozen):
    """An editor's reply when only the passage changes."""

    passage: str = Field(min_length=20, description="The whole edited passage.")


class Solution(Frozen):
    """An independent solver's reply."""

    reasoning: str = Field(description="How the passage decides the question, in a few short sentences.")
    answerable: bool = Field(description="False when the passage does not decide the question.")
    answer: str = Field(description="The final answer alone.")


class Label(Solution):
    """A solver's reply on a statement."""

    answer: Literal["True", "False", "Not Given"] = Field(description="The label alone.")


class OptionVerdict(Frozen):
    """Whether one option would be accepted as right."""

    label: str
    why: str
    correct: bool


class OptionVerdicts(Frozen):
    """A judge's reply on every option."""

    options: tuple[OptionVerdict, ...] = Field(min_length=2, max_length=10)


class Agreement(Frozen):
    """Whether two short answers mean the same."""

    why: str
    same: bool


class Criterion(Frozen):
    """A judge's finding on one criterion of a rubric."""

    criterion: str
    evidence: str = Field(description="What in the response shows it, quoted where possible.")
    met: bool


class Judgement(Frozen):
    """A judge's reply on a whole rubric."""

    criteria: tuple[Criterion, ...] = Field(min_length=1, max_length=12)


class Comparison(Frozen):
    """Which of two items asks more of whoever answers it."""

    why: str = Field(description="What each asks for, side by side, in one or two sentences.")
    harder: Literal["first", "second", "neither"]
