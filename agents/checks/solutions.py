"""Whether a programming task says enough: solvers who see it alone write code, and the item's tests run on each."""

from agentinstruct.agents.checks.check import NOTHING, Bench, Check, Opinion
from agentinstruct.agents.checks.panel import solutions_of
from agentinstruct.agents.forms import read_form
from agentinstruct.agents.forms.programs import Tested
from agentinstruct.agents.records import Draft, Verdict
from agentinstruct.tools.code import blocks
from agentinstruct.tools.code.mutation import check
from agentinstruct.tools.sandbox import SandboxUnavailable


async def _agree(draft: Draft, bench: Bench) -> Opinion:
    form = read_form(draft.item)
    if not isinstance(form, Tested):
        return NOTHING
    solutions, calls = await solutions_of(draft, bench)
    try:
        faults = [await check(form.joined(_code(solution.answer)), form.tests) for solution in solutions]
    except SandboxUnavailable as error:
        return [_verdict(False, f"nothing was run: {error}")], calls
    passing = sum(not fault for fault in faults)
    said = [f"{passing} of {bench.solvers} solutions from the task alone pass its tests", *filter(None, faults)]
    return [_verdict(2 * passing > bench.solvers, "; ".join(said[:2]))], calls


def _verdict(passed: bool, evidence: str) -> Verdict:
    return Verdict(check="solutions_agree", passed=passed, kind="model", evidence=evidence)


def _code(answer: str) -> str:
    """The code in a solver's answer, fenced or not."""
    found = blocks(answer)
    return "\n\n\n".join(block.code for block in found) if found else answer


CHECKS = (
    Check(
        "solutions_agree",
        "Most solutions that solvers write from the task alone pass the item's tests: it says enough.",
        "model",
        "response",
        _agree,
        frozenset({"program", "completion", "extension"}),
    ),
)
