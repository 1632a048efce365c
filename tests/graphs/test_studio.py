"""Studio's way of working, over LangGraph's own server: streams, breakpoints, edits, review, assistants, many runs."""

import asyncio
import json
import shlex
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from langgraph_sdk.client import LangGraphClient

ROOT = Path(__file__).parents[2]
SEEDS = ROOT / "examples" / "seeds"
SEED = {"seed": {"text": (SEEDS / "albedo.md").read_text()[:1500], "source": "albedo.md", "licence": "CC-BY-SA-4.0"}}
CONTEXT = {"model": "scripted", "verify": "annotate", "transforms": "identity", "categories_per_seed": 1, "rounds": 1}
STREAMS: Any = ["values", "updates", "messages-tuple", "custom", "tasks", "checkpoints", "debug", "events"]
PATH = ["plan", "identity", "instruct", "suggest", "edit", "answer", "verify"]


async def new_thread(client: LangGraphClient) -> str:
    thread: str = (await client.threads.create())["thread_id"]
    return thread


async def run(client: LangGraphClient, thread: str, graph: str = "text_modification", **how: Any) -> Any:
    how.setdefault("context", CONTEXT)
    return await client.runs.wait(thread, graph, **how)


async def test_every_stream_tells_of_every_step(client: LangGraphClient) -> None:
    thread = await new_thread(client)
    stream = client.runs.stream(thread, "text_modification", input=SEED, context=CONTEXT, stream_mode=STREAMS)
    parts = [part async for part in stream]
    told = Counter(part.event for part in parts)
    assert {"values", "updates", "messages", "custom", "tasks", "checkpoints", "debug", "events"} <= told.keys()
    updates = [part.data for part in parts if part.event == "updates"]
    assert [name for update in updates for name in update] == PATH
    assert all(update is not None for one in updates for update in one.values())
    last = [part.data for part in parts if part.event == "values"][-1]
    assert last["plan"]["transform"] == "identity" and last["passage"]["text"] == last["seed"]["text"]
    (verdict, *_) = last["drafts"][-1]["verdicts"]
    assert verdict["check"] and "evidence" in verdict and last["drafts"][-1]["suggestion"]


async def test_agents_speak_as_messages_token_by_token_and_progress_is_told(client: LangGraphClient) -> None:
    stream = client.runs.stream(
        None, "text_modification", input=SEED, context=CONTEXT, stream_mode=["messages-tuple", "custom", "values"]
    )
    spoken: dict[str, list[str]] = {}
    agents: dict[str, tuple[str, str]] = {}
    progress = []
    async for part in stream:
        if part.event == "messages":
            message, about = part.data
            spoken.setdefault(message["id"], []).append(message["content"])
            agents[message["id"]] = (about["langgraph_node"], about["agent"])
        elif part.event == "custom":
            progress.append(part.data)
        elif part.event == "values":
            state = part.data
    assert {("instruct", "instruct"), ("suggest", "suggest"), ("answer", "answer"), ("verify", "judge")} <= set(
        agents.values()
    )
    answers = ["".join(said) for known, said in spoken.items() if agents[known] == ("answer", "answer")]
    assert sorted(answers) == sorted(draft["messages"][-1]["content"] for draft in state["drafts"])
    assert all(len(said) > 3 for known, said in spoken.items() if agents[known][0] == "answer")
    done = [event for event in progress if event["node"] == "answer"]
    assert [event["done"] for event in done] == list(range(1, len(state["drafts"]) + 1))


async def test_a_breakpoint_before_any_node_shows_the_state_and_goes_on(client: LangGraphClient) -> None:
    thread = await new_thread(client)
    await run(client, thread, input=SEED, interrupt_before="*")
    stopped = []
    while nodes := (await client.threads.get_state(thread))["next"]:
        stopped += nodes
        state = await run(client, thread, input=None, interrupt_before="*")
    assert stopped == PATH and state["records"]


async def test_an_edit_of_the_state_is_what_the_next_step_works_on(client: LangGraphClient) -> None:
    thread = await new_thread(client)
    await run(client, thread, input=SEED, interrupt_before=["answer"])
    drafts = (await client.threads.get_state(thread))["values"]["drafts"]
    with pytest.raises(Exception, match=r"the state has no 'drfts'\. Did you mean 'drafts'"):
        await client.threads.update_state(thread, {"drfts": drafts})
    with pytest.raises(Exception, match=r"drafts\.0\.category: Field required"):
        await client.threads.update_state(thread, {"drafts": [{"id": "mine"}]})
    asked = "Say it in one word."
    drafts[0]["messages"] = [{"role": "user", "content": asked}]
    await client.threads.update_state(thread, {"drafts": drafts[:1]})
    state = await run(client, thread, input=None)
    assert [draft["messages"][0]["content"] for draft in state["drafts"]] == [asked]
    assert state["records"][0]["messages"][0]["content"] == asked


async def test_a_second_input_on_a_thread_begins_anew(client: LangGraphClient) -> None:
    thread = await new_thread(client)
    first = await run(client, thread, input=SEED)
    other = {"seed": {"text": (SEEDS / "why_c.html").read_text()[:900]}}
    second = await run(client, thread, input=other)
    assert second["seed"]["id"] != first["seed"]["id"]
    assert {one["seed_id"] for one in [*second["records"], *second["dropped"]]} == {second["seed"]["id"]}


async def test_a_person_reviews_edits_and_rejects(client: LangGraphClient) -> None:
    thread, context = await new_thread(client), CONTEXT | {"review": True}
    state = await run(client, thread, input=SEED, context=context)
    ((waiting,), ids) = state["__interrupt__"], [record["id"] for record in state["records"]]
    assert len(ids) == 3 and (await client.threads.get(thread))["status"] == "interrupted"
    assert waiting["response_schema"]["items"] and [one["id"] for one in waiting["value"]["records"]] == ids
    shown = waiting["value"]["records"][0]
    assert shown["messages"] and shown["verdicts"] and shown["lineage"]["source"] == "albedo.md"

    wrong = [{"id": ids[0], "action": "reject"}, {"id": ids[1], "action": "acept"}, {"id": ids[2], "action": "accept"}]
    state = await run(client, thread, command={"resume": wrong}, context=context)
    (waiting,) = state["__interrupt__"]
    assert [one["id"] for one in waiting["value"]["records"]] == ids[:2], "the good decision is kept"
    assert "needs a reason" in waiting["value"]["problems"][0] and "action" in waiting["value"]["problems"][1]

    edited = [*shown["messages"][:-1], {"role": "assistant", "content": "As a person would say it."}]
    right = [
        {"id": ids[0], "action": "edit", "messages": edited, "reason": "stiff", "by": "ana"},
        {"id": "*", "action": "reject", "reason": "dull"},
    ]
    state = await run(client, thread, command={"resume": right}, context=context)
    assert "__interrupt__" not in state
    assert [record["id"] for record in state["records"]] == [ids[0], ids[2]]
    (mended, accepted) = state["records"]
    assert mended["messages"][-1]["content"] == "As a person would say it."
    original = [(one["role"], one["content"]) for one in mended["review"]["original"]]
    assert mended["review"]["by"] == "ana (local)" and original == [
        (m["role"], m["content"]) for m in shown["messages"]
    ]
    assert mended["verdicts"][-1]["kind"] == "person" and accepted["review"]["action"] == "accept"
    assert [(one["stage"], one["reason"], one["detail"], one["draft_id"]) for one in state["dropped"][-1:]] == [
        ("review", "rejected", "dull (local)", ids[1])
    ]


async def test_reviews_of_several_skills_wait_side_by_side(client: LangGraphClient) -> None:
    thread = await new_thread(client)
    context = {"model": "scripted", "verify": "annotate", "review": True, "categories_per_seed": 1, "rounds": 0}
    context |= {"skills": "text_modification,reading_comprehension", "most_seeds": 1}
    documents = {"documents": [{"text": SEED["seed"]["text"], "format": "markdown", "source": "albedo"}]}
    state = await run(client, thread, "teacher", input=documents, context=context)
    first, second = state["__interrupt__"]
    accept = [{"id": "*", "action": "accept"}]
    state = await run(client, thread, "teacher", command={"resume": {first["id"]: accept}}, context=context)
    assert [one["id"] for one in state["__interrupt__"]] == [second["id"]]
    state = await run(client, thread, "teacher", command={"resume": {second["id"]: accept}}, context=context)
    assert {record["skill"] for record in state["records"]} == {"text_modification", "reading_comprehension"}
    assert all(record["review"]["action"] == "accept" for record in state["records"])


async def test_the_teacher_shows_its_skills_graphs(client: LangGraphClient) -> None:
    (found,) = await client.assistants.search(graph_id="teacher")
    plain = await client.assistants.get_graph(found["assistant_id"])
    assert {"read", "route", "hand_out", "fermi", "conversation", "summarise"} <= {
        node["id"] for node in plain["nodes"]
    }
    within = await client.assistants.get_graph(found["assistant_id"], xray=1)
    assert "fermi:instruct" in {node["id"] for node in within["nodes"]}
    schemas = await client.assistants.get_schemas(found["assistant_id"])
    given, promised, context = schemas["input_schema"], schemas["output_schema"], schemas["context_schema"]
    assert given and given["required"] == ["documents"] and given["$defs"]["Document"]["required"] == ["text"]
    assert not {"path", "url"} & given["$defs"]["Document"]["properties"].keys()
    assert promised and set(promised["properties"]) == {"records", "dropped", "summary"}
    assert context and {"skills", "mix", "skills_per_seed", "most_seeds", "review"} <= context["properties"].keys()

    code = {"text": (SEEDS / "bisect.py").read_text(), "format": "python", "source": "bisect.py"}
    settings = {"model": "scripted", "skills": "coding", "most_seeds": 1, "categories_per_seed": 1, "rounds": 0}
    stream = client.runs.stream(
        None,
        "teacher",
        input={"documents": [code]},
        context=settings,
        stream_mode=["values", "updates"],
        stream_subgraphs=True,
    )
    parts = [part async for part in stream]
    steps = [name for part in parts if part.event.startswith("updates|coding:") for name in part.data]
    assert {"plan", "instruct", "answer", "verify"} <= set(steps)
    summary = [part.data for part in parts if part.event == "values"][-1]["summary"]
    assert summary["skills"]["coding"]["records"] and summary["seeds"] == 1


async def test_an_assistant_keeps_settings_of_its_own(client: LangGraphClient) -> None:
    hard = {"model": "scripted", "verify": "annotate", "categories_per_seed": 1, "rounds": 1}
    known = (await client.assistants.search(graph_id="analytical_reasoning"))[0]
    schemas = await client.assistants.get_schemas(known["assistant_id"])
    assert schemas["context_schema"]
    (goal, *_) = schemas["context_schema"]["properties"]["goals"]["description"].partition("There are: ")[2].split(", ")
    hard["goals"] = goal
    made = await client.assistants.create("analytical_reasoning", context=hard, name="hard LSAT")
    try:
        state = await client.runs.wait(None, made["assistant_id"], input=SEED)
    finally:
        await client.assistants.delete(made["assistant_id"])
    assert isinstance(state, dict)
    assert state["plan"]["goals"] == [goal] and state["plan"]["verify"] == "annotate"


async def test_fifty_runs_at_once(client: LangGraphClient) -> None:
    texts = [f"{SEED['seed']['text']}\n\nObservation {number} was made in {1900 + number}." for number in range(50)]
    inputs: list[Any] = [{"seed": {"text": text}} for text in texts]
    threads = await asyncio.gather(*(new_thread(client) for _ in range(25)))
    places = [*threads, *[None] * 25]
    states: list[Any] = await asyncio.gather(
        *(run(client, place, input=one) for place, one in zip(places, inputs, strict=True))  # type: ignore[arg-type]
    )
    assert [state["seed"]["text"] for state in states] == texts
    assert all(state["records"] for state in states)


def test_a_dockerfile_names_every_graph(tmp_path: Path) -> None:
    written = tmp_path / "Dockerfile"
    command = [str(Path(sys.executable).with_name("langgraph")), "dockerfile", "-c", "langgraph.json", str(written)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (line,) = [line for line in written.read_text().splitlines() if line.startswith("ENV LANGSERVE_GRAPHS=")]
    (setting,) = shlex.split(line.removeprefix("ENV "))
    served = json.loads(setting.removeprefix("LANGSERVE_GRAPHS="))
    assert len(served) == 18 and all(graph["description"] for graph in served.values())


def test_nothing_blocked_the_server(server: tuple[str, Path]) -> None:
    log = server[1].read_text()
    assert "BlockingError" not in log and "Blocking call" not in log
