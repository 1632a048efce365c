"""A small stateful stand-in for a library: what a model declared, carried out by our own code.

    call ─ known? ─ arguments fit? ─ behaviours on a copy of the state ─ all well: the copy becomes the state

A call has exactly the effect its specification says, the same each time: results are executed, never imagined.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from agentinstruct.tools.simulator.arguments import CallError, CallRefused, bind
from agentinstruct.tools.simulator.load import Loaded, load
from agentinstruct.tools.simulator.ops import Rows, Step, copied
from agentinstruct.tools.simulator.spec import (
    Api,
    ApiParameter,
    Behaviour,
    Change,
    Collection,
    Library,
    Link,
    Scalar,
    openai_tools,
)

__all__ = [
    "Api",
    "ApiParameter",
    "Behaviour",
    "CallError",
    "CallRefused",
    "CallResult",
    "Change",
    "Collection",
    "Library",
    "Link",
    "Scalar",
    "Simulator",
    "bind",
    "openai_tools",
]


@dataclass(frozen=True, slots=True)
class CallResult:
    """What a call gave: a value, or an error; and whether it changed the state."""

    ok: bool
    value: Any = None
    error: CallError | None = None
    changed: bool = False

    def content(self) -> str:
        """The result as the text of a tool message: JSON of the value, or of `{"error": {code, message}}`."""
        shown = {"error": asdict(self.error)} if self.error else self.value
        return json.dumps(shown, ensure_ascii=False)


class Simulator:
    """A library at work. `executable` names the functions that have a valid behaviour; `problems` says why others do
    not. Functions that are not executable may be listed to a model, but can never be what a task needs.
    """

    def __init__(self, library: Library) -> None:
        self._loaded: Loaded = load(library)
        self._state: dict[str, Rows] = copied(self._loaded.rows)

    @property
    def apis(self) -> tuple[Api, ...]:
        """All functions, executable or not."""
        return tuple(self._loaded.apis.values())

    @property
    def executable(self) -> frozenset[str]:
        """Names of the functions that can be called."""
        return frozenset(self._loaded.behaviours)

    @property
    def problems(self) -> tuple[str, ...]:
        """What could not be used of the library, one sentence each."""
        return self._loaded.problems

    def call(self, name: str, arguments: Mapping[str, Any]) -> CallResult:
        """Carry out one call; whatever is wrong with it comes back as the result's error and changes nothing."""
        try:
            return self._carried_out(name, arguments)
        except CallRefused as refused:
            return CallResult(False, error=refused.error)

    def _carried_out(self, name: str, arguments: Mapping[str, Any]) -> CallResult:
        if name not in self._loaded.apis:
            raise CallRefused("unknown_function", f"There is no function {name!r}.")
        bound = bind(self._loaded.apis[name], arguments)
        if name not in self._loaded.behaviours:
            raise CallRefused("not_executable", f"{name} is not available at the moment.")
        state, scope, value = copied(self._state), dict(bound), None
        for behaviour in self._loaded.behaviours[name]:
            collection = self._loaded.collections.get(behaviour.collection)
            rows = state.get(behaviour.collection, {})
            value = Step(behaviour, collection, rows, bound, scope).run()
        changed, self._state = state != self._state, state
        return CallResult(True, value, changed=changed)

    def state(self) -> dict[str, list[dict[str, Any]]]:
        """A copy of all data: collection → its rows in the order of their keys. Equal states compare equal."""
        return {name: [copied(rows[key]) for key in sorted(rows)] for name, rows in self._state.items()}

    def reset(self) -> None:
        """Go back to the initial data."""
        self._state = copied(self._loaded.rows)

    def fork(self) -> "Simulator":
        """An independent simulator in the same state."""
        other = Simulator.__new__(Simulator)
        other._loaded, other._state = self._loaded, copied(self._state)
        return other
