"""Examples of a hidden rule, and a query that they decide: sampled, and proven against the rule's whole family.

puzzle = sample("words", text, Random(1))
puzzle.key == puzzle.rule applied to puzzle.query; every other rule that fits the examples says the same
"""

from collections.abc import Sequence
from functools import lru_cache
from itertools import combinations, islice
from random import Random
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from agentinstruct.tools.rules.family import Family, Pair, Pipeline, Spec, tupled
from agentinstruct.tools.rules.labels import Labels, Misnamed
from agentinstruct.tools.rules.language import Language
from agentinstruct.tools.rules.rows import Extractions, Formats, Tables
from agentinstruct.tools.rules.sums import Chains, Sums
from agentinstruct.tools.rules.texts import Analogies, Signs, Words

FAMILIES: dict[str, Family] = {
    family.name: family
    for family in (
        *(Words(), Signs(), Analogies(), Sums(), Chains(), Labels(), Misnamed(), Formats(), Extractions(), Tables()),
        Language(),
    )
}
MOST = 8
"""Examples shown at most."""
_TRIES = 60
_TAGS = ("old", "new", "spare", "own", "late", "early")


Rule = Annotated[tuple[Any, ...], BeforeValidator(tupled)]


class Shot(BaseModel):
    """One example; `mark` says by which of two rules, `tag` is a detail that means nothing."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    given: str
    made: str
    mark: Literal["", "A", "B"] = ""
    tag: str = ""


class Puzzle(BaseModel):
    """A hidden rule, examples of it and a query; of two rules with marks, the query asks for both in turn."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    family: str
    rule: Rule
    second: Rule = ()
    shots: tuple[Shot, ...]
    query: str
    query_tag: str = ""
    key: str
    far: tuple[str, ...] = Field((), description="Inputs of another kind that the query may become.")
    spare: tuple[Pair, ...] = Field((), description="Further examples of the rule that are not shown.")
    wrong: int = Field(0, description="The number of the example that breaks the rule, in puzzles that ask for it.")

    @property
    def of(self) -> Family:
        """The family of its rules."""
        return FAMILIES[self.family]

    @property
    def words(self) -> str:
        """The rule, or the rules, in words."""
        first = self.of.say(self.rule)
        return f"A: {first}. B: {self.of.say(self.second)}" if self.second else first

    def pairs(self, mark: str = "") -> list[Pair]:
        """The examples of a mark."""
        return [(shot.given, shot.made) for shot in self.shots if shot.mark == mark]

    def made(self, given: str) -> str:
        """What the rule, or one rule after the other, makes of an input; empty where it does not apply."""
        first = self.of.apply(self.rule, given)
        if self.second and first:
            return self.of.apply(self.second, first) or ""
        return first or ""

    def answers(self) -> frozenset[str]:
        """Every answer that the examples leave open; one when they decide."""
        return answers(self.family, self.shots, self.query)


def answers(family: str, shots: Sequence[Shot], query: str) -> frozenset[str]:
    """What the rules of a family that fit the examples make of a query, with marks by both rules in turn."""
    sides = tuple(tuple((s.given, s.made) for s in shots if s.mark == mark) for mark in ("", "A", "B"))
    return _answers(family, sides, query)


@lru_cache(maxsize=4096)
def _answers(family: str, sides: tuple[tuple[Pair, ...], ...], query: str) -> frozenset[str]:
    of, (plain, *sides_of_two) = FAMILIES[family], sides
    if plain or not isinstance(of, Pipeline):
        return of.predictions(plain, query)
    middles = of.predictions(sides_of_two[0], query)
    return frozenset(made for middle in middles for made in of.predictions(sides_of_two[1], middle))


def odd(family: str, shots: Sequence[Shot]) -> frozenset[int]:
    """The numbers of the examples that could be the one that breaks a rule which all others follow."""
    return _odd(family, tuple((shot.given, shot.made) for shot in shots))


@lru_cache(maxsize=1024)
def _odd(family: str, pairs: tuple[Pair, ...]) -> frozenset[int]:
    of, found = FAMILIES[family], set[int]()
    for spec in of.space():
        missed = [i for i, (given, made) in enumerate(pairs, 1) if of.apply(spec, given) != made]
        if len(missed) == 1:
            found.add(missed[0])
    return frozenset(found)


def sample(family: str, text: str, draw: Random) -> Puzzle | None:
    """A puzzle on the words of a text; None when the text has too few."""
    of = FAMILIES[family]
    inputs = list(dict.fromkeys(of.near(text, draw)))
    if len(inputs) < 6:
        return None
    for _ in range(_TRIES):
        spec = of.pick(draw)
        pairs = [(given, made) for given in inputs if (made := of.apply(spec, given)) and made != given]
        if len({made for _, made in pairs}) < 2 or len(pairs) < 5:
            continue
        draw.shuffle(pairs)
        puzzle = _decided(of, spec, pairs, draw)
        if puzzle:
            far = [given for given in of.far(text, draw) if of.apply(spec, given)]
            return puzzle.model_copy(update={"far": tuple(far)})
    return None


def _decided(of: Family, spec: Spec, pairs: Sequence[Pair], draw: Random) -> Puzzle | None:
    """The fewest first examples that decide the query, with one or two more where there is room."""
    (query, key), *rest = pairs
    for count in range(of.least, min(MOST, len(rest)) + 1):
        if of.predictions(rest[:count], query) == {key} and (count > 1 or len(rest) < 2 or draw.random() < 0.3):
            more = draw.randint(0, min(2, MOST - count, len(rest) - count))
            shown = rest[: count + more]
            if len(shown) > 1 and len({made for _, made in shown}) < 2:
                continue
            shots = tuple(Shot(given=a, made=b) for a, b in shown)
            kept = {"shots": shots, "query": query, "key": key, "spare": tuple(rest[count + more :])}
            return Puzzle(family=of.name, rule=spec, **kept)
    return None


def fewer(puzzle: Puzzle, draw: Random) -> Puzzle | None:
    """The same query decided by fewer of the same or other examples of the rule; None when none are enough."""
    pool = [*((shot.given, shot.made) for shot in puzzle.shots), *puzzle.spare]
    draw.shuffle(pool)
    for count in range(puzzle.of.least, len(puzzle.shots)):
        for chosen in islice(combinations(pool, count), 200):
            shots = tuple(Shot(given=a, made=b) for a, b in chosen)
            if answers(puzzle.family, shots, puzzle.query) == {puzzle.key}:
                return puzzle.model_copy(update={"shots": shots})
    return None


def tagged(puzzle: Puzzle, draw: Random) -> Puzzle | None:
    """With a detail at each input that means nothing: equal details stand at different outputs."""
    extra = puzzle.spare[: max(0, 3 - len(puzzle.shots))]
    shots = [*puzzle.shots, *(Shot(given=a, made=b) for a, b in extra)]
    tags = draw.sample(_TAGS, 2)
    for _ in range(_TRIES):
        marked = [shot.model_copy(update={"tag": draw.choice(tags)}) for shot in shots]
        if any(a.tag == b.tag and a.made != b.made for a, b in combinations(marked, 2)):
            return puzzle.model_copy(update={"shots": tuple(marked), "query_tag": draw.choice(tags)})
    return None


def farther(puzzle: Puzzle, draw: Random) -> Puzzle | None:
    """With a query of another size or make than the examples, which still decide it."""
    for query in draw.sample(puzzle.far, len(puzzle.far)):
        key = puzzle.made(query)
        more = [Shot(given=a, made=b) for a, b in puzzle.spare]
        for count in range(min(len(more), MOST - len(puzzle.shots)) + 1):
            shots = (*puzzle.shots, *more[:count])
            if key and answers(puzzle.family, shots, query) == {key}:
                return puzzle.model_copy(update={"shots": shots, "query": query, "key": key})
    return None


def composed(puzzle: Puzzle, draw: Random) -> Puzzle | None:
    """Two rules with examples of their own, and a query for both, one after the other."""
    of = puzzle.of
    if not isinstance(of, Pipeline):
        return None
    inputs = [*(shot.given for shot in puzzle.shots), *(given for given, _ in puzzle.spare)]
    for _ in range(_TRIES):
        one, two = draw.sample(of.singles(), 2)
        draw.shuffle(inputs)
        half = min(len(inputs) // 2, MOST // 2)
        sides = ((one, "A", inputs[:half]), (two, "B", inputs[half : 2 * half]))
        shots = [Shot(given=a, made=of.apply(s, a) or "", mark=m) for s, m, side in sides for a in side]
        made = puzzle.model_copy(update={"rule": one, "second": two, "shots": tuple(shots), "query_tag": ""})
        key = made.made(puzzle.query)
        changes = key and key not in (puzzle.query, of.apply(one, puzzle.query), of.apply(two, puzzle.query))
        if changes and all(shot.made and shot.made != shot.given for shot in shots):
            made = made.model_copy(update={"key": key})
            if made.answers() == {key}:
                return made
    return None


def spoilt(family: str, text: str, draw: Random, count: int = 5) -> Puzzle | None:
    """Examples of which one breaks the rule, and no other could be meant."""
    for _ in range(6):
        puzzle = sample(family, text, draw)
        if puzzle is None:
            return None
        pool = [*((shot.given, shot.made) for shot in puzzle.shots), *puzzle.spare, (puzzle.query, puzzle.key)]
        for _ in range(_TRIES // 3):
            chosen = draw.sample(pool, min(count, len(pool)))
            number = draw.randint(1, len(chosen))
            shots = _one_wrong(puzzle, chosen, number, draw)
            if shots and odd(family, shots) == {number}:
                kept = {"shots": shots, "query": "", "key": str(number), "wrong": number}
                return puzzle.model_copy(update=kept)
    return None


def _one_wrong(puzzle: Puzzle, chosen: Sequence[Pair], number: int, draw: Random) -> tuple[Shot, ...]:
    """The examples, one of them with what another rule of the family makes of it."""
    given, made = chosen[number - 1]
    other = puzzle.of.apply(puzzle.of.pick(draw), given)
    labels = {label for _, label in chosen}
    if isinstance(puzzle.of, Labels):
        other = next((label for label in sorted(labels) if label != made), None)
    if not other or other == made:
        return ()
    pairs = [*chosen[: number - 1], (given, other), *chosen[number:]]
    return tuple(Shot(given=a, made=b) for a, b in pairs)
