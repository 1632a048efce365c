"""What an experiment compares: the settings of each arm, which differ in one thing.

ablation   none · + transform · + taxonomy · + refine        each adds one step of the flow to the one before
depth      0 · 1 · 3 rounds of refinement
seeds      raw documents · a file of curated prompts
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

from agentinstruct.agents.errors import SetupError
from agentinstruct.agents.skill import Skill
from agentinstruct.graphs.state import NONE
from agentinstruct.run.plan import RunConfig

Vary = Literal["ablation", "depth", "seeds"]
VARIED: tuple[str, ...] = get_args(Vary)
DEPTHS = (0, 1, 3)
UNCHANGED = "identity"
SHARED = "calls"
"""The folder of what the arms share."""


@dataclass(frozen=True, slots=True)
class Arm:
    """One side of a comparison."""

    name: str
    about: str
    """What it does, in words."""
    config: RunConfig

    def repeated(self, repeat: int) -> RunConfig:
        """The run of one repeat, in a folder and with random choices of its own.

        What its arms ask alike is bought once, and counts as a call of each. Several processes buy for themselves.
        """
        config, name = self.config, f"{repeat}"
        context = replace(config.context, seed=config.context.seed + repeat)
        shared = None if config.workers > 1 or config.engine == "ray" else config.out.parent / SHARED / name
        return replace(config, context=context, out=config.out / name, cache=shared, count_found=True)


def arms_of(vary: Vary, config: RunConfig, plain: str, prompts: Sequence[str]) -> list[Arm]:
    """The arms of an experiment.

    Args:
        vary: What is varied.
        config: The settings that all arms share; its `out` is the experiment's folder.
        plain: Categories, by comma, that stand for having no taxonomy; empty for the first of each skill.
        prompts: Files of curated prompts, one seed each, for `seeds`.

    Raises:
        SetupError: the experiment cannot be made with these settings; says which to change.
    """
    if vary == "ablation":
        changes = _ablation(config, plain)
    elif vary == "depth":
        changes = {_rounds(depth): {"rounds": depth, **_unrefined(depth)} for depth in DEPTHS}
    else:
        changes = {"documents": {}, "prompts": {}}
    arms = [_arm(name, change, config) for name, change in changes.items()]
    return _with_prompts(arms, prompts) if vary == "seeds" else arms


_ABOUT = {
    "none": "instructions on the text as it is, of one category a skill, not refined",
    "+ transform": "the same on texts that an agent has rewritten first",
    "+ taxonomy": "the same of all categories",
    "+ refine": "the same, and refined by suggestion and edit: the whole flow",
    "0 rounds": "no refinement",
    "1 round": "each item refined once",
    "3 rounds": "each item refined, what comes of it again, and that again",
    "documents": "seeds are the documents",
    "prompts": "seeds are the curated prompts",
}


def _rounds(depth: int) -> str:
    return f"{depth} round{'' if depth == 1 else 's'}"


def _arm(name: str, change: dict[str, Any], config: RunConfig) -> Arm:
    context = replace(config.context, **change)
    return Arm(name, _ABOUT[name], replace(config, context=context, out=config.out / _folder(name)))


def _unrefined(rounds: int) -> dict[str, str]:
    return {} if rounds else {"goals": NONE}


def _ablation(config: RunConfig, plain: str) -> dict[str, dict[str, Any]]:
    skills = config.chosen_skills()
    if lacking := [skill.name for skill in skills if UNCHANGED not in skill.file.transforms]:
        raise SetupError(
            f"--vary ablation: {', '.join(lacking)} cannot do without a transform. Name other skills with --skill."
        )
    if config.context.transforms or config.context.categories or config.context.goals:
        raise SetupError("--vary ablation: leave out --transforms, --categories and --goals, which are what it varies.")
    one = {"categories": plain or ",".join(_first(skill) for skill in skills)}
    bare = {"goals": NONE, "rounds": 0}
    return {
        "none": {"transforms": UNCHANGED, **one, **bare},
        "+ transform": {**one, **bare},
        "+ taxonomy": bare,
        "+ refine": {},
    }


def _first(skill: Skill) -> str:
    """The category that is made of any passage; the first where there is none."""
    fitting = [name for name, one in skill.categories.items() if one.fits(UNCHANGED) and "any" in one.suits]
    return next(iter(fitting), next(iter(skill.categories)))


def _with_prompts(arms: list[Arm], prompts: Sequence[str]) -> list[Arm]:
    if not prompts:
        raise SetupError("--vary seeds: name a file of curated prompts with --prompts, one a line or row.")
    raw, curated = arms
    short = replace(curated.config.seeds, min_chars=1)  # a prompt is no document
    return [raw, replace(curated, config=replace(curated.config, paths=tuple(prompts), seeds=short))]


def _folder(name: str) -> str:
    return "".join(letter if letter.isalnum() else "-" for letter in name).strip("-")
