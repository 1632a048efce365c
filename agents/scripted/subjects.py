"""What the scripted programmer writes about: a word and a number of the text, and the program they are put into.

A family is a kind of program: its task, its code, its tests. What a task asks besides is told by fixed sentences, so
that whoever answers it can read them back.
"""

import keyword
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from agentinstruct.tools.quotes import numbers

_FENCED = re.compile(r"```.*?```", re.DOTALL)
_TAKEN = {*keyword.kwlist, "entries", "entry", "least", "total", "name", "found", "parts", "python", "function"}
_NAMED = re.compile(r"\b(count|repeats|path_of|total)_([a-z]+)\b")
ASKED: Mapping[str, str] = MappingProxyType(
    {
        "edge": "A negative `least` raises ValueError.",
        "long": "A name of more than 40 characters raises ValueError as well.",
        "none": "An entry that is None is never among them.",
        "fast": "It has to handle 18,000 entries within half a second.",
        "no_count": "Do not use `count`: the exercise is about doing without it.",
        "first": "Besides, write `first_{noun}(entries)`, which returns the first of them, or None if there is none.",
        "longest": "Besides, write `longest_{noun}(shelf)`, which returns the longest text, or None if there is none.",
        "files": "Put the counting into `counting.py` and the function into `main.py`.",
        "tests": "Bring tests of your own in a block of their own, with nothing, one and two equal entries.",
    }
)
"""What a task may ask besides; each is read back from the words before its first slot or stop."""


@dataclass(frozen=True, slots=True)
class Subject:
    """A word to name things by, and a number of the text's or a small one."""

    family: str
    noun: str
    least: int = 4
    asked: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The function's name."""
        return f"{self.family}_{self.noun}"


def nouns(text: str) -> list[str]:
    """Words of a text that can be part of a name, the longest first."""
    words = re.findall(r"\b[a-z]{4,12}\b", _FENCED.sub(" ", text))
    kept = dict.fromkeys(word for word in words if word not in _TAKEN)
    return sorted(kept, key=lambda word: -len(word)) or ["things"]


def subject(family: str, text: str, place: int = 0) -> Subject:
    """The subject of a family that a text suggests; another place gives another word."""
    found = nouns(text)
    small = [int(n) for n in numbers(_FENCED.sub(" ", text)) if 3 <= n <= 6]
    return Subject(family, found[place % len(found)], small[0] if small else 4)


def read(text: str) -> Subject | None:
    """The subject that a task is about, with what it asks besides; None for a task that is none of ours."""
    named = _NAMED.search(text)
    if not named:
        return None
    least = re.search(r"least=(\d)", text)
    asked = tuple(key for key, words in ASKED.items() if words.split("`")[0].split(".")[0].strip() in text)
    asked = tuple(key for key in asked if key != "no_count" or "Do not use `count`" in text)
    return Subject(named[1], named[2], int(least[1]) if least else 4, asked)


def besides(one: Subject) -> str:
    """The sentences for what is asked besides."""
    return " ".join(ASKED[key].format(noun=one.noun) for key in one.asked)


def told(one: Subject) -> str:
    """What the function does, as a task says it."""
    return TOLD[one.family].format(name=one.name, noun=one.noun, least=one.least, Store=store(one))


TOLD: Mapping[str, str] = MappingProxyType(
    {
        "count": "`{name}(entries, least={least})` returns how many of the texts in `entries` have at least `least` "
        "letters; an entry that is None does not count.",
        "repeats": "`{name}(entries)` returns the texts that stand in `entries` more than once, each once, in order "
        "of their first places; for an empty list it is an empty list.",
        "path_of": "`{name}(name)` gives the path of the entry of that name: `{noun}/` and the name.",
        "total": "`{name}(shelf, least)` returns how many texts on a `{Store}` have at least `least` letters.",
    }
)


def store(one: Subject) -> str:
    """The name of the class that `total` uses."""
    return f"{one.noun.capitalize()}Shelf"


def code(one: Subject, *, documented: bool = True) -> str:
    """The program, as good as it is asked for."""
    written = CODE[one.family](one)
    return written if documented else re.sub(r'^ +"""[^\n]*"""\n', "", written, flags=re.MULTILINE)


def _count(one: Subject) -> str:
    guard = "    if least < 0:\n        raise ValueError(least)\n" if "edge" in one.asked else ""
    return (
        f"def {one.name}(entries, least={one.least}):\n"
        f'    """How many entries have at least `least` letters; None does not count."""\n{guard}'
        "    total = 0\n    for entry in entries:\n        if entry is not None and len(entry) >= least:\n"
        "            total += 1\n    return total\n"
    )


def _repeats(one: Subject) -> str:
    plain = not {"fast", "no_count", "files", "none"} & {*one.asked}
    first = (
        f"\n\ndef first_{one.noun}(entries):\n    found = {one.name}(entries)\n    return found[0] if found else None\n"
    )
    if plain:
        body = (
            "    found = []\n    for entry in entries:\n        if entries.count(entry) > 1 and entry not in found:\n"
            "            found.append(entry)\n    return found\n"
        )
    else:
        only = "entry is not None and number > 1" if "none" in one.asked else "number > 1"
        body = f"    return [entry for entry, number in numbered(entries).items() if {only}]\n"
    head = f'def {one.name}(entries):\n    """The entries that stand there more than once, in order."""\n'
    helper = "" if plain else f"{numbered()}\n\n"
    return f"{helper}{head}{body}{first if 'first' in one.asked else ''}"


def numbered() -> str:
    """The helper that counts in one pass."""
    return (
        'def numbered(entries):\n    """How often each entry stands there."""\n    numbers = {}\n'
        "    for entry in entries:\n        numbers[entry] = numbers.get(entry, 0) + 1\n    return numbers\n"
    )


def _path_of(one: Subject) -> str:
    long = " or len(name) > 40" if "long" in one.asked else ""
    return (
        f'def {one.name}(name):\n    """The path of an entry; ValueError for a name that leads elsewhere."""\n'
        f'    parts = name.split("/")\n    if "" in parts or ".." in parts{long}:\n        raise ValueError(name)\n'
        f'    return "{one.noun}/" + name\n'
    )


def _total(one: Subject) -> str:
    guard = "    if least < 0:\n        raise ValueError(least)\n" if "edge" in one.asked else ""
    written = f"def {one.name}(shelf, least):\n{guard}    return sum(1 for text in shelf.all() if len(text) >= least)\n"
    longest = f"\n\ndef longest_{one.noun}(shelf):\n    return max(shelf.all(), key=len, default=None)\n"
    return written + longest if "longest" in one.asked else written


CODE: Mapping[str, Callable[[Subject], str]] = MappingProxyType(
    {"count": _count, "repeats": _repeats, "path_of": _path_of, "total": _total}
)


def tests(one: Subject) -> str:
    """Asserts that decide about the program."""
    lines = TESTS[one.family](one)
    if "edge" in one.asked:
        lines.append(refused(f"{one.name}({'shelf' if one.family == 'total' else '[]'}, -1)"))
    return "\n".join(lines)


def refused(call: str) -> str:
    """That a call raises ValueError."""
    return f"try:\n    {call}\nexcept ValueError:\n    pass\nelse:\n    raise AssertionError('no ValueError')"


def _count_tests(one: Subject) -> list[str]:
    at, below = "a" * one.least, "a" * (one.least - 1)
    return [
        f"assert {one.name}([]) == 0",
        f"assert {one.name}([{at!r}]) == 1",
        f"assert {one.name}([{below!r}]) == 0",
        f"assert {one.name}([None, {at!r}, '', {at + 'b'!r}]) == 2",
        f"assert {one.name}(['ab', 'a', 'abc'], 2) == 2",
    ]


def _repeats_tests(one: Subject) -> list[str]:
    lines = [
        f"assert {one.name}([]) == []",
        f"assert {one.name}(['a']) == []",
        f"assert {one.name}(['b', 'a', 'b', 'a', 'b']) == ['b', 'a']",
        f"assert {one.name}(['a', 'b', 'c', 'c']) == ['c']",
    ]
    if "first" in one.asked:
        first = f"first_{one.noun}"
        lines += [f"assert {first}(['a', 'b', 'b']) == 'b'", f"assert {first}(['a']) is None"]
    return [*lines, f"assert {one.name}([None, 'a', None, 'a']) == ['a']"] if "none" in one.asked else lines


def _path_tests(one: Subject) -> list[str]:
    lines = [
        f"assert {one.name}('a.txt') == '{one.noun}/a.txt'",
        f"assert {one.name}('b/c.txt') == '{one.noun}/b/c.txt'",
    ]
    bad = ["../a", "/etc/hosts", "a/../../b", *(["x" * 41] if "long" in one.asked else [])]
    return [*lines, *(refused(f"{one.name}({name!r})") for name in bad)]


def _total_tests(one: Subject) -> list[str]:
    more = []
    if "longest" in one.asked:
        longest = f"longest_{one.noun}"
        more = [f"assert {longest}(shelf) == 'abc'", f"assert {longest}({store(one)}()) is None"]
    return [
        f"shelf = {store(one)}()",
        f"assert {one.name}(shelf, 1) == 0",
        "shelf.put('ab')\nshelf.put('abc')\nshelf.put('a')",
        f"assert {one.name}(shelf, 2) == 2",
        f"assert {one.name}(shelf, 4) == 0",
        "assert shelf.all() == ['ab', 'abc', 'a']",
        refused("shelf.put('')"),
        *more,
    ]


TESTS: Mapping[str, Callable[[Subject], list[str]]] = MappingProxyType(
    {"count": _count_tests, "repeats": _repeats_tests, "path_of": _path_tests, "total": _total_tests}
)
