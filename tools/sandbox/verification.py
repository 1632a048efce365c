"""Whether tests really pass on a solution: a secret line printed after the last test, and exit status 0.

Nothing that the solution prints or returns counts otherwise: not exit 0 alone, not "PASSED", not a summary.
The same tests are then run with every function of the solution hollowed out; tests that pass on that verify nothing.
"""

import asyncio
import secrets
from dataclasses import dataclass
from typing import Literal

from agentinstruct.tools.sandbox.box import Sandbox
from agentinstruct.tools.sandbox.plan import text_of
from agentinstruct.tools.sandbox.results import ExecResult, Limits
from agentinstruct.tools.sandbox.suspects import forgery_suspects
from agentinstruct.tools.sandbox.testplan import TestPlan, plan_tests

Verdict = Literal["passed", "failed", "vacuous", "untested", "unfinished"]
"""`vacuous`: the tests pass on a hollow solution too. `untested`: there is nothing to run in them.
`unfinished`: a limit or the sandbox ended the run."""


@dataclass(frozen=True, slots=True)
class Verification:
    """What the tests prove about the solution."""

    verdict: Verdict
    reason: str
    suspects: tuple[str, ...] = ()
    """Ways in which the solution could have forged the verdict; a second look is due where there are any."""
    result: ExecResult | None = None
    hollow: ExecResult | None = None

    @property
    def passed(self) -> bool:
        """The tests ran to their end on the solution and fail without it."""
        return self.verdict == "passed"

    @property
    def verified(self) -> bool:
        """Passed, and nothing in the solution looks like a forgery."""
        return self.passed and not self.suspects


def verify(
    solution: str,
    tests: str,
    *,
    limits: Limits = Limits(),  # noqa: B008 - a frozen value
    sandbox: Sandbox = Sandbox(),  # noqa: B008 - a frozen value
) -> Verification:
    """Run tests (asserts, `test_…` functions, unittest classes; pytest where `modules` has it) on a solution.

    Tests see the solution's names and may also import it as `solution`. Raises as `Sandbox.run` does.
    """
    plan, fault = plan_tests(tests)
    if plan is None:
        return Verification("untested", fault)
    suspects = forgery_suspects(solution)
    result, proved = _run(solution, tests, plan, False, limits, sandbox)
    if not proved:
        return _failure(result, suspects)
    hollow, also = _run(solution, tests, plan, True, limits, sandbox)
    if also:
        return Verification("vacuous", "the tests pass without the solution as well", suspects, result, hollow)
    return Verification("passed", "the tests pass, and fail without the solution", suspects, result, hollow)


async def averify(
    solution: str,
    tests: str,
    *,
    limits: Limits = Limits(),  # noqa: B008 - a frozen value
    sandbox: Sandbox = Sandbox(),  # noqa: B008 - a frozen value
) -> Verification:
    """As `verify`, from an event loop."""
    return await asyncio.to_thread(verify, solution, tests, limits=limits, sandbox=sandbox)


def _run(
    solution: str, tests: str, plan: TestPlan, hollow: bool, limits: Limits, sandbox: Sandbox
) -> tuple[ExecResult, bool]:
    """One run under the wrapper, and whether it proved that the last test was passed."""
    nonce = secrets.token_hex(16)
    pytest = plan.framework == "pytest"
    if pytest:
        tests = "from solution import *\n" + tests
    wrapper = text_of("wrapper.py")
    call = f"\nmain({nonce!r}, {plan.functions!r}, {plan.classes!r}, {pytest}, {hollow})\n"
    files = {"solution.py": solution, "tests.py": tests}
    result = sandbox.run(wrapper + call, files=files, limits=limits)
    proved = result.status == "ok" and result.returncode == 0 and result.stdout.splitlines()[-1:] == [nonce]
    return result, proved


def _failure(result: ExecResult, suspects: tuple[str, ...]) -> Verification:
    if result.status in ("ok", "error", "memory", "disk"):
        last = result.stderr.strip().splitlines()[-1:] or ["it ended before the last test did"]
        return Verification("failed", last[0], suspects, result)
    reason = f"the run ended as {result.status}"
    if result.status == "unsupported":
        reason = f"the {result.backend} sandbox cannot run this: {' '.join(result.stderr.strip().splitlines()[-1:])}"
    return Verification("unfinished", reason, suspects, result)
