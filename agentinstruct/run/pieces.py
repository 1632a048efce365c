"""What reading has found of each piece of the seed documents: a resumed run judges none again.

    piece ─ known to the ledger? ─ yes ─→ its language, flaw and features as they were found
                                 └ no ──→ the rules, whose findings go into the ledger

Which work follows is decided anew each time, from the findings: it is the same, whoever remembers them.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from hashlib import blake2b

import orjson

from agentinstruct.agents.records import Modality
from agentinstruct.agents.routing import Features, features
from agentinstruct.agents.skill import Feature
from agentinstruct.run.index import Index
from agentinstruct.run.journal import Journal
from agentinstruct.run.ledger import PieceRow
from agentinstruct.seeds import Judge, Judgement, judgement

_BATCH = 64
_RECENT = 256
"""Pieces whose features are at hand: more than are read ahead."""


@dataclass(slots=True)
class Pieces:
    """The findings of one run. The judge works in the thread that reads, the features are asked for in another."""

    journal: Journal
    featured: bool
    """Whether the run's skills ask for features."""
    _recent: dict[str, defaultdict[Feature, int]] = field(default_factory=dict)
    _new: list[PieceRow] = field(default_factory=list)

    @contextmanager
    def judging(self) -> Iterator[Judge]:
        """Who judges the pieces of one pass over the seeds."""
        index = self.journal.index()
        try:
            yield partial(self._judged, index)
            self._keep()
        finally:
            index.close()

    def features(self, text: str) -> Features:
        """The features of a seed's text."""
        return self._recent.get(text) or features(text)

    def _judged(self, index: Index, text: str, modality: Modality, min_chars: int) -> Judgement:
        key = blake2b(f"{modality} {text}".encode("utf-8", "surrogatepass"), digest_size=16).digest()
        if found := index.piece(key):
            language, flaw, counts = orjson.loads(found)
            self._remember(text, counts)
            return Judgement(language, flaw)
        judged = judgement(text, modality, min_chars)
        counts = dict(features(text)) if self.featured and not judged.flaw else {}
        self._remember(text, counts)
        self._new.append(PieceRow(key, orjson.dumps([*judged, {name: many for name, many in counts.items() if many}])))
        if len(self._new) >= _BATCH:
            self._keep()
        return judged

    def _remember(self, text: str, counts: Mapping[Feature, int]) -> None:
        if counts:
            self._recent[text] = defaultdict(int, counts)
            if len(self._recent) > _RECENT:
                del self._recent[next(iter(self._recent))]

    def _keep(self) -> None:
        if self._new:
            self.journal.put_pieces(self._new)
            self._new = []
