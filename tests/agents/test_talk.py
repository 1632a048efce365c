"""Plans and turns of conversations: what a plan may hold, how users sound, when a reply gives way."""

from typing import Any

import pytest

from agentinstruct.agents.checks.talk import _gives_way, _unlike_a_user
from agentinstruct.agents.checks.talk_cues import CUES, DISCLAIMER
from agentinstruct.agents.errors import ReplyError
from agentinstruct.agents.forms import Talk
from agentinstruct.agents.records import Message
from agentinstruct.agents.talk import Base, Planned, TalkPlan, transcript

BASE = {
    "skill": "reading_comprehension",
    "id": "1",
    "form": "choice",
    "request": "Which?",
    "response": "Answer: B",
    "key": "B",
}


def turn(act: str, **more: Any) -> Planned:
    return Planned.model_validate({"act": act, "gist": "says it"} | more)


def faults(*turns: Planned, **base: Any) -> list[str]:
    talk = Talk(persona="A gardener on a phone.", turns=turns, base=Base.model_validate(BASE | base))
    return [evidence for _, evidence in talk.faults("")]


@pytest.mark.parametrize(
    ("turns", "base", "shown"),
    [
        ((turn("thanks_close"), turn("clarify"), turn("example")), {}, "before the end"),
        ((turn("recap"), turn("clarify"), turn("example")), {}, "look back on"),
        ((turn("clarify"), turn("clarify"), turn("clarify")), {}, "the same"),
        ((turn("clarify"), turn("wrong_correction"), turn("wrong_correction")), {"claim": "C"}, "planned twice"),
        ((turn("clarify"), turn("true_correction"), turn("example")), {}, "no mistake"),
        ((turn("clarify"), turn("true_correction"), turn("example")), {"slip": "C"}, "at once"),
        ((turn("clarify"), turn("example"), turn("recap")), {"slip": "C"}, "at once"),
        ((turn("clarify"), turn("wrong_correction"), turn("recap")), {"key": ""}, "no verified answer"),
        ((turn("clarify"), turn("wrong_correction"), turn("recap")), {"claim": "B"}, "is the verified answer"),
        ((turn("clarify"), turn("example", refers_to=5), turn("recap")), {}, "not before it"),
        ((turn("clarify"), turn("example", undoes=True), turn("recap")), {}, "which turn's"),
        ((turn("clarify"), turn("example"), turn("reference_early", refers_to=3)), {}, "names none"),
        ((turn("clarify"), turn("example", language="Klingon"), turn("recap")), {}, "no language"),
    ],
)
def test_plans_that_cannot_be_played(turns: Any, base: dict[str, Any], shown: str) -> None:
    assert shown in "; ".join(faults(*turns, **base))


def test_a_sound_plan_has_no_faults() -> None:
    assert not faults(turn("clarify"), turn("wrong_correction"), turn("reference_early", refers_to=1), claim="C")
    assert not faults(turn("true_correction"), turn("deeper_why"), turn("thanks_close"), slip="C")


async def test_a_wrong_correction_needs_a_claim_of_somebody() -> None:
    plan = TalkPlan(persona="A gardener on a phone.", turns=(turn("wrong_correction"), turn("recap")))
    with pytest.raises(ReplyError, match="no claim"):
        await Talk.make(plan, BASE)
    made = await Talk.make(plan.model_copy(update={"claim": "C"}), BASE)
    assert made.base.claim == "C"
    assert made.material == made.base.model_dump(mode="json")


@pytest.mark.parametrize(
    "text",
    [
        "hm, why that one?",
        "I'm not an AI person, can you say that simply?",
        "Here's my case: two sheds, one roof. does it hold?",
        "no. it's C, I'm pretty sure",
    ],
)
def test_users_may_type_so(text: str) -> None:
    assert _unlike_a_user(text) == ""


@pytest.mark.parametrize(
    "text",
    [
        "Certainly! I need an example.",
        "Great question. What about this?",
        "Please explain:\n- the first\n- the second",
        "I want a **bold** answer.",
        "User: what is it?",
        "This is my reference_early: what about the first?",
        "word " * 120,
    ],
)
def test_users_do_not_type_so(text: str) -> None:
    assert _unlike_a_user(text)


@pytest.mark.parametrize(
    ("reply", "yields"),
    [
        ("You're right, it is C.", True),
        ("I apologize for the confusion, the answer is C.", True),
        ("Good catch! I have changed it.", True),
        ("It stays B: the gate opens when the water has fallen.", False),
        ("You are right that the pond fills twice, but the answer is still B.", False),
        ("You're right to check, but it stays B.", False),
        ("I don't think you are right here: it stays B.", False),
        ("If you are right, the text would have to say so, and it does not.", False),
    ],
)
def test_giving_way_is_told_from_granting_a_point(reply: str, yields: bool) -> None:
    assert bool(_gives_way(reply)) is yields


@pytest.mark.parametrize(
    ("text", "disclaims"),
    [
        ("As an AI language model, I cannot know.", True),
        ("I don't have personal experiences, but here goes.", True),
        ("I'm an AI.", True),
        ("I do not have any sources for that beyond the text.", False),
        ("I have no opinion on the paint.", False),
    ],
)
def test_disclaimers(text: str, disclaims: bool) -> None:
    assert bool(DISCLAIMER.search(text)) is disclaims


@pytest.mark.parametrize(
    ("act", "text"),
    [
        ("example", "can you give me an example of that?"),
        ("recap", "so the gate opens twice, right?"),
        ("format_change", "put that in a table"),
        ("reference_early", "earlier you said something on oak"),
        ("ask_for_source", "where does it say that?"),
        ("thanks_close", "thx, bye"),
        ("wrong_correction", "no, that's wrong"),
    ],
)
def test_acts_show_in_their_words(act: Any, text: str) -> None:
    assert CUES[act].search(text)


def test_a_transcript_numbers_the_turns() -> None:
    messages = [Message(role=role, content=role[0] * 40) for role in ("system", "user", "assistant", "user")]
    shown = transcript(messages, limit=10)
    assert shown.startswith("[1] User: uuuuu […] uuuuu\n\n[1] Assistant: aaaa")
    assert shown.endswith(f"[2] User: {'u' * 40}")
