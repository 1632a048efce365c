"""Forms whose item is a hidden rule: the program samples it, its examples and its query, and proves that they decide.

    Induction   rules made of operations     Imitation   labels, formats, records, languages, steps shown
    OddOne      which of the examples breaks the rule that all others follow

The writer only words it: a sentence before the examples, and what input and output are called.
"""

import re
from collections.abc import Iterator
from random import Random
from typing import TYPE_CHECKING, Any, ClassVar, Self

from pydantic import BaseModel, Field

from agentinstruct.agents.errors import ReplyError
from agentinstruct.agents.forms.form import Fault, Form, Material
from agentinstruct.agents.records import Item, Passage
from agentinstruct.agents.spoken import Spoken, parsed
from agentinstruct.tools.quotes import fold
from agentinstruct.tools.rules import STYLES, Puzzle, Shot, Style, composed, farther, fewer, sample, spoilt, tagged

if TYPE_CHECKING:
    from agentinstruct.agents.skill import Category, Goal

_NAME = re.compile(r"[^\W\d_][\w'’ -]{0,23}")
_PLAIN = (("Input", "Output"), ("Entry", "Result"), ("Left", "Right"), ("Case", "Outcome"), ("Before", "After"))
_REFINED = {"fewer_shots": fewer, "distractors": tagged, "out_of_distribution": farther, "composition": composed}


class Continued(Spoken):
    """Reasoning, and the query's last line completed as the examples have it."""

    reasoning: str = Field(description="What the examples show and how it is applied to the last one; may be empty.")
    line: str = Field(min_length=1, description="The last line of the query, completed, exactly as in the examples.")

    @property
    def text(self) -> str:
        """The reasoning, then the line by itself."""
        return f"{self.reasoning.strip()}\n\n{self.line.strip()}".strip()

    @classmethod
    def heard(cls, said: str) -> Self:
        """Both; of plain text the last line is the answer."""
        if said.lstrip().startswith(("{", "```json")):
            return parsed(cls, said)
        before, _, last = said.rstrip().rpartition("\n")
        return cls(reasoning=before, line=last)


class Worded(Form):
    """What the writer of examples fills in."""

    question: str = Field(min_length=12, alias="task", description="What the user writes before the examples.")
    given: str = Field(max_length=200, description="What an input is called: one or two words, such as Crate.")
    made: str = Field(max_length=200, description="What an output is called: one or two words, such as Mark.")

    @classmethod
    def named(cls, data: dict[str, Any]) -> dict[str, Any]:
        """The words, with names that can stand before a colon; other names give way to plain ones."""
        given, made = (" ".join(str(data[key]).split()).strip(" :") for key in ("given", "made"))
        fit = all(_NAME.fullmatch(name) and len(name.split()) < 4 for name in (given, made))
        if not fit or fold(given) == fold(made) or "steps" in (fold(given), fold(made)):
            given, made = Random(data["task"]).choice(_PLAIN)
        return {**data, "given": given, "made": made}


class Exemplars(Worded):
    """Examples of a hidden rule and a query."""

    sampled: ClassVar[bool] = True
    spoken: ClassVar[type[Spoken]] = Continued
    writes: ClassVar[type[BaseModel] | None] = Worded
    style: str
    puzzle: Puzzle

    @classmethod
    def sample(cls, category: "Category", passage: Passage, draw: Random) -> Material | None:
        """A rule of the category's family, on the words of the passage."""
        families = category.settings.get("families", [])
        found = sample(str(draw.choice(list(families))), passage.text, draw) if isinstance(families, list) else None
        styles = category.settings.get("styles", list(STYLES))
        style = draw.choice(list(styles)) if isinstance(styles, list) else STYLES[0]
        return _material(found, str(style)) if found else None

    @classmethod
    async def make(cls, written: BaseModel, material: Material | None) -> Self:
        """The examples under the writer's words."""
        if material is None:
            raise ReplyError("not refined", "no examples of this rule meet the goal")
        data = written.model_dump(mode="json", by_alias=True)
        return cls.model_validate({**cls.named(data), "style": material["style"], "puzzle": material["puzzle"]})

    @property
    def material(self) -> Material | None:
        """Rule, examples and query."""
        return _material(self.puzzle, self.style)

    def refined(self, goal: "Goal", draw: Random) -> Material | None:
        """Other examples or another query, as the goal says; None when the rule allows none."""
        plain = not self.puzzle.second and not any(shot.tag for shot in self.puzzle.shots)
        made = _REFINED[goal.name](self.puzzle, draw) if goal.name in _REFINED and plain else None
        return _material(made, self.style) if made else None

    @property
    def written_as(self) -> Style:
        """How the examples are written."""
        return Style(self.style, self.given, self.made)

    @property
    def query(self) -> Shot:
        """The query, as an example without an output."""
        mark: Any = "A" if self.puzzle.second else ""
        return Shot(given=self.puzzle.query, made="", tag=self.puzzle.query_tag, mark=mark)

    @property
    def block(self) -> str:
        """The examples and the query, as they are shown."""
        puzzle = self.puzzle
        steps = [puzzle.of.steps(puzzle.rule, shot.given) for shot in puzzle.shots]
        return self.written_as.block(puzzle.shots, self.query, steps if all(steps) else ())

    @property
    def completed(self) -> str:
        """The line that a response must end with."""
        return self.written_as.completed(self.query, self.puzzle.key)

    def notes(self) -> Iterator[str]:
        """The rule."""
        yield f"Rule: {self.puzzle.words}"

    def arrange(self, draw: Random) -> Item:
        """The writer's words and the examples; the key is what the rule makes of the query."""
        return self._item(self.question, self.block, self.puzzle.key)

    def faults(self, passage: str) -> Iterator[Fault]:
        """The words before the examples give nothing away."""
        if len(self.puzzle.key) > 3 and re.search(
            rf"(?<!\w){re.escape(fold(self.puzzle.key))}(?!\w)", fold(self.question)
        ):
            yield "form", "the task holds the answer"
        for words in self.puzzle.words.split(", then "):
            if len(words) > 12 and fold(words) in fold(self.question):
                yield "form", f"the task tells the rule: {words!r}"

    @classmethod
    def agrees(cls, key: str, answer: str) -> bool | None:
        """The output itself, with or without what stands before it in its line."""
        lines = [line.strip(" `*\"'") for line in answer.strip().splitlines() if line.strip()]
        return bool(lines) and (lines[-1] == key or lines[-1].endswith((f": {key}", f"> {key}", f"| {key}")))


class Induction(Exemplars):
    """Find a rule made of operations, and apply it."""

    name: ClassVar[str] = "induction"


class Imitation(Exemplars):
    """Do as the examples do: label, write, extract, translate, show the steps."""

    name: ClassVar[str] = "imitation"


class OddOne(Worded):
    """Which example breaks the rule?"""

    name: ClassVar[str] = "odd_one"
    sampled: ClassVar[bool] = True
    writes: ClassVar[type[BaseModel] | None] = Worded
    puzzle: Puzzle

    @classmethod
    def sample(cls, category: "Category", passage: Passage, draw: Random) -> Material | None:
        """Examples with one that is wrong."""
        families = category.settings.get("families", [])
        found = spoilt(str(draw.choice(list(families))), passage.text, draw) if isinstance(families, list) else None
        return _material(found, "") if found else None

    @classmethod
    async def make(cls, written: BaseModel, material: Material | None) -> Self:
        """The examples under the writer's words."""
        if material is None:
            raise ReplyError("not refined", "no examples of this rule meet the goal")
        data = written.model_dump(mode="json", by_alias=True)
        return cls.model_validate({**cls.named(data), "puzzle": material["puzzle"]})

    @property
    def material(self) -> Material | None:
        """Rule and examples."""
        return _material(self.puzzle, "")

    def refined(self, goal: "Goal", draw: Random) -> Material | None:
        """With details that mean nothing; other goals do not suit."""
        plain = not any(shot.tag for shot in self.puzzle.shots)
        made = tagged(self.puzzle, draw) if goal.name == "distractors" and plain else None
        return _material(made, "") if made else None

    def notes(self) -> Iterator[str]:
        """The rule."""
        yield f"Rule: {self.puzzle.words}"

    def arrange(self, draw: Random) -> Item:
        """Numbered examples; the key is a number."""
        tags = [f" ({shot.tag})" if shot.tag else "" for shot in self.puzzle.shots]
        shots = zip(self.puzzle.shots, tags, strict=True)
        lines = [f"{i}. {shot.given}{tag} -> {shot.made}" for i, (shot, tag) in enumerate(shots, 1)]
        return self._item(self.question, "\n".join([f"{self.given} -> {self.made}", *lines]), self.puzzle.key)

    def faults(self, passage: str) -> Iterator[Fault]:
        """The task does not tell the rule."""
        if fold(self.puzzle.words) in fold(self.question):
            yield "form", "the task tells the rule"

    @classmethod
    def agrees(cls, key: str, answer: str) -> bool | None:
        """The number of the example."""
        return re.findall(r"\d+", answer)[:1] == [key]


def _material(puzzle: Puzzle | None, style: str) -> Material:
    """What the writer gets to see and `make` builds on."""
    if puzzle is None:
        return {}
    return {"style": style, "rule": puzzle.words, "puzzle": puzzle.model_dump(mode="json")}
