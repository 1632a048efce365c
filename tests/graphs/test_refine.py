"""Refinement when it goes wrong: repeated edits, edits that fail, suggesters with nothing to say."""

import asyncio
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from agentinstruct.agents.gateway import Completion, Gateway, Request, using
from agentinstruct.agents.records import Seed
from agentinstruct.agents.scripted import Script, ScriptedModel, scripted_reply
from agentinstruct.graphs.doors import Flow
from agentinstruct.graphs.skills import text_modification, tool_use
from agentinstruct.graphs.state import Context, FlowState

TEXT = """The tide mill at Carew has ground corn since 1801. Twice a day the sea fills its pond, and the miller opens
the gate when the water outside has fallen. Today 12 volunteers keep the mill, because they like the sound of it."""
CODE = '''def net_price(price: float, rate: float = 0.19) -> float:
    """Works out a price without its tax."""
    return price / (1 + rate)
'''


class Together:
    """The scripted model, which counts its calls and, where told to, answers a judge only when two are waiting."""

    width = 0

    def __init__(self, scripts: Mapping[str, Script], pairs: bool = False) -> None:
        self.asked: Counter[str] = Counter()
        self._model, self._pairs, self._met = ScriptedModel(scripts), pairs, asyncio.Event()

    async def complete(self, request: Request) -> Completion:
        self.asked[request.agent] += 1
        if self._pairs and request.agent == "judge":
            if self.asked["judge"] == 2:
                self._met.set()
            await asyncio.wait_for(self._met.wait(), 20)
        return await self._model.complete(request)

    async def aclose(self) -> None:
        pass


async def flow(graph: Flow, model: Together, seed: Seed, **chosen: Any) -> FlowState:
    one = {"categories_per_seed": 1, "instructions_per_category": 1}
    async with using(Gateway(lambda spec: model)):
        state: FlowState = await graph.ainvoke({"seed": seed}, context=Context(model="scripted", **(one | chosen)))
        return state


async def refined(scripts: Mapping[str, Script], **chosen: Any) -> tuple[FlowState, Together]:
    model = Together(scripts)
    return await flow(text_modification, model, Seed(text=TEXT), categories="text_capitalization", **chosen), model


def same_edit(request: Request) -> Any:
    return scripted_reply(replace(request, inputs={**request.inputs, "suggestion": "Add, way 1: whatever"}))


def no_edit(request: Request) -> Any:
    return {"item": parent_item(request)}


def parent_item(request: Request) -> Any:
    asked = str(request.inputs["item"]).split("\n")[0]
    return {"instruction": asked, "constraints": [{"kind": "case", "style": "upper"}]}


async def test_a_repeated_edit_is_dropped_as_a_duplicate_with_an_id_of_its_own() -> None:
    state, _ = await refined({"edit": same_edit}, suggestions_per_goal=2, verify="off", rounds=1)
    original, edited = state["records"]
    (lost,) = state["dropped"]
    assert (lost.stage, lost.reason, lost.parent) == ("edit", "duplicate", original.id)
    assert lost.draft_id and lost.draft_id not in (original.id, edited.id)


async def test_an_edit_that_changes_nothing_is_reported_as_such() -> None:
    state, _ = await refined({"edit": no_edit}, suggestions_per_goal=1, rounds=1)
    (original,) = state["records"]
    assert [(lost.reason, lost.parent) for lost in state["dropped"]] == [("changed", original.id)]


async def test_a_failed_edit_has_its_own_id_and_names_its_parent() -> None:
    state, _ = await refined({"edit": lambda _: "{}"}, suggestions_per_goal=2, rounds=1)
    (original,) = state["records"]
    ids = {lost.draft_id for lost in state["dropped"]}
    assert len(ids) == len(state["dropped"]) == 2
    assert original.id not in ids and "" not in ids
    assert {lost.parent for lost in state["dropped"]} == {original.id}
    kept, _ = await refined({}, suggestions_per_goal=2, rounds=1)
    assert ids == {record.id for record in kept["records"] if record.depth}


async def test_blank_suggestions_are_no_suggestion() -> None:
    state, model = await refined({"suggest": lambda _: {"suggestions": [" ", "\n"]}}, rounds=1)
    (original,), (lost,) = state["records"], state["dropped"]
    assert (lost.stage.partition("/")[0], lost.reason, lost.draft_id) == ("suggest", "no suggestion", "")
    assert lost.parent == original.id and lost.calls[-1].role == "suggest"
    assert not model.asked["edit"]


async def test_a_round_that_adds_nothing_is_the_last() -> None:
    _, stuck = await refined({"edit": no_edit}, suggestions_per_goal=1, rounds=3)
    _, going = await refined({}, suggestions_per_goal=1, rounds=3, verify="off")
    assert stuck.asked["suggest"] == 1 < going.asked["suggest"]


async def test_a_round_whose_dialogues_all_fail_is_the_last() -> None:
    def first_only(request: Request) -> Any:
        return "" if "After that" in str(request.inputs["dialogue"]) else scripted_reply(request)

    model, seed = Together({"answer": first_only}), Seed(text=CODE, modality="code", language="python")
    state = await flow(tool_use, model, seed, categories="single_api_all_parameters", rounds=3)
    assert [record.depth for record in state["records"]] == [0]
    assert model.asked["suggest"] == 1
    assert {lost.stage for lost in state["dropped"]} == {"answer"}


async def test_dialogues_are_judged_together() -> None:
    model, seed = Together({}, pairs=True), Seed(text=CODE, modality="code", language="python")
    state = await flow(tool_use, model, seed, categories="single_api_all_parameters", rounds=1)
    assert len(state["records"]) == 2
