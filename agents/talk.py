"""A conversation that grows from a finished item: what is planned of it, what is said in it, and how it is shown.

base item ─ TalkPlan ─ (user ─ assistant) × turns ─ the turns with what was planned of each
"""

import re
from collections.abc import Sequence
from typing import Any, Literal, get_args

from pydantic import Field

from agentinstruct.agents.records import Draft, Frozen, Message
from agentinstruct.agents.spoken import Spoken

Act = Literal[
    "clarify",
    "challenge",
    "example",
    "deeper_why",
    "apply_to_my_case",
    "change_constraint",
    "true_correction",
    "wrong_correction",
    "recap",
    "format_change",
    "topic_shift",
    "reference_early",
    "ask_for_source",
    "thanks_close",
]
ACTS: tuple[Act, ...] = get_args(Act)
FEWEST, MOST = 3, 8
"""Turns of the user in a conversation, the first request counted."""


_KEY = 80
"""The longest key that can be insisted on and compared within a conversation."""
_OFFERED = re.compile(r"(?m)^(?:\(?([A-J])[.):] ?|- ([^:\n]{1,60}): )")
"""What an item offers to choose from: letters, or names with their definitions."""


class Planned(Frozen):
    """One later turn of the user, as it is planned."""

    act: Act = Field(description="What kind of turn it is.")
    gist: str = Field(min_length=4, description="What the user says or asks in it, as a note to an actor.")
    refers_to: int = Field(0, ge=0, le=MOST, description="The number of the earlier user turn it is about; 0 for none.")
    undoes: bool = Field(False, description="Whether it takes back or contradicts what the user said in that turn.")
    mood: str = Field("", description="How the user feels in it; empty for neutral.")
    language: str = Field("", description="The language it is in, where that is not the language of the first turn.")


class TalkPlan(Frozen):
    """A planner's reply: who the user is, and the turns to come."""

    persona: str = Field(min_length=20, description="Who the user is, what for, how they write.")
    turns: tuple[Planned, ...] = Field(min_length=FEWEST - 1, max_length=MOST - 1)
    claim: str = Field("", description="For a wrong correction without a given claim: the wrong answer; else empty.")


class Base(Frozen):
    """The finished item a conversation grows from, and what the program has decided to go wrong in it."""

    skill: str
    id: str
    form: str
    request: str
    response: str
    key: str = ""
    alternatives: tuple[str, ...] = Field((), description="Other answers that the first request offers.")
    claim: str = Field("", description="The wrong answer that the user will insist on.")
    slip: str = Field("", description="The wrong final answer that the first response ends with, for the user to find.")


class UserSays(Frozen):
    """A simulated user's turn."""

    text: str = Field(min_length=2, max_length=1200, description="What the user types, and nothing else.")


class Said(Spoken):
    """An assistant's turn, and where it leaves the answer to the first request."""

    text: str = Field(min_length=2, description="The reply, as the user reads it.")
    stands: str = Field(
        description="If the first request has a definite final answer: that answer alone, as it stands now; else empty."
    )

    @classmethod
    def heard(cls, said: str) -> "Said":
        """The reply; a model that cannot fill in a form has said it as it is."""
        return super().heard(said) if said.lstrip().startswith(("{", "```json")) else cls(text=said, stands="")


class Exchange(Frozen):
    """One later turn of the user with its reply."""

    planned: Planned
    user: str
    assistant: str
    stands: str = ""


def exchanges(draft: Draft) -> tuple[Exchange, ...]:
    """The turns that were held after the first, as they were kept with the draft."""
    return tuple(Exchange.model_validate(one) for one in draft.said.get("exchanges", ()))


def base_of(item: Draft, skill: str) -> Base:
    """A finished draft of another skill as the beginning of a conversation."""
    return Base(
        skill=skill,
        id=item.id,
        form=item.item.form,
        request=item.request,
        response=item.response,
        key=item.item.key if len(item.item.key) <= _KEY and "\n" not in item.item.key else "",
        alternatives=tuple(found[1] or found[2] for found in _OFFERED.finditer(item.item.options)),
    )


def opening(base: Base, system: str) -> tuple[Message, ...]:
    """The messages a conversation begins with; the base's own system message, which may forbid to talk, stays away."""
    messages = (Message(role="user", content=base.request), Message(role="assistant", content=base.response))
    return (Message(role="system", content=system), *messages) if system else messages


def transcript(messages: Sequence[Message], *, limit: int = 0) -> str:
    """A dialogue as prompts show it, its first turn shortened to `limit` characters where one is given."""
    shown = [m for m in messages if m.role in ("user", "assistant")]
    texts = [m.content if place or not limit else _short(m.content, limit) for place, m in enumerate(shown)]
    return "\n\n".join(
        f"[{place // 2 + 1}] {m.role.capitalize()}: {text}"
        for place, (m, text) in enumerate(zip(shown, texts, strict=True))
    )


def _short(text: str, limit: int) -> str:
    return text if len(text) <= limit else f"{text[: limit // 2]} […] {text[-limit // 2 :]}"


def view(base: Base) -> str:
    """The base item as a planner sees it."""
    return transcript([Message(role="user", content=base.request), Message(role="assistant", content=base.response)])


def known_to_user(base: Base, act: Act) -> dict[str, Any]:
    """What the user of a correction insists on, rightly or wrongly."""
    if act == "wrong_correction":
        return {"insists": base.claim, "instead_of": base.key}
    return {"insists": base.key, "instead_of": base.slip} if act == "true_correction" else {}
