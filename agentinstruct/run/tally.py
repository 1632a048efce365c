"""What became of one category's drafts, and what is said where too few of them passed."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

BARREN = 12
"""Drafts, none of which passed, after which other categories do not wait for one."""
HOPELESS = 100
"""A category is given up when fewer than one in a hundred of this many drafts have passed."""

NAMED = 4
"""Categories that are named where many fell short alike."""


@dataclass(slots=True)
class Tally:
    """What became of one category's drafts."""

    accepted: int = 0
    tried: int = 0
    items: int = 0
    """Work items that it was drawn in."""
    flying: int = 0
    """Of these, those not finished."""
    reasons: Counter[str] = field(default_factory=Counter)

    @property
    def barren(self) -> bool:
        """Whether nothing has passed of a fair number: other categories do not wait for it."""
        return not self.accepted and self.tried >= BARREN

    @property
    def hopeless(self) -> bool:
        """Whether hardly anything passes."""
        return self.tried >= HOPELESS and self.accepted * HOPELESS < self.tried


@dataclass(frozen=True, slots=True)
class Missing:
    """What fell short of the target, and why."""

    group: str
    accepted: int
    wanted: int
    why: str
    reasons: tuple[tuple[str, int], ...] = ()
    """What most of its drafts were dropped for."""


def together(missing: Iterable[Missing]) -> list[Missing]:
    """Of each skill, the categories that fell short for the same reason as one: it is said once."""
    alike: dict[tuple[str, str], list[Missing]] = {}
    for one in missing:
        alike.setdefault((one.group.partition("/")[0], one.why), []).append(one)
    return [_joined(skill, found) if len(found) > 1 else found[0] for (skill, _), found in alike.items()]


def _joined(skill: str, found: Sequence[Missing]) -> Missing:
    names = [one.group.partition("/")[2] for one in found]
    more = [f"{len(names) - NAMED} more"] * (len(names) > NAMED)
    reasons = sum((Counter(dict(one.reasons)) for one in found), Counter[str]())
    return Missing(
        f"{skill}, {len(names)} categories ({', '.join([*names[:NAMED], *more])})",
        sum(one.accepted for one in found),
        sum(one.wanted for one in found),
        found[0].why,
        tuple(reasons.most_common(2)),
    )
