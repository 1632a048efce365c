"""The scripted model's web sites: one house, its holdings and its forms, in the words of the text it is given."""

import re
from collections.abc import Callable, Mapping, Sequence
from random import Random
from typing import Any

from agentinstruct.agents.scripted.world import world

Said = dict[str, Any]
KINDS = ("Letters", "Reports")
_LEAST, _MOST = 6, 10
_WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")
COLUMNS = ("title", "kind", "year")
"""What lists show; the rest stands on a row's own page."""


def declared(transform: str, text: str) -> Said | None:
    """A site of the kind that a transform makes; None where the text has too little to say."""
    rows = _rows(text)
    if len(rows) < _LEAST:
        return None
    name = f"House of {' '.join(rows[0][1].split()[:2])}"
    return {"name": name, "popups": [], "account": None, **_SITES[transform](rows)}


def bare(transform: str) -> Said:
    """The parts of a declined reply, which nobody looks at."""
    rows = [[f"E-{place}", f"None {place}", "none", place, place, 0, "none"] for place in range(1, _LEAST + 1)]
    return {"name": "none", "popups": [], "account": None, **_SITES[transform](rows)}


def _rows(text: str) -> list[list[Any]]:
    """Holdings: each a sentence of the text, under its first words, with figures that all differ."""
    titles: dict[str, str] = {}
    for piece in world(text).pieces(_MOST):
        words = _WORD.findall(piece)
        title = next((t for n in (3, 4, 5, 6) if (t := " ".join(words[:n]).capitalize()) not in titles), "")
        if len(words) >= 4 and title:
            titles[title] = " ".join(words[-6:])
    draw, count = Random(text), min(len(titles), _MOST)
    figures = draw.sample(range(count), count)
    return [
        [f"E-{place:02}", title, KINDS[place % 2], 1900 + 7 * figure, 10 + 2.5 * (count - figure), place % 5, note]
        for place, ((title, note), figure) in enumerate(zip(list(titles.items())[:_MOST], figures, strict=True), 1)
    ]


def _text(title: str, text: str, access: str = "open", under: str = "", **facts: str) -> Said:
    shown = [{"label": label.replace("_", " ").capitalize(), "value": value} for label, value in facts.items()]
    return {"kind": "text", "title": title, "text": text, "facts": shown, "access": access, "under": under}


def _held(rows: Sequence[Sequence[Any]], title: str, button: str = "") -> Said:
    """The holdings, and the page that lists them."""
    fields = ["code", "title", "kind", "year", "price", "stock", "note"]
    table = {"name": "holdings", "fields": fields, "rows": [list(row) for row in rows]}
    return {"table": table, "listing": _listing(title, button)}


def _listing(title: str, button: str) -> Said:
    return {
        "title": title,
        "text": "All that the house holds.",
        "columns": list(COLUMNS),
        "search": True,
        "filters": ["kind"],
        "page_size": 4,
        "button": button,
        "stock": "stock" if button else "",
    }


def _field(label: str, kind: str, *options: str, required: bool = True, value: str = "", **limits: float) -> Said:
    plain = {"label": label, "kind": kind, "required": required, "options": list(options), "value": value}
    return {**plain, "least": limits.get("least"), "most": limits.get("most")}


def _form(title: str, fields: Sequence[Said], kind: str = "form", access: str = "open", review: bool = False) -> Said:
    submit = {"form": "Send", "settings": "Save", "cart": "Check out"}[kind]
    what = {"kind": kind, "title": title, "text": "", "fields": list(fields), "submit": submit, "review": review}
    return {**what, "access": access, "under": ""}


def _home(rows: Sequence[Sequence[Any]]) -> Said:
    return _text("Home", f"Welcome. We keep {rows[0][1]} and more.", number_of_holdings=str(len(rows)), founded="1911")


def _settings(access: str = "open") -> Said:
    language = _field("Language", "choice", "English", "Danish", "French", value="English")
    alerts = _field("Weekly alerts", "checkbox", required=False, value="yes")
    return _form("Preferences", [language, alerts], "settings", access)


_VISIT = (
    _field("Full name", "text"),
    _field("Date of visit", "date"),
    _field("Number of people", "number", least=1, most=8),
    _field("Occasion", "choice", "Study", "Leisure", "School"),
    _field("Newsletter", "checkbox", required=False),
)
_NOTE = (_field("E-mail", "email"), _field("Message", "text"))
_HOURS = _text(
    "Opening hours", "The reading room in summer.", monday="9 to 17", saturday="10 to 14", telephone="555 0142"
)
_WINTER = _text("Winter hours", "The reading room from November on.", monday="10 to 15", saturday="closed")
_ACCOUNT = {"user": "mara.olsen", "password": "tide-7-lamp"}


def _page(rows: Sequence[Sequence[Any]]) -> Said:
    history = _text("House history", rows[1][6], under="Opening hours", first_keeper="Ida Brandt", moved_in="1934")
    return {"start": _home(rows), "pages": [_HOURS, _WINTER, history]}


def _site_map(rows: Sequence[Sequence[Any]]) -> Said:
    history = _text("House history", rows[1][6], under="Rules", first_keeper="Ida Brandt")
    rules = _text("Rules", "Please read them before a visit.", largest_group="8 people")
    parts = {"form": _form("Visit request", _VISIT, review=True), "settings": _settings("login")}
    return {"start": _home(rows), "pages": [rules, history], **_held(rows, "Holdings"), **parts, "account": _ACCOUNT}


def _forms(rows: Sequence[Sequence[Any]]) -> Said:
    limits = _text("Limits", "What a request may say.", most_people="8", earliest_reply="2 days")
    visit = _form("Visit request", _VISIT, review=True)
    return {"start": _home(rows), "form": visit, "pages": [limits, _settings(), _form("Write to us", _NOTE)]}


def _results(rows: Sequence[Sequence[Any]]) -> Said:
    guide = _text("Search help", "Words may stand in any order.", fewest_letters="2")
    return {"start": _home(rows), "pages": [guide, _HOURS], **_held(rows, "Holdings")}


def _catalogue(rows: Sequence[Sequence[Any]]) -> Said:
    checkout = (_field("Name", "text"), _field("Delivery", "choice", "Pick up", "By post"))
    basket = _form("Basket", checkout, "cart", review=True)
    delivery = _text("Delivery terms", "We send twice a week.", cost_by_post="4.90", days="3")
    pages = [delivery, _settings("login")]
    shop = _held(rows, "Shop", "Add to basket")
    return {"start": _home(rows), "pages": pages, **shop, "cart": basket, "account": _ACCOUNT}


def _dashboard(rows: Sequence[Sequence[Any]]) -> Said:
    today = _text("Today", "The house at a glance.", visitors="41", requests="7", lowest_temperature="16 degrees")
    before = _text("Yesterday", "The day before.", visitors="38", requests="9", lowest_temperature="15 degrees")
    audit = _text("Audit log", "For auditors.", "forbidden")
    return {"start": today, "pages": [before, _settings(), audit], **_held(rows, "Records")}


def _error_page(rows: Sequence[Sequence[Any]]) -> Said:
    members = _text("Members' room", "For members.", "login", next_meeting="12 May", key_holder="Ida Brandt")
    vault, raffle = _text("Vault", rows[2][6], "forbidden"), _text("Raffle", "Win a print.", "captcha")
    contact = _form("Write to us", _NOTE, access="flaky")
    popup = {"text": "We use cookies to count visits.", "buttons": ["Accept all", "Only necessary"], "blocks": True}
    pages = [members, _settings("login"), vault, raffle]
    guarded = {"popups": [{**popup, "page": ""}], "account": _ACCOUNT}
    return {"start": _home(rows), "form": contact, "pages": pages, **guarded}


_SITES: Mapping[str, Callable[[Sequence[Sequence[Any]]], Said]] = {
    "page": _page,
    "site_map": _site_map,
    "form": _forms,
    "results": _results,
    "catalogue": _catalogue,
    "dashboard": _dashboard,
    "error_page": _error_page,
}
