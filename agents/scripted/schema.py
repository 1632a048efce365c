"""A value that fits a JSON schema, made of given words: what an agent without a script replies."""

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import count, islice
from typing import Any

from pydantic import BaseModel


def words_of(value: object) -> list[str]:
    """The words in some inputs, at most a few hundred, in order."""
    return list(islice(_words(value), 400)) or ["nothing"]


def _words(value: object) -> Iterator[str]:
    if isinstance(value, BaseModel):
        value = value.model_dump()
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, str):
        yield from value.split()
    elif isinstance(value, list | tuple):
        for part in value:
            yield from _words(part)


def instance(schema: Mapping[str, Any], words: Sequence[str]) -> Any:
    """The plainest value of a schema: first choices, shortest lists, every string of other words."""
    return _Builder(schema.get("$defs", {}), words).value(schema)


class _Builder:
    def __init__(self, definitions: Mapping[str, Any], words: Sequence[str]) -> None:
        self._definitions = definitions
        self._words = words
        self._strings = count()

    def value(self, schema: Mapping[str, Any]) -> Any:
        """A value of this part of the schema."""
        if "$ref" in schema:
            return self.value(self._definitions[schema["$ref"].rsplit("/", 1)[-1]])
        for choice in ("const", "enum"):
            if choice in schema:
                return schema[choice][0] if choice == "enum" else schema[choice]
        for several in ("anyOf", "oneOf", "allOf"):
            if schema.get(several):
                return self.value(schema[several][0])
        return self._plain(schema)

    def _plain(self, schema: Mapping[str, Any]) -> Any:
        kind = schema.get("type", "string")
        if kind == "object":
            return {name: self.value(part) for name, part in schema.get("properties", {}).items()}
        if kind == "array":
            parts = schema.get("prefixItems") or [schema.get("items", {})] * schema.get("minItems", 0)
            return [self.value(part) for part in parts]
        if kind in ("integer", "number"):
            return schema.get("minimum", schema.get("exclusiveMinimum", -1) + 1)
        if kind != "string":
            return {"boolean": True, "null": None}.get(kind)
        text = self._text(schema.get("minLength", 1))
        return _fitting(text, schema["pattern"]) if "pattern" in schema else text

    def _text(self, length: int) -> str:
        start = next(self._strings) * 5
        picked: list[str] = []
        while len(picked) < 5 or len(" ".join(picked)) < length:
            picked.append(self._words[(start + len(picked)) % len(self._words)])
        return " ".join(picked)


def _fitting(text: str, pattern: str) -> str:
    """The text, or a name made of it, whichever a pattern allows."""
    letters = "".join(character for character in text.casefold() if "a" <= character <= "z")
    names = (text, text.split()[0], letters[:12], letters[:3], letters[:1])
    return next((name for name in names if re.search(pattern, name)), text)
