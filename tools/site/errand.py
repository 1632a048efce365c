"""An errand on a site, done by somebody who sees only what the browser shows: which action comes next.

    dialog? sign-in? refused? ─ the first thing still to do: go there, find the row, fill in, save ─ answer

The same walker finds the plan that proves a task can be done, and shows, when it gives up, where a task stops.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from agentinstruct.tools.quotes import fold
from agentinstruct.tools.site.browser import Action
from agentinstruct.tools.site.collecting import Collecting
from agentinstruct.tools.site.reading import click, element, figure, heading, page_links, says, title_of
from agentinstruct.tools.site.spec import Condition, Query
from agentinstruct.tools.site.values import same
from agentinstruct.tools.site.view import Element, View

Found = TypeVar("Found")
_REFUSED = ("403:", "404:", "503: This page is out", "Please show that you are human")


@dataclass(frozen=True, slots=True)
class Errand:
    """What somebody is to do: conditions in order, then a question. `label` is what a list's links name."""

    conditions: Sequence[Condition] = ()
    query: Query | None = None
    page: str = ""
    """Where the question's rows, or its figure, stand."""
    fact: str = ""
    label: str = "title"
    known: Mapping[str, str] = field(default_factory=dict)
    """What else the task tells: a user name, a password."""
    avoid: frozenset[str] = frozenset()
    """Buttons of dialogs that must not be used."""


class Stuck(Exception):
    """The errand cannot be done, as far as can be seen."""


class Walker:
    """Does an errand, one action at a time."""

    def __init__(self, errand: Errand) -> None:
        self.errand = errand
        self._todo = list(errand.conditions)
        self._told: dict[str, str] = {}
        self._asked = False
        self._sent: set[str] = set()
        self._visited: set[str] = set()
        self._tried: set[str] = set()
        self._collecting = Collecting(errand.query, errand.label) if errand.query else None

    def tell(self, facts: Mapping[str, str]) -> None:
        """What the user has replied."""
        self._told |= facts

    def next(self, view: View) -> Action:
        """The next action on what is seen now."""
        try:
            return self._next(view)
        except Stuck as stuck:
            return Action(do="answer", text=f"This cannot be done: {stuck}.")

    def _next(self, view: View) -> Action:
        here = title_of(view)
        self._visited.add(fold(here))
        if view.dialog and (closing := self._dialog(view)):
            return closing
        if button := element(view, "Try again"):
            return click(button)
        astray = fold(here) != fold(self._aim())
        if element(view, "Password"):
            return self._to(self._aim(), view) if astray else self._signed_in(view)
        refusal = next((line.text for line in view.lines if line.text.startswith(_REFUSED)), "")
        if refusal and astray:
            return self._to(self._aim(), view)
        if refusal:
            raise Stuck(f"the page {here!r} cannot be opened ({refusal.rstrip('.')})")
        self._todo = [one for one in self._todo if not self._settled(one, view)]
        if self._todo:
            return _DOES[self._todo[0].kind](self, self._todo[0], view)
        return self._answered(view)

    def _aim(self) -> str:
        """The page where the next thing has to be done."""
        return self._todo[0].page if self._todo else self.errand.page

    def _dialog(self, view: View) -> Action | None:
        buttons = [one for one in view.elements() if one.role == "button"]
        for condition in [one for one in self._todo if one.kind == "choice"]:
            if button := element(view, condition.field):
                self._todo.remove(condition)
                return click(button)
        blocks = len(buttons) == len(view.elements())
        free = [one for one in buttons if one.name not in self.errand.avoid]
        return click(free[-1]) if blocks and free else None

    def _signed_in(self, view: View) -> Action:
        if "signing in" in self._tried and view.notices:
            raise Stuck(f"signing in fails: {view.notices[0].rstrip('.')}")
        for label in ("User name", "Password"):
            box = element(view, label)
            value = self._value(label)
            if value is None:
                return self._ask([one for one in ("User name", "Password") if self._value(one) is None])
            if box and not box.value:
                return Action(do="type", element=box.number, text=value)
        self._tried.add("signing in")
        return click(need(element(view, "Sign in"), "there is no way to sign in"))

    def _value(self, label: str) -> str | None:
        found = {fold(name): value for name, value in {**self.errand.known, **self._told}.items()}
        return found.get(fold(label))

    def _ask(self, missing: Sequence[str]) -> Action:
        if self._asked:
            raise Stuck(f"without {missing[0]} it cannot go on")
        self._asked = True
        wanted = missing[0] if len(missing) == 1 else f"{', '.join(missing[:-1])} and {missing[-1]}"
        return Action(do="ask_user", text=f"Could you tell me the following, please: {wanted}?")

    def _settled(self, condition: Condition, view: View) -> bool:
        """Whether the page at hand shows that a condition now holds."""
        here = fold(title_of(view)) == fold(condition.page)
        if condition.kind == "at":
            return heading(view) == fold(condition.field) if condition.field else here and not heading(view)
        if condition.kind == "cart":
            return any(n.startswith("The cart now holds") and n.endswith(f"{condition.field}.") for n in view.notices)
        if condition.kind == "setting":
            return here and "Your settings have been saved." in view.notices
        return condition.kind == "entry" and here and says(view, "Done. The reference")

    def _row(self, condition: Condition, view: View) -> Action:
        """Go to a row's own page."""
        if fold(title_of(view)) != fold(condition.page):
            return self._to(condition.page, view)
        if found := element(view, condition.field, "link"):
            return click(found)
        if heading(view):
            return Action(do="back")
        if view.below:
            return Action(do="scroll", text="down")
        box, button = element(view, "Search", "textbox"), element(view, "Search", "button")
        if box and button and box.value != condition.field and f"search {condition.field}" not in self._tried:
            return Action(do="type", element=box.number, text=condition.field)
        if box and button and f"search {condition.field}" not in self._tried:
            self._tried.add(f"search {condition.field}")
            return click(button)
        return click(need(element(view, "Next", "link"), f"{condition.field!r} is not on {condition.page!r}"))

    def _at(self, condition: Condition, view: View) -> Action:
        return self._row(condition, view) if condition.field else self._to(condition.page, view)

    def _cart(self, condition: Condition, view: View) -> Action:
        if heading(view) != fold(condition.field):
            return self._row(condition, view)
        box, count = element(view, "Quantity"), condition.value.strip() or "1"
        if box and box.value != count:
            return Action(do="type", element=box.number, text=count)
        buttons = [one for one in view.elements() if one.role == "button"]
        button = need(buttons[0] if buttons else None, f"{condition.field!r} cannot be ordered")
        if button.disabled:
            raise Stuck(f"{condition.field!r} is sold out")
        return click(button)

    def _fill(self, condition: Condition, view: View) -> Action:
        if fold(title_of(view)) != fold(condition.page):
            return self._to(condition.page, view)
        if button := element(view, "Confirm"):
            return click(button)
        wanted = {fold(c.field): c.value for c in self._todo if c.kind == condition.kind and c.page == condition.page}
        wanted |= {fold(label): value for label, value in {**self.errand.known, **self._told}.items()}
        boxes = [one for one in view.elements() if one.role in ("textbox", "combobox", "checkbox")]
        for box in boxes:
            if (value := wanted.get(fold(box.name))) is not None and not same(box.value or "", value):
                return self._put(box, value)
        missing = [
            box.name for box in boxes if box.required and box.value in ("", "no") and fold(box.name) not in wanted
        ]
        if missing:
            return self._ask(missing)
        if view.below:
            return Action(do="scroll", text="down")
        if condition.page in self._sent and view.notices:
            raise Stuck(view.notices[0].rstrip("."))
        self._sent.add(condition.page)
        return click(self._sender(view, condition, [fold(box.name) for box in boxes]))

    def _sender(self, view: View, condition: Condition, labels: Sequence[str]) -> Element:
        """The button that sends the fields, once all that is wanted has its field."""
        lacking = condition.field and fold(condition.field) not in labels and not view.above
        if lacking:
            raise Stuck(f"the page {condition.page!r} has no field {condition.field!r}")
        buttons = [one for one in view.elements() if one.role == "button" and not one.name.startswith("Remove ")]
        return need(buttons[-1] if buttons else None, f"{condition.page!r} has nothing to send")

    def _put(self, box: Element, value: str) -> Action:
        if box.role == "checkbox":
            return click(box)
        if box.role == "textbox":
            return Action(do="type", element=box.number, text=value)
        if fold(value) not in map(fold, box.options):
            raise Stuck(f"{box.name!r} does not offer {value!r}")
        return Action(do="select", element=box.number, text=value)

    def _choice(self, condition: Condition, view: View) -> Action:
        raise Stuck(f"no dialog offers {condition.field!r}")

    def _to(self, page: str, view: View) -> Action:
        """Go to a page: by its link, else by looking where else a link may stand."""
        if found := element(view, page, "link"):
            return click(found)
        if view.below:
            return Action(do="scroll", text="down")
        fresh = (one for one in page_links(view) if fold(one.name) not in self._visited)
        return click(need(next(fresh, None), f"no page {page!r} can be found"))

    def _answered(self, view: View) -> Action:
        if self.errand.fact:
            if fold(title_of(view)) != fold(self.errand.page):
                return self._to(self.errand.page, view)
            return Action(do="answer", text=need(figure(view, self.errand.fact), "the figure is not there"))
        if self._collecting is None:
            return Action(do="answer", text="It is done.")
        if fold(title_of(view)) != fold(self.errand.page):
            return self._to(self.errand.page, view)
        action = self._collecting.next(view)
        return need(action, "nothing that was found answers it")


def need(found: Found | None, why: str) -> Found:
    """What was looked for; without it the errand is stuck."""
    if not found:
        raise Stuck(why)
    return found


_DOES: Mapping[str, Callable[[Walker, Condition, View], Action]] = {
    "at": Walker._at,
    "entry": Walker._fill,
    "setting": Walker._fill,
    "cart": Walker._cart,
    "choice": Walker._choice,
}
