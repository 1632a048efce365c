"""How English words sound, and verse cut into stanzas and lines: what rules about poems read."""

from agentinstruct.tools.verse.lines import stanzas_of, title_of
from agentinstruct.tools.verse.sound import Sound, beats, rhymes, sounds, syllable_range

__all__ = ["Sound", "beats", "rhymes", "sounds", "stanzas_of", "syllable_range", "title_of"]
