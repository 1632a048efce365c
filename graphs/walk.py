"""How batch runs go through a skill's graph: its own nodes, edges, branches and reducers, one node after another.

LangGraph's executor takes a quarter of a millisecond for each step of a seed, for what a batch run never uses: streams,
checkpoints, interrupts, tasks side by side. A walk reads the same compiled graph and does the same steps without them;
a graph of any other shape, and every graph while a run is traced, is left to LangGraph. That both end in the same
state is tested on every skill.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from inspect import iscoroutinefunction, signature
from typing import Any

from langgraph.channels import BinaryOperatorAggregate, LastValue
from langgraph.errors import GraphRecursionError
from langgraph.graph import END, START
from langgraph.prebuilt import ToolNode
from langgraph.runtime import Runtime
from langsmith.utils import tracing_is_enabled

from agentinstruct.agents.records import Seed
from agentinstruct.graphs.answering import with_runtime
from agentinstruct.graphs.doors import Flow
from agentinstruct.graphs.state import Context

MOST_STEPS = 60
State = dict[str, Any]
Course = Callable[[Seed, Context], Awaitable[State]]
"""A graph, ready to be run on one seed: it gives the final state."""


class OtherShapeError(Exception):
    """A graph does something that a walk cannot."""


@dataclass(frozen=True, slots=True)
class Step:
    """A node, and what follows it: always the same, or what its branch chooses from the state."""

    run: Callable[..., Awaitable[State | None]]
    reads: frozenset[str]
    after: str
    choose: Callable[[State], Awaitable[str]] | None = None
    ends: Mapping[Any, str] | None = None


def course(flow: Flow) -> Course:
    """The way to run a graph on many seeds."""

    async def by_langgraph(seed: Seed, context: Context) -> State:
        return dict(await flow.ainvoke({"seed": seed}, context=context, config={"recursion_limit": MOST_STEPS}))

    try:
        return by_langgraph if tracing_is_enabled() else Walk(flow)
    except OtherShapeError:
        return by_langgraph


class Walk:
    """One graph's steps and reducers, read once.

    Raises:
        OtherShapeError: it has a node or a crossing that a walk cannot do.
    """

    def __init__(self, flow: Flow) -> None:
        built = flow.builder
        if built.waiting_edges or built.managed or flow.checkpointer or flow.store:
            raise OtherShapeError("it waits, manages or keeps something")
        self._first = _only(end for start, end in built.edges if start == START)
        self._steps = {name: _step(built, name) for name in built.nodes}
        self._sums = {name: c.operator for name, c in built.channels.items() if isinstance(c, BinaryOperatorAggregate)}
        if any(type(c) not in (LastValue, BinaryOperatorAggregate) for c in built.channels.values()):
            raise OtherShapeError("a channel of another kind")
        self._known = frozenset(built.channels)
        self._begun = {name: built.channels[name].typ() for name in self._sums}

    async def __call__(self, seed: Seed, context: Context) -> State:
        """The state in which the graph ends for this seed."""
        state, runtime, name = {**self._begun, "seed": seed}, Runtime(context=context), self._first
        for _ in range(MOST_STEPS - 1):
            step = self._steps[name]
            self._write(state, await step.run({k: state[k] for k in step.reads if k in state}, runtime=runtime))
            name = step.after
            if step.choose:
                chosen = await step.choose(state)
                name = step.ends[chosen] if step.ends else chosen
            if name == END:
                return state
        raise GraphRecursionError(f"no end after {MOST_STEPS} steps")

    def _write(self, state: State, update: State | None) -> None:
        for key, value in (update or {}).items():
            if key in self._known:
                state[key] = self._sums[key](state[key], value) if key in self._sums else value


def _step(built: Any, name: str) -> Step:
    node = built.nodes[name]
    if node.retry_policy or node.cache_policy or node.defer or node.ends:
        raise OtherShapeError(f"{name} has a policy or an end of its own")
    reads = frozenset(built.schemas[node.input_schema])
    branches = list(built.branches.get(name, {}).values())
    ends = [end for start, end in built.edges if start == name]
    if branches:
        branch = _only([*branches, *ends])
        return Step(_work(name, node.runnable), reads, "", branch.path.afunc, branch.ends)
    return Step(_work(name, node.runnable), reads, _only(ends))


def _work(name: str, node: Any) -> Callable[..., Awaitable[State | None]]:
    """What a node does: its function itself, or a tool node's call."""
    if isinstance(node, ToolNode):

        async def tools(state: State, runtime: Runtime[Context]) -> State:
            done: State = await node.ainvoke(state, with_runtime(runtime))
            return done

        return tools
    run = getattr(node, "afunc", None)
    if not iscoroutinefunction(run) or list(signature(run).parameters) != ["state", "runtime"]:
        raise OtherShapeError(f"{name} is no coroutine of state and runtime")
    return run


def _only(found: Any) -> Any:
    """What there must be exactly one of: a walk goes one way at a time."""
    several = list(found)
    if len(several) != 1:
        raise OtherShapeError("it does not go one way at a time")
    return several[0]
