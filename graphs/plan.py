"""What is decided for a seed before any model is asked: transform, categories, goals, counts."""

from collections.abc import Mapping
from random import Random

from agentinstruct.agents.errors import SetupError
from agentinstruct.agents.records import Seed, content_id
from agentinstruct.agents.skill import Category, Skill
from agentinstruct.graphs.state import Context, Plan, chosen


def make_plan(skill: Skill, seed: Seed, context: Context) -> Plan:
    """The draw for one seed: the same seed, skill and settings always give the same plan.

    Raises:
        SetupError: a filter names something the skill does not have, or leaves nothing that fits together.
    """
    file, draw = skill.file, Random(f"{context.seed}/{skill.name}/{seed.id}")
    named = [skill.categories[n] for n in chosen(context.categories, list(skill.categories), f"{skill.name} category")]
    asked = chosen(context.transforms, list(file.transforms), f"{skill.name} transform")
    # Types made for the other kind of seed give way; where nothing else was asked for, they are dropped when it shows.
    made_for = [category for category in named if category.takes(seed.modality)]
    wanted = made_for if any(category.fits(name) for category in made_for for name in asked) else named
    avoided = set(chosen(context.without, list(skill.categories), f"{skill.name} category") if context.without else ())
    free = [category for category in wanted if category.name not in avoided] or wanted
    transforms = [name for name in asked if any(category.fits(name) for category in free)]
    transforms = transforms or [name for name in asked if any(category.fits(name) for category in wanted)]
    if not transforms:
        raise SetupError(f"{skill.name}: none of the transforms asked for suits any of the categories asked for.")
    transform = draw.choice(transforms)
    suited = [category.name for category in wanted if category.fits(transform)]
    count = min(context.categories_per_seed or file.categories_per_seed, len(suited))
    drawn = draw.sample(suited, count)
    return Plan(
        transform=transform,
        categories=tuple(_others(drawn, avoided, suited, draw)),
        goals=tuple(chosen(context.goals, list(skill.goals), f"{skill.name} goal")),
        instructions=context.instructions_per_category or file.instructions_per_category,
        suggestions=context.suggestions_per_goal,
        rounds=file.rounds if context.rounds < 0 else context.rounds,
        verify=context.verify,
        review=context.review,
        work_id=work_id(skill.name, seed.id, context.seed),
        sample=context.seed,
    )


def _others(drawn: list[str], avoided: set[str], suited: list[str], draw: Random) -> list[str]:
    """What was drawn, with others in the place of those to avoid; as it is where there are no others."""
    kept = [name for name in drawn if name not in avoided]
    spare = [name for name in suited if name not in avoided and name not in drawn]
    filled = kept + draw.sample(spare, min(len(drawn) - len(kept), len(spare)))
    return filled or drawn


def most_drafts(skill: Skill, context: Context) -> int:
    """What one category of one seed gives when nothing is dropped: originals and their refinements."""
    file, goals = skill.file, chosen(context.goals, list(skill.goals), f"{skill.name} goal")
    rounds = file.rounds if context.rounds < 0 else context.rounds
    refined = sum(context.suggestions_per_goal or skill.goals[name].suggestions for name in goals)
    return (context.instructions_per_category or file.instructions_per_category) * (1 + rounds * refined)


def work_id(skill: str, seed_id: str, run_seed: int) -> str:
    """The id of the work that a skill does on a seed."""
    return content_id(skill, seed_id, run_seed)


def shown(category: Category, draw: Random) -> Mapping[str, str]:
    """A category as its writer sees it, with one of its example wordings."""
    return {
        "name": category.name,
        "title": category.title,
        "brief": category.brief,
        "form": category.form,
        "example": draw.choice(category.examples) if category.examples else "",
    }
