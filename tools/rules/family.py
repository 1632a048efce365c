"""A family of hidden rules: which there are, what each makes of an input, and which of them fit given examples.

Because a family is finite, "these examples decide the answer" is a fact that can be computed: every rule of the family
that fits them all must say the same about the query.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import product
from random import Random
from types import MappingProxyType
from typing import Any, ClassVar

Spec = tuple[Any, ...]
"""A rule as data: of strings, numbers and tuples."""
Pair = tuple[str, str]
"""An input and what the rule makes of it."""


class Family:
    """A finite set of rules from text to text."""

    name: ClassVar[str]
    least: ClassVar[int] = 1
    """Examples shown at least, however few decide: people think of rules that the family has not got."""

    def space(self) -> Sequence[Spec]:
        """Every rule there is."""
        raise NotImplementedError

    def apply(self, spec: Spec, given: str) -> str | None:
        """What a rule makes of an input; None where it does not apply."""
        raise NotImplementedError

    def say(self, spec: Spec) -> str:
        """A rule in words."""
        raise NotImplementedError

    def near(self, text: str, draw: Random) -> list[str]:
        """Inputs on the words of a text, all different."""
        raise NotImplementedError

    def far(self, text: str, draw: Random) -> list[str]:
        """Inputs of another size or make than those of `near`, which the same rules apply to."""
        raise NotImplementedError

    def pick(self, draw: Random) -> Spec:
        """A rule by chance."""
        return draw.choice(self.space())

    def fitting(self, shots: Sequence[Pair]) -> Iterator[Spec]:
        """The rules that fit all examples."""
        for spec in self.space():
            if all(self.apply(spec, given) == made for given, made in shots):
                yield spec

    def predictions(self, shots: Sequence[Pair], query: str) -> frozenset[str]:
        """What the rules that fit the examples make of the query; an empty string for a rule that makes nothing."""
        return frozenset(self.apply(spec, query) or "" for spec in self.fitting(shots))

    def steps(self, spec: Spec, given: str) -> str:
        """How a rule gets from an input to its output; empty for families that show no steps."""
        return ""


class Pipeline(Family):
    """Rules that are one operation, or two one after the other."""

    operations: ClassVar[Mapping[str, Any]] = MappingProxyType({})
    """Name → (function from text to text, words)."""

    def space(self) -> Sequence[Spec]:
        """Single operations, then pairs."""
        return _pairs(tuple(self.operations))

    def singles(self) -> list[Spec]:
        """Rules of one operation."""
        return [(name,) for name in self.operations]

    def apply(self, spec: Spec, given: str) -> str | None:
        """One operation after the other; what comes to nothing does not apply."""
        for name in spec:
            given = self.operations[name][0](given)
        return given or None

    def say(self, spec: Spec) -> str:
        """The operations in words."""
        return ", then ".join(self.operations[name][1] for name in spec)


@lru_cache(maxsize=16)
def _pairs(names: tuple[str, ...]) -> tuple[Spec, ...]:
    singles: list[Spec] = [(name,) for name in names]
    return (*singles, *((first, second) for first, second in product(names, names) if first != second))


def tupled(value: Any) -> Any:
    """A rule read from JSON: lists become tuples again."""
    return tuple(map(tupled, value)) if isinstance(value, list | tuple) else value
