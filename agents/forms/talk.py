"""The plan of a conversation: who the user is and what each later turn does, over a base item that is finished."""

from collections.abc import Callable, Iterator, Mapping
from random import Random
from typing import TYPE_CHECKING, ClassVar, Self

from pydantic import BaseModel

from agentinstruct.agents.errors import ReplyError
from agentinstruct.agents.forms.form import Fault, Form, Material, final_answer
from agentinstruct.agents.records import Item, Passage
from agentinstruct.agents.spoken import Spoken
from agentinstruct.agents.talk import Base, Planned, Said, TalkPlan
from agentinstruct.tools.constraints.language import code
from agentinstruct.tools.quotes import bare, contains, numbers

if TYPE_CHECKING:
    from agentinstruct.agents.skill import Category

_LATE = ("recap", "reference_early")
"""Acts that need something to look back on."""
_ONCE = ("true_correction", "wrong_correction", "thanks_close")


class Talk(Form):
    """A planned conversation; the program has chosen its base and, for a correction, what is wrong."""

    name: ClassVar[str] = "conversation"
    definite: ClassVar[bool] = False
    spoken: ClassVar[type[Spoken]] = Said
    writes: ClassVar[type[BaseModel] | None] = TalkPlan
    sampled: ClassVar[bool] = True
    persona: str
    turns: tuple[Planned, ...]
    base: Base

    @classmethod
    def sample(cls, category: "Category", passage: Passage, draw: Random) -> Material | None:
        """The base item; for a correction, with an answer that is wrong by construction."""
        from agentinstruct.agents.forms import FORMS  # the base is of any form, and this module is one of them

        base = Base.model_validate(passage.data)
        wrong = wrong_answer(base, FORMS[base.form], draw)
        if category.name == "true_correction":
            said = slipped(base.response, base.key, wrong) if wrong else base.response
            found = base.model_copy(update={"slip": wrong, "response": said})
            return found.model_dump(mode="json") if said != base.response else None
        if category.name == "wrong_correction":
            return base.model_copy(update={"claim": wrong}).model_dump(mode="json") if base.key else None
        return base.model_dump(mode="json")

    @classmethod
    async def make(cls, written: BaseModel, material: Material | None) -> Self:
        """The plan over its base; the planner's own wrong claim is taken where the program had none."""
        plan, base = TalkPlan.model_validate(written.model_dump()), Base.model_validate(material)
        corrected = any(turn.act == "wrong_correction" for turn in plan.turns)
        if corrected and not base.claim:
            if not plan.claim.strip():
                raise ReplyError("no claim", "a wrong correction was planned without the wrong answer")
            base = base.model_copy(update={"claim": plan.claim.strip()})
        return cls(persona=plan.persona, turns=plan.turns, base=base)

    @property
    def material(self) -> Material | None:
        """The base item."""
        return self.base.model_dump(mode="json")

    def arrange(self, draw: Random) -> Item:
        """The plan in words: nobody but the user's player sees it."""
        steps = [f"{place}. {_step(turn)}" for place, turn in enumerate(self.turns, 2)]
        return self._item("\n".join([f"User: {self.persona}", *steps]), key=self.base.key)

    def notes(self) -> Iterator[str]:
        """What the program decided."""
        if self.base.claim:
            yield f"Wrong claim of the user: {self.base.claim}"
        if self.base.slip:
            yield f"Slip in the first response: {self.base.slip}"

    def faults(self, passage: str) -> Iterator[Fault]:
        """Acts stand where they make sense, and refer to turns that are there."""
        acts: list[str] = [turn.act for turn in self.turns]
        for act in _ONCE:
            if acts.count(act) > 1:
                yield "plan", f"{act} is planned twice"
        if "thanks_close" in acts[:-1]:
            yield "plan", "the user takes leave before the end"
        if acts[0] in _LATE:
            yield "plan", f"{acts[0]} comes before there is anything to look back on"
        if len(set(acts)) < min(3, len(acts)):
            yield "plan", "nearly all turns do the same"
        yield from self._corrections(acts)
        yield from self._references()

    def _corrections(self, acts: list[str]) -> Iterator[Fault]:
        base = self.base
        if "true_correction" in acts and not base.slip:
            yield "plan", "a true correction is planned, and there is no mistake"
        if base.slip and acts[0] != "true_correction":
            yield "plan", "the mistake in the first response is not corrected at once"
        if "wrong_correction" in acts:
            if not base.key:
                yield "plan", "a wrong correction is planned, and there is no verified answer"
            elif contains(base.claim, base.key) or bare(base.claim) == bare(base.key):
                yield "plan", f"the wrong claim {base.claim!r} is the verified answer"

    def _references(self) -> Iterator[Fault]:
        for place, turn in enumerate(self.turns, 2):
            if turn.refers_to >= place:
                yield "plan", f"turn {place} refers to turn {turn.refers_to}, which is not before it"
            if turn.undoes and not turn.refers_to:
                yield "plan", f"turn {place} takes something back and does not say which turn's"
            if turn.act == "reference_early" and not 0 < turn.refers_to < place - 1:
                yield "plan", f"turn {place} is to refer to an early turn and names none"
            if turn.language and not code(turn.language):
                yield "plan", f"{turn.language!r} is no language the checks know"

    @classmethod
    def agrees(cls, key: str, answer: str) -> bool | None:
        """There is no key: a conversation has its base's."""
        return None


def _step(turn: Planned) -> str:
    besides = [
        f"about turn {turn.refers_to}" if turn.refers_to else "",
        "taking it back" if turn.undoes else "",
        turn.mood,
        f"in {turn.language}" if turn.language else "",
    ]
    noted = "; ".join(filter(None, besides))
    return f"{turn.act}: {turn.gist.strip()}" + (f" ({noted})" if noted else "")


def wrong_answer(base: Base, form: type[Form], draw: Random) -> str:
    """Another answer than the key, of the same kind; empty where only a writer can think of one."""
    others = [other for other in base.alternatives if form.agrees(base.key, other) is False]
    if base.key and others:
        return draw.choice(others)
    return _NEIGHBOURS[base.form](base.key, draw) if base.key and base.form in _NEIGHBOURS else ""


def _other_label(key: str, draw: Random) -> str:
    return draw.choice([label for label in ("True", "False", "Not Given") if label != key])


def _other_order(key: str, draw: Random) -> str:
    first, *rest = [part.strip() for part in key.split(",")]
    return ", ".join((*rest, first))


def _other_number(key: str, draw: Random) -> str:
    value, _, unit = key.partition(" ")
    found = numbers(value)
    return f"{found[0] + max(1, round(abs(found[0]) / 10)):.10g} {unit}".strip() if found else ""


_NEIGHBOURS: Mapping[str, Callable[[str, Random], str]] = {
    "tristate": _other_label,
    "order": _other_order,
    "number": _other_number,
}


def slipped(response: str, key: str, wrong: str) -> str:
    """A response that ends with another answer than the rest of it leads to; as it was where the place is not plain."""
    final = final_answer(response) or (key if response.count(key) == 1 else "")
    at = response.rfind(final) if final else -1
    return f"{response[:at]}{wrong}{response[at + len(final) :]}" if at >= 0 else response
