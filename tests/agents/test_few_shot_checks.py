"""What the exact checks of hidden-rule items find when an item has been tampered with."""

from random import Random
from typing import Any

import pytest

from agentinstruct.agents.checks import CHECKS
from agentinstruct.agents.checks.check import Bench
from agentinstruct.agents.forms.exemplars import Induction, OddOne
from agentinstruct.agents.records import Draft, Message
from agentinstruct.agents.skill import load_skill
from agentinstruct.tools.rules import Puzzle, answers, sample, spoilt

TEXT = (
    "The ferry carried carts and sheep on market days, and farmers crossed the frozen river with sledges in winter. "
    * 2
)
SKILL = load_skill("few_shot_reasoning")


def puzzle() -> Puzzle:
    found = sample("words", TEXT, Random(3))
    assert found
    return found


def draft(changed: Puzzle, response: str = "") -> Draft:
    form = Induction(
        task="What belongs at the end of the last line?", given="Word", made="Code", style="arrow", puzzle=changed
    )  # type: ignore[call-arg]
    messages = (Message(role="user", content="…"), Message(role="assistant", content=response or form.completed))
    return Draft(
        id="1", category="string_transformation", transform="identity", passage=TEXT, item=form.arrange(Random(1)),
        messages=messages,
    )  # fmt: skip


async def verdicts(name: str, of: Draft) -> list[bool]:
    def no_agent(*_: Any) -> Any:
        raise AssertionError("an exact check asks nobody")

    bench = Bench(SKILL, SKILL.categories[of.category], None, no_agent, "judge", "solver")
    found, _ = await CHECKS[name](of, bench)
    return [verdict.passed for verdict in found]


@pytest.mark.parametrize("name", ["ruled", "determined", "continued"])
async def test_an_item_as_the_program_made_it_passes(name: str) -> None:
    assert await verdicts(name, draft(puzzle())) == [True]


@pytest.mark.parametrize(
    ("change", "fails"),
    [
        (lambda p: {"key": p.key + "x"}, "ruled"),
        (lambda p: {"rule": ("mirror",)}, "ruled"),
        (lambda p: {"shots": tuple(s.model_copy(update={"made": "same"}) for s in p.shots)}, "ruled"),
        (lambda p: {"query": p.shots[0].given, "key": p.shots[0].made}, "ruled"),
        (lambda p: {"shots": p.shots[:1], "rule": p.rule}, "determined"),
        (lambda p: {"key": "tide"}, "determined"),
    ],
)
async def test_a_tampered_item_fails(change: Any, fails: str) -> None:
    found = (sample("words", TEXT, Random(i)) for i in range(40))
    whole = next(p for p in found if p and len(p.key) > 4 and answers(p.family, p.shots[:1], p.query) != {p.key})
    tampered = whole.model_copy(update=change(whole))
    assert False in await verdicts(fails, draft(tampered))


async def test_the_last_line_is_compared_sign_by_sign() -> None:
    item = draft(puzzle())
    for response in (f"{item.response}.", f"`{item.response}`", item.response.upper(), f"{item.response}\nDone.", ""):
        assert await verdicts("continued", draft(puzzle(), response or "-")) == [False], response
    assert await verdicts("continued", draft(puzzle(), f"Because of this:\n\n{item.response}\n")) == [True]


async def test_the_odd_one_must_be_the_only_one() -> None:
    found = spoilt("words", TEXT, Random(1))
    assert found
    other = found.wrong % len(found.shots) + 1
    for changed, passed in ((found, True), (found.model_copy(update={"wrong": other, "key": str(other)}), False)):
        form = OddOne(task="Which line is wrong?", given="Word", made="Code", puzzle=changed)  # type: ignore[call-arg]
        one = draft(puzzle()).model_copy(update={"item": form.arrange(Random(1)), "category": "inconsistent_exemplar"})
        assert await verdicts("ruled", one) == [passed]
        assert await verdicts("determined", one) == [passed]
