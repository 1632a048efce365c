"""The scripted model's agents for open-domain question answering; each sees only what its prompt is given."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from random import Random
from typing import Any

from agentinstruct.agents.forms import FORMS, final_answer
from agentinstruct.agents.gateway import Request
from agentinstruct.agents.scripted.notes import (
    ASKS,
    FURTHER,
    HINT,
    NOTES,
    PLAIN,
    Note,
    copies,
    hidden,
    noted,
    notes,
    said_of,
    scrambled,
    unscrambled,
)
from agentinstruct.agents.scripted.world import world
from agentinstruct.tools.calculate import CalculateError, evaluate
from agentinstruct.tools.quotes import bare, contains, contradicts, overlap

Said = dict[str, Any] | str | None
TERSE = re.compile(r"just the answer|only the result|(?:choice|answer) only|and nothing else|without an", re.IGNORECASE)
_SCRAMBLED = re.compile(r'Read backwards(, with its first letter put last before)?, the missing word is "(\w+)"')
_COPIES = re.compile(
    r"note of (\d+) words is copied (\d+) times(?:, and every copy gets (\d+) words more)?"
    r"(?:, and (\d+) copies are lost)?"
)
_FALSE = re.compile(r'Since the note "[^"\n]+" has (\d+) words')
_DENIES = re.compile(r"\b(?:not|no|never|isn['’]t|doesn['’]t|wasn['’]t|didn['’]t)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What an item is to be: in which text, of which title, as hard as what."""

    text: str
    draw: Random
    title: str = ""

    @property
    def lead(self) -> str:
        """How its questions begin."""
        return f"{self.title}. " if self.title else ""


def instruct(request: Request) -> Said:
    """As many items as asked for that a careful writer would find sound."""
    category, text = request.inputs.get("category"), str(request.inputs.get("passage", ""))
    form, title = (str(_field(category, name)) for name in ("form", "title"))
    if form not in WRITERS:
        return None
    wanted = Wanted(text, Random(f"{title}/{text}"), re.sub(r"[^\w\s,-]", "", title).strip())
    sound = (item for item in WRITERS[form](wanted) if _sound(form, item, text))
    found = list(islice(sound, int(request.inputs.get("count", 1))))
    return {"items": found} if found else None


def _sound(form: str, item: dict[str, Any], text: str) -> bool:
    try:
        return not any(FORMS[form].model_validate(item).faults(text))
    except ValueError:
        return False


def _open(wanted: Wanted) -> Iterator[dict[str, Any]]:
    for note in notes(wanted.text, wanted.draw):
        yield open_item(f"{wanted.lead}{NOTES.format(note.text)} {' '.join(PLAIN)}{HINT}", note)


def open_item(question: str, note: Note) -> dict[str, Any]:
    """An open item on a note, its points worked out."""
    return {"evidence": [note.text], "question": question, "points": said_of(question)}


def _definite(wanted: Wanted) -> Iterator[dict[str, Any]]:
    for note in notes(wanted.text, wanted.draw):
        if item := definite_item(note, wanted.lead, turned=False, hint=True):
            yield item


def definite_item(note: Note, lead: str, *, turned: bool, hint: bool) -> dict[str, Any] | None:
    """An item that asks for a word hidden in a note."""
    found = hidden(note)
    if not found:
        return None
    place, word = found
    gapped = " ".join([*note.words[:place], "____", *note.words[place + 1 :]])
    way = ", with its first letter put last before" if turned else ""
    more = f" (Hint: it has {len(word)} letters.)" if hint else ""
    asked = f'Read backwards{way}, the missing word is "{scrambled(word, turned)}". Which word is it?{more}'
    return {"evidence": [note.text], "question": f"{lead}{NOTES.format(gapped)} {asked}", "answer": word}


def _quantity(wanted: Wanted) -> Iterator[dict[str, Any]]:
    for note in notes(wanted.text, wanted.draw):
        yield quantity_item(note, wanted.lead, list(islice(copies(note, wanted.draw), 1)), HINT)


def quantity_item(note: Note, lead: str, figures: list[int], hint: str = "") -> dict[str, Any]:
    """A problem on copies of a note: of its words, of more words in each, of copies that are lost."""
    length, (times, *more) = len(note.words), figures
    parts = [f"The note of {length} words is copied {times} times"]
    parts += [f"and every copy gets {more[0]} words more"] if more else []
    parts += [f"and {more[1]} copies are lost"] if len(more) > 1 else []
    question = f"{lead}{NOTES.format(note.text)} {', '.join(parts)}. How many words are there in all?{hint}"
    expression = calculation(question)
    return {
        "evidence": [note.text],
        "question": question,
        "expression": expression,
        "answer": evaluate(expression),
        "unit": "words",
    }


def calculation(question: str) -> str:
    """The arithmetic that a problem on copies asks for; empty for other questions."""
    found = _COPIES.search(question)
    if not found:
        return ""
    length, times, more, lost = found.groups()
    each = f"({length} + {more})" if more else length
    return f"{each} * ({times} - {lost})" if lost else f"{each} * {times}"


def _premise(wanted: Wanted) -> Iterator[dict[str, Any]]:
    for note in notes(wanted.text, wanted.draw):
        yield premise_item(note, 3 + wanted.draw.randrange(9))


def premise_item(note: Note, off: int) -> dict[str, Any]:
    """A question that rests on a wrong count of a note's words."""
    count = len(note.words)
    question = f'Since the note "{note.text}" has {count + off} words, it takes long to read. {PLAIN[0]} {PLAIN[1]}'
    return {
        "evidence": [note.text],
        "premise": f'The note "{note.text}" has {count + off} words.',
        "correction": f"The note does not have {count + off} words: it has {count}.",
        "question": question,
        "points": [f"The note does not have {count + off} words: it has {count}.", *said_of(question)],
    }


WRITERS: Mapping[str, Callable[[Wanted], Iterator[dict[str, Any]]]] = {
    "open": _open,
    "definite": _definite,
    "quantity": _quantity,
    "premise": _premise,
}


def edit(request: Request) -> Said:
    """The item refined as its goal says, from what the item shows."""
    goal = str(_field(request.inputs.get("goal"), "name"))
    view, passage = str(request.inputs.get("item", "")), str(request.inputs.get("passage", ""))
    question = view.partition("\nEvidence: ")[0]
    evidence = next((line[10:] for line in view.splitlines() if line.startswith("Evidence: ")), "")
    note = Note(evidence) if evidence else None
    if note is None or not world(passage).stands(note.text) or not noted(question):
        return None
    item = _refined(goal, question, note, Random(f"{goal}/{view}"))
    return {"item": item} if item else None


def _refined(goal: str, question: str, note: Note, draw: Random) -> dict[str, Any] | None:
    lead = question.partition("Somebody notes")[0]
    if goal == "false_premise":
        return premise_item(note, 3 + draw.randrange(9))
    if goal == "computation":
        known = _figures(question)[:2]
        return quantity_item(note, lead, [*known, *islice((n for n in copies(note, draw) if n not in known), 1)])
    if _SCRAMBLED.search(question):
        turned = goal == "two_hop" or "put last" in question
        return definite_item(note, lead, turned=turned, hint=goal != "giveaway" and "Hint" in question)
    if goal == "giveaway" and (known := _figures(question)):
        return quantity_item(note, lead, known)
    if goal == "giveaway":
        return open_item(question.replace(HINT, ""), note)
    return open_item(f"{question.replace(HINT, '')} {FURTHER.get(goal, tuple(ASKS)[-1])}", note)


def _figures(question: str) -> list[int]:
    """The numbers of a problem on copies, without the note's length."""
    found = _COPIES.search(question)
    return [int(figure) for figure in found.groups()[1:] if figure] if found else []


def solved(question: str) -> str:
    """The answer to a definite question or a problem; empty when it is none of ours."""
    if found := _SCRAMBLED.search(question):
        return unscrambled(found[2], bool(found[1]))
    if expression := calculation(question):
        return f"{evaluate(expression):.10g} words"
    return ""


def solve(request: Request) -> Said:
    """An independent solution from the question alone."""
    answer = solved(str(request.inputs.get("question", "")))
    why = "It was worked out from the question." if answer else "The question does not say enough."
    return {"reasoning": why, "answerable": bool(answer), "answer": answer}


def answer(request: Request) -> Said:
    """The teacher: from the user's turn alone, with the calculator where it is given one."""
    turn, expression = str(request.inputs.get("request", "")), calculation(str(request.inputs.get("request", "")))
    if "tool" in (request.schema or {}).get("properties", {}):
        return step(request, expression, replied(turn, solved(turn)))
    if answer := solved(turn):
        return replied(turn, answer)
    if found := _FALSE.search(turn):
        note = noted(turn)
        count = len(note.words) if note else 0
        return " ".join([f"The note does not have {found[1]} words: it has {count}.", *said_of(turn)])
    said = said_of(turn)
    return " ".join([*said, "So much can be read off the note itself."]) if said else None


def step(request: Request, expression: str, reply: dict[str, str]) -> Said:
    """One step of a teacher who may calculate: first the calculation, then the answer."""
    worked = request.inputs.get("workings") or [] if expression else [1]
    if not worked:
        return {"tool": "calculator", "input": expression, "reply": None}
    return {"tool": "none", "input": "", "reply": reply} if reply["answer"] else None


def replied(turn: str, answer: str) -> dict[str, str]:
    """An answer with its explanation, without one where the user wants none."""
    explanation = "" if TERSE.search(turn) else "This follows from what the question itself says, taken step by step."
    return {"explanation": explanation, "answer": answer}


def stands_alone(request: Request) -> Said:
    """A question that quotes its note, or names what it is about, lacks nothing."""
    return {"missing": [], "stands_alone": True}


def covers(request: Request) -> Said:
    """Each point that a sentence of the response says, in whole or for the most part."""
    response = str(request.inputs.get("response", ""))
    points: Any = request.inputs.get("points") or ()
    if isinstance(points, str):
        return None
    marks = [_marked(number, str(point), response) for number, point in enumerate(points, 1)]
    return {"points": marks} if marks else None


def _marked(number: int, point: str, response: str) -> dict[str, Any]:
    if contains(response, point):
        return {"number": number, "quote": point, "said": "full"}
    share, sentence = max(((overlap(point, s), s) for s in world(response).sentences), default=(0.0, ""))
    if share > 0.45 and not contradicts(point, sentence):
        return {"number": number, "quote": sentence, "said": "full"}
    return {"number": number, "quote": "", "said": "against" if share > 0.6 else "no"}


def premise(request: Request) -> Said:
    """Whether a sentence of the response denies something and says what is so."""
    response, correction = (str(request.inputs.get(name, "")) for name in ("response", "correction"))
    denial = next((s for s in world(response).sentences if _DENIES.search(s)), "")
    corrected = any(overlap(s, correction) > 0.3 for s in world(response).sentences)
    return {"quote": denial, "denied": bool(denial), "corrected": corrected, "goes_along": not denial}


def grounded_answer(request: Request) -> Said:
    """What the text has to say of each sentence of the response."""
    passage, response = (str(request.inputs.get(name, "")) for name in ("passage", "response"))
    claims = [_found(sentence, passage) for sentence in world(response).sentences[:10]]
    return {"claims": claims} if claims else None


def _found(claim: str, passage: str) -> dict[str, Any]:
    quoted = next((q for q in re.findall(r'"([^"\n]+)"', claim) if contains(passage, q)), "")
    if quoted:
        return {"claim": claim, "quote": quoted, "finding": "supported"}
    share, sentence = max(((overlap(claim, s), s) for s in world(passage).sentences), default=(0.0, ""))
    near = share > 0.4
    finding = ("contradicted" if contradicts(claim, sentence) else "supported") if near else "silent"
    if not near and (word := next((w for w in bare(claim).split() if len(w) > 4 and contains(passage, w)), "")):
        return {"claim": claim, "quote": word, "finding": "supported"}
    return {"claim": claim, "quote": sentence if near else "", "finding": finding}


def harder(request: Request) -> Said:
    """The one that asks for more things, in more steps, with fewer hints."""
    first, second = (_demand(str(request.inputs.get(name, ""))) for name in ("first", "second"))
    found = "neither" if first == second else "first" if first > second else "second"
    return {"why": f"The first asks for {first}, the second for {second}.", "harder": found}


def _demand(view: str) -> int:
    steps = sum(len(re.findall(r"[-+*/]", line)) for line in view.splitlines() if line.startswith("Calculation: "))
    traps = 6 * view.count("False premise: ") + 3 * view.count("put last")
    return 2 * view.count("Point: ") + 4 * (steps + view.count("Calculation: ")) + traps - view.count("(Hint:")


def judge(request: Request) -> Said:
    """The rubric: met when the response answers as working out the request does, or says all there is to say."""
    rubric: Any = request.inputs.get("rubric")
    turn, response = (str(request.inputs.get(name, "")) for name in ("request", "response"))
    expected = solved(turn)
    try:
        met = bare(expected) == bare(final_answer(response)) if expected else all(s in response for s in said_of(turn))
    except CalculateError:
        met = False
    names = list(rubric) if isinstance(rubric, dict) else re.findall(r"[\w ]+", str(rubric))[:1]
    evidence = response[:80]
    return {"criteria": [{"criterion": str(n), "evidence": evidence, "met": bool(met and evidence)} for n in names]}


def _field(value: object, name: str) -> Any:
    """A field of a mapping or of a value; empty where there is none."""
    return value.get(name, "") if isinstance(value, dict) else getattr(value, name, "")


JUDGES: Mapping[str, Callable[[Request], Said]] = {
    "stands_alone": stands_alone,
    "covers": covers,
    "premise": premise,
    "grounded_answer": grounded_answer,
}
SCRIPTS: Mapping[str, Callable[[Request], Said]] = {
    "instruct": instruct,
    "edit": edit,
    "solve": solve,
    "answer": answer,
    "harder": harder,
    "judge": judge,
    **JUDGES,
}
