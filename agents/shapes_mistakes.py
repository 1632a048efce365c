"""The passage of common mistakes: what is so, and what people believe instead, told apart by the program."""

from pydantic import Field

from agentinstruct.agents.records import Frozen
from agentinstruct.agents.replies import Reshaped

FACT, MISTAKE = "In fact: ", "Mistake: "
"""How the lines of the passage begin; evidence may be taken from those of the first kind only."""
_LEAST = 2


class Mistake(Frozen):
    """A mistaken belief, and how one comes to it."""

    belief: str = Field(min_length=8, description="The belief, as its holder would put it.")
    tempting: str = Field(min_length=8, description="What makes it easy to believe.")


class Stumble(Frozen):
    """A point on which people go wrong."""

    fact: str = Field(min_length=8, description="What is so, in one or two full sentences.")
    mistakes: tuple[Mistake, ...] = Field(min_length=1, max_length=3)


class Mistakes(Reshaped):
    """What people get wrong about a matter, with what is really so, and what else is so."""

    points: tuple[Stumble, ...] = Field(max_length=8)
    besides: tuple[str, ...] = Field(max_length=8, description="Further true statements, each a full sentence.")

    @property
    def passage_text(self) -> str:
        """A block of lines for each point; the labels are the program's, so that checks can read them."""
        blocks = ["\n".join([f"{FACT}{one.fact.strip()}", *map(_line, one.mistakes)]) for one in self.points]
        return "\n\n".join([*blocks, *(f"{FACT}{statement.strip()}" for statement in self.besides)])

    def unfit(self) -> str:
        """Too few points, or a mistake that is none."""
        if len(self.points) < _LEAST:
            return f"{len(self.points)} points, of at least {_LEAST}"
        facts = {one.fact.strip().casefold() for one in self.points}
        beliefs = [mistake.belief.strip() for one in self.points for mistake in one.mistakes]
        return next((f"this mistake is a fact: {belief!r}" for belief in beliefs if belief.casefold() in facts), "")


def _line(mistake: Mistake) -> str:
    belief = " ".join(mistake.belief.split())
    return f"{MISTAKE}{belief} (Tempting because: {' '.join(mistake.tempting.split())})"


def mistaken(passage: str) -> list[str]:
    """The lines of a passage that say what is not so."""
    return [line for line in passage.splitlines() if line.startswith(MISTAKE)]
