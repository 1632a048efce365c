"""Checks of classifications: the reply has its form and names the key, the definitions decide, and they decide alone.

labelled       the reply is in the form asked for, its labels are of the set, and they are the key
renamed        solvers who see the definitions under other names and in another order choose the same one
definitions    each definition by itself: the key's are met, no other is, and none overlaps with the key's
"""

import asyncio
import re
from collections.abc import Iterator, Sequence
from random import Random
from typing import Any

from pydantic import Field

from agentinstruct.agents.checks.check import NOTHING, Bench, Check, Opinion, exact
from agentinstruct.agents.errors import ReplyError
from agentinstruct.agents.forms import Classification, read_form
from agentinstruct.agents.forms.classification import SEPARATOR, listed, named
from agentinstruct.agents.forms.form import Fault
from agentinstruct.agents.forms.labelling_task import Label
from agentinstruct.agents.records import Call, Draft, Frozen, Verdict
from agentinstruct.agents.replies import Solution
from agentinstruct.tools.formats import FormatError, read_json
from agentinstruct.tools.quotes import fold

_ORDERS = 2
_LAST = re.compile(r"(?P<reason>.+)\n[ \t]*\**Label\**:\**[ \t]*(?P<label>[^\n]+?)\**", re.DOTALL)


class Fitting(Frozen):
    """Whether one label's definition is met, taken by itself."""

    name: str
    why: str
    fits: bool


class Overlap(Frozen):
    """Two labels that one text could rightly get."""

    first: str
    second: str
    example: str = Field(description="One sentence that would rightly get both.")


class Codebook(Frozen):
    """A judge's reply on a set of labels."""

    labels: tuple[Fitting, ...] = Field(min_length=2, max_length=12)
    overlapping: tuple[Overlap, ...] = Field(max_length=6)


def said(output: str, response: str) -> list[str]:
    """The names that a response gives, in the form asked for.

    Raises:
        FormatError: it is in another form.
    """
    text = response.strip()
    if output == "label":
        return [text]
    if output == "reason":
        if not (last := _LAST.fullmatch(text)):
            raise FormatError("it does not give a reason and then a last line that begins with 'Label:'")
        return [last["label"]]
    if output == "labels":
        return text.split(SEPARATOR)
    value = read_json(text)
    key, kind = ("label", str) if output == "json" else ("labels", list)
    keys = {key, "reason"} if output == "json" else {key}
    if not isinstance(value, dict) or set(value) != keys or not isinstance(value[key], kind):
        raise FormatError(f"it is no JSON object with {' and '.join(sorted(keys))}")
    return [str(name) for name in (value[key] if isinstance(value[key], list) else [value[key]])]


def _labelled(draft: Draft, bench: Bench) -> Iterator[Fault] | None:
    form = read_form(draft.item)
    return _misses(form, draft) if isinstance(form, Classification) else None


def _misses(form: Classification, draft: Draft) -> Iterator[Fault]:
    try:
        names = said(form.drawn.output, draft.response)
    except FormatError as error:
        yield "structure", f"{form.drawn.output}: {error}"
        return
    known = {label.name for label in form.labels}
    if unknown := [name for name in names if name not in known]:
        yield "in_set", f"{unknown[0][:80]!r} is none of the labels"
    elif set(names) != {label.name for label in form.right} or len(names) > len(set(names)):
        yield "labelled", f"{SEPARATOR.join(names)!r}, but the key is {form.key!r}"


async def _renamed(draft: Draft, bench: Bench) -> Opinion:
    form = read_form(draft.item)
    if not isinstance(form, Classification):
        return NOTHING
    answers = await asyncio.gather(*(_under_codes(form, draft, bench, order) for order in range(_ORDERS)))
    calls = [call for _, paid in answers for call in paid]
    lost = next((chosen for chosen, _ in answers if named(chosen) != named(form.key)), None)
    evidence = f"under other names: {lost!r}, not {form.key!r}" if lost is not None else "the same under other names"
    return [Verdict(check="renamed", passed=lost is None, kind="model", evidence=evidence)], calls


async def _under_codes(form: Classification, draft: Draft, bench: Bench, order: int) -> tuple[str, list[Call]]:
    """What a solver chooses who sees the labels under codes, told in their own names; empty for no usable reply."""
    draw, agent = Random(f"{draft.id}/renamed/{order}"), bench.agent("solve", Solution)
    labels = list(form.labels)
    draw.shuffle(labels)
    coded = renamed(labels, [f"class_{place}" for place in range(1, len(labels) + 1)])
    shown = {"passage": draft.passage, "question": form.question, "options": listed(coded), "form": draft.item.form}
    inputs: dict[str, Any] = {"sample": 100 + order, **shown}
    try:
        solution, call = await agent(bench.solver, draw, **inputs)
    except ReplyError as error:
        return "", list(error.calls)
    names = {code.name: label.name for code, label in zip(coded, labels, strict=True)}
    return SEPARATOR.join(names.get(code, code) for code in sorted(named(solution.answer))), [call]


def renamed(labels: Sequence[Label], names: Sequence[str]) -> list[Label]:
    """The labels under other names, within each other's definitions too where a name cannot be a common word."""
    turn = {label.name: name for label, name in zip(labels, names, strict=True)}
    known = sorted((name for name in turn if re.search(r"[_>]", name)), key=len, reverse=True)
    pattern = re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, known))})(?!\w)" if known else r"(?!)")
    return [
        label.model_copy(
            update={
                "name": turn[label.name],
                "definition": pattern.sub(lambda found: turn[found[0]], label.definition),
            }
        )
        for label in labels
    ]


async def _definitions(draft: Draft, bench: Bench) -> Opinion:
    form = read_form(draft.item)
    if not isinstance(form, Classification):
        return NOTHING
    agent, item = bench.agent("labels", Codebook), draft.item
    inputs: dict[str, Any] = {"passage": draft.passage, "question": item.question, "options": item.options}
    try:
        reply, call = await agent(bench.judge, draft.id, **inputs)
    except ReplyError as error:
        return [_verdict(False, f"no judgement: {error}")], list(error.calls)
    return [_verdict(*_judged(form, reply))], [call]


def _judged(form: Classification, reply: Codebook) -> tuple[bool, str]:
    key, fitting = named(form.key), {fold(label.name) for label in reply.labels if label.fits}
    if fitting != key:
        return False, f"definitions met by the text: {', '.join(sorted(fitting)) or 'none'}; the key is {form.key!r}"
    both = next((o for o in reply.overlapping if {fold(o.first), fold(o.second)} & key), None)
    if both:
        return False, f"{both.first} and {both.second} overlap: {both.example[:160]}"
    return True, "each by itself: only the key's definition is met"


def _verdict(passed: bool, evidence: str) -> Verdict:
    return Verdict(check="definitions", passed=passed, kind="model", evidence=evidence)


FORM = frozenset({Classification.name})
CHECKS = (
    exact(
        "labelled",
        "The response is in the form asked for, and its label is the key.",
        "response",
        _labelled,
        forms=FORM,
    ),
    Check(
        "renamed",
        "Solvers who see the definitions under other names and in another order choose the same one.",
        "model",
        "response",
        _renamed,
        FORM,
    ),
    Check(
        "definitions",
        "Of the definitions, each judged alone, only the key's is met, and none overlaps with it.",
        "model",
        "response",
        _definitions,
        FORM,
    ),
)
