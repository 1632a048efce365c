"""What finding leaks between parts takes, and what of planted ones it finds, over a run's records.

python benchmarks/view.py --records 1000000 --folder big && python benchmarks/leaks.py big
"""

import argparse
import resource
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from agentinstruct.dataset.leaks import find_leaks
from agentinstruct.dataset.split import Parts, Shares, parts_of
from agentinstruct.run.journal import Journal

Row = dict[str, Any]
PLANTED = 1000
"""Rows of each form."""


def edited(text: str) -> str:
    """Every twentieth word is another."""
    return " ".join(word if place % 20 else "another" for place, word in enumerate(text.split(), 1))


FORMS: dict[str, Callable[[str, str], tuple[str, str]]] = {
    "verbatim": lambda asked, answered: (asked, answered),
    "lightly edited": lambda asked, answered: (edited(asked), edited(answered)),
    "another format": lambda asked, answered: (f"Question 7 (3 points). {asked.upper()} Give reasons.", "No idea."),
    "in an answer": lambda asked, answered: ("Write a question for a quiz.", f"How about this?\n\n> {asked}"),
}


class Planted:
    """The records of a run, and what repeats some of those held out."""

    def __init__(self, journal: Journal, planted: list[Row]) -> None:
        self._journal, self._planted = journal, planted

    def records(self) -> Iterator[Row]:
        """All of them."""
        yield from self._planted
        yield from self._journal.records()


def main() -> None:
    """All figures."""
    given = argparse.ArgumentParser(description=__doc__)
    given.add_argument("run", type=Path)
    given.add_argument("--split", default="train=0.98,validation=0.01,test=0.01")
    asked = given.parse_args()
    with Journal.read(asked.run) as journal:
        begun = time.process_time()
        parts = parts_of(journal.records(), Shares.parse(asked.split))
        print(f"drawing the parts, which reads the run once: {time.process_time() - begun:.0f} s of CPU", flush=True)
        planted = {form: list(plant(journal, parts, form)) for form in FORMS}
        before = peak_mb()
        begun = time.process_time()
        reading = sum(1 for _ in journal.records())
        read, begun = time.process_time() - begun, time.process_time()
        with find_leaks(Planted(journal, [row for rows in planted.values() for row in rows]), parts) as found:
            taken = time.process_time() - begun
            each = 1000 * (taken - 2 * read) / reading
            print(f"{reading:,} records, {found.held_out:,} of them held out; reading them takes {read:.0f} s of CPU")
            print(f"finding leaks: {taken:.0f} s of CPU, {each:.3f} ms a record beside reading twice")
            print(f"peak memory {peak_mb()} MB, of which {before} MB before")
            for form, rows in planted.items():
                print(f"{form}: {sum(row['id'] in found.ids for row in rows)} of {len(rows)} found")
            every = {row["id"] for rows in planted.values() for row in rows}
            print(f"others: {len(found.ids - every)}")


def peak_mb() -> int:
    """The most memory that this process has had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10


def plant(journal: Journal, parts: Parts, form: str) -> Iterator[Row]:
    """Rows that are drawn for the first part and repeat held-out ones."""
    number, made = 0, 0
    for row in journal.records():
        if parts.of(row) == next(iter(parts.shares.parts)):
            continue
        asked, answered = FORMS[form](row["messages"][0]["content"], row["messages"][-1]["content"])
        said = [{"role": "user", "content": asked}, {"role": "assistant", "content": answered}]
        new = row | {"id": f"{form} {made}", "messages": said, "source": ""}
        while parts.of(new | {"seed_id": f"{form} {number}"}) != next(iter(parts.shares.parts)):
            number += 1
        yield new | {"seed_id": f"{form} {number}"}
        number, made = number + 1, made + 1
        if made == PLANTED:
            return


if __name__ == "__main__":
    main()
