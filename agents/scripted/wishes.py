"""The scripted model's view of one site: what there is to wish for, and what comes of a wish."""

from random import Random
from typing import Any

from agentinstruct.agents.forms.web import WebTask
from agentinstruct.agents.scripted.orders_web import message
from agentinstruct.agents.toolcalls import Argument
from agentinstruct.agents.visits import knowledge
from agentinstruct.tools.site import Condition, Loaded, Run, Site, SiteField, SitePage, Wanted, load, solve

_VALUES = {
    "text": ("Nora Lindqvist", "Tomas Reyes", "a quiet corner, if there is one", "Ada Mbeki"),
    "email": ("nora@lindqvist.example", "t.reyes@mail.example", "ada@mbeki.example"),
    "date": ("2025-03-09", "2025-06-21", "2026-01-14"),
}
OPEN = ("open", "flaky", "login")


class Wishes:
    """What can be wished for on one site, with a draw of its own."""

    def __init__(self, site: Site, about: str) -> None:
        self.site = site
        self.loaded: Loaded = load(site)
        self.draw = Random(f"{about}/{site.name}")

    def holds(self, category: str, task: WebTask) -> bool:
        """Whether it ends as its type must."""
        return self.run(task).reached is (category != "infeasible")

    def run(self, task: WebTask) -> Run:
        """What comes of a task when it is done as planned."""
        return solve(self.site, task.wanted, knowledge(task))

    def task(self, wanted: Wanted, withheld: tuple[Argument, ...] = (), never: tuple[Condition, ...] = ()) -> WebTask:
        """A task in words, with the account where a page on its way needs one."""
        pages = [page for one in wanted.conditions if (page := self.loaded.page(one.page))]
        pages += [page for page in [self.loaded.page(wanted.fact.page) if wanted.fact else None] if page]
        account = self.site.account
        needed = account and any(page.access == "login" for page in pages)
        known = (("User name", account.user), ("Password", account.password)) if account and needed else ()
        facts = tuple(Argument(name=name, value=value) for name, value in known)
        task = WebTask(task="not yet put", wanted=wanted, known=facts, withheld=withheld, never=never)
        return task.model_copy(update={"task": message(task, self.list_page)})

    def conditions(self, *conditions: Condition) -> WebTask:
        """A task that wants just these."""
        return self.task(Wanted(conditions=list(conditions)))

    @property
    def list_page(self) -> str:
        """The title of the first list."""
        return next((page.title for page in self.of("list")), "")

    def of(self, *kinds: str) -> list[SitePage]:
        """The pages of some kinds that can be opened."""
        return [page for page in self.loaded.pages.values() if page.kind in kinds and page.access in OPEN]

    def value(self, field: SiteField) -> str:
        """Something that a field takes and does not hold already."""
        if field.kind == "choice":
            return self.draw.choice([one for one in field.options if one != field.value] or field.options)
        if field.kind == "checkbox":
            return "no" if field.value == "yes" else "yes"
        if field.kind == "number":
            return f"{int(field.least or 2) + self.draw.randint(0, 3)}"
        return self.draw.choice(_VALUES[field.kind])

    def entries(self, page: SitePage, kind: Any = "entry") -> list[Condition]:
        """Every field of a page with a value."""
        return [Condition(kind=kind, page=page.title, field=f.label, value=self.value(f)) for f in page.fields]
