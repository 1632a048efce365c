"""What a transform replies with: a text, or something with structure that the program reads."""

from collections.abc import Mapping
from types import MappingProxyType

from agentinstruct.agents.replies import Reshaped, Rewritten
from agentinstruct.agents.shapes_code import CodeListing, TableSet
from agentinstruct.agents.shapes_sources import Contradiction, Documents, Gap, Searches, Versions

SHAPES: Mapping[str, type[Reshaped]] = MappingProxyType(
    {
        "text": Rewritten,
        "code": CodeListing,
        "tables": TableSet,
        "searches": Searches,
        "documents": Documents,
        "contradiction": Contradiction,
        "versions": Versions,
        "gap": Gap,
    }
)
"""Every shape by the name a skill gives it; a new one is a subclass of `Reshaped` and a line here."""
