"""Questions with five options about rules: one option is right, and the program knows why before it is worded."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from agentinstruct.tools.puzzles.compose import TRIES, Composer
from agentinstruct.tools.puzzles.core import NoCore
from agentinstruct.tools.puzzles.statements import Statement, joined
from agentinstruct.tools.solver import SUFFICIENCY, Wanted, Worlds

OPTIONS = 5
CONFLICT = "The five statements cannot all be true. Which one has to be given up, so that the other four can be?"
QUESTIONS: dict[Wanted, str] = {
    "must": "Which one of the following must be true?",
    "could": "Which one of the following could be true?",
    "cannot": "Which one of the following cannot be true?",
    "determines": "Which one of the following, if added to the rules, would settle everything?",
}


@dataclass
class Asker(Composer):
    """A composer that also asks."""

    aim: str = ""
    """The verdict that a question of sufficiency is to have; empty for any."""

    def asked(self, wanted: Wanted, rules: Sequence[Statement], given: Statement | None = None) -> dict[str, Any]:
        """Options of which exactly one is right, as entries of a core."""
        left = self.start.only(*(rule.formal for rule in rules), *([given.formal] if given else []))
        if len(left.found) < 2:
            raise NoCore("nothing is left open")
        if wanted == "same":
            return self._same(rules, given)
        if wanted == "sufficient":
            return self._sufficient(left)
        if wanted == "conflict":
            return self._conflict(left)
        return self._options(wanted, left, rules, given) | {"wanted": wanted, "question": QUESTIONS[wanted]}

    def _options(
        self, wanted: Wanted, left: Worlds, rules: Sequence[Statement], given: Statement | None
    ) -> dict[str, Any]:
        """One statement on the right side and four on the wrong one, as different from one another as can be."""
        right, wrong = _sides(wanted, len(left.found))
        said = {rule.formal for rule in rules}
        good: Statement | None = None
        bad: list[Statement] = []
        for statement in self._offered(wanted == "determines"):
            holds = left.where(statement.formal).bit_count()
            if not (right(holds) or wrong(holds)) or statement.formal in said or self._decided(statement, given):
                continue
            if good is None and right(holds) and not self.obvious(statement, rules):
                good = statement
            elif len(bad) < OPTIONS - 1 and wrong(holds):
                bad.append(statement)
            if good and len(bad) == OPTIONS - 1:
                return self._placed(good, bad)
        raise NoCore("no five options of which one is right")

    def _offered(self, pairs: bool = False) -> Iterator[Statement]:
        """What options can say: plain statements first, then conditions, or pairs where much has to be said."""
        yield from self.shuffled()
        if not pairs:
            yield from self.said(1.0, 120)
        for _ in range(120 if pairs else 0):
            yield joined("and", *self.draw.sample(self.scene.statements, 2))

    def _decided(self, statement: Statement, given: Statement | None) -> bool:
        """Whether the scene by itself decides it, or what is supposed."""
        left = self.start.only(given.formal) if given else self.start
        return left.settles(statement.formal)

    def _placed(self, good: Statement, bad: Sequence[Statement]) -> dict[str, Any]:
        choices = self.draw.sample([good, *bad], OPTIONS)
        return {"choices": tuple(choices), "right": choices.index(good), "key": good.text}

    def _same(self, rules: Sequence[Statement], given: Statement | None) -> dict[str, Any]:
        """The rule that could stand in for one of the rules, without changing what is possible."""
        supposed = [given.formal] if given else []
        for rule in self.draw.sample(list(rules), len(rules)):
            free = self.start.only(*supposed, *(other.formal for other in rules if other is not rule))
            target = free.where(rule.formal)

            def same(formal: str, free: Worlds = free, target: int = target) -> bool:
                return free.where(formal) == target

            offered = [s for s in self._offered() if s.formal not in {rule.formal for rule in rules}]
            right = [s for s in offered if same(s.formal)]
            near = [s for s in offered if free.where(s.formal) & target and not same(s.formal)]
            if right and len(near) >= OPTIONS - 1:
                question = (
                    f"Which one of the following, if it took the place of the rule that {rule.text}, "
                    "would have the same effect?"
                )
                placed = self._placed(right[0], near[: OPTIONS - 1])
                return placed | {"wanted": "same", "asked": rule.formal, "question": question}
        raise NoCore("no rule has a substitute")

    def _sufficient(self, left: Worlds) -> dict[str, Any]:
        """Two statements, drawn so that each of the five verdicts is as likely."""
        words, asked, answers = self.draw.choice(self.scene.decided)
        letter = self.aim or self.draw.choice(SUFFICIENCY)
        term = left.reader.term(asked).value

        def settles(*claims: str) -> bool:
            return len({term(world) for world in left.only(*claims).found}) == 1

        if settles():
            raise NoCore("it is settled already")
        claims = {answer.formal for answer in answers}
        usable = [s for s in self.shuffled()[:90] if left.where(s.formal).bit_count() > 0 and s.formal not in claims]
        alone = {s.formal: settles(s.formal) for s in usable}
        for _ in range(400):
            pair = self.draw.sample(usable, 2)
            both = [statement.formal for statement in pair]
            if left.only(*both).found and _verdict([alone[f] for f in both], settles(*both)) == letter:
                return {
                    "wanted": "sufficient",
                    "asked": asked,
                    "question": f"Are the statements enough to tell {words}?",
                    "choices": tuple(pair),
                    "right": SUFFICIENCY.index(letter),
                    "key": letter,
                }
        raise NoCore("no two statements of the kind wanted")

    def _conflict(self, left: Worlds) -> dict[str, Any]:
        """Five statements that cannot all hold, of which the withdrawal of exactly one mends it."""
        everything = (1 << len(left.found)) - 1
        sets = {s.formal: left.where(s.formal) for s in self.shuffled()[:120]}
        usable = [s for s in self.scene.statements if 0 < sets.get(s.formal, 0) < everything]
        for _ in range(TRIES * 8 if len(usable) > OPTIONS else 0):
            chosen = self.draw.sample(usable, OPTIONS)
            without = [_meet(sets[s.formal] for s in chosen if s is not one) for one in chosen]
            if _meet(sets[s.formal] for s in chosen) == 0 and sum(map(bool, without)) == 1:
                right = next(i for i, rest in enumerate(without) if rest)
                return {
                    "wanted": "conflict",
                    "question": CONFLICT,
                    "choices": tuple(chosen),
                    "right": right,
                    "key": chosen[right].text,
                }
        raise NoCore("no five statements with one that clashes")


def _meet(sets: Iterable[int]) -> int:
    met = -1
    for one in sets:
        met &= one
    return met


def _sides(wanted: Wanted, total: int) -> tuple[Callable[[int], bool], Callable[[int], bool]]:
    """In how many worlds the right option and the wrong ones hold."""
    match wanted:
        case "must":
            return total.__eq__, lambda holds: 0 <= holds < total
        case "could":
            return lambda holds: 0 < holds < total, (0).__eq__
        case "cannot":
            return (0).__eq__, lambda holds: 0 < holds < total
    return (1).__eq__, lambda holds: 1 < holds < total


def _verdict(alone: Sequence[bool], together: bool) -> str:
    if all(alone):
        return SUFFICIENCY[3]
    return SUFFICIENCY[alone.index(True)] if any(alone) else SUFFICIENCY[2 if together else 4]
