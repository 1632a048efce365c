"""Whom the records speak of, and how, beside the seeds they were made from: what the making added or took away.

first names known as women's or men's · she and he · countries and their adjectives, by region · sentiment of the
sentences that mention each (VADER's lexicon, where the extra `measure` is installed)

Names and countries are lists (groups.json), so what is on no list is not counted; English words only. A difference
is a reason to read, not a verdict.
"""

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from agentinstruct.dataset.measure_figures import NONE, Figure, mean, share

MOST_SENTENCES = 400
"""Sentences of one group that are read for sentiment."""
_CAPITALS = re.compile(r"\b[A-Z][\w.’'-]*(?: [A-Z][\w-]+){0,2}")
_PRONOUNS = re.compile(r"\b(she|her|hers|herself|he|him|his|himself)\b", re.IGNORECASE)
_SENTENCE = re.compile(r"(?<=[.!?])\s+|\n+")
_OF_WOMEN = frozenset({"she", "her", "hers", "herself"})


@dataclass(frozen=True, slots=True)
class Mention:
    """One group among its kind: its share of all mentions of that kind, and how it is spoken of."""

    kind: str
    group: str
    seeds: Figure
    records: Figure
    seed_sentiment: Figure
    record_sentiment: Figure
    """Mean over sentences that mention it: −1 all bad … 1 all good."""

    @property
    def unlike(self) -> bool:
        """Whether the two intervals do not meet."""
        a, b = self.seeds, self.records
        if a.low is None or a.high is None or b.low is None or b.high is None:
            return False
        return a.high < b.low or b.high < a.low


@dataclass(frozen=True, slots=True)
class Bias:
    """The audit; `seeds` and `records` count texts read."""

    seeds: int
    records: int
    sentiment: bool
    """Whether the library that tells it is installed."""
    mentions: tuple[Mention, ...]
    countries: tuple[tuple[str, int, int], ...]
    """The most mentioned, with how often in seeds and in records."""


@dataclass(slots=True)
class _Reading:
    """What some texts mention: a counter a text, sentences by group."""

    texts: list[Counter[tuple[str, str]]] = field(default_factory=list)
    countries: Counter[str] = field(default_factory=Counter)
    sentences: dict[tuple[str, str], list[str]] = field(default_factory=dict)

    def shares(self, kind: str, group: str) -> Figure:
        """A group's share of its kind; its interval is that of one mention a text."""
        all_of = [sum(n for (one, _), n in text.items() if one == kind) for text in self.texts]
        mentions, texts = sum(all_of), sum(map(bool, all_of))
        if not mentions:
            return NONE
        return share(texts * sum(text[kind, group] for text in self.texts) / mentions, texts)


def bias(seeds: Iterable[str], records: Iterable[str]) -> Bias:
    """Compare texts of the records with those of the seeds."""
    before, now = _read(seeds), _read(records)
    met = sorted({key for reading in (before, now) for text in reading.texts for key in text})
    feels = _sentiment()
    mentions = tuple(
        Mention(
            kind,
            group,
            before.shares(kind, group),
            now.shares(kind, group),
            feels.of(before.sentences.get((kind, group), [])) if feels else NONE,
            feels.of(now.sentences.get((kind, group), [])) if feels else NONE,
        )
        for kind, group in met
    )
    named = (before.countries + now.countries).most_common(12)
    countries = tuple((name, before.countries[name], now.countries[name]) for name, _ in named)
    return Bias(len(before.texts), len(now.texts), feels is not None, mentions, countries)


def _read(texts: Iterable[str]) -> _Reading:
    reading = _Reading()
    for text in texts:
        found = Counter[tuple[str, str]]()
        for sentence in _SENTENCE.split(text):
            groups = list(_groups(sentence, reading.countries))
            found.update(groups)
            for group in set(groups):
                kept = reading.sentences.setdefault(group, [])
                if len(kept) < MOST_SENTENCES:
                    kept.append(sentence[:400])
        reading.texts.append(found)
    return reading


def _groups(sentence: str, countries: Counter[str]) -> Iterator[tuple[str, str]]:
    names, places = _lists()
    for found in _PRONOUNS.finditer(sentence):
        yield "pronouns", "she" if found[1].casefold() in _OF_WOMEN else "he"
    for found in _CAPITALS.finditer(sentence):
        words = found[0].split()
        while words:
            two, one = " ".join(words[:2]), words[0].rstrip(".").removesuffix("’s").removesuffix("'s")
            place = places.get(two) or places.get(one) or places.get(words[0])
            if place:
                countries[place[1]] += 1
                yield "regions", place[0]
            elif one in names:
                yield "first names", names[one]
            words = words[2 if two in places else 1 :]


@lru_cache(maxsize=1)
def _lists() -> tuple[dict[str, str], dict[str, tuple[str, str]]]:
    """First names with whose they are, and words for countries with region and country."""
    data = json.loads(Path(__file__).with_name("groups.json").read_text(encoding="utf-8"))
    names = {name: group for group in ("women", "men") for line in data[group] for name in line.split()}
    places = {
        word: (region, country)
        for region, countries in data["regions"].items()
        for country, adjectives in countries.items()
        for word in (country, *adjectives)
    }
    return names, places


@dataclass(frozen=True, slots=True)
class _Lexicon:
    analyser: Any

    def of(self, sentences: Sequence[str]) -> Figure:
        """Their mean sentiment."""
        return mean([self.analyser.polarity_scores(sentence)["compound"] for sentence in sentences])


def _sentiment() -> _Lexicon | None:
    if not find_spec("vaderSentiment"):
        return None
    from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

    return _Lexicon(SentimentIntensityAnalyzer())
