"""Checks of multiple-choice items: nothing but knowledge leads to the key, and only to one.

parallel        neither length nor words of the question single the key out, and no option holds another
turned          the options are those of the item before, and another one is right
options_alone   each option, judged by itself and without the key, is right where it should be and nowhere else
options_only    a guesser who has not seen the question cannot pick the key time after time
"""

import re
from collections.abc import Iterator

from pydantic import Field

from agentinstruct.agents.checks.check import NOTHING, Bench, Check, Opinion, exact
from agentinstruct.agents.checks.closed_book import asked, verdict
from agentinstruct.agents.forms import FORMS, Above, Optioned, Single, read_form
from agentinstruct.agents.forms.form import Fault
from agentinstruct.agents.forms.labels import block
from agentinstruct.agents.forms.mcq import Trial
from agentinstruct.agents.records import Draft, Frozen, Verdict
from agentinstruct.agents.replies import OptionVerdicts
from agentinstruct.tools.quotes import bare, contains, fold

LONGER, SHORTER, APART = 1.4, 0.5, 14
"""A key stands out that is so many times the longest other, or such a part of the shortest, by so many letters."""
_RARE = re.compile(r"[^\W\d_]{6,}")


class Guess(Frozen):
    """An option picked without the question."""

    clue: str
    answer: str = Field(description="Its label.")


def _parallel(draft: Draft, bench: Bench) -> Iterator[Fault] | None:
    form = read_form(draft.item)
    return betrayals(form) if isinstance(form, Single | Above) else None


def betrayals(form: Single | Above) -> Iterator[Fault]:
    """What in the form of the options leads to the key, or to two of them."""
    texts = form.authored()
    for one in texts:
        if any(len(other.split()) > 1 and one != other and contains(one, other) for other in texts):
            yield "parallel", f"an option holds another one: {one!r}"
            return
    right = [form.right] if isinstance(form, Single) else list(form.right)
    wrong = [distractor.text for distractor in form.distractors]
    if len(right) == 1 and wrong:
        yield from _outstanding(right[0], wrong)
        yield from _echoed(form.question, right[0], wrong)


def _outstanding(right: str, wrong: list[str]) -> Iterator[Fault]:
    longest, shortest = max(map(len, wrong)), min(map(len, wrong))
    if len(right) > LONGER * longest and len(right) - longest > APART:
        yield "parallel", f"the key is conspicuously long: {len(right)} letters, the others at most {longest}"
    if len(right) < SHORTER * shortest and shortest - len(right) > APART:
        yield "parallel", f"the key is conspicuously short: {len(right)} letters, the others at least {shortest}"


def _echoed(question: str, right: str, wrong: list[str]) -> Iterator[Fault]:
    """Two rare words that the question shares with the key and with no other option lead to it."""
    asked_for = set(_RARE.findall(fold(question)))
    shared = asked_for & set(_RARE.findall(fold(right)))
    if len(shared) > 1 and not any(asked_for & set(_RARE.findall(fold(option))) for option in wrong):
        yield "parallel", f"only the key has words of the question: {', '.join(sorted(shared))}"


def _turned(draft: Draft, bench: Bench) -> Iterator[Fault] | None:
    form, before = read_form(draft.item), bench.parent and read_form(bench.parent.item)
    if not isinstance(form, Single) or not isinstance(before, Single):
        return None
    return _not_turned(form, before)


def _not_turned(form: Single, before: Single) -> Iterator[Fault]:
    if {bare(text) for text in form.authored()} != {bare(text) for text in before.authored()}:
        yield "turned", "the options are no longer those of the item before"
    if bare(form.right) == bare(before.right):
        yield "turned", "the key is the one of the item before"


async def _options_alone(draft: Draft, bench: Bench) -> Opinion:
    form = read_form(draft.item)
    trial = form.trial() if isinstance(form, Optioned) else None
    if trial is None:
        return NOTHING
    inputs = {"question": trial.question, "options": block(trial.statements, "letters", "{}. ")}
    said, calls, failed = await asked("options", OptionVerdicts, draft, bench, inputs)
    if failed:
        return [verdict("options_alone", False, failed[0].evidence)], calls
    return [_judged(trial, said)], calls


def _judged(trial: Trial, said: OptionVerdicts) -> Verdict:
    found = {one.label.strip(" .()").upper()[:1]: one.correct for one in said.options}
    others = [
        text for place, text in enumerate(trial.statements) if found.get(chr(65 + place)) is not (place in trial.right)
    ]
    evidence = f"judged otherwise or not at all: {'; '.join(others)[:240]}" if others else "as the key has it"
    return verdict("options_alone", not others, evidence)


async def _options_only(draft: Draft, bench: Bench) -> Opinion:
    agent, agrees = bench.agent("guess", Guess), FORMS[draft.item.form].agrees
    count = max(bench.solvers, 3)
    asked_for = agent.request(bench.solver, f"{draft.id}/guess", options=draft.item.options)
    guesses, calls = await agent.several(asked_for, range(count))
    if len(guesses) < count:
        return [verdict("options_only", False, "a guesser could not be asked")], calls
    hits = sum(bool(agrees(draft.item.key, said.answer)) for said in guesses)
    evidence = f"{hits} of {len(guesses)} guessers picked the key without the question"
    return [verdict("options_only", hits < len(guesses), evidence)], calls


CHECKS = (
    exact(
        "parallel",
        "The key does not stand out by its length or by words of the question, and no option holds another.",
        "item",
        _parallel,
        forms=["single", "above"],
    ),
    exact(
        "turned",
        "The options are those of the item before, and another of them is right.",
        "item",
        _turned,
        forms=["single"],
    ),
    Check(
        "options_alone",
        "Each option, judged by itself, is right where the key says so and nowhere else.",
        "model",
        "response",
        _options_alone,
        frozenset(("single", "above", "select")),
    ),
    Check(
        "options_only",
        "Guessers who see the options without the question do not all pick the key.",
        "model",
        "response",
        _options_only,
        frozenset(("single", "worked")),
    ),
)
