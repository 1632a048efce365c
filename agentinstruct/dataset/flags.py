"""Flags: what a reader would stumble over, found row by row, each by a rule with a name.

flag(row)                    → [Flag(name, where, evidence), …]
Choice.of("drop:email")      → which flags take a row away; the others are kept in its `flags`
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from importlib.util import find_spec
from types import MappingProxyType
from typing import Any, Self

from agentinstruct.agents.errors import SetupError
from agentinstruct.dataset import flags_asked, flags_form, flags_private, flags_said
from agentinstruct.dataset.flag import Flag, Rule, View

__all__ = ["RULES", "Choice", "Flag", "Flagged", "flag", "missing"]

_ALL = (*flags_form.RULES, *flags_said.RULES, *flags_asked.RULES, *flags_private.RULES)
RULES: Mapping[str, Rule] = MappingProxyType({rule.name: rule for rule in _ALL})
"""Every rule by name."""


def flag(row: Mapping[str, Any]) -> list[Flag]:
    """What the rules find in a row, each at most once. Raises `RunError` when the row has no known shape."""
    view = View(row)
    return [found for rule in RULES.values() if (found := rule.flag(view))]


def missing() -> dict[str, str]:
    """The rules that find nothing because a package is not installed, each with the package (extra `clean`)."""
    return {name: package for name, package in flags_private.NEEDS.items() if find_spec(package) is None}


@dataclass(frozen=True, slots=True)
class Choice:
    """Which flags take a row away."""

    drops: frozenset[str]

    @classmethod
    def of(cls, text: str) -> Self:
        """`keep` · `drop`: those that no dataset should have · `drop:all` · `drop:NAME,NAME`.

        Raises:
            SetupError: it is none of them, or no rule has that name.
        """
        how, _, listed = text.partition(":")
        names = [name.strip() for name in listed.split(",") if name.strip()]
        if how not in ("keep", "drop") or (how == "keep" and names):
            raise SetupError(f"--flags {text}: write keep, drop, drop:all or drop:NAME,NAME.")
        for name in names:
            if name not in (*RULES, "all"):
                close = get_close_matches(name, RULES, 1)
                hint = f" Did you mean {close[0]}?" if close else f" There are {', '.join(RULES)}."
                raise SetupError(f"--flags {text}: no flag is called {name!r}.{hint}")
        if how == "keep":
            return cls(frozenset())
        usual = {name for name, rule in RULES.items() if rule.drops}
        return cls(frozenset(RULES if "all" in names else names or usual))

    def taken(self, found: Iterable[Flag]) -> list[Flag]:
        """The flags that take the row away."""
        return [one for one in found if one.name in self.drops]


@dataclass(slots=True)
class Flagged:
    """How often each flag was found."""

    rows: int = 0
    flagged: int = 0
    """Rows with any flag."""
    names: Counter[str] = field(default_factory=Counter)

    def add(self, found: Iterable[Flag]) -> None:
        """Count a row's flags."""
        names = {one.name for one in found}
        self.rows += 1
        self.flagged += bool(names)
        self.names.update(names)

    def stats(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "rows": self.rows,
            "flagged": self.flagged,
            "flags": dict(sorted(self.names.items())),
            "not_looked_for": missing(),
        }
