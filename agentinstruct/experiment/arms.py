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
        changes = {f"{rounds} rounds": {"rounds": rounds, **_unrefined(rounds)} for rounds in DEPTHS}
    else:
        changes = {"documents": {}, "prompts": {}}
    arms = [
        Arm(name, replace(config, context=replace(config.context, **change), out=config.out / _folder(name)))
        for name, change in changes.items()
    ]
    return _with_prompts(arms, prompts) if vary == "seeds" else arms


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
