"""Forms of puzzles: those around a core that the program sampled and proved, and riddles that have none.

The program decides what is true and what is asked; the writer only puts it into words. Which option is right is known
before there are words for it, and a later check reads the words back into the solver.
"""

import re
from collections.abc import Iterator, Mapping
from fractions import Fraction
from random import Random
from typing import TYPE_CHECKING, Any, ClassVar, Self

from pydantic import BaseModel, Field

from agentinstruct.agents.errors import ReplyError
from agentinstruct.agents.forms.form import Fault, Form, Material, labelled, letter, repeated
from agentinstruct.agents.records import Frozen, Item, Passage
from agentinstruct.agents.spoken import Spoken
from agentinstruct.tools.puzzles import LETTERS, Cast, Core, NoCore, TooFew, harder, sample
from agentinstruct.tools.quotes import bare, stated_number

if TYPE_CHECKING:
    from agentinstruct.agents.skill import Category, Goal

_LABEL = re.compile(r"^\s*\(?[A-J1-5][.):]\s+")
_DIRECTION = re.compile(r"(\d+)\W+(?:paces?\W+|steps?\W+)?(?:to the |due |towards the )?(north|south|east|west)")
_FILLING = frozenset(
    re.findall(
        r"\w+",
        "answer be by final has have he in is it now of on person she so that they thing was who with which word ",
    )
)
"""Words that may stand around a short answer without changing it."""
KINDS = ("people", "things", "places", "kinds")


class Worded(Frozen):
    """What the writer of a puzzle with a core fills in."""

    puzzle: str = Field(min_length=40, description="The setting and every rule or fact, in words; not the question.")
    question: str = Field(min_length=8, description="The question alone.")
    options: tuple[str, ...] = Field(max_length=5, description="The options in the order given; none for an open one.")


class Puzzle(Form):
    """A puzzle with an answer of one's own, around a core."""

    name: ClassVar[str] = "puzzle"
    writes: ClassVar[type[BaseModel] | None] = Worded
    sampled: ClassVar[bool] = True
    puzzle: str
    question: str
    options: tuple[str, ...] = ()
    core: dict[str, Any]
    cast: dict[str, Any]

    @classmethod
    def sample(cls, category: "Category", passage: Passage, draw: Random) -> Material | None:
        """A core of the category's family, with names of the passage; None where there are too few of them."""
        cast = Cast.of(**{kind: passage.data.get(kind, ()) for kind in KINDS})
        try:
            core = sample(str(category.settings["family"]), cast, draw)
        except (TooFew, NoCore):
            return None
        return _material(core, cast)

    @classmethod
    async def make(cls, written: BaseModel, material: Material | None) -> Self:
        """The words around the core; as many options as the core has."""
        if material is None:
            raise ReplyError("no core", "a puzzle cannot be made without one")
        core = Core.model_validate(material["core"])
        words = Worded.model_validate(written.model_dump())
        options = () if core.open else words.options
        if len(options) != len(core.options):
            raise ReplyError("options", f"{len(core.options)} options were to be worded, there are {len(options)}")
        return cls(
            puzzle=words.puzzle.strip(),
            question=words.question.strip(),
            options=tuple(_LABEL.sub("", option).strip() for option in options),
            core=material["core"],
            cast=material["cast"],
        )

    @property
    def proved(self) -> Core:
        """The core that the words stand for."""
        return Core.model_validate(self.core)

    @property
    def material(self) -> Material | None:
        """The core and the names it can draw on."""
        return _material(self.proved, Cast.model_validate(self.cast))

    def refined(self, goal: "Goal", draw: Random) -> Material | None:
        """A harder core, proved again.

        Raises:
            ReplyError: this puzzle cannot be made harder in this way.
        """
        cast = Cast.model_validate(self.cast)
        try:
            return _material(harder(self.proved, goal.name, cast, draw), cast)
        except (NoCore, TooFew) as error:
            raise ReplyError("no harder core", str(error)) from error

    def arrange(self, draw: Random) -> Item:
        """The puzzle as one text; options in random order, unless their order is the custom."""
        core, text = self.proved, f"{self.puzzle}\n\n{self.question}"
        if not self.options:
            return self._item(text, key=core.key)
        places = list(range(len(self.options)))
        if core.wanted != "sufficient":
            draw.shuffle(places)
        return self._item(text, labelled([self.options[place] for place in places]), LETTERS[places.index(core.right)])

    def faults(self, passage: str) -> Iterator[Fault]:
        """Options must be distinct."""
        yield from repeated(self.options, "options")

    @classmethod
    def agrees(cls, key: str, answer: str) -> bool | None:
        """Numbers, fractions, ways and names are compared; None where the key stands among other words."""
        if re.fullmatch(r"-?\d+", key):
            return stated_number(answer) == int(key)
        if re.fullmatch(r"\d+/\d+", key):
            shares = re.findall(r"(\d+)\s*/\s*(\d+)", answer)
            return bool(shares) and int(shares[-1][1]) > 0 and Fraction(*map(int, shares[-1])) == Fraction(key)
        if ways := _DIRECTION.findall(key):
            return sorted(ways) == sorted(_DIRECTION.findall(answer.casefold()))
        return _same_names(key, answer)


class Ruled(Frozen):
    """What becomes of one option."""

    label: str = Field(description="The option's letter.")
    why: str = Field(description="The rule or deduction that decides, in one sentence.")
    stands: bool = Field(description="Whether it is what the question asks for.")


class Deduced(Spoken):
    """An answer as an analyst gives it: rules in symbols, what follows from them, every option, the letter."""

    rules: tuple[str, ...] = Field(min_length=1, max_length=20, description="Each rule in symbols, such as R < A.")
    deductions: tuple[str, ...] = Field(min_length=1, max_length=20, description="What follows, one step each.")
    options: tuple[Ruled, ...] = Field(min_length=2, max_length=6, description="Every option, in order.")
    answer: str = Field(min_length=1, description="The letter alone.")

    @property
    def text(self) -> str:
        """The four parts, and the answer on a line of its own."""
        rules, steps = ("\n".join(f"- {line.strip()}" for line in part) for part in (self.rules, self.deductions))
        ruled = "\n".join(f"{one.label.strip(' .()')}: {one.why.strip()}" for one in self.options)
        return f"Rules:\n{rules}\n\nDeductions:\n{steps}\n\nOptions:\n{ruled}\n\nAnswer: {self.answer.strip()}"


class Game(Puzzle):
    """A game of rules with five options."""

    name: ClassVar[str] = "game"
    spoken: ClassVar[type[Spoken]] = Deduced

    @classmethod
    def agrees(cls, key: str, answer: str) -> bool | None:
        """Letters are compared."""
        return letter(answer) == key


class Inference(Game):
    """What follows from statements or a table."""

    name: ClassVar[str] = "inference"


class Ruling(Game):
    """A question about the rules themselves: which could be replaced, added, given up, or is enough."""

    name: ClassVar[str] = "ruling"


class Case(Game):
    """A case to which clauses are applied."""

    name: ClassVar[str] = "case"


class Riddle(Form):
    """A puzzle without a core: a riddle, a strange story, a play on words."""

    name: ClassVar[str] = "riddle"
    trick: str = Field(min_length=8, description="What the puzzle turns on, in one sentence.")
    answer: str = Field(min_length=1, description="The answer, as short as it is complete.")
    clues: tuple[str, ...] = Field(min_length=1, max_length=6, description="What in the puzzle points to it, quoted.")
    question: str = Field(min_length=20, description="The whole puzzle, with its question at the end.")

    def arrange(self, draw: Random) -> Item:
        """The puzzle and its answer."""
        return self._item(self.question, key=self.answer)

    def faults(self, passage: str) -> Iterator[Fault]:
        """The puzzle must not say its answer, and the clues must stand in it."""
        told = bare(self.question)
        if re.search(rf"\b{re.escape(bare(self.answer))}\b", told):
            yield "form", "the puzzle says its own answer"
        for clue in self.clues:
            if bare(clue) not in told:
                yield "form", f"the clue does not stand in the puzzle: {clue!r}"

    @classmethod
    def agrees(cls, key: str, answer: str) -> bool | None:
        """The same words are the same answer; others need a reader."""
        return True if bare(key) == bare(answer) else None

    def notes(self) -> Iterator[str]:
        """What it turns on."""
        yield f"Trick: {self.trick}"


def _material(core: Core, cast: Cast) -> Material:
    parts = core.plain()
    dumped = {"core": core.model_dump(mode="json"), "cast": cast.model_dump(mode="json")}
    return {**dumped, "parts": parts, "plain": _told(parts)}


def _told(parts: Mapping[str, Any]) -> str:
    """A core as its writer reads it."""
    lines = ["Setting:", *parts["setting"]]
    lines += ["Rules and facts:", *(f"- {rule}" for rule in parts["rules"])] if parts["rules"] else []
    lines += [f"For this question: {given}" for given in parts["given"]]
    lines.append(f"Question: {parts['question']}")
    lines += ["Options, in this order:", *(f"- {option}" for option in parts["options"])] if parts["options"] else []
    return "\n".join(lines)


def _same_names(key: str, answer: str) -> bool | None:
    """Whether the same names are said, in any order; None where there are other words around them."""
    wanted, said = _names(key), _names(answer)
    if wanted == said:
        return True
    spoken = set(bare(answer).split())
    needed = set(" ".join(wanted).split())
    return None if needed <= spoken and spoken - needed <= _FILLING else False


def _names(text: str) -> frozenset[str]:
    return frozenset(bare(part) for part in re.split(r",|;|\band\b", text) if bare(part))
