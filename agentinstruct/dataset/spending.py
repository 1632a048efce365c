"""What calls came to, by role and model: read from the calls that the rows of a finished work item carry."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from agentinstruct.tools.prices import Price

Payee = tuple[str, str]
"""A role, and the model that played it."""
PriceOf = Callable[[Payee], Price | None]


@dataclass(slots=True)
class Spent:
    """Calls and their tokens; `read` holds the cached ones too."""

    calls: int = 0
    read: int = 0
    cached: int = 0
    written: int = 0

    def add(self, other: "Spent") -> None:
        """Count more."""
        self.calls += other.calls
        self.read += other.read
        self.cached += other.cached
        self.written += other.written

    def cost(self, price: Price | None) -> float | None:
        """USD at such a price; None where it is not known."""
        return None if price is None else price.of(self.read, self.cached, self.written)


def spent_on(rows: Iterable[Mapping[str, Any]]) -> dict[Payee, Spent]:
    """What the calls of one work item's records and dropped drafts took, each call once."""
    found: dict[Payee, Spent] = {}
    for call in {call["key"]: call for row in rows for call in row.get("calls", ())}.values():
        spent = Spent(1 + call["repairs"], call["input_tokens"], call["cached_tokens"], call["output_tokens"])
        found.setdefault((call["role"], call["model"]), Spent()).add(spent)
    return found
