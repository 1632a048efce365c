"""How a record came to be, step by step: the span of its source, passage, instruction, each edit, answer, verdicts.

The steps of a refined record begin with its first ancestor; an edit is shown as what it changed, word by word.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import orjson

from agentinstruct.run.segment import DamagedFrame
from agentinstruct.view.diff import Piece, words_changed
from agentinstruct.view.index import ViewIndex
from agentinstruct.view.rows import Row

LONG = 200
DEEPEST = 20
"""Ancestors that are followed."""
Kind = Literal["source", "passage", "instruction", "suggestion", "edit", "answer", "verdicts", "dropped", "review"]

_WRITERS: Mapping[str, tuple[Kind, str]] = {
    "transform": ("passage", "Passage"),
    "instruct": ("instruction", "Instruction"),
    "suggest": ("suggestion", "Suggestion"),
    "edit": ("edit", "Edit"),
    "answer": ("answer", "Answer"),
}
"""What a role's reply is of a draft."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step on the way."""

    kind: Kind
    title: str
    text: str = ""
    note: str = ""
    pieces: Sequence[Piece] = ()
    turns: Sequence[Mapping[str, Any]] = ()
    verdicts: Sequence[Mapping[str, Any]] = ()
    trace: Sequence[Mapping[str, Any]] = ()
    row: int = 0
    """The number of the row that this step is, where it is another one."""


@dataclass(frozen=True, slots=True)
class Lineage:
    """A row, whole."""

    row: Row
    data: Mapping[str, Any]
    steps: list[Step]
    children: list[Row] = field(default_factory=list)


def lineage(
    index: ViewIndex, row: Row, source: Callable[[Mapping[str, Any]], str], reply: Callable[[str], str | None]
) -> Lineage:
    """All that is known of a row.

    Args:
        index: What knows the row and its ancestors.
        row: The row.
        source: Gives the text of a row's span, where it can.
        reply: Gives what a model replied in a call, by its key, where the journal has it.

    Raises:
        DamagedFrame: it cannot be read.
    """
    data = index.load(row)
    line = _ancestors(index, row, data)
    first = line[0][1]
    steps = [_source(first if "start" in first else {**index.record_beside(row), "source": first["source"]}, source)]
    if passage := first.get("context", ""):
        steps.append(Step("passage", f"Passage, by {first['transform']}", passage))
    before: Mapping[str, Any] = {}
    for one, found in line:
        other = one.n if one.n != row.n else 0
        steps += _written(found, before, other)
        before = found
    if "messages" in data:
        steps += _ended(data)
    else:
        steps += _drafted(data, line[-2][1] if line[1:] else {}, reply)
        told = f"{data['reason']}: {data['detail']}" if data["detail"] else data["reason"]
        steps.append(Step("dropped", f"Dropped at {data['stage']}", told, verdicts=data["verdicts"]))
    return Lineage(row, data, steps, index.children(row.id) if row.id else [])


def _ancestors(index: ViewIndex, row: Row, data: Mapping[str, Any]) -> list[tuple[Row, Mapping[str, Any]]]:
    line: list[tuple[Row, Mapping[str, Any]]] = [(row, data)]
    seen = {row.id}
    while (parent := line[0][0].parent) and parent not in seen and len(line) < DEEPEST:
        seen.add(parent)
        found = index.by_id(parent)
        if found is None:
            break
        try:
            line.insert(0, (found, index.load(found)))
        except DamagedFrame:
            break
    return line


def _source(first: Mapping[str, Any], source: Callable[[Mapping[str, Any]], str]) -> Step:
    span = f"characters {first['start']:,}–{first['end']:,}" if "start" in first else ""
    facts = (span, first.get("language", ""), f"licence: {first['licence']}" if first.get("licence") else "")
    note = " · ".join(filter(None, facts)) or "Which part of it is kept with records, and its work item has none."
    return Step("source", first["source"] or "no source", source(first), note)


def _written(found: Mapping[str, Any], before: Mapping[str, Any], other: int) -> list[Step]:
    """The instruction, or how an edit changed the one before it."""
    if "messages" not in found:
        if not other:
            return []
        return [Step("instruction", "Its original was dropped", f"{found['stage']}: {found['reason']}", row=other)]
    asked = _asked(found)
    if not found["parent"]:
        return [Step("instruction", f"Instruction: {found['category']}", asked, row=other)]
    steps = [Step("suggestion", f"Suggestion: {found['goal']}", found["suggestion"])]
    if not before or "messages" not in before:
        return [*steps, Step("edit", "Edited instruction", asked, row=other)]
    pieces = words_changed(_asked(before), asked)
    steps.append(Step("edit", "Edit: instruction", pieces=pieces, row=other))
    if before.get("context") != found["context"] and before.get("context"):
        steps.append(Step("edit", "Edit: passage", pieces=words_changed(before["context"], found["context"])))
    return steps


def _drafted(data: Mapping[str, Any], before: Mapping[str, Any], reply: Callable[[str], str | None]) -> Iterator[Step]:
    """What models wrote of a draft that was dropped, after what it was to refine: no record holds it."""
    known = {call["key"] for call in before.get("calls", ())}
    for call in {call["key"]: call for call in data["calls"]}.values():
        if call["role"] in _WRITERS and call["key"] not in known and (said := reply(call["key"])):
            kind, title = _WRITERS[call["role"]]
            yield Step(kind, f"{title}, as {call['agent']} replied", _fields(said))


def _fields(reply: str) -> str:
    """A reply's fields below each other; a reply of another kind as it is."""
    try:
        found = orjson.loads(reply)
        if not isinstance(found, dict):
            return reply
        values = [
            one if isinstance(one, str) else orjson.dumps(one, option=orjson.OPT_INDENT_2).decode()
            for one in found.values()
        ]
    except (ValueError, TypeError):  # no JSON, or nested too deeply
        return reply
    return "\n\n".join(f"{name}: {value}" for name, value in zip(found, values, strict=True))


def _asked(found: Mapping[str, Any]) -> str:
    """The first user turn; the passage, which has a step of its own, is only named in it."""
    asked = next((turn["content"] for turn in found["messages"] if turn["role"] == "user"), "")
    passage = found["context"]
    return asked.replace(passage, "⟨the passage⟩") if len(passage) > LONG else asked


def _ended(data: Mapping[str, Any]) -> list[Step]:
    note = f"key: {data['key']}" if data["key"] else ""
    steps = [Step("answer", "Messages", note=note, turns=data["messages"], trace=data["trace"])]
    passed = sum(verdict["passed"] for verdict in data["verdicts"])
    title = f"Verdicts: {passed} of {len(data['verdicts'])} passed"
    steps.append(Step("verdicts", title, verdicts=data["verdicts"]))
    if review := data.get("review"):
        steps.append(_review(data, review))
    return steps


def _review(data: Mapping[str, Any], review: Mapping[str, Any]) -> Step:
    by = f" by {review['by']}" if review.get("by") else ""
    original = "\n\n".join(turn["content"] for turn in review.get("original", ()))
    pieces = words_changed(original, "\n\n".join(turn["content"] for turn in data["messages"])) if original else ()
    return Step("review", f"Reviewed{by}: {review['action']}", review.get("reason", ""), pieces=pieces)
