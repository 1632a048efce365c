"""What a transform replies with: a text, or something with structure that the program reads."""

from collections.abc import Mapping
from types import MappingProxyType

from agentinstruct.agents.replies import Reshaped, Rewritten

SHAPES: Mapping[str, type[Reshaped]] = MappingProxyType({"text": Rewritten})
"""Every shape by the name a skill gives it; a new one is a subclass of `Reshaped` and a line here."""
