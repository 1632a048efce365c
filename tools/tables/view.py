"""One table as one sentence sees it: the rows it names, and the words that say what was worked out."""

import re
from dataclasses import dataclass, field

from agentinstruct.tools.tables.scope import Index, Scope
from agentinstruct.tools.tables.table import Table

_CUES = {
    "difference": r"more|less|fewer|high|low|above|below|ahead|behind|gap|differ|margin|r[oi]se|risen"
    r"|increas|gr[eo]w|gain|add"
    r"|up\b|fall|fell|drop|declin|decreas|los[te]|down|shr[aiu]nk|long|short|old|young|fast|slow"
    r"|between|than|lead|led|exceed|over\b"
    r"|chang|swing|apart|later|earlier|after|extra|remain|left|point|beat|trail|climb|jump|slip|slid"
    r"|recover|surg|dip|cut|narrow|wid|span|rang",
    "sum": r"total|sum\b|sums\b|together|combin|overall|in all|altogether|all\b|both|plus|amount|add"
    r"|across|join|aggregat|entire|whole",
    "mean": r"averag|mean\b|typical|per\b|each",
    "median": r"median|middle|midpoint",
    "ratio": r"times|ratio|twice|doubl|tripl|fold|per\b|each|to one|for every|as (?:many|much|large"
    r"|big|high|long)|half|halv|third|quarter|fifth",
    "extreme": r"(?!(?:\w*thwest|forest|interest|request|harvest|guest|invest|modest|suggest"
    r"|protest)\b)\w{3,}est\b|peak|top|bottom"
    r"|best|worst|most|least|leader|lead|maxim|minim|first|last|rang|spread|extrem|record|fewest|only",
    "ends": r"since|from|start|beg[aiu]n|end|final|period|overall|through|during|over the|across"
    r"|first|last|by\b|rang|initial|latest|then",
    "count": r"above|over|below|under|more|less|at least|exceed|fewer|miss|report|record|no\b|none"
    r"|without|blank|gap|empty|reach|top\b|rose|fell",
    "time": r"year|month|week|day|decade|hour|minute|second|period|quarter|later|after|span|within|run",
}
CUES = {name: re.compile(rf"\b(?:{words})", re.IGNORECASE) for name, words in _CUES.items()}
MAX_OPERANDS = 14


@dataclass(frozen=True, slots=True)
class Candidate:
    """A value that follows from the data, and how."""

    value: float
    how: str
    kind: str
    """cell, sum, mean, difference, ratio, change (per cent), share (per cent), count, time …"""
    unit: str = ""
    column: int = -1
    """The column it is of; -1 where it is of several or of none."""


@dataclass(frozen=True)
class View:
    """One table as one sentence sees it."""

    index: Index
    here: Scope
    before: Scope
    text: str
    stated: tuple[float, ...] = field(default=())
    """Limits that this sentence or the request states (`more than 40`), as thresholds of counts."""

    @property
    def table(self) -> Table:
        """The table itself."""
        return self.index.table

    def says(self, cue: str) -> bool:
        """Whether the sentence has a word of this kind."""
        return bool(CUES[cue].search(self.text))

    @property
    def near(self) -> frozenset[int]:
        """The rows named here, else those of a group named here, else those named in the sentence before."""
        groups = frozenset(row for rows in self.here.groups for row in rows)
        return self.here.rows or groups or self.before.rows
