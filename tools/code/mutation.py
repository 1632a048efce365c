"""Whether tests prove a solution: they pass on it, fail on a hollow one, and find most of its mutants out.

Tests written by a model often pass on anything. So the program changes the solution in small wrong ways, one at a
time, and asks how many of these changes the tests notice.
"""

import asyncio
from dataclasses import dataclass
from functools import lru_cache
from random import Random

from agentinstruct.tools.code.mutants import Mutant, mutants
from agentinstruct.tools.sandbox import Limits, verify

SHARE = 0.6
"""Of the mutants, this share must fail the tests; some mutants do what the original does."""
MUTANTS = 6
_LIMITS = Limits(wall_s=30, cpu_s=5)
_MUTANT_LIMITS = Limits(wall_s=12, cpu_s=2)
"""It is CPU time that ends a loop, so that a busy machine fails no code; the other is for what waits."""


@dataclass(frozen=True, slots=True)
class Proof:
    """What tests prove of a solution; `fault` says what is missing and is empty when nothing is."""

    fault: str
    made: int = 0
    """Mutants that were run."""
    killed: int = 0
    survivors: tuple[str, ...] = ()

    @property
    def proved(self) -> bool:
        """Whether the tests pass, and would not on something else."""
        return not self.fault

    @property
    def evidence(self) -> str:
        """The fault, or how much was noticed."""
        return self.fault or f"passes; fails hollow, and {self.killed} of {self.made} mutants fail"


async def prove(solution: str, tests: str, *, share: float = SHARE, count: int = MUTANTS) -> Proof:
    """Run the tests on the solution and on its mutants, which are the same ones each time.

    Raises SandboxUnavailable where nothing can hold the code.
    """
    return await asyncio.to_thread(_proof, solution, tests, share, count)


async def check(solution: str, tests: str, limits: Limits = _LIMITS) -> str:
    """Why tests do not pass on a solution, in the sandbox; empty when they do and would not without it."""
    return await asyncio.to_thread(_fault, solution, tests, limits)


@lru_cache(maxsize=512)
def _proof(solution: str, tests: str, share: float, count: int) -> Proof:
    if fault := _fault(solution, tests, _LIMITS):
        return Proof(fault)
    made = mutants(solution, Random(solution), count)
    survivors = [mutant.what for mutant in made if _survives(mutant, tests)]
    killed = len(made) - len(survivors)
    if made and killed < share * len(made):
        fault = f"only {killed} of {len(made)} mutants fail the tests; one that passes: {survivors[0]}"
        return Proof(fault, len(made), killed, tuple(survivors))
    return Proof("", len(made), killed, tuple(survivors))


@lru_cache(maxsize=2048)
def _fault(solution: str, tests: str, limits: Limits) -> str:
    outcome = verify(solution, tests, limits=limits)
    if not outcome.passed:
        return f"{outcome.verdict}: {outcome.reason}"
    return f"could have forged its verdict: {outcome.suspects[0]}" if outcome.suspects else ""


def _survives(mutant: Mutant, tests: str) -> bool:
    return verify(mutant.code, tests, limits=_MUTANT_LIMITS).verdict in ("passed", "vacuous")
