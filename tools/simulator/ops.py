"""The six operations of a simulated library, on the rows of one collection."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from agentinstruct.tools.calculate import evaluate
from agentinstruct.tools.simulator.arguments import CallRefused, plain_json
from agentinstruct.tools.simulator.spec import Behaviour, Collection, Link

MAX_ROWS = 1_000

Row = dict[str, Any]
Rows = dict[str, Row]


def copied(value: Any) -> Any:
    """A copy of JSON values that shares nothing with them; `deepcopy` takes five times as long."""
    if isinstance(value, dict):
        return {key: copied(one) for key, one in value.items()}
    return [copied(one) for one in value] if isinstance(value, list) else value


@dataclass(slots=True)
class Step:
    """One behaviour at work: the rows it may change, the call's arguments, the names its expressions may use."""

    behaviour: Behaviour
    collection: Collection | None
    rows: Rows
    arguments: Mapping[str, Any]
    scope: dict[str, Any]

    def run(self) -> Any:
        """Do it and give the result, which shares nothing with the rows; raises CallRefused."""
        return copied(OPERATIONS[self.behaviour.operation](self))

    def guard(self) -> None:
        """Refuse the call if the behaviour's condition does not hold."""
        condition = self.behaviour.guard.strip()
        if condition and not self.work_out(condition):
            message = (
                self.behaviour.error.strip() or f"{self.behaviour.api} cannot be done here: {condition} is not true."
            )
            raise CallRefused("refused", message)

    def work_out(self, expression: str) -> Any:
        """The value of an expression over the names in scope."""
        try:
            return plain_json(tidy(evaluate(expression, self.scope)))
        except ValueError as error:
            raise CallRefused("failed", f"{self.behaviour.api} failed: {error}") from error

    def show(self, values: Mapping[str, Any]) -> None:
        """Let expressions use a row's fields; an argument of the same name keeps the plain name."""
        for field, value in values.items():
            self.scope[f"row_{field}"] = value
            if field not in self.arguments:
                self.scope[field] = value

    def find(self) -> Row:
        """The row the key parameter names."""
        key = self.arguments.get(self.behaviour.key_parameter)
        row = self.rows.get(key_of(key))
        if row is None:
            raise CallRefused("not_found", f"There is no row with key {key!r} in {self.behaviour.collection}.")
        self.show(row)
        return row

    def matching(self) -> list[Row]:
        """The rows that agree with every link whose parameter was given."""
        given = [(link, self.arguments[link.parameter]) for link in self.behaviour.links]
        wanted = [(link, value) for link, value in given if value is not None]
        return [row for row in self.rows.values() if all(agrees(link, row[link.field], v) for link, v in wanted)]

    def changed(self) -> Row:
        """The fields this call sets: linked parameters that were given, then what is worked out."""
        values = {link.field: self.arguments[link.parameter] for link in self.behaviour.links}
        given = {field: value for field, value in values.items() if value is not None}
        return given | {change.field: self.work_out(change.expression) for change in self.behaviour.changes}


def key_of(value: Any) -> str:
    """A key as text, so that 7, 7.0 and "7" mean one row."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value).strip()


def tidy(value: Any) -> Any:
    """A worked-out value without the noise of binary fractions."""
    if isinstance(value, list):
        return [tidy(item) for item in value]
    return round(value, 6) if isinstance(value, float) else value


def agrees(link: Link, stored: Any, asked: Any) -> bool:
    """Whether a stored value is what a search asks for; case and outer blanks do not matter."""
    if stored is None:
        return False
    if link.match in ("at_least", "at_most"):
        return _ordered(link.match, stored, asked)
    if isinstance(stored, list):
        return any(_plain(item) == _plain(asked) for item in stored)
    if link.match == "contains":
        return _plain(asked) in _plain(stored)
    return _plain(stored) == _plain(asked)


def _ordered(match: str, stored: Any, asked: Any) -> bool:
    low, high = (asked, stored) if match == "at_least" else (stored, asked)
    texts = isinstance(low, str) and isinstance(high, str)
    numbers = isinstance(low, int | float) and isinstance(high, int | float)
    return bool((texts or numbers) and low <= high)


def _plain(value: Any) -> str:
    return key_of(value).casefold()


def _get(step: Step) -> Row:
    row = step.find()
    step.guard()
    return row


def _search(step: Step) -> list[Row]:
    step.guard()
    return step.matching()


def _create(step: Step) -> Row:
    assert step.collection is not None
    step.guard()
    if len(step.rows) >= MAX_ROWS:
        raise CallRefused("full", f"{step.collection.name} holds no more than {MAX_ROWS} rows.")
    row = dict.fromkeys(step.collection.fields) | step.changed()
    if row[step.collection.key] is None:
        row[step.collection.key] = next_key([one[step.collection.key] for one in step.rows.values()], step.rows)
    key = key_of(row[step.collection.key])
    if key in step.rows:
        raise CallRefused("already_exists", f"{step.collection.name} has a row with key {key!r} already.")
    step.rows[key] = row
    step.show(row)
    return row


def _update(step: Step) -> Row:
    row = step.find()
    step.guard()
    row.update(step.changed())
    step.show(row)
    return row


def _delete(step: Step) -> dict[str, Any]:
    row = step.find()
    step.guard()
    return {"deleted": step.rows.pop(key_of(step.arguments[step.behaviour.key_parameter])) is row}


def _compute(step: Step) -> Any:
    if step.behaviour.key_parameter:
        step.find()
    elif step.collection:
        rows = step.matching()
        step.show({field: [row[field] for row in rows] for field in step.collection.fields})
    step.guard()
    return step.work_out(step.behaviour.expression)


OPERATIONS: Mapping[str, Callable[[Step], Any]] = {
    "get": _get,
    "search": _search,
    "create": _create,
    "update": _update,
    "delete": _delete,
    "compute": _compute,
}


def next_key(keys: Iterable[Any], taken: Mapping[str, Any]) -> int | str:
    """The key after the last one, in its style: 8 after 7, `ORD-010` after `ORD-009`."""
    keys = list(keys)
    if all(isinstance(key, int) for key in keys):
        return max(keys, default=0) + 1
    stem, digits = _stem_and_digits(str(keys[-1]))
    number = int(digits or 0) + 1
    while f"{stem}{number:0{len(digits)}d}" in taken:
        number += 1
    return f"{stem}{number:0{len(digits)}d}"


def _stem_and_digits(key: str) -> tuple[str, str]:
    found = re.fullmatch(r"(.*?)([0-9]{1,12})", key.strip(), re.DOTALL)
    return (found[1], found[2]) if found else (f"{key.strip()}_", "")
