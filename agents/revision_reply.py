"""What a writer of exact instructions replies with: only the constraints its type can state, each with only its fields.

    Category(states, may_state) ─ writer_form ─ {instruction, constraints: [one of the kinds, …]}

The flat `Constraint` has a field for every kind. Offered a choice of whole shapes instead, a model cannot
leave the constraints out, take a kind that has nothing to do with the type, or fill a field that is not read.
"""

from functools import lru_cache
from typing import Any, Literal, Union

from pydantic import BaseModel, ConfigDict, Field, create_model

from agentinstruct.agents.form import Form
from agentinstruct.agents.forms import FORMS, Revision
from agentinstruct.agents.skill import Category
from agentinstruct.tools.constraint_rules import STYLES, Constraint, Kind

_PLACE = ("scope", "position")
_READS: dict[Kind, tuple[str, ...]] = {
    "case": ("style", *_PLACE),
    "sentence_starts": ("style", "words", *_PLACE),
    "word_starts": ("style", "words", "number", *_PLACE),
    "forbid_letters": ("words", *_PLACE),
    "forbid_words": ("words", *_PLACE),
    "require_words": ("words", *_PLACE),
    "count": ("words", "number", *_PLACE),
    "replace_words": ("swaps", "rest", *_PLACE),
    "remove": ("style", "words", "rest", *_PLACE),
    "same_words": (),
    "contains_source": (),
    "unchanged_elsewhere": _PLACE,
    "keep_numbers": (),
    "readability_drops": (),
    "only_output": (),
    "starts_with": ("words", *_PLACE),
    "ends_with": ("words", *_PLACE),
    "dates": ("style", *_PLACE),
    "times": ("style", *_PLACE),
    "numbers": ("style", *_PLACE),
    "spelling": ("style", *_PLACE),
    "markup": ("style", "words", "number", *_PLACE),
    "language": ("words",),
    "two_languages": ("words",),
    "no_pii": ("words",),
}
"""The fields that each kind's check reads; `number` alone for the limits, which are not listed."""


class _Stated(BaseModel):
    """A constraint of one kind; what it does not read may be given and is ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore")


def writer_form(category: Category) -> type[Form]:
    """The form a writer fills in; for instructions that must state something exact, one that cannot leave it out."""
    form = FORMS[category.form]
    return _exact((*category.states, *category.may_state)) if form is Revision and category.states else form


def plain_form(category: Category, written: Form) -> Form:
    """The category's own form, read from what a writer filled in."""
    return FORMS[category.form].model_validate(written.model_dump(mode="json", by_alias=True))


@lru_cache(maxsize=64)
def _exact(kinds: tuple[Kind, ...]) -> type[Form]:
    shapes: Any = Union[tuple(_shape(kind) for kind in dict.fromkeys(kinds))]  # noqa: UP007  (made at run time)
    bounds = Field(min_length=1, max_length=6)
    return create_model("ExactRevision", __base__=Revision, constraints=(tuple[shapes, ...], bounds))


def _shape(kind: Kind) -> type[BaseModel]:
    fields: dict[str, Any] = {"kind": (Literal[kind], ...)}
    for name in _READS.get(kind, ("number", *_PLACE)):
        info = Constraint.model_fields[name]
        fields[name] = (Literal[STYLES[kind]] if name == "style" else info.annotation, info)
    return create_model(f"Stated_{kind}", __base__=_Stated, **fields)
