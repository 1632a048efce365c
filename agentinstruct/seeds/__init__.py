"""Seeds: read documents and code, chunk them, drop what is no use, with a counted reason."""

from agentinstruct.seeds.document import Document, SeedOptions, Skipped
from agentinstruct.seeds.given import FORMATS, Given, given_seeds
from agentinstruct.seeds.quality import Judgement, judgement
from agentinstruct.seeds.read import Judge, read_documents, read_seeds

__all__ = [
    "FORMATS",
    "Document",
    "Given",
    "Judge",
    "Judgement",
    "SeedOptions",
    "Skipped",
    "given_seeds",
    "judgement",
    "read_documents",
    "read_seeds",
]
