"""How the scripted model reads a puzzle: from its words alone, sentence by sentence, into the solver's language.

It knows the plain phrases in which the scripted writer says things, and nothing of the core behind them.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from inspect import getsource
from itertools import combinations
from typing import Any

from agentinstruct.tools.puzzles import policy, procedures
from agentinstruct.tools.puzzles.statements import OUTCOMES, Grammar, Statement
from agentinstruct.tools.puzzles.worked import arguments, read
from agentinstruct.tools.solver import Choice, Problem, Query, Variable, Wanted, identifier

_ASKS: Mapping[Wanted, str] = {
    "must": r"must be true\?|How is the request decided\?|Who (?:or what )?(?:has|goes|always)\b",
    "could": r"could be true\?",
    "cannot": r"cannot be true\?",
    "same": r"took the place of the rule that (.+), would have the same effect",
    "determines": r"would settle everything",
    "sufficient": r"Are the statements enough to tell (.+)\?",
    "conflict": r"Which one has to be given up",
}
_LISTS: Mapping[str, str] = {
    "turns": r"has one turn, and no two have the same: (.+?)\.(?:\s|$)",
    "slots": r"The turns are, in this order: (.+?)\.(?:\s|$)",
    "grouped": r"is in exactly one group: (.+?)\.(?:\s|$)",
    "groups": r"The groups are: (.+?)\.(?:\s|$)",
    "people": r"There are these people: (.+?)\.(?:\s|$)",
    "liars": r"always tells the truth or always lies: (.+?)\.(?:\s|$)",
    "chosen": r"is either chosen or not chosen: (.+?)\.(?:\s|$)",
    "kinds": r"These kinds are spoken of: (.+?)\.(?:\s|$)",
    "places": r"A request is for one of these: (.+?)\.(?:\s|$)",
}
_REMARK = re.compile(r"has heard this story|years older than|minutes late that day|umbrellas and has lost")
"""What has nothing to do with the answer."""
_SAYS = re.compile(r"(.+?) says: \"(.+?)\"\.?$")


def program(text: str) -> str:
    """A program that works the puzzle out; empty for one that is none of procedure."""
    found = procedure(text)
    if not found:
        return ""
    name, slots = found
    return f"{getsource(procedures)}\nprint({name}(**{arguments(name, slots)!r}))\n"


def procedure(text: str) -> tuple[str, dict[str, Any]] | None:
    """Which procedure a puzzle asks for and what it gives it; remarks stand in numbered lines, and do not matter."""
    return read(re.sub(r"^\d+\. .+$", "", text, flags=re.MULTILINE))


def query(text: str, options: str = "") -> Query | None:
    """The puzzle in the solver's language; None where a sentence is not understood."""
    return Reading(text, options or text).query()


@dataclass(frozen=True)
class Reading:
    """A puzzle's text, and the block in which its options stand."""

    text: str
    options: str

    def query(self) -> Query | None:
        """Variables, constraints, question and choices, as far as all of it is understood."""
        wanted = next((mode for mode, pattern in _ASKS.items() if re.search(pattern, self.text)), None)
        variables, base = self._declared()
        rules = [self.formal(line) for line in self.rules()]
        if wanted is None or not variables or not all(rules):
            return None
        constraints = [*base, *policy_order(rules, bool(self.names("places"))), *self._supposed()]
        choices = list(self._choices(wanted))
        if not choices or not all(choice.claim for choice in choices):
            return None
        problem = Problem(variables=tuple(variables), constraints=tuple(c for c in constraints if c))
        return Query(problem=problem, wanted=wanted, asked=self._asked(wanted), choices=tuple(choices))

    def names(self, kind: str) -> list[str]:
        """The names in one of the lists of the setting."""
        found = re.search(_LISTS[kind], self.text)
        return found[1].split(", ") if found else []

    @property
    def columns(self) -> list[list[str]]:
        """What the people of a grid go with."""
        return [one.split(", ") for one in re.findall(r"no two with the same: (.+?)\.(?:\s|$)", self.text)]

    @property
    def table(self) -> list[list[str]]:
        """The rows of a table, its header first."""
        rows = re.findall(r"^\|(.+)\|$", self.text, re.MULTILINE)
        return [[cell.strip() for cell in row.split("|")] for row in rows if "---" not in row]

    @property
    def grammar(self) -> Grammar:
        """The phrases, with the names of this puzzle."""
        kinds = ("turns", "grouped", "people", "liars", "chosen", "kinds")
        known = [name for kind in kinds for name in self.names(kind)] + [n for column in self.columns for n in column]
        known += [row[0] for row in self.table[1:]] + [name for name in (self.table[0] if self.table else []) if name]
        groups = tuple(self.names("groups") or self.names("places"))
        return Grammar(tuple(dict.fromkeys(known)), tuple(self.names("slots")), groups)

    def rules(self) -> list[str]:
        """The numbered sentences."""
        return re.findall(r"^\d+\. (.+)$", self.text, re.MULTILINE)

    def formal(self, sentence: str) -> str:
        """One sentence as an expression; empty where it is not understood."""
        if said := _SAYS.match(sentence):
            inner = self.grammar.read(said[2])
            return f"iff({identifier(said[1])}, {inner})" if inner else ""
        return self.grammar.read(sentence) or ("true" if _REMARK.search(sentence) else "")

    def _supposed(self) -> list[str]:
        return [self.formal(said) for said in re.findall(r"^Suppose that (.+)\.$", self.text, re.MULTILINE)]

    def _declared(self) -> tuple[list[Variable], list[str]]:
        found = [made for make in _DECLARED for made in [make(self)] if made[0]]
        return [v for variables, _ in found for v in variables], [c for _, constraints in found for c in constraints]

    def _asked(self, wanted: Wanted) -> str:
        found = re.search(_ASKS[wanted], self.text)
        assert found
        if wanted == "same":
            return self.formal(found[1])
        if wanted != "sufficient":
            return ""
        subject = re.match(r"(?:which turn|which group|whether) (.+) (?:has|is in|is chosen)$", found[1])
        ending = {"which turn": "_at", "which group": "_in"}.get(found[1][: found[1].index(" ", 6)], "")
        return identifier(subject[1]) + ending if subject else ""

    def _choices(self, wanted: Wanted) -> Iterator[Choice]:
        if wanted == "sufficient":
            for label, said in re.findall(r"^Statement (\d): (.+)$", self.text, re.MULTILINE):
                yield Choice(label=label, claim=self.formal(said))
            return
        labelled = re.findall(r"^([A-J])\. (.+)$", self.options, re.MULTILINE)
        for label, said in labelled:
            yield Choice(label=label, claim=self.formal(said))
        if not labelled:
            yield from self._candidates()

    def _candidates(self) -> Iterator[Choice]:
        """The answers that an open question can have."""
        if found := re.search(r"Who or what has (.+?)\?", self.text):
            place = 1 + self.names("slots").index(found[1])
            yield from (Choice(label=n, claim=f"{identifier(n)}_at == {place}") for n in self.names("turns"))
        elif found := re.search(r"Who goes with (.+?)\?", self.text):
            yield from (
                Choice(label=n, claim=f"{identifier(n)} == {identifier(found[1])}") for n in self.names("people")
            )
        names = self.names("liars")
        for count in range(len(names) + 1 if names else 0):
            for some in combinations(names, count):
                claims = [identifier(n) if n in some else f"not {identifier(n)}" for n in names]
                yield Choice(label=" and ".join(some) or "nobody", claim=" and ".join(claims))


def policy_order(rules: Sequence[str], ordered: bool) -> list[str]:
    """Clauses of a policy, each of which counts only where none before it applies; other rules as they are."""
    if not ordered:
        return list(rules)
    decide = [rule for rule in rules if "outcome ==" in rule]
    made = policy.ordered([Statement(text="", formal=rule) for rule in decide])
    return [*(one.formal for one in made), *(rule for rule in rules if rule not in decide)]


Declared = tuple[list[Variable], list[str]]


def _turns(puzzle: Reading) -> Declared:
    names, slots = puzzle.names("turns"), puzzle.names("slots")
    variables = [_whole(f"{identifier(name)}_at", 1, len(slots)) for name in names]
    return variables, [_different(variables)] if names else []


def _groups(puzzle: Reading) -> Declared:
    names, groups = puzzle.names("grouped"), puzzle.names("groups")
    variables = [Variable(name=f"{identifier(n)}_in", kind="name", values=tuple(groups)) for n in names]
    filled = [" or ".join(f"{v.name} == {group!r}" for v in variables) for group in groups]
    return variables, filled if variables and "at least one member" in puzzle.text else []


def _grid(puzzle: Reading) -> Declared:
    people = puzzle.names("people")
    fixed = [_whole(identifier(name), i, i) for i, name in enumerate(people, 1)]
    columns = [[_whole(identifier(name), 1, len(people)) for name in column] for column in puzzle.columns]
    return [*fixed, *(v for column in columns for v in column)], [_different(column) for column in columns]


def _flags(puzzle: Reading) -> Declared:
    names = puzzle.names("liars") or puzzle.names("chosen")
    return [Variable(name=identifier(name), kind="bool") for name in names], []


def _kinds(puzzle: Reading) -> Declared:
    return [Variable(name=identifier(name), kind="class") for name in puzzle.names("kinds")], []


def _table(puzzle: Reading) -> Declared:
    if not puzzle.table:
        return [], []
    (_, *goods), *rows, (_, *totals) = puzzle.table
    most = re.search(r"whole numbers up to (\d+)", puzzle.text)
    cells = [
        (f"{identifier(name)}_{identifier(good)}", cell)
        for name, *row in rows
        for good, cell in zip(goods, row, strict=True)
    ]
    variables = [
        _whole(name, *((0, int(most[1]) if most else 100) if cell == "?" else (int(cell),) * 2)) for name, cell in cells
    ]
    sums = [
        f"{' + '.join(f'{identifier(row[0])}_{identifier(good)}' for row in rows)} == {total}"
        for good, total in zip(goods, totals, strict=True)
    ]
    return variables, sums


def _policy(puzzle: Reading) -> Declared:
    if not (places := puzzle.names("places")):
        return [], []
    flags = [Variable(name=name, kind="bool") for name in ("member", "owing")]
    named = {"place": tuple(places), "outcome": OUTCOMES}
    names = [Variable(name=name, kind="name", values=values) for name, values in named.items()]
    return [_whole("days", 0, 365), _whole("ahead", 0, 365), *flags, *names], []


_DECLARED: tuple[Callable[[Reading], Declared], ...] = (_turns, _groups, _grid, _flags, _kinds, _table, _policy)


def _whole(name: str, low: int, high: int) -> Variable:
    return Variable(name=name, kind="int", low=low, high=high)


def _different(variables: Sequence[Variable]) -> str:
    return f"all_different({', '.join(v.name for v in variables)})"


def formalised(found: Query) -> dict[str, Any]:
    """A query as an agent replies with it."""
    return {"reading": "Sentence by sentence, as it stands.", "query": found.model_dump(mode="json")}
