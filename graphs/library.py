"""The library that tool-use tasks are about: described, grown, and made executable.

describe | adopt ─ retrieve | hypothesise ─ simulate
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from random import Random
from typing import Any, Literal

from langgraph.runtime import Runtime

from agentinstruct.agents.errors import ReplyError
from agentinstruct.agents.prompt import as_json
from agentinstruct.agents.records import Call, Passage, Seed
from agentinstruct.agents.toolcalls import ApiList, MoreApis, SimulatorSpec, merge_apis
from agentinstruct.graphs.crew import Crew, each
from agentinstruct.graphs.episodes import EpisodeState
from agentinstruct.graphs.plan import make_plan
from agentinstruct.graphs.state import Context, fresh, settings
from agentinstruct.tools.corpus import current_corpus
from agentinstruct.tools.simulator import Api, Simulator

ENOUGH, MOST, ADDED = 6, 8, 3
"""Functions a list should have, may have, and at least gets when the rest of its library is hypothesised."""


class ToolState(EpisodeState, total=False):
    """The state of a flow, with the library the tasks are about."""

    growth: Literal["retrieve", "hypothesise"]
    library: str
    apis: tuple[Api, ...]
    simulator: SimulatorSpec


@dataclass(frozen=True, slots=True)
class Library:
    """The nodes that make the library: plan, describe, adopt, retrieve, hypothesise, simulate."""

    crew: Crew

    async def plan(self, state: ToolState, runtime: Runtime[Context]) -> ToolState:
        """Decide by the seed: code is described, prose adopted; the list grows by what there is to search."""
        seed, context = Seed.model_validate(state["seed"]), settings(runtime)
        plan = make_plan(self.crew.skill, seed, context)
        if not context.transforms:
            plan = plan.model_copy(update={"transform": "describe" if seed.modality == "code" else "adopt"})
        searchable = current_corpus() is not None and Random(plan.work_id).random() < 0.5
        growth: Literal["retrieve", "hypothesise"] = "retrieve" if searchable else "hypothesise"
        library: ToolState = {"growth": growth, "apis": (), "dialogues": {}}
        return {**library, **fresh(seed, plan)}

    async def describe(self, state: ToolState, runtime: Runtime[Context]) -> ToolState:
        """The functions that source code offers its callers."""
        return await self._listed(state, "describe", settings(runtime).model_of("transform"))

    async def adopt(self, state: ToolState, runtime: Runtime[Context]) -> ToolState:
        """The functions that a document describes."""
        return await self._listed(state, "adopt", settings(runtime).model_of("transform"))

    async def _listed(self, state: ToolState, name: str, model: str) -> ToolState:
        try:
            reply, call = await self._ask(name, model, state["seed"])
        except ReplyError as error:
            return {"apis": (), "dropped": [self.crew.dropped(state, "transform", error)]}
        passage = Passage(text=as_json(reply.apis), transform=name, calls=(call,))
        return {"library": reply.library, "apis": merge_apis(reply.apis), "passage": passage}

    async def _ask(self, name: str, model: str, seed: Seed) -> tuple[ApiList, Call]:
        agent = self.crew.agent(name, ApiList, f"transform/{name}", accept=listed)
        reply, call = await agent(model, f"{seed.id}/{name}", seed=seed)
        if not reply.suitable or not reply.apis:
            error = ReplyError("declined", reply.reason or "no function was found in the seed", calls=(call,))
            raise error
        return reply, call

    async def retrieve(self, state: ToolState, runtime: Runtime[Context]) -> ToolState:
        """Describe the code seeds most alike, and join their functions to the list."""
        corpus, model = current_corpus(), settings(runtime).model_of("transform")
        if corpus is None or not state["apis"]:
            return {}
        hits = await corpus.asearch(state["seed"].text, 2, exclude=(state["seed"].id,), modality="code")
        neighbours = [Seed(text=hit.text, modality="code") for hit in hits]
        found, missed = await each(
            neighbours,
            lambda seed: self._ask("describe", model, seed),
            lambda seed, error: self.crew.dropped(state, "transform/retrieve", error),
        )
        lists = [reply.apis for reply, _ in found]
        return {**self._grown(state, lists, [call for _, call in found]), "dropped": missed}

    async def hypothesise(self, state: ToolState, runtime: Runtime[Context]) -> ToolState:
        """Join the functions that the rest of such a library would have."""
        wanted = max(ADDED, ENOUGH - len(state["apis"]))
        known = state["apis"][: MOST - wanted]  # the least useful make room: what keeps data belongs in the list
        agent = self.crew.agent("hypothesise", MoreApis)
        inputs: dict[str, Any] = {"library": state["library"], "apis": known, "wanted": wanted}
        try:
            reply, call = await agent(settings(runtime).model_of("transform"), state["seed"].id, **inputs)
        except ReplyError as error:
            return {"apis": (), "dropped": [self.crew.dropped(state, "transform/hypothesise", error)]}
        return {"library": reply.library, **self._grown({**state, "apis": known}, [reply.apis], [call])}

    def _grown(self, state: ToolState, lists: Sequence[Sequence[Api]], calls: list[Call]) -> ToolState:
        apis, before = merge_apis(state["apis"], *lists, limit=MOST), state["passage"]
        passage = Passage(text=as_json(apis), transform=before.transform, calls=(*before.calls, *calls))
        return {"apis": apis, "passage": passage}

    async def simulate(self, state: ToolState, runtime: Runtime[Context]) -> ToolState:
        """Declare the library's data and behaviour; it must be executable before any task is written."""
        agent = self.crew.agent("simulate", SimulatorSpec, accept=lambda spec: usable(spec, state["apis"]))
        try:
            spec, call = await agent(settings(runtime).model_of("transform"), state["seed"].id, apis=state["apis"])
        except ReplyError as error:
            return {"apis": (), "dropped": [self.crew.dropped(state, "transform/simulate", error)]}
        before, library = state["passage"], spec.library(state["apis"])
        text = as_json(library.model_dump(mode="json", exclude_defaults=True))
        passage = Passage(text=text, transform=before.transform, calls=(*before.calls, call))
        return {"simulator": spec, "passage": passage}


def listed(reply: ApiList) -> None:
    """Refuse a list that calls itself suitable and is empty."""
    if reply.suitable and not reply.apis:
        raise ReplyError("empty list", "`suitable` is true, but `apis` is empty: list the functions and methods")


def usable(spec: SimulatorSpec, apis: Sequence[Api]) -> None:
    """Refuse a specification under which hardly anything can be executed, naming what is wrong with it."""
    simulator = Simulator(spec.library(apis))
    if len(simulator.executable) < min(2, len(apis)):
        raise ReplyError("not executable", "; ".join(simulator.problems[:6]))


def simulator_of(state: Any) -> Simulator:
    """A fresh simulator of the state's library."""
    return _simulator(Declared(state["simulator"], state["apis"])).fork()


class Declared:
    """A library's specification and functions, known by which objects they are: a seed has one of each."""

    __slots__ = ("apis", "spec")

    def __init__(self, spec: SimulatorSpec, apis: Sequence[Api]) -> None:
        self.spec = spec
        self.apis = apis

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Declared) and self.spec is other.spec and self.apis is other.apis

    def __hash__(self) -> int:
        return hash((id(self.spec), id(self.apis)))


@lru_cache(maxsize=64)
def _simulator(declared: Declared) -> Simulator:
    """The library as it begins: read once for all that is done with it."""
    return Simulator(declared.spec.library(declared.apis))


def library_view(state: Any) -> dict[str, Any]:
    """The functions a task may use and the data they work on."""
    simulator = simulator_of(state)
    return {"apis": tuple(api for api in state["apis"] if api.name in simulator.executable), "state": simulator.state()}
