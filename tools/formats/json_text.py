"""JSON as the standard has it: one value, no key twice, no NaN."""

import json
import re
from typing import Any

from agentinstruct.tools.formats.errors import FormatError, bounded

_FENCED = re.compile(r"```(?:json)?[ \t]*\n(.*?)\n[ \t]*```", re.DOTALL)
_OPENS = re.compile(r"[{\[]")
_MOST_TRIES = 50


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise FormatError(f"the key {key!r} stands twice in one object")
        found[key] = value
    return found


def _no_constant(name: str) -> Any:
    raise FormatError(f"{name} is not JSON")


_DECODER = json.JSONDecoder(object_pairs_hook=_members, parse_constant=_no_constant)


def read_json(text: str) -> Any:
    """The one JSON value that the text is.

    Raises:
        FormatError: there is none, it is malformed, a key is doubled, or something stands around it.
    """
    try:
        return _DECODER.decode(bounded(text))
    except json.JSONDecodeError as error:
        raise FormatError(f"not JSON: {error.msg} at line {error.lineno}, column {error.colno}") from error
    except (RecursionError, ValueError) as error:
        raise error if isinstance(error, FormatError) else FormatError(f"not usable JSON: {error}") from error


def embedded_json(text: str) -> Any:
    """The first JSON object or array in a text that may have words or a fence around it.

    Raises:
        FormatError: there is none.
    """
    whole = bounded(text)
    if fenced := _FENCED.search(whole):
        return read_json(fenced[1])
    for opening in list(_OPENS.finditer(whole))[:_MOST_TRIES]:
        try:
            return _DECODER.raw_decode(whole, opening.start())[0]
        except (ValueError, RecursionError):
            continue
    raise FormatError("holds no JSON object or array")
