"""Where a visit to a site stands: plain data, so that equal visits compare equal."""

from dataclasses import asdict, dataclass, field
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

from agentinstruct.tools.site.load import Loaded, Row
from agentinstruct.tools.site.spec import SitePage

Entry = dict[str, str]


@dataclass(slots=True)
class State:
    """One visit: where the browser is, what was typed and not yet sent, and what the site keeps."""

    url: str
    trail: list[str] = field(default_factory=list)
    top: int = 0
    typed: dict[str, str] = field(default_factory=dict)
    """What stands in the fields of the page at hand, by element."""
    pending: Entry | None = None
    """An entry that waits to be confirmed."""
    notices: list[str] = field(default_factory=list)
    cart: dict[str, int] = field(default_factory=dict)
    entries: dict[str, list[Entry]] = field(default_factory=dict)
    settings: dict[str, Entry] = field(default_factory=dict)
    signed_in: bool = False
    closed: dict[int, str] = field(default_factory=dict)
    """The button by which each dialog was left."""
    warmed: list[str] = field(default_factory=list)
    """Pages that failed at first and have been tried again."""
    met: list[str] = field(default_factory=list)
    """What stood in the way so far: login, forbidden, captcha, down, flaky, invalid, not_found, dialog."""
    numbers: dict[str, int] = field(default_factory=dict)
    """The number of every element seen so far."""
    answer: str | None = None

    def kept(self) -> dict[str, Any]:
        """What the site has kept of the visit: all that a task can change."""
        return {"cart": self.cart, "entries": self.entries, "settings": self.settings}

    def situation(self) -> str:
        """All but the way here: the same when a visit goes round in a circle."""
        whole = asdict(self)
        return repr([whole[key] for key in whole if key not in ("trail", "numbers", "met", "notices")])


@dataclass(frozen=True, slots=True)
class Place:
    """What an address stands for."""

    page: SitePage | None
    row: Row | None = None
    step: str = ""
    """`review` or `done` of a form; `missing` where the address leads nowhere."""
    query: tuple[tuple[str, str], ...] = ()

    def asked(self, name: str) -> str:
        """A parameter of the address."""
        return dict(self.query).get(name, "")


def place(loaded: Loaded, url: str) -> Place:
    """Read an address."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return Place(None, None, "missing")
    first, _, second = parts.path.strip("/").partition("/")
    page = loaded.pages.get(first) if first else loaded.home
    query = tuple(parse_qsl(parts.query))[:12]
    if page is None or not second:
        return Place(page, None, "" if page else "missing", query)
    table = loaded.table(page)
    row = next((r for r in table.rows if str(r[table.key]) == unquote(second)), None) if table else None
    if row is None and not (page.fields and second in ("review", "done")):
        return Place(page, None, "missing")
    return Place(page, row, "" if row else second, query)


def address(page: SitePage, row_key: object = None, step: str = "", **query: str) -> str:
    """The address of a page, of one of its rows, or of a step of its form."""
    path = f"/{page.slug}"
    if row_key is not None:
        path += f"/{quote(str(row_key), safe='')}"
    elif step:
        path += f"/{step}"
    wanted = {name: value for name, value in query.items() if value}
    return f"{path}?{urlencode(wanted)}" if wanted else path
