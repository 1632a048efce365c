"""What a transform replies with: a text, or something with structure that the program reads."""

from collections.abc import Mapping
from types import MappingProxyType

from agentinstruct.agents.replies import Reshaped, Rewritten
from agentinstruct.agents.shapes_code import CodeListing, TableSet
from agentinstruct.agents.shapes_creative import BrandBrief, CharacterSheet, ConflictSheet, ImageList, LessonOutline
from agentinstruct.agents.shapes_facts import STRUCTURED
from agentinstruct.agents.shapes_fermi import Scene
from agentinstruct.agents.shapes_frame import Frame
from agentinstruct.agents.shapes_mistakes import Mistakes
from agentinstruct.agents.shapes_sources import Contradiction, Documents, Gap, Searches, Versions
from agentinstruct.agents.shapes_web import FormSite, ListSite, ShopSite, SiteReply, WholeSite

SHAPES: Mapping[str, type[Reshaped]] = MappingProxyType(
    {
        "text": Rewritten,
        "code": CodeListing,
        "tables": TableSet,
        "mistakes": Mistakes,
        "searches": Searches,
        "documents": Documents,
        "contradiction": Contradiction,
        "versions": Versions,
        "gap": Gap,
        "scene": Scene,
        "frame": Frame,
        "site": SiteReply,
        "form_site": FormSite,
        "list_site": ListSite,
        "shop_site": ShopSite,
        "whole_site": WholeSite,
        "character_sheet": CharacterSheet,
        "conflict": ConflictSheet,
        "imagery": ImageList,
        "brand_brief": BrandBrief,
        "lesson_outline": LessonOutline,
        **STRUCTURED,
    }
)
"""Every shape by the name a skill gives it; a new one is a subclass of `Reshaped` and a line here."""
