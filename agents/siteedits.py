"""Edits of a site that leave its task alone: things that distract, and another layout of the same things."""

from collections.abc import Mapping
from random import Random
from types import MappingProxyType

from pydantic import Field

from agentinstruct.agents.forms.web import WebTask
from agentinstruct.agents.records import Frozen
from agentinstruct.agents.shapes_web import TextPage
from agentinstruct.tools.quotes import fold
from agentinstruct.tools.simulator import Scalar
from agentinstruct.tools.simulator.spec import Name
from agentinstruct.tools.site import Condition, Popup, Site, SitePage
from agentinstruct.tools.site.spec import Label, slug_of


class SiteEdit(Frozen):
    """An editor's reply when only the site changes."""

    def applied(self, site: Site, draw: Random) -> Site:
        """The changed site."""
        raise NotImplementedError

    def task_after(self, task: WebTask) -> WebTask:
        """The task in the words of the changed site; what its user says stays."""
        return task


class AddedRow(Frozen):
    """A row more in a collection."""

    collection: Name
    cells: tuple[Scalar, ...] = Field(description="One cell for each of the collection's fields, in their order.")


class Distractors(SiteEdit):
    """Things that look as if they mattered, and do not."""

    popups: tuple[Popup, ...] = Field(max_length=2, description="Dialogs to get out of the way.")
    rows: tuple[AddedRow, ...] = Field(max_length=4, description="Near misses among the rows.")
    pages: tuple[TextPage, ...] = Field(max_length=2, description="Pages whose titles promise more than they hold.")

    def applied(self, site: Site, draw: Random) -> Site:
        """The site with the distractors beside what was there."""
        rows = {one.name: list(one.rows) for one in site.collections}
        for added in self.rows:
            if added.collection in rows:
                rows[added.collection].insert(draw.randint(0, len(rows[added.collection])), list(added.cells))
        pages = [SitePage.model_validate(page.model_dump(mode="json")) for page in self.pages]
        update = {
            "collections": [one.model_copy(update={"rows": rows[one.name]}) for one in site.collections],
            "pages": [*site.pages, *pages][:12],
            "popups": [*site.popups, *self.popups][:3],
        }
        return site.model_copy(update=update)


class Rename(Frozen):
    """What something is called now."""

    old: Label = Field(min_length=1)
    new: Label = Field(min_length=1)


class Relabelled(SiteEdit):
    """Other words on pages, fields and buttons; the program moves and renumbers what they stand on."""

    renames: tuple[Rename, ...] = Field(min_length=1, max_length=8)

    def _now(self, label: str) -> str:
        return next((one.new for one in self.renames if fold(one.old) == fold(label)), label)

    def applied(self, site: Site, draw: Random) -> Site:
        """The site with other labels, pages in another order, the menu at the other end, and other numbers."""
        first, *others = [self._page(page) for page in site.pages]
        draw.shuffle(others)
        update = {
            "pages": [first, *others],
            "popups": [one.model_copy(update={"page": self._now(one.page)}) for one in site.popups],
            "menu_last": not site.menu_last,
            "first_id": draw.randint(20, 400),
        }
        return site.model_copy(update=update)

    def _page(self, page: SitePage) -> SitePage:
        fields = [field.model_copy(update={"label": self._now(field.label)}) for field in page.fields]
        named = {name: self._now(getattr(page, name)) for name in ("title", "under", "submit", "button")}
        return page.model_copy(update={**named, "fields": fields})

    def task_after(self, task: WebTask) -> WebTask:
        """The task's goal under the new labels."""
        fact = task.wanted.fact
        fact = fact.model_copy(update={"page": self._titled(fact.page)}) if fact else None
        conditions = [self._condition(one) for one in task.wanted.conditions]
        wanted = task.wanted.model_copy(update={"conditions": conditions, "fact": fact})
        withheld = tuple(one.model_copy(update={"name": self._now(one.name)}) for one in task.withheld)
        never = tuple(self._condition(one) for one in task.never)
        return task.model_copy(update={"wanted": wanted, "withheld": withheld, "never": never})

    def _condition(self, one: Condition) -> Condition:
        field = self._now(one.field) if one.kind in ("entry", "setting") else one.field
        return one.model_copy(update={"page": self._titled(one.page), "field": field})

    def _titled(self, page: str) -> str:
        """A page by its new title, whether it was named by its title or as it stands in addresses."""
        slug = slug_of(page) if page.strip("/ ") else ""
        return next((one.new for one in self.renames if slug and slug_of(one.old) == slug), page)


SITE_EDITS: Mapping[str, type[SiteEdit]] = MappingProxyType({"distractors": Distractors, "layout": Relabelled})
"""What the editor replies under the goals that change the site."""
