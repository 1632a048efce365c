"""What the scripted model can be asked to extract: rules that anybody can apply to a text, and applying them.

A rule is the description of a field, in words that decide; the program that writes them can carry them out, and so can
the scripted teacher and the scripted solvers, each from what they are shown.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from agentinstruct.agents.scripted.world import world
from agentinstruct.tools.formats.records import Column

AFTER = 'The words after "{}", to the end of the {} that begins so.'
LOWER = 'In small letters, the words after "{}", to the end of the {} that begins so.'
FIRST = "The first {} words of the {}."
LAST = "The last {} words of the {}, without a point at its end."
NUMBER = "The only number in the {}, in plain digits."
YEAR = "The only year in the {}, in four digits."
LONG = 'Every word that begins with "{}" and has {} letters or more, each once.'
_FIGURE = re.compile(r"(?<![\w.,])\d+(?:,\d{3})*(?:\.\d+)?(?![\w]|[.,]\d)")
_YEAR = re.compile(r"(?<![\w.,/-])(?:1\d{3}|20\d{2})(?![\w/-]|[.,]\d)")
_WORD = re.compile(r"[^\W\d_]+")

Values = list[tuple[str, str]]
"""Spans, each with its normal form; empty where the span is the value."""


def _pattern(rule: str) -> re.Pattern[str]:
    pieces = re.escape(rule).split(r"\{\}")
    return re.compile("".join(f"(.+?){piece}" if i else piece for i, piece in enumerate(pieces)))


def _after(text: str, unit: str, head: str, kind: str) -> Values:
    whole = next((one for one in pieces(text, kind) if one.startswith(f"{head} ")), "")
    return [(whole[len(head) :].strip(), "")] if whole else []


def _lower(text: str, unit: str, head: str, kind: str) -> Values:
    return [(span, span.lower()) for span, _ in _after(text, unit, head, kind)]


def _first(text: str, unit: str, count: str, kind: str) -> Values:
    words = unit.split()
    return [(" ".join(words[: int(count)]), "")] if len(words) >= int(count) else []


def _last(text: str, unit: str, count: str, kind: str) -> Values:
    words = unit.rstrip(" .").split()
    return [(" ".join(words[-int(count) :]), "")] if len(words) >= int(count) else []


def _number(text: str, unit: str, kind: str) -> Values:
    found = _FIGURE.findall(unit)
    return [(found[0], found[0].replace(",", ""))] if len(found) == 1 else []


def _year(text: str, unit: str, kind: str) -> Values:
    found = _YEAR.findall(unit)
    return [(found[0], found[0])] if len(found) == 1 else []


def _long(text: str, unit: str, letter: str, least: str) -> Values:
    words = (word for word in _WORD.findall(text) if word.startswith(letter) and len(word) >= int(least))
    return [(word, "") for word in dict.fromkeys(words)]


_RULES: Sequence[tuple[re.Pattern[str], Callable[..., Values]]] = (
    (_pattern(AFTER), _after),
    (_pattern(FIRST), _first),
    (_pattern(LAST), _last),
    (_pattern(NUMBER), _number),
    (_pattern(YEAR), _year),
    (_pattern(LONG), _long),
    (_pattern(LOWER), _lower),
)


def rule_in(words: str) -> str:
    """The first rule that stands in some words; empty when there is none."""
    found = [match for pattern, _ in _RULES if (match := pattern.search(words))]
    return min(found, key=re.Match.start)[0] if found else ""


def values(rule: str, text: str, unit: str = "") -> Values:
    """What a rule takes out of a text, or out of one of its sentences or lines."""
    for pattern, apply in _RULES:
        if match := pattern.fullmatch(rule):
            return apply(text, unit, *match.groups())
    return []


def column(name: str, rule: str) -> Column:
    """The field that a rule describes."""
    kind = _RULES.index(next(pair for pair in _RULES if pair[0].fullmatch(rule)))
    if kind in (3, 4):
        return Column(name, "number" if kind == 3 else "date", verbatim=False, description=rule)
    return Column(name, many=kind == 5, verbatim=kind != 6, description=rule)


def pieces(text: str, kind: str) -> list[str]:
    """The sentences or the lines of a text, those that can be quoted."""
    if kind == "line":
        lines = (" ".join(line.split()) for line in text.splitlines())
        return [line for line in dict.fromkeys(lines) if len(line.split()) > 1 and '"' not in line]
    return list(world(text).telling)


@dataclass(frozen=True, slots=True)
class Order:
    """What a user asks for: the fields with their rules, of the whole text or of each of some pieces of it."""

    fields: Mapping[str, str]
    of_each: str = ""
    """`sentence` or `line` where every such piece that holds `word` is a record."""
    word: str = ""

    def units(self, text: str) -> list[str]:
        """The pieces that make a record; the whole text, as one, where there is only one record."""
        if not self.of_each:
            return [""]
        return [piece for piece in pieces(text, self.of_each) if self.word in _tokens(piece)]

    def records(self, text: str) -> Iterator[dict[str, Values]]:
        """The values of each field, record by record."""
        for unit in self.units(text):
            yield {name: values(rule, text, unit) for name, rule in self.fields.items()}

    @property
    def columns(self) -> list[Column]:
        """Its fields as formats know them."""
        return [column(name, rule) for name, rule in self.fields.items()]


def _tokens(piece: str) -> list[str]:
    return [token.strip(" .,;:()[]{}") for token in piece.split()]


def words_between(text: str, kind: str, least: int, most: int) -> list[str]:
    """The words that stand in so many sentences or lines of a text, those in most of them first."""
    counts: dict[str, int] = {}
    for piece in pieces(text, kind):
        for token in dict.fromkeys(_tokens(piece)):
            if token.isidentifier() and token.isascii():
                counts[token] = counts.get(token, 0) + 1
    fitting = [word for word, count in counts.items() if least <= count <= most]
    return sorted(fitting, key=lambda word: -counts[word])
