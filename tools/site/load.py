"""A site as a model wrote it, made whole: what cannot be used is left out and named."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from agentinstruct.tools.quotes import fold
from agentinstruct.tools.simulator import Collection, Library
from agentinstruct.tools.simulator.load import load as load_library
from agentinstruct.tools.site.spec import Site, SitePage

MAX_ROWS = 60

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Table:
    """A collection with usable rows: what identifies a row, and what its link says."""

    name: str
    key: str
    label: str
    fields: tuple[str, ...]
    rows: tuple[Row, ...]

    def find(self, named: str) -> Row | None:
        """The row of this key or title."""
        wanted = fold(named)
        return next((row for row in self.rows if wanted in (fold(str(row[self.key])), fold(self.title(row)))), None)

    def title(self, row: Row) -> str:
        """What a row is called where it is linked to."""
        return _plain(row[self.label])


@dataclass(frozen=True, slots=True)
class Loaded:
    """The usable parts of a site, by name."""

    site: Site
    pages: dict[str, SitePage]
    tables: dict[str, Table]
    problems: tuple[str, ...]

    @property
    def home(self) -> SitePage:
        """Where a visit begins."""
        return next(iter(self.pages.values()))

    def page(self, named: str) -> SitePage | None:
        """The page of this title or address."""
        wanted = fold(named)
        found = (page for page in self.pages.values() if wanted in (fold(page.title), page.slug, f"/{page.slug}"))
        return next(found, None)

    def table(self, page: SitePage) -> Table | None:
        """The rows of a list."""
        return self.tables.get(page.collection)


def load(site: Site) -> Loaded:
    """Sort a site; never fails: what cannot be used is left out and named in `problems`."""
    problems: list[str] = []
    tables = _tables(site.collections, problems)
    pages: dict[str, SitePage] = {}
    for page in site.pages:
        if wrong := next(_page_problems(page, tables, pages), ""):
            problems.append(f"page {page.title!r}: {wrong}")
        else:
            pages[page.slug] = _tidied(page, tables)
    titles = {fold(page.title) for page in pages.values()}
    for slug, page in pages.items():
        if page.under and fold(page.under) not in titles - {fold(page.title)}:
            problems.append(f"page {page.title!r}: there is no page {page.under!r} to link to it, so the menu does")
            pages[slug] = page.model_copy(update={"under": ""})
    if not pages:
        problems.append("there is no usable page")
        pages["home"] = SitePage(title="Home", kind="text")
    return Loaded(site, pages, tables, tuple(problems))


def _tables(collections: list[Collection], problems: list[str]) -> dict[str, Table]:
    loaded = load_library(Library(apis=[], collections=collections))
    problems += loaded.problems
    found: dict[str, Table] = {}
    for name, collection in loaded.collections.items():
        rows = tuple({key: _shown(value) for key, value in row.items()} for row in loaded.rows[name].values())
        if not rows:
            problems.append(f"collection {name}: it has no rows")
            continue
        label = _label(collection, rows)
        found[name] = Table(name, collection.key, label, tuple(collection.fields), rows[:MAX_ROWS])
    return found


def _shown(value: Any) -> Any:
    """A cell that fits on a line of a page."""
    return _plain(value) if isinstance(value, str) else value


def _plain(value: Any) -> str:
    return " ".join(str(value).replace('"', "'").replace("[", "(").replace("]", ")").replace("|", "/").split())[:120]


def _label(collection: Collection, rows: tuple[Row, ...]) -> str:
    """The column whose values name the rows: the first text that tells them apart, else the key."""
    for field in collection.fields:
        values = [row[field] for row in rows]
        named = all(isinstance(value, str) and value for value in values)
        if field != collection.key and named and len({fold(value) for value in values}) == len(values):
            return field
    return collection.key


def _page_problems(page: SitePage, tables: Mapping[str, Table], pages: Mapping[str, SitePage]) -> Iterator[str]:
    if page.slug in pages:
        yield "its title is there twice"
    if page.kind == "list" and page.collection not in tables:
        yield f"a list needs a collection, not {page.collection!r}"
    if page.kind in ("form", "settings") and not page.fields:
        yield f"a page of kind {page.kind} needs fields"
    labels = [fold(field.label) for field in page.fields]
    if "" in labels or len(set(labels)) < len(labels):
        yield "its fields need labels that differ"


def _tidied(page: SitePage, tables: Mapping[str, Table]) -> SitePage:
    """A page that names only columns its collection has, and has the button that its kind needs."""
    table = tables.get(page.collection) if page.kind == "list" else None
    known = table.fields if table else ()
    columns = [one for one in page.columns if one in known] or list(known)
    update: dict[str, Any] = {"columns": columns, "filters": [one for one in page.filters if one in known]}
    update["facts"] = list({fold(fact.label): fact for fact in reversed(page.facts)}.values())[::-1]
    if page.stock not in known:
        update["stock"] = ""
    if page.kind in ("form", "settings", "cart"):
        default = {"form": "Send", "settings": "Save", "cart": "Check out"}[page.kind]
        update["submit"] = page.submit or default
    return page.model_copy(update=update)
