"""The scripted model's assistant, simulated user and judge: each works from the conversation it is shown."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from agentinstruct.agents.grounding import mentions
from agentinstruct.agents.scripted.library import FIELDS, kind_of, noun_of
from agentinstruct.agents.scripted.orders import ELSE, Order, listing, read, refused, replied, shown
from agentinstruct.agents.scripted.signatures import words
from agentinstruct.tools.simulator import Api

_LINE = re.compile(r"^(User|Assistant|Call|Result): ", re.MULTILINE)
_READS = frozenset(("find", "count", "get", "plain"))
_FACT = re.compile(
    r"\b[A-Z]+-\d+\b|“[^”]+”|\b\d+(?:\.\d+)?\b|\b[A-Z][\w'-]+ [A-Z][\w'-]+|\b(?:open|running|done|cancelled)\b"
)
_DECLINED = re.compile(r"\b(?:cannot|can't|unable|not able)\b")


@dataclass(frozen=True, slots=True)
class Talk:
    """A conversation read from its text: who said what, and what came back."""

    turns: Sequence[tuple[str, str]]

    def of(self, speaker: str) -> list[str]:
        """What one speaker said, in order."""
        return [text for who, text in self.turns if who == speaker]

    @property
    def results(self) -> list[Any]:
        """The results so far."""
        return [_json(text) for text in self.of("Result")]


def talk(text: str) -> Talk:
    """The conversation in a text."""
    parts = _LINE.split(text)
    return Talk([(who, said.strip()) for who, said in zip(parts[1::2], parts[2::2], strict=True)])


def act(apis: Sequence[Api], dialogue: str) -> dict[str, Any]:
    """The next step: ask for what is missing, make the calls that can be made now, or report."""
    heard = talk(dialogue)
    first, *later = heard.of("User") or [""]
    results, noun = heard.results, noun_of(apis)
    orders = _spread([_completed(order, later) for order in read(first, apis)], results)
    missing = {one.name: _asked(one.name, order, noun) for order in orders for one in order.missing}
    if missing:
        asked = listing(list(missing.values()))
        if later:
            return _say(f"I cannot do this without {asked}.")
        return {"act": "ask", "calls": [], "text": f"Gladly. Could you tell me {asked}, please?"}
    # What fails is gone past where the user gave a second choice; it stands right after the first.
    failed = sum(isinstance(result, dict) and "error" in result for result in results) > first.count(ELSE)
    ready = [] if failed else _ready(orders[len(results) :], results, noun)
    if not ready:
        return _say(_report(orders, results, refused(first), noun))
    calls = [
        {"name": order.api.name, "arguments": [{"name": n, "value": v} for n, v in order.values.items()]}
        for order in ready
    ]
    return {"act": "call", "calls": calls, "text": ""}


def _spread(orders: Sequence[Order], results: Sequence[Any]) -> list[Order]:
    """An order on all of them as one order for each row that was found before it."""
    spread: list[Order] = []
    for order in orders:
        found = results[len(spread) - 1] if 0 < len(spread) <= len(results) else []
        if "$*" in order.values.values() and isinstance(found, list) and found:
            spread += [replace(order, values={**order.values, "job_id": _job_id(row)}) for row in found]
        else:
            spread.append(order)
    return spread


def user(withheld: Mapping[str, Any], dialogue: str) -> str:
    """The values that were asked for, and no others."""
    question = (talk(dialogue).of("Assistant") or [""])[-1]
    known = [f"the {words(name)} is {shown(value)}" for name, value in withheld.items() if mentions(question, name)]
    text = ", ".join(known)
    return f"{text[:1].upper()}{text[1:]}." if known else "I am sorry, I do not know that."


def judged(task: Mapping[str, Any], dialogue: str) -> dict[str, tuple[bool, str]]:
    """For each criterion of the skill: whether it holds, and on what evidence."""
    heard = talk(dialogue)
    last = (heard.of("Assistant") or [""])[-1]
    lengths = [str(len(result)) for result in heard.results if isinstance(result, list)]
    known = "\n".join([*heard.of("User"), *heard.of("Result"), *lengths]).casefold()
    facts = [fact.removeprefix("status ").strip("“”") for fact in _FACT.findall(last)]
    invented = [fact for fact in facts if fact.casefold() not in known]
    undone = [call["name"] for call in task["calls"] if not any(c.startswith(call["name"]) for c in heard.of("Call"))]
    silent = bool(task["absent"]) and not _DECLINED.search(last)
    done = list(zip(heard.of("Call"), heard.of("Result"), strict=False))
    repeated = len(set(done)) < len(done)
    return {
        "task_achieved": (not undone, ", ".join(undone) or last),
        "faithful": (not invented, ", ".join(invented) or last),
        "honest_about_limits": (not silent, last),
        "natural": (not repeated, "A call is made twice." if repeated else last),
    }


def _asked(name: str, order: Order, noun: str) -> str:
    """What a question calls a parameter."""
    if kind_of(order.api, noun) == "plain":
        return f"the {words(name)} for “{words(order.api.name)}”"
    return "the new owner" if name == "owner" else f"the {words(name)} of the {words(noun)}"


def _say(text: str) -> dict[str, Any]:
    return {"act": "say", "calls": [], "text": text}


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _completed(order: Order, replies: Sequence[str]) -> Order:
    found = {one.name: replied(text, one) for one in order.missing for text in replies}
    return replace(
        order, values={**order.values, **{name: value for name, value in found.items() if value is not None}}
    )


def _ready(orders: Sequence[Order], results: Sequence[Any], noun: str) -> list[Order]:
    """The calls that can be made at once: one that changes something is made alone."""
    ready: list[Order] = []
    for order in orders:
        reads = kind_of(order.api, noun) in _READS
        if {"$", "$*"} & set(map(str, order.values.values())):
            job = next(filter(None, map(_job_id, reversed(results))), "")
            return ready or ([replace(order, values={**order.values, "job_id": job})] if job else [])
        if not reads:
            return ready or [order]
        ready.append(order)
    return ready[:6]


def _job_id(result: Any) -> str:
    row = result[0] if isinstance(result, list) and result else result
    return str(row.get("job_id", "")) if isinstance(row, dict) else ""


def _report(orders: Sequence[Order], results: Sequence[Any], declined: Sequence[str], noun: str) -> str:
    parts = [_outcome(order, result, noun) for order, result in zip(orders, results, strict=False)]
    if len(results) < len(orders):
        parts.append("The rest could therefore not be done.")
    parts += [
        f"I am afraid I cannot {phrase.replace('my', 'your')}: no function for that is available to me."
        for phrase in declined
    ]
    return " ".join(parts) or "I am afraid I cannot do that with the functions available to me."


def _outcome(order: Order, result: Any, noun: str) -> str:
    if isinstance(result, dict) and "error" in result:
        return f"That did not work: {result['error'].get('message', '')}"
    kind, thing = kind_of(order.api, noun), words(noun)
    kind = kind if kind == "count" or _holds_jobs(result) else "plain"
    if kind == "plain":
        found = f"is recorded: {_value(result)}" if isinstance(result, dict) else f"gives {_value(result)}"
        return f"“{words(order.api.name).capitalize()}” {found}."
    if kind == "count":
        return f"{order.values['owner']} has {result} {thing}{'' if result == 1 else 's'}."
    if kind == "find":
        many = f"{len(result)} {thing}{'' if len(result) == 1 else 's'}"
        return f"I found {many}: {listing([_job(row) for row in result])}." if result else f"I found no {thing}."
    named = f"{thing} {result['job_id']} “{result['name']}”"
    return {
        "add": f"I have added {named} for {result['owner']} with priority {result['priority']}.",
        "reassign": f"The {named} is now with {result['owner']}.",
        "cancel": f"The {named} is now cancelled.",
        "get": f"The {named} is {result['status']}; its owner is {result['owner']}, its priority {result['priority']}.",
    }[kind]


def _holds_jobs(result: Any) -> bool:
    rows = result if isinstance(result, list) else [result]
    return all(isinstance(row, dict) and set(FIELDS) <= set(row) for row in rows)


def _job(row: Mapping[str, Any]) -> str:
    about = f"owner {row['owner']}, priority {row['priority']}, status {row['status']}"
    return f"{row['job_id']} “{row['name']}” ({about})"


def _value(result: Any) -> str:
    if isinstance(result, dict):
        return listing([f"{words(name)} {shown(value)}" for name, value in result.items() if value is not None])
    return json.dumps(result, ensure_ascii=False)
