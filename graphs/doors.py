"""What a graph shows and takes where people meet it: its forms, its input, and edits of its state.

    Wiring ─ compile ─ Flow      a LangGraph graph like any other, and besides:

input     is checked before the first step: what is wrong is named by its key, with what to give instead
edits     what a person writes into the state of a thread becomes the values that nodes expect, or is refused
context   the form for settings names this skill's own nodes, categories, transforms and goals
output    is declared narrow, records and drops, while the streams stay wide: a LangGraph `output_schema` would make
          a server's `values` and `updates` show null for all else, and Studio could show no step
"""

from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import replace
from functools import lru_cache
from typing import Any, Self, cast, get_args, get_type_hints

from langchain_core.runnables import RunnableConfig
from langchain_core.runnables.config import ensure_config
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.graph import StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.types import Command, StateUpdate
from pydantic import BaseModel, TypeAdapter, ValidationError
from typing_extensions import is_typeddict

from agentinstruct.agents.errors import SetupError
from agentinstruct.agents.files import nearest
from agentinstruct.agents.skill import Skill
from agentinstruct.graphs.state import ROLES, Context, FlowInput, FlowOutput, joined

SERVED: Mapping[str, tuple[str, ...]] = {role: (role,) for role in ROLES} | {
    "instruct": ("instruct", "answer"),
    "solve": ("instruct", "edit", "verify"),
    "judge": ("instruct", "edit", "verify"),
}
"""The nodes that ask the model of a role, besides its transforms."""
KEPT = "__pregel_checkpointer"
"""Where LangGraph says that the graph around this one keeps its state."""


class Flow(CompiledStateGraph[Any, Any, Any, Any]):
    """A compiled graph with its doors."""

    builder: "Wiring"

    def copy(self, update: dict[str, Any] | None = None) -> Self:
        """As LangGraph does, with a checkpointer that restores what a state here is made of."""
        told = {key: self.builder.read_by(value) for key, value in (update or {}).items() if key == "checkpointer"}
        return super().copy({**(update or {}), **told})

    def get_output_jsonschema(self, config: RunnableConfig | None = None) -> dict[str, Any]:
        """What a caller is promised; a run gives the whole state."""
        return TypeAdapter(self.builder.output).json_schema()

    def get_context_jsonschema(self) -> dict[str, Any] | None:
        """The settings, with what this skill has to choose from."""
        schema = super().get_context_jsonschema() or {}
        for key, more in self.builder.hints().items():
            shown = schema["properties"][key]
            shown["description"] += more.pop("names", "")
            shown |= more
        return schema

    async def astream(self, input: Any, config: RunnableConfig | None = None, **how: Any) -> AsyncIterator[Any]:
        """As LangGraph does, on a checked input.

        Raises:
            SetupError: the input is wrong; says where and what to give. Or a review is asked for where none can be.
        """
        if isinstance(input, Command):
            given = self.builder.edited(input)
        else:
            given = None if input is None else self.builder.taken(input)
        if _reviews(how.get("context")) and not (self.checkpointer or KEPT in ensure_config(config)["configurable"]):
            raise SetupError("review waits for a person, so the run needs a thread (a checkpointer) to wait in.")
        async with aclosing(cast("AsyncGenerator[Any]", super().astream(given, config, **how))) as parts:
            async for part in parts:
                yield part

    async def abulk_update_state(
        self, config: RunnableConfig, supersteps: Sequence[Sequence[StateUpdate]]
    ) -> RunnableConfig:
        """As LangGraph does, with values of the types that nodes expect.

        Raises:
            SetupError: a key or a value is none of this graph's state; says which.
        """
        return await super().abulk_update_state(config, self._typed(supersteps))

    def bulk_update_state(self, config: RunnableConfig, supersteps: Sequence[Sequence[StateUpdate]]) -> RunnableConfig:
        """The same, for scripts without an event loop."""
        return super().bulk_update_state(config, self._typed(supersteps))

    def _typed(self, supersteps: Sequence[Sequence[StateUpdate]]) -> list[list[StateUpdate]]:
        return [[StateUpdate(self.builder.edited(one[0]), *one[1:]) for one in superstep] for superstep in supersteps]


class Wiring(StateGraph[Any, Any, Any, Any]):
    """A graph in the making, which knows what its doors are to show and take."""

    def __init__(
        self,
        state: type[Any],
        skill: Skill | None = None,
        *,
        context: type[Context] = Context,
        takes: type[Any] = FlowInput,
        output: type[Any] = FlowOutput,
        example: str = '{"seed": {"text": "…"}}',
        within: Sequence[Flow] = (),
    ) -> None:
        super().__init__(state, context, input_schema=takes)
        self.skill = skill
        self.output = output
        self.example = example
        self.kinds: set[tuple[str, str]] = _kinds(state).union(*(flow.builder.kinds for flow in within))

    def compile(self, checkpointer: Any = None, **how: Any) -> Flow:
        """The graph that runs."""
        compiled = super().compile(self.read_by(checkpointer), **how)
        return Flow(**{key: value for key, value in vars(compiled).items() if key != "__orig_class__"})

    def read_by(self, checkpointer: Any) -> Any:
        """The checkpointer, which where it is strict restores the types of this graph's states, and no others."""
        strict = isinstance(checkpointer, BaseCheckpointSaver)
        return checkpointer.with_allowlist(self.kinds) if strict else checkpointer

    def taken(self, given: object) -> dict[str, Any]:
        """The input, typed.

        Raises:
            SetupError: it is wrong; says where and what to give.
        """
        wanted = list(self.schemas[self.input_schema])
        if not isinstance(given, Mapping):
            raise SetupError(f"the input is no object with {_and(wanted)}. Give {self.example}.")
        for key in wanted:
            if key not in given:
                there = f", but {_and([str(one) for one in given][:5])}" if given else ""
                raise SetupError(f"the input has no {key!r}{there}. Give {self.example}.")
            if isinstance(given[key], str):
                raise SetupError(f"{key}: a text alone. Give {self.example}.")
        taken: dict[str, Any] = _read(self.input_schema, dict(given), "")
        return taken

    def edited(self, values: Any) -> Any:
        """What a person wrote into the state, typed.

        Raises:
            SetupError: a key or a value is wrong; says which.
        """
        if isinstance(values, Command):
            # As LangGraph takes them from it: the pairs of an object, or pairs as they are.
            pairs = values._update_as_tuples()
            return replace(values, update=[(key, self._edit(key, value)) for key, value in pairs])
        if isinstance(values, list):
            return [self.edited(one) for one in values]
        return {key: self._edit(key, value) for key, value in values.items()} if isinstance(values, Mapping) else values

    def _edit(self, key: str, value: Any) -> Any:
        """One value; of a list that nodes add to, all there shall be."""
        known = get_type_hints(self.state_schema, include_extras=True)
        if key not in known:
            raise SetupError(f"the state has no {key!r}.{nearest(key, list(known))}")
        if value is None:
            return None
        read = _read(known[key], value, key)
        return tuple(read) if joined in getattr(known[key], "__metadata__", ()) else read

    def hints(self) -> dict[str, dict[str, Any]]:
        """What to add to settings in a form, by their key."""
        if self.skill is None:
            return {}
        transforms = [name for name in self.nodes if name in self.skill.file.transforms]
        more = {"transform": [*transforms, "retrieve", "hypothesise", "simulate"]}
        serving = {role: [*more.get(role, []), *SERVED[role]] for role in ROLES}
        choices = {
            "transforms": self.skill.file.transforms,
            "categories": self.skill.categories,
            "goals": self.skill.goals,
        }
        return {
            f"{role}_model": {"langgraph_nodes": [n for n in nodes if n in self.nodes], "langgraph_type": "model"}
            for role, nodes in serving.items()
        } | {key: {"names": f" There are: {', '.join(names)}."} for key, names in choices.items()}


def _reviews(context: object) -> bool:
    return bool(context.get("review") if isinstance(context, Mapping) else getattr(context, "review", False))


def _and(names: list[str]) -> str:
    return " and ".join(repr(name) for name in names)


def _kinds(hint: Any) -> set[tuple[str, str]]:
    """The models that a type is made of, by module and name."""
    if is_typeddict(hint):
        return set().union(*map(_kinds, get_type_hints(hint).values()))
    if isinstance(hint, type) and issubclass(hint, BaseModel):
        return {(hint.__module__, hint.__name__)}
    return set().union(*map(_kinds, get_args(hint)))


@lru_cache(maxsize=256)
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def _read(kind: Any, value: Any, where: str) -> Any:
    try:
        return _adapter(kind).validate_python(value)
    except ValidationError as wrong:
        faults = [(".".join(str(part) for part in (where, *one["loc"]) if part != ""), one) for one in wrong.errors()]
        told = "; ".join(f"{place}: {one['msg']}" for place, one in faults[:5])
        raise SetupError(told) from None
