"""A skill: what data to make. Data only, read from `prompts/<skill>/` or a folder of the user's own.

skill.yaml      transforms, refinement goals, layouts of the user's turn, checks, rubric
taxonomy.yaml   the categories of instruction: brief, form, the transforms each suits
*.md            its prompts; one that is missing is looked for in `prompts/shared/`
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from agentinstruct.agents.errors import SkillError
from agentinstruct.agents.files import checked, nearest, read_text, read_yaml
from agentinstruct.agents.forms import FORMS
from agentinstruct.agents.layouts import read_demands, read_layouts
from agentinstruct.agents.prompt import Filling, Prompt, load_prompt
from agentinstruct.agents.records import Modality
from agentinstruct.agents.skill_names import agree
from agentinstruct.tools.constraints import Constraint, Kind

Setting = str | int | float | bool | list[str] | list[int] | list[float]
Feature = Literal[
    "words", "sentences", "numbers", "names", "rows", "steps", "speech", "reasons", "telling", "signatures", "markup"
]
"""What a text can hold; `routing.py` counts it."""
ToolName = Literal["calculator", "convert_units", "run_python", "search_chunks"]
OWN_SKILLS = "AGENTINSTRUCT_SKILLS"
"""The variable that lists folders of skills of the user's own, as PATH lists folders of programs."""


class Data(BaseModel):
    """A part of a skill as people write it."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Category(Data):
    """One kind of instruction of a skill's taxonomy."""

    name: str = ""
    title: str
    form: str
    suits: tuple[str, ...] = ("any",)
    seeds: tuple[Modality, ...] = Field((), description="The seeds it can be written from; the skill's, when empty.")
    brief: str
    examples: tuple[str, ...] = ()
    requires: tuple[Constraint, ...] = Field((), description="What every response of this category must satisfy.")
    states: tuple[Kind, ...] = Field((), description="Kinds of constraint of which an instruction must state one.")
    may_state: tuple[Kind, ...] = Field((), description="Kinds that it may state besides; read where it has `states`.")
    settings: Mapping[str, Setting] = Field({}, description="What its form reads: a family of puzzles, a number.")
    tools: tuple[ToolName, ...] = Field((), description="What the teacher may call while it answers.")
    checks: tuple[str, ...] = Field((), description="Checks of this category besides the skill's.")

    def fits(self, transform: str) -> bool:
        """Whether it can be written from a passage of this transform."""
        return "any" in self.suits or transform in self.suits

    def takes(self, modality: Modality) -> bool:
        """Whether it can be written from this kind of seed."""
        return not self.seeds or modality in self.seeds


class Goal(Data):
    """One way in which suggester and editor make items harder or different."""

    name: str = ""
    title: str
    brief: str
    changes: Literal["passage", "both", "item"] = "item"
    outcome: Literal["kept", "flipped", "unanswerable"] = "kept"
    forms: tuple[str, ...] = ()
    form: str = Field("", description="The form of what it makes; that of the item it refines when empty.")
    asks_more: bool = Field(True, description="Whether what it makes must ask more than what it refines.")
    checks: tuple[str, ...] = Field((), description="Checks of what it makes, besides the skill's.")
    adds: tuple[Kind, ...] = Field((), description="Kinds of constraint of which a refined brief must state a new one.")
    suggestions: int = Field(1, ge=1, le=8, description="Suggestions, and so new items, per item.")

    def fits(self, form: str) -> bool:
        """Whether items of this form can be refined so."""
        return not self.forms or form in self.forms


class SkillFile(Data):
    """`skill.yaml`."""

    title: str
    description: str
    split: str
    modalities: tuple[Modality, ...] = ("prose",)
    holds: Mapping[Feature, int] = Field({}, description="What prose must hold, and how much, to be taken.")
    prefers: tuple[Feature, ...] = Field((), description="What makes one seed better than another.")
    released: int = Field(50_000, gt=0, description="Its rows in the released AgentInstruct data: the default mix.")
    retrieves: bool = Field(False, description="Whether its flow searches the run's other seeds.")
    closed_book: bool = Field(False, description="Whether items must stand alone: the user never sees the passage.")
    grows: bool = Field(False, description="Whether its transforms are other skills, `from_<skill>`, and not prompts.")
    needs: tuple[str, ...] = Field((), description="Extras of this package that its checks need.")
    categories_per_seed: int = Field(3, ge=1)
    instructions_per_category: int = Field(2, ge=1)
    rounds: int = Field(1, ge=0, le=5)
    transforms: Mapping[str, str]
    shapes: Mapping[str, str] = Field({}, description="What a transform replies with, where it is not plain text.")
    goals: Mapping[str, Goal] = {}
    layouts: Mapping[str, tuple[str, ...]] = {}
    demands: Mapping[str, tuple[str, ...]] = Field({}, description="What users say of each format a reply can have.")
    system_messages: tuple[str, ...] = ()
    checks: tuple[str, ...] = Field((), description="The acceptance policy: which of `CHECKS` a draft must pass.")
    rubric: Mapping[str, str] = {}


@dataclass(frozen=True)
class Skill:
    """A skill with its prompts loaded and checked."""

    name: str
    file: SkillFile
    categories: Mapping[str, Category]
    goals: Mapping[str, Goal]
    layouts: Mapping[str, Sequence[Filling]]
    demands: Mapping[str, Sequence[Filling]]
    prompts: Mapping[str, Prompt]
    data: Mapping[str, str]
    """The fingerprints of its YAML files."""

    def prompt(self, *names: str) -> Prompt:
        """The first of these prompts that the skill, else `shared`, has."""
        for name in names:
            if name in self.prompts:
                return self.prompts[name]
        raise SkillError(f"prompts/{self.name}: needs {names[-1]}.md (looked for {', '.join(names)}, also in shared/).")

    def checks_of(self, category: str, goal: str = "") -> tuple[str, ...]:
        """The checks that a draft must pass: those of every item, the skill's, its category's, its goal's."""
        own = (*self.categories[category].checks, *(self.goals[goal].checks if goal else ()))
        return ("form", "changed", *self.file.checks, *own)

    @property
    def samples(self) -> bool:
        """Whether the program decides part of some of its items."""
        return any(FORMS[category.form].sampled for category in self.categories.values())

    @property
    def tools(self) -> tuple[ToolName, ...]:
        """Every tool that its teacher may call, in some category."""
        return tuple(sorted({tool for category in self.categories.values() for tool in category.tools}))

    @property
    def fingerprints(self) -> dict[str, str]:
        """The fingerprint of each of its files, shared prompts included: what a run's manifest holds of the skill."""
        return {**self.data, **{prompt.name: prompt.fingerprint for prompt in self.prompts.values()}}


def prompts_folder() -> Path:
    """Where the installed prompts are."""
    return Path(str(files("agentinstruct.prompts")))


def skill_folders() -> dict[str, Path]:
    """Every skill's folder by its name: the installed ones, and those in the folders that `OWN_SKILLS` lists.

    Raises:
        SkillError: one of the user's own has the name of another.
    """
    own = [Path(place) for place in os.environ.get(OWN_SKILLS, "").split(os.pathsep) if place]
    found: dict[str, Path] = {}
    for place in (prompts_folder(), *own):
        for path in sorted(place.glob("*/skill.yaml")):
            folder = path.parent
            if found.setdefault(folder.name, folder).resolve() != folder.resolve():
                raise SkillError(f"{folder}: {found[folder.name]} is a skill of that name. Rename the folder.")
    return found


def skill_names() -> list[str]:
    """Every skill there is, in order of name."""
    return sorted(skill_folders())


@lru_cache(maxsize=64)
def load_skill(name: str) -> Skill:
    """Read and check a skill's folder.

    Raises:
        SkillError, PromptError: something in it is wrong; names the file, the key and what to do.
    """
    folders = skill_folders()
    if name not in folders:
        raise SkillError(f"no skill {name!r}.{nearest(name, sorted(folders))}")
    folder = folders[name]
    file = checked(SkillFile, _yaml(folder / "skill.yaml"), f"{name}/skill.yaml", SkillError)
    goals = {key: goal.model_copy(update={"name": key}) for key, goal in file.goals.items()}
    categories, layouts = _taxonomy(folder, name), read_layouts(file.layouts, name)
    demands = read_demands(file.demands, [category.form for category in categories.values()], name)
    skill = Skill(name, file, categories, goals, layouts, demands, _prompts(folder), _data(folder))
    agree(skill, sorted(folders))
    return skill


def _yaml(path: Path) -> Any:
    where = f"{path.parent.name}/{path.name}"
    return read_yaml(read_text(path, SkillError), where, SkillError)


def _data(folder: Path) -> dict[str, str]:
    files = [folder / "skill.yaml", folder / "taxonomy.yaml"]
    digests = [sha256(read_text(path, SkillError).encode()).hexdigest() for path in files]
    return {f"{folder.name}/{path.name}": digest[:12] for path, digest in zip(files, digests, strict=True)}


def _taxonomy(folder: Path, name: str) -> dict[str, Category]:
    data = _yaml(folder / "taxonomy.yaml")
    if not isinstance(data, dict) or not data:
        raise SkillError(f"{name}/taxonomy.yaml: must map category names to categories.")
    where = f"{name}/taxonomy.yaml"
    return {
        key: checked(Category, {**value, "name": key}, f"{where}: {key}", SkillError)
        if isinstance(value, dict)
        else checked(Category, value, f"{where}: {key}", SkillError)
        for key, value in data.items()
    }


def _prompts(folder: Path) -> dict[str, Prompt]:
    shared = prompts_folder() / "shared"
    found: dict[str, Prompt] = {}
    for base in (shared, folder):
        for path in sorted(base.rglob("*.md")):
            name = path.relative_to(base).with_suffix("").as_posix()
            found[name] = load_prompt(path, f"{base.name}/{name}.md")
    return found
