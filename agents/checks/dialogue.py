"""The exact checks on a tool-use dialogue, in APIGen's order (arXiv 2406.18518), before any judge.

format       every call names a listed function, with arguments of the right names and types
execution    every call succeeded, but for errors the plan foresees and the assistant got over
grounding    every argument was given by the user, by an earlier result, or as a default
oracle       the category's own rule: asks for what is missing, says what cannot be done, …
final_state  the dialogue leaves the data as the plan does; where nothing changes, it found what the plan finds
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

from agentinstruct.agents.checks.check import Bench, Check, Opinion
from agentinstruct.agents.grounding import grounded, mentions
from agentinstruct.agents.records import Draft, Verdict
from agentinstruct.agents.toolcalls import Made, ToolTask, Turn, dialogue_text, run_plan
from agentinstruct.agents.toolpatterns import ABSENT, MISSING, REPORT, fresh, pattern_faults
from agentinstruct.tools.simulator import CallRefused, Simulator, bind

_DECLINES = re.compile(
    r"n[o']t (?:\w+ )?(?:able|have|possible|support|available|something|do\b|access|provide|offer|include|find a)|"
    r"can(?:no|')t|unable|no (?:\w+ ){0,3}(?:tool|function|api|way|option)|unavailable|impossible|"
    r"(?:lack|without) (?:\w+ ){0,3}(?:tool|function|api|abilit|access)|unsupported|beyond (?:what|my)",
    re.IGNORECASE,
)
_FAILED = re.compile(
    r"\b(?:did|could|was|were|is|are|has|have|does|do)(?: (?:\w+ )?not\b|n't\b)|\bfail(?:s|ed)?\b|\bno (?:such )?\w+|"
    r"\bunable\b|\bcan(?:not|'t)\b|\brefused\b|\bimpossible\b|\balready\b",
    re.IGNORECASE,
)


def verdicts(category: str, task: ToolTask, dialogue: Sequence[Turn], simulator: Simulator) -> tuple[Verdict, ...]:
    """All checks on a finished dialogue, in order; the simulator may be in any state and keeps it."""
    planned = run_plan(task.calls, fresh(simulator))
    return (
        format_verdict(dialogue, simulator),
        execution_verdict(dialogue, planned),
        grounding_verdict(dialogue, simulator),
        oracle_verdict(category, task, dialogue, simulator),
        final_state_verdict(task, dialogue, simulator),
    )


def format_verdict(dialogue: Sequence[Turn], simulator: Simulator) -> Verdict:
    """Whether every act is whole, every call fits a listed function, and the assistant has the last word."""
    return tool_verdict("format", _format_faults(dialogue, simulator))


def execution_verdict(dialogue: Sequence[Turn], planned: Sequence[Made] = ()) -> Verdict:
    """Whether every call succeeded; an error of the plan is allowed where the assistant went on after it."""
    foreseen = {(made.name, made.code) for made in planned if not made.ok}
    return tool_verdict("execution", _execution_faults(dialogue, foreseen))


def grounding_verdict(dialogue: Sequence[Turn], simulator: Simulator) -> Verdict:
    """Whether every argument can be traced to what stood in the dialogue before its call."""
    return tool_verdict("grounding", grounding_faults(dialogue, simulator))


def oracle_verdict(category: str, task: ToolTask, dialogue: Sequence[Turn], simulator: Simulator) -> Verdict:
    """Whether the assistant behaved as the category requires."""
    faults = _called_faults(task, dialogue, {api.name for api in simulator.apis})
    if category in MISSING:
        faults = chain(_asking_faults(task, dialogue), faults)
    elif category in ABSENT | REPORT:
        faults = chain(faults, _declining_faults(dialogue, _DECLINES if category in ABSENT else _FAILED))
    else:
        faults = chain(_needless_question(dialogue), faults, _extra_faults(task, dialogue))
    faults = chain(faults, pattern_faults(category, task, dialogue, simulator))
    return tool_verdict("oracle", faults)


def final_state_verdict(task: ToolTask, dialogue: Sequence[Turn], simulator: Simulator) -> Verdict:
    """Whether the dialogue's calls leave the data, or find the results, that the planned calls do."""
    wanted, actual = fresh(simulator), fresh(simulator)
    planned = run_plan(task.calls, wanted)
    made = [_replayed(call, actual) for call in _calls(dialogue)]
    return tool_verdict("final_state", _state_faults(wanted, actual, planned, made))


def tool_verdict(check: str, faults: Iterator[str]) -> Verdict:
    """A verdict that holds when there is no fault."""
    found = list(faults)
    return Verdict(check=check, passed=not found, evidence="; ".join(found[:3]))


def _calls(dialogue: Sequence[Turn]) -> list[Made]:
    return [made for turn in dialogue for made in turn.calls]


def _format_faults(dialogue: Sequence[Turn], simulator: Simulator) -> Iterator[str]:
    apis = {api.name: api for api in simulator.apis}
    for turn in (turn for turn in dialogue if turn.speaker == "assistant"):
        if (turn.act == "call") is not bool(turn.calls) or not (turn.text or turn.calls):
            yield f"an act {turn.act!r} with {len(turn.calls)} calls and the text {turn.text[:40]!r}"
    for made in _calls(dialogue):
        if made.name not in apis:
            yield f"{made.name} is not in the list"
            continue
        try:
            bind(apis[made.name], made.arguments)
        except CallRefused as refused:
            yield str(refused)
    if not dialogue or dialogue[-1].speaker != "assistant" or dialogue[-1].act != "say":
        yield "the dialogue does not end with the assistant's answer"


def _execution_faults(dialogue: Sequence[Turn], foreseen: set[tuple[str, str]]) -> Iterator[str]:
    for place, turn in enumerate(dialogue):
        for made in turn.calls:
            went_on = any(later.speaker == "assistant" for later in dialogue[place + 1 :])
            if not made.ok and not (went_on and (made.name, made.code) in foreseen):
                yield f"{made.name} gave {made.content}"


def grounding_faults(dialogue: Sequence[Turn], simulator: Simulator, *, chained: bool = False) -> Iterator[str]:
    """Calls of one turn are made together and cannot use each other's results, unless they are `chained`."""
    parameters = {(api.name, one.name): one for api in simulator.apis for one in api.parameters}
    turns: list[str] = []
    results: list[str] = []
    answers: list[tuple[str, str]] = []
    for before, turn in zip((None, *dialogue), dialogue, strict=False):
        if turn.speaker == "user":
            turns.append(turn.text)
            answers.append((before.text if before and before.speaker == "assistant" else "", turn.text))
        for place, made in enumerate(turn.calls):
            earlier = [call.content for call in turn.calls[:place]] if chained else []
            for name, value in made.arguments.items():
                if not grounded(value, parameters.get((made.name, name)), turns, [*results, *earlier], answers):
                    yield f"{made.name}: {name} = {value!r} was given by nobody"
        results += [made.content for made in turn.calls]


def _called_faults(task: ToolTask, dialogue: Sequence[Turn], listed: set[str]) -> Iterator[str]:
    made = {call.name for call in _calls(dialogue)}
    yield from (f"{name} was needed and never called" for name in sorted({call.name for call in task.calls} - made))
    yield from (f"{name} was called and is not in the list" for name in sorted(made - listed))


def _asking_faults(task: ToolTask, dialogue: Sequence[Turn]) -> Iterator[str]:
    acts = [turn for turn in dialogue if turn.speaker == "assistant"]
    if not acts or acts[0].act != "ask" or not any(mentions(acts[0].text, one.name) for one in task.withheld):
        yield "the assistant does not begin by asking for what is missing"
    for argument in task.withheld:
        takers = {call.name for call in task.calls if call.values.get(argument.name) == argument.value}
        for turn in acts:
            if turn.act == "ask" and mentions(turn.text, argument.name):
                break
            if any(made.name in takers and argument.name in made.arguments for made in turn.calls):
                yield f"{argument.name} was passed before it was asked for"
                break


def _needless_question(dialogue: Sequence[Turn]) -> Iterator[str]:
    first = next((turn for turn in dialogue if turn.speaker == "assistant"), None)
    if first and first.act == "ask":
        yield "the assistant asks although everything was given"


def _extra_faults(task: ToolTask, dialogue: Sequence[Turn]) -> Iterator[str]:
    planned = [value for call in task.calls for value in call.values.values()]
    for argument in task.extra:
        for made in _calls(dialogue):
            smuggled = argument.value not in planned and argument.value in made.arguments.values()
            if argument.name in made.arguments or smuggled:
                yield f"{made.name} was given {argument.name!r}, which it does not take"


def _declining_faults(dialogue: Sequence[Turn], words: re.Pattern[str]) -> Iterator[str]:
    last = dialogue[-1] if dialogue else None
    if not last or last.speaker != "assistant" or not words.search(last.text.replace("’", "'")):
        yield "the last answer does not say what cannot be done"


def _replayed(call: Made, simulator: Simulator) -> tuple[str, Any]:
    return call.name, json.loads(simulator.call(call.name, call.arguments).content())


def _state_faults(
    wanted: Simulator, actual: Simulator, planned: Sequence[Made], made: Sequence[tuple[str, Any]]
) -> Iterator[str]:
    if wanted.state() != actual.state():
        yield "the dialogue leaves other data than the plan does"
    if any(call.changed for call in planned):
        return
    for call in planned:
        if (call.name, json.loads(call.content)) not in made:
            yield f"{call.name} never gave {call.content[:120]}, as it does in the plan"


@dataclass(frozen=True, slots=True)
class Staged:
    """A library's simulator, and the dialogue that was held with it."""

    simulator: Simulator
    dialogue: Sequence[Turn] = ()

    def judged(self, draft: Draft) -> Mapping[str, Any]:
        """The functions, the plan and the conversation."""
        return {"apis": self.simulator.apis, "task": task_of(draft), "dialogue": dialogue_text(self.dialogue)}


def task_of(draft: Draft) -> ToolTask:
    """The task behind a draft."""
    return ToolTask.model_validate(draft.item.written)


async def _finished(draft: Draft, bench: Bench) -> Opinion:
    turns = bench.world.dialogue
    return [Verdict(check="finished", passed=turns[-1].act == "say", evidence=f"{len(turns)} turns")], []


async def _format(draft: Draft, bench: Bench) -> Opinion:
    return [format_verdict(bench.world.dialogue, bench.world.simulator)], []


async def _execution(draft: Draft, bench: Bench) -> Opinion:
    planned = run_plan(task_of(draft).calls, fresh(bench.world.simulator))
    return [execution_verdict(bench.world.dialogue, planned)], []


async def _grounding(draft: Draft, bench: Bench) -> Opinion:
    return [grounding_verdict(bench.world.dialogue, bench.world.simulator)], []


async def _oracle(draft: Draft, bench: Bench) -> Opinion:
    return [oracle_verdict(draft.category, task_of(draft), bench.world.dialogue, bench.world.simulator)], []


async def _final_state(draft: Draft, bench: Bench) -> Opinion:
    return [final_state_verdict(task_of(draft), bench.world.dialogue, bench.world.simulator)], []


CHECKS = (
    Check("finished", "The assistant has the last word.", "exact", "response", _finished),
    Check("format", "Every call names a listed function, with arguments it takes.", "exact", "response", _format),
    Check("execution", "Every call succeeded, but for errors that were foreseen.", "exact", "response", _execution),
    Check("grounding", "Every argument was given by somebody.", "exact", "response", _grounding),
    Check("oracle", "The assistant acted as its type of task requires.", "exact", "response", _oracle),
    Check("final_state", "The dialogue leaves the data as the planned calls do.", "exact", "response", _final_state),
)
