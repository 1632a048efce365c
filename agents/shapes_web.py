"""What a transform of the web skill replies: a site, declared page by page."""

from collections.abc import Iterator
from typing import Literal

from pydantic import Field

from agentinstruct.agents.records import Frozen
from agentinstruct.agents.replies import Reshaped
from agentinstruct.tools.simulator import Collection, Scalar
from agentinstruct.tools.simulator.spec import Name, OptionalName
from agentinstruct.tools.site import Account, Figure, Popup, Site, SiteField, SitePage, load
from agentinstruct.tools.site.spec import Access, Label

KEYS = ("id", "key", "code", "no", "number")
LEAST = 3
"""Pages that a site must have to be walked through."""


class TextPage(Frozen):
    """A page of words and figures."""

    kind: Literal["text"]
    title: Label = Field(min_length=1, max_length=60)
    text: str = Field(max_length=900, description="One to five sentences.")
    facts: tuple[Figure, ...] = Field(max_length=8, description="Labelled figures; may be empty.")
    access: Access
    under: Label = Field(max_length=60, description="The page that links to it; empty when the menu does.")


class ListPage(Frozen):
    """The page that lists the rows of the table, each with a page of its own."""

    title: Label = Field(min_length=1, max_length=60)
    text: str = Field(max_length=300)
    columns: tuple[Name, ...] = Field(max_length=6, description="What the list shows; the rest is on a row's page.")
    search: bool
    filters: tuple[Name, ...] = Field(max_length=3, description="Columns by which the list can be narrowed down.")
    page_size: int = Field(ge=2, le=10)
    button: Label = Field(max_length=40, description="Puts a row into the cart; empty for none.")
    stock: OptionalName = Field(description="The column that says how many are left; empty for none.")


class FormPage(Frozen):
    """A page with fields that are sent off."""

    kind: Literal["form"]
    title: Label = Field(min_length=1, max_length=60)
    text: str = Field(max_length=300)
    fields: tuple[SiteField, ...] = Field(min_length=2, max_length=8)
    submit: Label = Field(max_length=40, description="What the button says.")
    review: bool = Field(description="Whether what was entered has to be confirmed.")
    access: Access
    under: Label = Field(max_length=60, description="The page that links to it; empty when the menu does.")


class SettingsPage(FormPage):
    """A page with fields that are kept."""

    kind: Literal["settings"]  # type: ignore[assignment]


class CartPage(FormPage):
    """The page that shows what was put into the cart, with the fields of its check-out."""

    kind: Literal["cart"]  # type: ignore[assignment]


class Rows(Frozen):
    """The table behind a list."""

    name: Name
    fields: tuple[Name, ...] = Field(min_length=3, max_length=8, description="One of them is the title of a row.")
    rows: tuple[tuple[Scalar, ...], ...] = Field(min_length=6, max_length=14, description="A cell for each field.")

    def collection(self) -> Collection:
        """The table with a key: a first column that is one by its name, else a number."""
        fields, rows = list(self.fields), [list(row) for row in self.rows]
        if fields[0].casefold() not in KEYS:
            fields, rows = ["no", *fields], [[place, *row] for place, row in enumerate(rows, 1)]
        return Collection(name=self.name, key=fields[0], fields=fields, rows=rows)


PageReply = TextPage | FormPage | SettingsPage


class SiteReply(Reshaped):
    """A site of pages and forms, or why the source cannot carry one."""

    name: Label = Field(max_length=60, description="What the site is called.")
    start: TextPage = Field(description="The page that a visit begins on.")
    pages: tuple[PageReply, ...] = Field(min_length=2, max_length=7, description="The other pages.")
    popups: tuple[Popup, ...] = Field(max_length=2, description="Dialogs that lie over the site at first.")
    account: Account | None = Field(description="The one account that can sign in; null when none is needed.")

    def parts(self) -> Iterator[SitePage]:
        """The pages that this kind of site has besides."""
        yield from ()

    def tables(self) -> list[Collection]:
        """What its lists show."""
        return []

    @property
    def site(self) -> Site:
        """The site as it is visited."""
        pages = [page_of(self.start), *self.parts(), *map(page_of, self.pages)]
        popups = list(self.popups)
        return Site(name=self.name, collections=self.tables(), pages=pages, popups=popups, account=self.account)

    @property
    def passage_text(self) -> str:
        """The site as JSON."""
        return site_text(self.site)

    def unfit(self) -> str:
        """What keeps a visitor from walking through it."""
        loaded = load(self.site)
        if len(loaded.pages) < LEAST or len(loaded.tables) < len(self.tables()):
            few = f"only {len(loaded.pages)} of its pages can be used; at least {LEAST} are needed, and every list"
            return "; ".join([few, *loaded.problems[:5]])
        needs = any(page.access == "login" for page in loaded.pages.values())
        return "a page asks for a sign-in, and there is no account" if needs and self.account is None else ""


class FormSite(SiteReply):
    """A site around a form."""

    form: FormPage

    def parts(self) -> Iterator[SitePage]:
        """The form."""
        yield page_of(self.form)


class ListSite(SiteReply):
    """A site around a list."""

    table: Rows
    listing: ListPage

    def tables(self) -> list[Collection]:
        """The list's rows."""
        return [self.table.collection()]

    def parts(self) -> Iterator[SitePage]:
        """The list."""
        listing = self.listing.model_dump(mode="json")
        yield SitePage.model_validate({"kind": "list", "collection": self.table.name, **listing})


class ShopSite(ListSite):
    """A list, a cart, a check-out."""

    cart: CartPage

    def parts(self) -> Iterator[SitePage]:
        """The list and the cart."""
        yield from ListSite.parts(self)
        yield page_of(self.cart)


class WholeSite(ListSite):
    """A list, a form, settings."""

    form: FormPage
    settings: SettingsPage

    def parts(self) -> Iterator[SitePage]:
        """The list, the form and the settings."""
        yield from ListSite.parts(self)
        yield page_of(self.form)
        yield page_of(self.settings)


def page_of(page: TextPage | FormPage) -> SitePage:
    """A page as sites hold it."""
    return SitePage.model_validate(page.model_dump(mode="json"))


def site_text(site: Site) -> str:
    """A site as a passage: JSON without what is as usual."""
    return site.model_dump_json(exclude_defaults=True, indent=1)


def site_of(passage: str) -> Site:
    """The site in a passage."""
    return Site.model_validate_json(passage)
