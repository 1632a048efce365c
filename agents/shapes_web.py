"""What a transform of the web skill replies: a site, declared page by page."""

from typing import Annotated, Literal

from pydantic import Field

from agentinstruct.agents.records import Frozen
from agentinstruct.agents.replies import Reshaped
from agentinstruct.tools.simulator import Collection
from agentinstruct.tools.simulator.spec import Name, OptionalName
from agentinstruct.tools.site import Account, Figure, Popup, Site, SiteField, SitePage, load
from agentinstruct.tools.site.spec import Access, Label

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
    """A page that lists the rows of a collection, each with a page of its own."""

    kind: Literal["list"]
    title: Label = Field(min_length=1, max_length=60)
    text: str = Field(max_length=300)
    collection: OptionalName
    columns: tuple[Name, ...] = Field(max_length=6, description="What the list shows; the rest is on a row's page.")
    search: bool
    filters: tuple[Name, ...] = Field(max_length=3, description="Columns by which the list can be narrowed down.")
    page_size: int = Field(ge=2, le=10)
    button: Label = Field(max_length=40, description="Puts a row into the cart; empty for none.")
    stock: OptionalName = Field(description="The column that says how many are left; empty for none.")
    access: Access


class FormPage(Frozen):
    """A page with fields: a form to send, settings to keep, or a cart to check out."""

    kind: Literal["form", "settings", "cart"]
    title: Label = Field(min_length=1, max_length=60)
    text: str = Field(max_length=300)
    fields: tuple[SiteField, ...] = Field(min_length=1, max_length=8)
    submit: Label = Field(max_length=40, description="What the button says.")
    review: bool = Field(description="Whether what was entered has to be confirmed.")
    access: Access
    under: Label = Field(max_length=60, description="The page that links to it; empty when the menu does.")


PageReply = Annotated[TextPage | ListPage | FormPage, Field(discriminator="kind")]


class SiteReply(Reshaped):
    """A site, or why the source cannot carry one."""

    name: Label = Field(max_length=60, description="What the site is called.")
    collections: tuple[Collection, ...] = Field(max_length=2, description="The tables behind its lists.")
    pages: tuple[PageReply, ...] = Field(max_length=9, description="The first one is where a visit begins.")
    popups: tuple[Popup, ...] = Field(max_length=2, description="Dialogs that lie over the site at first.")
    account: Account | None = Field(description="The one account that can sign in; null when none is needed.")

    @property
    def site(self) -> Site:
        """The site as it is visited."""
        pages = [SitePage.model_validate(page.model_dump(mode="json")) for page in self.pages]
        return Site(
            name=self.name,
            collections=list(self.collections),
            pages=pages or [SitePage(title="Home", kind="text")],
            popups=list(self.popups),
            account=self.account,
        )

    @property
    def passage_text(self) -> str:
        """The site as JSON."""
        return site_text(self.site)

    def unfit(self) -> str:
        """What keeps a visitor from walking through it."""
        loaded = load(self.site)
        if len(loaded.pages) < LEAST:
            few = f"only {len(loaded.pages)} of its pages can be used; at least {LEAST} are needed"
            return "; ".join([few, *loaded.problems[:5]])
        needs = any(page.access == "login" for page in loaded.pages.values())
        return "a page asks for a sign-in, and there is no account" if needs and self.account is None else ""


def site_text(site: Site) -> str:
    """A site as a passage: JSON without what is as usual."""
    return site.model_dump_json(exclude_defaults=True, indent=1)


def site_of(passage: str) -> Site:
    """The site in a passage."""
    return Site.model_validate_json(passage)
