"""Families of puzzles on constraints: which scene, how many rules, how much is left open, and what is asked."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from agentinstruct.tools.puzzles.cast import Cast
from agentinstruct.tools.puzzles.compose import complete
from agentinstruct.tools.puzzles.core import Core, NoCore
from agentinstruct.tools.puzzles.policy import policy
from agentinstruct.tools.puzzles.questions import Asker
from agentinstruct.tools.puzzles.scenes import drawn, scene
from agentinstruct.tools.puzzles.statements import Statement
from agentinstruct.tools.solver import SUFFICIENCY, ProblemError, Wanted

TRIES = 24


@dataclass(frozen=True)
class Family:
    """A kind of puzzle; sizes, rules and worlds as ranges."""

    scenes: tuple[str, ...]
    sizes: tuple[int, int]
    wanted: tuple[Wanted, ...]
    rules: tuple[int, int] = (3, 5)
    open: tuple[int, int] = (4, 40)
    conditional: float = 0.35
    given: float = 0.0
    """How often a question has a condition of its own."""
    singled: bool = False
    """Whether the rules single out one world, and the question has an open answer."""


FAMILIES: Mapping[str, Family] = {
    "ordering": Family(("turns",), (5, 6), ("must", "could", "cannot"), given=0.3),
    "grouping": Family(("groups",), (5, 6), ("must", "could", "cannot"), given=0.3),
    "hybrid": Family(("both",), (4, 4), ("must", "could", "cannot"), (4, 5)),
    "chain": Family(("choice",), (5, 6), ("must",), (4, 5), (2, 24), conditional=0.9, given=1.0),
    "syllogism": Family(("kinds",), (3, 3), ("must", "cannot"), (2, 3), (2, 120), conditional=0.0),
    "modality": Family(("turns", "groups", "both"), (4, 6), ("must", "could", "cannot"), given=0.5),
    "substitution": Family(("turns", "groups"), (5, 5), ("same",), (3, 4), (2, 60), conditional=0.3),
    "minimum": Family(("turns", "groups"), (5, 6), ("determines",), (3, 4), (3, 30)),
    "sufficiency": Family(("turns", "groups", "choice"), (5, 5), ("sufficient",), (2, 3), (4, 60)),
    "contradiction": Family(("turns", "groups"), (5, 5), ("conflict",), (2, 3), (3, 60)),
    "table": Family(("table",), (4, 4), ("must", "could", "cannot"), (1, 2), (2, 40), conditional=0.0),
    "policy": Family((), (5, 6), ("must",)),
    "grid": Family(("grid",), (4, 4), ("must",), singled=True),
    "liars": Family(("liars",), (4, 5), ("must",), singled=True),
    "schedule": Family(("turns",), (5, 6), ("must",), singled=True),
}


def ruled(name: str, cast: Cast, draw: Random, larger: int = 0) -> Core:
    """A core of this family; `larger` adds to its size.

    Raises:
        TooFew: the cast is too small. NoCore: no sound one was found.
    """
    family = FAMILIES[name]
    size = draw.randint(*family.sizes) + larger
    if name == "policy":
        return policy(cast, draw, size)
    # Drawn once: some verdicts are found in fewer scenes than others, and must not be rarer for it.
    aim = draw.choice(SUFFICIENCY)
    for _ in range(TRIES):
        try:
            kind = draw.choice(family.scenes)
            return posed(name, Asker(scene(drawn(kind, cast, min(size, LARGEST[kind]), draw)), draw, aim=aim))
        except (NoCore, ProblemError):
            continue
    raise NoCore(f"no {name} puzzle was found in {TRIES} tries")


LARGEST: Mapping[str, int] = {
    "turns": 7, "groups": 7, "both": 5, "choice": 9, "kinds": 3, "table": 6, "grid": 5, "liars": 6,
}  # fmt: skip


def posed(name: str, composer: Asker) -> Core:
    """Rules and a question for a composer's scene."""
    family, draw = FAMILIES[name], composer.draw
    if family.singled:
        rules = composer.solving()
        return complete(composer.scene, family=name, rules=tuple(rules), **open_question(composer, rules))
    rules = composer.ruled(draw.randint(*family.rules), *family.open, family.conditional)
    given = condition(composer, rules) if draw.random() < family.given else None
    return asked(name, composer, rules, draw.choice(family.wanted), given)


def asked(
    name: str, composer: Asker, rules: Sequence[Statement], wanted: Wanted, given: Statement | None = None
) -> Core:
    """A core with a question with options."""
    entries = composer.asked(wanted, rules, given)
    return complete(composer.scene, family=name, rules=tuple(rules), given=given, **entries)


def condition(composer: Asker, rules: Sequence[Statement]) -> Statement:
    """Something that the rules leave open, and that leaves something open."""
    left = composer.start.only(*(rule.formal for rule in rules))
    for statement in composer.shuffled():
        if 1 < left.where(statement.formal).bit_count() < len(left.found):
            return statement
    raise NoCore("nothing can be supposed")


def open_question(composer: Asker, rules: Sequence[Statement]) -> dict[str, Any]:
    """A question whose answer no single rule gives away."""
    found = composer.start.only(*(rule.formal for rule in rules))
    for question, answers in composer.draw.sample(composer.scene.candidates, len(composer.scene.candidates)):
        right = next(i for i, answer in enumerate(answers) if found.where(answer.formal))
        claim = answers[right].formal
        if not any(gives_away(composer, rule, claim) for rule in rules):
            return {"question": question, "choices": answers, "right": right, "key": answers[right].text, "open": True}
    raise NoCore("every question is answered by one rule")


def gives_away(composer: Asker, rule: Statement, claim: str) -> bool:
    """Whether a rule by itself makes a claim certain."""
    left = composer.start.only(rule.formal)
    return left.where(claim).bit_count() == len(left.found)
