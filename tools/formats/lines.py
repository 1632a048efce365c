"""Formats of one thing to a line: lists, `key: value` lines, and the YAML that is no more than data."""

import re
from typing import Any

from agentinstruct.tools.formats.errors import FormatError, bounded

_BULLET = re.compile(r"(?:[-*•]|\d{1,4}[.)])[ \t]+(.*)")
_PAIR = re.compile(r"([^\s:#-][^:\n]{0,80}?)[ \t]*:(?:[ \t]+(.*))?")
_DEEPEST = 40


def read_list(text: str) -> list[str]:
    """The entries of a bulleted or numbered list; all lines must be entries, marked in the same way.

    Raises:
        FormatError: a line is no entry, or bullets and numbers are mixed.
    """
    entries, marks = [], set()
    for number, line in enumerate(bounded(text).splitlines(), 1):
        if not line.strip():
            continue
        found = _BULLET.fullmatch(line.strip())
        if not found or not found[1].strip():
            raise FormatError(f"line {number} is no list entry: {line.strip()[:60]!r}")
        entries.append(found[1].strip())
        marks.add("1" if line.strip()[0].isdigit() else line.strip()[0])
    if len(marks) > 1:
        raise FormatError(f"entries are marked in several ways: {' '.join(sorted(marks))}")
    return entries


def read_pairs(text: str) -> dict[str, str]:
    """`key: value` lines, each key once; a value may be empty.

    Raises:
        FormatError: a line is no such pair, or a key is doubled.
    """
    found: dict[str, str] = {}
    for number, line in enumerate(bounded(text).splitlines(), 1):
        if not line.strip():
            continue
        pair = _PAIR.fullmatch(line.strip())
        if not pair:
            raise FormatError(f"line {number} is no `key: value` pair: {line.strip()[:60]!r}")
        if pair[1] in found:
            raise FormatError(f"the key {pair[1]!r} stands twice")
        found[pair[1]] = (pair[2] or "").strip()
    return found


def read_yaml(text: str) -> Any:
    """One YAML document of plain data: no tags, no anchors, no key twice, dates and such left as text.

    Raises:
        FormatError: it is malformed, or uses more of YAML than data needs.
    """
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    source = bounded(text)
    yaml = YAML(typ="safe", pure=True)
    try:
        for event in yaml.parse(source):
            if getattr(event, "anchor", None) or getattr(event, "tag", None):
                raise FormatError("anchors, aliases and tags are not used in plain data")
        return _plain(yaml.load(source), _DEEPEST)
    except YAMLError as error:
        raise FormatError(f"not YAML: {' '.join(str(error).split())[:200]}") from error
    except (RecursionError, ValueError) as error:
        raise error if isinstance(error, FormatError) else FormatError(f"not usable YAML: {error}") from error


def _plain(value: Any, left: int) -> Any:
    if not left:
        raise FormatError("nested too deep")
    if isinstance(value, dict):
        return {str(key): _plain(part, left - 1) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part, left - 1) for part in value]
    return value if value is None or isinstance(value, str | int | float | bool) else str(value)
