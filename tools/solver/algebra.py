"""Terms, and what an engine must be able to do with its values."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

Sort = Literal["int", "bool", "name", "class"]


class Algebra(Protocol):
    """What an engine can do with its values: integers (names are numbered) and truth values."""

    def variable(self, name: str, low: int, high: int) -> Any: ...  # noqa: D102
    def flag(self, name: str) -> Any: ...  # noqa: D102
    def number(self, value: int) -> Any: ...  # noqa: D102
    def truth(self, value: bool) -> Any: ...  # noqa: D102
    def arithmetic(self, sign: str, left: Any, right: Any) -> Any: ...  # noqa: D102
    def compare(self, sign: str, left: Any, right: Any) -> Any: ...  # noqa: D102
    def every(self, parts: Sequence[Any]) -> Any: ...  # noqa: D102
    def either(self, parts: Sequence[Any]) -> Any: ...  # noqa: D102
    def deny(self, part: Any) -> Any: ...  # noqa: D102
    def choose(self, test: Any, yes: Any, no: Any) -> Any: ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class Term:
    """A value of some engine, and what kind of thing it is."""

    sort: Sort
    value: Any
