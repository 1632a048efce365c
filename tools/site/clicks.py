"""What the buttons of a site do."""

from collections.abc import Callable, Mapping

from agentinstruct.tools.site.load import Loaded
from agentinstruct.tools.site.pages import typed
from agentinstruct.tools.site.spec import SitePage
from agentinstruct.tools.site.state import Entry, Place, State, address, place
from agentinstruct.tools.site.values import complaint
from agentinstruct.tools.site.view import Element

MOST = 99


def pressed(loaded: Loaded, state: State, button: Element) -> str:
    """Do what a button does; the address it leads to, or nothing when the page stays."""
    does, _, about = button.key.removeprefix("do:").partition(":")
    return _BUTTONS[does](loaded, state, place(loaded, state.url), about)


def _close(loaded: Loaded, state: State, at: Place, about: str) -> str:
    number, _, name = about.partition(":")
    state.closed[int(number)] = name
    return ""


def _retry(loaded: Loaded, state: State, at: Place, about: str) -> str:
    state.warmed.append(_here(at).slug)
    return ""


def _captcha(loaded: Loaded, state: State, at: Place, about: str) -> str:
    state.typed = {}
    state.notices = ["These are not the characters in the picture."]
    return ""


def _login(loaded: Loaded, state: State, at: Place, about: str) -> str:
    account, given = loaded.site.account, typed(state)
    right = account and (given.get("User name"), given.get("Password")) == (account.user, account.password)
    if not right:
        state.notices = ["The user name or the password is wrong."]
        _met(state, "invalid")
        return ""
    state.signed_in, state.notices = True, ["You are signed in."]
    return state.url


def _search(loaded: Loaded, state: State, at: Place, about: str) -> str:
    words = typed(state).get("Search", at.asked("search"))
    query = {name: value for name, value in at.query if name not in ("search", "screen")}
    return address(_here(at), **query, search=words)


def _add(loaded: Loaded, state: State, at: Place, about: str) -> str:
    page = _here(at)
    table, said = loaded.tables[page.collection], typed(state).get("Quantity", "1").strip()
    assert at.row is not None
    if not (said.isascii() and said.isdigit() and 1 <= int(said[:6]) <= MOST):
        state.notices = [f"Quantity must be a whole number from 1 to {MOST}."]
        _met(state, "invalid")
        return ""
    held = f"{table.name}/{at.row[table.key]}"
    state.cart[held] = min(MOST, state.cart.get(held, 0) + int(said))
    state.notices = [f"The cart now holds {state.cart[held]} × {table.title(at.row)}."]
    state.typed = {}
    return ""


def _remove(loaded: Loaded, state: State, at: Place, about: str) -> str:
    del state.cart[about]
    return ""


def _submit(loaded: Loaded, state: State, at: Place, about: str) -> str:
    page = _here(at)
    entry = _entry(page, state)
    complaints = [words for field in page.fields if (words := complaint(field, entry[field.label]))]
    if complaints:
        state.notices = complaints
        _met(state, "invalid")
        return ""
    if page.kind == "settings":
        state.settings[page.slug] = entry
        state.typed, state.notices = {}, ["Your settings have been saved."]
        return ""
    if page.kind == "cart":
        entry |= {"Items": "; ".join(f"{count} × {held}" for held, count in state.cart.items())}
    if page.review:
        state.pending = entry
        return address(page, step="review")
    return _stored(page, state, entry)


def _entry(page: SitePage, state: State) -> Entry:
    kept = state.settings.get(page.slug, {}) if page.kind == "settings" else {}
    given = {**kept, **typed(state)}
    plain = {"checkbox": "no"}
    return {one.label: given.get(one.label, one.value or plain.get(one.kind, "")).strip() for one in page.fields}


def _confirm(loaded: Loaded, state: State, at: Place, about: str) -> str:
    return _stored(_here(at), state, state.pending) if state.pending is not None else address(_here(at))


def _change(loaded: Loaded, state: State, at: Place, about: str) -> str:
    return address(_here(at))


def _stored(page: SitePage, state: State, entry: Entry) -> str:
    state.entries[page.slug] = [*state.entries.get(page.slug, []), entry]
    state.pending = None
    if page.kind == "cart":
        state.cart = {}
    return address(page, step="done")


def _here(at: Place) -> SitePage:
    assert at.page is not None
    return at.page


def _met(state: State, what: str) -> None:
    if what not in state.met:
        state.met.append(what)


_BUTTONS: Mapping[str, Callable[[Loaded, State, Place, str], str]] = {
    "close": _close,
    "retry": _retry,
    "captcha": _captcha,
    "login": _login,
    "search": _search,
    "add": _add,
    "remove": _remove,
    "submit": _submit,
    "confirm": _confirm,
    "change": _change,
}
