"""How the scripted model solves an item: from the text alone, and not at all when the text does not decide."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from string import ascii_lowercase, ascii_uppercase

from agentinstruct.agents.scripted.problem import Problem
from agentinstruct.agents.scripted.world import halves
from agentinstruct.tools.quotes import fold, numbers, overlap


@dataclass(frozen=True, slots=True)
class Solved:
    """An answer in its labels, the same in words, and the sentences it rests on."""

    answer: str
    parts: tuple[str, ...]
    because: tuple[str, ...] = ()


def solve(problem: Problem) -> Solved | None:
    """The answer, or None where the text does not decide."""
    return SOLVERS.get(problem.form, _nearest)(problem)


def continuation(problem: Problem, head: str) -> tuple[str, str]:
    """The sentence that begins so, and the rest of it; empty without one."""
    sentence = problem.text.beginning(head)
    return sentence, " ".join(sentence.split()[len(head.split()) :])


def _short(problem: Problem) -> Solved | None:
    if not problem.quoted:
        return _nearest(problem)
    sentence, rest = continuation(problem, problem.quoted[-1])
    return Solved(rest, (rest,), (sentence,)) if rest else None


def _list(problem: Problem) -> Solved | None:
    found = [continuation(problem, head) for head in problem.quoted]
    if not found or not all(rest for _, rest in found):
        return None
    rests = tuple(rest for _, rest in found)
    return Solved("; ".join(rests), rests, tuple(sentence for sentence, _ in found))


def _quote(problem: Problem) -> Solved | None:
    if not problem.quoted:
        return _nearest(problem)
    sentence = problem.text.beginning(problem.quoted[-1])
    if sentence and "comes after" in problem.question:
        sentence = problem.text.after(sentence)
    return Solved(f'"{sentence}"', (sentence,), (sentence,)) if sentence else None


def figures(problem: Problem) -> list[tuple[str, float]]:
    """The quotations with a number that a calculation needs, and their values; empty when one is missing."""
    words = [problem.text.figure(lead) for lead in problem.quoted]
    if not words or not all(words):
        return []
    return [(f"{lead} {word}", numbers(word)[0]) for lead, word in zip(problem.quoted, words, strict=True)]


def expression(problem: Problem) -> str:
    """The arithmetic the question asks for."""
    values = [f"{value:.10g}" for _, value in figures(problem)]
    if "twice" in problem.question:
        return f"{values[0]} * 2"
    signs = ["" if not i else sign for i, sign in enumerate(["", *re.findall(r"\b(plus|minus) the", problem.question)])]
    steps = {"plus": "+ ", "minus": "- ", "": ""}
    return " ".join(steps[sign] + value for sign, value in zip(signs, values, strict=True))


def total(problem: Problem) -> float:
    """What that arithmetic gives."""
    values = [value for _, value in figures(problem)]
    if "twice" in problem.question:
        return values[0] * 2
    signs = re.findall(r"\b(plus|minus) the", problem.question)
    return values[0] + sum(value if sign == "plus" else -value for sign, value in zip(signs, values[1:], strict=True))


def _number(problem: Problem) -> Solved | None:
    facts = figures(problem)
    if not facts:
        return None
    answer = f"{total(problem):.10g}"
    return Solved(answer, (answer,), tuple(quote for quote, _ in facts))


def filled(problem: Problem) -> list[str]:
    """The sentence with a gap, filled with each option in turn; empty for a question without one."""
    gap = re.search(r'"([^"\n]*_{2,}[^"\n]*)"', problem.question)
    if not gap:
        return []
    before, after = re.split(r"_{2,}", gap[1], maxsplit=1)
    return [f"{before}{option}{after}" for option in problem.options]


def holding(problem: Problem) -> list[bool]:
    """For each option, whether it is a right one."""
    if sentences := filled(problem):
        return [problem.text.stands(sentence) for sentence in sentences]
    return [problem.text.stands(option) != problem.odd_one_out for option in problem.options]


def _choice(problem: Problem) -> Solved | None:
    right = [i for i, holds in enumerate(holding(problem)) if holds]
    if len(right) != 1:
        return None
    option = problem.options[right[0]]
    stated = filled(problem)[right[0] : right[0] + 1] or [o for o in problem.options if problem.text.stands(o)]
    return Solved(ascii_uppercase[right[0]], (option,), tuple(stated))


def _match(problem: Problem) -> Solved | None:
    pairs = []
    for left in problem.options:
        fitting = [i for i, right in enumerate(problem.rights) if problem.text.stands(f"{left} {right}")]
        if len(fitting) != 1:
            return None
        pairs.append(fitting[0])
    answer = ", ".join(f"{i}-{ascii_lowercase[right]}" for i, right in enumerate(pairs, 1))
    rights = tuple(problem.rights[right] for right in pairs)
    because = tuple(f"{left} {right}" for left, right in zip(problem.options, rights, strict=True))
    return Solved(answer, rights, because) if pairs else None


def _order(problem: Problem) -> Solved | None:
    places = [problem.text.place(event) for event in problem.options]
    if not places or min(places) < 0 or len(set(places)) < len(places):
        return None
    order = sorted(range(len(places)), key=places.__getitem__)
    events = tuple(problem.options[i] for i in order)
    return Solved(", ".join(ascii_uppercase[i] for i in order), events, events)


def _tristate(problem: Problem) -> Solved | None:
    if not problem.quoted:
        return None
    statement = problem.quoted[-1]
    if problem.text.stands(statement):
        return Solved("True", ("True",), (statement,))
    start = fold(halves(statement)[0])
    other = next((s for s in problem.text.sentences if fold(s).startswith(start)), "")
    return Solved("False", ("False",), (other,)) if other else Solved("Not Given", ("Not Given",))


def _essay(problem: Problem) -> Solved | None:
    text, wanted = problem.text, fold(problem.quoted[-1] if problem.quoted else problem.question)
    start = next((s for s in text.sentences if fold(s) == wanted), None)
    if start is None:
        return _nearest(problem)
    points = [start]
    while len(points) < 3 and (following := text.after(points[-1])):
        points.append(following)
    points = points if len(points) > 1 else list(halves(start))
    return Solved(" ".join(points), tuple(points), tuple(points))


def _nearest(problem: Problem) -> Solved | None:
    """For a question of somebody else's: the sentence that shares most words with it."""
    said = [(overlap(sentence, problem.question), sentence) for sentence in problem.text.sentences]
    share, sentence = max(said, default=(0.0, ""))
    return Solved(sentence, (sentence,), (sentence,)) if share > 0.1 else None


SOLVERS: dict[str, Callable[[Problem], Solved | None]] = {
    "short": _short,
    "list": _list,
    "quote": _quote,
    "number": _number,
    "choice": _choice,
    "pair": _choice,
    "blank": _choice,
    "match": _match,
    "order": _order,
    "tristate": _tristate,
    "essay": _essay,
}
