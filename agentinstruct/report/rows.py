"""Rows to read: a few records as conversations, and drafts that were dropped, each with its reason."""

from collections.abc import Mapping
from typing import Any

from agentinstruct.report.gather import Gathered
from agentinstruct.report.html import Html, cut, tag
from agentinstruct.report.section import Section
from agentinstruct.report.words import counted, named

LONGEST = 900
TURNS = 6


def examples(found: Gathered) -> Section | None:
    """Records and drops."""
    records, drops = found.examples.chosen(), found.examples.dropped()
    if not records and not drops:
        return None
    body = [
        tag("h3", "Accepted records") if records else None,
        tag("div", [_record(row) for row in records], cls="cards"),
        tag("h3", "Dropped drafts, by reason") if drops else None,
        tag("div", [_drop(count, row) for count, row in drops], cls="cards"),
    ]
    lead = (
        "Drawn by their ids, not chosen for looks: one record a skill, one draft a reason."
        if records
        else "One draft a reason."
    )
    return Section("examples", "Examples", lead, body)


def _record(row: Mapping[str, Any]) -> Html:
    turns = [_turn(turn) for turn in row["messages"][:TURNS]]
    rest = len(row["messages"]) - TURNS
    if rest > 0:
        turns.append(tag("p", f"and {counted(rest, 'message')} more", cls="note"))
    facts = [named(row["category"]), named(row["transform"])]
    facts += [f"refined: {named(row['goal'])}"] if row["goal"] else []
    passed = [verdict for verdict in row["verdicts"] if verdict["passed"]]
    evidence = [tag("li", tag("b", named(v["check"])), " ", cut(v["evidence"], 160)) for v in passed]
    checks = tag("details", tag("summary", f"{counted(len(passed), 'check')} passed"), tag("ul", evidence, cls="names"))
    why = tag("p", tag("b", "Suggestion "), cut(row["suggestion"], 300), cls="note") if row["suggestion"] else None
    head = tag("h4", named(row["skill"]), tag("span", " · ".join(facts)))
    return tag(
        "article", head, turns, why, checks, tag("p", f"{row['source']} · {row['id']}", cls="source"), cls="card"
    )


def _turn(turn: Mapping[str, Any]) -> Html:
    words = [str(turn["content"])] if turn["content"] else []
    words += [
        f"{call.get('function', {}).get('name', '')} {call.get('function', {}).get('arguments', '')}"
        for call in turn.get("tool_calls", ())
    ]
    return tag(
        "div",
        tag("span", turn["role"], cls="role"),
        tag("p", cut("\n".join(words), LONGEST)),
        cls=f"turn {_ROLE.get(turn['role'], 'tool')}",
    )


_ROLE = {"user": "user", "assistant": "assistant", "system": "system"}


def _drop(count: int, row: Mapping[str, Any]) -> Html:
    failed = [verdict for verdict in row["verdicts"] if not verdict["passed"]]
    evidence = [tag("li", tag("b", named(v["check"])), " ", cut(v["evidence"], 300)) for v in failed]
    where = " · ".join(filter(None, (named(row["skill"]), named(row["category"]), named(row["transform"]))))
    head = tag("h4", f"{row['stage']}: {row['reason']}", tag("span", f"{counted(count, 'time')} · {where}"))
    detail = tag("p", cut(row["detail"], 700), cls="detail") if row["detail"] else None
    listed = tag("ul", evidence, cls="names") if evidence and not row["detail"] else None
    return tag("article", head, detail, listed, tag("p", row["source"], cls="source"), cls="card drop")
