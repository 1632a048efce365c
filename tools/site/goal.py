"""Goals: whether what a task wants has come about, and whether the site can let it come about at all.

Because a site is declared in a closed vocabulary, the second can be decided without trying: a goal is out of reach
when, and only when, one of its parts is blocked.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from agentinstruct.tools.quotes import fold
from agentinstruct.tools.site.answers import QueryError, agrees, result, states
from agentinstruct.tools.site.browser import Browser
from agentinstruct.tools.site.load import Loaded
from agentinstruct.tools.site.pages import gate, sold_out
from agentinstruct.tools.site.spec import Condition, SiteField, SitePage, Wanted
from agentinstruct.tools.site.state import State, place
from agentinstruct.tools.site.values import complaint, same


def unmet(wanted: Wanted, browser: Browser) -> Iterator[str]:
    """What is still missing of a goal; nothing when it is reached."""
    for condition in wanted.conditions:
        if not holds(condition, browser):
            yield f"{condition.kind} {condition.page} {condition.field} {condition.value}".strip() + " does not hold"
    if not wanted.query and not wanted.fact:
        return
    expected = key(wanted, browser.loaded)
    said = browser.state.answer or ""
    if not fits(wanted, browser.loaded, said):
        yield f"the answer {said[:80]!r} is not {str(expected)[:80]!r}"


def key(wanted: Wanted, loaded: Loaded) -> Any:
    """The answer that a goal asks for; None when it asks for none, or there is none."""
    if wanted.query is not None:
        table = loaded.tables.get(wanted.query.collection)
        try:
            return result(wanted.query, table.rows) if table else None
        except QueryError:
            return None
    return next(
        (fact.value for page in _holders(wanted, loaded) for fact in page.facts if _is(fact.label, wanted)), None
    )


def fits(wanted: Wanted, loaded: Loaded, answer: str) -> bool:
    """Whether an answer is the one that the goal asks for."""
    expected, query = key(wanted, loaded), wanted.query
    if expected is None:
        return False
    if query is None:
        return states(str(expected), answer)
    field = query.fields[0] if query.fields else ""
    others = [row[field] for row in loaded.tables[query.collection].rows if field in row]
    return agrees(expected, answer, others)


def _is(label: str, wanted: Wanted) -> bool:
    return wanted.fact is not None and fold(label) == fold(wanted.fact.label)


def _holders(wanted: Wanted, loaded: Loaded) -> list[SitePage]:
    page = loaded.page(wanted.fact.page) if wanted.fact else None
    return [page] if page else []


def holds(condition: Condition, browser: Browser) -> bool:
    """Whether one condition of a goal is so now."""
    return _HOLDS[condition.kind](condition, browser.loaded, browser.state)


def _at(condition: Condition, loaded: Loaded, state: State) -> bool:
    at = place(loaded, state.url)
    if at.page is not loaded.page(condition.page) or gate(at, state) or at.step:
        return False
    table = loaded.table(at.page) if at.page else None
    if not condition.field:
        return at.row is None
    return table is not None and at.row is not None and at.row == table.find(condition.field)


def _entry(condition: Condition, loaded: Loaded, state: State) -> bool:
    page = loaded.page(condition.page)
    sent = state.entries.get(page.slug, []) if page else []
    given = {fold(label): value for label, value in (sent[-1] if sent else {}).items()}
    if not condition.field:
        return bool(sent)
    return fold(condition.field) in given and same(given[fold(condition.field)], condition.value)


def _setting(condition: Condition, loaded: Loaded, state: State) -> bool:
    page = loaded.page(condition.page)
    kept = state.settings.get(page.slug, {}) if page else {}
    given = {fold(label): value for label, value in kept.items()}
    return fold(condition.field) in given and same(given[fold(condition.field)], condition.value)


def _cart(condition: Condition, loaded: Loaded, state: State) -> bool:
    """In the cart now, or among what has been ordered."""
    count = condition.value.strip() or "1"
    ordered = [item for sent in state.entries.values() for entry in sent for item in entry.get("Items", "").split("; ")]
    for table in loaded.tables.values():
        row = table.find(condition.field)
        if row is not None:
            held = f"{table.name}/{row[table.key]}"
            return f"{count} × {held}" in [*ordered, f"{state.cart.get(held, 0)} × {held}"]
    return False


def _choice(condition: Condition, loaded: Loaded, state: State) -> bool:
    return fold(condition.field) in map(fold, state.closed.values())


_HOLDS: Mapping[str, Callable[[Condition, Loaded, State], bool]] = {
    "at": _at,
    "entry": _entry,
    "setting": _setting,
    "cart": _cart,
    "choice": _choice,
}


def blocked(wanted: Wanted, loaded: Loaded) -> Iterator[str]:
    """Why a goal can never be reached; nothing when it can."""
    for condition in wanted.conditions:
        yield from _BLOCKED[condition.kind](condition, loaded)
    if (wanted.query or wanted.fact) and key(wanted, loaded) is None:
        what = wanted.fact.label if wanted.fact else "no row is as the question says"
        yield f"nothing on the site answers it: {what}"
    elif wanted.query is not None:
        shown = [page for page in loaded.pages.values() if page.collection == wanted.query.collection]
        if shown and all(_closed(page, loaded) for page in shown):
            yield f"the rows stand on no page that can be opened: {shown[0].title}"
    elif wanted.fact:
        yield from (why for page in _holders(wanted, loaded) if (why := _closed(page, loaded)))


def _closed(page: SitePage, loaded: Loaded) -> str:
    """Why a page can never be seen."""
    if page.access in ("forbidden", "captcha", "down"):
        return f"{page.title} is {page.access}"
    if page.access == "login" and loaded.site.account is None:
        return f"{page.title} needs an account, and there is none"
    return ""


def _page(condition: Condition, loaded: Loaded) -> tuple[SitePage | None, str]:
    page = loaded.page(condition.page)
    if page is None:
        return None, f"there is no page {condition.page!r}"
    return page, _closed(page, loaded)


def _at_blocked(condition: Condition, loaded: Loaded) -> Iterator[str]:
    page, why = _page(condition, loaded)
    table = loaded.table(page) if page else None
    if why:
        yield why
    elif condition.field and (table is None or table.find(condition.field) is None):
        yield f"there is no row {condition.field!r} on {condition.page}"


def _field_blocked(condition: Condition, loaded: Loaded) -> Iterator[str]:
    page, why = _page(condition, loaded)
    kinds = ("form", "cart") if condition.kind == "entry" else ("settings",)
    if page is None or why:
        yield why
    elif page.kind not in kinds:
        yield f"{page.title} is no page of kind {kinds[0]}"
    elif condition.field and (why := _value_blocked(_named(page, condition.field), condition)):
        yield why


def _named(page: SitePage, label: str) -> SiteField | None:
    return next((field for field in page.fields if fold(field.label) == fold(label)), None)


def _value_blocked(field: SiteField | None, condition: Condition) -> str:
    if field is None:
        return f"{condition.page} has no field {condition.field!r}"
    if field.kind == "checkbox":
        off_and_required = field.required and not same(condition.value, "yes")
        return f"{field.label} is required." if off_and_required else ""
    return complaint(field, condition.value)


def _cart_blocked(condition: Condition, loaded: Loaded) -> Iterator[str]:
    for page in loaded.pages.values():
        table = loaded.table(page)
        row = table.find(condition.field) if table else None
        if row is not None and page.button and not sold_out(page, row) and not _closed(page, loaded):
            return
    yield f"{condition.field!r} cannot be put into a cart"


def _choice_blocked(condition: Condition, loaded: Loaded) -> Iterator[str]:
    offered = [button for popup in loaded.site.popups for button in popup.buttons]
    if fold(condition.field) not in map(fold, offered):
        yield f"no dialog has a button {condition.field!r}"


_BLOCKED: Mapping[str, Callable[[Condition, Loaded], Iterator[str]]] = {
    "at": _at_blocked,
    "entry": _field_blocked,
    "setting": _field_blocked,
    "cart": _cart_blocked,
    "choice": _choice_blocked,
}
