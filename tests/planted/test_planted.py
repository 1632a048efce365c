"""Every skill rejects deliberately wrong items of several kinds and accepts good ones; see `cases.py`."""

import importlib.util
import sys
from pathlib import Path

import pytest

from agentinstruct.agents.skill import load_skill, skill_names

_SPEC = importlib.util.spec_from_file_location("planted_cases", Path(__file__).with_name("cases.py"))
planted = importlib.util.module_from_spec(_SPEC)
sys.modules["planted_cases"] = planted
_SPEC.loader.exec_module(planted)

SKILLS = [name for name in skill_names() if (planted.FOLDER / f"{name}.yaml").exists()]
CASES = [case for name in SKILLS for case in planted.cases(name)]


@pytest.mark.parametrize("case", CASES, ids=[f"{case.skill}: {case.name}" for case in CASES])
async def test_a_planted_item_ends_as_it_must(case: "planted.Case") -> None:
    outcome = await case.outcome()
    assert case.fits(outcome), outcome


@pytest.mark.parametrize("skill", SKILLS)
def test_a_skill_has_planted_items_of_both_kinds(skill: str) -> None:
    found = [case for case in CASES if case.skill == skill]
    wrong = [case for case in found if not case.good]
    assert len(found) - len(wrong) >= 5 and len(wrong) >= 5
    assert len({case.name for case in found}) == len(found)
    assert len({case.becomes.reason for case in wrong}) >= 3, "the wrong items must be wrong in different ways"
    assert {case.category for case in found} <= set(load_skill(skill).categories)
