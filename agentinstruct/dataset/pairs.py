"""Preference pairs: two answers to one prompt of which one was found better. Only what a run really holds.

review    a person edited an answer: the edit is chosen, what the model had said is rejected
verdict   one prompt was answered twice, and checks passed one answer and failed the other (`--verify annotate`)

A refinement changes the question, so an item and its refinement are no pair; a dropped draft keeps no answer.
"""

from collections.abc import Iterable, Iterator, Sequence
from hashlib import blake2b
from typing import Any

import orjson

from agentinstruct.dataset.formats import Inexpressible, Row, trl_message, wired


class Pairs:
    """Finds them in two passes; memory grows with the answers that failed a check, not with the run."""

    def __init__(self, rows: Iterable[Row]) -> None:
        """The first pass: the prompts of what failed."""
        self._failed = {prompt_of(row) for row in rows if not row["accepted"]}
        self._half: dict[bytes, tuple[list[Row], list[Row]]] = {}

    def of(self, row: Row) -> list[dict[str, Any]]:
        """The second pass: the pairs that a record completes."""
        return [*_reviewed(row), *self._judged(row)]

    def _judged(self, row: Row) -> Iterator[dict[str, Any]]:
        prompt = prompt_of(row) if self._failed else b""
        if prompt not in self._failed:
            return
        passed, failed = self._half.setdefault(prompt, ([], []))
        (passed if row["accepted"] else failed).append(row)
        for other in failed if row["accepted"] else passed:
            chosen, rejected = (row, other) if row["accepted"] else (other, row)
            reasons = [verdict["check"] for verdict in rejected["verdicts"] if not verdict["passed"]]
            turns = chosen["messages"][:-1], chosen["messages"][-1:], rejected["messages"][-1:]
            if turns[1] != turns[2]:
                yield _pair(chosen, f"{chosen['id']}/{rejected['id']}", "verdict", ", ".join(reasons), *turns)


def _reviewed(row: Row) -> Iterator[dict[str, Any]]:
    """The pair that an edit makes, where it changed an answer and not what the user says."""
    review = row.get("review") or {}
    before, after = [wired(message) for message in review.get("original", ())], list(row["messages"])
    place = next((i for i, (one, two) in enumerate(zip(before, after, strict=False)) if one != two), None)
    if place is not None and {before[place]["role"], after[place]["role"]} == {"assistant"}:
        turns = after[:place], after[place : place + 1], before[place : place + 1]
        yield _pair(row, row["id"], "review", review.get("reason", ""), *turns)


def _pair(
    row: Row, name: str, by: str, why: str, prompt: Sequence[Row], chosen: Sequence[Row], rejected: Sequence[Row]
) -> dict[str, Any]:
    tools = {"tools": row["tools"]} if row.get("tools") else {}
    parts = {"prompt": prompt, "chosen": chosen, "rejected": rejected}
    turns = {key: [trl_message(message) for message in part] for key, part in parts.items()}
    return {"id": name, "skill": row["skill"], "by": by, "reason": why, **turns, **tools}


def prompt_of(row: Row) -> bytes:
    """The hash of all that comes before a record's last turn."""
    told = orjson.dumps([row["messages"][:-1], row.get("tools") or []])
    return blake2b(told, digest_size=16).digest()


def preference(pairs: Pairs, row: Row) -> list[dict[str, Any]]:
    """A record's pairs; a record without one is not left out, there is just none."""
    try:
        return pairs.of(row)
    except Inexpressible:
        return []
