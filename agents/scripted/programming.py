"""How the scripted model writes programming items of each form, out of the words of a text."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from agentinstruct.agents.scripted.subjects import Subject, besides, code, nouns, store, subject, tests, told

Written = dict[str, Any]
DEMANDS: Mapping[str, Written] = MappingProxyType(
    {
        "fast": {"kind": "within", "names": [], "workload": "", "seconds": 0.5},
        "no_count": {"kind": "forbid", "names": ["count"], "workload": "", "seconds": 0},
        "files": {"kind": "files", "names": ["counting.py", "main.py"], "workload": "", "seconds": 0},
        "tests": {"kind": "own_tests", "names": [], "workload": "", "seconds": 0},
    }
)
FAMILIES: Mapping[str, str] = MappingProxyType(
    {
        **dict.fromkeys(("program", "completion", "speedup"), "repeats"),
        **dict.fromkeys(("repair", "crash", "refactor", "code_review", "translation"), "count"),
        "extension": "total",
    }
)


def item(form: str, category: str, text: str, place: int) -> Written:
    """One item of a form, as its writer replies."""
    family = "path_of" if category == "security_fix" else FAMILIES.get(form, "count")
    one = subject(family, text, place + (category == "algorithm_design"))
    return tested(form, one) if form in LEADS else ITEMS[form](one, text)


def tested(form: str, one: Subject) -> Written:
    """An item that tests decide about."""
    task = f"{LEADS[form]} {told(one)} {besides(one)}".strip()
    written: Written = {"task": task, "solution": code(one), "tests": tests(one)}
    if form in ("program", "completion", "repair", "extension"):
        written["demanded"] = [demand(key, one) for key in one.asked if key in DEMANDS]
    return written | (MORE[form](one) if form in MORE else {})


def demand(key: str, one: Subject) -> Written:
    """A demand as its form keeps it."""
    workload = f"{one.name}([str(i % 15000) for i in range(18000)])" if key == "fast" else ""
    return DEMANDS[key] | {"workload": workload}


LEADS: Mapping[str, str] = MappingProxyType(
    {
        "program": "Please write this function:",
        "completion": "Please finish the function:",
        "repair": "This is not what it should be:",
        "crash": "It fails with some data, where it should not:",
        "refactor": "The nesting is hard to follow; what it does must stay:",
        "speedup": "With some thousand entries it takes too long:",
        "extension": "Using this module, write a function:",
        "code_review": "What is wrong with this, if it is to do the following?",
        "translation": "Please rewrite this in Python under the same name:",
    }
)


def _beginning(one: Subject) -> str:
    head = code(one).split("    found = []")[0].split("    return [")[0]
    first = f"\n\ndef first_{one.noun}(entries):\n    ...\n" if "first" in one.asked else ""
    return f"{head[head.index(f'def {one.name}') :]}    raise NotImplementedError\n{first}"


def _broken(one: Subject) -> str:
    if one.family == "path_of":
        return f'def {one.name}(name):\n    """The path of an entry."""\n    return "{one.noun}/" + name\n'
    plain = Subject(one.family, one.noun, one.least)
    return code(plain).replace("len(entry) >= least", "len(entry) > least")


def _nested(one: Subject) -> str:
    return (
        f"def {one.name}(entries, least={one.least}):\n    total = 0\n    for entry in entries:\n"
        "        if entry is not None:\n            if len(entry) >= least:\n                if True:\n"
        "                    total = total + 1\n        else:\n            if entry is None:\n"
        "                total = total + 0\n    return total\n"
    )


def _shelf(one: Subject) -> str:
    return (
        f'class {store(one)}:\n    """Texts in the order in which they were put there."""\n\n'
        "    def __init__(self):\n        self._texts = []\n\n    def put(self, text):\n"
        '        """Add a text; ValueError for an empty one."""\n        if not text:\n'
        '            raise ValueError("an empty text")\n        self._texts.append(text)\n\n    def all(self):\n'
        '        """All texts, as a new list."""\n        return list(self._texts)\n'
    )


def script(one: Subject) -> str:
    """The same function in JavaScript."""
    return (
        f"function {one.name}(entries, least = {one.least}) {{\n  let total = 0;\n  for (const entry of entries) {{\n"
        "    if (entry !== null && entry.length >= least) {\n      total += 1;\n    }\n  }\n  return total;\n}\n"
    )


def _defects(one: Subject) -> list[Written]:
    line = "if entry is not None and len(entry) > least:"
    return [{"line": line, "problem": f"An entry with exactly {one.least} letters is left out; it has to be >=."}]


MORE: Mapping[str, Callable[[Subject], Written]] = MappingProxyType(
    {
        "completion": lambda one: {"code": _beginning(one)},
        "repair": lambda one: {"code": _broken(one)},
        "crash": lambda one: {
            "code": code(one).replace("entry is not None and ", ""),
            "crash": f"{one.name}(['ab', None])",
        },
        "refactor": lambda one: {"code": _nested(one)},
        "speedup": lambda one: {
            "code": code(one),
            "solution": code(Subject(one.family, one.noun, one.least, ("fast",))),
            "workload": f"{one.name}([str(i % 2500) for i in range(3000)])",
        },
        "extension": lambda one: {"code": _shelf(one)},
        "code_review": lambda one: {"code": _broken(one), "defects": _defects(one)},
        "translation": lambda one: {"code": script(one), "source": "JavaScript", "target": "Python"},
    }
)


def program(one: Subject, words: list[str]) -> str:
    """A program that prints: which of the words are long enough, and how many letters they have together."""
    return (
        f"{one.noun} = {words!r}\ntotal = 0\nfor entry in {one.noun}:\n    if len(entry) >= {one.least}:\n"
        '        total += len(entry)\n        print(entry, total)\nprint("end", total)\n'
    )


def output(one: Subject, text: str) -> Written:
    """What does a program print?"""
    words = [*nouns(text)[-4:], one.noun, one.noun[:2]]
    return {"task": "What does this program print?", "code": program(one, words)}


def walkthrough(one: Subject, text: str) -> Written:
    """A question about a guard, with its worked example."""
    return {
        "task": f"Why does `{one.name}` ask whether an entry is None, and what does it do at the bound?",
        "code": code(one),
        "points": [
            "None has no length, so it must be asked before len.",
            "An entry of exactly `least` letters counts.",
        ],
        "calls": [f"{one.name}([None, {'a' * one.least!r}])", f"{one.name}([])"],
    }


def testing(one: Subject, text: str) -> Written:
    """Tests for a function that is right."""
    task = f"Write tests for `{one.name}`: nothing, None, and entries on both sides of the bound."
    return {"task": task, "code": code(one), "tests": f"from solution import {one.name}\n\n{tests(one)}"}


def documentation(one: Subject, text: str) -> Written:
    """A function that says nothing of itself."""
    task = f"Please write a docstring for `{one.name}`, with an example, for readers who do not know it."
    points = ["An entry that is None does not count.", f"Without `least`, {one.least} letters are enough."]
    return {"task": task, "code": code(one, documented=False), "points": points}


def tables(one: Subject, text: str, *, negative: bool = False) -> str:
    """Places and amounts, among them a place without any."""
    words = [*dict.fromkeys([*nouns(text), "north", "south", "east", "west"])][:4]
    rows = ", ".join(f"({i}, {word!r})" for i, word in enumerate(words, 1))
    amounts = [(1, 3), (1, 4), (2, 9), (3, 2), (3, 2), *([(2, -5)] if negative else [])]
    listed = ", ".join(f"({place}, {amount})" for place, amount in amounts)
    return (
        "CREATE TABLE places (id INTEGER PRIMARY KEY, name TEXT NOT NULL);\n"
        f"CREATE TABLE {one.noun}_amounts (place_id INTEGER REFERENCES places (id), amount INTEGER);\n"
        f"INSERT INTO places VALUES {rows};\nINSERT INTO {one.noun}_amounts VALUES {listed};"
    )


BELOW_ZERO = "Amounts below zero do not count."


def query(noun: str, *, positive: bool) -> str:
    """The sum for each place, those without any amount included."""
    only = " AND a.amount >= 0" if positive else ""
    return (
        f"SELECT p.name, SUM(a.amount) AS total\nFROM places p LEFT JOIN {noun}_amounts a ON a.place_id = p.id{only}\n"
        "GROUP BY p.id, p.name ORDER BY total DESC, p.name"
    )


def sql_query(one: Subject, text: str, *, positive: bool = False) -> Written:
    """How much has each place, those without anything included?"""
    task = (
        f"How much does each place have in `{one.noun}_amounts`, places without any amount included? Name and total, "
        f"the highest total first, and by name where totals are equal."
    )
    return {
        "task": f"{task} {BELOW_ZERO}" if positive else task,
        "tables": tables(one, text, negative=positive),
        "query": query(one.noun, positive=positive),
    }


ITEMS: Mapping[str, Callable[[Subject, str], Written]] = MappingProxyType(
    {
        "output": output,
        "walkthrough": walkthrough,
        "testing": testing,
        "documentation": documentation,
        "sql_query": sql_query,
    }
)
