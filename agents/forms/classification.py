"""The form of text classification: labels with definitions written for the item, and which of them is right.

    sample ─ how many labels, which name to aim at, the key's place, the format ─ writer: task, labels, evidence

The program draws the place of the right label and, where names are fixed and what is asked about can be chosen, the
name itself: so keys are balanced by construction.
"""

import re
from collections.abc import Iterator, Mapping
from random import Random
from typing import TYPE_CHECKING, Any, ClassVar, Self

from pydantic import BaseModel

from agentinstruct.agents.forms.form import Fault, Form, Material, repeated, unquoted
from agentinstruct.agents.forms.labelling_task import Drawn, Label, LabellingTask
from agentinstruct.agents.records import Item, Passage
from agentinstruct.agents.spoken import Formatted, Spoken
from agentinstruct.tools.quotes import bare, fold

if TYPE_CHECKING:
    from agentinstruct.agents.skill import Category, Goal

NONE = "none_of_these"
_REST = re.compile(r"^(?:none|other|others|rest|misc|miscellaneous|unknown|else)(?:_|\b)")
_PATH = re.compile(r"[^<>]+ > [^<>]+")
_FORMATS = re.compile(r"\b(?:json|yaml|csv|xml|label only|only the label)\b", re.IGNORECASE)
SEPARATOR = "; "


class Classification(Form, LabellingTask):
    """Which of several labels a text gets by their definitions."""

    name: ClassVar[str] = "classification"
    outputs: ClassVar[tuple[str, ...]] = ("label", "reason", "json", "labels", "labels_json")
    spoken: ClassVar[type[Spoken]] = Formatted
    writes: ClassVar[type[BaseModel] | None] = LabellingTask
    sampled: ClassVar[bool] = True
    shows: ClassVar[frozenset[str]] = frozenset({"names", "shots", "several"})
    drawn: Drawn

    @classmethod
    def sample(cls, category: "Category", passage: Passage, draw: Random) -> Material | None:
        """The label to aim at and its place, the number of labels, the format."""
        settings: dict[str, Any] = dict(category.settings)
        names = list(settings.pop("names", []))
        count = len(names) or draw.randint(settings.pop("least_labels", 3), settings.pop("most_labels", 6))
        several = draw.randint(2, min(3, count - 2)) if settings.get("several") else 0
        none = draw.choice(list(settings.pop("none", [""])))
        aim = draw.choice(names) if names and settings.pop("aimed", False) else ""
        shots = draw.choice((0, 0, 0, 2, 3))
        output = draw.choice(("labels", "labels_json") if several else ("label", "label", "reason", "json"))
        return Drawn(
            output=output,
            labels=count,
            place=draw.randrange(count),
            several=several,
            names=", ".join(names),
            aim=aim,
            about=str(settings.get("about", "")),
            none=none,
            tree=bool(settings.get("tree", False)),
            shots=shots,
        ).material

    @property
    def material(self) -> Material | None:
        """What was drawn for it."""
        return self.drawn.material

    @classmethod
    async def make(cls, written: BaseModel, material: Material | None) -> Self:
        """The writer's task, with what was drawn."""
        drawn = {key: value for key, value in (material or {}).items() if key != "others"}
        filled = written.model_dump(mode="json", by_alias=True)
        # What was not asked for is not looked at.
        unasked: dict[str, Any] = {"about": "", "shots": []}
        filled |= {key: empty for key, empty in unasked.items() if not drawn.get(key)}
        return cls.model_validate({**filled, "drawn": drawn})

    def refined(self, goal: "Goal", draw: Random) -> Material | None:
        """What the goal adds: labels, examples, another kind of reply, freedom to name another label the right one."""
        drawn = self.drawn.model_dump()
        if goal.name == "more_labels" and not drawn["names"]:
            drawn["labels"] = min(10, drawn["labels"] + 2)
        if goal.name == "few_shot":
            drawn["shots"] = draw.choice((3, 4))
        if goal.name == "override":
            drawn["aim"] = ""
        if goal.name == "output" and not drawn["several"]:
            drawn["output"] = "reason" if drawn["output"] != "reason" else "label"
        drawn["place"] = draw.randrange(drawn["labels"])
        return Drawn.model_validate(drawn).material

    @property
    def key(self) -> str:
        """The name of what applies; several by semicolons."""
        return SEPARATOR.join(label.name for label in self.right)

    @property
    def labels(self) -> tuple[Label, ...]:
        """Every label, those that apply first."""
        return (*self.right, *self.wrong)

    def ordered(self, draw: Random) -> list[Label]:
        """The labels as they are shown: the first right one in its place, the others anywhere."""
        first, *others = self.labels
        draw.shuffle(others)
        others.insert(min(self.drawn.place, len(others)), first)
        return others

    def arrange(self, draw: Random) -> Item:
        """The task and its labels; the key names what applies."""
        return self._item(self.question, listed(self.ordered(draw)), self.key, self.drawn.output)

    def shown(self) -> Mapping[str, Any]:
        """The names in no telling order, and the examples."""
        names = sorted(label.name for label in self.labels)
        return {"names": names, "shots": self.shots, "several": self.drawn.several}

    def notes(self) -> Iterator[str]:
        """The evidence and the reason, for the agents that refine it."""
        yield from super().notes()
        yield f"Why: {self.why}"
        for shot in self.shots:
            yield f"Example: {shot.text} = {shot.label}"

    def faults(self, passage: str) -> Iterator[Fault]:
        """Labels are distinct and as drawn, evidence is quoted, and the task does not give the label away."""
        yield from unquoted(self.evidence, passage)
        yield from repeated([label.name for label in self.labels], "names of the labels")
        yield from repeated([label.definition for label in self.labels], "definitions")
        for label in self.labels:
            if len(set(bare(label.definition).split()) - set(_words(label.name))) < 3:
                yield "form", f"the definition of {label.name!r} only repeats its name"
        yield from self._named_as_drawn()
        yield from self._asked(passage)
        yield from self._shots(passage)

    def _named_as_drawn(self) -> Iterator[Fault]:
        drawn, names = self.drawn, [label.name for label in self.labels]
        if len(names) != drawn.labels:
            yield "form", f"{len(names)} labels, not {drawn.labels}"
        if len(self.right) != (drawn.several or 1):
            yield "form", f"{len(self.right)} labels are said to apply, not {drawn.several or 1}"
        if drawn.names and sorted(names) != sorted(drawn.names.split(", ")):
            yield "form", f"the names are {', '.join(names)}, not {drawn.names}"
        if drawn.aim and self.right[0].name != drawn.aim:
            yield "aim", f"the right label is {self.right[0].name!r}, not {drawn.aim!r} as drawn"
        if drawn.tree and not self._branches():
            yield "form", "names are not paths of two levels with at least two upper ones and near neighbours"
        yield from self._rest()

    def _rest(self) -> Iterator[Fault]:
        rest = [label.name for label in self.labels if _REST.match(bare(label.name.replace("_", " ")))]
        fixed = self.drawn.names.split(", ")
        if [name for name in rest if name not in fixed] != ([NONE] if self.drawn.none else []):
            yield "form", f"{'exactly one' if self.drawn.none else 'no'} label may be for the rest, as {NONE}: {rest}"
        if self.drawn.none and (self.right[0].name == NONE) != (self.drawn.none == "right"):
            yield "aim", f"{NONE} was drawn to be {self.drawn.none}"

    def _branches(self) -> bool:
        paths = [label.name for label in self.labels if label.name != NONE]
        uppers = [path.split(" > ")[0] for path in paths]
        home = self.right[0].name.split(" > ")[0]
        near = self.right[0].name == NONE or uppers.count(home) > 1
        return all(map(_PATH.fullmatch, paths)) and len(set(uppers)) > 1 and near

    def _asked(self, passage: str) -> Iterator[Fault]:
        if found := _FORMATS.search(self.question):
            yield "form", f"the task speaks of a format: {found[0]!r}"
        if bool(self.about) != bool(self.drawn.about) or fold(self.about) not in fold(self.question):
            yield "form", "what the task is about does not stand in it" if self.about else "the task is about nothing"
        said, names = f" {bare(self.question.replace('_', ' '))} ", [label.name for label in self.labels]
        told = [name for name in names if f" {' '.join(_words(name))} " in said]
        if told and set(told) == {label.name for label in self.right}:
            yield "form", f"the task names the right label alone: {', '.join(told)}"
        if self.drawn.about == "a statement to be tested" and fold(self.about) in fold(passage):
            yield "form", "the statement is copied from the text"

    def _shots(self, passage: str) -> Iterator[Fault]:
        if len(self.shots) != self.drawn.shots:
            yield "form", f"{len(self.shots)} examples, not {self.drawn.shots}"
        labels, names = [shot.label for shot in self.shots], {label.name for label in self.labels}
        if unknown := set(labels) - names:
            yield "form", f"an example has a label that there is not: {', '.join(sorted(unknown))}"
        if self.shots and len(set(labels)) < 2:
            yield "form", "all examples have one label"
        if any(fold(shot.text) in fold(passage) for shot in self.shots):
            yield "form", "an example is a piece of the text itself"
        yield from repeated([shot.text for shot in self.shots], "examples")

    @classmethod
    def agrees(cls, key: str, answer: str) -> bool | None:
        """The same names, in whichever order."""
        return named(key) == named(answer)


def listed(labels: list[Label]) -> str:
    """Labels with their definitions, one to a line."""
    return "\n".join(f"- {label.name}: {label.definition}" for label in labels)


def named(answer: str) -> frozenset[str]:
    """The names in an answer that names nothing else."""
    return frozenset(fold(part).strip(" .*`\"'-") for part in answer.split(SEPARATOR.strip())) - {""}


def _words(name: str) -> list[str]:
    return bare(name.replace("_", " ").replace(">", " ")).split()
