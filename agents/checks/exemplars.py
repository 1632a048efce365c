"""Checks of hidden-rule items: the rule made the examples, the examples decide, and without them nobody can know."""

from collections.abc import Iterator

from agentinstruct.agents.checks.check import NOTHING, Bench, Check, Opinion, exact
from agentinstruct.agents.checks.panel import same_as_key, solutions_of
from agentinstruct.agents.forms import read_form
from agentinstruct.agents.forms.exemplars import Exemplars, OddOne
from agentinstruct.agents.forms.form import Fault
from agentinstruct.agents.records import Draft, Verdict
from agentinstruct.tools.rules import MOST, Puzzle, answers, odd

SHOWN = ("induction", "imitation")
BLIND = 100
"""The first sample of solvers that see no examples: others than those that do."""


def _ruled(draft: Draft, bench: Bench) -> Iterator[Fault]:
    form = read_form(draft.item)
    if isinstance(form, OddOne):
        yield from _wrong_shots(form)
        return
    if not isinstance(form, Exemplars):
        return
    puzzle = form.puzzle
    rules = {"": puzzle.rule, "A": puzzle.rule, "B": puzzle.second}
    for shot in puzzle.shots:
        if puzzle.of.apply(rules[shot.mark], shot.given) != shot.made:
            yield "ruled", f"the rule does not make {shot.made!r} of {shot.given!r}"
    if puzzle.made(puzzle.query) != puzzle.key:
        yield "ruled", f"the rule makes {puzzle.made(puzzle.query)!r} of the query, not the key {puzzle.key!r}"
    if len(puzzle.shots) > 1 and len({shot.made for shot in puzzle.shots}) < 2:
        yield "ruled", "all examples have the same output"
    if not 1 <= len(puzzle.shots) <= MOST or puzzle.query in {shot.given for shot in puzzle.shots}:
        yield "ruled", f"{len(puzzle.shots)} examples, 1 to {MOST} are wanted, none of them the query"


def _wrong_shots(form: OddOne) -> Iterator[Fault]:
    rule = form.puzzle.rule
    made = [form.puzzle.of.apply(rule, shot.given) == shot.made for shot in form.puzzle.shots]
    if [i for i, right in enumerate(made, 1) if not right] != [form.puzzle.wrong]:
        yield "ruled", f"example {form.puzzle.wrong} is not the only one that breaks the rule"


def _determined(draft: Draft, bench: Bench) -> Iterator[Fault]:
    form = read_form(draft.item)
    if isinstance(form, OddOne):
        numbers = odd(form.puzzle.family, form.puzzle.shots)
        if numbers != {form.puzzle.wrong}:
            yield "determined", f"each of the examples {sorted(numbers)} could be the odd one"
    if isinstance(form, Exemplars):
        found = answers(form.puzzle.family, form.puzzle.shots, form.puzzle.query)
        if found != {form.puzzle.key}:
            yield "determined", f"rules that fit the examples give {len(found)} answers: {sorted(found)[:4]}"


def _refined(draft: Draft, bench: Bench) -> Iterator[Fault] | None:
    form, before = read_form(draft.item), read_form(bench.parent.item) if bench.parent else None
    if not isinstance(form, Exemplars | OddOne) or not isinstance(before, Exemplars | OddOne):
        return None
    return _goal_missed(draft, form.puzzle, before.puzzle)


def _goal_missed(draft: Draft, now: Puzzle, then: Puzzle) -> Iterator[Fault]:
    if draft.goal == "fewer_shots" and len(now.shots) >= len(then.shots):
        yield "examples_refined", f"{len(now.shots)} examples, as many as before"
    if draft.goal == "out_of_distribution" and now.query == then.query:
        yield "examples_refined", "the query is the old one"
    if draft.goal == "composition" and not now.second:
        yield "examples_refined", "there is only one rule"
    if draft.goal == "distractors" and not any(shot.tag for shot in now.shots):
        yield "examples_refined", "no detail was added"


def _continued(draft: Draft, bench: Bench) -> Iterator[Fault]:
    form = read_form(draft.item)
    if not isinstance(form, Exemplars):
        return
    last = draft.response.rstrip().splitlines()[-1:] or [""]
    if last[0].strip() != form.completed.strip():
        yield "continued", f"the response ends with {last[0][:100]!r}, not with {form.completed[:100]!r}"
    steps = form.puzzle.of.steps(form.puzzle.rule, form.puzzle.query)
    if steps and f"Steps: {steps}" not in draft.response:
        yield "continued", f"the steps are not written as in the examples: {steps!r}"


async def _needs_exemplars(draft: Draft, bench: Bench) -> Opinion:
    form = read_form(draft.item)
    if not isinstance(form, Exemplars):
        return NOTHING
    alone = form.written_as.block((), form.query)
    solutions, calls = await solutions_of(
        draft, bench, first=BLIND, question=draft.item.question, options=alone, form=draft.item.form, passage=""
    )
    right = 0
    for solution in solutions:
        same, more = await same_as_key(draft, solution.answer, bench)
        right, calls = right + same, calls + more
    evidence = f"{right} of {bench.solvers} solvers gave the key without the examples"
    return [Verdict(check="needs_exemplars", passed=2 * right < bench.solvers, kind="model", evidence=evidence)], calls


CHECKS: tuple[Check, ...] = (
    exact("ruled", "The rule makes every example and the key, and the examples differ.", "item", _ruled),
    exact("determined", "Every rule of the family that fits the examples gives the key.", "item", _determined),
    exact("examples_refined", "A refined item has what its goal says, such as fewer examples.", "item", _refined),
    exact("continued", "The response ends in the query's line, completed as the examples are.", "response", _continued),
    Check(
        "needs_exemplars",
        "Without the examples most solvers do not come to the key.",
        "model",
        "response",
        _needs_exemplars,
        frozenset(SHOWN),
    ),
)
