"""The arguments of a call, checked against the function's parameters before anything happens."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, cast

from agentinstruct.tools.simulator.spec import Api, ApiParameter

_LARGEST = 10**18
_DEEPEST = 10
_INTEGER = re.compile(r"[+-]?\d{1,15}", re.ASCII)
_NUMBER = re.compile(r"[+-]?(\d{1,15}\.?\d{0,15}|\.\d{1,15})(e[+-]?\d{1,2})?", re.ASCII | re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class CallError:
    """Why a call was refused or failed: a stable code, and a message for the caller."""

    code: str
    message: str


class CallRefused(ValueError):
    """A call that cannot be done, with the error the caller gets."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.error = CallError(code, message)


def bind(api: Api, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """A value for every parameter, of its type (converted only where nothing is lost); null where left out.

    Raises CallRefused: unknown_parameter, missing_parameter, wrong_type or not_allowed.
    """
    known = [one.name for one in api.parameters]
    for name in arguments:
        if name not in known:
            raise CallRefused("unknown_parameter", f"{api.name} has no parameter {name!r}; it has {known}.")
    return {one.name: _bound(api, one, arguments.get(one.name)) for one in api.parameters}


def _bound(api: Api, parameter: ApiParameter, value: Any) -> Any:
    if value is None:
        default = _default(parameter)
        if default is None and parameter.required:
            raise CallRefused("missing_parameter", f"{api.name} needs {parameter.name!r}.")
        return default
    try:
        value = coerce(parameter, value)
    except ValueError as error:
        raise CallRefused("wrong_type", f"{parameter.name!r} of {api.name}: {error}") from error
    for item in value if isinstance(value, list) else [value]:
        if parameter.enum and str(item) not in parameter.enum:
            message = f"{parameter.name!r} of {api.name} must be one of {parameter.enum}, not {item!r}."
            raise CallRefused("not_allowed", message)
    return value


def _default(parameter: ApiParameter) -> Any:
    if parameter.default is None:
        return None
    try:
        return coerce(parameter, parameter.default)
    except ValueError:
        return None


def coerce(parameter: ApiParameter, value: Any) -> Any:
    """The value as the parameter's type; raises ValueError where that would change what it says."""
    value = _CONVERSIONS[parameter.type](value)
    if parameter.type == "array":
        return [_CONVERSIONS[parameter.items](item) for item in value]
    return value


def _plain_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= _LARGEST


def _string(value: Any) -> str:
    if isinstance(value, str):
        return value
    if _plain_number(value):
        return str(value)
    raise ValueError(f"{_shown(value)} is not a string")


def _integer(value: Any) -> int:
    if _plain_number(value) and value == int(value):
        return int(value)
    if isinstance(value, str) and _INTEGER.fullmatch(value.strip()):
        return int(value)
    raise ValueError(f"{_shown(value)} is not an integer")


def _number(value: Any) -> int | float:
    if _plain_number(value):
        return cast("int | float", value)
    if isinstance(value, str) and _INTEGER.fullmatch(value.strip()):
        return int(value)
    if isinstance(value, str) and _NUMBER.fullmatch(value.strip()):
        return float(value)
    raise ValueError(f"{_shown(value)} is not a number")


def _boolean(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.strip().lower() in ("true", "false"):
        return value.strip().lower() == "true"
    raise ValueError(f"{_shown(value)} is not a boolean")


def _array(value: Any) -> list[Any]:
    value = _read(value)
    if isinstance(value, list | tuple):
        return [plain_json(item) for item in value]
    raise ValueError(f"{_shown(value)} is not an array")


def _object(value: Any) -> dict[str, Any]:
    value = _read(value)
    if isinstance(value, dict) and all(isinstance(key, str) for key in value):
        return cast("dict[str, Any]", plain_json(value))
    raise ValueError(f"{_shown(value)} is not an object")


def plain_json(value: Any, depth: int = 1) -> Any:
    """The value itself, if JSON can say it and it is not nested deeply."""
    if value is None or isinstance(value, str | bool) or _plain_number(value):
        return value
    if isinstance(value, list | dict) and depth <= _DEEPEST:
        for part in value.values() if isinstance(value, dict) else value:
            plain_json(part, depth + 1)
        return value
    raise ValueError(f"{_shown(value)} is too large, too deeply nested or no JSON")


def _read(value: Any) -> Any:
    """A JSON text as what it says: models often write arrays and objects so."""
    if not isinstance(value, str) or len(value) > 10_000:
        return value
    try:
        return json.loads(value, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        return value


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def _shown(value: Any) -> str:
    return (
        repr(value)[:80]
        if isinstance(value, str | bool | float) or _plain_number(value)
        else f"this {type(value).__name__}"
    )


_CONVERSIONS: Mapping[str, Callable[[Any], Any]] = {
    "string": _string,
    "integer": _integer,
    "number": _number,
    "boolean": _boolean,
    "array": _array,
    "object": _object,
}
