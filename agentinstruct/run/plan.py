"""What a run is asked to do, and which work follows from it: one work item per (skill, seed)."""

from collections.abc import Callable, Generator, Sequence
from dataclasses import asdict, dataclass, field, replace
from math import inf
from pathlib import Path
from typing import Any, Literal

from agentinstruct.agents.batch import BatchOptions
from agentinstruct.agents.budget import Budget
from agentinstruct.agents.errors import SetupError
from agentinstruct.agents.mix import ALL, RELEASED, Mix, weights_of
from agentinstruct.agents.models import Endpoints
from agentinstruct.agents.needs import able
from agentinstruct.agents.records import Seed
from agentinstruct.agents.routing import Features, features
from agentinstruct.agents.skill import Skill
from agentinstruct.graphs.filters import narrowed, skills_for
from agentinstruct.graphs.plan import most_drafts, work_id
from agentinstruct.graphs.state import Context, chosen
from agentinstruct.run.logfile import LogFile
from agentinstruct.run.target import Target
from agentinstruct.seeds import Judge, SeedOptions, Skipped, judgement, read_seeds
from agentinstruct.tools.embeddings import local_ready
from agentinstruct.tools.prices import Price, PricesError, batch_table, price_of, price_table

CALLS_A_DRAFT = 10
"""Calls that a draft takes, from its passage to the last check: most skills need fewer."""
UNSEARCHED = "none"
"""The embeddings of a run whose flows search no seeds."""


@dataclass(frozen=True, slots=True)
class RunConfig:
    """All settings of a run. What shapes its records is in its manifest; the rest may change on resume."""

    paths: tuple[str, ...]
    out: Path
    skills: tuple[str, ...] = ()
    context: Context = field(default_factory=Context)
    seeds: SeedOptions = field(default_factory=SeedOptions)
    endpoints: Endpoints = field(default_factory=Endpoints)
    embeddings: str = ""
    mix: str = ""
    """The shares of the skills: see `agents/mix.py`; empty: all the skills named, or the released shares of all."""
    skills_per_seed: int = 3
    route: Literal["features", "agent"] = "features"
    limit: int = 0
    max_concurrency: int = 64
    retry_pause: float = 0.5
    """Seconds, at most, before a call that failed is tried again; each further try waits up to twice as long."""
    workers: int = 1
    """Processes that do the work; one: this one. On Ray 0: one for each CPU of the cluster."""
    engine: Literal["local", "ray"] = "local"
    """Where they are."""
    address: str = ""
    """Of the Ray cluster."""
    retry_failed: bool = False
    prices: Path | None = None
    target: Target | None = None
    cache: Path | None = None
    """A folder of replies that runs share; none: only this run's own are known."""
    count_found: bool = False
    """Whether replies found there count as calls, too, so that runs that share them can be compared by their calls."""
    batch: BatchOptions = field(default_factory=BatchOptions)
    batch_window: int = 2000
    """Work items in flight where calls go by batch: what a wave can be made of, and what memory depends on."""
    log: LogFile | None = None
    budget: float | None = None
    """USD that the run may cost in all, earlier sittings included."""
    max_calls: int = 0
    """Calls that it may make in all; 0: no limit."""

    def __post_init__(self) -> None:
        if self.context.review:
            raise SetupError(
                "a run waits for nobody, so its records cannot be reviewed in it. Leave review out and look at the "
                "dataset, or run the graph on a server (langgraph dev), where review stops for a person."
            )

    def read_seeds(self, judge: Judge = judgement) -> Generator[Seed | Skipped, None, None]:
        """The seeds, as a stream, from the first one on whenever it is called; `judge` says what a piece is good for.

        Raises:
            SeedError: a path matches nothing, or a table that was named has no such column.
        """
        return read_seeds(self.paths, self.seeds, judge)

    def make_budget(self, calls: int, cost: float) -> Budget:
        """What is left to spend after so many calls at such a cost.

        Raises:
            SetupError: the price of a model is not known.
        """
        usd = inf if self.budget is None else self.budget
        budget = Budget(usd, self.max_calls or inf, cost, calls)
        budget.check(self.models().values(), self.price_table())
        return budget

    def price_table(self) -> dict[str, Price]:
        """Prices by model name.

        Raises:
            SetupError: the price file is wrong; says how.
        """
        return self._table(price_table)

    def batch_prices(self) -> dict[str, Price]:
        """The same for calls by batch job.

        Raises:
            SetupError: the price file is wrong; says how.
        """
        return self._table(batch_table)

    def price(self, payee: tuple[str, str]) -> Price | None:
        """What a role's calls of a model cost, by the way that they go now; None where it is not known.

        Raises:
            SetupError: the price file is wrong; says how.
        """
        role, model = payee
        return price_of(model, self.batch_prices() if self.batch.take(role, model) else self.price_table())

    def _table(self, read: Callable[[Path | None], dict[str, Price]]) -> dict[str, Price]:
        try:
            return read(self.prices)
        except PricesError as error:
            raise SetupError(f"--prices {error}") from error

    def chosen_skills(self) -> list[Skill]:
        """The skills asked for, or all there are.

        Raises:
            SkillError: one does not exist; says the nearest.
        """
        return skills_for(self.skills, self.context, mark="--")

    def able_skills(self) -> tuple[list[Skill], dict[str, str]]:
        """The chosen skills that can run on this machine, and what the others lack.

        Raises:
            SetupError: a skill that was asked for by name cannot run; says what it lacks.
        """
        return able(self.chosen_skills(), bool(self.skills))

    def make_mix(self, skills: Sequence[Skill], of: Callable[[str], Features] = features) -> Mix:
        """What decides which skills each seed gets, by the features `of` its text.

        Raises:
            SetupError: the mix asked for is wrong; says what.
        """
        mix = self.mix or (ALL if self.skills else RELEASED)
        return Mix(skills, weights_of(mix, skills, mark="--"), self.skills_per_seed, self.context.seed, of)

    def context_for(self, skill: Skill) -> Context:
        """The settings with the filters reduced to what this skill has; a goal filter it does not meet is none."""
        return narrowed(self.context, skill)

    def categories_of(self, skill: Skill) -> list[str]:
        """The categories that may be drawn."""
        context, known = self.context_for(skill), list(skill.categories)
        names = chosen(context.categories, known, f"{skill.name} category")
        avoided = chosen(context.without, known, f"{skill.name} category") if context.without else ()
        return [name for name in names if name not in avoided] or names

    def drafts_of(self, skill: Skill) -> int:
        """What one category of one of its work items gives when nothing is dropped."""
        return most_drafts(skill, self.context_for(skill))

    def usual_calls(self, skills: Sequence[Skill]) -> float:
        """Calls that a work item of these skills takes, rather too many."""
        drafts = 0
        for skill in skills:
            drawn = self.context.categories_per_seed or skill.file.categories_per_seed
            drafts += min(drawn, len(self.categories_of(skill))) * self.drafts_of(skill)
        return CALLS_A_DRAFT * drafts / len(skills)

    def models(self) -> dict[str, str]:
        """The model of each role."""
        return self.context.models()

    def embeddings_spec(self) -> str:
        """What embeds texts for retrieval; not asked for: the embedded model where it is ready, else nothing."""
        if self.embeddings:
            return self.embeddings
        if all(model.startswith("scripted") for model in self.models().values()):
            return "hash"
        return "local" if local_ready() else UNSEARCHED

    def manifest(self) -> dict[str, Any]:
        """What must be the same when the run is resumed."""
        context = {key: value for key, value in asdict(self.context).items() if not key.endswith("model")}
        seeds = asdict(self.seeds)
        return {
            "skills": {skill.name: skill.fingerprints for skill in self.able_skills()[0]},
            "models": self.models(),
            "embeddings": self.embeddings_spec(),
            "context": context,
            "mix": {"mix": self.mix, "skills_per_seed": self.skills_per_seed, "route": self.route},
            "seeds": {key: list(value) if isinstance(value, tuple) else value for key, value in seeds.items()},
        }


@dataclass(frozen=True, slots=True)
class Work:
    """One skill to be applied to one seed."""

    id: str
    skill: str
    seed: Seed
    draw: int | None = None
    """The random seed of a further pass over the seeds; None: the run's own."""
    without: str = ""
    """Categories that are not to be drawn, since the run has enough of them."""

    def settings(self, context: Context) -> Context:
        """The settings of its skill, with its own draws."""
        if self.draw is None and not self.without:
            return context
        without = ",".join(filter(None, (context.without, self.without)))
        return replace(context, seed=context.seed if self.draw is None else self.draw, without=without)


def work_for(seed: Seed, skills: Sequence[Skill], run_seed: int) -> list[Work]:
    """The work that a seed and the skills chosen for it give rise to."""
    return [Work(work_id(skill.name, seed.id, run_seed), skill.name, seed) for skill in skills]
