"""The frame of a puzzle: a setting and enough names for a program to build on."""

from pydantic import Field

from agentinstruct.agents.replies import Reshaped
from agentinstruct.tools.puzzles import Cast

LEAST = {"people": 4, "things": 4, "places": 3, "kinds": 3}
"""Names of each kind without which few puzzles can be built."""


class Frame(Reshaped):
    """A setting, and who and what there is in it."""

    setting: str = Field(description="Two to five sentences: where we are, what goes on, what could be asked.")
    people: tuple[str, ...] = Field(max_length=12, description="Eight short names or roles, all different.")
    things: tuple[str, ...] = Field(max_length=12, description="Seven things, one to three words each.")
    places: tuple[str, ...] = Field(max_length=12, description="Five places, one to three words each.")
    kinds: tuple[str, ...] = Field(max_length=12, description="Four plural nouns: kinds of people or things.")

    @property
    def passage_text(self) -> str:
        """The setting and the names."""
        names = [f"{kind.capitalize()}: {', '.join(getattr(self, kind))}" for kind in LEAST if getattr(self, kind)]
        return "\n".join([self.setting.strip(), "", *names]).strip()

    def unfit(self) -> str:
        """Too few names that can be used, or no setting."""
        cast = Cast.of(**{kind: getattr(self, kind) for kind in LEAST})
        for kind, least in LEAST.items():
            if len(found := getattr(cast, kind)) < least:
                return (
                    f"{kind}: {least} different ones are needed, of one to four plain words, none a part of another; "
                    f"only {len(found)} can be used: {', '.join(found) or 'none'}"
                )
        return "" if len(self.setting.split()) >= 8 else "the setting says too little"
