"""AgentInstruct: documents and code in; a verified, diverse, challenging instruction dataset out.

    from agentinstruct import generate
    dataset = generate("docs/", model="openai:gpt-4.1-mini", out="runs/mine")

`generate`, `agenerate` and `astream` make datasets, `load_skill` gives one skill and its graph. What is named here is
imported when it is used, so that importing the package costs nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from agentinstruct.agents.calls import Completion, Model, Request
    from agentinstruct.agents.errors import (
        AgentInstructError,
        BudgetReached,
        ModelError,
        ProviderDown,
        ProviderError,
        ReplyError,
        RunError,
        SeedError,
        SetupError,
        SkillError,
    )
    from agentinstruct.agents.records import Dropped, Message, Record, Seed, Verdict
    from agentinstruct.api.dataset import Dataset
    from agentinstruct.api.generate import agenerate, astream, generate
    from agentinstruct.api.skill import SkillFlow, load_skill, skills
    from agentinstruct.graphs.state import Context
    from agentinstruct.run.progress import Progress

_HOMES = {
    "agents.calls": ("Completion", "Model", "Request"),
    "agents.errors": (
        "AgentInstructError", "BudgetReached", "ModelError", "ProviderDown", "ProviderError", "ReplyError", "RunError",
        "SeedError", "SetupError", "SkillError",
    ),
    "agents.records": ("Dropped", "Message", "Record", "Seed", "Verdict"),
    "api.dataset": ("Dataset",),
    "api.generate": ("agenerate", "astream", "generate"),
    "api.skill": ("SkillFlow", "load_skill", "skills"),
    "graphs.state": ("Context",),
    "run.progress": ("Progress",),
}  # fmt: skip
_HOME = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "AgentInstructError",
    "BudgetReached",
    "Completion",
    "Context",
    "Dataset",
    "Dropped",
    "Message",
    "Model",
    "ModelError",
    "Progress",
    "ProviderDown",
    "ProviderError",
    "Record",
    "ReplyError",
    "Request",
    "RunError",
    "Seed",
    "SeedError",
    "SetupError",
    "SkillError",
    "SkillFlow",
    "Verdict",
    "agenerate",
    "astream",
    "generate",
    "load_skill",
    "skills",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
