"""The pages of a site: each kind of page as lines, from what was declared and what the visit has done."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

from agentinstruct.tools.quotes import fold
from agentinstruct.tools.site.listing import cells, matching, screen, shown, spaced, turned
from agentinstruct.tools.site.load import Loaded, Row, Table
from agentinstruct.tools.site.spec import Popup, SiteField, SitePage
from agentinstruct.tools.site.state import Place, State, address, place
from agentinstruct.tools.site.view import Element, Line, View

ANY = "any"
REFUSALS = {
    "forbidden": "403: You do not have permission to see this page.",
    "down": "503: This page is out of order. Please try again tomorrow.",
    "flaky": "503: This page could not be loaded.",
    "captcha": "Please show that you are human: type the characters in the picture.",
    "login": "Please sign in to see this page.",
    "missing": "404: There is no such page.",
}
Lines = Iterator[Line]


def page_view(loaded: Loaded, state: State) -> View:
    """The whole page that the visit is at, its elements numbered."""
    at = place(loaded, state.url)
    obstacle = gate(at, state)
    dialog = open_popup(loaded, state, at)
    lines = list(_dialog(dialog[1], dialog[0])) if dialog else []
    if not (dialog and dialog[1].blocks):
        body, menu = list(_gated(obstacle, typed(state)) if obstacle else _body(loaded, state, at)), list(_menu(loaded))
        lines += [*body, *menu] if loaded.site.menu_last else [*menu, *body]
    title = at.page.title if at.page and obstacle != "missing" else "Not found"
    numbered = tuple(_numbered(line, state, loaded.site.first_id) for line in lines)
    return View(f"{title} · {loaded.site.name}", state.url, numbered, tuple(state.notices), dialog=dialog is not None)


def gate(at: Place, state: State) -> str:
    """What stands in the way of a page now; empty when nothing does."""
    if at.page is None or at.step == "missing":
        return "missing"
    access = at.page.access
    passed = access == "open" or (access == "login" and state.signed_in) or at.page.slug in state.warmed
    return "" if passed else access


def open_popup(loaded: Loaded, state: State, at: Place) -> tuple[int, Popup] | None:
    """The dialog that lies over the page, with its place among the site's dialogs."""
    for number, popup in enumerate(loaded.site.popups):
        here = not popup.page or (at.page is not None and fold(at.page.title) == fold(popup.page))
        if here and number not in state.closed:
            return number, popup
    return None


def _numbered(line: Line, state: State, first: int) -> Line:
    if line.element is None:
        return line
    number = state.numbers.setdefault(f"{line.element.key} {line.element.name}", first + len(state.numbers))
    return replace(line, element=replace(line.element, number=number))


def _link(name: str, url: str, beside: str = "") -> Line:
    return Line(beside, Element(f"go:{url}", "link", name))


def _button(name: str, does: str, disabled: bool = False) -> Line:
    return Line("", Element(f"do:{does}", "button", name, disabled=disabled))


def _menu(loaded: Loaded) -> Lines:
    yield from (_link(page.title, address(page)) for page in loaded.pages.values() if not page.under)


def _dialog(popup: Popup, number: int) -> Lines:
    yield Line(f"Dialog: {' '.join(popup.text.split())}")
    yield from (_button(name, f"close:{number}:{name}") for name in popup.buttons)


def _gated(obstacle: str, given: Mapping[str, str]) -> Lines:
    yield Line(REFUSALS[obstacle])
    if obstacle == "flaky":
        yield _button("Try again", "retry")
    if obstacle == "captcha":
        yield Line("image: distorted characters")
        yield Line("", Element("field:Characters", "textbox", "Characters", given.get("Characters", "")))
        yield _button("Continue", "captcha")
    if obstacle == "login":
        yield Line("", Element("field:User name", "textbox", "User name", given.get("User name", "")))
        yield Line("", Element("field:Password", "textbox", "Password", "•" * len(given.get("Password", ""))))
        yield _button("Sign in", "login")


def _body(loaded: Loaded, state: State, at: Place) -> Lines:
    assert at.page is not None
    if at.row is not None:
        yield from _row_page(loaded, at.page, at.row, state)
        return
    yield from _said(at.page)
    yield from _KINDS[at.step or at.page.kind](loaded, state, at)
    below = [page for page in loaded.pages.values() if fold(page.under) == fold(at.page.title)]
    yield from (_link(page.title, address(page)) for page in below)


def _said(page: SitePage) -> Lines:
    yield from (Line(" ".join(part.split()).lstrip("# ")) for part in page.text.splitlines() if part.strip("# \t"))
    yield from (Line(f"{fact.label}: {fact.value}") for fact in page.facts)


def _list(loaded: Loaded, state: State, at: Place) -> Lines:
    page, table = at.page, loaded.table(at.page) if at.page else None
    if page is None or table is None:
        return
    if page.search:
        word = state.typed.get("field:Search", at.asked("search"))
        yield Line("", Element("field:Search", "textbox", "Search", word))
        yield _button("Search", "search")
    for column in page.filters:
        options = (ANY, *dict.fromkeys(str(row[column]) for row in table.rows if row[column] is not None))
        chosen = at.asked(column) or ANY
        yield Line("", Element(f"filter:{column}", "combobox", spaced(column), chosen, options))
    found = matching(table, page, at)
    first = (screen(at) - 1) * page.page_size
    some = found[first : first + page.page_size]
    yield from (_link(table.title(row), address(page, row[table.key]), cells(table, page, row)) for row in some)
    yield Line(f"Showing {first + 1}–{first + len(some)} of {len(found)}." if some else "Nothing was found.")
    if screen(at) > 1:
        yield _link("Previous", turned(page, at, screen(at) - 1))
    if first + len(some) < len(found):
        yield _link("Next", turned(page, at, screen(at) + 1))


def _row_page(loaded: Loaded, page: SitePage, row: Row, state: State) -> Lines:
    table = loaded.tables[page.collection]
    yield Line(f"# {table.title(row)}")
    yield from (Line(f"{spaced(column)}: {shown(row[column])}") for column in table.fields)
    if page.button:
        yield Line("", Element("field:Quantity", "textbox", "Quantity", state.typed.get("field:Quantity", "1")))
        yield _button(page.button, "add", sold_out(page, row))
    yield _link(f"Back to {page.title}", address(page))


def sold_out(page: SitePage, row: Row) -> bool:
    """Whether the row cannot be put into the cart."""
    return bool(page.stock) and str(row[page.stock]).strip().casefold() in ("0", "0.0", "no", "false", "none", "")


def _fields(fields: Sequence[SiteField], values: Mapping[str, str]) -> Lines:
    roles = {"choice": "combobox", "checkbox": "checkbox"}
    for one in fields:
        value = values.get(one.label, one.value)
        if one.kind == "checkbox":
            value = "yes" if fold(value) in ("yes", "true", "on") else "no"
        role, options = roles.get(one.kind, "textbox"), tuple(one.options)
        yield Line("", Element(f"field:{one.label}", role, one.label, value, options, required=one.required))


def typed(state: State) -> dict[str, str]:
    """What stands in the fields of the page at hand, by label."""
    return {key.removeprefix("field:"): value for key, value in state.typed.items()}


def _form(loaded: Loaded, state: State, at: Place) -> Lines:
    assert at.page is not None
    kept = state.settings.get(at.page.slug, {}) if at.page.kind == "settings" else {}
    yield from _fields(at.page.fields, {**kept, **typed(state)})
    yield _button(at.page.submit, "submit")


def _cart(loaded: Loaded, state: State, at: Place) -> Lines:
    assert at.page is not None
    if not state.cart:
        yield Line("The cart is empty.")
        return
    for table, row, count in carted(loaded, state):
        yield Line(f"{table.title(row)} | quantity: {count}" + "".join(_prices(table, row)))
        yield _button(f"Remove {table.title(row)}", f"remove:{table.name}/{row[table.key]}")
    yield from _form(loaded, state, at)


def carted(loaded: Loaded, state: State) -> Iterator[tuple[Table, Row, int]]:
    """What is in the cart."""
    for held, count in state.cart.items():
        name, _, key = held.partition("/")
        table = loaded.tables[name]
        yield table, next(row for row in table.rows if str(row[table.key]) == key), count


def _prices(table: Table, row: Row) -> Iterator[str]:
    yield from (f" | {spaced(one)}: {shown(row[one])}" for one in table.fields if "price" in one.casefold())


def _review(loaded: Loaded, state: State, at: Place) -> Lines:
    yield Line("Please check what you entered.")
    yield from (Line(f"{label}: {value}") for label, value in (state.pending or {}).items())
    yield _button("Confirm", "confirm")
    yield _button("Change", "change")


def _done(loaded: Loaded, state: State, at: Place) -> Lines:
    assert at.page is not None
    count = len(state.entries.get(at.page.slug, ()))
    yield Line(f"Done. The reference is {at.page.slug[:3].upper()}-{count}." if count else "Nothing was sent.")


def _nothing(loaded: Loaded, state: State, at: Place) -> Lines:
    yield from ()


_KINDS: Mapping[str, Callable[[Loaded, State, Place], Lines]] = {
    "text": _nothing,
    "list": _list,
    "form": _form,
    "settings": _form,
    "cart": _cart,
    "review": _review,
    "done": _done,
}
