"""How the scripted model makes multiple-choice items about a note harder, or otherwise different."""

import re
from itertools import islice
from random import Random
from typing import Any

from agentinstruct.agents.checks.options import betrayals
from agentinstruct.agents.checks.standing import points_outside
from agentinstruct.agents.forms import Single
from agentinstruct.agents.scripted.notes import NOTES, Note, copies
from agentinstruct.agents.scripted.quiz import AFTER, ASSERTION_LATER, LATER, STANDS, read
from agentinstruct.agents.scripted.quizmaster import (
    SIZE,
    Decided,
    applying,
    asserted,
    chosen,
    computed,
    continuation,
    exception,
    ordered,
    statements,
)
from agentinstruct.agents.scripted.riddles import Wanted, quantity_item
from agentinstruct.agents.scripted.world import world
from agentinstruct.tools.quotes import bare

CASE = "A clerk files what somebody dictates, while a visitor coughs at the door. "


def refined(form: str, goal: str, view: str, passage: str, decided: Decided) -> dict[str, Any] | None:
    """An item made harder or otherwise different, as its goal says."""
    evidence = next((line[10:] for line in view.splitlines() if line.startswith("Evidence: ")), "")
    if not evidence or not world(passage).stands(evidence):
        return None
    note = Note(evidence)
    lead = re.split(r"Somebody notes: |Assertion: ", view)[0]
    lead = f"{CASE}{lead}" if goal == "vignette" else lead
    wanted = Wanted(passage, Random(view), lead.strip().removesuffix("."))
    if form == "worked":
        return _worked_further(note, wanted, view, goal)
    if form == "sequence":
        return ordered(note, wanted, len(re.findall(r"^\d\. ", view, re.MULTILINE)), backwards=True)
    if form == "assertion":
        return asserted(note, wanted, decided, ASSERTION_LATER)
    if form == "select":
        return statements(note, wanted, decided, LATER if goal == "two_steps" else STANDS)
    if form == "above":
        size = SIZE - 1 if goal == "parallel" else SIZE
        return applying(note, wanted, decided, size=size, close=goal == "distractors")
    return _single_further(note, wanted, view, goal)


def _worked_further(note: Note, wanted: Wanted, view: str, goal: str) -> dict[str, Any]:
    question = view.partition("\n")[0]
    if goal == "two_steps":
        figures = [int(n) for n in re.findall(r"copied (\d+) times", question)]
        figures += list(islice((n for n in copies(note, wanted.draw) if n not in figures), 1))
        question = quantity_item(note, wanted.lead, figures)["question"]
    return computed(note, question, close=True)


def _single_further(note: Note, wanted: Wanted, view: str, goal: str) -> dict[str, Any] | None:
    wrong = view.count("Mistake behind ")
    if goal == "turn":
        return turned(note, wanted, view)
    if "EXCEPT" in view:
        later = goal in ("two_steps", "distractors")
        return exception(note, wanted, wrong + (goal == "parallel"), later=later)
    size = SIZE - 1 if goal == "parallel" else SIZE
    nearness = (3, 4, 5) if goal == "distractors" else (1, 2, 3, 4)
    written = [continuation(note, wanted, wrong, near=near, size=size) for near in nearness]
    item = next(filter(even, written), None)
    if item and goal == "two_steps":
        lead = " ".join(note.words[:2])
        item["question"] = item["question"].replace(f'right after "{lead}"', "right after its first two words")
    return item


def even(item: dict[str, Any]) -> bool:
    """Whether nothing in the form of an item's options leads to its key."""
    decided = {"labels": "letters", "mark": "{}. ", "reverse": False}
    try:
        return not any(betrayals(Single.model_validate({**item, **decided})))
    except ValueError:
        return False


def turned(note: Note, wanted: Wanted, view: str) -> dict[str, Any] | None:
    """The same options, and a question about another note to which another one is right."""
    shown, _, below = view.partition("\nKey: ")
    texts = {label or text: text for label, text in read(shown).options}
    former = texts.pop(below.partition("\n")[0], "")
    options = list(texts.values())
    found = (
        _about(Note(sentence), wanted.lead, option, [former, *(o for o in options if o != option)])
        for option in options
        for sentence in world(wanted.text).telling
    )
    return next((item for item in found if item and former and even(item)), None)


def _about(note: Note, lead: str, right: str, others: list[str]) -> dict[str, Any] | None:
    """The question that one option is the right answer to, if a note holds it and the former key does not fit there."""
    before = _before(note, right)
    if not before or note.holds(f"{before} {others[0]}") or points_outside(note.text):
        return None
    ask = AFTER.format(before).replace("Which of these words come", "Which of these words, and NOT the others, come")
    return chosen(note, f"{lead}{NOTES.format(note.text)} {ask}", right, others)


def _before(note: Note, words: str) -> str:
    """The word before a run of words in a note; empty where it does not stand there, or stands first."""
    size = len(words.split())
    at = next((i for i, w in enumerate(note.windows(size)) if bare(w) == bare(words)), 0)
    before = note.words[at - 1] if at else ""
    return before if bare(before) and '"' not in note.text else ""
