"""A skill from Python: what can be read of it, its graph, and skills of a user's own."""

import asyncio
import shutil
from pathlib import Path

import pytest
from langgraph.graph.state import CompiledStateGraph

import agentinstruct
from agentinstruct import SetupError, SkillError, generate, load_skill
from agentinstruct.agents.gateway import Gateway, using
from agentinstruct.agents.scripted import ScriptedModel
from agentinstruct.agents.skill import OWN_SKILLS
from agentinstruct.graphs import skills as served

ROOT = Path(__file__).parents[2]
TEXT = {"text": "The harbour froze on 4 January. Forty ships waited outside until the ice broke in March."}


@pytest.fixture
def own(tmp_path, monkeypatch):
    """A copy of the example's skill, forgotten afterwards."""
    monkeypatch.setenv(OWN_SKILLS, "")
    shutil.copytree(ROOT / "examples" / "skills" / "trade_offs", tmp_path / "mine" / "ways_out")
    return tmp_path / "mine" / "ways_out"


def test_its_parts_can_be_read_and_its_graph_is_everybodys():
    flow = load_skill("fermi")
    assert flow.graph is served.fermi and isinstance(flow.graph, CompiledStateGraph)
    assert len(flow.categories) == 13 and "recompute" in " ".join(flow.checks.values())
    assert all(category.brief and category.title for category in flow.categories.values())
    assert flow.transforms and flow.goals and flow.description


async def test_one_seed_gives_the_graphs_state_and_its_steps():
    flow = load_skill("text_modification")
    state = await flow.ainvoke(TEXT, model="scripted", verify="annotate", rounds=0)
    assert state["records"] and all(record.skill == flow.name for record in state["records"])
    steps = [node async for node, _ in flow.astream(TEXT, model="scripted", verify="annotate", rounds=0)]
    assert steps == ["plan", "identity", "instruct", "answer", "verify"]
    assert flow.invoke(TEXT, model="scripted", verify="annotate", rounds=0)["records"] == state["records"]


async def test_a_model_may_be_an_object():
    class Mine(ScriptedModel):
        name = "mine"

    state = await load_skill("text_modification").ainvoke(TEXT, model=Mine(), verify="annotate", rounds=0)
    assert {call.model for record in state["records"] for call in record.calls} == {"mine"}


def test_an_endpoint_is_called_and_let_go(openai_server):
    server = openai_server(no_tools=True)
    state = load_skill("text_modification").invoke(TEXT, model="openai:m", base_url=server.base_url, rounds=0)
    assert server.stats()["answered_ok"] > 0 and state["records"] + state["dropped"]


async def test_whoever_leaves_a_stream_takes_nothing_of_it_along(openai_server):
    server, flow = openai_server(no_tools=True), load_skill("text_modification")
    settings = {"transforms": "identity", "rounds": 0}
    async with using(Gateway(lambda spec: ScriptedModel())) as outer:
        steps = flow.astream(TEXT, model="openai:m", base_url=server.base_url, **settings)
        async for node, _ in steps:
            assert node == "plan"
            await flow.ainvoke(TEXT, model="mine", **settings)
            break
        inside = outer.statistics.calls
        await flow.ainvoke(TEXT, model="mine", seed=1, **settings)
        assert outer.statistics.calls > inside > 0
        await steps.aclose()
    assert len(asyncio.all_tasks()) == 1, "what it had begun has ended"


async def test_what_serves_a_block_is_closed_even_where_the_block_is_left_elsewhere():
    class Mine(ScriptedModel):
        closed = False

        async def aclose(self):
            self.closed = True

    mine = Mine()

    async def block():
        async with using(Gateway(lambda spec: mine)) as gateway:
            gateway.model("scripted")
            yield

    left = block()
    await asyncio.create_task(anext(left))
    with pytest.raises(ValueError, match="different Context"):
        await left.aclose()
    assert mine.closed


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: load_skill("fermy"), SkillError, "Did you mean 'fermi'"),
        (lambda: load_skill(""), SkillError, "the name of one skill"),
        (lambda: load_skill("fermi,coding"), SkillError, "the name of one skill"),
        (lambda: load_skill("no/such/folder"), SkillError, "no skill.yaml is there"),
        (lambda: load_skill("fermi").invoke("a text"), TypeError, "give {'text'"),
        (lambda: load_skill("fermi").invoke(TEXT, category="x"), TypeError, "Did you mean 'categories'"),
        (lambda: load_skill("fermi").invoke(TEXT, model="scripted", categories=["x"]), SetupError, "'x'"),
        (lambda: load_skill("fermi").invoke(TEXT, goals=[]), SetupError, "goals: an empty list"),
        (lambda: load_skill("fermi").invoke({"text": ""}, model="scripted"), ValueError, "at least 1 character"),
    ],
)
def test_what_is_wrong_is_said(call, error, words):
    with pytest.raises(error, match=words):
        call()


def test_a_skill_of_ones_own_is_a_folder_that_every_way_in_knows(own):
    flow = load_skill(own)
    assert flow.name == "ways_out" and flow.name in agentinstruct.skills()
    options = {"model": "scripted", "verify": "annotate", "limit": 2, "workers": 2}
    dataset = generate(ROOT / "examples/seeds/albedo.md", skills=own, **options)
    assert {record.skill for record in dataset} == {"ways_out"} and len(dataset) > 0
    taxonomy = own / "taxonomy.yaml"
    taxonomy.write_text(taxonomy.read_text().replace("choose_between:", "choose:"))
    assert "choose" in load_skill(own).categories, "it is read anew"


def test_a_skill_of_ones_own_cannot_take_anothers_name(own):
    own.rename(own.with_name("fermi"))
    with pytest.raises(SkillError, match="is a skill of that name"):
        load_skill(own.with_name("fermi"))
    assert load_skill("fermi").name == "fermi", "what was refused is not kept"
