"""Hidden rules for few-shot tasks: sampled from finite families, so that what examples decide can be proven."""

from agentinstruct.tools.rules.exemplars import STYLES, Style, read_block
from agentinstruct.tools.rules.family import Family, Pair, Pipeline, Spec, tupled
from agentinstruct.tools.rules.puzzles import (
    FAMILIES,
    MOST,
    Puzzle,
    Shot,
    answers,
    composed,
    farther,
    fewer,
    odd,
    sample,
    spoilt,
    tagged,
)
from agentinstruct.tools.rules.sums import Chains

__all__ = [
    "FAMILIES",
    "MOST",
    "STYLES",
    "Chains",
    "Family",
    "Pair",
    "Pipeline",
    "Puzzle",
    "Shot",
    "Spec",
    "Style",
    "answers",
    "composed",
    "farther",
    "fewer",
    "odd",
    "read_block",
    "sample",
    "spoilt",
    "tagged",
    "tupled",
]
