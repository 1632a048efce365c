"""What a skill's checks need on this machine: packages of an extra, a sandbox that holds."""

from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from types import MappingProxyType

from agentinstruct.agents.errors import SetupError
from agentinstruct.agents.skill import Skill
from agentinstruct.tools.sandbox import unavailable

PACKAGES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"formats": ("jsonschema_rs",), "solve": ("z3", "pint"), "split": ("tree_sitter", "tree_sitter_python")}
)
"""What must be importable for each extra that a skill can name under `needs`."""
SANDBOX = "sandbox"


def missing(skill: Skill) -> str:
    """What a skill lacks here and how to get it; empty when it can run."""
    for need in skill.file.needs:
        if need == SANDBOX:
            if fault := unavailable():
                return f"runs generated code: {fault}"
        elif need in PACKAGES and not all(map(find_spec, PACKAGES[need])):
            return f"needs packages that are not installed: pip install 'agentinstruct[{need}]'"
    return ""


def able(skills: Sequence[Skill], named: bool) -> tuple[list[Skill], dict[str, str]]:
    """The skills that can run here, and what the others lack.

    Raises:
        SetupError: a skill that was asked for by name cannot run, or none can.
    """
    lacking = {skill.name: fault for skill in skills if (fault := missing(skill))}
    kept = [skill for skill in skills if skill.name not in lacking]
    if lacking and (named or not kept):
        raise SetupError("; ".join(f"{name} {fault}" for name, fault in lacking.items()))
    return kept, lacking
