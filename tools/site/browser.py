"""A browser on a simulated site: it shows a page as text, and carries out one action at a time.

    click[7] · type[3, text] · select[5, option] · scroll[down] · goto[/address] · back · answer[text] · ask_user[text]

An action has exactly the effect that the site declares, the same each time; one that cannot be done changes nothing
and says why.
"""

import re
from copy import deepcopy
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field

from agentinstruct.tools.quotes import fold
from agentinstruct.tools.simulator.spec import Spec
from agentinstruct.tools.site.clicks import pressed
from agentinstruct.tools.site.listing import turned
from agentinstruct.tools.site.load import Loaded, load
from agentinstruct.tools.site.pages import gate, open_popup, page_view
from agentinstruct.tools.site.spec import Site
from agentinstruct.tools.site.state import State, address, place
from agentinstruct.tools.site.view import HEIGHT, Element, View, windowed

Doing = Literal["click", "type", "select", "scroll", "goto", "back", "answer", "ask_user"]
_WRITTEN = re.compile(r"(click|type|select|scroll|goto|back|answer|ask_user)(?:\[(.*)\])?", re.DOTALL)
_ROLES = {"click": ("link", "button", "checkbox"), "type": ("textbox",), "select": ("combobox",)}


class Action(Spec):
    """One action of an agent."""

    do: Doing
    element: Annotated[int, Field(ge=0, le=9999)] = 0
    text: str = ""

    def written(self) -> str:
        """The action as histories and replies show it."""
        if self.do == "back":
            return "back"
        parts = [str(self.element)] if self.do in _ROLES else []
        parts += [self.text] if self.do != "click" else []
        return f"{self.do}[{', '.join(parts)}]"


def read_action(text: str) -> Action | None:
    """The action that a text such as `type[3, harbour]` writes; None when it writes none."""
    found = _WRITTEN.fullmatch(text.strip())
    if not found:
        return None
    do, inside = found[1], (found[2] or "").strip()
    if do not in _ROLES:
        return Action.model_validate({"do": do, "text": inside})
    number, _, rest = inside.partition(",")
    if not number.strip().isdecimal() or len(number.strip()) > 4:
        return None
    return Action.model_validate({"do": do, "element": int(number), "text": rest.strip()})


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an action: whether it could be done, else why not."""

    ok: bool
    code: str = ""
    message: str = ""


class Refused(ValueError):
    """An action that cannot be done."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.outcome = Outcome(False, code, message)


class Browser:
    """One visit to a site. `problems` says what could not be used of the site."""

    def __init__(self, site: Site) -> None:
        self._loaded: Loaded = load(site)
        self.state = State(url=address(self._loaded.home))
        self._page = self._shown()

    @property
    def loaded(self) -> Loaded:
        """The site, sorted."""
        return self._loaded

    @property
    def problems(self) -> tuple[str, ...]:
        """What could not be used of the site, one sentence each."""
        return self._loaded.problems

    @property
    def view(self) -> View:
        """The part of the page that is in sight."""
        return windowed(self._page, self.state.top)

    @property
    def page(self) -> View:
        """The whole page."""
        return self._page

    def fork(self) -> "Browser":
        """An independent browser at the same point of the visit."""
        other = Browser.__new__(Browser)
        other._loaded, other.state, other._page = self._loaded, deepcopy(self.state), self._page
        return other

    def act(self, action: Action) -> Outcome:
        """Carry out one action; what cannot be done changes nothing but the notice that says so."""
        if self.state.answer is not None:
            return Outcome(False, "ended", "The visit has ended with an answer.")
        before, self.state = self.state, deepcopy(self.state)
        self.state.notices = []
        try:
            self._do(action)
        except Refused as refused:
            self.state = before
            self.state.notices = [str(refused)]
            outcome = refused.outcome
        else:
            outcome = Outcome(True)
        self._page = self._shown()
        return outcome

    def _do(self, action: Action) -> None:
        if action.do in _ROLES:
            self._touch(action, self._element(action))
        elif action.do == "scroll":
            self._scroll(fold(action.text))
        elif action.do == "goto":
            self._go(action.text.strip())
        elif action.do == "back":
            if not self.state.trail:
                raise Refused("no_history", "There is no page to go back to.")
            self._leave(self.state.trail.pop())
        elif action.do == "answer":
            self.state.answer = action.text.strip()

    def _element(self, action: Action) -> Element:
        found = next((one for one in self.view.elements() if one.number == action.element), None)
        if found is None:
            there = any(one.number == action.element for one in self._page.elements())
            where = "is out of sight; scroll to it" if there else "does not exist on this page"
            raise Refused("no_element", f"Element [{action.element}] {where}.")
        if found.role not in _ROLES[action.do]:
            raise Refused("wrong_role", f"Element [{action.element}] is a {found.role}: it takes no {action.do}.")
        if found.disabled:
            raise Refused("disabled", f"The {found.role} {found.name!r} is disabled.")
        return found

    def _touch(self, action: Action, element: Element) -> None:
        if action.do == "type":
            self.state.typed[element.key] = action.text.replace("\n", " ").replace('"', "'").strip()[:400]
        elif action.do == "select":
            self._select(element, action.text)
        elif element.role == "checkbox":
            self.state.typed[element.key] = "no" if element.value == "yes" else "yes"
        elif element.key.startswith("go:"):
            self._go(element.key.removeprefix("go:"))
        elif where := pressed(self._loaded, self.state, element):
            self._go(where)

    def _select(self, element: Element, text: str) -> None:
        option = next((one for one in element.options if fold(one) == fold(text)), None)
        if option is None:
            raise Refused("no_option", f"{element.name!r} offers: {', '.join(element.options)}.")
        column = element.key.removeprefix("filter:")
        if column == element.key:
            self.state.typed[element.key] = option
            return
        at = place(self._loaded, self.state.url)
        assert at.page is not None
        self._go(turned(at.page, at, 1, **{column: "" if option == element.options[0] else option}))

    def _scroll(self, direction: str) -> None:
        view = self.view
        if direction not in ("up", "down"):
            raise Refused("no_direction", "A page scrolls up or down.")
        if not (view.below if direction == "down" else view.above):
            raise Refused("no_more", f"There is nothing further {direction}.")
        step = HEIGHT - 4
        self.state.top = max(0, view.above + (step if direction == "down" else -step))

    def _go(self, url: str) -> None:
        self.state.trail = [*self.state.trail[-30:], self.state.url]
        self._leave(url[:300])

    def _leave(self, url: str) -> None:
        self.state.url = url if url.startswith("/") else f"/{url}"
        self.state.top, self.state.typed = 0, {}
        if not place(self._loaded, self.state.url).step:
            self.state.pending = None

    def _shown(self) -> View:
        """The page as it is now; what stands in the way is remembered as met."""
        at = place(self._loaded, self.state.url)
        popup = open_popup(self._loaded, self.state, at)
        obstacle = "dialog" if popup and popup[1].blocks else gate(at, self.state)
        if obstacle and obstacle not in self.state.met:
            self.state.met.append(obstacle)
        return page_view(self._loaded, self.state)
