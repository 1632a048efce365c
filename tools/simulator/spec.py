"""What a simulated library is made of: its functions, its data, and what each function does to the data.

A model writes these values; they are flat and closed, so that a grammar can hold even a small model to them.
"""

import re
from collections.abc import Iterable
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator


def _moderate(number: int) -> int:
    if abs(number) > 10**18:
        raise ValueError("an integer of at most 18 digits is wanted")
    return number


Scalar = str | Annotated[int, AfterValidator(_moderate)] | float | bool | None
Kind = Literal["string", "integer", "number", "boolean", "array", "object"]


_WORDS_FOR_NOTHING = ("null", "None", "none", "undefined", "nil", "NULL")


def _filled(texts: list[str]) -> list[str]:
    return [text.strip() for text in texts if text.strip()]


def identifier(name: str) -> str:
    """A name as an API and an expression can both use it: `Stack.push()` becomes `Stack_push`."""
    word = re.sub(r"\W+", "_", name, flags=re.ASCII).strip("_")[:64]
    if not word:
        raise ValueError(f"{name!r} holds no letter or digit: give a name such as get_user")
    return f"_{word[:63]}" if word[0].isdigit() else word


def optional_identifier(name: str) -> str:
    """As `identifier`, but nothing stays nothing."""
    return identifier(name) if name.strip() else ""


Name = Annotated[str, AfterValidator(identifier)]
OptionalName = Annotated[str, AfterValidator(optional_identifier)]


class Spec(BaseModel):
    """A frozen part of a simulated library."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class ApiParameter(Spec):
    """One parameter of a function."""

    name: Name
    type: Kind
    description: str
    required: bool
    items: Literal["string", "integer", "number", "boolean", "object"] = Field(
        "string", description="Type of an array's items; no meaning for other types."
    )
    enum: Annotated[list[str], AfterValidator(_filled)] = Field(
        [], description="The only values allowed; empty when any is."
    )
    default: Scalar = Field(None, description="Value when left out; null when there is none.")

    @model_validator(mode="before")
    @classmethod
    def _no_default_in_name_only(cls, data: Any) -> Any:
        """What must be given has no default, and a word for nothing is none: small models write both."""
        if isinstance(data, dict) and (data.get("required") is True or data.get("default") in _WORDS_FOR_NOTHING):
            return {**data, "default": None}
        return data


class Api(Spec):
    """One function a model may call, as its documentation describes it."""

    name: Name
    description: str
    parameters: list[ApiParameter]
    returns: str = ""
    errors: Annotated[list[str], AfterValidator(_filled)] = []

    def parameter(self, name: str) -> ApiParameter | None:
        """The parameter of that name."""
        return next((one for one in self.parameters if one.name == name), None)


class Collection(Spec):
    """A table the library keeps: its column names, which column identifies a row, and the rows it begins with."""

    name: Name
    key: Name
    fields: list[Name]
    rows: list[list[Scalar]]


class Link(Spec):
    """Ties a parameter to a field: search compares them, create and update store the parameter in the field."""

    parameter: Name
    field: Name
    match: Literal["equals", "contains", "at_least", "at_most"] = "equals"


class Change(Spec):
    """A field that gets the value of an expression over parameters and fields."""

    field: Name
    expression: str


class Behaviour(Spec):
    """What a call does. Several behaviours of one api run in order; if one fails, none has happened.

    Without any links, parameters are linked to the fields of the same name.

    Expressions may use the parameters, the fields of the row at hand (of a compute without key: of all
    matching rows, as lists), and `row_<field>` for a field whose name is a parameter's too.
    """

    api: Name
    operation: Literal["get", "search", "create", "update", "delete", "compute"]
    collection: OptionalName = Field("", description="Empty for a compute that needs no data.")
    key_parameter: OptionalName = Field("", description="The parameter that holds the key of the row meant.")
    links: list[Link] = []
    changes: list[Change] = Field([], description="Fields that create or update work out.")
    expression: str = Field("", description="The result of a compute.")
    guard: str = Field("", description="Must be true, or the call fails; empty for no condition.")
    error: str = Field("", description="What the caller is told when the guard is not true.")


class Library(Spec):
    """A simulated library: functions, data, and what the functions do."""

    apis: list[Api]
    collections: list[Collection] = []
    behaviours: list[Behaviour] = []


def openai_tools(apis: Iterable[Api]) -> list[dict[str, Any]]:
    """The functions as the `tools` of a chat request."""
    return [
        {
            "type": "function",
            "function": {
                "name": api.name,
                "description": _documentation(api),
                "parameters": {
                    "type": "object",
                    "properties": {one.name: _schema(one) for one in api.parameters},
                    "required": [one.name for one in api.parameters if one.required],
                },
            },
        }
        for api in apis
    ]


def _documentation(api: Api) -> str:
    parts = [api.description.strip()]
    if api.returns.strip():
        parts.append(f"Returns: {api.returns.strip()}")
    if api.errors:
        parts.append(f"Errors: {'; '.join(error.strip() for error in api.errors)}")
    return "\n".join(parts)


def _schema(parameter: ApiParameter) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": parameter.type, "description": parameter.description}
    if parameter.type == "array":
        schema["items"] = {"type": parameter.items}
    elif parameter.enum and parameter.type == "string":
        schema["enum"] = parameter.enum
    if parameter.default is not None:
        schema["default"] = parameter.default
    return schema
