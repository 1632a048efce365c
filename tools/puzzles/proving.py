"""Proving a core: its key is the one answer, found again by another engine than the one that made it."""

from agentinstruct.tools.puzzles.core import Core
from agentinstruct.tools.puzzles.worked import solved
from agentinstruct.tools.solver import ProblemError, Proof, Undecided, reply


class Unproved(ValueError):
    """The key of a core is not its one answer."""


def prove(core: Core) -> str:
    """What was proved of a core, in words.

    Raises:
        Unproved: its key is not the one answer.
    """
    if core.language == "program":
        found = solved(core.recipe["name"], core.recipe["slots"])
        if found != core.key:
            raise Unproved(f"worked out anew it is {found!r}, the key is {core.key!r}")
        return f"worked out anew: {found}"
    try:
        found, count = reply(core.query), len(Proof(core.query.problem).solutions(2))
    except (ProblemError, Undecided) as error:
        raise Unproved(str(error)) from error
    if found != core.label:
        raise Unproved(f"the solver comes to {found!r}, the key is {core.label!r}")
    if core.open and count != 1:
        raise Unproved("there is more than one solution")
    return f"{'one solution' if count == 1 else 'several solutions'}, one answer: {found}"
