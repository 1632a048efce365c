"""Tasks on a web site: what a user asks for, and what that means there, so that a program can plan and check it."""

from collections.abc import Iterator
from random import Random
from typing import ClassVar

from pydantic import Field

from agentinstruct.agents.forms.form import Fault, Form
from agentinstruct.agents.records import Item
from agentinstruct.agents.toolcalls import Argument
from agentinstruct.tools.site import Condition, Wanted


class WebTask(Form):
    """What a user wants done on a site. The program finds the actions that do it, and works out the answer."""

    name: ClassVar[str] = "web_task"
    definite: ClassVar[bool] = False

    task: str = Field(min_length=8, description="The user's message.")
    wanted: Wanted = Field(description="What must be so in the end, or what the answer is worked out from.")
    known: tuple[Argument, ...] = Field(
        (), max_length=3, description="What else the message gives: User name and Password, where a page needs them."
    )
    withheld: tuple[Argument, ...] = Field(
        (), max_length=3, description="Fields whose values the message leaves out, with their true values."
    )
    never: tuple[Condition, ...] = Field(
        (), max_length=3, description="What the message forbids; it may not be so at any time."
    )

    def arrange(self, draw: Random) -> Item:
        """The task as it is; the plan and the key follow from the site."""
        return self._item(self.task)

    def faults(self, passage: str) -> Iterator[Fault]:
        """None that can be seen without the site (see the checks of visits)."""
        yield from ()

    @classmethod
    def agrees(cls, key: str, answer: str) -> bool | None:
        """There is no single text to compare."""
        return None

    def notes(self) -> Iterator[str]:
        """What it means on the site."""
        yield f"Wanted: {self.wanted.model_dump_json(exclude_defaults=True)}"
        for name, arguments in (("Known", self.known), ("Withheld", self.withheld)):
            if arguments:
                yield f"{name}: {', '.join(f'{one.name} = {one.value}' for one in arguments)}"
        for condition in self.never:
            yield f"Never: {condition.model_dump_json(exclude_defaults=True)}"

    @property
    def facts(self) -> dict[str, str]:
        """What the message gives besides."""
        return {one.name: str(one.value) for one in self.known}

    @property
    def secrets(self) -> dict[str, str]:
        """What only asking brings out."""
        return {one.name: str(one.value) for one in self.withheld}


class WebStep(WebTask):
    """The same, asked in the middle of a visit: given what was done and what is seen, which action comes next?"""

    name: ClassVar[str] = "web_step"
