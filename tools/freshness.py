"""Whether a piece is its own: what it shares with a source, what it repeats, and which worn-out words it uses.

All of it is counted, none of it judged. The lists hold openings and phrases that readers have seen too often, and
names that language models give far more often than parents do.
"""

import json
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import lru_cache
from importlib.resources import files
from math import log2

from agentinstruct.tools.constraints.text import Text, tokens

RUN = 4
"""Words of a run that counts as repeated."""


@lru_cache(maxsize=1)
def _lists() -> dict[str, tuple[str, ...]]:
    data = json.loads((files("agentinstruct.tools") / "freshness.json").read_text(encoding="utf-8"))
    return {name: tuple(" ".join(tokens(entry)) for entry in entries) for name, entries in data.items()}


def shared_run(text: str, source: str) -> str:
    """The longest run of words of a text that the source has too, or an empty string."""
    mine, theirs = tokens(text), tokens(source)
    places: dict[str, list[int]] = {}
    for at, word in enumerate(theirs):
        places.setdefault(word, []).append(at)
    best, end, before = 0, 0, dict[int, int]()
    for at, word in enumerate(mine):
        now = {place: before.get(place - 1, 0) + 1 for place in places.get(word, ())[:500]}
        if now and (longest := max(now.values())) > best:
            best, end = longest, at + 1
        before = now
    return " ".join(mine[end - best : end])


def repeated_share(text: str, size: int = RUN) -> tuple[float, str]:
    """The share of runs of words that a text has said before, and the run it says most often."""
    words = tokens(text)
    runs = Counter(zip(*(words[at:] for at in range(size)), strict=False))
    if not runs:
        return 0.0, ""
    run, times = runs.most_common(1)[0]
    again = sum(times - 1 for times in runs.values())
    return again / runs.total(), " ".join(run) if times > 1 else ""


def repeated_opening(text: str, size: int = 2) -> tuple[float, str]:
    """The share of the sentences that open with the same words as most, and those words."""
    heads = Counter(" ".join(tokens(sentence)[:size]) for sentence in Text(text).openings)
    if not heads:
        return 0.0, ""
    head, times = heads.most_common(1)[0]
    return times / heads.total(), head


def repeated_sentence(text: str) -> str:
    """A sentence of five words or more that stands twice, or an empty string."""
    often = Counter(" ".join(tokens(sentence)) for sentence in Text(text).sentences)
    return next((said for said, times in often.items() if times > 1 and len(said.split()) > 4), "")


def worn_opening(text: str) -> str:
    """The over-used opening that a text begins with, or an empty string."""
    head = f"{' '.join(tokens(text[:400]))} "
    return next((opening for opening in _lists()["openings"] if head.startswith(f"{opening} ")), "")


def worn_phrases(text: str) -> list[str]:
    """The over-used phrases in a text."""
    return _standing(_lists()["phrases"], text)


def worn_names(text: str) -> list[str]:
    """The names in a text that models over-use."""
    return _standing(_lists()["names"], text)


def _standing(entries: Iterable[str], text: str) -> list[str]:
    words = f" {' '.join(tokens(text))} "
    return [entry for entry in dict.fromkeys(entries) if f" {entry} " in words]


def evenness(values: Sequence[str]) -> float:
    """How evenly a corpus spreads over different openings or names: 1 all different, 0 all the same (entropy)."""
    counts = Counter(values)
    if len(values) < 2:
        return 1.0
    entropy = -sum(n / len(values) * log2(n / len(values)) for n in counts.values())
    return entropy / log2(len(values))


def opening_of(text: str, size: int = 3) -> str:
    """The first words of a text, below its title: what a corpus of pieces should not have in common."""
    body = re.sub(r"\A\s*(?:#{1,6} [^\n]*|\*\*[^\n]*\*\*)\n", "", text)
    return " ".join(tokens(body[:300])[:size])
