"""Every check a policy can name: on items, on responses, by a panel of other agents."""

from collections.abc import Mapping
from functools import lru_cache
from itertools import chain
from types import MappingProxyType

from agentinstruct.agents.checks import (
    asking,
    closed_book,
    code,
    code_text,
    data,
    data_items,
    dialogue,
    exemplars,
    extraction,
    fermi,
    items,
    labelling,
    options,
    panel,
    pieces,
    puzzle,
    responses,
    retrieved,
    retrieved_panel,
    site,
    solutions,
    standing,
    talk,
    talk_panel,
    tasks,
    webgoal,
    webtask,
)
from agentinstruct.agents.checks.check import COSTS, Bench, Check, Cost, Opinion, exact, in_order, opinion, verdicts

__all__ = ["CHECKS", "COSTS", "Bench", "Check", "Cost", "Opinion", "exact", "in_order", "opinion", "policy", "verdicts"]

MODULES = (
    items,
    standing,
    webtask,
    webgoal,
    responses,
    solutions,
    tasks,
    dialogue,
    site,
    extraction,
    labelling,
    pieces,
    talk,
    talk_panel,
    code_text,
    code,
    puzzle,
    exemplars,
    retrieved,
    retrieved_panel,
    data_items,
    data,
    fermi,
    panel,
    asking,
    closed_book,
    options,
)
"""The modules that have checks; a new one is a line here."""


def _by_name() -> dict[str, Check]:
    found: dict[str, Check] = {}
    for check in chain.from_iterable(module.CHECKS for module in MODULES):
        if check.name in found:
            raise ValueError(f"two checks are called {check.name!r}: no policy could tell them apart")
        found[check.name] = check
    return found


CHECKS: Mapping[str, Check] = MappingProxyType(_by_name())


@lru_cache(maxsize=1024)
def policy(names: tuple[str, ...], stage: str, *, models: bool = True) -> tuple[Check, ...]:
    """The checks of a stage that a policy names, cheapest kinds first; those that ask a model only where `models`."""
    named = (check for name in dict.fromkeys(names) if (check := CHECKS[name]).stage == stage)
    return tuple(in_order(check for check in named if models or check.cost != "model"))
