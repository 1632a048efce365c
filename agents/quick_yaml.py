"""Plain YAML 1.2, fifteen times as fast as the reader that can say what is wrong with a file.

`load` gives what that reader would, or `NotPlainError` for whatever it cannot be sure of: then the other one is asked.
"""

import re
from collections.abc import Hashable
from typing import Any

import yaml

_TAG = "tag:yaml.org,2002:"
_SCALARS = {
    "bool": (r"true|True|TRUE|false|False|FALSE", "tTfF"),
    "int": (r"[-+]?(?:0|[1-9][0-9]*)", "-+0123456789"),
    "float": (r"[-+]?(?:\.[0-9]+|(?:0|[1-9][0-9]*)(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?", "-+0123456789."),
    "null": (r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    # Other spellings of numbers, dates, merged keys: no constructor knows this one, so the careful reader is asked.
    "unsure": (r"[-+]?0[0-9xob_][\w.]*|[-+]?\d+_[\d_.]*|[-+]?\.[a-zA-Z]{3}|\d{4}-\d\d?-.*|<<|=", "-+0123456789.<="),
}


class NotPlainError(Exception):
    """Wrong, or rarer YAML than this module reads."""


class _Loader(yaml.CSafeLoader):  # type: ignore[misc]
    """The C parser, with the scalars of YAML 1.2, and no key twice."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012 - the library's own way

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Hashable, Any]:
        found: dict[Hashable, Any] = super().construct_mapping(node, deep=deep)
        if len(found) < len(node.value):
            raise yaml.YAMLError("a key given twice")
        return found


for _name, (_pattern, _first) in _SCALARS.items():
    _Loader.add_implicit_resolver(_TAG + _name, re.compile(rf"^(?:{_pattern})$"), list(_first))


def load(text: str) -> Any:
    """The value of a document.

    Raises:
        NotPlainError: ask the careful reader.
    """
    if text.startswith("%"):
        raise NotPlainError("a directive")
    try:
        return yaml.load(text, _Loader)  # noqa: S506 - it is a safe loader
    except (yaml.YAMLError, ValueError, TypeError) as error:
        raise NotPlainError(str(error)) from error
