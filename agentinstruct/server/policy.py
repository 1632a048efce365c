"""What a caller may ask for, whichever door the request came by: run, assistant, state, cron, MCP, A2A, stream.

What they have in common are the names of their parts. `context` and `configurable` are a flow's settings; `input`,
`values`, `update` and `arguments` are put into its state. Texts are bounded for everybody; the rest holds for
strangers, which all are once the server has keys: models from a list, counts within limits, no address to call back,
and nothing in the state that the program alone makes.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any

from pydantic import ValidationError

from agentinstruct.agents.calls import Model
from agentinstruct.agents.errors import ModelError
from agentinstruct.agents.files import nearest
from agentinstruct.agents.models import open_model
from agentinstruct.graphs.state import Context
from agentinstruct.graphs.teacher_state import TeacherContext
from agentinstruct.server.keys import server_keys
from agentinstruct.server.limits import Limits, server_limits

MODELS = "AGENTINSTRUCT_SERVER_MODELS"
SETTINGS = tuple(field.name for field in fields(TeacherContext))
INNER = ("params", "payload", "supersteps", "updates", "responses")
"""Parts of a request that are requests again."""
STATE = ("input", "values", "update", "arguments")
MADE = ("samples", "exchange")
"""What in a state is made by the program alone: its proven cores, and what tools were asked and gave."""
COUNTED = ("instructions", "suggestions", "rounds")
OVERWRITE = "__overwrite__"
"""LangGraph's way past what joins a value to the one before, and past these rules."""
PLACES = ("thread_id", "checkpoint_id", "checkpoint_ns", "checkpoint_map", "checkpoint")
LONGEST_NAME = 2000
MOST_STEPS = 200


class RefusedError(Exception):
    """A request that is not served; says what to change."""

    def __init__(self, words: str, status: int = 422) -> None:
        super().__init__(words)
        self.status = status


@dataclass(frozen=True, slots=True)
class Policy:
    """The rules of this server."""

    limits: Limits
    strangers: bool
    models: tuple[str, ...]

    def check(self, body: Any) -> None:
        """Refuse what a request may not ask for.

        Raises:
            RefusedError: it asks for too much, or for what is not offered.
        """
        for request in _requests(body):
            for part in STATE:
                self._check_state(request.get(part))
            if self.strangers:
                self._check_settings(request)
                _check_ways(request)
            if isinstance(command := request.get("command"), dict):
                self._check_state(command.get("update"))

    def open(self, spec: str) -> Model:
        """The model of a spec, if it is offered: the last look, whatever way a name came.

        Raises:
            ModelError: it is not offered, or cannot be opened.
        """
        self._check_model(spec, ModelError)
        return open_model(spec)

    def _check_settings(self, request: dict[str, Any]) -> None:
        config = _part(request, "config")
        self._check_values({k: v for k, v in _part(config, "configurable").items() if k not in PLACES})
        self._check_values(_part(request, "context"))
        if unknown := [name for name in _part(request, "checkpoint") if name not in PLACES]:
            raise RefusedError(f"checkpoint: {unknown[0]!r} is no part of one.")
        if not isinstance(steps := config.get("recursion_limit", 0), int) or steps > MOST_STEPS:
            raise RefusedError(f"recursion_limit: {MOST_STEPS} at most.")

    def _check_values(self, given: dict[str, Any]) -> None:
        """Each as the flow would read it, since `"9"` is 9 to it too."""
        if unknown := [name for name in given if name not in SETTINGS]:
            raise RefusedError(f"no setting {unknown[0]!r}.{nearest(unknown[0], list(SETTINGS))}")
        try:
            settings = TeacherContext(**given)
        except ValidationError as error:
            first = error.errors()[0]
            raise RefusedError(f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from None
        for name in given:
            value = getattr(settings, name)
            if name == "model" or name.endswith("_model"):
                self._check_model(value, RefusedError)
            elif isinstance(value, int) and name != "seed":
                self._check_number(name, value)
            elif len(str(value)) > LONGEST_NAME:
                raise RefusedError(f"{name}: longer than {LONGEST_NAME} characters.")

    def _check_model(self, spec: str, error: type[Exception]) -> None:
        if self.strangers and spec and spec not in self.models:
            raise error(f"model {spec[:80]!r} is not offered here; offered: {', '.join(self.models)}.")

    def _check_number(self, name: str, value: Any) -> None:
        most = getattr(self.limits, name, self.limits.count)
        if not isinstance(value, int) or value > most:
            raise RefusedError(f"{name}: {most} at most here, not {value}.")

    def _check_state(self, state: Any) -> None:
        for key, value in _entries(state):
            if isinstance(value, (list, dict)) and len(value) > self.limits.documents:
                raise RefusedError(f"{key}: {self.limits.documents} at most, not {len(value)}.", 413)
            most = self.limits.seed_text if key in ("seed", "seeds") else self.limits.document
            for text in _texts(value):
                if len(text) > most:
                    raise RefusedError(f"{key}: a text of {len(text):,} characters; {most:,} at most.", 413)
            if self.strangers:
                self._check_made(key, value)

    def _check_made(self, key: str, value: Any) -> None:
        """What the program makes for itself is not taken from others; its plan may be changed, within the limits."""
        if key in MADE and value:
            raise RefusedError(f"{key}: made by the program; it cannot be given.")
        if isinstance(value, dict) and OVERWRITE in value:
            raise RefusedError(f"{key}: give the value itself, without {OVERWRITE!r}.")
        for name, number in value.items() if key == "plan" and isinstance(value, dict) else ():
            if name in COUNTED:
                self._check_number(name, number)


def server_policy() -> Policy:
    """The policy of this server, from its environment."""
    listed = [name.strip() for name in os.environ.get(MODELS, "").split(",") if name.strip()]
    models = dict.fromkeys([Context().model_of("answer"), *listed])
    return Policy(server_limits(), server_keys() is not None, tuple(models))


def _requests(body: Any) -> Iterator[dict[str, Any]]:
    """A request and all that are inside it."""
    if isinstance(body, list):
        for one in body:
            yield from _requests(one)
    elif isinstance(body, dict):
        yield body
        for part in INNER:
            yield from _requests(body.get(part))


def _entries(state: Any) -> Iterator[tuple[str, Any]]:
    """What is put into a state, key by key: LangGraph takes an object, several, and pairs of key and value."""
    if isinstance(state, dict):
        yield from state.items()
    elif isinstance(state, list) and len(state) == 2 and isinstance(state[0], str):
        yield state[0], state[1]
    elif isinstance(state, list):
        for one in state:
            yield from _entries(one)


def _part(request: dict[str, Any], name: str) -> dict[str, Any]:
    part = request.get(name)
    return part if isinstance(part, dict) else {}


def _check_ways(request: dict[str, Any]) -> None:
    """No address that the server shall call, and no way through a graph with a state of one's own."""
    if request.get("webhook"):
        raise RefusedError("webhook: this server calls nobody back. Ask for the run's state.")
    for place in (request, _part(request, "command")):
        goto = place.get("goto")
        if any(not isinstance(one, str) for one in (goto if isinstance(goto, list) else [goto or ""])):
            raise RefusedError("goto: give the name of a node alone.")


def _texts(value: Any) -> Iterator[str]:
    """All strings in a JSON value."""
    left = [value]
    while left:
        one = left.pop()
        if isinstance(one, str):
            yield one
        elif isinstance(one, dict):
            left.extend(one.values())
        elif isinstance(one, list):
            left.extend(one)
