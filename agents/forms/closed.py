"""Forms whose answer is a label: options, pairs, orders, and True / False / Not Given."""

import re
from collections.abc import Iterator
from random import Random
from string import ascii_lowercase, ascii_uppercase
from typing import ClassVar, Literal

from pydantic import Field

from agentinstruct.agents.forms.form import Fault, Form, labelled, letter, repeated, says_unanswerable, unquoted
from agentinstruct.agents.records import Frozen, Item
from agentinstruct.agents.replies import Label, Solution
from agentinstruct.tools.quotes import bare

_ON_THE_TEXT = re.compile(
    r"\b(?:passage|text)\b.{0,30}\b(?:say|state|mention|impl(?:y|ie)|provide|give|specif(?:y|ie)|contain)",
    re.IGNORECASE,
)


class Choice(Form):
    """A question with one right option among several."""

    name: ClassVar[str] = "choice"
    question: str = Field(min_length=8)
    right: str = Field(min_length=1, description="The one right option.")
    wrong: tuple[str, ...] = Field(min_length=3, max_length=4, description="Options that are plausible but not right.")
    why: str = Field(description="Why the right option is right and the others are not, in a sentence or two.")

    def arrange(self, draw: Random) -> Item:
        """Options in random order under letters."""
        options = [self.right, *self.wrong]
        draw.shuffle(options)
        key = ascii_uppercase[options.index(self.right)]
        return self._item(self.question, labelled(options), key)

    def faults(self, passage: str) -> Iterator[Fault]:
        """Options must be distinct and more than labels."""
        yield from repeated((self.right, *self.wrong), "options")
        if any(len(option.strip()) < 2 and not option.strip().isdigit() for option in (self.right, *self.wrong)):
            yield "form", "an option is only a label"

    @classmethod
    def agrees(cls, key: str, answer: str) -> bool | None:
        """Letters are compared."""
        return letter(answer) == key


class Blank(Choice):
    """A sentence with a gap, and one word or phrase that fits it."""

    name: ClassVar[str] = "blank"
    question: str = Field(min_length=8, alias="sentence", description="A sentence with one gap written ____.")

    def faults(self, passage: str) -> Iterator[Fault]:
        """There must be exactly one gap."""
        yield from super().faults(passage)
        if len(re.findall(r"_{2,}", self.question)) != 1:
            yield "form", "the sentence has no single gap written ____"


class Pair(Form):
    """Two statements on purpose or viewpoint, of which one is true."""

    name: ClassVar[str] = "pair"
    question: str = Field(min_length=8)
    true_statement: str = Field(min_length=8)
    false_statement: str = Field(min_length=8)
    evidence: tuple[str, ...] = Field(min_length=1, max_length=4, description="Exact quotations from the passage.")

    def arrange(self, draw: Random) -> Item:
        """The statements in random order under letters; the key names the true one."""
        options = [self.true_statement, self.false_statement]
        draw.shuffle(options)
        return self._item(self.question, labelled(options), ascii_uppercase[options.index(self.true_statement)])

    def faults(self, passage: str) -> Iterator[Fault]:
        """Evidence must be quoted, the statements differ."""
        yield from unquoted(self.evidence, passage)
        yield from repeated((self.true_statement, self.false_statement), "statements")

    @classmethod
    def agrees(cls, key: str, answer: str) -> bool | None:
        """Letters are compared."""
        return letter(answer) == key


class Matching(Frozen):
    """Two things that belong together."""

    left: str
    right: str


class Match(Form):
    """Pair each item of one list with one of another."""

    name: ClassVar[str] = "match"
    question: str = Field(min_length=8)
    pairs: tuple[Matching, ...] = Field(min_length=3, max_length=6)

    def arrange(self, draw: Random) -> Item:
        """Left items numbered, right items shuffled under small letters."""
        rights = [pair.right for pair in self.pairs]
        draw.shuffle(rights)
        left = [f"{i}. {pair.left}" for i, pair in enumerate(self.pairs, 1)]
        right = [f"{ascii_lowercase[i]}. {text}" for i, text in enumerate(rights)]
        key = ", ".join(f"{i}-{ascii_lowercase[rights.index(pair.right)]}" for i, pair in enumerate(self.pairs, 1))
        return self._item(self.question, "\n".join([*left, "", *right]), key)

    def faults(self, passage: str) -> Iterator[Fault]:
        """Both sides must be distinct, or there is no one right pairing."""
        yield from repeated([pair.left for pair in self.pairs], "left items")
        yield from repeated([pair.right for pair in self.pairs], "right items")

    @classmethod
    def agrees(cls, key: str, answer: str) -> bool | None:
        """The pairings are compared as sets."""
        return set(re.findall(r"(\d+)-([a-z])", key)) == set(
            re.findall(r"(?<!\d)(\d{1,2})(?:\s*[-–—:.)=>→*]{1,4}\s*)?\(?\**([a-z])\b", answer.casefold())
        )


class Order(Form):
    """Restore the order in which things happen."""

    name: ClassVar[str] = "order"
    question: str = Field(min_length=8)
    events: tuple[str, ...] = Field(min_length=3, max_length=6, description="The events in their true order.")

    def arrange(self, draw: Random) -> Item:
        """The events shuffled under letters; the key is a permutation by construction."""
        shown = list(self.events)
        while len(set(shown)) > 1 and shown == list(self.events):
            draw.shuffle(shown)
        key = ", ".join(ascii_uppercase[shown.index(event)] for event in self.events)
        return self._item(self.question, labelled(shown), key)

    def faults(self, passage: str) -> Iterator[Fault]:
        """Events must be distinct."""
        yield from repeated(self.events, "events")

    @classmethod
    def agrees(cls, key: str, answer: str) -> bool | None:
        """An answer must be the same permutation of the letters."""
        said = re.findall(r"(?<![\w'’])[A-G](?![\w'’])", answer if re.search("[A-G]", answer) else answer.upper())
        return said == key.split(", ")


class Tristate(Form):
    """A statement the passage makes true, makes false, or does not decide."""

    name: ClassVar[str] = "tristate"
    solution: ClassVar[type[Solution]] = Label
    evidence: tuple[str, ...] = Field(
        max_length=4, description="Exact quotations from the passage; none for Not Given."
    )
    question: str = Field(min_length=8, alias="statement")
    label: Literal["True", "False", "Not Given"]

    def arrange(self, draw: Random) -> Item:
        """The statement; the key is its label."""
        return self._item(self.question, key=self.label)

    def faults(self, passage: str) -> Iterator[Fault]:
        """A decided label needs a quotation."""
        yield from unquoted(self.evidence, passage)
        if _ON_THE_TEXT.search(self.question):
            yield "form", "the statement is about what the passage says or leaves out, not about its matter"
        if self.label != "Not Given" and not self.evidence:
            yield "grounded", f"no evidence is quoted for {self.label}"

    @classmethod
    def agrees(cls, key: str, answer: str) -> bool | None:
        """Labels are compared."""
        said = re.match(r"(?:(?:answer|statement|label|it|is) )*(true|false|not given)\b(?! or\b)", bare(answer))
        return said[1] == bare(key) if said else key == "Not Given" and says_unanswerable(answer)
