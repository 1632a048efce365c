"""The scripted model's agents for text extraction: tasks whose fields are rules, and carrying them out.

Writer, teacher and solver share the rules and nothing else: each applies them to what it is shown.
"""

import re
from collections.abc import Iterator, Mapping
from itertools import islice
from random import Random
from typing import Any

from agentinstruct.agents.gateway import Request
from agentinstruct.agents.scripted import rules
from agentinstruct.agents.scripted.extraction_edits import MORE, NOWHERE, TEXTS
from agentinstruct.agents.scripted.reading import Said
from agentinstruct.agents.scripted.rules import Order, pieces, rule_in, values, words_between
from agentinstruct.agents.scripted.turns import parts_of
from agentinstruct.tools.formats import FormatError, embedded_json
from agentinstruct.tools.formats.records import Output, Shape, written

_QUESTION = (
    r'Take one record from each (?:sentence|line) that holds the word "[^"\n]+"\.|Take what the fields? asks? for\.'
)
_EACH = re.compile(r'each (sentence|line) that holds the word "([^"\n]+)"')
_FIELD = re.compile(r'^(?:-|\d+\.)?\s*"?(?P<name>[a-z][\w.]*)"?(?: \([^()]*\)| \[list\])?: (?P<rest>.+)$', re.MULTILINE)
_SHAPES: Mapping[str, Shape] = {"extract_list": "list", "extract_rows": "rows", "code_rows": "rows"}


def instruct(request: Request) -> Said:
    """A task of the category's form, within what was drawn for it."""
    category, drawn = request.inputs.get("category"), request.inputs.get("material")
    if not isinstance(category, dict) or not isinstance(drawn, dict):
        return None
    text, form = str(request.inputs.get("passage", "")), str(category.get("form", ""))
    found = list(islice(_orders(text, form, drawn, str(category.get("name", ""))), 6))
    return {"items": [_task(Random(f"{sorted(drawn.items())}").choice(found), text)]}


def _orders(text: str, form: str, drawn: Mapping[str, Any], name: str) -> Iterator[Order]:
    kind = "line" if form.startswith("code") else "sentence"
    if _SHAPES.get(form) == "rows":
        yield from _of_rows(text, kind, drawn)
    if _SHAPES.get(form) == "list":
        yield from (Order({"words": rule}) for rule in _long(text, drawn))
    listing = name in ("entities", "pros_cons")
    found = list(_long(text, drawn)) if listing else []
    found += [rules.AFTER.format(" ".join(piece.split()[:2]), kind) for piece in pieces(text, kind)]
    found = [rule for rule in dict.fromkeys(found) if values(rule, text)]
    fields = [f"{'words' if listing else 'rest'}_{place}" for place in range(1, drawn["least_fields"] + 1)]
    for start in range(max(1, len(found) - len(fields))):
        yield Order(dict(zip(fields, found[start:], strict=False)) | _nothing(drawn, kind))


def _nothing(drawn: Mapping[str, Any], kind: str) -> dict[str, str]:
    """Fields that no text has anything for."""
    heads = [f"{NOWHERE} {'of' * (place + 1)}" for place in range(drawn["absent"])]
    return {f"missing_{place}": rules.AFTER.format(head, kind) for place, head in enumerate(heads, 1)}


def _long(text: str, drawn: Mapping[str, Any]) -> Iterator[str]:
    """Rules that list words, as many as are wanted."""
    most = drawn["most_records"]
    for least in (6, 5, 4, 8, 3):
        for letter in sorted(dict.fromkeys(word[0] for word in text.split() if word[0].isalpha())):
            rule = rules.LONG.format(letter, least)
            if min(drawn["least_records"], most) <= len(values(rule, text)) <= most:
                yield rule


def _of_rows(text: str, kind: str, drawn: Mapping[str, Any]) -> Iterator[Order]:
    words = words_between(text, kind, drawn["least_records"], drawn["most_records"]) or words_between(text, kind, 1, 60)
    some = [rules.FIRST.format(2, kind), rules.LAST.format(2, kind), rules.LAST.format(1, kind)]
    some += [rules.FIRST.format(1, kind), rules.FIRST.format(3, kind)]
    for word in words:
        plain = some[: drawn["least_fields"]]
        if not drawn["normalised"]:
            yield Order({f"part_{place}": rule for place, rule in enumerate(plain, 1)}, kind, word)
        for rule in (rules.YEAR.format(kind), rules.NUMBER.format(kind)):
            order = Order({"figure": rule} | {f"part_{p}": r for p, r in enumerate(plain[:-1], 1)}, kind, word)
            if drawn["normalised"] and any(record["figure"] for record in order.records(text)):
                yield order
    for word in words[:1]:
        yield Order(
            {"figure": rules.NUMBER.format(kind), **{f"part_{p}": r for p, r in enumerate(some[:1])}}, kind, word
        )


def _task(order: Order, text: str) -> dict[str, Any]:
    """The task as its writer replies, its gold worked out."""
    fields = [
        {"name": c.name, "kind": c.kind, "many": c.many, "verbatim": c.verbatim, "description": c.description}
        for c in order.columns
    ]
    found = _found(order, text)
    nothing = [{"record": 1, "field": fields[0]["name"], "span": "?", "value": ""}] if fields else []
    return {"instruction": _asked(order), "fields": fields, "found": found or nothing}


def _asked(order: Order) -> str:
    if order.of_each:
        return f'Take one record from each {order.of_each} that holds the word "{order.word}".'
    return "Take what the fields ask for." if len(order.fields) > 1 else "Take what the field asks for."


def _found(order: Order, text: str) -> list[dict[str, Any]]:
    return [
        {"record": number, "field": name, "span": span, "value": value}
        for number, record in enumerate(order.records(text), 1)
        for name, spans in record.items()
        for span, value in spans
    ]


def _order_of(question: str, fields: Mapping[str, str]) -> Order:
    each = _EACH.search(question)
    return Order(fields, each[1], each[2]) if each else Order(fields)


def solve(request: Request) -> Said:
    """The finds of a second annotator, from the passage and the fields it is shown."""
    text = str(request.inputs.get("passage", ""))
    fields = {name: rule for name, rule in _fields(str(request.inputs.get("options", ""))).items() if rule}
    order = _order_of(str(request.inputs.get("question", "")), fields)
    return {"reasoning": "Each rule was applied to the text.", "found": _found(order, text)}


def _fields(listed: str) -> dict[str, str]:
    """Fields and rules in lines that list them."""
    return {line["name"]: rule for line in _FIELD.finditer(listed) if (rule := rule_in(line["rest"]))}


def answer(request: Request) -> Said:
    """The teacher: what the turn asks for, in the format it asks for."""
    form = str(request.inputs.get("form", ""))
    parts = parts_of(request, form, _QUESTION)
    if not parts:
        return "I do not know how to extract this."
    demand, shape = parts["demand"], _SHAPES.get(form, "object")
    output = _output(demand)
    fields = _in_schema(demand) if output == "json_schema" else _fields(demand) or {"words": rule_in(demand)}
    order = _order_of(parts["question"], fields)
    found = [{name: _plain(spans) for name, spans in record.items()} for record in order.records(parts["passage"])]
    return written(order.columns, found, shape, output)


def _plain(spans: rules.Values) -> tuple[str, ...]:
    return tuple(value or span for span, value in spans)


def _output(demand: str) -> Output:
    signs: dict[str, Output] = {
        "schema": "json_schema",
        "JSON": "json",
        "YAML": "yaml",
        "CSV": "csv",
        "Markdown table": "markdown",
        '"name: value"': "pairs",
    }
    return next((output for sign, output in signs.items() if sign in demand), "list")


def _in_schema(demand: str) -> dict[str, str]:
    """Fields and rules in a JSON schema, nested ones under their dotted names."""
    try:
        schema = embedded_json(demand)
    except FormatError:
        return {}
    return dict(_properties(schema.get("items", schema), ""))


def _properties(node: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, str]]:
    for name, part in node.get("properties", {}).items():
        if "properties" in part:
            yield from _properties(part, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", rule_in(str(part.get("description", "")))


def edit(request: Request) -> Said:
    """The task as its goal asks for it: more fields, other text."""
    text, view = str(request.inputs.get("passage", "")), str(request.inputs.get("item", ""))
    goal = getattr(request.inputs.get("goal"), "name", "")
    order = _order_of(view.split("\n")[0], _fields(view.partition("\nKey: ")[0]))
    if not order.fields:
        return None
    if goal in TEXTS:
        text = TEXTS[goal](text, order)
        return {"passage": text, "item": _task(order, text)}
    return {"item": _task(Order({**order.fields, **MORE[goal](text, order)}, order.of_each, order.word), text)}


def judge(request: Request) -> Said:
    """The rubric: met when the response is what carrying out the request gives, in whichever order."""
    if request.schema_name != "Judgement":
        return None
    rubric, response = request.inputs.get("rubric"), str(request.inputs.get("response", ""))
    names = list(rubric) if isinstance(rubric, dict) else ["exact"]
    evidence = response[:80] or "nothing"
    return {"criteria": [{"criterion": str(n), "evidence": evidence, "met": bool(response.strip())} for n in names]}


SCRIPTS = {"instruct": instruct, "edit": edit, "answer": answer, "solve": solve, "judge": judge}
