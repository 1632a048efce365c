"""What a simulated web site is made of, and how a task on it says what it wants.

A model writes these values; they are flat and closed, so that a grammar can hold even a small model to them. From
them our code builds every page: menu, lists, rows' own pages, forms, sign-in, error pages, dialogs.
"""

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from agentinstruct.tools.simulator import Collection
from agentinstruct.tools.simulator.spec import Name, OptionalName, Scalar, Spec

Access = Literal["open", "login", "forbidden", "captcha", "down", "flaky"]


_PLAIN = str.maketrans({'"': "'", "[": "(", "]": ")", "|": "/", "·": "-"})


def _line(text: str) -> str:
    """One line without the marks that an observation's grammar is made of."""
    return " ".join(text.translate(_PLAIN).replace(" / ", "/").split())[:80]


def _filled(texts: list[str]) -> list[str]:
    return list(dict.fromkeys(_line(text) for text in texts if text.strip()))


def slug_of(title: str) -> str:
    """A title as it stands in addresses, in whatever script it is; one of signs alone goes by their code points."""
    word = re.sub(r"\W+", "_", title).strip("_").lower()[:60]
    word = word or "_".join(f"{ord(sign):x}" for sign in title[:8]) or "untitled"
    return f"_{word}" if word[0].isdigit() else word


Label = Annotated[str, BeforeValidator(lambda text: _line(text) if isinstance(text, str) else text)]
Labels = Annotated[list[str], AfterValidator(_filled)]


class Figure(Spec):
    """A label and its value, as dashboards and fact boxes show them."""

    label: Label
    value: Label


class SiteField(Spec):
    """One thing a form asks for, or a setting holds."""

    label: Label
    kind: Literal["text", "number", "date", "email", "choice", "checkbox"] = "text"
    required: bool = True
    options: Labels = Field([], description="What a choice offers; empty for other kinds.")
    value: Label = Field("", description="What it holds at first; of a checkbox yes or no.")
    least: float | None = Field(None, description="Smallest number taken; null when any is.")
    most: float | None = Field(None, description="Largest number taken; null when any is.")

    @model_validator(mode="before")
    @classmethod
    def _choices_are_choices(cls, data: Any) -> Any:
        """What has options is a choice, and a choice without any is plain text: small models mix these up."""
        if isinstance(data, dict) and data.get("kind", "text") in ("text", "choice"):
            return {**data, "kind": "choice" if data.get("options") else "text"}
        return data


class SitePage(Spec):
    """One page. What it shows depends on its kind; fields of other kinds stay empty.

    text: words and figures. list: the rows of a collection, each with a page of its own. form: fields that are
    sent off. settings: fields that are kept. cart: the rows put into it, and a form to check out.
    """

    title: Label = Field(min_length=1, description="As links to it say it; no other page has it.")
    kind: Literal["text", "list", "form", "settings", "cart"]
    text: str = Field("", max_length=2000, description="What the page says, in one to five sentences.")
    facts: list[Figure] = Field([], max_length=12, description="Labelled figures that the page shows.")
    collection: OptionalName = Field("", description="A list's collection.")
    columns: list[Name] = Field(
        [], description="What a list shows of each row; the rest stands on the row's own page. Empty for all."
    )
    search: bool = Field(False, description="Whether a list can be searched by words.")
    filters: list[Name] = Field([], description="Columns by which a list can be narrowed down.")
    page_size: int = Field(5, ge=1, le=20, description="Rows of a list on one screen.")
    button: Label = Field("", description="Puts a list's row into the cart, such as Add to basket; empty for none.")
    stock: OptionalName = Field("", description="The column that says how many are left; 0 disables the button.")
    fields: list[SiteField] = Field([], max_length=10)
    submit: Label = Field("", description="What the button says that sends or saves the fields.")
    review: bool = Field(False, description="Whether what was entered is shown again and has to be confirmed.")
    access: Access = Field("open", description="open, or what stands in the way of it.")
    under: Label = Field("", description="The page that links to it; empty when the menu does.")

    @property
    def slug(self) -> str:
        """The title as it stands in addresses."""
        return slug_of(self.title)


class Popup(Spec):
    """A dialog that lies over the site until one of its buttons is clicked, such as a cookie notice."""

    text: str = Field(max_length=300)
    buttons: Annotated[Labels, Field(min_length=1, max_length=3)]
    blocks: bool = Field(True, description="Whether nothing behind it can be seen or clicked.")
    page: Label = Field("", description="Where it appears; empty for the first page that is seen.")


class Account(Spec):
    """The one account that can sign in."""

    user: Label
    password: Label


class Site(Spec):
    """A simulated site. Its first page is the one that a visit begins on."""

    name: Label
    collections: list[Collection] = Field([], max_length=3)
    pages: list[SitePage] = Field(min_length=1, max_length=12)
    popups: list[Popup] = Field([], max_length=3)
    account: Account | None = None
    first_id: int = Field(1, ge=1, le=900, description="The number of the first element that is seen.")
    menu_last: bool = Field(False, description="Whether the menu stands at the foot of the pages.")


class Where(Spec):
    """A condition on a row."""

    field: Name
    match: Literal["equals", "contains", "at_least", "at_most", "differs"] = "equals"
    value: Scalar


class Query(Spec):
    """What is asked about a collection. The program computes the answer from the rows."""

    collection: Name
    where: list[Where] = Field([], max_length=4)
    best: Literal["", "highest", "lowest"] = Field("", description="Keep only the row with the extreme value of `by`.")
    by: OptionalName = ""
    give: Literal["value", "list", "count", "sum", "mean", "records"]
    fields: list[Name] = Field([], max_length=6, description="What is given of each row; none for a count.")


class Condition(Spec):
    """One thing that must be so in the end.

    at: the browser shows `page`, or the page of its row `field`. entry: `page` was sent with `value` in `field`.
    setting: `page` keeps `value` in `field`. cart: row `field` is in the cart, `value` times. choice: a dialog was
    left by its button `field`.
    """

    kind: Literal["at", "entry", "setting", "cart", "choice"]
    page: str = Field("", description="The page's title.")
    field: str = Field("", description="A field's label, a row's title or key, a button.")
    value: str = ""


class Lookup(Spec):
    """A figure to look up: its page, and the label it stands under."""

    page: str
    label: str


class Wanted(Spec):
    """What a task wants: a state of the site, an answer, or both."""

    conditions: list[Condition] = Field([], max_length=12)
    query: Query | None = Field(None, description="The question about rows whose result is the answer.")
    fact: Lookup | None = Field(None, description="The labelled figure of a page whose value is the answer.")
