"""How the scripted model writes multiple-choice items about a note."""

from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from typing import Any

from agentinstruct.agents.checks.standing import points_outside
from agentinstruct.agents.scripted.notes import NOTES, Note, copies, notes
from agentinstruct.agents.scripted.quiz import (
    AFTER,
    ASSERTION,
    BACKWARDS,
    EXCEPT,
    LATER,
    LATER_EXCEPT,
    ORDER,
    REASON,
    STANDS,
)
from agentinstruct.agents.scripted.riddles import Wanted, calculation, quantity_item
from agentinstruct.agents.scripted.world import world
from agentinstruct.tools.quotes import bare

SIZE = 3
"""How many words an option has."""
Decided = Mapping[str, Any]


def single(wanted: Wanted, decided: Decided) -> Iterator[dict[str, Any]]:
    """Words that come after others in a note, among words that do not; or the one that is not in it."""
    for note in notes(wanted.text, wanted.draw, 7):
        wrong = int(decided.get("wrong") or 3)
        if decided.get("reverse"):
            yield exception(note, wanted, wrong)
        else:
            yield from (continuation(note, wanted, wrong, near=near) for near in (1, 2, 3))


def continuation(note: Note, wanted: Wanted, wrong: int, *, near: int, size: int = SIZE) -> dict[str, Any]:
    """Which words follow the first two: `near` of the wrong options stand in the note as well."""
    lead, right = " ".join(note.words[:2]), note.windows(size, 2)[:1]
    inside = note.windows(size, 2 + size)[-near:] if near else []
    options = apart([*inside, *foreign(wanted, note, size)], right)[:wrong]
    question = f"{wanted.lead}{NOTES.format(note.text)} {AFTER.format(lead)}"
    return chosen(note, question, "".join(right), options)


def exception(note: Note, wanted: Wanted, wrong: int, *, later: bool = False) -> dict[str, Any]:
    """Which words are not in the note."""
    options = apart(note.windows(SIZE, int(later)), [])[:wrong]
    right = apart(foreign(wanted, note, SIZE), options)[:1]
    question = f"{wanted.lead}{NOTES.format(note.text)} {LATER_EXCEPT if later else EXCEPT}"
    return chosen(note, question, "".join(right), options)


def chosen(note: Note, question: str, right: str, options: list[str]) -> dict[str, Any]:
    """An item with one right option as its writer replies."""
    return {
        "evidence": [note.text],
        "question": question,
        "right": right,
        "why": "The note can be read word by word.",
        "distractors": [distractor(option) for option in options],
    }


def distractor(text: str) -> dict[str, str]:
    """A wrong option and what somebody thinks who takes it."""
    return {"text": text, "misconception": f'Remembers "{text}" from another place and does not look again.'}


def foreign(wanted: Wanted, note: Note, size: int, *, close: bool = False) -> list[str]:
    """Runs of words of other sentences that are not in the note; close ones begin as the note's do."""
    others = [Note(s) for s in world(wanted.text).telling if s != note.text and len(s.split()) >= size]
    found = [window for other in others for window in other.windows(size)[::size]]
    crossed = [" ".join([*note.words[at : at + size - 1], w.split()[-1]]) for at, w in enumerate(found)]
    return [
        w
        for w in ([*crossed, *found] if close else [*found, *crossed])
        if not note.holds(w) and not points_outside(w) and len(w.split()) == size
    ]


def apart(windows: list[str], known: list[str]) -> list[str]:
    """Those of the runs that are different from each other and from what is known."""
    kept: list[str] = []
    for window in windows:
        if bare(window) and bare(window) not in {bare(other) for other in (*kept, *known)}:
            kept.append(window)
    return kept


def above(wanted: Wanted, decided: Decided) -> Iterator[dict[str, Any]]:
    """As many words of the note, and as many others, as were asked for."""
    for note in notes(wanted.text, wanted.draw, 8):
        yield applying(note, wanted, decided)


def applying(note: Note, wanted: Wanted, decided: Decided, *, size: int = SIZE, close: bool = False) -> dict[str, Any]:
    """Which words stand in the note."""
    right = apart(note.windows(size), [])[: int(decided.get("applying") or 0)]
    wrong = apart(foreign(wanted, note, size, close=close), right)[: int(decided.get("failing") or 0)]
    return {
        "evidence": [note.text],
        "question": f"{wanted.lead}{NOTES.format(note.text)} {STANDS}",
        "right": right,
        "distractors": [distractor(text) for text in wrong],
        "why": "The note can be read word by word.",
    }


def worked(wanted: Wanted, decided: Decided) -> Iterator[dict[str, Any]]:
    """A problem on copies of a note."""
    for note in notes(wanted.text, wanted.draw):
        problem = quantity_item(note, wanted.lead, list(islice(copies(note, wanted.draw), 1)))
        yield computed(note, problem["question"], close=False)


def computed(note: Note, question: str, *, close: bool) -> dict[str, Any]:
    """The calculation of a problem, with slips that lead far off or, if they are to be close, near by."""
    right = calculation(question)
    ways = [f"{right} + {k}" if k > 0 else f"{right} - {-k}" for k in (1, -1, 2, -2, 10, -10, 11, 20, 30)]
    far = [f"{k} * ({right})" for k in (2, 3, 4, 5, 6, 7, 8, 9, 12)]
    return {
        "evidence": [note.text],
        "question": question,
        "expression": right,
        "decimals": 0,
        "unit": "words",
        "slips": [{"expression": e, "mistake": f"Calculates {e} in a hurry."} for e in (ways if close else far)],
    }


def select(wanted: Wanted, decided: Decided) -> Iterator[dict[str, Any]]:
    """Runs of words that stand in the note, and others."""
    for note in notes(wanted.text, wanted.draw, 9):
        yield statements(note, wanted, decided, STANDS)


def statements(note: Note, wanted: Wanted, decided: Decided, ask: str) -> dict[str, Any]:
    """As many true and false ones as were asked for."""
    start = 1 if ask == LATER else 0
    true = apart(note.windows(SIZE, start), [])[: int(decided.get("truths") or 2)]
    false = apart(foreign(wanted, note, SIZE), true)[: int(decided.get("untruths") or 2)]
    return {
        "evidence": [note.text],
        "question": f"{wanted.lead}{NOTES.format(note.text)} {ask}",
        "true_statements": true,
        "false_statements": [distractor(text) for text in false],
    }


def sequence(wanted: Wanted, decided: Decided) -> Iterator[dict[str, Any]]:
    """Runs of words in the order in which they stand in the note."""
    for note in notes(wanted.text, wanted.draw, 10):
        yield ordered(note, wanted, int(decided.get("entries") or 4), backwards=False)


def ordered(note: Note, wanted: Wanted, count: int, *, backwards: bool) -> dict[str, Any]:
    """That many entries, two words each."""
    entries = note.windows(2)[::2][:count]
    return {
        "evidence": [note.text],
        "question": f"{wanted.lead}{NOTES.format(note.text)} {BACKWARDS if backwards else ORDER}",
        "entries": entries[::-1] if backwards else entries,
        "why": "The note can be read word by word.",
    }


def assertion(wanted: Wanted, decided: Decided) -> Iterator[dict[str, Any]]:
    """Two statements about a note, true or false as was asked for."""
    for note in notes(wanted.text, wanted.draw, 12):
        if item := asserted(note, wanted, decided, ASSERTION):
            yield item


def asserted(note: Note, wanted: Wanted, decided: Decided, ask: str) -> dict[str, Any] | None:
    """An assertion put in these words, and a reason."""
    strange, longer = (apart(foreign(wanted, note, size), []) for size in (SIZE, 5))
    if not strange or not longer:
        return None
    true = note.windows(SIZE, 1)[0]
    reason = note.windows(5)[0] if decided.get("explains", True) else note.windows(5)[-1]
    return {
        "evidence": [note.text],
        "assertion": ask.format(true if decided.get("assertion", True) else strange[0], note.text),
        "reason": REASON.format(reason if decided.get("reason", True) else longer[0]),
        "why": "The note can be read word by word.",
    }


WRITERS: Mapping[str, Callable[[Wanted, Decided], Iterator[dict[str, Any]]]] = {
    "single": single,
    "above": above,
    "worked": worked,
    "select": select,
    "sequence": sequence,
    "assertion": assertion,
}
