"""Retrieval-augmented generation: the shared flow, with a search between the transform and the items.

    seed ─ plan ─ transform ─ retrieve ─ sample ─ instruct ─ (suggest ─ edit) × rounds ─ answer ⇄ tools ─ verify

retrieve   gathers the documents: the seed's snippets or what the transform wrote, and what FAISS finds near it
sample     the program chooses the list of each item, and what its writer may draw evidence from
tools      a teacher's searches; where no run has a corpus, they go over the seed and what the flow gathered
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from langgraph.runtime import Runtime

from agentinstruct.agents.errors import ReplyError
from agentinstruct.agents.forms import read_form
from agentinstruct.agents.forms.retrieved import Retrieved
from agentinstruct.agents.records import Draft, Passage, Seed
from agentinstruct.agents.shapes_sources import gathered
from agentinstruct.agents.skill import Goal, Skill
from agentinstruct.agents.sources import Document, distinct, found, own, pool_of, with_pool
from agentinstruct.graphs.answering import tool_node, with_runtime
from agentinstruct.graphs.crew import Crew
from agentinstruct.graphs.doors import Flow
from agentinstruct.graphs.flow import build_flow
from agentinstruct.graphs.refine import Refinement
from agentinstruct.graphs.stages import Node
from agentinstruct.graphs.state import Context, FlowState
from agentinstruct.tools.corpus import current_corpus, searching, small_index
from agentinstruct.tools.retrieval import Chunk, Hit, Index

NEIGHBOURS, RANKED = 6, 4
"""Chunks of other seeds that are looked for, and snippets that count of each search."""


@dataclass(frozen=True, slots=True)
class Retrieval:
    """The node that gathers documents, and the teacher's searches."""

    crew: Crew

    async def retrieve(self, state: FlowState, runtime: Runtime[Context]) -> FlowState:
        """Documents for the items of this seed; nothing when the transform declined it."""
        if not state["passage"].transform:
            return {}
        seed, passage = state["seed"], state["passage"]
        try:
            documents = await _gathered(seed, passage)
        except ReplyError as error:
            return {"passage": with_pool(passage, []), "dropped": [self.crew.dropped(state, "retrieve", error)]}
        return {"passage": with_pool(passage, distinct(documents))}

    def tools(self) -> Node:
        """The teacher's tools, searching what there is."""
        node = tool_node(self.crew.skill)

        async def tools(state: FlowState, runtime: Runtime[Context]) -> FlowState:
            with searching(current_corpus() or _index(state["seed"], pool_of(state["passage"]))):
                told: FlowState = await node.ainvoke(state, with_runtime(runtime))
            return told

        return tools


async def _gathered(seed: Seed, passage: Passage) -> list[Document]:
    if passage.transform == "queries":
        return await _ranked(seed, passage.data["queries"])
    written = gathered(passage, seed)
    return [*written, *found(await _hits(seed, seed.text, NEIGHBOURS), passage.text)]


async def _hits(seed: Seed, query: str, count: int) -> list[Hit]:
    """Chunks of the run's other seeds that are most like a query; none where there is no run."""
    corpus = current_corpus()
    return [] if corpus is None else await corpus.asearch(query, count, (seed.id,), "prose")


async def _ranked(seed: Seed, queries: Sequence[str]) -> list[Document]:
    """What a search engine ranks highest for each query: snippets of the seed, and of chunks found for them."""
    others = [one for query in queries for one in found(await _hits(seed, query, RANKED), query)]
    known = distinct([*own(seed), *others])
    index = small_index(Chunk(id=f"{place:03}", text=f"{one.title} {one.text}") for place, one in enumerate(known))
    places = {int(hit.id) for query in queries for hit in index.search(query, RANKED)}
    return [one for place, one in enumerate(known) if place in places or one.part != "gold"]


def _index(seed: Seed, documents: Sequence[Document]) -> Index:
    """An index of a seed and of what was gathered for it."""
    chunks = [Chunk(id=f"{seed.id[:8]}-{i}", text=one.text, title=one.title) for i, one in enumerate(own(seed))]
    return small_index([*chunks, *(Chunk(id=f"doc-{i}", text=d.text, title=d.title) for i, d in enumerate(documents))])


@dataclass(frozen=True, slots=True)
class ListRefinement(Refinement):
    """Suggester and editor, who are shown what the program makes of the list."""

    def suits(self, draft: Draft, goal: Goal) -> bool:
        """Some goals need an answer in the list, some a short one."""
        form = read_form(draft.item)
        assert isinstance(form, Retrieved)
        return goal.fits(draft.item.form) and form.open_to(goal.name)

    def material(self, state: FlowState, draft: Draft, goal: Goal) -> dict[str, Any]:
        """The item as its editor reads it, with what its kind is."""
        form = read_form(draft.item)
        assert isinstance(form, Retrieved)
        return {**Refinement.material(self, state, draft, goal), "kind": form.kind}


def build_rag(skill: Skill) -> Flow:
    """Wire the agents of retrieval-augmented generation."""
    crew = Crew(skill)
    retrieval = Retrieval(crew)
    return build_flow(skill, gather=retrieval.retrieve, refinement=ListRefinement(crew), tools=retrieval.tools())
