"""What a writer of exact instructions replies with: only the constraints its type can state, each with only its fields.

    Category(states, may_state) ─ writer_form ─ {instruction, constraints: [one of the kinds, …]}

The flat `Constraint` has a field for every kind. Offered a choice of whole shapes instead, a model cannot
leave the constraints out, take a kind that has nothing to do with the type, or fill a field that is not read.
"""

from functools import lru_cache
from typing import Any, Literal, Union

from pydantic import BaseModel, ConfigDict, Field, create_model

from agentinstruct.agents.forms import FORMS, Revision
from agentinstruct.agents.forms.form import Form
from agentinstruct.agents.skill import Category
from agentinstruct.tools.constraints.rules import STYLES, Constraint, Kind

_PLACE = ("scope", "position")
_READS: dict[Kind, tuple[str, ...]] = {
    "case": ("style", *_PLACE),
    "sentence_starts": ("style", "words"),
    "word_starts": ("style", "words", "number"),
    "forbid_letters": ("words",),
    "forbid_words": ("words",),
    "require_words": ("words",),
    "count": ("words", "number"),
    "replace_words": ("swaps", "rest"),
    "remove": ("style", "words", "rest"),
    "same_words": (),
    "contains_source": (),
    "unchanged_elsewhere": _PLACE,
    "keep_numbers": (),
    "readability_drops": (),
    "only_output": (),
    "starts_with": ("words",),
    "ends_with": ("words",),
    "dates": ("style",),
    "times": ("style",),
    "numbers": ("style",),
    "spelling": ("style",),
    "markup": ("style", "words", "number"),
    "language": ("words",),
    "two_languages": ("words",),
    "no_pii": ("words",),
    "acrostic": ("words",),
    "rhyme": ("words",),
    "syllables_per_line": ("style", "number"),
    "meter": ("style", "number"),
    "refrain": ("words", "number"),
    "dialogue": ("words", "number"),
    "sections": ("words",),
    "letter": ("style", "words"),
    "hashtags": ("words", "number"),
    "point_of_view": ("style",),
    "anaphora": ("words", "number"),
    "titled": (),
}
"""The fields a writer fills in for each kind; `number` alone for the limits, which are not listed."""
_OPEN = ("refrain", "dialogue", "hashtags")
"""Kinds that may name words and need not."""


class _Stated(BaseModel):
    """A constraint of one kind; what it does not read may be given and is ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore")


def writer_form(category: Category) -> type[BaseModel]:
    """What a writer fills in; for instructions that must state something exact, a form that cannot leave it out."""
    form = FORMS[category.form]
    if issubclass(form, Revision) and category.states:
        return _exact(form, (*category.states, *category.may_state))
    return form.written_for(category)


@lru_cache(maxsize=64)
def _exact(form: type[Revision], kinds: tuple[Kind, ...]) -> type[Form]:
    shapes: Any = Union[tuple(_shape(kind) for kind in dict.fromkeys(kinds))]  # noqa: UP007  (made at run time)
    bounds = Field(min_length=1, max_length=4)
    return create_model(f"Exact{form.__name__}", __base__=form, constraints=(tuple[shapes, ...], bounds))


def _shape(kind: Kind) -> type[BaseModel]:
    fields: dict[str, Any] = {"kind": (Literal[kind], ...)}
    for name in _READS.get(kind, ("number",)):
        fields[name] = _field(kind, name)
    return create_model(f"Stated_{kind}", __base__=_Stated, **fields)


def _field(kind: Kind, name: str) -> tuple[Any, Any]:
    info = Constraint.model_fields[name]
    if name == "style":
        return Literal[STYLES[kind]], info
    if kind == "unchanged_elsewhere":
        place: Any = Literal["paragraph", "sentence"] if name == "scope" else Literal[1, 2, 3, 4, 5, -1]
        return place, Field(description=info.description)
    if name in ("words", "swaps"):
        least = 0 if kind in _OPEN or ("style" in _READS[kind] and kind != "markup") else 1
        return info.annotation, Field(
            min_length=least, max_length=4 if name == "swaps" else 12, description=info.description
        )
    return info.annotation, info
