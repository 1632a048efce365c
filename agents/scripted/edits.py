"""How the scripted model refines items: what an editor takes out of a text, turns round in it, or asks more of."""

import re
from collections.abc import Callable, Iterator
from random import Random
from typing import Any

from agentinstruct.agents.scripted.items import Brief, items, written_item
from agentinstruct.agents.scripted.problem import Problem
from agentinstruct.agents.scripted.solver import Solved, continuation, figures, filled, solve
from agentinstruct.agents.scripted.world import World, crossings, halves, world
from agentinstruct.tools.quotes import numbers

SILENCE = (
    "Of this no account survives.",
    "On this point nothing further was written down.",
    "What came next is not on record.",
)
TURNS = (
    "was given up before anyone had noticed.",
    "came to nothing in the end, and nobody tried a second time.",
    "turned out to be a misunderstanding that was soon put right.",
)

Edit = tuple[str, dict[str, Any] | None]
"""The text as edited and the item as its writer would now reply; None where the item has no key any more."""


def without_answer(problem: Problem, way: int) -> str:
    """The text without what decides the item."""
    if problem.form == "number":
        said = [s for s in problem.text.sentences if any(q in s for q, _ in figures(problem)[:1])]
    elif problem.quoted and problem.form in ("short", "list", "quote"):
        said = [continuation(problem, problem.quoted[-1])[0]]
    else:
        solved = solve(problem)
        said = list(solved.because[:1]) if solved else []
    return _silenced(problem.text, [sentence for sentence in said if sentence], way)


def _silenced(text: World, said: list[str], way: int) -> str:
    for words in said or text.sentences[:1]:
        text = World(text.replaced(words, SILENCE[way % len(SILENCE)]))
    return text.text


def turned(problem: Problem, way: int) -> Edit:
    """The text changed so that the same question has another answer; unchanged where no way is found."""
    solved = solve(problem)
    for text in FLIPS[problem.form](problem, solved, way) if solved else ():
        after = Problem(problem.form, problem.question, world(text), problem.options, problem.rights)
        now = solve(after)
        if solved and now and now.parts != solved.parts:
            return text, written_item(after)
    return problem.text.text, written_item(problem)


def _other_tails(problem: Problem, solved: Solved, way: int) -> Iterator[str]:
    sentences = [continuation(problem, head)[0] for head in problem.quoted] if problem.form == "list" else []
    text = problem.text
    for i, sentence in enumerate(sentences or solved.because[:1]):
        head = problem.quoted[i] if problem.form == "list" else _head(problem, sentence)
        text = World(text.replaced(sentence, f"{head} {TURNS[(way + i) % len(TURNS)]}"))
    yield text.text


def _head(problem: Problem, sentence: str) -> str:
    head = problem.quoted[-1] if problem.quoted else ""
    return head if head and sentence.startswith(head) else halves(sentence)[0]


def _other_number(problem: Problem, solved: Solved, way: int) -> Iterator[str]:
    for lead in problem.quoted:
        word = problem.text.figure(lead)
        value = f"{numbers(word)[0] + 7 * (way + 1):.10g}"
        new = re.sub(r"[-−]?\d[\d,.]*\d|\d|[A-Za-z]+", value, word, count=1)
        yield problem.text.replaced(f"{lead} {word}", f"{lead} {new}")


def _other_option(problem: Problem, solved: Solved, way: int) -> Iterator[str]:
    right, others = solved.parts[0], [o for o in problem.options if o != solved.parts[0]]
    for i in range(len(others)):
        other = others[(i + way) % len(others)]
        old, new = (other, right) if problem.odd_one_out else (right, other)
        yield problem.text.replaced(old, new)


def _other_word(problem: Problem, solved: Solved, way: int) -> Iterator[str]:
    for other in filled(problem):
        yield problem.text.replaced(solved.because[0], other)


def _other_pairs(problem: Problem, solved: Solved, way: int) -> Iterator[str]:
    pairs = list(zip(problem.options, solved.parts, strict=True))
    (left, right), (other_left, other_right) = pairs[way % len(pairs)], pairs[(way + 1) % len(pairs)]
    text = World(problem.text.replaced(f"{left} {right}", f"{left} {other_right}"))
    yield text.replaced(f"{other_left} {other_right}", f"{other_left} {right}")


def _other_order(problem: Problem, solved: Solved, way: int) -> Iterator[str]:
    events = solved.parts
    first, second = events[way % len(events)], events[(way + 1) % len(events)]
    text = World(problem.text.replaced(first, "\x00"))
    yield World(text.replaced(second, first)).text.replace("\x00", second)


def _other_label(problem: Problem, solved: Solved, way: int) -> Iterator[str]:
    statement = problem.quoted[-1]
    if solved.answer == "True":
        for other in crossings(problem.text, statement, close=False):
            if other.startswith(halves(statement)[0]):
                yield problem.text.replaced(statement, other)
    elif solved.answer == "False":
        yield problem.text.replaced(solved.because[0], statement)
    yield f"{problem.text.text}\n\n{statement}"


def _no_other(problem: Problem, solved: Solved, way: int) -> Iterator[str]:
    yield from ()


FLIPS: dict[str, Callable[[Problem, Solved, int], Iterator[str]]] = {
    "short": _other_tails,
    "list": _other_tails,
    "quote": _other_tails,
    "number": _other_number,
    "choice": _other_option,
    "pair": _other_option,
    "blank": _other_word,
    "match": _other_pairs,
    "order": _other_order,
    "tristate": _other_label,
    "essay": _no_other,
}


def harder(problem: Problem, way: int) -> dict[str, Any] | None:
    """The item asked so that it takes more reading, its key kept where the form allows; None if no way is found."""
    solved = solve(problem)
    about = _subject(problem, solved) if solved else ""
    brief = Brief(problem.text, Random(way), about=about, title=_title(problem), hard=True)
    found = [item for item in items(problem.form, brief) if _question(item) != problem.question]
    return found[way % len(found)] if found else None


def _subject(problem: Problem, solved: Solved) -> str:
    """What the item is about, so that the harder one is about it too."""
    if problem.form in ("choice", "pair"):
        return solved.parts[0]
    if problem.form in ("tristate", "essay") and problem.quoted:
        return problem.quoted[-1]
    return "; ".join(solved.because if problem.form == "number" else solved.because[:1])


def _title(problem: Problem) -> str:
    return "EXCEPT" if problem.odd_one_out else ""


def _question(item: dict[str, Any]) -> str:
    return str(item.get("question") or item.get("sentence") or item.get("statement"))
