"""A visit to a site as agents tell it: an assistant's thoughts and actions, and what it saw before each."""

from collections.abc import Iterable, Sequence
from typing import Literal

from pydantic import Field

from agentinstruct.agents.records import Frozen, Message
from agentinstruct.tools.site import Action


class WebAct(Frozen):
    """One step of the assistant: why, and one action."""

    thought: str = Field(max_length=900, description="What matters on the page, and why this action; two sentences.")
    action: Literal["click", "type", "select", "scroll", "goto", "back", "answer", "ask_user"]
    element: int = Field(ge=0, le=9999, description="The element's number; 0 for actions without one.")
    text: str = Field(
        max_length=4000,
        description="What is typed, selected, answered or asked; up or down for scroll; the address for goto.",
    )

    def taken(self) -> Action:
        """The action by itself."""
        return Action(do=self.action, element=self.element, text=self.text.strip())


class Step(Frozen):
    """A step of a visit: what was seen, thought and done, and what came of it."""

    seen: str
    thought: str
    action: Action
    ok: bool = True
    message: str = Field("", description="Why it could not be done.")
    heard: str = Field("", description="What the user replied to a question.")

    def said(self) -> str:
        """Thought and action as the record shows them."""
        return f"Thought: {' '.join(self.thought.split())}\nAction: {self.action.written()}"


class Steps(tuple[Step, ...]):
    """Steps that read as a text where a prompt shows them."""

    __slots__ = ()

    def __str__(self) -> str:
        return visit_text(self)


def visit_messages(briefing: str, opening: str, steps: Sequence[Step]) -> tuple[Message, ...]:
    """A visit as a chat: what is seen comes from the user, thoughts and actions from the assistant."""
    messages = [Message(role="system", content=briefing), Message(role="user", content=opening)]
    for place, step in enumerate(steps):
        if place:
            messages.append(Message(role="user", content=observed(steps[place - 1].heard, step.seen)))
        messages.append(Message(role="assistant", content=step.said()))
    return tuple(messages)


def observed(heard: str, seen: str) -> str:
    """What the assistant is told next: the user's reply, if it asked, and what the browser shows."""
    return f"User: {heard}\n\n{seen}" if heard else seen


def visit_text(steps: Iterable[Step], *, views: bool = True) -> str:
    """The steps as agents read them; without views, only what was done."""
    lines: list[str] = []
    for number, step in enumerate(steps, 1):
        if views:
            lines += [f"Observation {number}:", step.seen]
        lines.append(f"{number}. {_told(step)}")
        if step.heard:
            lines.append(f"User: {step.heard}")
    return "\n".join(lines)


def _told(step: Step) -> str:
    failed = "" if step.ok else f" (failed: {step.message})"
    return f"{' '.join(step.thought.split())} → {step.action.written()}{failed}"


def spoken_text(task: str, steps: Iterable[Step]) -> str:
    """What user and assistant have said to each other, without the site."""
    lines = [f"User: {task}"]
    for step in steps:
        if step.action.do == "ask_user":
            lines += [f"Assistant: {step.action.text}", *([f"User: {step.heard}"] if step.heard else [])]
    return "\n".join(lines)
