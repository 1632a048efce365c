"""Human review: the run stops after `verify` until a person has decided on each record.

    interrupt {"ask", "records": [{"id", "messages", "verdicts", "lineage" …}], "decide_by", "problems"}
    resume    [{"id": "…", "action": "accept"}, {"id": "…", "action": "edit", "messages": […], "reason": "…"},
               {"id": "*", "action": "reject", "reason": "…"}]                  *: all that no other decision names

Good decisions are kept, and what is wrong or missing is asked again, with the problem named. What was rejected is
dropped at stage `review`; what was edited keeps its original messages and who edited it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

from langgraph.graph import END
from langgraph.runtime import Runtime
from langgraph.types import interrupt
from pydantic import Field, TypeAdapter, ValidationError

from agentinstruct.agents.errors import ReplyError
from agentinstruct.agents.records import Dropped, Frozen, Message, Record, Review, Verdict
from agentinstruct.graphs.crew import Crew
from agentinstruct.graphs.doors import Wiring
from agentinstruct.graphs.state import Context, FlowState

ALL = "*"
ASK = "Accept, edit or reject each record."
EXAMPLES: Sequence[Mapping[str, Any]] = (
    {"id": "<id of a record>", "action": "edit", "messages": ["<all of its messages>"], "reason": "<why>"},
    {"id": "<id of another>", "action": "reject", "reason": "<why>"},
    {"id": ALL, "action": "accept"},
)
LINEAGE = ("source", "start", "end", "licence", "transform", "category", "parent", "goal", "suggestion", "depth")


class Decision(Frozen):
    """What a person wants to become of a record, or of all that are not named."""

    id: str = Field(title="Record", description="Its id, or * for all that no other decision names.")
    action: Literal["accept", "edit", "reject"] = Field(title="Decision")
    messages: tuple[Message, ...] = Field((), title="Messages", description="For an edit: all messages of the record.")
    reason: str = Field("", title="Reason", description="Why; a rejection needs one.")
    by: str = Field("", title="By", description="Who decides; what the server knows of them is added.")

    def problem(self) -> str:
        """Why it cannot be applied, or nothing."""
        if self.action == "reject" and not self.reason.strip():
            return "a rejection needs a reason, which is kept with the dropped record"
        if self.action != "edit":
            return f"{self.action} takes no messages; to change them, edit" if self.messages else ""
        if self.id == ALL:
            return "an edit names one record"
        spoken = [message.role for message in self.messages]
        if "user" not in spoken or spoken[-1] != "assistant" or not self.messages[-1].content.strip():
            return "an edit needs all messages of the record, with a user's and an assistant's at the end"
        return ""


@dataclass(frozen=True, slots=True)
class Reviewing:
    """The review node of a skill."""

    crew: Crew

    async def review(self, state: FlowState, runtime: Runtime[Context]) -> FlowState:
        """Wait for a person's decision on each record, and apply it."""
        waiting = {record.id: record for record in state["records"]}
        decided: dict[str, Decision] = {}
        problems: list[str] = []
        while waiting:
            answer = interrupt(asked(list(waiting.values()), problems), response_schema=answer_schema())
            good, problems = decisions(answer, list(waiting))
            decided |= good
            waiting = {known: record for known, record in waiting.items() if known not in decided}
        return self._applied(state, decided, _user(runtime))

    def _applied(self, state: FlowState, decided: Mapping[str, Decision], user: str) -> FlowState:
        drafts = {draft.id: draft for draft in state["drafts"]}
        records: list[Record] = []
        dropped: list[Dropped] = []
        for record in state["records"]:
            decision = decided[record.id]
            by = f"{decision.by} ({user})" if decision.by and user else decision.by or user
            if decision.action == "reject":
                error = ReplyError("rejected", f"{decision.reason}{f' ({by})' if by else ''}")
                dropped.append(self.crew.dropped(state, "review", error, draft=drafts[record.id]))
            else:
                records.append(looked_at(record, decision, by))
        return {"records": records, "dropped": dropped}


@lru_cache(maxsize=1)
def answer_schema() -> dict[str, Any]:
    """What a form for the answer may be made from."""
    return TypeAdapter(list[Decision]).json_schema()


def asked(records: Sequence[Record], problems: Sequence[str]) -> dict[str, Any]:
    """What a person is shown."""
    return {
        "ask": ASK,
        "problems": list(problems),
        "records": [_shown(record.row()) for record in records],
        "decide_by": [dict(example) for example in EXAMPLES],
    }


def _shown(row: Mapping[str, Any]) -> dict[str, Any]:
    keys = ("id", "skill", "messages", "tools", "key", "accepted", "verdicts")
    return {key: row[key] for key in keys if key in row} | {"lineage": {key: row[key] for key in LINEAGE}}


def decisions(answer: Any, waiting: Sequence[str]) -> tuple[dict[str, Decision], list[str]]:
    """What of an answer can be applied, by record, and what is wrong with the rest."""
    found: dict[str, Decision] = {}
    problems: list[str] = []
    for place, one in enumerate(answer if isinstance(answer, list) else [answer], 1):
        try:
            decision = Decision.model_validate(one)
        except ValidationError as wrong:
            fault = wrong.errors()[0]
            where = ".".join(map(str, fault["loc"])) or "an object with id and action is wanted"
            problems.append(f"decision {place}: {where}: {fault['msg']}")
            continue
        fault_of = decision.problem() or _misplaced(decision.id, found, waiting)
        if fault_of:
            problems.append(f"decision {place}, on {decision.id!r}: {fault_of}")
        else:
            found[decision.id] = decision
    rest = found.pop(ALL, None)
    undecided = [known for known in waiting if known not in found]
    if problems:  # what is wrong may have meant any of the others
        return (found if undecided else {}), problems
    if rest:
        return found | dict.fromkeys(undecided, rest), []
    told = f"no decision yet on {', '.join(undecided)}. One on {ALL!r} is for all others."
    return found, [told] if undecided else []


def _misplaced(named: str, found: Mapping[str, Decision], waiting: Sequence[str]) -> str:
    if named in found:
        return "there is a decision on it already"
    return "" if named == ALL or named in waiting else f"no record with this id waits; there are {', '.join(waiting)}"


def looked_at(record: Record, decision: Decision, by: str) -> Record:
    """The record as a person left it; what checks had said of it before stays to be read."""
    edited = decision.action == "edit"
    said = f"{'edited' if edited else 'accepted'}{f' by {by}' if by else ''}"
    evidence = f"{said}: {decision.reason}" if decision.reason else said
    if edited:
        evidence += " (all checks before this one saw the original)"
    return record.model_copy(
        update={
            "messages": decision.messages if edited else record.messages,
            "accepted": True,
            "verdicts": (*record.verdicts, Verdict(check="review", passed=True, kind="person", evidence=evidence)),
            "review": Review(
                action="edit" if edited else "accept",
                by=by,
                reason=decision.reason,
                original=record.messages if edited else (),
            ),
        }
    )


def _user(runtime: Runtime[Context]) -> str:
    """Who the server says it is."""
    user = runtime.server_info.user if runtime.server_info else None
    return str(user.identity) if user else ""


async def review_or_end(state: FlowState) -> str:
    """To a person, where one is to look and there is something to look at."""
    return "review" if state["plan"].review and state["records"] else END


def wire_review(flow: Wiring, crew: Crew) -> None:
    """Add what follows `verify`."""
    flow.add_node("review", Reviewing(crew).review)
    flow.add_conditional_edges("verify", review_or_end, ["review", END])
    flow.add_edge("review", END)
