"""What the owner of a run and its workers say to each other, as JSON.

owner:  {"orders": …} once · {"work": …} · {"stop": {"patient": …}}
worker: {"ready": true} · {"outcome": …} · {"report": …} · {"fatal": …}
"""

import traceback
from dataclasses import asdict, dataclass
from typing import Any

from pydantic import TypeAdapter

from agentinstruct.agents import errors
from agentinstruct.agents.errors import AgentInstructError, ReplyError
from agentinstruct.agents.records import Seed
from agentinstruct.run.pipe import Message
from agentinstruct.run.plan import RunConfig, Work
from agentinstruct.run.window import Outcome


@dataclass(frozen=True, slots=True)
class Orders:
    """What a worker is told first."""

    config: RunConfig
    skills: list[str]
    run: str
    writer: str
    """The name under which it writes its segments."""
    segments: dict[str, int]
    """Their numbers, by name."""
    answered: bool
    """Whether the run's models have answered before."""
    lease: Message
    """What it may use at first of the limits that are shared."""


_ORDERS = TypeAdapter(Orders)


def told_orders(orders: Orders) -> Message:
    """A worker's first message."""
    return {"orders": _ORDERS.dump_python(orders, mode="json")}


def orders_of(message: Message) -> Orders:
    """The orders that the first message holds."""
    return _ORDERS.validate_python(message["orders"])


def told_work(work: Work) -> Message:
    """A work item as a worker is given it."""
    return {"work": {**asdict(work), "seed": work.seed.model_dump()}}


def work_of(told: Message) -> Work:
    """The work item that was given."""
    return Work(**{**told, "seed": Seed(**told["seed"])})


_RECORD = ("id", "item", "skill", "category", "accepted")
_DROPPED = ("stage", "reason", "category")


def told_outcome(outcome: Outcome) -> Message:
    """What a run counts of an outcome; the rows themselves are in the journal."""
    return {
        "outcome": {
            "id": outcome.work.id,
            "records": [_of(row, _RECORD) | {"verdicts": _failed(row)} for row in outcome.records],
            "dropped": [_of(row, _DROPPED) for row in outcome.dropped],
            "trouble": outcome.trouble,
            "spent": outcome.spent,
        }
    }


def _of(row: Message, names: tuple[str, ...]) -> Message:
    return {name: row[name] for name in names if name in row}


def _failed(row: Message) -> list[Message]:
    return [_of(one, ("check", "passed")) for one in row["verdicts"] if not one["passed"]]


def told_fault(error: BaseException) -> Message:
    """An error that ends the work."""
    trace = "".join(traceback.format_exception(error))
    return {"fatal": {"kind": type(error).__name__, "text": str(error), "trace": trace}}


def fault_of(told: Message) -> BaseException:
    """The error as the run raises it: one that is foreseen in its own words, any other with its trace."""
    kind: Any = getattr(errors, told["kind"], None)
    if isinstance(kind, type) and issubclass(kind, AgentInstructError) and kind is not ReplyError:
        return kind(told["text"])
    return RuntimeError(f"in a worker process:\n{told['trace']}")
