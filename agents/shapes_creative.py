"""Material for writers, in fields: sheets, briefs, lists. A model asked for fields cannot answer with an essay."""

from pydantic import Field

from agentinstruct.agents.replies import Reshaped
from agentinstruct.tools.freshness import worn_phrases

_FEWEST = 40


class Sheet(Reshaped):
    """Labelled fields, a line each; all must be filled."""

    @property
    def passage_text(self) -> str:
        """A line for each field, under its name."""
        return "\n".join(f"{name.replace('_', ' ').capitalize()}: {said}" for name, said in self._fields().items())

    def unfit(self) -> str:
        """A sheet with a gap is none."""
        if gaps := [name for name, said in self._fields().items() if not said]:
            return f"not filled in: {', '.join(gaps)}"
        words = len(self.passage_text.split())
        return f"only {words} words: too little to work from" if words < _FEWEST else ""

    def _fields(self) -> dict[str, str]:
        values = self.model_dump(exclude={"suitable", "reason"})
        return {
            name: "; ".join(part.strip() for part in value) if isinstance(value, tuple) else value.strip()
            for name, value in values.items()
        }


class CharacterSheet(Sheet):
    """One invented person."""

    name: str
    work: str = Field(description="Trade, and what the hands do all day.")
    wants: str = Field(description="What for, this week; something that can be seen.")
    needs: str = Field(description="What the person would deny needing.")
    carries: str = Field(description="An object that is always there.")
    says: tuple[str, ...] = Field(max_length=4, description="Three short sentences, each in another mood.")
    owes: str = Field(description="A debt, promise or quarrel, with the name of another person.")
    secret: str
    is_right_about: str = Field(description="What nobody believes.")


class ConflictSheet(Sheet):
    """Two parties who are both right."""

    matter: str = Field(description="The thing itself, with the names of both parties.")
    one_side: str = Field(description="Its claim, with a reason, a fact and a fear.")
    other_side: str = Field(description="Its claim, with a reason, a fact and a fear.")
    urgency: str = Field(description="Why it must be settled now, and by whom.")
    unsaid: str = Field(description="What both know and neither says.")


class BrandBrief(Sheet):
    """What copywriters work from."""

    name: str = Field(description="The name of the invented product, place or service.")
    what_it_is: str = Field(description="In one sentence, with price, size or hours in figures.")
    audience: str = Field(description="One person with a name and an evening.")
    instead_of: str = Field(description="What that person does now, and what is annoying about it.")
    promise: str
    proof: tuple[str, ...] = Field(max_length=3, description="Two things that could be checked.")
    voice: str = Field(description="Three adjectives, and a sentence that sounds like it.")
    taboo: tuple[str, ...] = Field(max_length=4, description="Three words or claims that may not occur.")
    next_step: str = Field(description="What people should do, with place or date.")


class LessonOutline(Sheet):
    """What a class should learn."""

    learners: str = Field(description="Age or level, number, what they know already, minutes.")
    understand: str = Field(description="The one thing, as a full sentence.")
    matter: tuple[str, ...] = Field(max_length=6, description="Three to five points, each with its fact or example.")
    mistake: str = Field(description="What learners believe instead, and why it seems right.")
    activity: str = Field(description="Something to do, to try out or to argue.")
    material: str
    check: str = Field(description="How one sees who has understood.")


class ImageList(Reshaped):
    """Concrete images, one to a line, and a tension between two of them."""

    images: tuple[str, ...] = Field(max_length=16, description="Ten to fourteen, of three to fourteen words each.")
    tension: str = Field(description="Two of them that stand against each other.")

    @property
    def passage_text(self) -> str:
        """The images, one to a line, and the tension."""
        return "\n".join([*(image.strip() for image in self.images), f"Tension: {self.tension.strip()}"])

    def unfit(self) -> str:
        """Images are many, short, different and not worn."""
        if len({image.casefold().strip() for image in self.images}) < 6:
            return f"only {len(set(self.images))} different images"
        if long := next((image for image in self.images if len(image.split()) > 20), ""):
            return f"a whole story and no image: {long[:80]!r}"
        worn = worn_phrases(" / ".join(self.images))
        return f"worn: {', '.join(worn)}" if worn else ""
