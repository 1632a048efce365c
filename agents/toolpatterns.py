"""How the calls of a plan hang together, and whether a dialogue makes them that way.

    parallel    calls that need nothing of each other: made in one turn
    dependent   a call that needs what an earlier one returned: made after it
    fails       a call that the data refuses: met, reported or got over, and not simply tried again
    goal        a state of the data that takes several changes, found out by looking

Whether calls can be made at once is not believed but tried: in the opposite order they give the same.
"""

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

from agentinstruct.agents.toolcalls import REFERENCE, FunctionCall, Made, ToolTask, Turn, run_plan
from agentinstruct.tools.simulator import CallRefused, Simulator, bind

MISSING = frozenset({"single_api_missing_parameters", "multi_api_missing_parameters"})
SUPERFLUOUS = frozenset({"single_api_superfluous_parameters"})
ABSENT = frozenset({"single_api_absent", "multi_api_some_absent"})
PARALLEL = frozenset({"parallel_calls", "parallel_then_dependent"})
DEPENDENT = frozenset({"dependent_calls", "parallel_then_dependent", "goal_state"})
GOAL = frozenset({"goal_state"})
RECOVER, REPORT = frozenset({"recover_from_error"}), frozenset({"report_error"})
FAILS = RECOVER | REPORT

Key = tuple[str, str]
"""A function and its arguments, as calls are compared."""


def fresh(simulator: Simulator) -> Simulator:
    """A simulator of the same library in its first state."""
    copy = simulator.fork()
    copy.reset()
    return copy


def needs(call: FunctionCall) -> set[int]:
    """The numbers of the earlier calls whose results a planned call refers to."""
    texts = re.findall(REFERENCE, json.dumps(list(call.values.values())))
    return {int(number) for number, _ in texts}


def first_wave(calls: Sequence[FunctionCall]) -> Sequence[FunctionCall]:
    """The planned calls before the first that needs another's result."""
    dependent = next((place for place, call in enumerate(calls) if needs(call)), len(calls))
    return calls[:dependent]


def plan_faults(category: str, task: ToolTask, planned: Sequence[Made], simulator: Simulator) -> Iterator[str]:
    """Why the planned calls do not hang together as their category says."""
    wave = first_wave(task.calls)
    if category in PARALLEL and (len(wave) < 2 or not _at_once(wave, simulator)):
        yield f"{category} plans no two calls to begin with that can be made at once"
    if category == "parallel_calls" and len(wave) < len(task.calls):
        yield f"{category} plans a call that needs another's result"
    if category in DEPENDENT and len(wave) == len(task.calls):
        yield f"{category} plans no call that needs an earlier result"
    if category in GOAL and sum(made.changed for made in planned) < 2:
        yield f"{category} plans fewer than two changes"


def _at_once(calls: Sequence[FunctionCall], simulator: Simulator) -> bool:
    """Whether calls give the same, and leave the same, in the opposite order."""
    forth, back = fresh(simulator), fresh(simulator)
    first, second = run_plan(calls, forth), run_plan(calls[::-1], back)
    same = [made.content for made in first] == [made.content for made in second[::-1]]
    return same and forth.state() == back.state() and all(made.ok for made in first)


def pattern_faults(category: str, task: ToolTask, dialogue: Sequence[Turn], simulator: Simulator) -> Iterator[str]:
    """Where a dialogue makes its calls otherwise than its category is about."""
    if category in PARALLEL:
        wanted = {_key(made, simulator) for made in run_plan(first_wave(task.calls), fresh(simulator))}
        turns = [{_key(made, simulator) for made in turn.calls} for turn in dialogue if turn.calls]
        if not any(wanted <= turn for turn in turns):
            yield f"{len(wanted)} calls that need nothing of each other are not made in one turn"
    if category in FAILS:
        yield from _failure_faults(category, dialogue, simulator)


def _failure_faults(category: str, dialogue: Sequence[Turn], simulator: Simulator) -> Iterator[str]:
    calls = [made for turn in dialogue for made in turn.calls]
    failed = [place for place, made in enumerate(calls) if not made.ok]
    if not failed:
        yield "no call of the dialogue fails"
        return
    keys = [_key(calls[place], simulator) for place in failed]
    if len(set(keys)) < len(keys):
        yield "a call that failed is made again as it was"
    if category in RECOVER and not any(made.ok for made in calls[failed[0] + 1 :]):
        yield "after the error nothing else is done"


def _key(made: Made, simulator: Simulator) -> Key:
    """What a call comes to, a default written out being the same as one left out."""
    arguments: dict[str, Any] = made.arguments
    for api in simulator.apis:
        if api.name == made.name:
            try:
                arguments = bind(api, made.arguments)
            except CallRefused:
                break
    return made.name, json.dumps(arguments, sort_keys=True)
