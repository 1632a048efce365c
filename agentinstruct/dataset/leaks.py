"""Rows of one part of a dataset that repeat rows of another: what is tested must not have been trained on.

Parts are drawn by document, but two documents may say the same. The larger part gives way: of two rows that are alike,
the one in the smaller part (of two of one size, in the one named last) stays, so the smallest is whole. How rows are
alike is said in `held_out.py`.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from agentinstruct.dataset.held_out import HeldOut, Kept, Match, Said
from agentinstruct.dataset.logged import Logged
from agentinstruct.dataset.options import Rows, Sifted
from agentinstruct.dataset.rows import Row, blocks
from agentinstruct.dataset.split import Parts

LEAKS = "leaks.jsonl"
_BLOCK = 512
_MOST_RUNS = 6_000_000
"""Runs of held-out rows that are held at once, in 48 MB and four times that for a moment; more take more passes."""
_SAMPLE = 40
"""Blocks of the largest part that tell what is common; rows come in the order of their ids, so as good as drawn."""
_EXCERPT = 1000


@dataclass(slots=True)
class Leaks(Logged):
    """What was found, with both texts. To be used in `with`."""

    compared: int = 0
    """Rows of all parts but the smallest."""
    held_out: int = 0
    """Rows of all parts but the largest."""
    found: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    """Rows by their part, the part of what they repeat, and how."""
    ids: set[str] = field(default_factory=set)
    """The rows that repeat others."""

    def add(self, one: Kept, part: str, other: Kept, other_part: str, match: Match) -> None:
        """Note that a row repeats another."""
        self.ids.add(one.id)
        self.found[part, other_part, match.method] += 1
        told: dict[str, Any] = {"id": one.id, "part": part, "repeats": other.id, "repeats_part": other_part}
        told |= {"method": match.method, "score": round(match.score, 3), "asked": one.asked[:_EXCERPT]}
        told |= {"answered": one.answered[:_EXCERPT], "repeats_asked": other.asked[:_EXCERPT]}
        told |= {"repeats_answered": other.answered[:_EXCERPT]}
        self.note(told)

    def stats(self) -> dict[str, Any]:
        """Counts, as JSON."""
        listed = [
            {"part": part, "repeats": other, "method": method, "records": count}
            for (part, other, method), count in sorted(self.found.items())
        ]
        return {"compared": self.compared, "held_out": self.held_out, "leaks": len(self.ids), "found": listed}


@dataclass(slots=True)
class Apart(Sifted):
    """A run's rows without those that repeat a row of a smaller part."""

    leaks: Leaks

    def records(self) -> Iterator[dict[str, Any]]:
        """The records that stay."""
        return (row for row in self.journal.records() if row["id"] not in self.leaks.ids)


def find_leaks(rows: Rows, parts: Parts) -> Leaks:
    """What of the larger parts repeats a row of a smaller one."""
    names = sorted(parts.shares.parts, key=lambda name: -parts.shares.parts[name])
    with ExitStack() as stack:
        search = _Search(rows.records, parts, names, stack.enter_context(Leaks()))
        held = HeldOut()
        for block in search.blocks(range(1, len(names))):
            if held.runs > _MOST_RUNS:
                search.through(held)
                held = HeldOut()
            held.add(Said.of(block[0]), block[1])
            search.out.held_out += len(block[0])
        search.through(held)
        stack.pop_all()
        return search.out


@dataclass(slots=True)
class _Search:
    rows: Callable[[], Iterable[Row]]
    parts: Parts
    names: list[str]
    """The parts, the largest first: a part's place is its rank."""
    out: Leaks

    def blocks(self, ranks: range) -> Iterator[tuple[list[Row], list[int]]]:
        """The rows of these ranks with them, some at a time."""
        rank_of = {name: rank for rank, name in enumerate(self.names)}
        ranked = ((row, rank_of[self.parts.of(row)]) for row in self.rows())
        for block in blocks((pair for pair in ranked if pair[1] in ranks), _BLOCK):
            yield [row for row, _ in block], [rank for _, rank in block]

    def through(self, held: HeldOut) -> None:
        """Let all rows but those of the last part go by what is held."""
        with closing(held):
            others = range(len(self.names) - 1 if len(held) else 0)
            held.close_up(Said.of(rows) for rows, _ in islice(self.blocks(others[:1]), _SAMPLE))
            self.out.compared = 0
            for rows, ranks in self.blocks(others):
                said = Said.of(rows)
                self.out.compared += len(rows)
                for match in held.matches(said, ranks):
                    one = said.kept[match.row]
                    if one.id not in self.out.ids:
                        part, other = self.names[ranks[match.row]], self.names[held.rank(match.held)]
                        self.out.add(one, part, held.kept(match.held), other, match)
