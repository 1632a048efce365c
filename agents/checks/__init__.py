"""Every check a policy can name: on items, on responses, by a panel of other agents."""

from collections.abc import Iterable, Mapping
from itertools import chain
from types import MappingProxyType

from agentinstruct.agents.checks import (
    closed_book,
    code,
    code_text,
    dialogue,
    exemplars,
    extraction,
    items,
    labelling,
    options,
    panel,
    pieces,
    responses,
    solutions,
    standing,
    talk,
    talk_panel,
)
from agentinstruct.agents.checks.check import COSTS, Bench, Check, Cost, Opinion, exact, in_order, opinion, verdicts

__all__ = ["CHECKS", "COSTS", "Bench", "Check", "Cost", "Opinion", "exact", "in_order", "opinion", "policy", "verdicts"]

MODULES = (
    items,
    standing,
    responses,
    solutions,
    dialogue,
    extraction,
    labelling,
    pieces,
    talk,
    talk_panel,
    code_text,
    code,
    exemplars,
    panel,
    closed_book,
    options,
)
"""The modules that have checks; a new one is a line here."""
CHECKS: Mapping[str, Check] = MappingProxyType(
    {check.name: check for check in chain.from_iterable(module.CHECKS for module in MODULES)}
)


def policy(names: Iterable[str], stage: str) -> list[Check]:
    """The checks of a stage that a policy names, cheapest kinds first."""
    return list(in_order(check for name in dict.fromkeys(names) if (check := CHECKS[name]).stage == stage))
