"""The shape of a scene to estimate in: a short text, and the quantities in it as values with units."""

from pydantic import Field

from agentinstruct.agents.estimate_text import amount
from agentinstruct.agents.records import Frozen
from agentinstruct.agents.replies import Reshaped
from agentinstruct.tools.units import UnitError, quantity

_LEAST, _MOST, _LEAST_WORDS = 2, 15, 5


class SceneQuantity(Frozen):
    """A quantity of the scene."""

    what: str
    value: float
    unit: str = Field(max_length=80, description="Such as m, people, litres/day, USD/year; empty for a plain number.")


class Scene(Reshaped):
    """A situation in which something can be estimated."""

    text: str = Field(description="The scene alone, 60 to 200 words; empty when not suitable.")
    quantities: tuple[SceneQuantity, ...] = Field(max_length=_MOST, description="The quantities that the scene states.")

    @property
    def passage_text(self) -> str:
        """The scene, and its quantities one to a line."""
        listed = "\n".join(f"- {q.what.strip()}: {amount(q.value, q.unit)}" for q in self.quantities)
        return f"{self.text.strip()}\n\nQuantities:\n{listed}" if self.text.strip() else ""

    def unfit(self) -> str:
        """Why it cannot be used: nothing said, too few quantities, a unit nobody can read.

        The quantities are listed under the text, so that it need not state each of them.
        """
        if len(self.text.split()) < _LEAST_WORDS:
            return "the text says nothing: describe the scene"
        if len(self.quantities) < _LEAST:
            return f"at least {_LEAST} quantities"
        for one in self.quantities:
            try:
                quantity(one.value, one.unit)
            except UnitError as error:
                return f"{one.what}: {error}"
        return ""
