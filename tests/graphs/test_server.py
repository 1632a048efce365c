"""The graphs on LangGraph's own server, offline, driven by its SDK: what Studio does."""

from pathlib import Path
from typing import Any

import pytest
from langgraph_sdk.client import LangGraphClient

from agentinstruct.agents.skill import load_skill, skill_names

ROOT = Path(__file__).parents[2]
SKILLS = set(skill_names())
GRAPHS = {"teacher", *SKILLS}
SEED = {"seed": {"text": (ROOT / "examples" / "seeds" / "albedo.md").read_text()[:1500]}}
CONTEXT = {"model": "scripted", "verify": "annotate", "transforms": "identity", "categories_per_seed": 1, "rounds": 1}


async def assistant_of(client: LangGraphClient, graph: str) -> str:
    (found,) = await client.assistants.search(graph_id=graph)
    return found["assistant_id"]


async def test_the_graphs_are_listed(client: LangGraphClient) -> None:
    assert {found["graph_id"] for found in await client.assistants.search(limit=100)} == GRAPHS


@pytest.mark.parametrize("graph", sorted(SKILLS))
async def test_studio_gets_what_it_draws_and_asks_for(client: LangGraphClient, graph: str) -> None:
    assistant = await assistant_of(client, graph)
    drawn = await client.assistants.get_graph(assistant, xray=True)
    assert {"plan", "instruct", "suggest", "edit", "answer", "verify", "review"} <= {n["id"] for n in drawn["nodes"]}
    schemas = await client.assistants.get_schemas(assistant)
    seed = schemas["input_schema"]
    assert seed and seed["required"] == ["seed"]
    assert seed["$defs"]["Seed"]["required"] == ["text"]
    context = schemas["context_schema"]
    assert context and {"model", "judge_model", "verify", "rounds"} <= context["properties"].keys()
    for shown in (*seed["$defs"]["Seed"]["properties"].values(), *context["properties"].values()):
        assert shown["title"] and len(shown["description"]) > 10
    assert set(context["properties"]["answer_model"]["langgraph_nodes"]) <= {node["id"] for node in drawn["nodes"]}
    assert all(name in context["properties"]["categories"]["description"] for name in load_skill(graph).categories)
    promised = schemas["output_schema"]
    assert promised and set(promised["properties"]) == {"records", "dropped"}
    assert "password" not in str(context) and "api_key" not in str(context) and "base_url" not in str(context)


@pytest.mark.parametrize("graph", ["reading_comprehension", "text_modification"])
async def test_a_plain_seed_gives_records(client: LangGraphClient, graph: str) -> None:
    state: Any = await client.runs.wait(None, graph, input=SEED, context=CONTEXT)
    assert state["plan"]["transform"] == "identity"
    assert state["records"]
    assert state["records"][0]["messages"][-1]["role"] == "assistant"
    assert state["records"][0]["seed_id"] == state["seed"]["id"]


async def test_updates_stream_and_the_state_stays_to_be_looked_at(client: LangGraphClient) -> None:
    thread = await client.threads.create()
    parts = client.runs.stream(
        thread["thread_id"], "reading_comprehension", input=SEED, context=CONTEXT, stream_mode="updates"
    )
    seen = [name for part in [part async for part in parts] if part.event == "updates" for name in part.data]
    assert seen == ["plan", "identity", "instruct", "suggest", "edit", "answer", "verify"]
    state: Any = await client.threads.get_state(thread["thread_id"])
    assert state["values"]["records"] or state["values"]["dropped"]
    history = await client.threads.get_history(thread["thread_id"], limit=20)
    assert len(history) >= len(seen)


async def test_runs_beside_each_other_on_the_same_server(client: LangGraphClient) -> None:
    runs = [await client.runs.create(None, "text_modification", input=SEED, context=CONTEXT) for _ in range(4)]
    assert len({run["run_id"] for run in runs}) == 4
    done: Any = await client.runs.wait(None, "text_modification", input=SEED, context=CONTEXT)
    assert done["records"]


@pytest.mark.parametrize(
    ("values", "context", "words"),
    [
        (SEED, {"model": "scripted", "transforms": "satir"}, "Did you mean 'satire'"),
        (SEED, {"model": "openai:"}, "gpt-4.1-mini"),
        (SEED, {"model": "scripted", "rounds": "many"}, "valid integer"),
        (SEED, {"model": "scripted", "verify": "sloppy"}, "'strict', 'annotate' or 'off'"),
        (SEED, {"model": "scripted", "solvers": 1_000_000}, "less than or equal to 15"),
        ({"seed": {"text": ""}}, {"model": "scripted"}, "seed.text: .* at least 1 character"),
        (
            {"text": "Bees dance."},
            {"model": "scripted"},
            r"the input has no 'seed', but 'text'. Give {\"seed\": {\"text\"",
        ),
        ({"seed": "Bees dance."}, {"model": "scripted"}, "seed: a text alone. Give"),
        ("Bees dance.", {"model": "scripted"}, "the input is no object with 'seed'. Give"),
        (SEED, {"model": "scripted", "review": True}, "needs a thread"),
        ({"seed": {"text": "a", "path": "/etc/passwd"}}, {"model": "scripted"}, "seed.path"),
    ],
)
async def test_what_is_wrong_is_said(client: LangGraphClient, values: Any, context: Any, words: str) -> None:
    with pytest.raises(Exception, match=words):
        await client.runs.wait(None, "reading_comprehension", input=values, context=context)


@pytest.mark.parametrize("graph", sorted(SKILLS))
async def test_every_skill_runs_and_forks_and_blocks_nothing(client: LangGraphClient, graph: str) -> None:
    code = {"seed": {"text": (ROOT / "examples" / "seeds" / "bisect.py").read_text(), "modality": "code"}}
    context = {"model": "scripted", "categories_per_seed": 2, "rounds": 1}
    seed = code if load_skill(graph).file.modalities[0] == "code" else SEED
    thread = (await client.threads.create())["thread_id"]
    state: Any = await client.runs.wait(thread, graph, input=seed, context=context)
    assert "__error__" not in state, state
    assert state["records"] or state["dropped"]

    history = await client.threads.get_history(thread, limit=40)
    (past, *_) = [one for one in history if one["next"] == ["answer"] and one["values"]["drafts"]]
    one = past["values"]["drafts"][:1]
    fork = await client.threads.update_state(thread, {"drafts": one}, checkpoint_id=past["checkpoint"]["checkpoint_id"])
    again: Any = await client.runs.wait(
        thread, graph, input=None, context=context, checkpoint_id=fork["checkpoint"]["checkpoint_id"]
    )
    assert "__error__" not in again, again
    ends = [*(record["id"] for record in again["records"]), *(dropped["draft_id"] for dropped in again["dropped"])]
    assert one[0]["id"] in ends


def test_no_step_blocked_the_server(server: tuple[str, Path]) -> None:
    log = server[1].read_text()
    assert "BlockingError" not in log and "Blocking call" not in log
