"""One item examined: the model answers each turn, the examiner rates its answer and the teacher's side by side.

    turn ─→ model's answer ─┬─→ examiner: (model's, teacher's)  ┐
                            └─→ examiner: (teacher's, model's)  ┴─→ the mean of both orders, 0 to 10 for each

The examiner is not told who wrote which. Both orders are asked, so that a liking for a place favours nobody.
"""

import asyncio
import re
from dataclasses import dataclass, field
from typing import Any

from pydantic import Field

from agentinstruct.agents.agent import Agent
from agentinstruct.agents.errors import ReplyError
from agentinstruct.agents.gateway import Request, current_gateway
from agentinstruct.agents.prompt import load_prompt
from agentinstruct.agents.records import Call, Frozen
from agentinstruct.agents.skill import prompts_folder
from agentinstruct.bench.items import BenchItem
from agentinstruct.bench.turns import Turn, bench_prompt, turns_of

NOTHING = "(The answer is empty.)"
_TAG = re.compile(r"<(?=[\s/]*(?:dialogue|reference|first|second)\b)", re.IGNORECASE)
"""What would end one text of the examiner's prompt, or begin another."""


class Rated(Frozen):
    """One answer's rating."""

    findings: str = Field(description="What the rating rests on, with the decisive words quoted.")
    rating: int = Field(ge=0, le=10, description="0 to 10, by the scale.")


class Examination(Frozen):
    """What the examiner replies."""

    wanted: str = Field(description="What a right answer has to say and do.")
    first: Rated
    second: Rated


@dataclass(frozen=True, slots=True)
class Examiner:
    """Examines a model by another one."""

    model: str
    judge: str
    max_tokens: int = 2048

    async def examine(self, item: BenchItem) -> dict[str, Any]:
        """The item's row: the ratings of every turn, their sums, what was answered and by which calls."""
        turns = await asyncio.gather(*(self._turn(item, turn) for turn in turns_of(item)))
        rated = [turn for turn in turns if turn.rated]
        return {
            "id": item.id,
            "set": item.set,
            "skill": item.skill,
            "seed": item.seed_id,
            "model": sum(turn.model for turn in rated),
            "teacher": sum(turn.teacher for turn in rated),
            "unrated": len(turns) - len(rated),
            "turns": [turn.row() for turn in turns],
            "calls": [call.model_dump() for turn in turns for call in turn.calls],
        }

    async def _turn(self, item: BenchItem, turn: Turn) -> "Examined":
        answer, note = await self._answer(item, turn)
        done = Examined(answer, note)
        shown = answer.strip() or NOTHING
        for order in await asyncio.gather(
            self._rate(item, turn, shown, turn.teacher), self._rate(item, turn, turn.teacher, shown)
        ):
            done.add(*order)
        return done

    async def _answer(self, item: BenchItem, turn: Turn) -> tuple[str, str]:
        """What the model answers, and what is to be said of that."""
        request = Request(
            agent="examined",
            role="answer",
            model=self.model,
            messages=turn.chat,
            temperature=0.0,
            max_tokens=self.max_tokens,
            subject=f"bench/{item.set}",
            inputs={"request": turn.chat[-1]["content"], "teacher": turn.teacher},
        )
        try:
            made = await current_gateway().complete(request)
        except ReplyError as error:  # it was asked and has no answer: that is its answer
            return "", str(error)
        return made.text or made.refusal, "cut off" if made.finish_reason == "length" else ""

    async def _rate(
        self, item: BenchItem, turn: Turn, first: str, second: str
    ) -> tuple[Examination | str, Call | None]:
        repair = load_prompt(prompts_folder() / "shared" / "repair.md", "shared/repair.md")
        agent = Agent("examiner", bench_prompt("examine"), Examination, repair, f"bench/{item.set}")
        reference = item.key if item.single else ""
        texts = {"dialogue": turn.dialogue, "reference": reference, "first": first, "second": second}
        shown: dict[str, Any] = {name: _TAG.sub("‹", text) for name, text in texts.items()}
        try:
            return await agent(self.judge, item.id, **shown)
        except ReplyError as error:
            return str(error), error.calls[0] if error.calls else None


@dataclass(slots=True)
class Examined:
    """One turn's answer and ratings."""

    answer: str
    note: str
    calls: list[Call] = field(default_factory=list)
    _orders: list[tuple[float, float, dict[str, Any]]] = field(default_factory=list)
    _asked: int = 0

    def add(self, found: Examination | str, call: Call | None) -> None:
        """One order's ratings: the model's answer came first in the first of them."""
        self._asked += 1
        self.calls += [call] if call else []
        if isinstance(found, str):
            self.note = f"{self.note}; examiner: {found}".lstrip("; ")
            return
        mine, theirs = (found.first, found.second) if self._asked == 1 else (found.second, found.first)
        self._orders.append((mine.rating, theirs.rating, found.model_dump()))

    @property
    def rated(self) -> bool:
        """Whether at least one order was rated."""
        return bool(self._orders)

    @property
    def model(self) -> float:
        """The model's rating."""
        return sum(order[0] for order in self._orders) / len(self._orders)

    @property
    def teacher(self) -> float:
        """The teacher's."""
        return sum(order[1] for order in self._orders) / len(self._orders)

    def row(self) -> dict[str, Any]:
        """As the journal keeps it."""
        ratings = {"model": self.model, "teacher": self.teacher} if self.rated else {}
        return {
            "answer": self.answer,
            "note": self.note,
            **ratings,
            "examinations": [order[2] for order in self._orders],
        }
