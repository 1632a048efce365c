"""How the scripted model writes items: a question on sentences of the text, its key found by solving it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from random import Random
from typing import Any

from agentinstruct.agents.scripted.problem import Problem
from agentinstruct.agents.scripted.solver import Solved, expression, figures, solve, total
from agentinstruct.agents.scripted.world import World, crossings, halves
from agentinstruct.tools.quotes import bare, numbers

WHY = "The text says it word for word; it joins the words of the others in no such way."
_QUOTE = 'Which sentence {} "{}"? Quote it in full.'
WHY_ODD = "The text says the others word for word, and joins these words in no such way."


@dataclass(frozen=True, slots=True)
class Brief:
    """What an item is to be: on which text, of which title, about which sentence, plain or hard."""

    text: World
    draw: Random
    title: str = ""
    about: str = ""
    hard: bool = False

    def subjects(self) -> list[str]:
        """The sentences to ask about: the given one, or all in a drawn order."""
        if self.about:
            return [self.about]
        found = self.text.pieces(1)
        return self.draw.sample(found, len(found))


def items(form: str, brief: Brief) -> Iterator[dict[str, Any]]:
    """The items of a form that a text allows, as their writer replies; those that solve to no key are left out."""
    for problem in WRITERS[form](brief):
        if written := written_item(problem):
            yield written


def written_item(problem: Problem) -> dict[str, Any] | None:
    """An item as its writer replies, its key worked out; None when the text does not decide it."""
    solved = solve(problem)
    return KEYS[problem.form](problem, solved) if solved else None


def _short(brief: Brief) -> Iterator[Problem]:
    for sentence in brief.subjects():
        head = halves(sentence)[0]
        question = f'How does the sentence that begins "{head}" go on?'
        if brief.hard:
            before = next((s for s in brief.text.telling if brief.text.after(s) == sentence), head)
            question = f'After "{halves(before)[1]}" comes a sentence that begins "{head}": how does it go on?'
        yield Problem("short", question, brief.text)


def _list(brief: Brief) -> Iterator[Problem]:
    for sentence in brief.subjects():
        heads = list(dict.fromkeys(halves(s)[0] for s in (sentence, *brief.text.telling)))[: 3 if brief.hard else 2]
        quoted = [f'"{head}"' for head in heads]
        question = f"How do the sentences that begin {', '.join(quoted[:-1])} and {quoted[-1]} go on?"
        yield Problem("list", question, brief.text)


def _quote(brief: Brief) -> Iterator[Problem]:
    for sentence in brief.subjects():
        before = next((s for s in brief.text.telling if brief.text.after(s) == sentence), "")
        if brief.hard and before:
            yield Problem("quote", _QUOTE.format("comes after the one that begins", halves(before)[0]), brief.text)
        words, half = sentence.split(), len(halves(sentence)[0].split())
        for length in (3, 4, 2, 5) if brief.hard else (half,):
            yield Problem("quote", _QUOTE.format("begins", " ".join(words[:length])), brief.text)


def leads(text: World) -> list[str]:
    """The words before each number that can be told from all other places by them."""
    found = []
    for sentence in text.sentences:
        lead: list[str] = []
        for word in sentence.split():
            words = " ".join(lead[-4:])
            if not numbers(word):
                lead.append(word)
                continue
            if words and not set(words) & set('"“”') and text.figure(words) == word:
                found.append(words)
            lead = []
    return found


def _number(brief: Brief) -> Iterator[Problem]:
    known = leads(brief.text)
    found = brief.draw.sample(known, len(known))
    kept = [lead for lead in found if brief.about and lead in brief.about]
    found = kept + [lead for lead in found if lead not in kept]
    count = 3 if brief.hard and len(found) > 2 else 2
    for i in range(len(found)):
        some = [found[i], *(found[:i] + found[i + 1 :])[: count - 1]]
        sign = " plus " if brief.hard or i % 2 == 0 else " minus "
        some = sorted(some, key=lambda lead: -numbers(brief.text.figure(lead))[0]) if sign == " minus " else some
        terms = [f'the number after "{lead}"' for lead in some]
        yield Problem("number", f"What is {'' if len(some) > 1 else 'twice '}{sign.join(terms)}?", brief.text)


def _choice(brief: Brief) -> Iterator[Problem]:
    title = brief.title or "Comprehension"
    odd = any(sign in title.casefold() for sign in ("except", "must be false", "not true"))
    asked = "The text states all of these EXCEPT which?" if odd else "Which of these does the text state?"
    lead = "Read closely: the options differ in few words. " if brief.hard else ""
    for sentence in brief.subjects():
        if odd:
            options = _odd_options(brief, sentence)
        else:
            wrong = crossings(brief.text, sentence, close=brief.hard)
            options = (sentence, *islice(wrong, 4 if brief.hard else 3))
        yield Problem("choice", f"{lead}{'' if brief.hard else f'{title}: '}{asked}", brief.text, options)


def _odd_options(brief: Brief, sentence: str) -> tuple[str, ...]:
    stated = brief.text.pieces(6)
    first = stated.index(sentence) if sentence in stated else 0
    stated = stated[first:] + stated[:first]
    odd = brief.about or next(crossings(brief.text, sentence, close=brief.hard), "")
    return (odd, *stated[: 4 if brief.hard else 3])


def _pair(brief: Brief) -> Iterator[Problem]:
    for sentence in brief.subjects():
        false = list(islice(crossings(brief.text, sentence, close=brief.hard), 1))
        question = f"{'Read closely. ' if brief.hard else ''}Which of these two statements stands in the text?"
        yield Problem("pair", question, brief.text, (sentence, *false))


def _blank(brief: Brief) -> Iterator[Problem]:
    vocabulary = [w.strip(".,;:!?()") for s in brief.text.telling for w in s.split()]
    known = list(dict.fromkeys(w for w in vocabulary if len(w) > 3 and w.isalpha()))
    for sentence in brief.subjects():
        words = [w.strip(".,;:!?()") for w in sentence.split()[1:-1]]
        words = [w for w in words if len(w) > 3 and w.isalpha() and w in known]
        if not words:
            continue
        right = max(words, key=len)
        wrong = [w for w in known if bare(w) != bare(right)]
        closest = sorted(wrong, key=lambda w: abs(len(w) - len(right))) if brief.hard else wrong
        gapped = sentence.replace(right, "____", 1)
        question = f'{"Read closely: in" if brief.hard else "In"} the text, "{gapped}"'
        yield Problem("blank", question, brief.text, (right, *closest[:3]))


def _match(brief: Brief) -> Iterator[Problem]:
    found = brief.text.pieces(6)
    count = min(5 if brief.hard else 3, len(found))
    each = "every one of these beginnings to" if brief.hard else "each beginning with"
    for _ in range(3):
        pairs = [halves(piece) for piece in brief.draw.sample(found, count)]
        lefts, rights = tuple(left for left, _ in pairs), tuple(right for _, right in pairs)
        yield Problem("match", f"Match {each} the words that go on from it.", brief.text, lefts, rights)


def _order(brief: Brief) -> Iterator[Problem]:
    found = brief.text.pieces(6)
    count = min(5 if brief.hard else 4, len(found))
    question = f"In which order does the text make {'all of ' if brief.hard else ''}these statements?"
    for _ in range(3):
        yield Problem("order", question, brief.text, tuple(brief.draw.sample(found, count)))


def _tristate(brief: Brief) -> Iterator[Problem]:
    opening = "Read closely: according" if brief.hard else "According"
    for i, sentence in enumerate(brief.subjects(), brief.draw.randrange(3)):
        kept = brief.about or i % 3 == 0
        absent = f"Nobody who was asked knew that {sentence[:1].lower()}{sentence[1:]}"
        crossed = next(crossings(brief.text, sentence, close=True), absent)
        statement = sentence if kept else (crossed if i % 3 == 1 else absent)
        yield Problem("tristate", f'{opening} to the text, "{statement}"', brief.text)


def _essay(brief: Brief) -> Iterator[Problem]:
    step = ", step by step," if brief.hard else ""
    for sentence in brief.subjects():
        yield Problem("essay", f'How does the text support{step} the statement "{sentence}"?', brief.text)


WRITERS: dict[str, Callable[[Brief], Iterator[Problem]]] = {
    "short": _short,
    "list": _list,
    "quote": _quote,
    "number": _number,
    "choice": _choice,
    "pair": _pair,
    "blank": _blank,
    "match": _match,
    "order": _order,
    "tristate": _tristate,
    "essay": _essay,
}


def _chosen(problem: Problem, solved: Solved) -> dict[str, Any]:
    wrong = [option for option in problem.options if option != solved.parts[0]]
    why = WHY_ODD if problem.odd_one_out else WHY
    return {"question": problem.question, "right": solved.parts[0], "wrong": wrong, "why": why}


def _gapped(problem: Problem, solved: Solved) -> dict[str, Any]:
    written = _chosen(problem, solved)
    return {"sentence": written.pop("question"), **written}


def _paired(problem: Problem, solved: Solved) -> dict[str, Any]:
    false = next((option for option in problem.options if option != solved.parts[0]), "")
    return {
        "question": problem.question,
        "true_statement": solved.parts[0],
        "false_statement": false,
        "evidence": [solved.parts[0]],
    }


def _calculated(problem: Problem, solved: Solved) -> dict[str, Any]:
    return {
        "question": problem.question,
        "facts": [{"quote": quote, "value": value} for quote, value in figures(problem)],
        "expression": expression(problem),
        "answer": total(problem),
        "unit": "",
    }


def _matched(problem: Problem, solved: Solved) -> dict[str, Any]:
    pairs = [{"left": a, "right": b} for a, b in zip(problem.options, solved.parts, strict=True)]
    return {"question": problem.question, "pairs": pairs}


KEYS: dict[str, Callable[[Problem, Solved], dict[str, Any]]] = {
    "short": lambda p, s: {"question": p.question, "answer": s.answer, "evidence": list(s.because)},
    "list": lambda p, s: {"question": p.question, "answers": list(s.parts), "evidence": list(s.because)},
    "quote": lambda p, s: {"question": p.question, "quotes": list(s.parts)},
    "number": _calculated,
    "choice": _chosen,
    "pair": _paired,
    "blank": _gapped,
    "match": _matched,
    "order": lambda p, s: {"question": p.question, "events": list(s.parts)},
    "tristate": lambda p, s: {"statement": p.question, "label": s.answer, "evidence": list(s.because)},
    "essay": lambda p, s: {"question": p.question, "points": list(s.parts)},
}
