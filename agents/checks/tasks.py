"""The exact checks on a tool-use task before a dialogue is bought for it: its plan runs, and is of its category."""

from collections.abc import Callable, Iterator, Sequence
from itertools import chain

from agentinstruct.agents.checks.check import Bench, Check, Opinion
from agentinstruct.agents.checks.dialogue import grounding_faults, task_of, tool_verdict
from agentinstruct.agents.grounding import grounded
from agentinstruct.agents.records import Draft, Verdict
from agentinstruct.agents.toolcalls import Made, ToolTask, Turn, run_plan, said
from agentinstruct.agents.toolpatterns import ABSENT, FAILS, MISSING, REPORT, SUPERFLUOUS, fresh, plan_faults
from agentinstruct.tools.simulator import Simulator

_FUNCTIONS = {"single_api_absent": (0, 0), "multi_api_some_absent": (1, 10)}
_FORESEEN = ("", "refused", "not_found")
"""Codes of calls that did what they were declared to do, failing included."""


def plan_verdict(category: str, task: ToolTask, simulator: Simulator) -> Verdict:
    """Whether a task is what its category asks for, before a dialogue is bought for it."""
    planned = run_plan(task.calls, fresh(simulator))
    faults = chain(_shape_faults(category, task, simulator), _run_faults(category, planned))
    faults = chain(faults, plan_faults(category, task, planned, simulator))
    return tool_verdict("plan", chain(faults, _given_faults(task, planned, simulator)))


def _shape_faults(category: str, task: ToolTask, simulator: Simulator) -> Iterator[str]:
    functions, listed = {call.name for call in task.calls}, {api.name for api in simulator.apis}
    low, high = _FUNCTIONS.get(category) or _functions(category)
    if not low <= len(functions) <= high:
        yield f"{category} plans {len(functions)} functions, not {low} to {high}"
    for what, present, wanted in (
        ("withheld", task.withheld, category in MISSING),
        ("extra", task.extra, category in SUPERFLUOUS),
        ("absent", task.absent, category in ABSENT),
    ):
        if bool(present) is not wanted:
            yield f"{category} must {'have' if wanted else 'not have'} {what} parts"
    for absent in task.absent:
        if absent.name in listed:
            yield f"{absent.name} is called absent but is in the list"


def _functions(category: str) -> tuple[int, int]:
    """How few and how many different functions the plan of a category may use."""
    if category.startswith("single"):
        return 1, 1
    return (2, 10) if category.startswith("multi") else (1, 10)


def _run_faults(category: str, planned: Sequence[Made]) -> Iterator[str]:
    for made in planned[-1:]:
        if not made.ok and category not in REPORT:
            yield f"the plan ends in an error: {made.name} gave {made.content}"
    if category in FAILS and all(made.ok for made in planned):
        yield "no planned call fails"
    for made in planned:
        if made.code not in _FORESEEN:
            yield f"a planned call fails: {made.name} gave {made.content}"


def _given_faults(task: ToolTask, planned: Sequence[Made], simulator: Simulator) -> Iterator[str]:
    """The first message gives every planned value that is not withheld, and none that is."""
    required = {(api.name, one.name) for api in simulator.apis for one in api.parameters if one.required}
    flags = {one.name for one in task.withheld if isinstance(one.value, bool)}
    told = [said(f"{one.name}: {one.value}" if one.name in flags else str(one.value)) for one in task.withheld]
    planning = Turn(speaker="assistant", calls=tuple(planned))
    yield from grounding_faults([said(task.task), *told, planning], simulator, chained=True)
    for argument in task.withheld:
        users = [call for call in task.calls if call.values.get(argument.name) == argument.value]
        if not any((call.name, argument.name) in required for call in users):
            yield f"withheld {argument.name!r} is no required argument of a planned call with that value"
        if not isinstance(argument.value, bool) and grounded(argument.value, None, [task.task]):
            yield f"withheld {argument.name!r} stands in the first message"
    taken = {one.name for api in simulator.apis for one in api.parameters if api.name in {m.name for m in planned}}
    for argument in task.extra:
        if argument.name in taken:
            yield f"extra {argument.name!r} is a parameter of a planned function"
        if not isinstance(argument.value, bool) and not grounded(argument.value, None, [task.task]):
            yield f"extra {argument.name!r} does not stand in the first message"


async def _plan(draft: Draft, bench: Bench) -> Opinion:
    return [plan_verdict(draft.category, task_of(draft), bench.world.simulator)], []


async def _more_steps(draft: Draft, bench: Bench) -> Opinion:
    return _more("more_steps", draft, bench, lambda task: len(task.calls))


async def _failing_step(draft: Draft, bench: Bench) -> Opinion:
    simulator = bench.world.simulator
    return _more("failing_step", draft, bench, lambda task: failing(task, fresh(simulator)))


def failing(task: ToolTask, simulator: Simulator) -> int:
    """How many planned calls fail when they are tried."""
    return sum(not made.ok for made in run_plan(task.calls, simulator))


def _more(goal: str, draft: Draft, bench: Bench, count: Callable[[ToolTask], int]) -> Opinion:
    """Whether a task refined for a goal plans more calls of a kind than the task it was made from."""
    if bench.parent is None or draft.goal != goal:
        return [], []
    before, now = count(task_of(bench.parent)), count(task_of(draft))
    return [Verdict(check=goal, passed=now > before, evidence=f"{before} such calls, now {now}")], []


CHECKS = (
    Check(
        "plan", "The task is of its type, and the calls planned for it work or fail as it says.", "exact", "item", _plan
    ),
    Check("more_steps", "A refined task takes more calls than its parent's.", "exact", "item", _more_steps),
    Check("failing_step", "One more of a refined task's calls is refused by the data.", "exact", "item", _failing_step),
)
