"""Cores of puzzles: sampled, solved and proved by the program, before a model puts them into words.

    cast = Cast.of(people=["Ruth", "Anna", …], things=[…], places=[…], kinds=[…])
    core = sample("ordering", cast, Random(7))       setting, rules, question, options and key, proved
    harder(core, "add_rule", cast, Random(8))        the same with one rule more, proved again
    prove(core)                                      raises Unproved where the key is not the one answer

Two kinds: what constraints say (`families.py`, on scenes) and what a procedure works out (`draws.py`, `procedures.py`).
"""

from random import Random

from agentinstruct.tools.puzzles.cast import Cast, TooFew
from agentinstruct.tools.puzzles.core import LETTERS, Core, NoCore
from agentinstruct.tools.puzzles.draws import WORKED, worked
from agentinstruct.tools.puzzles.families import FAMILIES, ruled
from agentinstruct.tools.puzzles.harder import harder
from agentinstruct.tools.puzzles.proving import Unproved, prove

__all__ = [
    "FAMILIES",
    "LETTERS",
    "WORKED",
    "Cast",
    "Core",
    "NoCore",
    "TooFew",
    "Unproved",
    "harder",
    "prove",
    "sample",
]


def sample(family: str, cast: Cast, draw: Random) -> Core:
    """A core of this family.

    Raises:
        TooFew: the cast is too small for it. NoCore: no sound one was found in the tries allowed.
    """
    return worked(family, cast, draw) if family in WORKED else ruled(family, cast, draw)
