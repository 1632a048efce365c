"""Whether a task on a site can be done: found out by doing it, action by action, as a visitor would."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from agentinstruct.tools.quotes import fold
from agentinstruct.tools.site.browser import Action, Browser, Outcome
from agentinstruct.tools.site.errand import Errand, Walker
from agentinstruct.tools.site.goal import unmet
from agentinstruct.tools.site.load import Loaded, Table
from agentinstruct.tools.site.spec import Condition, Site, SitePage, Wanted
from agentinstruct.tools.site.view import View

STEPS = 40
_ORDER = {"choice": 0, "cart": 1, "entry": 2, "setting": 2, "at": 3}


@dataclass(frozen=True, slots=True)
class Taken:
    """An action that was taken: on what was seen, by which element, with what outcome."""

    view: View
    action: Action
    outcome: Outcome

    def said(self) -> str:
        """The action with the name of its element, as a history tells it."""
        one = next((e for e in self.view.elements() if e.number == self.action.element), None)
        failed = "" if self.outcome.ok else f" failed: {self.outcome.message}"
        return f"{self.action.written()}{f' {one.role} “{one.name}”' if one else ''}{failed}"


@dataclass(frozen=True, slots=True)
class Run:
    """A visit from its beginning: what was done, and what of the goal is still missing."""

    taken: tuple[Taken, ...]
    missing: tuple[str, ...]
    browser: Browser

    @property
    def reached(self) -> bool:
        """Whether the goal holds at the end."""
        return not self.missing

    @property
    def actions(self) -> tuple[Action, ...]:
        """The actions alone."""
        return tuple(one.action for one in self.taken)


@dataclass(frozen=True, slots=True)
class Knowledge:
    """What a visitor knows besides what is wanted."""

    known: Mapping[str, str] = field(default_factory=dict)
    """By label, such as a user name and a password."""
    withheld: Mapping[str, str] = field(default_factory=dict)
    """What the visitor learns only by asking."""
    avoid: frozenset[str] = frozenset()
    """Buttons of dialogs that must not be used."""


NOTHING = Knowledge()


def solve(site: Site, wanted: Wanted, knows: Knowledge = NOTHING) -> Run:
    """Do what is wanted on a site, from the start of a visit."""
    return resume(Browser(site), wanted, knows)


def resume(browser: Browser, wanted: Wanted, knows: Knowledge = NOTHING, steps: int = STEPS) -> Run:
    """Do what is wanted from where a visit stands, with so many steps at most."""
    walker = Walker(errand_of(wanted, browser.loaded, knows))
    taken: list[Taken] = []
    while browser.state.answer is None and len(taken) < steps:
        view = browser.view
        action = walker.next(view)
        taken.append(Taken(view, action, browser.act(action)))
        if action.do == "ask_user":
            walker.tell(knows.withheld)
    return Run(tuple(taken), tuple(unmet(wanted, browser)), browser)


def follow(site: Site, wanted: Wanted, actions: Iterable[Action]) -> Run:
    """Carry out a list of actions that was decided before, from the start of a visit."""
    browser, taken = Browser(site), []
    for action in actions:
        view = browser.view
        taken.append(Taken(view, action, browser.act(action)))
    return Run(tuple(taken), tuple(unmet(wanted, browser)), browser)


def errand_of(wanted: Wanted, loaded: Loaded, knows: Knowledge) -> Errand:
    """What a visitor is to do who knows the site's titles but has not seen it yet."""
    conditions = sorted((_titled(one, loaded) for one in wanted.conditions), key=lambda one: _ORDER[one.kind])
    page, label = _asked_of(wanted, loaded)
    told = _told(conditions, knows.withheld)
    fact = wanted.fact.label if wanted.fact else ""
    return Errand(told, wanted.query, page, fact, label, knows.known, knows.avoid)


def _told(conditions: Sequence[Condition], hidden: Mapping[str, str]) -> list[Condition]:
    """The conditions without what is withheld; a form whose every value is withheld is still to be sent."""
    secret = {fold(label) for label in hidden}
    told = [one for one in conditions if one.kind not in ("entry", "setting") or fold(one.field) not in secret]
    for one in conditions:
        if one not in told and not any(other.page == one.page and other.kind == one.kind for other in told):
            told.append(Condition(kind=one.kind, page=one.page))
    return told


def _titled(condition: Condition, loaded: Loaded) -> Condition:
    """A condition in the words that pages show: titles of pages and rows."""
    page = loaded.page(condition.page)
    update = {"page": page.title} if page else {}
    if condition.kind in ("cart", "at") and condition.field:
        page, table = _lister(condition, loaded)
        row = table.find(condition.field) if table else None
        if page and table and row:
            update = {"page": page.title, "field": table.title(row)}
    return condition.model_copy(update=update)


def _lister(condition: Condition, loaded: Loaded) -> tuple[SitePage | None, Table | None]:
    """The list on which a row stands, one that sells it first."""
    named = loaded.page(condition.page)
    lists = [page for page in loaded.pages.values() if page.kind == "list"]
    lists.sort(key=lambda page: (page is not named, not page.button))
    for page in lists:
        table = loaded.table(page)
        if table and table.find(condition.field) is not None and (page.button or condition.kind == "at"):
            return page, table
    return named, None


def _asked_of(wanted: Wanted, loaded: Loaded) -> tuple[str, str]:
    """The page that holds what is asked for, and what its links name."""
    if wanted.query is None:
        named = wanted.fact.page if wanted.fact else ""
        page = loaded.page(named) if named else None
        return (page.title if page else named), "title"
    lists = [page for page in loaded.pages.values() if page.collection == wanted.query.collection]
    lists.sort(key=lambda page: page.access != "open")
    table = loaded.tables.get(wanted.query.collection)
    return (lists[0].title if lists else wanted.query.collection), (table.label if table else "title")
