"""A library as a model wrote it, sorted into what can run and what cannot, with the reasons."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from typing import TypeVar

from agentinstruct.tools.calculate import CalculateError, check_expression
from agentinstruct.tools.simulator.ops import MAX_ROWS, Row, Rows, key_of
from agentinstruct.tools.simulator.spec import Api, Behaviour, Collection, Library, Link, Scalar

Part = TypeVar("Part", Api, Collection)


@dataclass(frozen=True, slots=True)
class Loaded:
    """The usable parts of a library; `behaviours` holds the executable functions only."""

    apis: dict[str, Api]
    collections: dict[str, Collection]
    rows: dict[str, Rows]
    behaviours: dict[str, tuple[Behaviour, ...]]
    problems: tuple[str, ...]


def load(library: Library) -> Loaded:
    """Sort a library; never fails: what cannot be used is left out and named in `problems`."""
    problems: list[str] = []
    apis = _by_name(library.apis, "api", problems)
    collections = _by_name([_tidied(one) for one in library.collections], "collection", problems)
    for name, collection in list(collections.items()):
        if wrong := _collection_problem(collection):
            problems.append(f"collection {name}: {wrong}")
            del collections[name]
    rows = {name: _rows(collection, problems) for name, collection in collections.items()}
    behaviours: dict[str, tuple[Behaviour, ...]] = {}
    for behaviour in library.behaviours:
        linked = _linked(behaviour, apis.get(behaviour.api), collections.get(behaviour.collection))
        behaviours[behaviour.api] = (*behaviours.get(behaviour.api, ()), linked)
    for name in dict.fromkeys([*behaviours, *apis]):
        if wrong := _api_problem(apis.get(name), behaviours.get(name, ()), collections):
            problems.append(f"api {name} is not executable: {wrong}")
            behaviours.pop(name, None)
    return Loaded(apis, collections, rows, behaviours, tuple(problems))


def _by_name(items: Iterable[Part], what: str, problems: list[str]) -> dict[str, Part]:
    found: dict[str, Part] = {}
    for item in items:
        if found.setdefault(item.name, item) is not item:
            problems.append(f"{what} {item.name} is there twice; the first counts")
    return found


def _collection_problem(collection: Collection) -> str:
    if len(set(collection.fields)) != len(collection.fields):
        return "a field is there twice"
    if collection.key not in collection.fields:
        return f"its key {collection.key!r} is not one of its fields {collection.fields}"
    return ""


def _rows(collection: Collection, problems: list[str]) -> Rows:
    rows: Rows = {}
    for cells in collection.rows:
        row: Row = dict(zip(collection.fields, cells, strict=False))
        key = row.get(collection.key)
        if len(cells) != len(collection.fields) or key is None or key_of(key) in rows or len(rows) >= MAX_ROWS:
            problems.append(f"collection {collection.name}: row {str(cells)[:80]} is left out (cells or key)")
        else:
            rows[key_of(key)] = row
    return rows


def _tidied(collection: Collection) -> Collection:
    """A collection whose key is named though only its cells, not its fields, say so; figures as numbers."""
    fields = collection.fields
    if collection.rows and collection.key not in fields and all(len(r) == len(fields) + 1 for r in collection.rows):
        fields = [collection.key, *fields]
    figures = [
        place
        for place, field in enumerate(fields)
        if field != collection.key and all(_is_figure(row[place]) for row in collection.rows if place < len(row))
    ]
    rows = [[int(str(cell)) if place in figures else cell for place, cell in enumerate(row)] for row in collection.rows]
    return collection.model_copy(update={"fields": fields, "rows": rows})


def _is_figure(cell: Scalar) -> bool:
    return isinstance(cell, str) and re.fullmatch(r"0|-?[1-9]\d{0,8}", cell, re.ASCII) is not None


def _linked(behaviour: Behaviour, api: Api | None, collection: Collection | None) -> Behaviour:
    """The behaviour with what goes without saying: its key parameter, and links between equal names."""
    if not api or not collection:
        return behaviour
    names = [one.name for one in api.parameters]
    if behaviour.key_parameter == collection.key and collection.key not in names:
        keys = [name for name in names if name.endswith(f"_{collection.key}")]
        behaviour = behaviour.model_copy(update={"key_parameter": keys[0] if len(keys) == 1 else collection.key})
    if behaviour.links or behaviour.operation in ("get", "delete"):
        return behaviour
    taken = {change.field for change in behaviour.changes}
    if behaviour.operation == "update":
        taken.add(collection.key)
    links = [Link(parameter=name, field=name) for name in names if name in collection.fields and name not in taken]
    return behaviour.model_copy(update={"links": links})


def _api_problem(api: Api | None, behaviours: tuple[Behaviour, ...], collections: dict[str, Collection]) -> str:
    if api is None:
        return "there is no such api"
    names = {one.name for one in api.parameters}
    if len(names) != len(api.parameters):
        return "a parameter is there twice"
    if not behaviours:
        return "no behaviour is given for it"
    scope = set(names)
    for behaviour in behaviours:
        collection = collections.get(behaviour.collection)
        shown = _shown(collection) if collection and behaviour.operation != "search" else set()
        # What a create works out comes before its row is there; later behaviours may use it.
        before = set() if behaviour.operation == "create" else shown
        wrong = chain(
            _behaviour_problems(behaviour, names, collection), _expression_problems(behaviour, scope | before)
        )
        if found := next(wrong, ""):
            return found
        scope |= shown
    return ""


def _behaviour_problems(behaviour: Behaviour, names: set[str], collection: Collection | None) -> Iterator[str]:
    fields = set(collection.fields) if collection else set()
    operation = behaviour.operation
    if collection is None and (behaviour.collection or operation != "compute"):
        yield f"{operation} refers to no usable collection {behaviour.collection!r}"
    if operation in ("get", "update", "delete") and behaviour.key_parameter not in names:
        yield f"{operation} needs key_parameter to be one of {sorted(names)}"
    if operation == "compute" and behaviour.key_parameter and not (collection and behaviour.key_parameter in names):
        yield f"compute by key needs a collection and a parameter, not {behaviour.key_parameter!r}"
    for link in behaviour.links:
        if link.parameter not in names or link.field not in fields:
            yield f"link {link.parameter} → {link.field} needs a parameter and a field that exist"
    yield from _change_problems(behaviour, collection, fields)


def _change_problems(behaviour: Behaviour, collection: Collection | None, fields: set[str]) -> Iterator[str]:
    written = [change.field for change in behaviour.changes]
    if behaviour.operation == "update":
        if not written and not behaviour.links:
            yield "update needs links or changes"
        if collection and collection.key in (*written, *(link.field for link in behaviour.links)):
            yield f"update must not change the key {collection.key!r}"
    for field in written:
        if field not in fields:
            yield f"change of {field!r}: there is no such field"


def _expression_problems(behaviour: Behaviour, scope: set[str]) -> Iterator[str]:
    expressions = [change.expression for change in behaviour.changes]
    if behaviour.operation == "compute":
        expressions.append(behaviour.expression)
    if behaviour.guard.strip():
        expressions.append(behaviour.guard)
    for expression in expressions:
        try:
            check_expression(expression, scope)
        except CalculateError as error:
            yield str(error)


def _shown(collection: Collection) -> set[str]:
    return {*collection.fields, *(f"row_{field}" for field in collection.fields)}
