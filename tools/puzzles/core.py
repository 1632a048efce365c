"""The core of a puzzle: what the program decides and proves before anybody words it."""

from typing import Any, Literal

from agentinstruct.tools.puzzles.statements import Statement
from agentinstruct.tools.solver import Choice, Problem, Query, Wanted
from agentinstruct.tools.solver.problem import Part

LETTERS = "ABCDEFGHIJ"
SUFFICIENT = (
    "Statement 1 alone is enough, and statement 2 alone is not",
    "Statement 2 alone is enough, and statement 1 alone is not",
    "Both statements together are enough, and neither alone is",
    "Each statement alone is enough",
    "Not even both statements together are enough",
)
"""The options of data sufficiency, in the order that every examinee knows."""


class Core(Part):
    """Setting, rules, question and key, all as data; JSON-able."""

    family: str
    language: Literal["constraints", "program"]
    names: tuple[str, ...]
    """Everything that the wording must name."""
    setting: tuple[str, ...]
    """Plain sentences: what there is, and what holds without being a rule."""
    rules: tuple[Statement, ...] = ()
    given: Statement | None = None
    """A condition of this question only."""
    question: str
    choices: tuple[Statement, ...] = ()
    """For a question with options: what each says, the right one at `right`; otherwise the candidate answers."""
    right: int = -1
    key: str
    base: Problem | None = None
    wanted: Wanted = "must"
    asked: str = ""
    open: bool = False
    """Whether the answer is written, not chosen."""
    recipe: dict[str, Any]
    """How the setting was made, so that a harder one can be."""

    @property
    def query(self) -> Query:
        """The question in the solver's language; options are labelled by letters, in the order of `choices`."""
        assert self.base is not None
        extra = (self.given.formal,) if self.given else ()
        labels = [choice.text if self.open else LETTERS[i] for i, choice in enumerate(self.choices)]
        marked = zip(labels, self.choices, strict=True)
        return Query(
            problem=self.base.plus(*(rule.formal for rule in self.rules), *extra),
            wanted=self.wanted,
            asked=self.asked,
            choices=tuple(Choice(label=label, claim=choice.formal) for label, choice in marked),
        )

    @property
    def label(self) -> str:
        """The key as the solver says it."""
        return self.key if self.open or self.wanted == "sufficient" else LETTERS[self.right]

    @property
    def options(self) -> tuple[str, ...]:
        """What can be chosen, in words, in the core's own order; none where the answer is written."""
        if self.open:
            return ()
        return SUFFICIENT if self.wanted == "sufficient" else tuple(choice.capital for choice in self.choices)

    def plain(self) -> dict[str, Any]:
        """What the writer is given: every part in words, without the key."""
        given = [f"Suppose that {self.given.text}."] if self.given else []
        if self.wanted == "sufficient":
            given += [f"Statement {i}: {choice.sentence}" for i, choice in enumerate(self.choices, 1)]
        return {
            "setting": list(self.setting),
            "rules": [rule.sentence for rule in self.rules],
            "given": given,
            "question": self.question,
            "options": list(self.options),
        }


class NoCore(ValueError):
    """No sound puzzle was found in the tries allowed."""
