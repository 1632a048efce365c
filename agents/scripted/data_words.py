"""What can be counted about the words of a text: the scripted model's data, in every shape."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from agentinstruct.agents.scripted.world import world

_SKIPPED = frozenset(
    [
        *("there", "their", "these", "those", "which", "while", "where", "about", "after", "again"),
        *("first", "other", "would", "could", "should", "being", "place", "words", "letters", "times"),
        *("given", "value", "values", "short", "stands", "above", "total", "entry", "entries", "begin"),
        *("answer", "reader", "reads", "using", "never", "month", "title"),
    ]
)
_LEAST = 5


@dataclass(frozen=True)
class Words:
    """Some words of a text with what is counted of each."""

    text: str
    chosen: tuple[str, ...]

    def length(self, word: str) -> str:
        """Its letters."""
        return str(len(word))

    def place(self, word: str) -> str:
        """The character at which it first stands."""
        return str(self.text.casefold().find(word.casefold()) + 1)

    def uses(self, word: str) -> str:
        """How often it is used; not counted for the last one."""
        return "" if word == self.chosen[-1] else str(self.text.casefold().count(word.casefold()))

    def kind(self, word: str) -> str:
        """Long or brief."""
        return "long" if len(word) > 7 else "brief"

    @property
    def rows(self) -> list[list[str]]:
        """Word, kind, letters, place, uses."""
        return [[w, self.kind(w), self.length(w), self.place(w), self.uses(w)] for w in self.chosen]


def facts(text: str, shape: str) -> dict[str, Any] | None:
    """The fields of a shape; None where a text has too few words."""
    found = [w.capitalize() for w in re.findall(r"\b[A-Za-z]{5,14}\b", text) if w.casefold() not in _SKIPPED]
    distinct = list(dict.fromkeys(found))
    if len(distinct) < _LEAST + 1 or shape not in _SHAPES:
        return None
    return _SHAPES[shape](Words(text, (*distinct[:_LEAST], distinct[-1])))


def _table(words: Words) -> dict[str, Any]:
    columns = ["Word", "Kind", "Length (letters)", "Position (characters)", "Uses"]
    return {"title": "Some words of the source", "columns": columns, "rows": words.rows}


def _series(words: Words) -> dict[str, Any]:
    lengths = [len(piece.split()) for piece in world(words.text).pieces(6)][:8] or [1]
    lengths = (lengths * 6)[: max(6, len(lengths))]
    rows = [[f"2021-{month:02}", str(n + month), str(n * 5)] for month, n in enumerate(lengths, 1)]
    rows[1][2] = ""
    rows[-1][1] = str(len(words.text.split()) * 10 + 1000)
    return {"title": "Reading, month by month", "columns": ["Month", "Read (pages)", "Spent (minutes)"], "rows": rows}


def _chart(words: Words) -> dict[str, Any]:
    rows = [[w, words.place(w)] for w in words.chosen]
    return {
        "title": "Where words first stand",
        "mark": "bar",
        "columns": ["Word", "Position (characters)"],
        "rows": rows,
    }


def _box(words: Words) -> dict[str, Any]:
    count, first, last = len(words.text.split()), words.chosen[0], words.chosen[-1]
    entries = {
        "Extent": f"{count} terms",
        "Size": f"{len(words.text)} characters",
        "Opening term": first,
        "Closing term": last,
        "Opening length": f"{len(first)} letters",
        "Closing length": f"{len(last)} letters",
        "Written": "",
    }
    return {"title": f"The {first} text", "entries": [{"key": k, "value": v} for k, v in entries.items()]}


def _triples(words: Words) -> dict[str, Any]:
    made = [
        {"subject": word, "predicate": name, "object": value}
        for word in words.chosen
        for name, value in (
            ("kind", words.kind(word)),
            ("length", f"{words.length(word)} letters"),
            ("uses", words.uses(word)),
        )
        if value
    ]
    return {"facts": made}


def _log(words: Words) -> dict[str, Any]:
    entries = [
        {
            "time": f"2024-05-06 09:{10 + i}:0{i}",
            "level": "ERROR" if i == 2 else "INFO",
            "source": ("scanner", "printer")[i % 2],
            "message": f"found {word}",
            "measure": words.place(word) if i != 1 else "",
        }
        for i, word in enumerate(words.chosen)
    ]
    return {"measure": "offset", "entries": entries}


def _survey(words: Words) -> dict[str, Any]:
    shares = [("38%", "25%"), ("27%", "31%"), ("21%", "12%"), ("14%", "32%")]
    answers = [[word, *pair] for word, pair in zip(words.chosen, shares, strict=False)]
    question = {"question": "Which term do you like best?", "groups": ["Members", "Guests"], "answers": answers}
    return {"title": "Readers of the source", "asked": 240, "questions": [question]}


def _joined(words: Words) -> dict[str, Any]:
    first = [[w, words.kind(w)] for w in words.chosen]
    second = [[w, words.length(w), words.place(w), words.uses(w)] for w in words.chosen]
    return {
        "first": {"title": "Kinds", "columns": ["Word", "Kind"], "rows": first},
        "second": {
            "title": "Counts",
            "columns": ["Word", "Length (letters)", "Position (characters)", "Uses"],
            "rows": second,
        },
    }


_SHAPES: Mapping[str, Callable[[Words], dict[str, Any]]] = MappingProxyType(
    {
        "Tabled": _table,
        "Records": _table,
        "Series": _series,
        "Chart": _chart,
        "Boxed": _box,
        "Triples": _triples,
        "Log": _log,
        "Survey": _survey,
        "Joined": _joined,
    }
)
