"""What the agents that check puzzles reply with."""

from pydantic import Field

from agentinstruct.agents.records import Frozen
from agentinstruct.tools.solver import Query


class Formalised(Frozen):
    """A worded puzzle in the solver's language."""

    reading: str = Field(description="How the words were read, rule by rule, in a few short sentences.")
    query: Query


class Program(Frozen):
    """A worded puzzle as a program that works it out."""

    reading: str = Field(description="How the words were read, in a few short sentences.")
    source: str = Field(
        min_length=10, description="Python, standard library only, that prints the answer and nothing else."
    )


class Rival(Frozen):
    """Another answer to a riddle."""

    answer: str
    clues: str = Field(description="Clue by clue, whether it fits.")
    as_good: bool = Field(description="Whether a fair judge would have to accept it as readily as the intended one.")


class Rivals(Frozen):
    """Other answers that somebody could give."""

    intended_fits: bool = Field(description="Whether the intended answer fits every clue.")
    why: str = Field(description="The clue that it does not fit; empty if it fits all.")
    rivals: tuple[Rival, ...] = Field(min_length=1, max_length=5)
