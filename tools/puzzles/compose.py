"""Composing: rules drawn for a scene until its worlds are as few as wanted.

Everything here works on the scene's worlds, listed once; the finished core is proved again by the other engine.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from random import Random
from typing import Any

from agentinstruct.tools.puzzles.core import Core, NoCore
from agentinstruct.tools.puzzles.scene import Scene
from agentinstruct.tools.puzzles.statements import Statement, joined
from agentinstruct.tools.solver import Worlds, worlds

TRIES = 60


@dataclass
class Composer:
    """Draws rules and questions for one scene."""

    scene: Scene
    draw: Random
    start: Worlds = field(init=False)

    def __post_init__(self) -> None:
        self.start = worlds(self.scene.base)

    def shuffled(self) -> list[Statement]:
        """All that can be said, in a random order that takes every phrase in turn."""
        heaps: dict[str, list[Statement]] = {}
        for statement in self.draw.sample(self.scene.statements, len(self.scene.statements)):
            heaps.setdefault(statement.phrase, []).append(statement)
        rounds = zip_longest(*self.draw.sample(list(heaps.values()), len(heaps)))
        return [statement for round_ in rounds for statement in round_ if statement]

    def solving(self, begun: Sequence[Statement] = ()) -> list[Statement]:
        """True statements about one world that leave no other, each of them needed; `begun` are some to start with."""
        left, rules = self.start.only(*(rule.formal for rule in begun)), list(begun)
        if not left.found:
            raise NoCore("the rules to start with exclude every world")
        home = Worlds(self.start.reader, (self.draw.choice(left.found),))
        for statement in self.shuffled():
            if len(left.found) == 1:
                break
            if home.where(statement.formal) and not _too_much(statement):
                fewer = left.only(statement.formal)
                if len(fewer.found) < len(left.found):
                    left, rules = fewer, [*rules, statement]
        if len(left.found) != 1:
            raise NoCore("the statements do not single out one world")
        return self._needed(rules)

    def _needed(self, rules: list[Statement]) -> list[Statement]:
        """The rules without those that the others make superfluous."""
        for rule in list(rules):
            rest = [other for other in rules if other is not rule]
            if len(self.start.only(*(other.formal for other in rest)).found) == 1:
                rules = rest
        return rules

    def ruled(
        self, count: int, least: int, most: int, conditional: float = 0.35, begun: Sequence[Statement] = ()
    ) -> list[Statement]:
        """So many rules, each of which excludes something, that leave between `least` and `most` worlds."""
        for _ in range(TRIES):
            left, rules = self.start.only(*(rule.formal for rule in begun)), list(begun)
            for statement in self.said(conditional, 12 * count):
                fewer = left.only(statement.formal)
                fresh = not any(set(statement.about) == set(rule.about) for rule in rules)
                if fresh and least <= len(fewer.found) < len(left.found):
                    left, rules = fewer, [*rules, statement]
                if len(rules) == count:
                    break
            if len(rules) == count and len(left.found) <= most and self.independent(rules):
                return rules
        raise NoCore(f"no {count} rules leave {least} to {most} worlds")

    def said(self, conditional: float, count: int) -> Iterator[Statement]:
        """Rules to try: plain statements, and conditions made of two."""
        kinds = list(dict.fromkeys(statement.phrase for statement in self.scene.statements))
        heaps = {kind: [s for s in self.scene.statements if s.phrase == kind] for kind in kinds}
        for _ in range(count):
            first, second = (self.draw.choice(heaps[self.draw.choice(kinds)]) for _ in range(2))
            if self.draw.random() >= conditional:
                if not _too_much(first):
                    yield first
            elif not set(first.about) <= set(second.about) and not set(second.about) <= set(first.about):
                yield joined("if", first, second)

    def independent(self, rules: Sequence[Statement]) -> bool:
        """Whether every rule still excludes something when the others hold."""
        everything = self.start.only(*(rule.formal for rule in rules))
        for rule in rules:
            rest = self.start.only(*(other.formal for other in rules if other is not rule))
            if len(rest.found) == len(everything.found):
                return False
        return True

    def obvious(self, statement: Statement, rules: Sequence[Statement]) -> bool:
        """Whether one rule decides it by itself, so that there is nothing to deduce."""
        holds = self.start.where(statement.formal)
        ruled = [self.start.where(rule.formal) for rule in rules]
        return any(not rule & holds or not rule & ~holds for rule in ruled)


def _too_much(statement: Statement) -> bool:
    """Whether it hands over a place, a group or a partner outright: a clue that leaves nothing to find."""
    return statement.phrase in ("at", "in", "goes", "chosen", "not_chosen")


def complete(scene: Scene, **entries: Any) -> Core:
    """A core of this scene."""
    recipe = dict(scene.recipe)
    return Core(
        language="constraints", names=scene.names, setting=scene.setting, base=scene.base, recipe=recipe, **entries
    )
