"""A task on a site together with what follows from it: the plan that was carried out, the key, what happened.

Draft ─ site, task ─ Run (planned once) ─ Visit (with the steps that the assistant took)
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from random import Random
from typing import Any

from agentinstruct.agents.forms import read_form
from agentinstruct.agents.forms.web import WebStep, WebTask
from agentinstruct.agents.records import Draft
from agentinstruct.agents.shapes_web import site_of
from agentinstruct.agents.webacts import Step, visit_text
from agentinstruct.tools.site import Action, Browser, Knowledge, Run, Site, Taken, key, solve
from agentinstruct.tools.site.collecting import as_answer

SPARE, MOST = 4, 30
"""Steps that an assistant may take beyond twice the plan's, and in all."""


def task_of(draft: Draft) -> WebTask:
    """The task behind a draft."""
    form = read_form(draft.item)
    assert isinstance(form, WebTask)
    return form


def knowledge(task: WebTask) -> Knowledge:
    """What a visitor knows who has the task's message before him."""
    avoid = frozenset(one.field for one in task.never if one.kind == "choice")
    return Knowledge(task.facts, task.secrets, avoid)


@lru_cache(maxsize=128)
def _planned(passage: str, task: str) -> Run:
    form = WebTask.model_validate_json(task)
    return solve(site_of(passage), form.wanted, knowledge(form))


def plan_of(draft: Draft) -> Run:
    """The actions that were found to do the task, carried out; it is found once for each site and task."""
    task = task_of(draft)
    return _planned(draft.passage, WebTask.model_validate(task.model_dump()).model_dump_json())


def cut_of(draft: Draft) -> int:
    """How many planned actions have been taken where a single step is asked for: some, and not the last ones."""
    return Random(f"{draft.id}/cut").randint(1, max(1, len(plan_of(draft).actions) - 2))


def key_text(draft: Draft) -> str:
    """The answer that the site gives to the task; empty where it asks for none."""
    task, site = task_of(draft), Browser(site_of(draft.passage)).loaded
    found = key(task.wanted, site)
    return "" if found is None else as_answer(found)


@dataclass(frozen=True, slots=True)
class Visit:
    """What the checks of a draft look at."""

    draft: Draft
    steps: Sequence[Step] = ()

    @property
    def site(self) -> Site:
        """The site as it is for this draft."""
        return site_of(self.draft.passage)

    @property
    def task(self) -> WebTask:
        """The task."""
        return task_of(self.draft)

    @property
    def plan(self) -> Run:
        """The plan, carried out."""
        return plan_of(self.draft)

    @property
    def single(self) -> bool:
        """Whether one step is asked for, in the middle of a visit."""
        return self.draft.item.form == WebStep.name

    @property
    def before(self) -> tuple[Taken, ...]:
        """What had been done before the assistant took over."""
        return self.plan.taken[: cut_of(self.draft)] if self.single else ()

    @property
    def history(self) -> str:
        """The same as a text, an action a line."""
        return "\n".join(f"{place}. {taken.said()}" for place, taken in enumerate(self.before, 1))

    def begun(self) -> Browser:
        """A browser at the point where the assistant takes over."""
        browser = Browser(self.site)
        for taken in self.before:
            browser.act(taken.action)
        return browser

    def budget(self) -> int:
        """How many steps the assistant has."""
        return 1 if self.single else min(MOST, 2 * len(self.plan.actions) + SPARE)

    @property
    def actions(self) -> tuple[Action, ...]:
        """What the assistant did."""
        return tuple(step.action for step in self.steps)

    def judged(self, draft: Draft) -> Mapping[str, Any]:
        """The task, the plan and the visit."""
        plan = "\n".join(taken.said() for taken in self.plan.taken)
        return {"task": self.task.task, "plan": plan, "before": self.history, "visit": visit_text(self.steps)}
