"""Rules on small records: written in a format, taken out of a sentence, worked out from a table."""

import json
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import permutations, product
from random import Random
from types import MappingProxyType

from agentinstruct.tools.rules.family import Family, Spec
from agentinstruct.tools.rules.harvest import amounts, names, places

_RECORD = re.compile(r"name: (?P<name>[^;]+); number: (?P<number>\d+); place: (?P<place>.+)")
_NUMBERS = ("{n}", "{n:04d}", "#{n}")
_CASES: Mapping[str, str] = MappingProxyType({"as it is": "", "in capitals": "upper", "in small letters": "lower"})
_SEPARATORS = (" / ", ", ", " - ", "|", " @ ")
_FIELDS = ("name", "number", "place")


def _cased(text: str, case: str) -> str:
    return str(getattr(text, case)()) if case else text


def _records(text: str, draw: Random, count: int, most: int = 99) -> list[tuple[str, int, str]]:
    who, where = names(text)[:10], places(text)[:8]
    return [(draw.choice(who), n, draw.choice(where)) for n in amounts(text, draw, count, 2, most)]


class Formats(Family):
    """A record to one line of a certain form."""

    name = "formats"

    def space(self) -> Sequence[Spec]:
        """Order of the fields, what stands between them, case, number, brackets."""
        return _formats()

    def apply(self, spec: Spec, given: str) -> str | None:
        """The line."""
        found = _RECORD.fullmatch(given)
        if not found:
            return None
        order, separator, case, number, brackets = spec
        shown = {
            "name": _cased(found["name"], case),
            "place": found["place"],
            "number": number.format(n=int(found["number"])),
        }
        parts = [shown[field] for field in order]
        place = {"last": -1, "first": 0}.get(brackets)
        if place is not None:
            parts[place] = f"({parts[place]})"
        return str(separator).join(parts)

    def say(self, spec: Spec) -> str:
        """All of it."""
        case = next(words for words, case in _CASES.items() if case == spec[2])
        return f"{', '.join(spec[0])} with {spec[1]!r} between; name {case}; number as {spec[3]}; brackets: {spec[4]}"

    def near(self, text: str, draw: Random) -> list[str]:
        """Records with numbers below a hundred."""
        return [f"name: {a}; number: {n}; place: {b}" for a, n, b in _records(text, draw, 12)]

    def far(self, text: str, draw: Random) -> list[str]:
        """Names and places of two words, larger numbers."""
        return [f"name: {a} van {b}; number: {n}; place: Old {b}" for a, n, b in _records(text, draw, 3, 999)]


@lru_cache(maxsize=1)
def _formats() -> tuple[Spec, ...]:
    orders = permutations(_FIELDS)
    return tuple(product(orders, _SEPARATORS, _CASES.values(), _NUMBERS, ("none", "last", "first")))


_SENTENCES = (
    "{name} brought {number} {thing} to {place}.",
    "In {place}, {name} counted {number} {thing}.",
    "{number} {thing} were left at {place} by {name}.",
)
_FAR_SENTENCE = "Nobody in {place} believed that {name} had {number} {thing}."
_PARTS = {"name": r"(?P<name>.+)", "number": r"(?P<number>\d+)", "thing": r"(?P<thing>\S+)", "place": r"(?P<place>.+)"}
_READERS = tuple(re.compile(s.replace(".", r"\.").format(**_PARTS)) for s in (*_SENTENCES, _FAR_SENTENCE))
_THINGS = re.compile(r"\b(?:the|of|many|some|these|all|two|three|other|\d+) ([a-z]{3,8}[a-rt-z]s)\b(?! [a-z]+s\b)")
_TAKEN = ("name", "number", "thing", "place")


class Extractions(Family):
    """A sentence to some of its facts."""

    name = "extractions"

    def space(self) -> Sequence[Spec]:
        """Which facts in which order, how they are written, in which case."""
        return _extractions()

    def apply(self, spec: Spec, given: str) -> str | None:
        """The facts."""
        matches = (reader.fullmatch(given) for reader in _READERS)
        found = next(filter(None, matches), None)
        if not found:
            return None
        fields, form, case = spec
        values = {field: _cased(found[field], case) for field in fields}
        if form == "json":
            return json.dumps(values, ensure_ascii=False)
        return "; ".join(f"{k}={v}" for k, v in values.items()) if form == "pairs" else " | ".join(values.values())

    def say(self, spec: Spec) -> str:
        """All of it."""
        return f"{', '.join(spec[0])} as {spec[1]}" + (f", {spec[2]} case" if spec[2] else "")

    def near(self, text: str, draw: Random) -> list[str]:
        """Sentences of three makes."""
        return [self._told(draw.choice(_SENTENCES), record, text, draw) for record in _records(text, draw, 12)]

    def far(self, text: str, draw: Random) -> list[str]:
        """Sentences of a fourth make."""
        return [self._told(_FAR_SENTENCE, record, text, draw) for record in _records(text, draw, 3)]

    @staticmethod
    def _told(sentence: str, record: tuple[str, int, str], text: str, draw: Random) -> str:
        name, number, place = record
        things = [*dict.fromkeys(_THINGS.findall(text.lower()))][:12] or ["boxes", "letters", "stones"]
        return sentence.format(name=name, number=number, place=place, thing=draw.choice(things))


@lru_cache(maxsize=1)
def _extractions() -> tuple[Spec, ...]:
    chosen = [order for count in (1, 2, 3) for order in permutations(_TAKEN, count)]
    return tuple(product(chosen, ("pipe", "json", "pairs"), ("", "upper", "lower")))


class Tables(Family):
    """A small table, written on one line, to what an operation on it gives."""

    name = "tables"
    least = 2

    def space(self) -> Sequence[Spec]:
        """Operations, those with a bound for every bound."""
        return _operations()

    def apply(self, spec: Spec, given: str) -> str | None:
        """What the operation gives; `none` for no row."""
        rows = [(name, int(n)) for name, n in re.findall(r"([^\d;]+?) (\d+)(?:;|$)", given)]
        rows = [(name.strip(), n) for name, n in rows]
        if len(rows) < 2:
            return None
        return _worked(spec, rows, sorted(rows, key=lambda row: (row[1], row[0])))

    def say(self, spec: Spec) -> str:
        """The operation."""
        return " ".join(map(str, spec))

    def near(self, text: str, draw: Random) -> list[str]:
        """Tables of three rows."""
        return [self._table(text, draw, 3, 40) for _ in range(12)]

    def far(self, text: str, draw: Random) -> list[str]:
        """Tables of six rows with larger numbers."""
        return [self._table(text, draw, 6, 300) for _ in range(3)]

    @staticmethod
    def _table(text: str, draw: Random, rows: int, most: int) -> str:
        who = draw.sample(names(text)[:10], rows)
        return "; ".join(f"{name} {n}" for name, n in zip(who, draw.sample(range(2, most), rows), strict=True))


def _worked(spec: Spec, rows: list[tuple[str, int]], by_number: list[tuple[str, int]]) -> str:
    match spec:
        case ("row", "largest" | "smallest" as which, field):
            name, number = by_number[-1 if which == "largest" else 0]
            return {"name": name, "number": str(number), "both": f"{name}: {number}"}[field]
        case ("above" | "below" as side, bound, field):
            kept = [(a, n) for a, n in rows if (n > bound if side == "above" else n < bound)]
            if field == "count":
                return str(len(kept))
            return ", ".join(a for a, _ in kept) or "none" if field == "names" else str(sum(n for _, n in kept))
        case ("ordered", how):
            ordered = {"up": by_number, "down": by_number[::-1], "letters": sorted(rows)}[how]
            return ", ".join(a for a, _ in ordered)
        case ("numbers", how):
            numbers = [n for _, n in rows]
            return str({"sum": sum(numbers), "range": max(numbers) - min(numbers), "first": numbers[0]}[how])
    return by_number[-2][0]


@lru_cache(maxsize=1)
def _operations() -> tuple[Spec, ...]:
    return (
        *product(("row",), ("largest", "smallest"), ("name", "number", "both")),
        *product(("above", "below"), range(5, 36, 3), ("count", "names", "sum")),
        *product(("ordered",), ("up", "down", "letters")),
        *product(("numbers",), ("sum", "range", "first")),
        ("second",),
    )
