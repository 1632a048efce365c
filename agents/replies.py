"""The types of the replies that the shared agents give; field descriptions are part of what a model reads."""

from typing import Literal

from pydantic import Field

from agentinstruct.agents.records import Frozen


class Rewritten(Frozen):
    """A transform's reply: the passage, or why the seed cannot carry one."""

    suitable: bool = Field(description="False when the source cannot carry such a passage.")
    reason: str = Field(description="Why not, in one sentence; empty when suitable.")
    text: str = Field(description="The passage alone; empty when not suitable.")


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
