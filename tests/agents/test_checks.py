"""What an edit may change: options stay what they were in whatever order, and the outcome must be a new one."""

from random import Random
from typing import Any

import pytest

from agentinstruct.agents.checks import MODULES, Bench
from agentinstruct.agents.checks.items import changed
from agentinstruct.agents.checks.panel import flipped
from agentinstruct.agents.forms import FORMS
from agentinstruct.agents.records import Draft, Verdict

PASSAGE = "The lamp was lit in 1862. Later the keeper left, and the tower stood empty for many years."
EDITED = PASSAGE.replace("1862", "1863")
Q = "What does the passage say of the lamp?"
PAIR = {
    "question": Q,
    "true_statement": "It was lit in 1862.",
    "false_statement": "It was lit in 1863.",
    "evidence": ["lit in 1862"],
}
SWAPPED = PAIR | {"true_statement": "It was lit in 1863.", "false_statement": "It was lit in 1862."}
PAIRS = [{"left": f"left {i}", "right": f"right {i}"} for i in range(3)]
MATCH = {"question": Q, "pairs": PAIRS}
TURNED = {"question": Q, "pairs": [{"left": f"left {i}", "right": f"right {(i + 1) % 3}"} for i in range(3)]}
ORDER = {"question": Q, "events": ["it was lit", "the keeper left", "the tower stood empty"]}
LATER = {"question": Q, "events": ["the keeper left", "it was lit", "the tower stood empty"]}
SHORT = {"question": Q, "answer": "1862", "evidence": ["lit in 1862"]}


def draft(form: str, written: dict[str, Any], outcome: str = "original", passage: str = PASSAGE) -> Draft:
    item = FORMS[form].model_validate(written).arrange(Random(1))
    voted = (Verdict(check="solvers", passed=True),)
    data = {"id": outcome, "category": "c", "transform": "t", "passage": passage, "outcome": outcome}
    return Draft.model_validate({**data, "item": item, "verdicts": voted})


FLIPS: list[tuple[str, dict[str, Any], dict[str, Any], bool]] = [
    ("pair", PAIR, SWAPPED, True),
    ("pair", PAIR, PAIR, False),
    ("pair", PAIR, SWAPPED | {"false_statement": "It was lit in 1864."}, False),
    ("match", MATCH, TURNED, True),
    ("match", MATCH, {"question": Q, "pairs": [*PAIRS[:2], {"left": "left 2", "right": "right 9"}]}, False),
    ("match", MATCH, {"question": Q, "pairs": [{"left": p["right"], "right": p["left"]} for p in PAIRS]}, False),
    ("order", ORDER, LATER, True),
    ("order", ORDER, {"question": Q, "events": [*LATER["events"][:2], "the tower fell"]}, False),
]


@pytest.mark.parametrize(("form", "before", "after", "holds"), FLIPS)
def test_a_flip_keeps_what_there_is_to_choose_from(
    form: str, before: dict[str, Any], after: dict[str, Any], holds: bool
) -> None:
    verdict = changed(draft(form, after, "flipped", EDITED), draft(form, before))
    assert verdict.passed is holds, verdict.evidence


def test_a_pair_with_another_statement_is_another_item() -> None:
    harder = PAIR | {"false_statement": "It was lit in 1864."}
    assert changed(draft("pair", harder, "kept"), draft("pair", PAIR)).passed
    assert not changed(draft("pair", PAIR, "kept"), draft("pair", PAIR)).passed


@pytest.mark.parametrize(
    ("form", "before", "after", "differs"),
    [
        ("match", MATCH, TURNED, True),
        ("match", MATCH, {"question": Q, "pairs": PAIRS[::-1]}, False),
        ("order", ORDER, LATER, True),
        ("order", ORDER, ORDER, False),
        ("pair", PAIR, SWAPPED, True),
    ],
)
async def test_a_flip_needs_another_key_whatever_order_it_is_written_in(
    form: str, before: dict[str, Any], after: dict[str, Any], differs: bool
) -> None:
    unasked: Any = None
    bench = Bench(unasked, unasked, draft(form, before), unasked, judge="scripted", solver="scripted")
    (verdict,), calls = await flipped(draft(form, after, "flipped", EDITED), bench)
    assert (verdict.check, verdict.passed, calls) == ("outcome", differs, [])


def test_while_its_evidence_stands_an_item_is_answerable() -> None:
    number = {
        "question": Q,
        "facts": [{"quote": "lit in 1862", "value": 1862}],
        "expression": "1862 + 1",
        "answer": 1863,
        "unit": "",
    }
    for form, written in (("short", SHORT), ("quote", {"question": Q, "quotes": ["lit in 1862"]}), ("number", number)):
        parent = draft(form, written)
        more = changed(draft(form, written, "unanswerable", f"{PASSAGE} It rained."), parent)
        assert (more.passed, more.evidence) == (False, "the evidence still stands in the passage")
        gone = PASSAGE.replace("lit in 1862", "lit one evening")
        assert changed(draft(form, written, "unanswerable", gone), parent).passed


def test_no_two_checks_have_the_same_name() -> None:
    names = [check.name for module in MODULES for check in module.CHECKS]
    assert len(names) == len(set(names))
